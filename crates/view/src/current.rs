//! A resource as the writer finds it in the view.

use rusqlite::Row;

use crate::content::Content;

/// A resource as it is now in the view.
pub(crate) struct Current {
    pub(crate) rid: i64,
    pub(crate) kind: i64,
    pub(crate) version: i64,
    pub(crate) state: i64,
    pub(crate) scope: i64,
    pub(crate) moment: i64,
    pub(crate) labels: i64,
    pub(crate) body: Vec<u8>,
}

/// Columns of [`Current`].
pub(crate) const CURRENT: &str =
    "SELECT r.rid, r.kind, r.version, r.state, r.scope, r.moment, r.labels, c.body
    FROM resource r CROSS JOIN content c ON c.rid = r.rid";

impl Current {
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            rid: row.get(0)?,
            kind: row.get(1)?,
            version: row.get(2)?,
            state: row.get(3)?,
            scope: row.get(4)?,
            moment: row.get(5)?,
            labels: row.get(6)?,
            body: row.get::<_, Content>(7)?.0,
        })
    }
}
