//! `keys.db`: the tables in a SQLite file of one process.
//!
//! Invariant: what is overwritten leaves no trace in the file (`secure_delete`), nor, once [`Table::clear`] says so,
//! in the write-ahead file.

use super::{Endings, Kept, Table, Turned, Wrapped};
use crate::error::Error;
use crate::keys::NumberHash;
use crate::store;
use record::identity::PersonId;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

const FIRST: &str = "
CREATE TABLE person(id BLOB PRIMARY KEY, wrapped BLOB) WITHOUT ROWID, STRICT;
CREATE TABLE number(hash BLOB PRIMARY KEY, person BLOB NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID, STRICT;
";

/// Version 2: persons whose key is not their first, the entry that brought it, and the key of their digests.
const TURNED: &str = "
CREATE TABLE turned(person BLOB PRIMARY KEY, position INTEGER NOT NULL, digest BLOB NOT NULL) WITHOUT ROWID, STRICT;
";

/// Version 3: the same tables, in which everything is wrapped under one key. Not to be opened by a
/// program that knows only those before.
const UNDER_ONE_KEY: &str = "";

/// An open `keys.db`.
pub(in crate::keys) struct KeysFile {
    connection: Connection,
    /// Held by whoever may write.
    _lock: Option<File>,
}

impl KeysFile {
    /// Opens the file for its one process, or makes it.
    pub(in crate::keys) fn open(path: &Path) -> Result<Self, Error> {
        let lock = store::lock(path, "keys")?;
        let connection = store::open_writable(path, store::KEYS, &[FIRST, TURNED, UNDER_ONE_KEY])?;
        connection
            .pragma_update(None, "secure_delete", true)
            .map_err(Error::storage("setting up keys.db"))?;
        Ok(Self { connection, _lock: Some(lock) })
    }

    /// Opens the file that is there to read it, beside whoever has it open.
    pub(in crate::keys) fn read(path: &Path) -> Result<Self, Error> {
        std::fs::metadata(path).map_err(Error::file("opening keys.db"))?;
        Ok(Self { connection: store::open_readable(path)?, _lock: None })
    }

    fn run(&self, sql: &str, failed: &'static str) -> Result<(), Error> {
        self.connection.execute_batch(sql).map_err(Error::storage(failed))
    }

    fn execute(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        failed: &'static str,
    ) -> Result<(), Error> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(params))
            .map(drop)
            .map_err(Error::storage(failed))
    }

    fn one<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        failed: &'static str,
        of: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, Error> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut select| select.query_row(params, of).optional())
            .map_err(Error::storage(failed))
    }

    fn all<T, C: FromIterator<T>>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        failed: &'static str,
        of: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<C, Error> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut select| select.query_map(params, of)?.collect())
            .map_err(Error::storage(failed))
    }
}

impl Table for KeysFile {
    fn is_shared(&self) -> bool {
        false
    }

    fn begin(&mut self) -> Result<(), Error> {
        self.run("BEGIN IMMEDIATE", "beginning a change of keys.db")
    }

    fn commit(&mut self) -> Result<(), Error> {
        self.run("COMMIT", "keeping a change of keys.db").inspect_err(|_| self.abandon())
    }

