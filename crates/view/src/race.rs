//! Several ways to the same answer, tried in turn with growing budgets.
//!
//! A search can often be begun in several places: at the newest rows of a type, at the rows of a
//! code, at the patients that a chain names. Which is best depends on what is stored, and figures
//! about that would have to be kept. Instead each way gets a small budget of SQLite's instructions;
//! if none of them is done, each gets several times more. The whole costs a small multiple of the
//! best way, however much is stored, and a search without any good way is given up at a limit.
//!
//! Invariant: every way gives the same rows in the same order, so that it does not matter which is
//! done first.

use std::cmp::Ordering;

use fhir::json;
use fhir::query::Filter;
use fhir::resource::Resource;
use rusqlite::{ErrorCode, params_from_iter};

use crate::condition::Ask;
use crate::content::Content;
use crate::error::Error;
use crate::kinds;
use crate::order::{Cursor, Order, Place, Value};
use crate::sql::Piece;
use crate::verify::Looked;

/// Instructions that each way gets at first.
const FIRST: i64 = 20_000;

/// How much more each time.
const MORE: i64 = 6;

/// What looking at a resource counts as.
const LOOK: i64 = 400;

/// A statement that gives row numbers and the keys of the order.
pub struct Statement {
    /// The SELECT.
    pub sql: Piece,
    /// Whether rows come in the order, at least of its first key.
    pub ordered: bool,
}

/// One way: statements one after the other, the rows of each before those of the next.
pub type Way = Vec<Statement>;

/// What is wanted of the rows of one type.
pub struct Wanted<'a> {
    /// The type.
    pub kind: &'static str,
    /// What must hold.
    pub filters: &'a [Filter],
    /// The order.
    pub order: &'a Order,
    /// Only rows after this.
    pub after: Option<&'a Cursor>,
    /// At most so many.
    pub most: usize,
}

impl Wanted<'_> {
    /// Whether a place comes after where the last page ended.
    fn is_after(&self, place: &Place) -> bool {
        let Some(cursor) = self.after else { return true };
        match self.order.compare_keys(place, &cursor.place) {
            Ordering::Equal => match kinds::number(self.kind).cmp(&cursor.kind) {
                Ordering::Equal => self.order.compare(place, &cursor.place) == Ordering::Greater,
                by_kind => by_kind == Ordering::Greater,
            },
            by_keys => by_keys == Ordering::Greater,
        }
    }
}

impl Ask<'_> {
    /// The rows wanted, in order, by whichever way is done first.
    ///
    /// # Errors
    /// [`Error::TooCostly`] where none is done within the limit.
    pub fn race(&self, ways: &[Way], wanted: &Wanted<'_>) -> Result<Vec<Place>, Error> {
        self.try_ways(ways, |way| self.run(way, wanted))
    }

    /// The number that any of the statements gives.
    ///
    /// # Errors
    /// As [`Ask::race`].
    pub fn race_number(&self, ways: &[Piece]) -> Result<u64, Error> {
        self.try_ways(ways, |way| {
            let mut select = self.connection.prepare_cached(&way.text)?;
            let count = select.query_row(params_from_iter(&way.values), |row| row.get(0));
            Ok(count.map(i64::unsigned_abs)?)
        })
    }

    fn try_ways<W, T>(
        &self,
        ways: &[W],
        attempt: impl Fn(&W) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let most = self.view.most;
        let mut slice = if ways.len() > 1 { FIRST.min(most) } else { most };
        let mut spent = 0;
        while spent < most {
            for way in ways {
                self.budget.set(slice);
                match attempt(way) {
                    Err(Error::Storage(error))
                        if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {}
                    Err(Error::TooCostly) => {}
                    done => {
                        self.budget.lift();
                        return done;
                    }
                }
                spent += slice;
                if self.budget.is_spent() {
                    self.budget.lift();
                    return Err(Error::TooCostly);
                }
            }
            slice *= MORE;
        }
        self.budget.lift();
        Err(Error::TooCostly)
    }

    fn run(&self, way: &Way, wanted: &Wanted<'_>) -> Result<Vec<Place>, Error> {
        let looks: Vec<&Filter> =
            wanted.filters.iter().filter(|filter| self.must_look(filter)).collect();
        let reads = !looks.is_empty() || wanted.order.needs_content();
        let mut found: Vec<Place> = Vec::new();
        for statement in way {
            let mut seen = std::collections::HashSet::new();
            let mut select = self.connection.prepare_cached(&statement.sql.text)?;
            let mut rows = select.query(params_from_iter(&statement.sql.values))?;
            while let Some(row) = rows.next()? {
                let mut place = Place { keys: Vec::new(), rid: row.get(0)? };
                for column in 0..wanted.order.keys.len() {
                    place.keys.push(Value::read(row.get_ref(column + 1)?)?);
                }
                if statement.ordered && !seen.insert(place.rid) {
                    continue;
                }
                if reads {
                    if self.budget.spend(LOOK) {
                        return Err(Error::TooCostly);
                    }
                    if !self.look(&mut place, wanted, &looks)? {
                        continue;
                    }
                }
                if !wanted.is_after(&place) {
                    continue;
                }
                if statement.ordered && found.len() >= wanted.most {
                    let last = found.last().unwrap_or(&place);
                    if !wanted.order.ties(last, &place) {
                        break;
                    }
                }
                found.push(place);
                if found.len() > wanted.most.saturating_mul(2).saturating_add(64) {
                    found.sort_by(|one, other| wanted.order.compare(one, other));
                    if !statement.ordered {
                        found.truncate(wanted.most);
                    }
                }
            }
            if found.len() >= wanted.most {
                break;
            }
        }
        found.sort_by(|one, other| wanted.order.compare(one, other));
        found.truncate(wanted.most);
        Ok(found)
    }

    /// Looks at the resource of a row: whether the filters hold, and what it is ordered by.
    fn look(
        &self,
        place: &mut Place,
        wanted: &Wanted<'_>,
        looks: &[&Filter],
    ) -> Result<bool, Error> {
        let mut select = self.connection.prepare_cached(
            "SELECT c.body, r.version FROM resource r CROSS JOIN content c ON c.rid = r.rid
             WHERE r.rid = ?1",
        )?;
        let mut rows = select.query([place.rid])?;
        let Some(row) = rows.next()? else { return Ok(false) };
        let broken = |_| Error::Row(row.get::<_, i64>(1).unwrap_or_default().unsigned_abs());
        let Content(body) = row.get(0)?;
        let value = json::parse(&body).map_err(|_| broken(()))?;
        let resource = Resource::from_value(value).map_err(|_| broken(()))?;
        let looked = Looked { resource: &resource, rid: place.rid };
        for filter in looks {
            if !self.is_so(filter, &looked)? {
                return Ok(false);
            }
        }
        for (key, value) in wanted.order.keys.iter().zip(&mut place.keys) {
            if let Some(told) = key.of_content(self.view, &resource) {
                *value = told;
            }
        }
        Ok(true)
    }
}
