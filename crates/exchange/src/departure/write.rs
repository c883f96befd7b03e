//! Making an export, with the server stopped: both ledgers are gone through once, entry by entry.
//!
//! Invariants: memory grows with the number of persons, not with what was recorded; the folder has its name
//! only when it is whole and on disk; that it was made is in the log that it holds, with who and why.

use std::collections::BTreeMap;
use std::fs::{File, Permissions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use fhir::instant::format_instant;
use fhir::json;
use ledger::append::{Body, Record};
use ledger::crypto::{Sha256, sha256};
use ledger::ledger::Ledger;
use record::entry::{Entry, Kind, Position};
use record::envelope::Envelope;

use super::line::{Line, Place};
use super::manifest::{self, FORMAT, Manifest, Part};
use super::persons::{self, Persons};
use super::resource::{stamped, taken};
use super::{
    AUDIT_EVENTS, CURRENT, DECIDED, DECISIONS, DELETED, FILES, HISTORY, LEDGERS, MANIFEST, PERSONS,
    SIGNATURE, UNFINISHED, failed, flaw, hex, statement,
};
use crate::audit::AuditRecord;
use crate::audit_event;
use crate::error::Failure;
use crate::register::answer;
use crate::tenant::Tenant;

/// Entries read at a time.
const AT_ONCE: usize = 500;

/// Action of an export in the audit ledger.
const LEAVE: &str = "admin-export-all";

impl Tenant {
    /// Writes everything that the municipality has into a folder that is not there, in open formats. `who` is an
    /// administrator as the register knows them; where it knows nobody who may change it, any name. `software`
    /// is the program's name and version.
    ///
    /// Reads both ledgers from end to end on the calling thread.
    ///
    /// # Errors
    /// Somebody whom the register does not know, no reason, a folder that is there, a ledger that cannot be read.
    /// What is written by then is in a folder that is called unfinished.
    pub async fn leave(
        &self,
        to: &Path,
        (who, why): (&str, &str),
        software: &str,
    ) -> Result<Manifest, Failure> {
        if to.exists() {
            let path = to.display();
            return Err(Failure::Unavailable(format!(
                "`{path}` is there already; name another folder"
            )));
        }
        self.operator_acts(LEAVE, who, why).await?;
        let mut checkpoints = Vec::new();
        for ledger in [self.ledger(), self.audit()] {
            let signed = ledger.sign_checkpoint().await?;
            checkpoints.push(signed.unwrap_or_default());
        }
        let root = to.with_added_extension(UNFINISHED);
        let doing = "making the folder";
        if root.exists() {
            std::fs::remove_dir_all(&root).map_err(failed("taking away", &root))?;
        }
        std::fs::create_dir_all(&root)
            .and_then(|()| std::fs::set_permissions(&root, Permissions::from_mode(0o700)))
            .map_err(failed(doing, &root))?;
        let files = Files { root: root.clone(), open: BTreeMap::new() };
        let manifest = Writing { tenant: self, files, persons: Persons::default() }
            .all(checkpoints, software)?;
        std::fs::rename(&root, to).map_err(failed("naming the folder", to))?;
        sync_folder(to.parent().unwrap_or(Path::new("."))).map_err(failed(doing, to))?;
        Ok(manifest)
    }
}

struct Writing<'a> {
    tenant: &'a Tenant,
    files: Files,
    persons: Persons,
}

