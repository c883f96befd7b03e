//! Jobs: who asked for what, and how far it is. One small file for each, replaced whole.
//!
//! Invariants: a file never holds content of a resource; a job is only shown to the client that asked
//! for it; a job that is over its time is gone.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use access::caller::Caller;
use fhir::issue::IssueCode;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::bulk::export::Export;
use crate::bulk::import::Progress;
use crate::bulk::later::Later;
use crate::error::Failure;

/// How long a job is kept after its last change: one day, in milliseconds.
pub const LIFETIME: i64 = 24 * 60 * 60 * 1000;

/// Most jobs a client may have at a time.
const MOST: usize = 100;

/// A job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// Its id: for an export given by the platform, for an import chosen by the client.
    pub id: String,
    /// The client that asked.
    pub client: String,
    /// When it ends to exist, milliseconds since 1970.
    pub expires: i64,
    /// What is done.
    pub work: Work,
}

/// What a job does.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Work {
    /// Gives out.
    Export(Export),
    /// Takes in.
    Import(Progress),
    /// Answers a request in the background. Never in a file.
    #[serde(skip)]
    Answer(Later),
}

/// The jobs of one municipality.
pub struct Jobs {
    directory: PathBuf,
    known: Mutex<BTreeMap<String, Job>>,
}

impl Jobs {
    /// Opens the jobs kept in `directory`, which is made with the first one. A file that cannot be read
    /// is left alone and told in the log: a job can be asked for again.
    pub fn open(directory: &Path) -> Self {
        let listed = fs::read_dir(directory).into_iter().flatten().flatten();
        let mut known = BTreeMap::new();
        for path in listed.map(|entry| entry.path()) {
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let job = fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
            match job {
                Some(job) => {
                    let job: Job = job;
                    known.insert(key(&job.client, &job.id), job);
                }
                None => tracing::warn!(file = %path.display(), "a job's file cannot be read"),
            }
        }
        Self { directory: directory.to_owned(), known: Mutex::new(known) }
    }

    /// The caller's job with this id.
    pub fn find(&self, caller: &Caller, id: &str, now: i64) -> Option<Job> {
        let known = self.known.lock();
        known.get(&key(&caller.client_id, id)).filter(|job| job.expires > now).cloned()
    }

    /// Keeps a job as it is now. Jobs over their time are cleared away.
    pub fn keep(&self, job: &Job, now: i64) -> Result<(), Failure> {
        let mut known = self.known.lock();
        let over: Vec<String> = known
            .iter()
            .filter(|(_, known)| known.expires <= now)
            .map(|(key, _)| key.clone())
            .collect();
        for key in over {
            self.forget(&mut known, &key);
        }
        let name = key(&job.client, &job.id);
        let own = known.values().filter(|known| known.client == job.client).count();
        if own >= MOST && !known.contains_key(&name) {
            let text = format!("there are {MOST} jobs already; delete those that are done");
            return Err(Failure::invalid(IssueCode::TooCostly, "", text));
        }
        if !matches!(job.work, Work::Answer(_)) {
            self.write(&name, job).map_err(|error| {
                let directory = self.directory.display();
                Failure::Unavailable(format!("cannot write in `{directory}`: {error}"))
            })?;
        }
        known.insert(name, job.clone());
        Ok(())
    }

    /// Ends the caller's job with this id; `false` where there is none.
    pub fn end(&self, caller: &Caller, id: &str) -> bool {
        self.forget(&mut self.known.lock(), &key(&caller.client_id, id))
    }

    /// Ends what was given out, or waits to be fetched, as of a time (milliseconds since 1970) or earlier:
    /// exports and answers of all clients. A file of theirs names what was asked for.
    pub(crate) fn end_given(&self, before: i64) {
        let mut known = self.known.lock();
        let is_given = |job: &Job| match &job.work {
            Work::Export(export) => export.time <= before,
            Work::Answer(_) => true,
            Work::Import(_) => false,
        };
        let given = known.iter().filter(|(_, job)| is_given(job));
        let given: Vec<String> = given.map(|(key, _)| key.clone()).collect();
        for key in given {
            self.forget(&mut known, &key);
        }
    }

    /// How many bytes of answers are kept.
    pub(crate) fn held(&self) -> usize {
        let size = |job: &Job| if let Work::Answer(later) = &job.work { later.size() } else { 0 };
        self.known.lock().values().map(size).sum()
    }

    fn forget(&self, known: &mut BTreeMap<String, Job>, key: &str) -> bool {
        // A file that is left is over its time or is read again after a restart: no harm.
        drop(fs::remove_file(self.file(key)));
        let gone = known.remove(key);
        if let Some(Job { work: Work::Answer(later), .. }) = &gone {
            later.stop();
        }
        gone.is_some()
    }

    /// Writes beside and renames, so that a crash leaves the old or the new.
    fn write(&self, name: &str, job: &Job) -> std::io::Result<()> {
        fs::create_dir_all(&self.directory)?;
        let file = self.file(name);
        let beside = file.with_extension("new");
        let mut new = fs::File::create(&beside)?;
        new.write_all(&serde_json::to_vec(job)?)?;
        new.sync_data()?;
        fs::rename(beside, file)
    }

    fn file(&self, key: &str) -> PathBuf {
        self.directory.join(format!("{key}.json"))
    }
}

/// A client's job as a file name, whatever characters client and id have.
fn key(client: &str, id: &str) -> String {
    let hash = ledger::crypto::sha256(&[client.as_bytes(), b"\0", id.as_bytes()]);
    hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
