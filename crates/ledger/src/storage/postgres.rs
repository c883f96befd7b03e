//! A ledger in a schema of a PostgreSQL database, which several servers may write to at once.
//!
//! Invariants: whoever begins a batch holds the head's row until it ends, so that batches of several servers come
//! one after the other, each chained to the one before. A batch is sent as a whole, its commit with it, and
//! takes one round trip; beginning it and looking for its events take one each.

use super::{
    Ended, EventKey, Kept, Reading, Rows, Stop, Storage, Store, Stored, Write, readable, sql,
    sql_limit,
};
use crate::append::Sealing;
use crate::chain::Head;
use crate::database::{Database, Session, wait};
use crate::error::Error;
use crate::faults::{Faults, Point};
use crate::merkle::Hash;
use crate::verify::{Report, Trust, verify_state};
use batch::Columns;
use futures_util::future::{BoxFuture, FutureExt, join_all};
use record::entry::Position;
use record::identity::PersonId;
use state::State;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

mod batch;
mod state;

/// The same tables as in a file. Sealed bytes are not packed again.
const TABLES: &str = "
CREATE TABLE entry(position bigint PRIMARY KEY, event bytea, person bytea, bytes bytea NOT NULL);
CREATE UNIQUE INDEX entry_event ON entry(event) WHERE event IS NOT NULL;
CREATE TABLE body(position bigint PRIMARY KEY, bytes bytea NOT NULL);
ALTER TABLE body ALTER bytes SET STORAGE EXTERNAL;
CREATE TABLE head(id integer PRIMARY KEY CHECK (id = 1), position bigint NOT NULL, hash bytea NOT NULL, signature bytea NOT NULL);
CREATE TABLE checkpoint(position bigint PRIMARY KEY, hash bytea NOT NULL, signature bytea NOT NULL);
CREATE TABLE tree(level integer NOT NULL, number bigint NOT NULL, hash bytea NOT NULL, PRIMARY KEY(level, number));
CREATE TABLE note(size bigint PRIMARY KEY, bytes bytea NOT NULL);
CREATE TABLE erasure(position bigint PRIMARY KEY, person bytea NOT NULL);
CREATE TABLE resealing(position bigint PRIMARY KEY, person bytea NOT NULL);
CREATE TABLE resealed(position bigint PRIMARY KEY, hash bytea, resealing bigint NOT NULL);
";

/// In an audit ledger, as in a file.
const PERSON_INDEX: &str =
    "CREATE INDEX entry_person ON entry(person, position) WHERE person IS NOT NULL;";

/// What each version adds to the one before.
const VERSIONS: &[&str] = &[TABLES];

/// The schema of a ledger.
pub(crate) struct Schema {
    database: Arc<Database>,
    /// Its name, which is nothing but letters, digits and `_`.
    name: String,
}

impl Schema {
    /// The schema of the ledger with this name, made or brought up to the newest version.
    pub(crate) fn open(
        database: Arc<Database>,
        ledger: &str,
        sealing: Sealing,
    ) -> Result<Self, Error> {
        let name = named(ledger)?;
        let schema = Self { database, name };
        schema.migrate(sealing)?;
        Ok(schema)
    }

    /// The writer's access.
    pub(crate) fn store(&self) -> Result<PostgresStore, Error> {
        let (database, name) = (self.database.clone(), self.name.clone());
        let session = self.session()?;
        Ok(PostgresStore { session, schema: Schema { database, name } })
    }

    fn session(&self) -> Result<Session, Error> {
        self.database.session(&self.name)
    }

    /// One server at a time brings a schema up to the newest version.
    fn migrate(&self, sealing: Sealing) -> Result<(), Error> {
        let failed = "setting up a ledger in the database";
        let session = self.session()?;
        let run =
            |sql: &str| wait(session.client.batch_execute(sql)).map_err(Error::database(failed));
        let name = &self.name;
        run(&format!(
            "BEGIN; SELECT pg_advisory_xact_lock(hashtext('{name}'));
             CREATE SCHEMA IF NOT EXISTS {name};
             CREATE TABLE IF NOT EXISTS version(number integer NOT NULL);"
        ))?;
        let select = "SELECT coalesce(max(number), 0) FROM version";
        let row = wait(session.client.query_one(select, &[])).map_err(Error::database(failed))?;
        let version = get::<i32>(&row, 0, failed)?;
        let Some(missing) = usize::try_from(version).ok().and_then(|it| VERSIONS.get(it..)) else {
            let what = "the schema is of a newer version than this program";
            return Err(Error::Corrupt { position: 0, what });
        };
        if version == 0 && sealing == Sealing::Ledger {
            run(&[missing.concat().as_str(), PERSON_INDEX].concat())?;
        } else {
            run(&missing.concat())?;
        }
        run(&format!(
            "DELETE FROM version; INSERT INTO version VALUES ({}); COMMIT",
            VERSIONS.len()
        ))
    }
}

