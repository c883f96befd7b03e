//! Tables of the view and how its connections are opened.

use std::hash::Hasher;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use fhir::{definitions, search};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use siphasher::sip::SipHasher13;

use crate::error::Error;

/// Raised when tables or the meaning of their content change.
const VERSION: u8 = 9;

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

/// Notes on the tables:
///
/// - `resource` is narrow, so that judging a row (type, whose, scope) is cheap; what is sent is in
///   `content`, packed ([`crate::content`]). `person` is empty where a row is about nobody: a value like others, so that "this
///   person's or nobody's" is two steps into an index and not a walk through a table. `scope` stands
///   for category, owner and source together. `self` is the hash that references to it have.
///   `moment` is when it is about; [`NO_MOMENT`] where it does not say, 0 for types that never do.
///   `labels` is the security labels of its `meta`, as bits ([`record::label::Label`]). A removed row
///   keeps both, since its earlier versions are still judged by them.
/// - `term` is in the order of `moment` for each value: the newest of a code is a step and not a
///   sort, and a code in a period is one range.
/// - `link` is the references of a row; `span`, `word` and `measure` are what a row has, the first two
///   with an index beside them to find rows by.
/// - `point` finds rows by number: both ends of every range in `measure`, under its parameter and
///   unit; and of what is measured together with a code, under the type (less than 0) and the code and
///   unit in one ([`crate::term::Terms::measured`]), so that "this code above that" is one range. What
///   stands under a resource's own quantity stands under no parameter of either ([`crate::kinds::own`]).
/// - `shape` says what many rows have in common: type, scope, labels, which parameters they have values
///   under, and, in `trait`, which of the few codes that are in use of their status, category, code and the
///   like ([`crate::kinds::trait_rank`]). With the number of rows of each shape, what no row has
///   together is known without looking at one, what is missing is found as fast as what is there, and
///   rows are counted that nobody walks.
/// - `added` is the numbers of search parameters that sources have added, and how far their index is
///   ([`crate::addition`]).
/// - `decision` is what the municipality has decided, as the ledger has it, in the order of it: few,
///   and read whole when the municipality is opened.
/// - `extent` says how long the rows of a type last, so that a search for what overlaps a day knows
///   how far back it must begin.
const TABLES: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE scope (
    scope INTEGER PRIMARY KEY,
    category TEXT NOT NULL,
    owner TEXT NOT NULL,
    source TEXT NOT NULL,
    UNIQUE (category, owner, source)
);
CREATE TABLE resource (
    rid INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    self INTEGER NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    person BLOB NOT NULL,
    scope INTEGER NOT NULL,
    state INTEGER NOT NULL,
    moment INTEGER NOT NULL,
    shape INTEGER NOT NULL,
    labels INTEGER NOT NULL
);
CREATE INDEX resource_self ON resource (self);
CREATE INDEX resource_person ON resource (person, kind, moment);
CREATE TABLE content (rid INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE version (
    rid INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (rid, version)
) WITHOUT ROWID;
CREATE TABLE skipped (
    position INTEGER PRIMARY KEY,
    person BLOB NOT NULL,
    scope INTEGER NOT NULL
);
CREATE TABLE decision (
    position INTEGER PRIMARY KEY,
    recorded INTEGER NOT NULL,
    person BLOB NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX decision_person ON decision (person);
CREATE TABLE term (
    param INTEGER NOT NULL,
    value INTEGER NOT NULL,
    moment INTEGER NOT NULL,
    rid INTEGER NOT NULL,
    system INTEGER NOT NULL,
    PRIMARY KEY (param, value, moment, rid, system)
) WITHOUT ROWID;
CREATE TABLE link (
    rid INTEGER NOT NULL,
    param INTEGER NOT NULL,
    target INTEGER NOT NULL,
    PRIMARY KEY (rid, param, target)
) WITHOUT ROWID;
CREATE TABLE span (
    rid INTEGER NOT NULL,
    param INTEGER NOT NULL,
    low INTEGER NOT NULL,
    high INTEGER NOT NULL,
    PRIMARY KEY (rid, param, low, high)
) WITHOUT ROWID;
CREATE TABLE word (
    rid INTEGER NOT NULL,
    param INTEGER NOT NULL,
    value TEXT NOT NULL,
    exact TEXT NOT NULL,
    PRIMARY KEY (rid, param, value, exact)
) WITHOUT ROWID;
CREATE TABLE measure (
    rid INTEGER NOT NULL,
    param INTEGER NOT NULL,
    unit INTEGER NOT NULL,
    low REAL NOT NULL,
    high REAL NOT NULL,
    PRIMARY KEY (rid, param, unit, low, high)
) WITHOUT ROWID;
CREATE TABLE point (
    param INTEGER NOT NULL,
    key INTEGER NOT NULL,
    value REAL NOT NULL,
    rid INTEGER NOT NULL,
    PRIMARY KEY (param, key, value, rid)
) WITHOUT ROWID;
CREATE TABLE shape (
    shape INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    scope INTEGER NOT NULL,
    labels INTEGER NOT NULL,
    params TEXT NOT NULL,
    rows INTEGER NOT NULL
);
CREATE INDEX shape_kind ON shape (kind);
CREATE TABLE trait (
    param INTEGER NOT NULL,
    value INTEGER NOT NULL,
    shape INTEGER NOT NULL,
    system INTEGER NOT NULL,
    PRIMARY KEY (param, value, shape, system)
) WITHOUT ROWID;
CREATE TABLE added (
    number INTEGER PRIMARY KEY,
    rid INTEGER NOT NULL,
    state INTEGER NOT NULL,
    walked INTEGER NOT NULL,
    definition BLOB NOT NULL
);
CREATE TABLE extent (
    kind INTEGER NOT NULL,
    class INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    PRIMARY KEY (kind, class)
) WITHOUT ROWID;
";

/// Indexes that only reading needs: a view that is made anew gets them at its end, in one go each.
const INDEXES: &str = "
CREATE INDEX resource_version ON resource (version);
CREATE INDEX resource_moment ON resource (kind, moment);
CREATE INDEX resource_updated ON resource (kind, updated, version);
CREATE INDEX resource_shape ON resource (shape);
CREATE INDEX version_position ON version (version);
CREATE INDEX span_high ON span (param, high, low);
CREATE INDEX word_value ON word (param, value);
";

/// Stands in `moment` where a resource of a dated type does not say when.
pub const NO_MOMENT: i64 = i64::MIN;

/// Most bytes of the file that are mapped into memory instead of copying pages. SQLite is built for no
/// less (`.cargo/config.toml`).
const MAPPED: i64 = 64 << 30;

/// Instructions of SQLite between two looks at a search's budget.
const TICK: i32 = 1_000;

/// How many more instructions the statements of a connection may take: of the attempt at hand, and of
/// all attempts of one search.
#[derive(Clone, Default)]
pub struct Budget {
    now: Arc<AtomicI64>,
    whole: Arc<AtomicI64>,
}

impl Budget {
    /// From now on, so many, unless the whole has fewer left. What runs beyond is interrupted.
    pub fn set(&self, instructions: i64) {
        self.now.store(instructions, Ordering::Relaxed);
    }

    /// From now on, so many in all.
    pub fn begin(&self, instructions: i64) {
        self.whole.store(instructions, Ordering::Relaxed);
    }

    /// Whether all of it is spent.
    pub fn is_spent(&self) -> bool {
        self.whole.load(Ordering::Relaxed) < 0
    }

    /// From now on, any number.
    pub fn lift(&self) {
        self.set(i64::MAX);
    }

    /// Takes so many; `true` where there are none left.
    pub fn spend(&self, instructions: i64) -> bool {
        let left = |of: &AtomicI64| of.fetch_sub(instructions, Ordering::Relaxed) - instructions;
        // Both are counted.
        let (now, whole) = (left(&self.now), left(&self.whole));
        now < 0 || whole < 0
    }
}

/// Whether there is a view of this version in a file.
pub fn is_current(path: &Path) -> Result<bool, Error> {
    if !path.exists() {
        return Ok(false);
    }
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    let found: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(found == version())
}

/// Opens the one writing connection, making the tables where they are missing. A view of another
/// version is emptied.
pub fn open_writer(path: &Path) -> Result<Connection, Error> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 16_000)?;
    set_up_writer(&connection)?;
    let found: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let wanted = version();
    if found != wanted {
        clear(&connection, wanted)?;
    }
    Ok(connection)
}

