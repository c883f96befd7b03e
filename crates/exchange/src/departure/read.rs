//! Reading an export with nothing but a public key: everything in it is verified on the way.
//!
//! What is proven: the entries are those of the signed checkpoint, all of them, in order and unchanged, with
//! time, kind, source, event, owner, person and category; each has its content in the folder, or it is told as
//! erased and an entry says so. That a content is the entry's own is the municipality's word, which has signed the
//! manifest: the entry binds what it was sealed as, and the keys stay where they are.
//!
//! Invariants: memory grows with what was erased alone; the first flaw ends it, with file and line.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Component, Path, PathBuf};

use fhir::json;
use ledger::chain::entry_hash;
use ledger::crypto::{Sha256, sha256};
use ledger::keys::statement::verify_statement;
use ledger::merkle::{self, Frontier};
use ledger::note::{Checkpoint, VerifierKey};
use record::entry::{Entry, Kind, Position};
use record::identity::PersonId;

use super::line::{Line, Told};
use super::manifest::{self, FORMAT, Manifest, Part};
use super::resource::{stamped, taken};
use super::{
    AUDIT_EVENTS, CURRENT, DECISIONS, DELETED, HISTORY, LEDGERS, MANIFEST, PERSONS, SIGNATURE,
    failed, flaw, hex, persons, statement,
};
use crate::error::Failure;

/// Largest manifest that is read, in bytes.
const MOST_MANIFEST: u64 = 64 << 20;
/// Longest line that is read, in bytes: a body has at most 64 MiB, and JSON may write it at twice that.
const MOST_LINE: u64 = 160 << 20;

const CHANGED: &str = "it is not the file that the manifest names; have the export sent again";

/// An export whose manifest is verified, and nothing else of it yet.
pub struct Export {
    root: PathBuf,
    /// What is in it.
    pub manifest: Manifest,
    /// SHA-256 of the manifest, hexadecimal.
    pub digest: String,
    key: [u8; 32],
}

/// An entry with its content.
pub struct Item {
    /// The entry, as it was in the ledger that was left.
    pub entry: Entry,
    /// Its plain body; nothing where it was erased.
    pub body: Option<Vec<u8>>,
    /// SHA-256 of what the source sent; zeros where that cannot be told any more.
    pub fingerprint: [u8; 32],
}

impl Export {
    /// Opens an export that the municipality with this key has signed: any of its checkpoint keys, from where
    /// you trust.
    ///
    /// # Errors
    /// [`Failure::Export`] where it is unfinished, not the municipality's, or was changed;
    /// [`Failure::Unavailable`] where it cannot be read.
    pub fn open(root: &Path, key: &VerifierKey) -> Result<Self, Failure> {
        let whole = |name: &str| {
            let path = root.join(name);
            match File::open(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(flaw(
                    name,
                    None,
                    "it is missing: the export was never finished, or is another folder",
                )),
                file => {
                    let mut content = Vec::new();
                    let read = file.and_then(|it| it.take(MOST_MANIFEST).read_to_end(&mut content));
                    read.map(|_| content).map_err(failed("reading", &path))
                }
            }
        };
        let (content, note) = (whole(MANIFEST)?, whole(SIGNATURE)?);
        let manifest: Manifest = serde_json::from_slice(&content).map_err(|_| {
            flaw(MANIFEST, None, "it is no manifest that this version knows; use a newer fkj")
        })?;
        if manifest.format != FORMAT || manifest.ledgers.len() != LEDGERS.len() {
            return Err(flaw(MANIFEST, None, "the format is not known; use a newer fkj"));
        }
        let is_within = |name: &str| {
            Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
        };
        if !manifest.files.iter().all(|file| is_within(&file.name)) {
            return Err(flaw(MANIFEST, None, "it names files outside the folder"));
        }
        if !key.origin.split('/').any(|part| part == manifest.municipality) {
            return Err(flaw(MANIFEST, None, "the export is of another municipality than the key"));
        }
        let note = String::from_utf8(note).unwrap_or_default();
        verify_statement(&note, &statement(&manifest.municipality), &key.key, &content)
            .map_err(|_| flaw(SIGNATURE, None, "the manifest is not signed by this key: it was changed, or the key is another's"))?;
        let digest = hex(&sha256(&[&content]));
        Ok(Self { root: root.to_owned(), manifest, digest, key: key.key })
    }