/// `fkj_0301_ledger` of `0301/ledger`.
fn named(ledger: &str) -> Result<String, Error> {
    let plain = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit();
    let is_name = ledger.chars().all(|it| plain(it) || it == '/') && ledger.len() <= 48;
    match is_name {
        true => Ok(format!("fkj_{}", ledger.replace('/', "_"))),
        false => Err(Error::Key {
            what: "a ledger in a database is named with small letters, digits and `/`",
        }),
    }
}

impl Storage for Schema {
    fn reader(&self) -> Result<Box<dyn Reading + Send>, Error> {
        Ok(Box::new(self.session()?))
    }

    fn verify(
        &self,
        trust: &Trust<'_>,
        progress: &mut dyn FnMut(Position, Position),
    ) -> Result<Report, Error> {
        let state = State::begin(self.session()?)?;
        Ok(verify_state(&state, trust, progress))
    }

    fn path(&self) -> Option<&Path> {
        None
    }
}

type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

impl Session {
    pub(crate) fn select(
        &self,
        sql: &'static str,
        params: Params<'_>,
        failed: &'static str,
    ) -> Result<Vec<Row>, Error> {
        self.prepared(sql)
            .and_then(|statement| wait(self.client.query(&statement, params)))
            .map_err(Error::database(failed))
    }

    fn number(&self, sql: &'static str, failed: &'static str) -> Result<u64, Error> {
        let rows = self.select(sql, &[], failed)?;
        rows.first().map_or(Ok(0), |row| position(row, 0, failed))
    }
}

/// A column of a row.
pub(crate) fn get<'r, T: tokio_postgres::types::FromSql<'r>>(
    row: &'r Row,
    column: usize,
    failed: &'static str,
) -> Result<T, Error> {
    row.try_get(column).map_err(Error::database(failed))
}

fn position(row: &Row, column: usize, failed: &'static str) -> Result<Position, Error> {
    let what = "a position is below zero";
    let found: i64 = get(row, column, failed)?;
    u64::try_from(found).map_err(|_| Error::Corrupt { position: 0, what })
}

fn hash(row: &Row, column: usize, failed: &'static str) -> Result<Hash, Error> {
    let what = "a hash is not as long as it is to be";
    get::<&[u8]>(row, column, failed)?.try_into().map_err(|_| Error::Corrupt { position: 0, what })
}

/// Columns of [`Stored`], and where they come from.
macro_rules! stored {
    ($which:literal) => {
        concat!(
            "SELECT e.position, e.bytes, b.bytes, s.position IS NOT NULL, s.hash FROM entry e
             LEFT JOIN body b ON b.position = e.position
             LEFT JOIN resealed s ON s.position = e.position ",
            $which
        )
    };
}

const HEAD: &str = "SELECT position, hash, signature FROM head WHERE id = 1";
const HEAD_HELD: &str = "SELECT position, hash, signature FROM head WHERE id = 1 FOR UPDATE";
const FROM: &str = stored!("WHERE e.position >= $1 ORDER BY e.position LIMIT $2");
const LATEST: &str =
    stored!("WHERE e.person = $1 AND e.position < $2 ORDER BY e.position DESC LIMIT $3");
const OF: &str =
    stored!("WHERE e.person = $1 AND e.position > $2 AND e.position <= $3 ORDER BY e.position");

impl Reading for Session {
    fn is_open(&self) -> bool {
        !self.client.is_closed()
    }

    fn head(&self) -> Result<Option<Head>, Error> {
        let failed = "reading the head";
        self.select(HEAD, &[], failed)?.first().map(head).transpose()
    }

    fn last(&self) -> Result<Position, Error> {
        self.number("SELECT coalesce(max(position), 0) FROM entry", "reading the last entry")
    }

