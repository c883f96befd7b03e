//! What is left of somebody who was erased, beside the rows: old pages in the write-ahead file, and bytes
//! between the cells of pages, where SQLite moved rows about.
//!
//! Deleting overwrites what it deletes (`secure_delete`), but a page that was put together anew may keep
//! a copy of a row it gave away. So after an erasure the file is written anew (`VACUUM`), and the
//! write-ahead file emptied and cut. Invariant: that this is owed is written in the transaction that
//! erases, and stays until it is done, through crashes.

use rusqlite::Connection;

use crate::error::Error;

/// What may still be in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traces {
    /// Nothing.
    None,
    /// Copies of rows that were moved about: the file is too large to be written anew meanwhile.
    Moved,
    /// Also pages in the write-ahead file, which a reader holds on to.
    Held,
}

/// Says that something is owed.
pub(crate) fn leave(connection: &Connection) -> Result<(), Error> {
    connection
        .prepare_cached("INSERT OR IGNORE INTO meta (key, value) VALUES ('traces', 1)")?
        .execute([])?;
    Ok(())
}

/// Does what is owed, as far as it can be done now.
pub(crate) fn clear(connection: &Connection, most: u64) -> Result<Traces, Error> {
    let owed = "SELECT EXISTS (SELECT 1 FROM meta WHERE key = 'traces')";
    if !connection.query_row(owed, [], |row| row.get::<_, bool>(0))? {
        return Ok(Traces::None);
    }
    let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
    let size: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let is_small = pages.saturating_mul(size).unsigned_abs() <= most;
    if is_small {
        connection.execute_batch("VACUUM")?;
    }
    let cut = |connection: &Connection| {
        connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
            .map(|busy| busy == 0)
    };
    if !cut(connection)? {
        return Ok(Traces::Held);
    }
    if !is_small {
        return Ok(Traces::Moved);
    }
    connection.execute_batch("DELETE FROM meta WHERE key = 'traces'")?;
    Ok(Traces::None)
}
