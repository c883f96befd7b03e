//! A ledger in a schema of a PostgreSQL database, which several servers may write to at once.
//!
//! Invariants: whoever begins a batch holds the head's row until it ends, so that batches of several servers come
//! one after the other, each chained to the one before. A batch is sent as a whole, its commit with it, and
//! takes one round trip; beginning it and looking for its events take one each.

use super::{
    Ended, EventKey, Failed, Kept, Listening, Outcome, Reading, Rows, Storage, Store, Stored,
    Write, readable, sql, sql_limit,
};
use crate::append::Sealing;
use crate::chain::{self, Head};
use crate::database::session::{Session, get};
use crate::database::{Access, Database, schema};
use crate::error::Error;
use crate::faults::{Faults, Point};
use crate::merkle::Hash;
use crate::verify::{Report, Trust, verify_state};
use batch::Columns;
use futures_util::future::{BoxFuture, FutureExt, join_all};
use listen::Listener;
use record::entry::Position;
use record::identity::PersonId;
use state::State;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::Row;

mod batch;
mod listen;
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

/// The schema of a ledger.
#[derive(Clone)]
pub(crate) struct Schema {
    database: Arc<Database>,
    /// Its name, which is nothing but letters, digits and `_`.
    name: String,
}

impl Schema {
    /// The schema of the ledger with this name, made or brought up to the newest version, and the writer's access.
    pub(crate) fn open(
        database: Arc<Database>,
        ledger: &str,
        sealing: Sealing,
    ) -> Result<(Self, PostgresStore), Error> {
        let name = database.schema(ledger)?;
        let first = match sealing {
            Sealing::PerPerson => TABLES.to_owned(),
            Sealing::Ledger => format!("{TABLES}{PERSON_INDEX}"),
        };
        let mut session = schema::set_up(&database, &name, &[&first])?;
        session.patience = COMMIT;
        let schema = Self { database, name };
        let store = PostgresStore { session, schema: schema.clone() };
        Ok((schema, store))
    }

    fn session(&self, access: Access) -> Result<Session, Error> {
        self.database.session(&self.name, access)
    }

    /// A session at the server that takes what is written, after which all that is there is kept wherever the server
    /// is set up to keep it: one that crashed may show what it has on its own disk alone, since who waited for
    /// more is gone. What is written now is acknowledged only when all before it is.
    fn settled(&self, patience: Duration) -> Result<Session, Error> {
        let failed = "making sure of what is there";
        let mut session = self.session(Access::Write)?;
        session.patience = patience;
        let warnings = session.warnings();
        session.run("UPDATE head SET position = position WHERE id = 1", failed)?;
        match session.warnings() == warnings {
            true => Ok(session),
            false => Err(Error::Unreachable { what: failed }),
        }
    }
}

impl Storage for Schema {
    fn reader(&self) -> Result<Box<dyn Reading + Send>, Error> {
        Ok(Box::new(self.session(Access::Read)?))
    }

    fn verify(
        &self,
        trust: &Trust<'_>,
        progress: &mut dyn FnMut(Position, Position),
    ) -> Result<Report, Error> {
        let state = State::begin(self.session(Access::Read)?)?;
        Ok(verify_state(&state, trust, progress))
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn listener(&self) -> Result<Option<Box<dyn Listening>>, Error> {
        Ok(Some(Box::new(Listener::new(self.clone()))))
    }

    fn path(&self) -> Option<&Path> {
        None
    }
}

impl Session {
    fn number(&self, sql: &'static str, failed: &'static str) -> Result<u64, Error> {
        let rows = self.select(sql, &[], failed)?;
        rows.first().map_or(Ok(0), |row| position(row, 0, failed))
    }
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
        Session::is_open(self)
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

    fn ended(&self, kind: Ended, after: Position) -> Result<Vec<(Position, PersonId)>, Error> {
        let (select, failed) = match kind {
            Ended::Erasures => {
                let select =
                    "SELECT position, person FROM erasure WHERE position > $1 ORDER BY position";
                (select, "reading erasures")
            }
            Ended::Resealings => {
                let select =
                    "SELECT position, person FROM resealing WHERE position > $1 ORDER BY position";
                (select, "reading resealings")
            }
        };
        let ended = |row: &Row| {
            let what = "a person's id is not as long as it is to be";
            let person = get::<&[u8]>(row, 1, failed)?;
            let person = person.try_into().map_err(|_| Error::Corrupt { position: 0, what })?;
            Ok((position(row, 0, failed)?, PersonId(person)))
        };
        self.select(select, &[&sql(after)], failed)?.iter().map(ended).collect()
    }
}

fn head(row: &Row) -> Result<Head, Error> {
    let failed = "reading the head";
    let (position, hash) = (position(row, 0, failed)?, hash(row, 1, failed)?);
    Ok(Head { position, hash, signature: get(row, 2, failed)? })
}

/// So long an answer to a commit is waited for.
const COMMIT: Duration = Duration::from_secs(20);

/// The session of one of the writers of a ledger.
pub(crate) struct PostgresStore {
    session: Session,
    schema: Schema,
}

impl PostgresStore {
    /// Where there is no head to hold: one server at a time founds a ledger.
    fn begin_first(&self) -> Result<Option<Head>, Error> {
        let failed = "founding a ledger";
        self.session.run(&schema::alone(&self.schema.name), failed)?;
        self.session.select(HEAD_HELD, &[], failed)?.first().map(head).transpose()
    }
}

impl Store for PostgresStore {
    fn is_shared(&self) -> bool {
        true
    }

