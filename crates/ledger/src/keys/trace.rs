//! What is left of a destroyed key in `keys.db` beside its row: earlier pages in the write-ahead file, and
//! copies between the cells of pages, where SQLite moved rows about.
//!
//! Overwriting a row and `secure_delete` do not reach those, so after a key is destroyed the file is
//! written anew (`VACUUM`), and the write-ahead file emptied and cut. Invariant: that this is owed is
//! written in the transaction that destroys, and stays until it is done, through crashes.

use crate::error::Error;
use rusqlite::Connection;

/// Name in the table `meta` of what is owed.
const OWED: &str = "traces";

/// Says in a transaction that something is owed.
pub(super) fn leave(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .execute("INSERT OR IGNORE INTO meta(name, value) VALUES (?1, x'01')", [OWED])
        .map(drop)
}

/// Does what is owed; `false` where a reader holds on to earlier pages.
pub(super) fn clear(connection: &Connection) -> Result<bool, Error> {
    let failed = "clearing keys.db of destroyed keys";
    if super::meta(connection, OWED)?.is_none() {
        return Ok(true);
    }
    connection.execute_batch("VACUUM").map_err(Error::storage(failed))?;
    let is_cut = |connection: &Connection| {
        connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
            .map(|busy| busy == 0)
            .map_err(Error::storage(failed))
    };
    if !is_cut(connection)? {
        return Ok(false);
    }
    connection
        .execute("DELETE FROM meta WHERE name = ?1", [OWED])
        .map_err(Error::storage(failed))?;
    Ok(true)
}