impl Writing<'_> {
    fn all(mut self, checkpoints: Vec<String>, software: &str) -> Result<Manifest, Failure> {
        let tenant = self.tenant;
        let mut ledgers = Vec::new();
        let both = [tenant.ledger(), tenant.audit()];
        for ((ledger, checkpoint), (_, lines)) in both.into_iter().zip(checkpoints).zip(LEDGERS) {
            ledgers.push(self.ledger(ledger, checkpoint, lines)?);
        }
        self.persons()?;
        let register = answer::register(&tenant.decided());
        let register = serde_json::to_vec_pretty(&register).map_err(unprintable)?;
        self.files.whole(DECIDED, &register)?;
        for name in FILES {
            let path = tenant.directory().join(name);
            if path.exists() {
                let content = std::fs::read(&path).map_err(failed("reading", &path))?;
                self.files.whole(name, &content)?;
            }
        }
        let municipality = tenant.register().number.clone();
        let known = self.persons.0.values();
        let manifest = Manifest {
            format: FORMAT.to_owned(),
            software: software.to_owned(),
            made: format_instant(tenant.now()),
            ledgers,
            persons: known.len() as u64,
            without_number: known.filter(|it| it.is_empty()).count() as u64,
            files: self.files.end()?,
            municipality,
        };
        let content = serde_json::to_vec_pretty(&manifest).map_err(unprintable)?;
        let name = statement(&manifest.municipality);
        let note = tenant.keys.sign_statement(&name, &content)?;
        for (name, content) in [(MANIFEST, content.as_slice()), (SIGNATURE, note.as_bytes())] {
            self.files.whole(name, content)?;
            self.files.end()?;
        }
        Ok(manifest)
    }

    fn ledger(
        &mut self,
        ledger: &Ledger,
        checkpoint: String,
        lines: &str,
    ) -> Result<Part, Failure> {
        let key = ledger.verifier_key()?;
        let name = key.origin.split_once('/').map(|(_, name)| name).unwrap_or_default().to_owned();
        let entries = checkpoint.lines().nth(1).and_then(|it| it.parse().ok()).unwrap_or(0);
        let mut part = Part { ledger: name, entries, erased: 0, key: key.to_string(), checkpoint };
        let mut next: Position = 1;
        while next <= entries {
            let records = ledger.read(next, AT_ONCE)?;
            if records.is_empty() {
                return Err(flaw(lines, next, "the ledger ends before its checkpoint"));
            }
            for record in records.iter().filter(|it| it.entry.position <= entries) {
                let line = self.line(record)?;
                part.erased += u64::from(line.content.is_none());
                let line = serde_json::to_string(&line).map_err(unprintable)?;
                self.files.put(lines, line.as_bytes())?;
                next = record.entry.position + 1;
            }
        }
        Ok(part)
    }

    /// The line of an entry; its content is written where it belongs.
    fn line(&mut self, record: &Record) -> Result<Line, Failure> {
        let entry = &record.entry;
        let mut line = Line::of(entry);
        // The log names persons too, who need no number for it.
        if entry.kind != Kind::Audit {
            self.persons.about(entry);
        }
        let Body::Plain(body) = &record.body else { return Ok(line) };
        let broken = || {
            let position = entry.position;
            Failure::Unavailable(format!(
                "the entry at position {position} cannot be told; run `fkj ledger verify`"
            ))
        };
        let (head, resource) = match entry.kind {
            Kind::Version | Kind::Removal => split(body).ok_or_else(broken)?,
            _ => (body.as_slice(), b"".as_slice()),
        };
        for text in head.split(|byte| *byte == b'\n') {
            line.body.push(serde_json::from_slice(text).map_err(|_| broken())?);
        }
        let (file, content) = match entry.kind {
            Kind::Version => {
                line.fingerprint = self.fingerprint(entry, &line, resource)?;
                let text = std::str::from_utf8(resource).map_err(|_| broken())?;
                self.version(entry, &mut line, text)?.ok_or_else(broken)?
            }
            Kind::Removal => {
                line.fingerprint = self.fingerprint(entry, &line, resource)?;
                let envelope = line.envelope().ok_or_else(broken)?;
                (DELETED.to_owned(), line.deleted(&envelope))
            }
            Kind::Decision | Kind::Erasure | Kind::Resealing => {
                self.persons.decided(&line.body);
                (DECISIONS.to_owned(), line.decided())
            }
            Kind::Audit => {
                let register = self.tenant.register();
                let name = |number: &str| register.organisation_name(number).map(str::to_owned);
                let event = audit_event::print(entry, &AuditRecord::read(record)?, name);
                (AUDIT_EVENTS.to_owned(), json::print(&event))
            }
        };
        let told = line.taken.as_deref().map_or(resource, str::as_bytes);
        if line.plain(told) != *body {
            return Err(broken());
        }
        let sha256 = self.files.put(&file, content.as_bytes())?;
        line.content = Some(Place { file, sha256 });
        Ok(line)
    }

    /// File and line of a version; nothing where it is no resource.
    fn version(
        &mut self,
        entry: &Entry,
        line: &mut Line,
        text: &str,
    ) -> Result<Option<(String, String)>, Failure> {
        let (Some(resource), Some(envelope)) = (stamped(text, entry), line.envelope()) else {
            return Ok(None);
        };
        self.persons.named(resource.value(), &self.tenant.keys)?;
        line.taken = (taken(resource.value()) != text).then(|| text.to_owned());
        let located = self.tenant.view.locate(&envelope.kind, &envelope.id)?;
        let is_current = located.is_some_and(|it| it.version == entry.position);
        let folder = if is_current { CURRENT } else { HISTORY };
        Ok(Some((format!("{folder}/{}.ndjson", envelope.kind), json::print(resource.value()))))
    }

    /// What the source sent, as far as the entry's digest confirms it: so that the same, sent again after the
    /// move, is known again. Of an event that held several records, or came as another format, it is gone.
    fn fingerprint(
        &self,
        entry: &Entry,
        line: &Line,
        resource: &[u8],
    ) -> Result<Option<String>, Failure> {
        let (Some(_), Some(envelope)) = (&entry.source_event_id, line.envelope()) else {
            return Ok(None);
        };
        let keys = &self.tenant.keys;
        let key = match entry.person {
            Some(person) => keys.data_key(person)?,
            None => keys.ledger_key(&format!("{}/ledger", self.tenant.register().number))?,
        };
        let text = std::str::from_utf8(resource).unwrap_or_default();
        let sent = crate::prepare::fingerprints(&envelope, text);
        let sent = sent.into_iter().find(|sent| key.content_mac(sent) == entry.content_mac);
        Ok(sent.map(|sent| hex(&sent)))
    }

    fn persons(&mut self) -> Result<(), Failure> {
        for (person, identifiers) in &self.persons.0 {
            let identifiers = identifiers.iter().cloned().collect();
            let line = persons::Line { person: person.to_string(), identifiers };
            let line = serde_json::to_string(&line).map_err(unprintable)?;
            self.files.put(PERSONS, line.as_bytes())?;
        }
        Ok(())
    }
}

