//! Search: a [`Query`] under a permit, on one snapshot.
//!
//! When the permit names a person, that person's few resources are walked and each condition is a
//! lookup. Otherwise the most selective condition drives and the others are lookups. Pages follow
//! the sort keys and the row number of the last match, so they neither skip nor repeat while
//! resources are added.

use access::permit::{Reach, ReadPermit};
use fhir::query::{Query, Sort, Summary, Target, Total};
use fhir::search::ParamKind;
use record::entry::Position;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, Row, params_from_iter};

use crate::condition::{Conditions, strongest};
use crate::error::Error;
use crate::include;
use crate::project::state;
use crate::sql::Builder;
use crate::store::{COLUMNS, Stored, View, stored};

/// Matches on a page where the query does not say.
pub const DEFAULT_COUNT: u32 = 100;

/// Most matches on a page.
pub const MAX_COUNT: u32 = 1_000;

/// A page of a search.
#[derive(Default)]
pub struct Page {
    /// The matches.
    pub matches: Vec<Stored>,
    /// What `_include` and `_revinclude` brought, with its type.
    pub included: Vec<(&'static str, Stored)>,
    /// How many match in all, where it was asked for or cheap.
    pub total: Option<u64>,
    /// Where the next page starts, if there is one.
    pub next: Option<String>,
    /// Positions of entries that could not be read and might have matched.
    pub skipped: Vec<Position>,
}

/// Whether the view can order by this.
pub fn can_sort(sort: &Sort) -> bool {
    match sort.by {
        Target::LastUpdated => true,
        Target::Parameter(parameter) => parameter.kind == ParamKind::Date,
        Target::Id => false,
    }
}

impl View {
    /// One page. `cursor` is [`Page::next`] of the page before; `now` is for `ap` dates.
    pub fn search(
        &self,
        permit: &ReadPermit,
        query: &Query,
        cursor: Option<&str>,
        now: i64,
    ) -> Result<Page, Error> {
        self.with(|connection| {
            // One transaction is one snapshot: total, page and includes agree.
            let snapshot = connection.unchecked_transaction()?;
            let mut page = self.page(&snapshot, permit, query, cursor, now)?;
            page.skipped = self.skipped_in(&snapshot, permit)?;
            drop(snapshot);
            Ok(page)
        })
    }

