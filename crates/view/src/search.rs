//! Search: a [`Query`] under a permit, on one snapshot.
//!
//! How rows are found is said in `plan`, with how much work in `race`.
//!
//! Pages: a link to the next page carries the place that was reached and the ledger position of the
//! first page, sealed. However much is written meanwhile, the pages together give every match of the
//! first page's time that has not changed since, once, in order; what came later, or changed before
//! its page was fetched, is not among them, and is found by `_lastUpdated`. The total, too, is of the
//! first page's time in that sense.

use access::permit::{Reach, ReadPermit};
use fhir::query::{Condition, Filter, Query, Sort, Summary, Target, Total};
use fhir::search::ParamKind;
use record::entry::Position;
use rusqlite::{Connection, OptionalExtension};

use crate::added;
use crate::condition::Ask;
use crate::error::Error;
use crate::include;
use crate::kinds;
use crate::order::{Cursor, Order, Place};
use crate::plan::Plan;
use crate::race::Wanted;
use crate::schema::Budget;
use crate::store::{STORED, Stored, View, WHOLE, stored};

/// Matches on a page where the query does not say.
pub const DEFAULT_COUNT: u32 = 100;

/// Most matches on a page.
pub const MAX_COUNT: u32 = 1_000;

/// Most resources that a filter within a chain may be looked at for.
const LOOKED_AT: usize = 1_000;

/// A page of a search.
#[derive(Default)]
pub struct Page {
    /// The matches.
    pub matches: Vec<Stored>,
    /// What `_include` and `_revinclude` brought, with its type.
    pub included: Vec<(&'static str, Stored)>,
    /// Whether there was more to include than one page may hold.
    pub cut: bool,
    /// How many match in all, where it was asked for or cheap.
    pub total: Option<u64>,
    /// Where the next page starts, if there is one.
    pub next: Option<String>,
    /// Positions of entries that could not be read and might have matched.
    pub skipped: Vec<Position>,
    /// Whether the reader is to be told that something is withheld.
    pub withheld: bool,
}

/// Whether the view can order by this.
pub fn can_sort(sort: &Sort) -> bool {
    match &sort.by {
        Target::Id | Target::LastUpdated => true,
        Target::Resource => false,
        Target::Parameter(parameter) => parameter.kind != ParamKind::Special,
    }
}

/// A match and where it stands.
struct Hit {
    kind: &'static str,
    place: Place,
}

impl View {
    /// One page. `cursor` is [`Page::next`] of the page before; `now` is for `ap` dates.
    ///
    /// # Errors
    /// [`Error::Cursor`] for a cursor that was not made for such a search, [`Error::TooCostly`],
    /// [`Error::UnknownCodes`], [`Error::Storage`].
    pub fn search(
        &self,
        permit: &ReadPermit,
        query: &Query,
        cursor: Option<&str>,
        now: i64,
    ) -> Result<Page, Error> {
        self.within(|connection, budget| {
            budget.begin(self.most.saturating_mul(WHOLE));
            // One transaction is one snapshot: total, page and includes agree.
            let snapshot = connection.unchecked_transaction()?;
            let page = self.page(&snapshot, budget, permit, query, cursor, now);
            let mut page = page.map_err(Error::of_search)?;
            // What is told beside the page is not part of its work.
            budget.begin(i64::MAX);
            page.skipped = self.skipped_in(&snapshot, permit)?;
            drop(snapshot);
            Ok(page)
        })
        .and_then(|page| Ok(Page { withheld: self.tells_withheld(permit)?, ..page }))
    }

