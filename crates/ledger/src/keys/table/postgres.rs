//! The tables of a municipality's keys in a schema of a PostgreSQL database, which several servers may change.
//!
//! Invariant: whoever begins a change holds the schema's lock until it ends, and each statement within sees what
//! was there when the lock was had.

use super::{Endings, Kept, Table, Turned, Wrapped};
use crate::database::session::{Session, get};
use crate::database::{Access, Database, schema};
use crate::error::Error;
use crate::keys::NumberHash;
use record::entry::Position;
use record::identity::PersonId;
use std::collections::HashMap;
use std::sync::Arc;
use tokio_postgres::Row;

/// The same tables as in a file.
const TABLES: &str = "
CREATE TABLE person(id bytea PRIMARY KEY, wrapped bytea);
CREATE TABLE number(hash bytea PRIMARY KEY, person bytea NOT NULL);
CREATE TABLE meta(name text PRIMARY KEY, value bytea NOT NULL);
CREATE TABLE turned(person bytea PRIMARY KEY, position bigint NOT NULL, digest bytea NOT NULL);
";

/// The schema of a municipality's keys.
pub(in crate::keys) struct KeysSchema {
    database: Arc<Database>,
    name: String,
    session: Option<Session>,
    /// Whether a change was begun on the session.
    begun: bool,
}

impl KeysSchema {
    /// The schema for the keys of this name, made or brought up to the newest version.
    pub(in crate::keys) fn open(database: Arc<Database>, keys: &str) -> Result<Self, Error> {
        let name = database.schema(keys)?;
        let session = Some(schema::set_up(&database, &name, &[TABLES])?);
        Ok(Self { database, name, session, begun: false })
    }

    /// The schema that is there.
    pub(in crate::keys) fn of(database: Arc<Database>, keys: &str) -> Result<Self, Error> {
        let name = database.schema(keys)?;
        Ok(Self { database, name, session: None, begun: false })
    }

    /// Asks, and where the way to the server broke, once more by another. Within a change that would be
    /// outside of it.
    fn ask<T>(&mut self, ask: impl Fn(&Session) -> Result<T, Error>) -> Result<T, Error> {
        let answer = self.session(Access::Read).and_then(&ask);
        match answer {
            Err(error) if error.is_away() && !self.begun => {
                self.session = None;
                self.session(Access::Read).and_then(&ask)
            }
            answer => answer,
        }
    }

    fn session(&mut self, access: Access) -> Result<&Session, Error> {
        let fits = |it: &Session| it.is_open() && (access == Access::Read || it.can_write());
        let session = match self.session.take() {
            Some(session) if self.begun || fits(&session) => session,
            _ => self.database.session(&self.name, access)?,
        };
        Ok(self.session.insert(session))
    }

    fn try_to_begin(&mut self) -> Result<(), Error> {
        let begin = format!("BEGIN; {}", schema::alone(&self.name));
        let session = self.session(Access::Write)?;
        session.run(&begin, "beginning a change of the keys")
    }
}

fn person(row: &Row, column: usize, failed: &'static str) -> Result<PersonId, Error> {
    let what = "a person's id is not as long as it is to be";
    let id = get::<&[u8]>(row, column, failed)?.try_into();
    id.map(PersonId).map_err(|_| Error::Corrupt { position: 0, what })
}

fn position(row: &Row, column: usize, failed: &'static str) -> Result<Position, Error> {
    let what = "a position is below zero";
    let found: i64 = get(row, column, failed)?;
    u64::try_from(found).map_err(|_| Error::Corrupt { position: 0, what })
}

impl Table for KeysSchema {
    fn is_shared(&self) -> bool {
        true
    }

    fn begin(&mut self) -> Result<(), Error> {
        let mut begun = self.try_to_begin();
        if begun.as_ref().is_err_and(Error::is_away) {
            self.session = None;
            begun = self.try_to_begin();
        }
        match begun {
            Ok(()) => self.begun = true,
            // Whatever was begun ends with the connection.
            Err(_) => self.session = None,
        }
        begun
    }

