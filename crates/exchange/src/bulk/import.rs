//! Bulk import of NDJSON: a resource on each line, recorded as a single delivery of it would be.
//!
//! A line with an `id` is an update (or a create with this id), one without is a create. While lines
//! arrive, those before are read, and of those before some are checked, some committed and some made
//! visible, all at once on all cores; but a line waits for those before it on which it hangs (see
//! `batch`), so that the effect is that of one after the other. A file with Patients must come before
//! those that refer to them.
//!
//! An import has a name that the client chooses: sent again under the same name, lines that were taken
//! before are passed over, so an import that broke off is resumed by sending the file again.
//!
//! Invariant: however long a file is, only so much of it is held at a time.

use std::collections::VecDeque;
use std::sync::Arc;

use access::caller::Caller;
use fhir::issue::{Issue, IssueCode, Severity};
use fhir::resource::is_id;
use fhir::value::Value;
use serde::{Deserialize, Serialize};
use tokio::task::{JoinError, JoinHandle};

use crate::bulk::batch::{self, Batch, Names};
use crate::bulk::job::{Job, LIFETIME, Work};
use crate::error::Failure;
use crate::origin::Origin;
use crate::submission::{Channel, Done, Operation, Receipt, Submission};
use crate::tenant::Tenant;

/// Most lines recorded together.
pub const CHUNK: usize = 500;

/// So much is recorded at once: while some is checked, some is committed and some made visible.
const AT_ONCE: usize = 4;

/// Most bytes of lines that wait to be recorded together: 4 MB.
pub const CHUNK_BYTES: usize = 4 * 1024 * 1024;

/// Longest line: 10 MB.
pub const MAX_LINE: usize = 10 * 1024 * 1024;

/// Refused lines that are told of; the others are counted.
const MOST_FAULTS: usize = 200;

/// How far an import is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Lines dealt with.
    pub lines: u64,
    /// New resources.
    pub created: u64,
    /// New versions.
    pub updated: u64,
    /// Sent before with the same content.
    pub unchanged: u64,
    /// Lines that were refused.
    pub refused: u64,
    /// The first refused lines.
    pub faults: Vec<Fault>,
    /// Whether the file has been taken to its end.
    pub complete: bool,
}

/// Why a line was refused. Names places and rules, never content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The line, counted from 1.
    pub line: u64,
    /// Where in the resource.
    pub location: String,
    /// Why, and what to do.
    pub message: String,
}

/// An import under way.
pub struct Import {
    tenant: Arc<Tenant>,
    caller: Arc<Caller>,
    name: String,
    progress: Progress,
    /// Lines to pass over, since they were dealt with when the file was sent before.
    skip: u64,
    /// Lines taken before those that wait.
    taken: u64,
    waiting: Vec<Vec<u8>>,
    waiting_bytes: usize,
    /// The lines before, being read.
    reading: Option<JoinHandle<Vec<Batch>>>,
    /// Those before, being recorded, in the order of the file.
    running: VecDeque<Running>,
    /// Lines dealt with when it was last written how far the import is.
    kept: u64,
}

type Results = Vec<(u64, Result<Receipt, Failure>)>;

struct Running {
    task: JoinHandle<Result<Results, Failure>>,
    lines: u64,
    names: Names,
}

impl Tenant {
    /// How far the caller's import with this name is.
    pub fn import_progress(&self, caller: &Caller, name: &str) -> Option<Progress> {
        match self.jobs.find(caller, name, self.now())?.work {
            Work::Import(progress) => Some(progress),
            Work::Export(_) | Work::Answer(_) => None,
        }
    }
}

impl Import {
    /// Begins an import, or goes on with the caller's import of this name.
    pub fn begin(tenant: Arc<Tenant>, caller: Arc<Caller>, name: &str) -> Result<Self, Failure> {
        if !is_id(name) {
            let text = "the name of an import has 1 to 64 of `A-Z a-z 0-9 - .`";
            return Err(Failure::invalid(IssueCode::Value, "job", text));
        }
        let before = tenant.import_progress(&caller, name).unwrap_or_default();
        let mut import = Self {
            skip: before.lines,
            taken: before.lines,
            progress: Progress { complete: false, ..before },
            tenant,
            caller,
            name: name.to_owned(),
            waiting: Vec::with_capacity(CHUNK),
            waiting_bytes: 0,
            reading: None,
            running: VecDeque::with_capacity(AT_ONCE),
            kept: 0,
        };
        import.keep()?;
        Ok(import)
    }

    /// Takes one line, without its end.
    pub async fn line(&mut self, line: Vec<u8>) -> Result<(), Failure> {
        if self.skip > 0 {
            self.skip -= 1;
            return Ok(());
        }
        self.waiting_bytes += line.len();
        self.waiting.push(line);
        if self.waiting.len() >= CHUNK || self.waiting_bytes >= CHUNK_BYTES {
            self.read().await?;
        }
        Ok(())
    }