    fn page(
        &self,
        connection: &Connection,
        budget: &Budget,
        permit: &ReadPermit,
        query: &Query,
        cursor: Option<&str>,
        now: i64,
    ) -> Result<Page, Error> {
        let limits = self.limits(connection, permit)?;
        let complete = &added::complete(connection)?;
        let ask = Ask { view: self, connection, budget, limits: &limits, complete, now };
        let bound = bound(query);
        let after = match cursor {
            Some(text) => {
                let bytes = self.seal.open(&bound, text)?;
                Some(Cursor::read(&bytes).ok_or(Error::Cursor)?)
            }
            None => None,
        };
        let by_person = matches!(permit.reach(), Reach::Person(_));
        let wanted = query.summary == Some(Summary::Count)
            || query.total == Some(Total::Accurate)
            || (by_person && query.total != Some(Total::None));
        let count = || if wanted { ask.count(query, after.as_ref()).map(Some) } else { Ok(None) };
        let most = query.count.unwrap_or(DEFAULT_COUNT).min(MAX_COUNT) as usize;
        if most == 0 || query.summary == Some(Summary::Count) {
            return Ok(Page { total: count()?, ..Page::default() });
        }
        let mut hits = ask.hits(query, after.as_ref(), most + 1)?;
        let further = hits.len() > most;
        hits.truncate(most);
        // A page that is the whole answer counts itself.
        let whole = after.is_none() && !further;
        let total = if whole { Some(hits.len() as u64) } else { count()? };
        let next = match hits.last().filter(|_| further) {
            Some(last) => {
                let position = match &after {
                    Some(cursor) => cursor.position,
                    None => reached(connection)?,
                };
                let kind = kinds::number(last.kind);
                let cursor = Cursor { position, kind, place: last.place.clone() };
                Some(self.seal.seal(&bound, &cursor.write())?)
            }
            None => None,
        };
        let matches = fetch(connection, hits.iter().map(|hit| hit.place.rid))?;
        let rids = hits.iter().map(|hit| (hit.kind, hit.place.rid)).collect();
        let brought = include::follow(&ask, query, rids)?;
        let included = fetch(connection, brought.rids.into_iter())?;
        let included = included.into_iter().map(|stored| (stored.kind, stored)).collect();
        Ok(Page { matches, included, cut: brought.cut, total, next, ..Page::default() })
    }
}

impl Ask<'_> {
    /// The first matches of all types searched, in order.
    fn hits(&self, query: &Query, after: Option<&Cursor>, most: usize) -> Result<Vec<Hit>, Error> {
        let mut hits = Vec::new();
        let searched = self.searched(query)?;
        for kind in &searched {
            let Some(filters) = of_kind(&query.filters, kind) else { continue };
            let order = Order::new(self, kind, &query.sort);
            let wanted = Wanted { kind, filters: &filters, order: &order, after, most };
            let plan = Plan::new(*self, &wanted, query.compartment.as_ref())?;
            if plan.is_empty() {
                continue;
            }
            let places = self.race(&plan.ways()?, &wanted)?;
            hits.extend(places.into_iter().map(|place| Hit { kind, place }));
        }
        if let ([_, _, ..], Some(kind)) = (searched.as_slice(), searched.first()) {
            let order = Order::new(self, kind, &query.sort);
            hits.sort_by(|one, other| {
                let by_kind = kinds::number(one.kind).cmp(&kinds::number(other.kind));
                let by_keys = order.compare_keys(&one.place, &other.place);
                by_keys.then(by_kind).then_with(|| order.compare(&one.place, &other.place))
            });
            hits.truncate(most);
        }
        Ok(hits)
    }

    /// How many match.
    fn count(&self, query: &Query, after: Option<&Cursor>) -> Result<u64, Error> {
        let mut total = 0;
        for kind in self.searched(query)? {
            let Some(filters) = of_kind(&query.filters, kind) else { continue };
            let order = Order::new(self, kind, &[]);
            // All of them, but of the time of the first page.
            let first = after.map(|cursor| Cursor {
                position: cursor.position,
                kind: 0,
                place: Place { keys: Vec::new(), rid: i64::MAX },
            });
            let most = usize::MAX;
            let wanted =
                Wanted { kind, filters: &filters, order: &order, after: first.as_ref(), most };
            let plan = Plan::new(*self, &wanted, query.compartment.as_ref())?;
            if plan.is_empty() {
                continue;
            }
            total += if let Some(rows) = plan.tally()? {
                rows
            } else if filters.iter().any(|filter| self.must_look(filter)) {
                self.race(&plan.ways()?, &wanted)?.len() as u64
            } else {
                self.race_number(&plan.counts()?)?
            };
        }
        Ok(total)
    }