    /// Verifies all of it.
    ///
    /// # Errors
    /// The first flaw.
    pub fn check(&self) -> Result<(), Failure> {
        self.walk(&mut |_, _| Ok(()))
    }

    /// Verifies all of it, and hands on each entry: first of the clinical ledger, then of the log.
    /// What is handed on is verified by itself; that it is all, only at the end.
    ///
    /// # Errors
    /// The first flaw, and those of `each`.
    pub fn walk(
        &self,
        each: &mut dyn FnMut(&'static str, Item) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut files = Files { root: &self.root, open: BTreeMap::new() };
        for ((kind, lines), part) in LEDGERS.into_iter().zip(&self.manifest.ledgers) {
            let name = format!("{}/{kind}", self.manifest.municipality);
            let key = VerifierKey::parse(&part.key).ok().filter(|key| key.key == self.key);
            let key = key.filter(|key| key.origin == ledger::note::origin(&name));
            let checkpoint = key.and_then(|key| Checkpoint::open(&part.checkpoint, &key).ok());
            let checkpoint =
                checkpoint.filter(|it| it.size == part.entries && part.ledger == name).ok_or_else(
                    || flaw(MANIFEST, None, "a ledger's checkpoint is not the municipality's"),
                )?;
            Walk { files: &mut files, lines, claims: Claims::default() }.ledger(
                part,
                &checkpoint,
                &mut |item| each(kind, item),
            )?;
        }
        files.end(&self.manifest.files)?;
        self.nothing_else()
    }

    /// The persons, with the numbers they are found by.
    pub(super) fn persons(
        &self,
        each: &mut dyn FnMut(PersonId, persons::Line) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut files = Files { root: &self.root, open: BTreeMap::new() };
        if !self.manifest.files.iter().any(|file| file.name == PERSONS) {
            return Ok(());
        }
        while let Some(line) = files.line(PERSONS)? {
            let at = files.at(PERSONS);
            let read: Option<persons::Line> = serde_json::from_slice(&line).ok();
            let person = read.as_ref().and_then(|line| PersonId::parse(&line.person));
            let (Some(line), Some(person)) = (read, person) else {
                return Err(flaw(PERSONS, at, "this is no person"));
            };
            each(person, line)?;
        }
        Ok(())
    }

    /// Reads a small file.
    pub(super) fn file(&self, name: &str) -> Result<Vec<u8>, Failure> {
        let path = self.root.join(name);
        std::fs::read(&path).map_err(failed("reading", &path))
    }

    /// That nothing was added.
    fn nothing_else(&self) -> Result<(), Failure> {
        let listed = self.manifest.files.iter().map(|it| it.name.as_str());
        let listed: BTreeSet<&str> = listed.chain([MANIFEST, SIGNATURE]).collect();
        let mut open = vec![PathBuf::new()];
        while let Some(folder) = open.pop() {
            let path = self.root.join(&folder);
            for entry in std::fs::read_dir(&path).map_err(failed("reading", &path))? {
                let entry = entry.map_err(failed("reading", &path))?;
                let name = folder.join(entry.file_name());
                let is_folder = entry.file_type().is_ok_and(|it| it.is_dir());
                let text = name.to_string_lossy().into_owned();
                match is_folder {
                    true => open.push(name),
                    false if listed.contains(text.as_str()) => {}
                    false => {
                        return Err(flaw(&text, None, "it is not in the manifest; take it away"));
                    }
                }
            }
        }
        Ok(())
    }
}

/// What is told as erased, until an entry says so.
#[derive(Default)]
struct Claims {
    open: BTreeMap<Position, PersonId>,
    persons: BTreeSet<PersonId>,
    records: BTreeSet<Position>,
}

struct Walk<'f, 'r> {
    files: &'f mut Files<'r>,
    lines: &'static str,
    claims: Claims,
}

impl Walk<'_, '_> {
    fn ledger(
        mut self,
        part: &Part,
        checkpoint: &Checkpoint,
        each: &mut dyn FnMut(Item) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let (mut tree, mut before, mut erased) = (Frontier::default(), [0; 32], 0);
        for position in 1..=part.entries {
            let wrong = |what| flaw(self.lines, position, what);
            let line = self.files.line(self.lines)?;
            let line = line.ok_or_else(|| wrong("the file ends before the ledger's checkpoint"))?;
            let line: Line =
                serde_json::from_slice(&line).map_err(|_| wrong("this is no entry's line"))?;
            let entry = line.entry().ok_or_else(|| wrong("the entry is not what the line says"))?;
            if entry.position != position || entry.prev_hash != before {
                return Err(wrong("the chain is broken before the entry"));
            }
            before = entry_hash(&entry);
            let pushed: Result<(), std::convert::Infallible> =
                tree.push(merkle::leaf(&before), |_, _| Ok(()));
            let Ok(()) = pushed;
            let body = self.body(&entry, &line)?;
            erased += u64::from(body.is_none());
            let fingerprint = line.fingerprint.as_deref().map_or(Some([0; 32]), bytes);
            let fingerprint = fingerprint.ok_or_else(|| wrong("the fingerprint is none"))?;
            each(Item { entry, body, fingerprint })?;
        }
        if tree.root() != checkpoint.root || erased != part.erased {
            return Err(flaw(
                self.lines,
                None,
                "the entries are not those of the signed checkpoint",
            ));
        }
        let Claims { open, persons, records } = &self.claims;
        let unsaid =
            open.iter().find(|(at, person)| !persons.contains(person) && !records.contains(at));
        match unsaid {
            Some((at, _)) => {
                Err(flaw(self.lines, *at, "the content is missing, and no entry erases it"))
            }
            None => Ok(()),
        }
    }

