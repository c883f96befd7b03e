//! Exchanging the municipality's key: another key or another service, without touching a body.
//!
//! Invariants: everything in `keys.db` is wrapped anew in one transaction, so that whatever ends the
//! process leaves all of it under the old key or all of it under the new. What was wrapped before is
//! overwritten; what a kill left of it in the files, the next opening clears. Persons' own keys stay
//! as they are: an older copy of `keys.db` with the older municipality's key still opens what it
//! opened.

use super::table::postgres::KeysSchema;
use super::table::sqlite::KeysFile;
use super::table::{Table, change};
use super::wrapping;
use crate::database::Database;
use crate::error::Error;
use crate::key_service::KeyService;
use crate::random::Random;
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
    std::fs::metadata(path).map_err(Error::file("opening keys.db"))?;
    exchange(&mut KeysFile::open(path)?, (from, to), random, now, passed)
}

/// As [`rotate`], of the keys named `name` in `database` ([`super::Keys::open_in`]). Servers that have them open go
/// on reading persons whose keys they have asked for, and refuse to make new ones: start them again with `to`.
///
/// # Errors
/// [`Error::Key`] as [`rotate`]; [`Error::Database`].
pub fn rotate_in(
    (database, name): (&Arc<Database>, &str),
    services: (&dyn KeyService, &dyn KeyService),
    random: &Arc<dyn Random>,
    now: i64,
    passed: &mut dyn FnMut(Step),
) -> Result<Status, Error> {
    let mut table = KeysSchema::of(database.clone(), name)?;
    exchange(&mut table, services, random, now, passed)
}

fn exchange(
    table: &mut dyn Table,
    (from, to): (&dyn KeyService, &dyn KeyService),
    random: &Arc<dyn Random>,
    now: i64,
    passed: &mut dyn FnMut(Step),
) -> Result<Status, Error> {
    change(table, |table| {
        passed(Step::Begun);
        wrapping::exchange(table, from, to, random)?;
        table.put(EXCHANGED, &now.to_be_bytes())?;
        passed(Step::Wrapped);
        Ok(())
    })?;
    passed(Step::Committed);
    if !table.clear()? {
        let what = "exchanged, but a reader holds an earlier copy; exchange again";
        return Err(Error::Key { what });
    }
    passed(Step::Cleared);
    told(table)
}

/// When keys were last exchanged.
const EXCHANGED: &str = "public:exchanged";

/// How the keys in the file `path` stand. Works beside a running server.
///
/// # Errors
/// [`Error::File`], [`Error::Storage`].
pub fn status(path: &Path) -> Result<Status, Error> {
    told(&mut KeysFile::read(path)?)
}

/// How the keys named `name` in `database` stand.
///
/// # Errors
/// [`Error::Database`].
pub fn status_in(database: &Arc<Database>, name: &str) -> Result<Status, Error> {
    told(&mut KeysSchema::of(database.clone(), name)?)
}

/// Whether `service` is what the keys in the file `path` are wrapped by. Works beside a running server.
///
/// # Errors
/// Those of `service`; [`Error::File`], [`Error::Storage`].
pub fn opens(path: &Path, service: &dyn KeyService) -> Result<(), Error> {
    opened(&mut KeysFile::read(path)?, service)
}

/// As [`opens`], for the keys in a database.
///
/// # Errors
/// Those of `service`; [`Error::Database`], [`Error::Unreachable`].
pub fn opens_in(
    database: &Arc<Database>,
    name: &str,
    service: &dyn KeyService,
) -> Result<(), Error> {
    opened(&mut KeysSchema::of(database.clone(), name)?, service)
}

fn opened(table: &mut dyn Table, service: &dyn KeyService) -> Result<(), Error> {
    match wrapping::unwrapped(table, service)? {
        Some(_) => Ok(()),
        None => {
            Err(Error::Key { what: "the keys are of an older version; open them once by this one" })
        }
    }
}

fn told(table: &mut dyn Table) -> Result<Status, Error> {
    let (persons, erased) = table.count()?;
    let exchanged = table.meta(EXCHANGED)?.and_then(|it| it.try_into().ok());
    Ok(Status {
        persons,
        erased,
        has_wrapping: table.meta(wrapping::NAME)?.is_some(),
        exchanged: exchanged.map(i64::from_be_bytes),
    })
}
