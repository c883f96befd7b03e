//! Exchanging the municipality's key: another key or another service, without touching a body.
//!
//! Invariants: everything in `keys.db` is wrapped anew in one transaction, so that whatever ends the
//! process leaves all of it under the old key or all of it under the new. What was wrapped before is
//! overwritten; what a kill left of it in the files, the next opening clears. Persons' own keys stay
//! as they are: an older copy of `keys.db` with the older municipality's key still opens what it
//! opened.

use super::{begin, empty_write_ahead, wrapping};
use crate::error::Error;
use crate::key_service::KeyService;
use crate::random::Random;
use crate::store;
use rusqlite::{Connection, params};
use std::path::Path;
use std::sync::Arc;

/// Where in an exchange the process may end, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The transaction has begun.
    Begun,
    /// Everything is wrapped anew in the transaction.
    Wrapped,
    /// The transaction is on disk.
    Committed,
    /// No earlier copy is left in the files.
    Cleared,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Step; 4] = [Step::Begun, Step::Wrapped, Step::Committed, Step::Cleared];
}

/// How the keys of a municipality stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Persons with a key.
    pub persons: u64,
    /// Persons whose key was destroyed.
    pub erased: u64,
    /// Whether there is one key under which everything is wrapped; not in a file that no version with
    /// one has opened yet.
    pub has_wrapping: bool,
    /// When keys were last exchanged, in milliseconds since 1970; never where they were not.
    pub exchanged: Option<i64>,
}

/// Wraps everything in the file `path` anew, by `to` instead of `from`, at the time `now` (milliseconds
/// since 1970). Nobody else may have the file open. Doing it again is harmless, and finishes what a
/// crash interrupted. `passed` is told each step.
///
/// # Errors
/// [`Error::Locked`]; [`Error::Key`] when `from` is not what wraps, `to` cannot be used, or a reader keeps an
/// earlier copy; [`Error::Storage`].
pub fn rotate(
    path: &Path,
    (from, to): (&dyn KeyService, &dyn KeyService),
    random: &Arc<dyn Random>,
    now: i64,
    passed: &mut dyn FnMut(Step),
) -> Result<Status, Error> {
    let failed = "exchanging the municipality's key";
    let _lock = store::lock(path, "keys")?;
    std::fs::metadata(path).map_err(Error::file("opening keys.db"))?;
    let mut connection = super::connect(path)?;
    let tx = begin(&mut connection, failed)?;
    passed(Step::Begun);
    wrapping::exchange(&tx, from, to, random)?;
    tx.execute(
        "INSERT INTO meta(name, value) VALUES (?1, ?2)
         ON CONFLICT(name) DO UPDATE SET value = excluded.value",
        params![EXCHANGED, now.to_be_bytes()],
    )
    .map_err(Error::storage(failed))?;
    passed(Step::Wrapped);
    tx.commit().map_err(Error::storage(failed))?;
    passed(Step::Committed);
    if !empty_write_ahead(&connection)? {
        let what = "exchanged, but a reader holds an earlier copy; exchange again";
        return Err(Error::Key { what });
    }
    passed(Step::Cleared);
    told(&connection)
}

/// When keys were last exchanged.
const EXCHANGED: &str = "public:exchanged";

/// How the keys in the file `path` stand. Works beside a running server.
///
/// # Errors
/// [`Error::File`], [`Error::Storage`].
pub fn status(path: &Path) -> Result<Status, Error> {
    std::fs::metadata(path).map_err(Error::file("opening keys.db"))?;
    told(&store::open_readable(path)?)
}

/// Whether `service` is what the keys in the file `path` are wrapped by. Works beside a running server.
///
/// # Errors
/// Those of `service`; [`Error::File`], [`Error::Storage`].
pub fn opens(path: &Path, service: &dyn KeyService) -> Result<(), Error> {
    std::fs::metadata(path).map_err(Error::file("opening keys.db"))?;
    let connection = store::open_readable(path)?;
    match wrapping::unwrapped(&connection, service)? {
        Some(_) => Ok(()),
        None => {
            Err(Error::Key { what: "keys.db is of an older version; open it once by this one" })
        }
    }
}

fn told(connection: &Connection) -> Result<Status, Error> {
    let failed = "counting keys";
    let (persons, erased) = connection
        .query_row("SELECT count(wrapped), count(*) - count(wrapped) FROM person", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .map_err(Error::storage(failed))?;
    let exchanged = super::meta(connection, EXCHANGED)?.and_then(|it| it.try_into().ok());
    Ok(Status {
        persons,
        erased,
        has_wrapping: super::meta(connection, "wrapping")?.is_some(),
        exchanged: exchanged.map(i64::from_be_bytes),
    })
}
