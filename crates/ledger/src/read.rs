//! Reading: a small pool of readers beside the writer.
//!
//! Invariants: a reader never waits for the writer nor the writer for a reader . Every answer
//! comes from one consistent state. Nothing is returned that does not fit its entry; within one
//! `read`, each entry is also checked against the one before.

use crate::append::{Body, Record, Sealer, event_key};
use crate::chain::{self, Head};
use crate::condition::Watch;
use crate::endings;
use crate::error::Error;
use crate::merkle::{self, Hash};
use crate::note::{self, Proof};
use crate::storage::{self, Reading, Rows, Storage, Stored, entry_at};
use crate::tree;
use parking_lot::Mutex;
use record::entry::{Entry, Position};
use record::identity::PersonId;
use std::sync::Arc;

/// More than this many idle connections are closed.
const IDLE: usize = 8;

pub(crate) struct Readers {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) idle: Mutex<Vec<Box<dyn Reading + Send>>>,
    pub(crate) watch: Arc<Watch>,
}

/// So often a body that does not open is read again: a key may have been exchanged between reading the
/// body and asking for the key.
const ATTEMPTS: usize = 3;

impl Readers {
    pub(crate) fn head(&self) -> Result<Head, Error> {
        self.with(|reading| {
            reading.head()?.ok_or(Error::Corrupt { position: 0, what: "there is no head" })
        })
    }

    /// As [`Readers::head`], by whoever answers now: what was connected before may lead to a server that is silent.
    pub(crate) fn head_anew(&self) -> Result<Head, Error> {
        self.idle.lock().clear();
        self.head()
    }

    pub(crate) fn read(&self, from: Position, limit: usize) -> Result<Vec<Record>, Error> {
        let records = self.query(Rows::From { first: from, limit })?;
        for pair in records.windows(2) {
            if let [before, after] = pair
                && (after.entry.position != before.entry.position + 1
                    || after.entry.prev_hash != chain::entry_hash(&before.entry))
            {
                let position = before.entry.position;
                let what = "the chain is broken after the entry";
                let broken = Error::Corrupt { position, what };
                self.watch.met(&broken);
                return Err(broken);
            }
        }
        Ok(records)
    }

    pub(crate) fn by_person(
        &self,
        person: PersonId,
        before: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Record>, Error> {
        let before = before.unwrap_or(Position::MAX);
        self.query(Rows::Latest { person, before, limit })
    }

    pub(crate) fn find_event(&self, source: &str, id: &str) -> Result<Option<Entry>, Error> {
        let key = event_key(source, id);
        let kept = self.with(|reading| reading.events(&[key]))?.remove(&key);
        kept.map(|kept| kept.entry()).transpose().inspect_err(|error| self.watch.met(error))
    }

    pub(crate) fn proof(
        &self,
        position: Position,
        size: Option<Position>,
    ) -> Result<Option<Proof>, Error> {
        self.with(|reading| {
            let Some(checkpoint) = reading.note(size)? else { return Ok(None) };
            let size = note::size(&checkpoint);
            if position == 0 || position > size {
                return Ok(None);
            }
            let entry = entry_at(reading, position)?;
            let path =
                merkle::inclusion(position - 1, size, &mut |place| tree::subtree(reading, place))?;
            Ok(Some(Proof { entry, path, checkpoint }))
        })
    }

    pub(crate) fn consistency(
        &self,
        from: Position,
        to: Position,
    ) -> Result<Option<Vec<Hash>>, Error> {
        self.with(|reading| {
            if from > to || to > reading.last()? {
                return Ok(None);
            }
            merkle::consistency(from, to, &mut |place| tree::subtree(reading, place)).map(Some)
        })
    }

    pub(crate) fn first_recorded(&self, ms: i64) -> Result<Position, Error> {
        self.with(|reading| {
            let (mut from, mut to) = (1, reading.last()? + 1);
            while from < to {
                let middle = from + (to - from) / 2;
                if entry_at(reading, middle)?.recorded_at < ms {
                    from = middle + 1;
                } else {
                    to = middle;
                }
            }
            Ok(from)
        })
    }

    fn query(&self, which: Rows) -> Result<Vec<Record>, Error> {
        let rows = self.with(|reading| reading.rows(which))?;
        let records: Result<_, Error> = rows.into_iter().map(|stored| self.open(stored)).collect();
        records.inspect_err(|error| self.watch.met(error))
    }

    fn open(&self, mut stored: Stored) -> Result<Record, Error> {
        let position = stored.position;
        for _ in 0..ATTEMPTS {
            let entry = stored.entry()?;
            let body = match stored.body(&entry)? {
                None => Some(Body::Erased),
                Some((sealed, hash)) => self.sealer.open(&entry, (sealed, &hash))?,
            };
            if let Some(body) = body {
                return Ok(Record { entry, body });
            }
            if let (true, Some(person)) = (self.storage.is_shared(), entry.person) {
                self.hear_of(person)?;
            }
            let Some(again) = self.with(|reading| storage::at(reading, position))? else { break };
            stored = again;
        }
        Err(Error::Corrupt { position, what: "the body does not open with its key" })
    }

    /// Another server may have exchanged the person's key, or have come no further than to say so.
    fn hear_of(&self, person: PersonId) -> Result<(), Error> {
        let keys = &self.sealer.keys;
        keys.refresh(person)?;
        self.with(|reading| endings::carry_out(reading, &self.sealer, keys.since(person)))
    }

    pub(crate) fn with<T>(
        &self,
        work: impl Fn(&dyn Reading) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let idle = self.idle.lock().pop().filter(|reader| reader.is_open());
        let mut result = match idle {
            Some(reader) => self.ask(reader, &work),
            None => self.storage.reader().and_then(|reader| self.ask(reader, &work)),
        };
        // The way to a database broke: another server of it may answer.
        if result.as_ref().is_err_and(Error::is_away) {
            result = self.storage.reader().and_then(|reader| self.ask(reader, &work));
        }
        result.inspect_err(|error| self.watch.met(error))
    }

    fn ask<T>(
        &self,
        reader: Box<dyn Reading + Send>,
        work: impl Fn(&dyn Reading) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let result = work(&*reader);
        let mut idle = self.idle.lock();
        if idle.len() < IDLE && reader.is_open() {
            idle.push(reader);
        }
        result
    }
}
