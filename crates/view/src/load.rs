//! Following the ledger through many entries: one thread reads, opens and indexes them, this one writes.
//!
//! A view is made anew in a file of its own, without a journal, with the indexes that only reading needs
//! at the end; it takes its place once it is whole. Whatever ends the process before leaves a file that
//! the next one throws away.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};

use fhir::search::set::Parameters;
use ledger::append::{Body, Record};
use record::entry::Position;

use crate::error::Error;
use crate::project::Projector;
use crate::ready::{By, Ready};
use crate::schema;
use crate::term::Terms;

/// Batches that are read ahead of the writing.
const AHEAD: usize = 2;

/// Entries in one transaction of a view that was only behind.
const BEHIND: usize = 10_000;

/// Most index rows that wait, while a view is made anew: the more, the seldomer a page is written.
const MAX_PENDING: usize = 1_000_000;

impl Projector {
    /// Whether there is no view of this version, so that it is to be made anew.
    pub fn is_missing(path: &Path) -> Result<bool, Error> {
        Ok(!schema::is_current(path)?)
    }

    /// Makes the view anew from the first entry on. `read` gives the next entries from a position on,
    /// none at the end. Returns the positions of entries that could not be read, too.
    ///
    /// # Errors
    /// Those of `read`, and those of writing; there is no view then.
    pub fn make<E: From<Error> + Send>(
        path: &Path,
        index_key: [u8; 16],
        read: impl FnMut(Position) -> Result<Vec<Record>, E> + Send,
    ) -> Result<(Self, Vec<Position>), E> {
        let aside = beside(path, "-new");
        remove(&aside)?;
        let parameters = Parameters::r4().clone();
        let mut loading = Self::on(schema::open_anew(&aside)?, index_key, parameters)?;
        loading.most_pending = MAX_PENDING;
        let skipped = loading.follow(usize::MAX, read)?;
        schema::complete(&loading.connection)?;
        drop(loading);
        for suffix in ["-wal", "-shm"] {
            remove(&beside(path, suffix))?;
        }
        std::fs::rename(aside, path).map_err(Error::File)?;
        Ok((Self::open(path, index_key)?, skipped))
    }

    /// Brings the view up to the end of what `read` gives, as for [`Projector::make`]. Returns the
    /// positions of entries that could not be read.
    ///
    /// # Errors
    /// Those of `read`, and those of writing; what was written before stays.
    pub fn catch_up<E: From<Error> + Send>(
        &mut self,
        read: impl FnMut(Position) -> Result<Vec<Record>, E> + Send,
    ) -> Result<Vec<Position>, E> {
        self.follow(BEHIND, read)
    }

    /// Applies all that `read` gives, so many entries in a transaction.
    fn follow<E: From<Error> + Send>(
        &mut self,
        in_one: usize,
        mut read: impl FnMut(Position) -> Result<Vec<Record>, E> + Send,
    ) -> Result<Vec<Position>, E> {
        let first = read(self.position() + 1)?;
        if first.is_empty() {
            return Ok(Vec::new());
        }
        let (terms, parameters) = (self.terms, self.parameters.clone());
        let (sender, arrived) = sync_channel(AHEAD);
        std::thread::scope(|scope| {
            let reading = scope.spawn(move || prepare(&terms, &parameters, first, read, &sender));
            let mut arrived = arrived.into_iter().flatten().peekable();
            let mut skipped = Vec::new();
            let mut written = Ok(());
            while written.is_ok() && arrived.peek().is_some() {
                written = self
                    .transact(arrived.by_ref().take(in_one).map(Ok))
                    .map(|more| skipped.extend(more));
            }
            // The reading ends where nobody takes what it gives.
            drop(arrived);
            let read = reading.join().unwrap_or_else(|panic| resume_unwind(panic));
            written?;
            read.map(|()| skipped)
        })
    }
}

/// Reads to the end, and gives away what is ready to be written.
fn prepare<E: From<Error>>(
    terms: &Terms,
    parameters: &Parameters,
    mut records: Vec<Record>,
    mut read: impl FnMut(Position) -> Result<Vec<Record>, E>,
    sender: &SyncSender<Vec<Ready<'static>>>,
) -> Result<(), E> {
    let by = By { terms, parameters };
    while let Some(last) = records.last() {
        let next = last.entry.position + 1;
        let ready = records.into_iter().map(|Record { entry, body }| {
            let body = match body {
                Body::Plain(body) => Some(Cow::Owned(body)),
                Body::Erased => None,
            };
            by.ready(Cow::Owned(entry), body)
        });
        if sender.send(ready.collect::<Result<_, _>>()?).is_err() {
            return Ok(());
        }
        records = read(next)?;
    }
    Ok(())
}

/// The file beside another, by what its name ends with.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn remove(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::File(error)),
        _ => Ok(()),
    }
}