/// The line before a resource, and the resource.
fn split(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, resource) = Envelope::open(body).ok()?;
    let head = body.len().checked_sub(resource.len() + 1)?;
    Some((body.get(..head)?, resource))
}

fn unprintable(error: serde_json::Error) -> Failure {
    Failure::Unavailable(error.to_string())
}

/// The files that are being written.
struct Files {
    root: PathBuf,
    open: BTreeMap<String, Out>,
}

struct Out {
    file: BufWriter<File>,
    hash: Sha256,
    bytes: u64,
    lines: u64,
}

impl Files {
    /// Adds a line; the answer is its SHA-256.
    fn put(&mut self, name: &str, line: &[u8]) -> Result<String, Failure> {
        self.write(name, line)?;
        self.write(name, b"\n")?;
        Ok(hex(&sha256(&[line])))
    }

    /// Writes a file at once.
    fn whole(&mut self, name: &str, content: &[u8]) -> Result<(), Failure> {
        self.write(name, content)
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.root.join(name);
        let failed = failed("writing", &path);
        if !self.open.contains_key(name) {
            let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
            let file = folder.and_then(|()| File::create_new(&path)).map_err(&failed)?;
            let file = BufWriter::with_capacity(1 << 16, file);
            let out = Out { file, hash: Sha256::new(), bytes: 0, lines: 0 };
            self.open.insert(name.to_owned(), out);
        }
        let Some(out) = self.open.get_mut(name) else { return Ok(()) };
        out.file.write_all(bytes).map_err(failed)?;
        out.hash.update(bytes);
        out.bytes += bytes.len() as u64;
        out.lines += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        Ok(())
    }

    /// Ends all files, which are on disk then, with their folders.
    fn end(&mut self) -> Result<Vec<manifest::File>, Failure> {
        let mut files = Vec::new();
        for (name, out) in std::mem::take(&mut self.open) {
            let path = self.root.join(&name);
            let failed = failed("writing", &path);
            let file = out.file.into_inner().map_err(|error| failed(error.into_error()))?;
            file.sync_all().map_err(&failed)?;
            let sha256 = hex(&out.hash.end());
            files.push(manifest::File { name, bytes: out.bytes, lines: out.lines, sha256 });
            let folder = path.parent().unwrap_or(&self.root);
            sync_folder(folder).map_err(&failed)?;
        }
        sync_folder(&self.root).map_err(failed("writing", &self.root))?;
        Ok(files)
    }
}

/// Sees to that the names in a folder are on disk.
pub(super) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}