    /// The types searched: those asked for, or all that there are.
    fn searched(&self, query: &Query) -> Result<Vec<&'static str>, Error> {
        if query.kinds.is_empty() { self.present() } else { Ok(query.kinds.clone()) }
    }

    /// The types that there are.
    pub fn present(&self) -> Result<Vec<&'static str>, Error> {
        let mut select = self.connection.prepare_cached(
            "WITH RECURSIVE k (kind) AS (SELECT min(kind) FROM resource UNION ALL
             SELECT (SELECT min(kind) FROM resource WHERE kind > k.kind) FROM k
             WHERE k.kind IS NOT NULL) SELECT kind FROM k WHERE kind IS NOT NULL",
        )?;
        let kinds = select.query_map([], |row| row.get(0).map(kinds::name))?;
        Ok(kinds.collect::<Result<_, _>>()?)
    }

    /// Row numbers of all resources of a type for which a filter holds that can only be judged by
    /// looking at them.
    ///
    /// # Errors
    /// [`Error::TooCostly`] where there are too many.
    pub fn looked_at(&self, kind: &str, filter: &Filter) -> Result<Vec<i64>, Error> {
        let kind = kinds::name(kinds::number(kind));
        let order = Order::new(self, kind, &[]);
        let filters = std::slice::from_ref(filter);
        let most = LOOKED_AT + 1;
        let wanted = Wanted { kind, filters, order: &order, after: None, most };
        let plan = Plan::new(*self, &wanted, None)?;
        if plan.is_empty() {
            return Ok(Vec::new());
        }
        let places = self.race(&plan.ways()?, &wanted)?;
        if places.len() > LOOKED_AT {
            return Err(Error::TooCostly);
        }
        Ok(places.into_iter().map(|place| place.rid).collect())
    }
}

/// The filters as they are about one type; nothing where one of them is about other types only.
fn of_kind(filters: &[Filter], kind: &str) -> Option<Vec<Filter>> {
    let about = |filter: &Filter| match filter.any.as_slice() {
        [Condition::OfKind { kind: of, filter: inner }] if !filter.negated => {
            (*of == kind).then(|| (**inner).clone())
        }
        conditions => {
            let elsewhere = |condition: &Condition| matches!(condition, Condition::OfKind { kind: of, .. } if *of != kind);
            let never = !filter.negated && conditions.iter().all(elsewhere);
            (!never).then(|| filter.clone())
        }
    };
    filters.iter().map(about).collect()
}

/// What a cursor belongs to: the types and the order.
fn bound(query: &Query) -> Vec<u8> {
    let mut bound = query.kinds.join(",").into_bytes();
    for sort in &query.sort {
        let by = match &sort.by {
            Target::Parameter(parameter) => parameter.code.clone(),
            other => format!("{other:?}"),
        };
        bound.push(if sort.descending { b'-' } else { b'+' });
        bound.extend(by.into_bytes());
    }
    bound
}

/// The ledger position that the snapshot shows.
fn reached(connection: &Connection) -> Result<Position, Error> {
    let mut select = connection.prepare_cached("SELECT value FROM meta WHERE key = 'position'")?;
    let position: Option<i64> = select.query_row([], |row| row.get(0)).optional()?;
    Ok(position.unwrap_or(0).unsigned_abs())
}

/// The resources with these row numbers, in that order. Contents are read only for what is told.
fn fetch(connection: &Connection, rids: impl Iterator<Item = i64>) -> Result<Vec<Stored>, Error> {
    let mut select = connection.prepare_cached(&format!("{STORED} WHERE r.rid = ?1"))?;
    let mut found = Vec::new();
    for rid in rids {
        found.push(select.query_row([rid], stored)?);
    }
    Ok(found)
}