    fn commit(&mut self) -> Result<(), Error> {
        let failed = "keeping a change of the keys";
        let committed = self.ask(|session| {
            let warnings = session.warnings();
            session.run("COMMIT", failed)?;
            match session.warnings() == warnings {
                true => Ok(()),
                // A commit on one server alone is none.
                false => Err(Error::Unreachable { what: failed }),
            }
        });
        self.begun = false;
        committed.inspect_err(|_| self.session = None)
    }

    fn abandon(&mut self) {
        let undone = self.ask(|session| session.run("ROLLBACK", "undoing a change of the keys"));
        self.begun = false;
        if undone.is_err() {
            self.session = None;
        }
    }

    fn numbers(&mut self, hashes: &[NumberHash]) -> Result<HashMap<NumberHash, PersonId>, Error> {
        let failed = "finding persons";
        let hashes: Vec<&[u8]> = hashes.iter().map(|hash| &hash[..]).collect();
        let select = "SELECT hash, person FROM number WHERE hash = ANY($1)";
        let found = |row: &Row| {
            let what = "the hash of a number is not as long as it is to be";
            let hash = get::<&[u8]>(row, 0, failed)?.try_into();
            let hash = hash.map_err(|_| Error::Corrupt { position: 0, what })?;
            Ok((hash, person(row, 1, failed)?))
        };
        self.ask(|session| session.select(select, &[&hashes], failed)?.iter().map(found).collect())
    }

    fn add_numbers(&mut self, numbers: &[(NumberHash, PersonId)]) -> Result<(), Error> {
        let insert =
            "INSERT INTO number(hash, person) SELECT * FROM unnest($1::bytea[], $2::bytea[])";
        let (hashes, persons): (Vec<&[u8]>, Vec<&[u8]>) =
            numbers.iter().map(|(hash, person)| (&hash[..], &person.0[..])).unzip();
        let failed = "keeping persons' numbers";
        self.ask(|session| session.select(insert, &[&hashes, &persons], failed).map(drop))
    }

    fn person(&mut self, person: PersonId) -> Result<Option<Kept>, Error> {
        let failed = "reading a person's key";
        let select = "SELECT p.wrapped, t.position, t.digest FROM person p
             LEFT JOIN turned t ON t.person = p.id WHERE p.id = $1";
        let kept = |row: &Row| {
            let turned = match get::<Option<i64>>(row, 1, failed)? {
                None => None,
                Some(_) => Some(Turned {
                    position: position(row, 1, failed)?,
                    digest: get(row, 2, failed)?,
                }),
            };
            Ok(Kept { wrapped: get(row, 0, failed)?, turned })
        };
        let id = &person.0[..];
        self.ask(|session| session.select(select, &[&id], failed)?.first().map(kept).transpose())
    }

    fn add_persons(&mut self, persons: &[(PersonId, Vec<u8>)]) -> Result<(), Error> {
        let insert =
            "INSERT INTO person(id, wrapped) SELECT * FROM unnest($1::bytea[], $2::bytea[])";
        let (ids, keys): (Vec<&[u8]>, Vec<&[u8]>) =
            persons.iter().map(|(person, wrapped)| (&person.0[..], wrapped.as_slice())).unzip();
        let failed = "creating persons";
        self.ask(|session| session.select(insert, &[&ids, &keys], failed).map(drop))
    }

    fn destroy(&mut self, person: PersonId) -> Result<(), Error> {
        let failed = "erasing a person's key";
        let id = &person.0[..];
        self.ask(|session| {
            let update = "UPDATE person SET wrapped = NULL WHERE id = $1";
            session.select(update, &[&id], failed)?;
            session.select("DELETE FROM turned WHERE person = $1", &[&id], failed).map(drop)
        })
    }

    fn turn(&mut self, person: PersonId, wrapped: &[u8], turned: &Turned) -> Result<(), Error> {
        let failed = "putting a person's next key in force";
        let id = &person.0[..];
        let position = i64::try_from(turned.position).unwrap_or(i64::MAX);
        let insert = "INSERT INTO turned(person, position, digest) VALUES ($1, $2, $3)
             ON CONFLICT (person) DO UPDATE SET position = excluded.position, digest = excluded.digest";
        self.ask(|session| {
            let update = "UPDATE person SET wrapped = $2 WHERE id = $1";
            session.select(update, &[&id, &wrapped], failed)?;
            session.select(insert, &[&id, &position, &turned.digest], failed).map(drop)
        })
    }