    /// The plain body of an entry, with what stands in the files.
    fn body(&mut self, entry: &Entry, line: &Line) -> Result<Option<Vec<u8>>, Failure> {
        let wrong = |what| flaw(self.lines, entry.position, what);
        let Some(place) = &line.content else {
            let person = entry.person.filter(|_| entry.kind != Kind::Audit);
            let person = person.ok_or_else(|| wrong("the content of nobody's entry is missing"))?;
            self.claims.open.insert(entry.position, person);
            return Ok(None);
        };
        let file = place.file.as_str();
        if !is_place(entry.kind, file) {
            return Err(wrong("the content stands in a file that is not for it"));
        }
        let content = self.files.line(file)?;
        let at = self.files.at(file);
        let wrong = |what| flaw(file, at, what);
        let content = content.ok_or_else(|| wrong("the file ends before the content"))?;
        if hex(&sha256(&[&content])) != place.sha256 {
            return Err(wrong("the line is not the one that the entry's line names"));
        }
        let content = std::str::from_utf8(&content).map_err(|_| wrong("the line is no text"))?;
        let (is_right, resource) = match entry.kind {
            Kind::Version => {
                let resource = resource(entry, line, content).ok_or_else(|| {
                    wrong("the resource is not the one that the entry's line names")
                })?;
                (true, resource)
            }
            Kind::Removal => {
                (line.envelope().is_some_and(|it| line.deleted(&it) == content), String::new())
            }
            Kind::Audit => (is_event_of(content, &line.told), String::new()),
            Kind::Decision | Kind::Erasure | Kind::Resealing => {
                (line.decided() == content, String::new())
            }
        };
        if !is_right {
            return Err(wrong("the line says otherwise than the entry's line"));
        }
        match (entry.kind, entry.person) {
            (Kind::Erasure, Some(person)) => drop(self.claims.persons.insert(person)),
            (Kind::Resealing, _) => {
                let erased = line.resealing().map(|it| it.erased).unwrap_or_default();
                self.claims.records.extend(erased);
            }
            _ => {}
        }
        Ok(Some(line.plain(resource.as_bytes())))
    }
}

/// Whether a file is where the content of such an entry stands.
fn is_place(kind: Kind, file: &str) -> bool {
    let in_folder = |folder: &str| {
        let name = file.strip_prefix(folder).and_then(|it| it.strip_prefix('/'));
        let name = name.and_then(|it| it.strip_suffix(".ndjson"));
        name.is_some_and(|it| fhir::definitions::resource_kind(it).is_some())
    };
    match kind {
        Kind::Version => in_folder(CURRENT) || in_folder(HISTORY),
        Kind::Removal => file == DELETED,
        Kind::Audit => file == AUDIT_EVENTS,
        Kind::Decision | Kind::Erasure | Kind::Resealing => file == DECISIONS,
    }
}

/// The resource as it was taken; nothing where the line is not what it becomes as this entry.
fn resource(entry: &Entry, line: &Line, content: &str) -> Option<String> {
    let value = json::parse(content.as_bytes()).ok()?;
    let taken = line.taken.clone().unwrap_or_else(|| taken(&value));
    let (resource, envelope) = (stamped(&taken, entry)?, line.envelope()?);
    let is_named = resource.kind() == envelope.kind && resource.id() == Some(&envelope.id);
    (is_named && json::print(resource.value()) == content).then_some(taken)
}

/// Whether a line is the AuditEvent of an entry.
fn is_event_of(content: &str, told: &Told) -> bool {
    json::parse(content.as_bytes()).is_ok_and(|event| {
        event.text("resourceType") == Some("AuditEvent")
            && event.text("id") == Some(&told.position.to_string())
            && event.text("recorded") == Some(&told.recorded)
    })
}

fn bytes(hex: &str) -> Option<[u8; 32]> {
    let mut out = [0; 32];
    for (i, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * i..2 * i + 2)?, 16).ok()?;
    }
    (hex.len() == 64).then_some(out)
}

