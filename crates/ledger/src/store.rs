//! SQLite files: opening, settings and schema.

use crate::append::Sealing;
use crate::error::Error;
use crate::key_service::sync_folder;
use rusqlite::{Connection, OpenFlags};
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

/// `PRAGMA application_id` of a `keys.db`: `fkjK`.
pub(crate) const KEYS: i32 = 0x666b_6a4b;
/// `PRAGMA application_id` of a ledger: `fkjL`.
pub(crate) const LEDGER: i32 = 0x666b_6a4c;

/// `entry.bytes` are the canonical bytes; `event` and `person` repeat what the indexes need:
/// `event` is the first 16 bytes of SHA-256(source, NUL, source event id). Bodies lie apart, so that
/// reading entries reads no bodies, and by position, since a random key would spread each batch over
/// the whole tree; `body_hash` in the entry binds them all the same.
pub(crate) const LEDGER_SCHEMA: &str = "
CREATE TABLE entry(position INTEGER PRIMARY KEY, event BLOB, person BLOB, bytes BLOB NOT NULL) STRICT;
CREATE UNIQUE INDEX entry_event ON entry(event) WHERE event IS NOT NULL;
CREATE TABLE body(position INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
CREATE TABLE head(id INTEGER PRIMARY KEY CHECK (id = 1), position INTEGER NOT NULL, hash BLOB NOT NULL, signature BLOB NOT NULL) STRICT;
CREATE TABLE checkpoint(position INTEGER PRIMARY KEY, hash BLOB NOT NULL, signature BLOB NOT NULL) STRICT;
";

/// Version 2 of a ledger: the Merkle tree over the entries, and its signed checkpoints. `level` 1 is of
/// subtrees of 256 entries, each further one of 256 times as many.
pub(crate) const TREE_SCHEMA: &str = "
CREATE TABLE tree(level INTEGER NOT NULL, number INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY(level, number)) WITHOUT ROWID, STRICT;
CREATE TABLE note(size INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
";

/// Version 3 of a ledger: whose content its entries of kind `Erasure` have ended, so that an opening
/// finds what a crash, or an older copy of `keys.db`, left undone.
pub(crate) const ERASURE_SCHEMA: &str = "
CREATE TABLE erasure(position INTEGER PRIMARY KEY, person BLOB NOT NULL) STRICT;
";

/// Version 4 of a ledger: its entries of kind `Resealing`, and what each of the bodies they name is since
/// the last of them: its hash, or nothing where it is erased.
pub(crate) const RESEALING_SCHEMA: &str = "
CREATE TABLE resealing(position INTEGER PRIMARY KEY, person BLOB NOT NULL) STRICT;
CREATE TABLE resealed(position INTEGER PRIMARY KEY, hash BLOB, resealing INTEGER NOT NULL) STRICT;
";

/// Added in an audit ledger, of which is asked who looked at a person. A clinical ledger does without:
/// each batch would touch as many pages of it as there are persons, which costs a third of the speed,
/// and its view answers by person.
pub(crate) const PERSON_INDEX: &str =
    "CREATE INDEX entry_person ON entry(person, position) WHERE person IS NOT NULL;";

/// A lock is waited for so often, since one that has just been let go may still stand for a moment: a program
/// that is being started has every file of its parent until it runs.
const LOCK_ATTEMPTS: u32 = 20;

/// Between two attempts.
const LOCK_PAUSE: std::time::Duration = std::time::Duration::from_millis(20);

/// Takes the file's lock for this process, until the returned file is dropped.
pub(crate) fn lock(path: &Path, name: &str) -> Result<File, Error> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(PathBuf::from(beside))
        .map_err(Error::file("making a lock file"))?;
    for _ in 0..LOCK_ATTEMPTS {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(std::fs::TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(std::fs::TryLockError::Error(error)) => {
                return Err(Error::file("locking a file")(error));
            }
        }
    }
    Err(Error::Locked { name: name.to_owned() })
}

/// Opens a ledger's file for its single writer, as [`open_writable`] does.
pub(crate) fn open_ledger(path: &Path, sealing: Sealing) -> Result<Connection, Error> {
    let first = match sealing {
        Sealing::PerPerson => LEDGER_SCHEMA.to_owned(),
        Sealing::Ledger => format!("{LEDGER_SCHEMA}{PERSON_INDEX}"),
    };
    let versions = [first.as_str(), TREE_SCHEMA, ERASURE_SCHEMA, RESEALING_SCHEMA];
    let connection = open_writable(path, LEDGER, &versions)?;
    // What is replaced or taken out leaves no trace in free pages.
    connection
        .pragma_update(None, "secure_delete", true)
        .map_err(Error::storage("setting up a ledger"))?;
    Ok(connection)
}

/// Opens the file for its single writer, making it where there is none, and bringing an older one up to
/// the last of `versions`: what each adds to the one before. Durable before it returns.
pub(crate) fn open_writable(
    path: &Path,
    application: i32,
    versions: &[&str],
) -> Result<Connection, Error> {
    let is_new = !path.exists();
    let connection = Connection::open(path).map_err(Error::storage("opening a database"))?;
    set_up(&connection, application, versions)?;
    if is_new {
        sync_folder(path)?;
    }
    Ok(connection)
}

/// The write-ahead file is copied into the database when it has reached 64 MB. The writer waits
/// meanwhile, so seldom is better: a page that was written many times is copied once.
fn set_up(connection: &Connection, application: i32, versions: &[&str]) -> Result<(), Error> {
    let failed = "setting up a database";
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA wal_autocheckpoint = 16000;
             PRAGMA journal_size_limit = 67108864;
             PRAGMA cache_size = -16384;
             PRAGMA temp_store = MEMORY;",
        )
        .map_err(Error::storage(failed))?;
    connection.set_prepared_statement_cache_capacity(32);
    let found = (pragma(connection, "application_id")?, pragma(connection, "user_version")?);
    let version = match found {
        (0, 0) => Some(0),
        (kind, version) if kind == application && version > 0 => usize::try_from(version).ok(),
        _ => None,
    };
    let Some(missing) = version.and_then(|version| versions.get(version..)) else {
        return Err(Error::Corrupt {
            position: 0,
            what: "the file is not of this kind or version",
        });
    };
    if missing.is_empty() {
        return Ok(());
    }
    connection
        .execute_batch(&format!(
            "BEGIN IMMEDIATE; {}
             PRAGMA application_id = {application}; PRAGMA user_version = {}; COMMIT;",
            missing.concat(),
            versions.len()
        ))
        .map_err(Error::storage(failed))
}

fn pragma(connection: &Connection, name: &str) -> Result<i32, Error> {
    connection
        .pragma_query_value(None, name, |row| row.get(0))
        .map_err(Error::storage("reading a database's header"))
}

/// Opens the file for a reader, which never holds the writer back. No memory mapping: with it, a
/// failing disk would end the process instead of giving an error.
pub(crate) fn open_readable(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)
        .map_err(Error::storage("opening a database for reading"))?;
    connection
        .execute_batch("PRAGMA cache_size = -4096; PRAGMA busy_timeout = 5000;")
        .map_err(Error::storage("opening a database for reading"))?;
    Ok(connection)
}