/// Opens a file in which a view is made anew, with nothing in it but tables. It holds nothing that
/// survives the process before [`complete`].
pub fn open_anew(path: &Path) -> Result<Connection, Error> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.pragma_update(None, "journal_mode", "OFF")?;
    set_up_writer(&connection)?;
    connection.execute_batch(TABLES)?;
    Ok(connection)
}

/// Ends what [`open_anew`] began.
pub fn complete(connection: &Connection) -> Result<(), Error> {
    let version = version();
    connection.execute_batch(&format!("{INDEXES} PRAGMA user_version = {version};"))?;
    Ok(())
}

fn set_up_writer(connection: &Connection) -> Result<(), Error> {
    // A plan serves every value, as for readers.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // Never synced: after a power cut the view is rebuilt.
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "cache_size", -65_536)?;
    connection.pragma_update(None, "mmap_size", MAPPED)?;
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// Drops everything and makes empty tables.
fn clear(connection: &Connection, version: i32) -> Result<(), Error> {
    let mut drop = String::from("BEGIN;");
    let mut tables = connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table'")?;
    for name in tables.query_map([], |row| row.get::<_, String>(0))? {
        drop.push_str(&format!("DROP TABLE IF EXISTS \"{}\";", name?));
    }
    drop.push_str(TABLES);
    drop.push_str(INDEXES);
    drop.push_str(&format!("PRAGMA user_version = {version}; COMMIT;"));
    connection.execute_batch(&drop)?;
    Ok(())
}

/// Opens one reading connection, with its budget.
pub fn open_reader(path: &Path) -> Result<(Connection, Budget), Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    // A plan serves every value: otherwise a statement is prepared anew for each person asked for.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "cache_size", -8_192)?;
    connection.pragma_update(None, "mmap_size", MAPPED)?;
    connection.set_prepared_statement_cache_capacity(256);
    let budget = Budget::default();
    budget.lift();
    budget.begin(i64::MAX);
    let spent = budget.clone();
    connection.progress_handler(TICK, Some(move || spent.spend(i64::from(TICK))))?;
    Ok((connection, budget))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_view_is_mapped_as_a_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("view.db");
        let writer = open_writer(&path).unwrap();
        let (reader, _) = open_reader(&path).unwrap();
        for connection in [&writer, &reader] {
            let mapped: i64 =
                connection.pragma_query_value(None, "mmap_size", |row| row.get(0)).unwrap();
            assert_eq!(mapped, MAPPED);
        }
    }
}
