//! A ledger in a SQLite file: what is read, and what is kept.

use super::{
    Ended, EventKey, Failed, Kept, Listening, Outcome, Reading, Row, Rows, Storage, Store, Stored,
    Write, readable, sql, sql_limit,
};
use crate::chain::{self, Head};
use crate::error::Error;
use crate::faults::{Faults, Point};
use crate::merkle::{self, Frontier, Hash, Subtree};
use crate::reseal::Fate;
use crate::store;
use crate::tree::{STRIDE, subtree};
use crate::verify::{self, Report, Trust};
use record::entry::{Kind, Position};
use record::identity::PersonId;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Entries read and subtrees kept in one transaction while an older ledger gets its tree.
const STEP: usize = 1 << 16;

/// The file of a ledger.
pub(crate) struct LedgerFile(pub(crate) PathBuf);

impl Storage for LedgerFile {
    fn reader(&self) -> Result<Box<dyn Reading + Send>, Error> {
        Ok(Box::new(store::open_readable(&self.0)?))
    }

    fn verify(
        &self,
        trust: &Trust<'_>,
        progress: &mut dyn FnMut(Position, Position),
    ) -> Result<Report, Error> {
        verify::verify(&self.0, trust, progress)
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn listener(&self) -> Result<Option<Box<dyn Listening>>, Error> {
        Ok(None)
    }

    fn path(&self) -> Option<&Path> {
        Some(&self.0)
    }
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

const FROM: &str = stored!("WHERE e.position >= ?1 ORDER BY e.position LIMIT ?2");
const LATEST: &str =
    stored!("WHERE e.person = ?1 AND e.position < ?2 ORDER BY e.position DESC LIMIT ?3");
const OF: &str =
    stored!("WHERE e.person = ?1 AND e.position > ?2 AND e.position <= ?3 ORDER BY e.position");

impl Reading for Connection {
    fn is_open(&self) -> bool {
        true
    }

    fn head(&self) -> Result<Option<Head>, Error> {
        self.prepare_cached("SELECT position, hash, signature FROM head WHERE id = 1")
            .and_then(|mut select| {
                let head = |row: &rusqlite::Row<'_>| {
                    Ok(Head { position: row.get(0)?, hash: row.get(1)?, signature: row.get(2)? })
                };
                select.query_row([], head).optional()
            })
            .map_err(Error::storage("reading the head"))
    }

    fn last(&self) -> Result<Position, Error> {
        self.prepare_cached("SELECT coalesce(max(position), 0) FROM entry")
            .and_then(|mut select| select.query_row([], |row| row.get(0)))
            .map_err(Error::storage("reading the last entry"))
    }

    fn rows(&self, which: Rows) -> Result<Vec<Stored>, Error> {
        let failed = "reading entries";
        let select = |sql| self.prepare_cached(sql).map_err(Error::storage(failed));
        let mut statement = match which {
            Rows::From { .. } => select(FROM)?,
            Rows::Latest { .. } => select(LATEST)?,
            Rows::Of { .. } => select(OF)?,
        };
        let rows = match which {
            Rows::From { first, limit } => {
                statement.query_map(params![sql(first), sql_limit(limit)], stored)
            }
            Rows::Latest { person, before, limit } => {
                statement.query_map(params![person.0, sql(before), sql_limit(limit)], stored)
            }
            Rows::Of { person, after, through } => {
                statement.query_map(params![person.0, sql(after), sql(through)], stored)
            }
        };
        rows.and_then(Iterator::collect).map_err(Error::storage(failed))
    }

    fn entries(&self, first: Position, count: usize) -> Result<Vec<Vec<u8>>, Error> {
        self.prepare_cached(
            "SELECT bytes FROM entry WHERE position >= ?1 ORDER BY position LIMIT ?2",
        )
        .and_then(|mut select| {
            let rows = select.query_map(params![sql(first), sql_limit(count)], |row| row.get(0))?;
            rows.collect()
        })
        .map_err(Error::storage("reading entries"))
    }

    fn events(&self, keys: &[EventKey]) -> Result<HashMap<EventKey, Kept>, Error> {
        let kept = |row: &rusqlite::Row<'_>| Ok(Kept { bytes: row.get(0)?, erased: row.get(1)? });
        let look = || -> rusqlite::Result<HashMap<EventKey, Kept>> {
            let mut select = self.prepare_cached(
                "SELECT bytes, EXISTS (SELECT 1 FROM resealed s WHERE s.position = e.position AND s.hash IS NULL)
                 FROM entry e WHERE event = ?1",
            )?;
            let mut found = HashMap::new();
            for key in keys {
                if let Some(kept) = select.query_row([key], kept).optional()? {
                    found.insert(*key, kept);
                }
            }
            Ok(found)
        };
        look().map_err(Error::storage("looking for event ids"))
    }

    fn complete(&self) -> Result<u64, Error> {
        self.query_row("SELECT count(*) FROM tree WHERE level = 1", [], |row| row.get(0))
            .map_err(Error::storage("reading the tree"))
    }

    fn subtrees(&self, level: u32, first: u64, count: usize) -> Result<Vec<Hash>, Error> {
        let end = first.saturating_add(count as u64);
        self.prepare_cached(
            "SELECT hash FROM tree WHERE level = ?1 AND number >= ?2 AND number < ?3 ORDER BY number",
        )
        .and_then(|mut select| {
            let rows = select.query_map(params![level, sql(first), sql(end)], |row| row.get(0))?;
            rows.collect()
        })
        .map_err(Error::storage("reading the tree"))
    }

    fn note(&self, size: Option<Position>) -> Result<Option<String>, Error> {
        let sql = match size {
            Some(_) => "SELECT bytes FROM note WHERE size = ?1",
            None => "SELECT bytes FROM note WHERE size >= ?1 ORDER BY size DESC LIMIT 1",
        };
        self.prepare_cached(sql)
            .and_then(|mut select| {
                select.query_row([size.unwrap_or(0)], |row| row.get(0)).optional()
            })
            .map_err(Error::storage("reading a checkpoint"))?
            .map(readable)
            .transpose()
    }

    fn noted(&self) -> Result<Position, Error> {
        self.query_row("SELECT coalesce(max(size), 0) FROM note", [], |row| row.get(0))
            .map_err(Error::storage("reading checkpoints"))
    }

    fn notes_after(&self, size: Position, limit: usize) -> Result<Vec<(Position, String)>, Error> {
        let rows: Vec<(Position, Vec<u8>)> = self
            .prepare_cached("SELECT size, bytes FROM note WHERE size > ?1 ORDER BY size LIMIT ?2")
            .and_then(|mut select| {
                let rows = select.query_map(params![sql(size), sql_limit(limit)], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?;
                rows.collect()
            })
            .map_err(Error::storage("reading checkpoints"))?;
        rows.into_iter().map(|(size, bytes)| Ok((size, readable(bytes)?))).collect()
    }

    fn ended(&self, kind: Ended, after: Position) -> Result<Vec<(Position, PersonId)>, Error> {
        let (select, failed) = match kind {
            Ended::Erasures => {
                let select =
                    "SELECT position, person FROM erasure WHERE position > ?1 ORDER BY position";
                (select, "reading erasures")
            }
            Ended::Resealings => {
                let select =
                    "SELECT position, person FROM resealing WHERE position > ?1 ORDER BY position";
                (select, "reading resealings")
            }
        };
        let mut select = self.prepare_cached(select).map_err(Error::storage(failed))?;
        select
            .query_map([sql(after)], |row| Ok((row.get(0)?, row.get(1).map(PersonId)?)))
            .and_then(Iterator::collect)
            .map_err(Error::storage(failed))
    }
}

fn stored(row: &rusqlite::Row<'_>) -> rusqlite::Result<Stored> {
    let resealed = row.get::<_, bool>(3)?.then(|| row.get(4)).transpose()?;
    Ok(Stored { position: row.get(0)?, entry: row.get(1)?, body: row.get(2)?, resealed })
}

/// The writer's connection; nobody else writes, since the file is locked for this process.
pub(crate) struct SqliteStore(pub(crate) Connection);

impl Store for SqliteStore {
    fn is_shared(&self) -> bool {
        false
    }

    fn reading(&self) -> &dyn Reading {
        &self.0
    }

    fn found(&mut self, head: &Head) -> Result<(), Error> {
        keep_head(&self.0, head)?;
        self.0.execute_batch("COMMIT").map_err(Error::storage("keeping the head"))
    }

    fn begin(&mut self) -> Result<Option<Head>, Error> {
        self.0.execute_batch("BEGIN IMMEDIATE").map_err(Error::storage("beginning a batch"))?;
        Reading::head(&self.0).inspect_err(|_| self.abandon())
    }

    fn commit(&mut self, write: &Write, faults: &dyn Faults) -> Result<(), Failed> {
        if let Err(error) = keep(&self.0, write, faults) {
            self.abandon();
            return Err(error.into());
        }
        // A full disk refuses cleanly and the transaction is undone; any other failure to commit leaves
        // open what is on disk.
        let Err(source) = self.0.execute_batch("COMMIT") else { return Ok(()) };
        let full = source.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull);
        let undone = self.0.is_autocommit() || self.0.execute_batch("ROLLBACK").is_ok();
        let kept = if full && undone { Outcome::Nothing } else { Outcome::Unknown };
        Err(Failed { error: Error::storage("committing a batch")(source), kept })
    }

    /// Never asked: whoever reads it back reads what the system remembers, not what the disk does.
    fn is_kept(&mut self, _: &Write) -> Result<bool, Error> {
        Err(Error::Stopped)
    }

    fn abandon(&mut self) {
        if !self.0.is_autocommit()
            && let Err(error) = self.0.execute_batch("ROLLBACK")
        {
            tracing::warn!(%error, "a batch could not be undone");
        }
    }

    /// Out of the write-ahead file, unless a reader holds on to it: it opens with no key that is left.
    fn forget_replaced(&self) {
        let cut = self.0.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        if let Err(error) = cut {
            tracing::warn!(%error, "the write-ahead file is emptied later");
        }
    }
}

/// Bodies before entries, the head last.
fn keep(connection: &Connection, write: &Write, faults: &dyn Faults) -> Result<(), Error> {
    if let Some((resealing, bodies)) = &write.replaced {
        replace(connection, *resealing, bodies).map_err(Error::storage("replacing bodies"))?;
    }
    for row in &write.rows {
        keep_body(connection, row.position, &row.body)?;
    }
    faults.at(Point::Bodies);
    for row in &write.rows {
        keep_entry(connection, row)?;
    }
    for subtree in &write.subtrees {
        keep_subtree(connection, subtree)?;
    }
    for checkpoint in &write.checkpoints {
        keep_checkpoint(connection, checkpoint)?;
    }
    faults.at(Point::Entries);
    keep_head(connection, &write.head)?;
    faults.at(Point::Head);
    if let Some((size, note)) = &write.note {
        keep_note(connection, *size, note)?;
    }
    faults.at(Point::Checkpoint);
    Ok(())
}

/// Keeps an entry, without its body.
pub(crate) fn keep_entry(connection: &Connection, row: &Row) -> Result<(), Error> {
    let person = row.person.map(|person| person.0);
    connection
        .prepare_cached("INSERT INTO entry(position, event, person, bytes) VALUES (?1, ?2, ?3, ?4)")
        .and_then(|mut insert| insert.execute(params![row.position, row.event, person, row.bytes]))
        .map_err(Error::storage("keeping an entry"))?;
    let index = match row.kind {
        Kind::Erasure => "INSERT INTO erasure(position, person) VALUES (?1, ?2)",
        Kind::Resealing => "INSERT INTO resealing(position, person) VALUES (?1, ?2)",
        _ => return Ok(()),
    };
    if let Some(person) = person {
        connection
            .execute(index, params![row.position, person])
            .map_err(Error::storage("keeping an erasure"))?;
    }
    Ok(())
}

/// Keeps the sealed body of the entry at a position.
pub(crate) fn keep_body(
    connection: &Connection,
    position: Position,
    body: &[u8],
) -> Result<(), Error> {
    connection
        .prepare_cached("INSERT INTO body(position, bytes) VALUES (?1, ?2)")
        .and_then(|mut insert| insert.execute(params![position, body]))
        .map(drop)
        .map_err(Error::storage("keeping bodies"))
}

fn keep_subtree(connection: &Connection, kept: &(u32, u64, Hash)) -> Result<(), Error> {
    let (level, number, hash) = kept;
    connection
        .prepare_cached("INSERT INTO tree(level, number, hash) VALUES (?1, ?2, ?3)")
        .and_then(|mut insert| insert.execute(params![level, number, hash]))
        .map(drop)
        .map_err(Error::storage("keeping a subtree"))
}

/// Keeps the signed end of the chain at some position.
pub(crate) fn keep_checkpoint(connection: &Connection, signed: &Head) -> Result<(), Error> {
    connection
        .execute(
            "INSERT INTO checkpoint(position, hash, signature) VALUES (?1, ?2, ?3)",
            params![signed.position, signed.hash, signed.signature],
        )
        .map(drop)
        .map_err(Error::storage("keeping a checkpoint"))
}

/// Keeps the signed checkpoint of the tree.
pub(crate) fn keep_note(connection: &Connection, size: Position, note: &str) -> Result<(), Error> {
    connection
        .prepare_cached("INSERT INTO note(size, bytes) VALUES (?1, ?2)")
        .and_then(|mut insert| insert.execute(params![size, note.as_bytes()]))
        .map(drop)
        .map_err(Error::storage("keeping a checkpoint"))
}

/// Keeps the head, in the place of the one before.
pub(crate) fn keep_head(connection: &Connection, head: &Head) -> Result<(), Error> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO head(id, position, hash, signature) VALUES (1, ?1, ?2, ?3)",
        )
        .and_then(|mut insert| insert.execute(params![head.position, head.hash, head.signature]))
        .map(drop)
        .map_err(Error::storage("keeping the head"))
}

