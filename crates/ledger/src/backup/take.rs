//! Taking a backup, beside a running server or without one.

use super::manifest::{
    Bytes, KeysCopy, LEDGERS, Manifest, Part, Piece, Segment, Signed, VERSION, following, read_all,
};
use super::place::{Kept, Place};
use super::segment::Writing;
use crate::chain::{self, Head};
use crate::crypto::sha256;
use crate::error::Error;
use crate::keys::published::published;
use crate::storage::{Ended as Kind, Reading};
use crate::store;
use record::entry::{Entry, Position};
use record::identity::PersonId;
use rusqlite::{Connection, Transaction, params};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;

/// What is backed up.
pub struct Source<'a> {
    /// The municipality's folder.
    pub directory: &'a Path,
    /// Its number.
    pub municipality: &'a str,
    /// Its small files, by the names they are restored under.
    pub files: &'a [(String, Vec<u8>)],
}

/// How it is done.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// The time, in milliseconds since 1970.
    pub now: i64,
    /// How long a copy of `keys.db` is kept beside newer ones, in milliseconds.
    pub keep_keys: i64,
    /// A segment ends when it has this many bytes of bodies.
    pub segment_bytes: u64,
}

impl Terms {
    /// The usual: 30 days, 64 MiB.
    pub fn new(now: i64) -> Self {
        Self { now, keep_keys: 30 * 24 * 60 * 60 * 1000, segment_bytes: 64 << 20 }
    }
}

/// What a backup came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The backup.
    pub manifest: Manifest,
    /// Bytes that were written, the manifest aside.
    pub written: u64,
    /// Earlier copies of `keys.db` that were taken away.
    pub pruned: Vec<String>,
    /// Copies of `keys.db` that are kept and still open somebody who was erased since.
    pub opening: Vec<Opening>,
}

/// A copy of `keys.db` that opens what was erased since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The copy.
    pub name: String,
    /// When it was made, in milliseconds since 1970.
    pub at: i64,
    /// Of how many persons.
    pub persons: usize,
}

/// Takes a backup of `source` into `place`: what is new since the last one there, and the manifest.
///
/// # Errors
/// [`Error::Backup`] when what is there is damaged or of another ledger; [`Error::Corrupt`] when the source is
/// damaged, so that no backup passes on damage; [`Error::Key`] when the source was never opened by
/// this version; [`Error::Storage`], [`Error::File`]. The backups before are as they were.
pub fn take(source: &Source<'_>, place: &dyn Place, terms: Terms) -> Result<Taken, Error> {
    let all = read_all(place)?;
    sweep(place, &all)?;
    let last = all.last();
    if last.is_some_and(|it| it.municipality != source.municipality) {
        return Err(other("this place holds the backups of another municipality"));
    }
    let mut taking = Taking { source, place, terms, written: 0 };
    let mut ledgers = Vec::new();
    for kind in LEDGERS {
        ledgers.push(taking.ledger(kind, &all)?);
    }
    let (at, before) = following(place, last, terms.now)?;
    let keys = taking.keys(last, at)?;
    taking.not_overtaken(&ledgers)?;
    let mut files = Vec::new();
    for (name, content) in source.files {
        files.push((name.clone(), taking.file(content, last)?));
    }
    let written = taking.written;
    let municipality = source.municipality.to_owned();
    let (name, version) = (String::new(), VERSION);
    let mut manifest = Manifest { name, version, at, before, municipality, ledgers, keys, files };
    manifest.keep(place)?;
    let erased = erased(&source.directory.join("ledger.db"))?;
    let copies = kept_copies(place, all.iter().chain([&manifest]))?;
    let newest = manifest.keys.piece.name.as_str();
    let (mut pruned, mut opening) = (Vec::new(), Vec::new());
    for copy in copies {
        let name = copy.piece.name.clone();
        if name != newest && copy.at < at.saturating_sub(terms.keep_keys) {
            place.remove(&name)?;
            pruned.push(name);
            continue;
        }
        let persons: BTreeSet<PersonId> = erased
            .iter()
            .filter(|it| it.position > copy.erased_through)
            .map(|it| it.person)
            .collect();
        let persons = persons.len();
        if persons > 0 {
            opening.push(Opening { name, at: copy.at, persons });
        }
    }
    Ok(Taken { manifest, written, pruned, opening })
}

/// The copies of `keys.db` that are there, the oldest first.
fn kept_copies<'a>(
    place: &dyn Place,
    all: impl Iterator<Item = &'a Manifest>,
) -> Result<Vec<KeysCopy>, Error> {
    let there: BTreeSet<String> = place.list()?.into_iter().collect();
    let copies: BTreeMap<String, KeysCopy> =
        all.map(|it| (it.keys.piece.name.clone(), it.keys.clone())).collect();
    Ok(copies.into_values().filter(|it| there.contains(&it.piece.name)).collect())
}