    /// Records what waits, and says how it went.
    pub async fn finish(mut self) -> Result<Progress, Failure> {
        self.settle_all().await?;
        self.progress.complete = true;
        self.keep()?;
        Ok(self.progress)
    }

    /// Records what waits and ends before the file does; the same name goes on from here.
    pub async fn stop(mut self) -> Result<(), Failure> {
        self.settle_all().await?;
        self.keep()
    }

    async fn settle_all(&mut self) -> Result<(), Failure> {
        self.read().await?;
        self.record().await?;
        while self.settle().await? {}
        Ok(())
    }

    /// Begins to read the lines that wait, and records those before.
    async fn read(&mut self) -> Result<(), Failure> {
        let lines = std::mem::replace(&mut self.waiting, Vec::with_capacity(CHUNK));
        self.waiting_bytes = 0;
        let first = self.taken + 1;
        self.taken += lines.len() as u64;
        let name = self.name.clone();
        let next = tokio::task::spawn_blocking(move || batch::read(lines, first, &name));
        self.record().await?;
        self.reading = Some(next);
        Ok(())
    }

    /// Begins to record the lines that are being read. Those before go on meanwhile, unless these hang
    /// on what they bring.
    async fn record(&mut self) -> Result<(), Failure> {
        let Some(reading) = self.reading.take() else { return Ok(()) };
        for mut batch in reading.await.map_err(stopped)? {
            while self.running.iter().any(|it| batch.awaits(&it.names))
                || self.running.len() >= AT_ONCE
            {
                self.settle().await?;
            }
            let (lines, names) = (batch.lines, std::mem::take(&mut batch.names));
            let (tenant, caller) = (self.tenant.clone(), self.caller.clone());
            let origin = Origin::current();
            let task =
                tokio::spawn(async move { origin.during(tenant.import(&caller, batch)).await });
            self.running.push_back(Running { task, lines, names });
        }
        Ok(())
    }

    /// Waits for the first of what is being recorded, and writes down how far the import is; `false`
    /// where there is nothing.
    async fn settle(&mut self) -> Result<bool, Failure> {
        let Some(running) = self.running.pop_front() else { return Ok(false) };
        for (line, result) in running.task.await.map_err(stopped)?? {
            self.progress.count(line, result);
        }
        self.progress.lines += running.lines;
        if self.progress.lines >= self.kept + CHUNK as u64 {
            self.keep()?;
        }
        Ok(true)
    }

    fn keep(&mut self) -> Result<(), Failure> {
        self.kept = self.progress.lines;
        let now = self.tenant.now();
        let job = Job {
            id: self.name.clone(),
            client: self.caller.client_id.clone(),
            expires: now + LIFETIME,
            work: Work::Import(self.progress.clone()),
        };
        self.tenant.jobs.keep(&job, now)
    }
}

fn stopped(_: JoinError) -> Failure {
    Failure::Unavailable("an import was stopped".to_owned())
}

impl Progress {
    fn count(&mut self, line: u64, result: Result<Receipt, Failure>) {
        match result {
            Ok(receipt) => match receipt.result {
                Done::Created => self.created += 1,
                Done::Updated | Done::Removed => self.updated += 1,
                Done::Unchanged | Done::Absent => self.unchanged += 1,
            },
            Err(failure) => {
                self.refused += 1;
                let issue = failure.issues().into_iter().next();
                if let Some(issue) = issue.filter(|_| self.faults.len() < MOST_FAULTS) {
                    let (location, message) = (issue.location, issue.message);
                    self.faults.push(Fault { line, location, message });
                }
            }
        }
    }

    /// As an `OperationOutcome`: the count first, then a fault for each refused line told of.
    pub fn outcome(&self) -> Value {
        let said = format!(
            "{} lines: {} created, {} updated, {} unchanged, {} refused",
            self.lines, self.created, self.updated, self.unchanged, self.refused
        );
        let mut issues = vec![Issue {
            severity: Severity::Information,
            code: IssueCode::Informational,
            location: String::new(),
            message: said,
        }];
        for fault in &self.faults {
            let message = format!("line {}: {}", fault.line, fault.message);
            issues.push(Issue::error(IssueCode::Processing, fault.location.clone(), message));
        }
        fhir::issue::operation_outcome(&issues)
    }
}

impl Tenant {
    async fn import(&self, caller: &Caller, batch: Batch) -> Result<Results, Failure> {
        let Batch { operations, refused, .. } = batch;
        let (lines, operations): (Vec<u64>, Vec<Operation>) = operations.into_iter().unzip();
        let refused = refused.into_iter().map(|(line, failure)| (line, Err(failure)));
        let mut results: Results = refused.collect();
        if !operations.is_empty() {
            let submission = Submission { channel: Channel::Import, atomic: false, operations };
            let answers = self.submit(caller, submission).await?;
            results.extend(lines.into_iter().zip(answers));
        }
        results.sort_by_key(|(line, _)| *line);
        Ok(results)
    }
}