fn replace(
    connection: &Connection,
    resealing: Position,
    bodies: &[(Position, Fate)],
) -> rusqlite::Result<()> {
    let mut keep = connection.prepare_cached("UPDATE body SET bytes = ?2 WHERE position = ?1")?;
    let mut erase = connection.prepare_cached("DELETE FROM body WHERE position = ?1")?;
    for (position, fate) in bodies {
        match fate {
            Fate::Erased => erase.execute([position])?,
            Fate::Resealed(sealed, _) => keep.execute(params![position, sealed])?,
        };
        tell(connection, resealing, *position, fate.hash())?;
    }
    Ok(())
}

/// Repeats in the table what a resealing says of one body.
pub(crate) fn tell(
    connection: &Connection,
    resealing: Position,
    position: Position,
    hash: Option<&Hash>,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO resealed(position, hash, resealing) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![position, hash, resealing])
        .map(drop)
}

/// Makes what a file of an older version, or one that is being restored, lacks of its tree.
pub(crate) fn complete_tree(connection: &mut Connection) -> Result<(), Error> {
    let failed = "making the tree";
    let size = connection.complete()? << STRIDE;
    let mut edge = Frontier::of(size, &mut |place| subtree(&*connection, place))?;
    loop {
        let tx = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(Error::storage(failed))?;
        let entries = tx.entries(edge.size() + 1, STEP)?;
        for bytes in &entries {
            let leaf = merkle::leaf(&chain::hash(bytes));
            edge.push(leaf, |Subtree { height, number }, hash| {
                match height.is_multiple_of(STRIDE) {
                    true => keep_subtree(&tx, &(height / STRIDE, number, *hash)),
                    false => Ok(()),
                }
            })?;
        }
        tx.commit().map_err(Error::storage(failed))?;
        if entries.len() < STEP {
            return Ok(());
        }
    }
}