/// Takes away pieces that no manifest names: a backup that was ended in its middle left them.
fn sweep(place: &dyn Place, all: &[Manifest]) -> Result<(), Error> {
    let named: BTreeSet<&str> =
        all.iter().flat_map(Manifest::pieces).map(|piece| piece.name.as_str()).collect();
    for name in place.list()? {
        if name.contains('/') && !named.contains(name.as_str()) {
            place.remove(&name)?;
        }
    }
    Ok(())
}

fn other(what: &'static str) -> Error {
    Error::Backup { piece: String::new(), what }
}

fn piece(name: String, (bytes, sha256): Kept) -> Piece {
    Piece { name, bytes, sha256: Bytes(sha256.to_vec()) }
}

struct Taking<'a> {
    source: &'a Source<'a>,
    place: &'a dyn Place,
    terms: Terms,
    written: u64,
}

impl Taking<'_> {
    fn ledger(&mut self, kind: &str, all: &[Manifest]) -> Result<Part, Error> {
        let path = self.source.directory.join(format!("{kind}.db"));
        let name = format!("{}/{kind}", self.source.municipality);
        std::fs::metadata(&path).map_err(Error::file("opening a ledger"))?;
        let keys = published(&self.source.directory.join("keys.db"), &name)?;
        let mut connection = store::open_readable(&path)?;
        let head =
            connection.head()?.ok_or(Error::Corrupt { position: 0, what: "there is no head" })?;
        let parts: Vec<&Part> = all.iter().filter_map(|it| it.part(kind)).collect();
        let last = parts.last().and_then(|part| part.head.head());
        let mut end = last.unwrap_or(Head { position: 0, hash: [0; 32], signature: Vec::new() });
        let head_key = Bytes(keys.head.to_vec());
        let is_same = parts.last().is_none_or(|it| it.head_key == head_key);
        if !is_same
            || end.position > head.position
            || hash_at(&connection, end.position)? != end.hash
        {
            return Err(other(
                "the ledger is not the one whose backups are here, or was cut or restored to an earlier \
                 time; begin a new place",
            ));
        }
        let begun = end.position;
        let mut segments = Vec::new();
        while end.position < head.position {
            segments.push(self.segment(kind, &mut connection, &mut end, head.position)?);
        }
        if end.hash != head.hash {
            let position = head.position;
            return Err(Error::Corrupt { position, what: "the last entry is not the head's" });
        }
        let (resealings, replaced) = self.replaced(kind, &connection, begun, head.position)?;
        let noted = parts.iter().flat_map(|it| &it.notes).map(|(size, _)| *size).max();
        let mut notes = connection.notes_after(noted.unwrap_or(0), usize::MAX)?;
        notes.retain(|(size, _)| *size <= head.position);
        Ok(Part {
            ledger: name,
            head_key,
            checkpoint_key: keys.checkpoints.to_string(),
            checkpoints: checkpoints(&connection, begun, head.position)?,
            head: Signed::of(&head),
            segments,
            resealings,
            replaced,
            notes,
        })
    }

    /// Copies entries and bodies from after `end` on, at most to `through`, in one consistent state, and
    /// moves `end`.
    fn segment(
        &mut self,
        kind: &str,
        connection: &mut Connection,
        end: &mut Head,
        through: Position,
    ) -> Result<Segment, Error> {
        let first = end.position + 1;
        let tx = connection.transaction().map_err(Error::storage("reading for a backup"))?;
        let name = |of: &str| format!("{kind}/{first:012}.{of}");
        let (entries_name, bodies_name) = (name("entries"), name("bodies"));
        let (most, mut bodies) = (self.terms.segment_bytes, None);
        let mut after = None;
        // Both files are written in one pass over the rows.
        let entries = self.place.keep(&entries_name, &mut |entries_path| {
            let mut entries = Writing::begin(entries_path)?;
            let mut reached = end.clone();
            let kept = self.place.keep(&bodies_name, &mut |bodies_path| {
                reached = end.clone();
                let mut bodies = Writing::begin(bodies_path)?;
                copy(&tx, &mut reached, through, most, &mut entries, &mut bodies)?;
                bodies.end()
            })?;
            entries.end()?;
            (bodies, after) = (Some(kept), Some(reached));
            Ok(())
        })?;
        let (Some(bodies), Some(after)) = (bodies, after) else {
            return Err(other("the place did not keep a segment"));
        };
        *end = after;
        self.written += entries.0 + bodies.0;
        let (entries, bodies) = (piece(entries_name, entries), piece(bodies_name, bodies));
        Ok(Segment { first, last: end.position, entries, bodies })
    }

    /// Entries after `begun` that erase single records, and what they replaced bodies by that were backed up
    /// before.
    fn replaced(
        &mut self,
        kind: &str,
        connection: &Connection,
        begun: Position,
        through: Position,
    ) -> Result<(Vec<Position>, Option<Piece>), Error> {
        let all = connection.ended(Kind::Resealings, 0)?.into_iter().map(|(position, _)| position);
        let new: Vec<Position> = all.filter(|it| (begun + 1..=through).contains(it)).collect();
        if new.is_empty() || begun == 0 {
            return Ok((new, None));
        }
        let failed = "reading replaced bodies for a backup";
        let name = format!("{kind}/{:012}.replaced", begun + 1);
        let kept = self.place.keep(&name, &mut |path| {
            let mut bodies = Writing::begin(path)?;
            let mut select = connection
                .prepare(
                    "SELECT s.position, b.bytes FROM resealed s LEFT JOIN body b ON b.position = s.position
                     WHERE s.resealing > ?1 AND s.position <= ?1 ORDER BY s.position",
                )
                .map_err(Error::storage(failed))?;
            let mut rows = select.query([begun]).map_err(Error::storage(failed))?;
            while let Some(row) = rows.next().map_err(Error::storage(failed))? {
                let read = || Ok((row.get(0)?, row.get_ref(1)?.as_blob_or_null()?));
                let (position, body): (_, Option<&[u8]>) =
                    read().map_err(Error::storage(failed))?;
                bodies.put(position, body.unwrap_or_default())?;
            }
            bodies.end()
        })?;
        self.written += kept.0;
        Ok((new, Some(piece(name, kept))))
    }

    /// That no record was erased while the backup was taken: bodies and keys would be of two times.
    fn not_overtaken(&self, ledgers: &[Part]) -> Result<(), Error> {
        let connection = store::open_readable(&self.source.directory.join("ledger.db"))?;
        let reached = ledgers.first().map_or(0, |part| part.head.position);
        match connection.ended(Kind::Resealings, 0)?.last() {
            Some((position, _)) if *position > reached => {
                Err(other("a record was erased while the backup was taken; take it again"))
            }
            _ => Ok(()),
        }
    }

    /// A whole copy of `keys.db`, as it is after the ledgers were read; none where the last is the same.
    fn keys(&mut self, last: Option<&Manifest>, at: i64) -> Result<KeysCopy, Error> {
        let erased = erased(&self.source.directory.join("ledger.db"))?;
        let connection = store::open_readable(&self.source.directory.join("keys.db"))?;
        let name = format!("keys/{at:015}.db");
        let mut erased_through = 0;
        let kept = self.place.keep(&name, &mut |path| {
            erased_through = copy_keys(&connection, path, &erased)?;
            Ok(())
        })?;
        let piece = piece(name, kept);
        let there = self.place.list()?;
        if let Some(last) = last.map(|it| &it.keys)
            && last.piece.sha256 == piece.sha256
            && there.contains(&last.piece.name)
        {
            self.place.remove(&piece.name)?;
            return Ok(KeysCopy { erased_through, ..last.clone() });
        }
        self.written += piece.bytes;
        Ok(KeysCopy { piece, at, erased_through })
    }

    fn file(&mut self, content: &[u8], last: Option<&Manifest>) -> Result<Piece, Error> {
        let hash = sha256(&[content]);
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let name = format!("files/{hex}");
        let is_there = last.is_some_and(|it| it.files.iter().any(|(_, piece)| piece.name == name));
        if is_there {
            return Ok(piece(name, (content.len() as u64, hash)));
        }
        let kept = self.place.keep(&name, &mut |path| {
            let file = std::fs::File::create(path).and_then(|mut file| file.write_all(content));
            file.map_err(Error::file("keeping a file in the backup"))
        })?;
        self.written += kept.0;
        Ok(piece(name, kept))
    }
}