    fn abandon(&mut self) {
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::warn!(%error, "a change of keys.db could not be undone");
        }
    }

    fn numbers(&mut self, hashes: &[NumberHash]) -> Result<HashMap<NumberHash, PersonId>, Error> {
        let select = "SELECT person FROM number WHERE hash = ?1";
        let mut found = HashMap::new();
        for hash in hashes {
            let person = self.one(select, [hash], "finding a person", |row| row.get(0))?;
            found.extend(person.map(|person| (*hash, PersonId(person))));
        }
        Ok(found)
    }

    fn add_numbers(&mut self, numbers: &[(NumberHash, PersonId)]) -> Result<(), Error> {
        let insert = "INSERT INTO number(hash, person) VALUES (?1, ?2)";
        numbers.iter().try_for_each(|(hash, person)| {
            self.execute(insert, params![hash, person.0], "keeping a person's number")
        })
    }

    fn person(&mut self, person: PersonId) -> Result<Option<Kept>, Error> {
        let select = "SELECT p.wrapped, t.position, t.digest FROM person p
             LEFT JOIN turned t ON t.person = p.id WHERE p.id = ?1";
        self.one(select, [person.0], "reading a person's key", |row| {
            let turned = match row.get(1)? {
                Some(position) => Some(Turned { position, digest: row.get(2)? }),
                None => None,
            };
            Ok(Kept { wrapped: row.get(0)?, turned })
        })
    }

    fn add_persons(&mut self, persons: &[(PersonId, Vec<u8>)]) -> Result<(), Error> {
        let insert = "INSERT INTO person(id, wrapped) VALUES (?1, ?2)";
        persons.iter().try_for_each(|(person, wrapped)| {
            self.execute(insert, params![person.0, wrapped], "creating a person in keys.db")
        })
    }

    fn destroy(&mut self, person: PersonId) -> Result<(), Error> {
        for update in [
            "UPDATE person SET wrapped = zeroblob(length(wrapped)) WHERE id = ?1 AND wrapped IS NOT NULL",
            "UPDATE person SET wrapped = NULL WHERE id = ?1",
            "DELETE FROM turned WHERE person = ?1",
        ] {
            self.execute(update, [person.0], "erasing a person's key")?;
        }
        Ok(())
    }

    fn turn(&mut self, person: PersonId, wrapped: &[u8], turned: &Turned) -> Result<(), Error> {
        let failed = "putting a person's next key in force";
        let overwrite = "UPDATE person SET wrapped = zeroblob(length(wrapped)) WHERE id = ?1";
        self.execute(overwrite, [person.0], failed)?;
        let update = "UPDATE person SET wrapped = ?2 WHERE id = ?1";
        self.execute(update, params![person.0, wrapped], failed)?;
        let insert = "INSERT OR REPLACE INTO turned(person, position, digest) VALUES (?1, ?2, ?3)";
        self.execute(insert, params![person.0, turned.position, turned.digest], failed)
    }

    fn ended(&mut self) -> Result<Endings, Error> {
        let failed = "reading whose keys were destroyed";
        let select = "SELECT id FROM person WHERE wrapped IS NULL";
        let erased = self.all(select, [], failed, |row| row.get(0).map(PersonId))?;
        let select = "SELECT person, position FROM turned";
        let turned =
            self.all(select, [], failed, |row| Ok((row.get(0).map(PersonId)?, row.get(1)?)))?;
        Ok((erased, turned))
    }

    fn count(&mut self) -> Result<(u64, u64), Error> {
        let select = "SELECT count(wrapped), count(*) - count(wrapped) FROM person";
        let counted =
            self.one(select, [], "counting keys", |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(counted.unwrap_or_default())
    }

    fn meta(&mut self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let select = "SELECT value FROM meta WHERE name = ?1";
        self.one(select, [name], "reading keys.db", |row| row.get(0))
    }

    fn put(&mut self, name: &str, value: &[u8]) -> Result<(), Error> {
        let insert = "INSERT INTO meta(name, value) VALUES (?1, ?2)
             ON CONFLICT(name) DO UPDATE SET value = excluded.value WHERE value <> excluded.value";
        self.execute(insert, params![name, value], "keeping a key in keys.db")
    }

    fn metas(&mut self) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let select = "SELECT name, value FROM meta";
        self.all(select, [], "reading keys.db", |row| Ok((row.get(0)?, row.get(1)?)))
    }

    fn wrapped(&mut self, after: &[u8], limit: usize) -> Result<Vec<Wrapped>, Error> {
        let select = "SELECT id, wrapped FROM person WHERE id > ?1 AND wrapped IS NOT NULL
             ORDER BY id LIMIT ?2";
        let failed = "reading persons' keys";
        self.all(select, params![after, limit], failed, |row| Ok((row.get(0)?, row.get(1)?)))
    }

    fn wrap_anew(&mut self, keys: &[Wrapped]) -> Result<(), Error> {
        let update = "UPDATE person SET wrapped = ?2 WHERE id = ?1";
        keys.iter().try_for_each(|(person, wrapped)| {
            self.execute(update, params![person, wrapped], "wrapping persons' keys anew")
        })
    }

    /// Copies the write-ahead file into the database and empties it, unless a reader keeps it.
    fn clear(&mut self) -> Result<bool, Error> {
        self.connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
            .map(|busy| busy == 0)
            .map_err(Error::storage("emptying the write-ahead file of keys.db"))
    }
}
