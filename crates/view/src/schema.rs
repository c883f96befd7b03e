//! Tables of the view and how its connections are opened.

use std::hash::Hasher;
use std::path::Path;
use std::time::Duration;

use fhir::{definitions, search};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use siphasher::sip::SipHasher13;

use crate::error::Error;

/// Raised when tables or the meaning of their content change.
const VERSION: u8 = 4;

/// What the content of a view depends on besides the ledger: tables and numbers of parameters. A
/// view made with others is thrown away and rebuilt.
fn version() -> i32 {
    let mut hasher = SipHasher13::new();
    hasher.write_u8(VERSION);
    for kind in definitions::resource_kinds() {
        for parameter in search::parameters(kind) {
            hasher.write(parameter.code.as_bytes());
            hasher.write_u16(parameter.index_id);
        }
    }
    let [a, b, c, d, ..] = hasher.finish().to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}

/// `person` is empty where a row is about nobody: a value like others, so that "this person's or
/// nobody's" is two steps into an index and not a walk through a table.
const TABLES: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE resource (
    rid INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    person BLOB NOT NULL,
    category TEXT NOT NULL,
    owner TEXT NOT NULL,
    source TEXT NOT NULL,
    state INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE UNIQUE INDEX resource_id ON resource (kind, id);
CREATE INDEX resource_version ON resource (version);
CREATE INDEX resource_person ON resource (person, kind, category, state);
CREATE TABLE version (
    rid INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (rid, version)
) WITHOUT ROWID;
CREATE INDEX version_position ON version (version);
CREATE TABLE term (
    param INTEGER NOT NULL,
    value INTEGER NOT NULL,
    rid INTEGER NOT NULL,
    system INTEGER NOT NULL,
    PRIMARY KEY (param, value, rid, system)
) WITHOUT ROWID;
CREATE TABLE skipped (
    position INTEGER PRIMARY KEY,
    person BLOB NOT NULL,
    category TEXT NOT NULL,
    owner TEXT NOT NULL,
    source TEXT NOT NULL
);
CREATE TABLE span (
    rid INTEGER NOT NULL,
    param INTEGER NOT NULL,
    low INTEGER NOT NULL,
    high INTEGER NOT NULL,
    PRIMARY KEY (rid, param, low, high)
) WITHOUT ROWID;
CREATE INDEX span_low ON span (param, low, high);
CREATE TABLE word (
    param INTEGER NOT NULL,
    value TEXT NOT NULL,
    exact TEXT NOT NULL,
    rid INTEGER NOT NULL,
    PRIMARY KEY (param, value, exact, rid)
) WITHOUT ROWID;
";

/// Opens the one writing connection, making the tables where they are missing. A view of another
/// version is emptied.
pub fn open_writer(path: &Path) -> Result<Connection, Error> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Never synced: after a power cut the view is rebuilt.
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "cache_size", -65_536)?;
    connection.pragma_update(None, "wal_autocheckpoint", 16_000)?;
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.set_prepared_statement_cache_capacity(64);
    let found: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let wanted = version();
    if found != wanted {
        clear(&connection, wanted)?;
    }
    Ok(connection)
}

/// Drops everything and makes empty tables.
fn clear(connection: &Connection, version: i32) -> Result<(), Error> {
    let mut drop = String::from("BEGIN;");
    let mut tables = connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table'")?;
    for name in tables.query_map([], |row| row.get::<_, String>(0))? {
        drop.push_str(&format!("DROP TABLE IF EXISTS \"{}\";", name?));
    }
    drop.push_str(TABLES);
    drop.push_str(&format!("PRAGMA user_version = {version}; COMMIT;"));
    connection.execute_batch(&drop)?;
    Ok(())
}

/// Opens one reading connection.
pub fn open_reader(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    // A plan serves every value: otherwise a statement is prepared anew for each person asked for.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "cache_size", -8_192)?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}