    fn reading(&self) -> &dyn Reading {
        &self.session
    }

    fn found(&mut self, head: &Head) -> Result<(), Error> {
        let failed = "keeping the head";
        let insert = "INSERT INTO head(id, position, hash, signature) VALUES (1, $1, $2, $3) ON CONFLICT DO NOTHING";
        let hash = &head.hash[..];
        self.session.select(insert, &[&sql(head.position), &hash, &head.signature], failed)?;
        self.session.run("COMMIT", failed)
    }

    fn begin(&mut self) -> Result<Option<Head>, Error> {
        let failed = "beginning a batch";
        if !self.session.is_open() {
            self.session = self.schema.settled(COMMIT)?;
        }
        let select = self.session.prepared(HEAD_HELD, failed)?;
        let client = &self.session.client;
        let begun =
            futures_util::future::join(client.batch_execute("BEGIN"), client.query(&select, &[]));
        let held = self.session.answer(begun.map(|(begun, rows)| begun.and(rows)), failed);
        let held = held.and_then(|rows| match rows.first() {
            Some(row) => head(row).map(Some),
            None => self.begin_first(),
        });
        held.inspect_err(|_| self.abandon())
    }

    fn commit(&mut self, write: &Write, faults: &dyn Faults) -> Result<(), Failed> {
        let failed = "keeping a batch";
        // It is one message to the server: at none of these points anything is there.
        for point in [Point::Bodies, Point::Entries, Point::Head, Point::Checkpoint] {
            faults.at(point);
        }
        let columns = Columns::of(write);
        let changes = columns.changes(write);
        let prepared: Result<Vec<_>, _> =
            changes.iter().map(|(sql, _)| self.session.prepared(sql, failed)).collect();
        let prepared = prepared.inspect_err(|_| self.abandon())?;
        let notify = format!("NOTIFY {}", self.schema.name);
        let client = &self.session.client;
        let mut sent: Vec<BoxFuture<'_, Result<(), tokio_postgres::Error>>> = Vec::new();
        for (statement, (_, params)) in prepared.iter().zip(&changes) {
            let change = async move { client.execute(statement, params).await.map(drop) };
            sent.push(change.boxed());
        }
        sent.push(client.batch_execute("COMMIT").boxed());
        // After it, and not within: commits that notify come one after the other in the whole database, also while
        // they wait for standbys. Where this is lost, who listens looks by itself.
        sent.push(client.batch_execute(&notify).map(|_| Ok(())).boxed());
        let askable = |error| Failed { error, kept: Outcome::Askable };
        let warnings = self.session.warnings();
        let answers = async { Ok(join_all(sent).await) };
        let mut answers = self.session.answer(answers, failed).map_err(askable)?;
        answers.pop();
        let committed = answers.pop().unwrap_or(Ok(()));
        if let Some(error) = answers.into_iter().find_map(Result::err) {
            // What the server refuses makes of the commit an undoing. Where it is the connection that
            // broke, the commit may have come through.
            let refused = error.as_db_error().is_some();
            let kept = if refused { Outcome::Nothing } else { Outcome::Askable };
            return Err(Failed { error: Error::database(failed)(error), kept });
        }
        committed.map_err(|error| askable(Error::database("committing a batch")(error)))?;
        if self.session.warnings() == warnings {
            return Ok(());
        }
        // It is kept, but on one server alone: somebody ended its waiting for the others.
        self.session.give_up();
        Err(askable(Error::Unreachable { what: failed }))
    }

    fn is_kept(&mut self, write: &Write) -> Result<bool, Error> {
        let head = self.begin()?;
        let reading = &self.session;
        let kept = match (head, &write.note) {
            (Some(head), _) if head.position < write.head.position => Ok(false),
            (Some(head), _) if !write.rows.is_empty() && head.position >= write.head.position => {
                let last = reading.entries(write.head.position, 1);
                last.map(|it| it.iter().any(|bytes| chain::hash(bytes) == write.head.hash))
            }
            (Some(_), Some((size, _))) => reading.note(Some(*size)).map(|note| note.is_some()),
            _ => Ok(false),
        };
        self.abandon();
        kept
    }

    fn abandon(&mut self) {
        if let Err(error) = self.session.run("ROLLBACK", "undoing a batch") {
            tracing::warn!(%error, "a batch is undone by the end of its connection");
            self.session.give_up();
        }
    }

    /// What was replaced lies in dead rows until the server cleans them away; it opens with no key that is
    /// left.
    fn forget_replaced(&self) {
        if let Err(error) = self.session.run("VACUUM body", "cleaning replaced bodies away") {
            tracing::warn!(%error, "replaced bodies are cleaned away later");
        }
    }
}