    fn rows(&self, which: Rows) -> Result<Vec<Stored>, Error> {
        let failed = "reading entries";
        let rows = match which {
            Rows::From { first, limit } => {
                self.select(FROM, &[&sql(first), &sql_limit(limit)], failed)
            }
            Rows::Latest { person, before, limit } => {
                let person = &person.0[..];
                self.select(LATEST, &[&person, &sql(before), &sql_limit(limit)], failed)
            }
            Rows::Of { person, after, through } => {
                let person = &person.0[..];
                self.select(OF, &[&person, &sql(after), &sql(through)], failed)
            }
        };
        let stored = |row: &Row| {
            let resealed = get::<bool>(row, 3, failed)?.then(|| get(row, 4, failed)).transpose()?;
            let (entry, body) = (get(row, 1, failed)?, get(row, 2, failed)?);
            Ok(Stored { position: position(row, 0, failed)?, entry, body, resealed })
        };
        rows?.iter().map(stored).collect()
    }

    fn entries(&self, first: Position, count: usize) -> Result<Vec<Vec<u8>>, Error> {
        let failed = "reading entries";
        let select = "SELECT bytes FROM entry WHERE position >= $1 ORDER BY position LIMIT $2";
        let rows = self.select(select, &[&sql(first), &sql_limit(count)], failed)?;
        rows.iter().map(|row| get(row, 0, failed)).collect()
    }

    fn events(&self, keys: &[EventKey]) -> Result<HashMap<EventKey, Kept>, Error> {
        let failed = "looking for event ids";
        let keys: Vec<&[u8]> = keys.iter().map(|key| &key[..]).collect();
        let select = "SELECT e.event, e.bytes, EXISTS (SELECT 1 FROM resealed s WHERE s.position = e.position AND s.hash IS NULL)
             FROM entry e WHERE e.event = ANY($1)";
        let kept = |row: &Row| {
            let what = "an event's key is not as long as it is to be";
            let key = get::<&[u8]>(row, 0, failed)?;
            let key = key.try_into().map_err(|_| Error::Corrupt { position: 0, what })?;
            Ok((key, Kept { bytes: get(row, 1, failed)?, erased: get(row, 2, failed)? }))
        };
        self.select(select, &[&keys], failed)?.iter().map(kept).collect()
    }

    fn complete(&self) -> Result<u64, Error> {
        self.number("SELECT count(*) FROM tree WHERE level = 1", "reading the tree")
    }

    fn subtrees(&self, level: u32, first: u64, count: usize) -> Result<Vec<Hash>, Error> {
        let failed = "reading the tree";
        let end = first.saturating_add(count as u64);
        let select = "SELECT hash FROM tree WHERE level = $1 AND number >= $2 AND number < $3 ORDER BY number";
        let level = level.cast_signed();
        let rows = self.select(select, &[&level, &sql(first), &sql(end)], failed)?;
        rows.iter().map(|row| hash(row, 0, failed)).collect()
    }

    fn note(&self, size: Option<Position>) -> Result<Option<String>, Error> {
        let failed = "reading a checkpoint";
        let select = match size {
            Some(_) => "SELECT bytes FROM note WHERE size = $1",
            None => "SELECT bytes FROM note WHERE size >= $1 ORDER BY size DESC LIMIT 1",
        };
        let rows = self.select(select, &[&sql(size.unwrap_or(0))], failed)?;
        rows.first().map(|row| readable(get(row, 0, failed)?)).transpose()
    }

    fn noted(&self) -> Result<Position, Error> {
        self.number("SELECT coalesce(max(size), 0) FROM note", "reading checkpoints")
    }

    fn notes_after(&self, size: Position, limit: usize) -> Result<Vec<(Position, String)>, Error> {
        let failed = "reading checkpoints";
        let select = "SELECT size, bytes FROM note WHERE size > $1 ORDER BY size LIMIT $2";
        let rows = self.select(select, &[&sql(size), &sql_limit(limit)], failed)?;
        let note = |row: &Row| Ok((position(row, 0, failed)?, readable(get(row, 1, failed)?)?));
        rows.iter().map(note).collect()
    }