/// Position, entry, body, and what the body must hash to where a resealing says so.
type Row<'a> = (Position, &'a [u8], Option<&'a [u8]>, Option<Option<&'a [u8]>>);

/// Copies rows until the segment is full, and verifies each link of the chain on the way.
fn copy(
    tx: &Transaction<'_>,
    reached: &mut Head,
    through: Position,
    most: u64,
    entries: &mut Writing,
    bodies: &mut Writing,
) -> Result<(), Error> {
    let failed = Error::storage;
    let mut select = tx
        .prepare_cached(
            "SELECT e.position, e.bytes, b.bytes, s.position IS NOT NULL, s.hash FROM entry e
             LEFT JOIN body b ON b.position = e.position LEFT JOIN resealed s ON s.position = e.position
             WHERE e.position > ?1 AND e.position <= ?2 ORDER BY e.position",
        )
        .map_err(failed("reading for a backup"))?;
    let mut rows =
        select.query(params![reached.position, through]).map_err(failed("reading for a backup"))?;
    let (mut size, mut copied) = (0, false);
    while size < most
        && let Some(row) = rows.next().map_err(failed("reading for a backup"))?
    {
        let read = || -> rusqlite::Result<Row<'_>> {
            let body = row.get_ref(2)?.as_blob_or_null()?;
            let hash = row.get_ref(4)?.as_blob_or_null()?;
            let named = row.get::<_, bool>(3)?.then_some(hash);
            Ok((row.get(0)?, row.get_ref(1)?.as_blob()?, body, named))
        };
        let (position, entry, body, named) = read().map_err(failed("reading for a backup"))?;
        let damaged = |what| Error::Corrupt { position, what };
        let decoded =
            Entry::from_canonical(entry).map_err(|_| damaged("the entry does not decode"))?;
        if (position, decoded.position) != (reached.position + 1, position)
            || decoded.prev_hash != reached.hash
        {
            return Err(damaged("the chain is broken before the entry"));
        }
        let found = body.map(|body| sha256(&[body]));
        if found.as_ref().map(<[u8; 32]>::as_slice) != named.unwrap_or(Some(&decoded.body_hash)) {
            return Err(damaged("the body is not the one the ledger names"));
        }
        entries.put(position, entry)?;
        bodies.put(position, body.unwrap_or_default())?;
        size += body.map_or(0, |body| body.len() as u64);
        copied = true;
        (reached.position, reached.hash) = (position, chain::hash(entry));
    }
    match copied {
        false => {
            Err(Error::Corrupt { position: reached.position + 1, what: "the entry is missing" })
        }
        true => Ok(()),
    }
}

