//! Where several servers share a ledger: the looks that this one has answered, kept by itself, on their way to the
//! audit ledger of all.
//!
//! A look is on this server's disk before anything leaves, so that reading goes on while the database cannot
//! take it, and waits for no network. What is told over is a repeat to the audit ledger, by its id.
//!
//! Invariant: this server's own log is a ledger of its own, whole and chained, so that what was told over can be
//! compared with it.

use std::path::Path;
use std::sync::Arc;

use ledger::append::Draft;
use ledger::ledger::{Ledger, LedgerOptions};
use ledger::random::Random;
use record::entry::Position;
use tokio::sync::watch;

use crate::audit::AuditRecord;
use crate::error::Failure;
use crate::tenant::Tenant;

/// The file with this server's own log, in the municipality's folder.
const FILE: &str = "looks.db";
/// The file with this server's name among those that share the municipality.
const NAME_FILE: &str = "server";
/// Looks told over at a time.
const AT_ONCE: usize = 500;

/// The looks of this server.
pub(crate) struct Looks {
    pub(crate) own: Ledger,
    server: String,
    kept: watch::Receiver<Position>,
}

impl Looks {
    /// Opens this server's log, or makes it. `options` are given the log's name.
    pub fn open(
        directory: &Path,
        random: &Arc<dyn Random>,
        options: impl FnOnce(&str) -> LedgerOptions,
    ) -> Result<Self, Failure> {
        let server = name(directory, random)?;
        let (keeping, kept) = watch::channel(0);
        let options = LedgerOptions {
            on_commit: Some(Box::new(move |batch| {
                if let Some(last) = batch.last() {
                    keeping.send_replace(last.entry.position);
                }
            })),
            ..options(&format!("looks-{server}"))
        };
        let own = Ledger::open(&directory.join(FILE), options)?;
        Ok(Self { own, server, kept })
    }
}

impl Tenant {
    /// The ledger that has a look on disk before anything leaves.
    pub(crate) fn looks(&self) -> &Ledger {
        self.looks.as_ref().map_or(&self.audit, |looks| &looks.own)
    }

    /// Whether looks are kept here first, and have to be told over.
    pub fn keeps_looks(&self) -> bool {
        self.looks.is_some()
    }

    /// Tells over what comes after a position of this server's log; answers how far it came, or nothing where there
    /// is nothing.
    ///
    /// # Errors
    /// Where it cannot be read, or the audit ledger cannot take it.
    pub async fn tell_over(&self, after: Position) -> Result<Option<Position>, Failure> {
        let Some(looks) = &self.looks else { return Ok(None) };
        let records = looks.own.read(after + 1, AT_ONCE)?;
        let mut drafts = Vec::with_capacity(records.len());
        for record in &records {
            let entry = &record.entry;
            let kept = AuditRecord::read(record)?;
            let moved = AuditRecord { at: Some(entry.recorded_at), ..kept };
            let body = serde_json::to_vec(&moved)
                .map_err(|error| Failure::Unavailable(error.to_string()))?;
            drafts.push(Draft {
                kind: entry.kind,
                source: entry.source.clone(),
                source_event_id: Some(format!("{}/{}", looks.server, entry.position)),
                owner: entry.owner.clone(),
                person: entry.person,
                category: entry.category.clone(),
                fingerprint: ledger::crypto::sha256(&[&body]),
                body,
                seen: None,
            });
        }
        let Some(last) = records.last() else { return Ok(None) };
        self.audit.append(drafts).await?;
        Ok(Some(last.entry.position))
    }

    /// Waits until this server has looks after a position.
    pub async fn more_looks(&self, after: Position) {
        let Some(looks) = &self.looks else { return std::future::pending().await };
        let mut kept = looks.kept.clone();
        // An end of the log is told by `/readyz`; nothing more comes then.
        if kept.wait_for(|kept| *kept > after).await.is_err() {
            std::future::pending().await
        }
    }
}

/// This server's name: made once, and never another's.
fn name(directory: &Path, random: &Arc<dyn Random>) -> Result<String, Failure> {
    let path = directory.join(NAME_FILE);
    let failed = |error: std::io::Error| {
        Failure::Unavailable(format!(
            "cannot keep this server's name in `{}`: {error}",
            path.display()
        ))
    };
    match std::fs::read_to_string(&path) {
        Ok(name) if !name.trim().is_empty() => return Ok(name.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let mut bytes = [0; 8];
    random.fill(&mut bytes)?;
    let name = format!("{:016x}", u64::from_be_bytes(bytes));
    std::fs::write(&path, &name).map_err(failed)?;
    Ok(name)
}