    fn ended(&self, kind: Ended) -> Result<Vec<(Position, PersonId)>, Error> {
        let (select, failed) = match kind {
            Ended::Erasures => {
                ("SELECT position, person FROM erasure ORDER BY position", "reading erasures")
            }
            Ended::Resealings => {
                ("SELECT position, person FROM resealing ORDER BY position", "reading resealings")
            }
        };
        let ended = |row: &Row| {
            let what = "a person's id is not as long as it is to be";
            let person = get::<&[u8]>(row, 1, failed)?;
            let person = person.try_into().map_err(|_| Error::Corrupt { position: 0, what })?;
            Ok((position(row, 0, failed)?, PersonId(person)))
        };
        self.select(select, &[], failed)?.iter().map(ended).collect()
    }
}

fn head(row: &Row) -> Result<Head, Error> {
    let failed = "reading the head";
    let (position, hash) = (position(row, 0, failed)?, hash(row, 1, failed)?);
    Ok(Head { position, hash, signature: get(row, 2, failed)? })
}

/// The session of one of the writers of a ledger.
pub(crate) struct PostgresStore {
    session: Session,
    schema: Schema,
}

impl Store for PostgresStore {
    fn reading(&self) -> &dyn Reading {
        &self.session
    }

    fn found(&mut self, head: &Head) -> Result<(), Error> {
        let failed = "keeping the head";
        let insert = "INSERT INTO head(id, position, hash, signature) VALUES (1, $1, $2, $3) ON CONFLICT DO NOTHING";
        let hash = &head.hash[..];
        self.session.select(insert, &[&sql(head.position), &hash, &head.signature], failed)?;
        wait(self.session.client.batch_execute("COMMIT")).map_err(Error::database(failed))
    }

    fn begin(&mut self) -> Result<Option<Head>, Error> {
        let failed = "beginning a batch";
        if !self.session.is_open() {
            self.session = self.schema.session()?;
        }
        let select = self.session.prepared(HEAD_HELD).map_err(Error::database(failed))?;
        let client = &self.session.client;
        let (begun, found) = wait(futures_util::future::join(
            client.batch_execute("BEGIN"),
            client.query(&select, &[]),
        ));
        let held = begun.and(found).map_err(Error::database(failed));
        held.and_then(|rows| rows.first().map(head).transpose()).inspect_err(|_| self.abandon())
    }

    fn commit(&mut self, write: &Write, faults: &dyn Faults) -> Result<(), Stop> {
        let failed = "keeping a batch";
        // It is one message to the server: at none of these points anything is there.
        for point in [Point::Bodies, Point::Entries, Point::Head, Point::Checkpoint] {
            faults.at(point);
        }
        let columns = Columns::of(write);
        let changes = columns.changes(write);
        let prepared: Result<Vec<_>, _> =
            changes.iter().map(|(sql, _)| self.session.prepared(sql)).collect();
        let prepared = prepared.map_err(|error| {
            self.abandon();
            Error::database(failed)(error)
        })?;
        let client = &self.session.client;
        let mut sent: Vec<BoxFuture<'_, Result<(), tokio_postgres::Error>>> = Vec::new();
        for (statement, (_, params)) in prepared.iter().zip(&changes) {
            let change = async move { client.execute(statement, params).await.map(drop) };
            sent.push(change.boxed());
        }
        sent.push(client.batch_execute("COMMIT").boxed());
        let mut answers = wait(join_all(sent));
        let committed = answers.pop().unwrap_or(Ok(()));
        if let Some(error) = answers.into_iter().find_map(Result::err) {
            // What the server refuses makes of the commit an undoing. Where it is the connection that
            // broke, the commit may have come through.
            let stop = error.as_db_error().is_none();
            return Err(Stop { error: Error::database(failed)(error), stop });
        }
        committed.map_err(|error| Stop {
            error: Error::database("committing a batch")(error),
            stop: true,
        })
    }

    fn abandon(&mut self) {
        if let Err(error) = wait(self.session.client.batch_execute("ROLLBACK")) {
            tracing::warn!(%error, "a batch could not be undone");
        }
    }

    /// What was replaced lies in dead rows until the server cleans them away; it opens with no key that is
    /// left.
    fn forget_replaced(&self) {
        if let Err(error) = wait(self.session.client.batch_execute("VACUUM body")) {
            tracing::warn!(%error, "replaced bodies are cleaned away later");
        }
    }
}