/// The files that are being read, each line once.
struct Files<'a> {
    root: &'a Path,
    open: BTreeMap<String, In>,
}

struct In {
    file: BufReader<File>,
    hash: Sha256,
    bytes: u64,
    lines: u64,
}

impl Files<'_> {
    /// The next line of a file, without its line feed; nothing at the end.
    fn line(&mut self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        let path = self.root.join(name);
        let it = self.of(name)?;
        let mut line = Vec::new();
        let read = it.file.by_ref().take(MOST_LINE).read_until(b'\n', &mut line);
        if read.map_err(failed("reading", &path))? == 0 {
            return Ok(None);
        }
        it.hash.update(&line);
        it.bytes += line.len() as u64;
        it.lines += 1;
        match line.pop() {
            Some(b'\n') => Ok(Some(line)),
            _ => Err(flaw(name, it.lines, "the line is cut")),
        }
    }

    /// The number of the line that was read last.
    fn at(&self, name: &str) -> Option<u64> {
        self.open.get(name).map(|it| it.lines)
    }

    fn of(&mut self, name: &str) -> Result<&mut In, Failure> {
        let path = self.root.join(name);
        if !self.open.contains_key(name) {
            let file = File::open(&path).map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => flaw(name, None, "the file is missing"),
                _ => failed("reading", &path)(error),
            })?;
            let file = BufReader::with_capacity(1 << 16, file);
            let it = In { file, hash: Sha256::new(), bytes: 0, lines: 0 };
            self.open.insert(name.to_owned(), it);
        }
        self.open.get_mut(name).ok_or_else(|| flaw(name, None, "the file is missing"))
    }

    /// That each file is what the manifest says, and all of it was read where lines of it were.
    fn end(mut self, named: &[manifest::File]) -> Result<(), Failure> {
        for file in named {
            let name = file.name.as_str();
            // Entries name lines in these; what no entry names was added.
            let by_line = self.open.contains_key(name);
            let path = self.root.join(name);
            let it = self.of(name)?;
            let mut buffer = vec![0; 1 << 16];
            let mut left = 0;
            loop {
                let count = it.file.read(&mut buffer).map_err(failed("reading", &path))?;
                let Some(read) = buffer.get(..count).filter(|read| !read.is_empty()) else { break };
                it.hash.update(read);
                it.bytes += read.len() as u64;
                left += read.len();
            }
            if by_line && left > 0 {
                return Err(flaw(name, it.lines + 1, "no entry names this line"));
            }
            let it = self.open.remove(name);
            let is_same =
                it.is_some_and(|it| it.bytes == file.bytes && hex(&it.hash.end()) == file.sha256);
            if !is_same || (!by_line && is_lines(name)) {
                return Err(flaw(name, None, CHANGED));
            }
        }
        match self.open.into_keys().next() {
            Some(name) => Err(flaw(&name, None, "it is not in the manifest")),
            None => Ok(()),
        }
    }
}

/// Whether the lines of a file are named by entries.
fn is_lines(name: &str) -> bool {
    name.ends_with(".ndjson") && name != PERSONS
}