/// Writes a copy of `keys.db` without anything that was deleted from it. The answer is up to which
/// erasure no key of an erased person is in it.
///
/// The read is short: an erasure that waits for it would wait with all that is to be appended.
fn copy_keys(connection: &Connection, path: &Path, erased: &[Ended]) -> Result<Position, Error> {
    let failed = "copying keys.db";
    if path.exists() {
        std::fs::remove_file(path).map_err(Error::file(failed))?;
    }
    let text = path.to_str().ok_or(other("the place's name is no text"))?;
    connection.execute("VACUUM INTO ?1", [text]).map_err(Error::storage(failed))?;
    let copy = Connection::open(path).map_err(Error::storage(failed))?;
    // A key that was exchanged since opens what was sealed before as little as one that is gone.
    let mut select = copy
        .prepare(
            "SELECT count(wrapped) FROM person WHERE id = ?1 AND (?2 OR NOT EXISTS
             (SELECT 1 FROM turned WHERE person = id AND position >= ?3))",
        )
        .map_err(Error::storage(failed))?;
    let mut through = 0;
    for Ended { position, person, is_whole } in erased {
        let opens: u64 = select
            .query_row(params![person.0, is_whole, position], |row| row.get(0))
            .map_err(Error::storage(failed))?;
        if opens > 0 {
            break;
        }
        through = *position;
    }
    Ok(through)
}

/// Something that was erased: the key that had sealed it is gone.
struct Ended {
    position: Position,
    person: PersonId,
    /// Whether it is all about the person, or single records.
    is_whole: bool,
}

/// What was erased where, in order.
fn erased(ledger: &Path) -> Result<Vec<Ended>, Error> {
    let connection = store::open_readable(ledger)?;
    let persons = connection.ended(Kind::Erasures, 0)?;
    let ended = |is_whole| move |(position, person)| Ended { position, person, is_whole };
    let records = connection.ended(Kind::Resealings, 0)?.into_iter().map(ended(false));
    let mut all: Vec<Ended> = persons.into_iter().map(ended(true)).chain(records).collect();
    all.sort_by_key(|it| it.position);
    Ok(all)
}

fn hash_at(connection: &Connection, position: Position) -> Result<[u8; 32], Error> {
    if position == 0 {
        return Ok([0; 32]);
    }
    connection
        .query_row("SELECT bytes FROM entry WHERE position = ?1", [position], |row| {
            Ok(chain::hash(row.get_ref(0)?.as_blob()?))
        })
        .map_err(Error::storage("reading the entry that was backed up last"))
}

fn checkpoints(
    connection: &Connection,
    after: Position,
    through: Position,
) -> Result<Vec<Signed>, Error> {
    connection
        .prepare(
            "SELECT position, hash, signature FROM checkpoint
             WHERE position > ?1 AND position <= ?2 ORDER BY position",
        )
        .and_then(|mut select| {
            let signed = |row: &rusqlite::Row<'_>| {
                let (hash, signature) = (Bytes(row.get(1)?), Bytes(row.get(2)?));
                Ok(Signed { position: row.get(0)?, hash, signature })
            };
            select.query_map([after.cast_signed(), through.cast_signed()], signed)?.collect()
        })
        .map_err(Error::storage("reading checkpoints for a backup"))
}