    fn ended(&mut self) -> Result<Endings, Error> {
        let failed = "reading whose keys were destroyed";
        self.ask(|session| {
            let rows =
                session.select("SELECT id FROM person WHERE wrapped IS NULL", &[], failed)?;
            let erased = rows.iter().map(|row| person(row, 0, failed)).collect::<Result<_, _>>()?;
            let rows = session.select("SELECT person, position FROM turned", &[], failed)?;
            let turned = |row: &Row| Ok((person(row, 0, failed)?, position(row, 1, failed)?));
            Ok((erased, rows.iter().map(turned).collect::<Result<_, Error>>()?))
        })
    }

    fn count(&mut self) -> Result<(u64, u64), Error> {
        let failed = "counting keys";
        let select = "SELECT count(wrapped), count(*) - count(wrapped) FROM person";
        self.ask(|session| match session.select(select, &[], failed)?.first() {
            Some(row) => Ok((position(row, 0, failed)?, position(row, 1, failed)?)),
            None => Ok((0, 0)),
        })
    }

    fn meta(&mut self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let failed = "reading what is kept with the keys";
        let select = "SELECT value FROM meta WHERE name = $1";
        self.ask(|session| {
            session
                .select(select, &[&name], failed)?
                .first()
                .map(|row| get(row, 0, failed))
                .transpose()
        })
    }

    fn put(&mut self, name: &str, value: &[u8]) -> Result<(), Error> {
        let insert = "INSERT INTO meta(name, value) VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE meta.value <> excluded.value";
        let failed = "keeping a ledger's key";
        self.ask(|session| session.select(insert, &[&name, &value], failed).map(drop))
    }

    fn metas(&mut self) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let failed = "reading what is kept with the keys";
        let value = |row: &Row| Ok((get(row, 0, failed)?, get(row, 1, failed)?));
        self.ask(|session| {
            session.select("SELECT name, value FROM meta", &[], failed)?.iter().map(value).collect()
        })
    }

    fn wrapped(&mut self, after: &[u8], limit: usize) -> Result<Vec<Wrapped>, Error> {
        let failed = "reading persons' keys";
        let select = "SELECT id, wrapped FROM person WHERE id > $1 AND wrapped IS NOT NULL
             ORDER BY id LIMIT $2";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let key = |row: &Row| Ok((get(row, 0, failed)?, get(row, 1, failed)?));
        self.ask(|session| {
            session.select(select, &[&after, &limit], failed)?.iter().map(key).collect()
        })
    }

    fn wrap_anew(&mut self, keys: &[Wrapped]) -> Result<(), Error> {
        let update = "UPDATE person SET wrapped = n.wrapped
             FROM unnest($1::bytea[], $2::bytea[]) AS n(id, wrapped) WHERE person.id = n.id";
        let (ids, keys): (Vec<&[u8]>, Vec<&[u8]>) =
            keys.iter().map(|(id, wrapped)| (id.as_slice(), wrapped.as_slice())).unzip();
        let failed = "wrapping persons' keys anew";
        self.ask(|session| session.select(update, &[&ids, &keys], failed).map(drop))
    }

    /// Dead rows are cleaned away, as far as no older transaction may still see them. The pages they lay on, and
    /// the server's log, hold their bytes until they are written over.
    fn clear(&mut self) -> Result<bool, Error> {
        let vacuum = |table: &str| format!("VACUUM (SKIP_LOCKED) {table}");
        let failed = "cleaning overwritten keys away";
        let cleaned = ["person", "turned", "meta"]
            .into_iter()
            .try_for_each(|table| self.ask(|session| session.run(&vacuum(table), failed)));
        if let Err(error) = cleaned {
            tracing::warn!(%error, "overwritten keys are cleaned away later");
        }
        Ok(true)
    }
}