    fn page(
        &self,
        connection: &Connection,
        permit: &ReadPermit,
        query: &Query,
        cursor: Option<&str>,
        now: i64,
    ) -> Result<Page, Error> {
        let mut sql = self.permitted(connection, permit, query.kind)?;
        sql.and("r.state <> ?", [Sql::from(state::REMOVED)]);
        let by_person = matches!(permit.reach(), Reach::Person(_));
        let driver = if by_person { None } else { strongest(&query.filters) };
        let conditions = Conditions { terms: &self.terms, connection, now };
        for (i, filter) in query.filters.iter().enumerate() {
            conditions.add(&mut sql, filter, driver == Some(i))?;
        }
        let wanted = query.summary == Some(Summary::Count)
            || query.total == Some(Total::Accurate)
            || (by_person && query.total != Some(Total::None));
        let total = || if wanted { count(connection, &sql).map(Some) } else { Ok(None) };
        let most = query.count.unwrap_or(DEFAULT_COUNT).min(MAX_COUNT);
        if most == 0 || query.summary == Some(Summary::Count) {
            return Ok(Page { total: total()?, ..Page::default() });
        }
        let order = Order::new(&query.sort);
        let mut rest = sql.clone();
        if let Some(cursor) = cursor {
            order.after(&mut rest, cursor)?;
        }
        let (matches, next) = order.fetch(connection, &rest, most)?;
        // A page that is the whole answer counts itself.
        let whole = cursor.is_none() && next.is_none();
        let total = if whole { Some(matches.len() as u64) } else { total()? };
        let included = include::follow(self, connection, permit, query, &matches)?;
        Ok(Page { matches, included, total, next, skipped: Vec::new() })
    }
}

fn count(connection: &Connection, sql: &Builder) -> Result<u64, Error> {
    let text = format!("SELECT COUNT(*) FROM resource r WHERE {}", sql.text());
    let count: i64 = connection
        .prepare_cached(&text)?
        .query_row(params_from_iter(sql.values()), |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// The order of a search as SQL expressions over `resource r`, all of them integers.
struct Order {
    keys: Vec<Key>,
}

struct Key {
    expression: String,
    descending: bool,
}

impl Order {
    fn new(sort: &[Sort]) -> Self {
        let keys = sort.iter().filter(|sort| can_sort(sort)).map(|sort| {
            let expression = match sort.by {
                Target::Parameter(parameter) => {
                    let (value, missing) = if sort.descending {
                        ("max(s.high)", i64::MIN + 1)
                    } else {
                        ("min(s.low)", i64::MAX)
                    };
                    format!(
                        "coalesce((SELECT {value} FROM span s WHERE s.rid = r.rid \
                         AND s.param = {}), {missing})",
                        parameter.index_id
                    )
                }
                Target::LastUpdated | Target::Id => "r.version".to_owned(),
            };
            Key { expression, descending: sort.descending }
        });
        Self { keys: keys.collect() }
    }

    fn fetch(
        &self,
        connection: &Connection,
        sql: &Builder,
        count: u32,
    ) -> Result<(Vec<Stored>, Option<String>), Error> {
        let mut columns = String::new();
        let mut order = String::new();
        for (i, key) in self.keys.iter().enumerate() {
            columns.push_str(&format!(", {} AS k{i}", key.expression));
            order.push_str(&format!("k{i} {}, ", if key.descending { "DESC" } else { "ASC" }));
        }
        let text = format!(
            "SELECT r.rid{columns} FROM resource r WHERE {} ORDER BY {order}r.rid LIMIT {}",
            sql.text(),
            i64::from(count) + 1
        );
        let mut select = connection.prepare_cached(&text)?;
        let mut rows = select.query(params_from_iter(sql.values()))?;
        // Only what is on the page is fetched: contents would weigh down the sorting.
        let mut fetch = connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM resource r WHERE r.rid = ?1"))?;
        let (mut matches, mut last) = (Vec::new(), None);
        while let Some(row) = rows.next()? {
            if matches.len() == count as usize {
                return Ok((matches, last));
            }
            matches.push(fetch.query_row([row.get::<_, i64>(0)?], stored)?);
            last = Some(self.cursor(row)?);
        }
        Ok((matches, None))
    }

    /// The place of a row: its keys and number.
    fn cursor(&self, row: &Row<'_>) -> Result<String, Error> {
        let mut parts = Vec::with_capacity(self.keys.len() + 1);
        for column in 0..=self.keys.len() {
            parts.push(row.get::<_, i64>(column)?.to_string());
        }
        Ok(parts.join("_"))
    }

    /// Only what comes after the place in `cursor`.
    fn after(&self, sql: &mut Builder, cursor: &str) -> Result<(), Error> {
        let numbers: Vec<i64> = cursor
            .split('_')
            .map(|part| part.parse().map_err(|_| Error::Cursor))
            .collect::<Result<_, _>>()?;
        let (rid, keys) = numbers.split_first().ok_or(Error::Cursor)?;
        if keys.len() != self.keys.len() {
            return Err(Error::Cursor);
        }
        let mut text = "r.rid > ?".to_owned();
        let mut values = vec![Sql::from(*rid)];
        for (key, at) in self.keys.iter().zip(keys).rev() {
            let beyond = if key.descending { "<" } else { ">" };
            let expression = &key.expression;
            text = format!("({expression} {beyond} ? OR ({expression} = ? AND {text}))");
            values.splice(0..0, [Sql::from(*at), Sql::from(*at)]);
        }
        sql.and(&text, values);
        Ok(())
    }
}
