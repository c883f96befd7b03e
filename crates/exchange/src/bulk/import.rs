//! Bulk import of NDJSON: a resource on each line, recorded as a single delivery of it would be.
//!
//! A line with an `id` is an update (or a create with this id), one without is a create. Lines are
//! taken in order, some at a time, while they arrive; a file that somebody named Patients in must come
//! before those that refer to them. An import has a name that the client chooses: sent again under the
//! same name, lines that were taken before are passed over, so an import that broke off is resumed by
//! sending the file again.

use std::sync::Arc;

use access::caller::Caller;
use fhir::definitions::resource_kind;
use fhir::issue::{Issue, IssueCode, Severity};
use fhir::json;
use fhir::resource::is_id;
use fhir::value::Value;
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

use crate::bulk::job::{Job, LIFETIME, Work};
use crate::error::Failure;
use crate::naming;
use crate::submission::{Channel, Done, Operation, Receipt, Submission};
use crate::tenant::Tenant;

/// Lines recorded together.
pub const CHUNK: usize = 500;

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
    waiting: Vec<Vec<u8>>,
    waiting_bytes: usize,
    /// The chunk before, still being recorded.
    running: Option<Running>,
}

type Results = Vec<(u64, Result<Receipt, Failure>)>;

struct Running {
    task: JoinHandle<Result<Results, Failure>>,
    lines: u64,
    /// Others may refer to what it brings, so they wait for it.
    has_patients: bool,
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
        let import = Self {
            skip: before.lines,
            progress: Progress { complete: false, ..before },
            tenant,
            caller,
            name: name.to_owned(),
            waiting: Vec::with_capacity(CHUNK),
            waiting_bytes: 0,
            running: None,
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
            self.record().await?;
        }
        Ok(())
    }

    /// Records what waits, and says how it went.
    pub async fn finish(mut self) -> Result<Progress, Failure> {
        self.record().await?;
        self.settle().await?;
        self.progress.complete = true;
        self.keep()?;
        Ok(self.progress)
    }

    /// Records what waits and ends before the file does; the same name goes on from here.
    pub async fn stop(mut self) -> Result<(), Failure> {
        self.record().await?;
        self.settle().await
    }

    /// Begins to record the lines that wait. The chunk before goes on meanwhile, unless they may refer
    /// to what it brings.
    async fn record(&mut self) -> Result<(), Failure> {
        let lines = std::mem::take(&mut self.waiting);
        self.waiting_bytes = 0;
        if self.running.as_ref().is_some_and(|running| running.has_patients) {
            self.settle().await?;
        }
        let first = self.progress.lines + self.running.as_ref().map_or(0, |it| it.lines) + 1;
        let count = lines.len() as u64;
        let name = self.name.clone();
        let read = tokio::task::spawn_blocking(move || read_lines(lines, first, &name)).await;
        let read = read.map_err(|_| Failure::Unavailable("an import was stopped".to_owned()))?;
        let has_patients = read.operations.iter().any(|(_, it)| it.kind == "Patient");
        let (tenant, caller) = (self.tenant.clone(), self.caller.clone());
        let task = tokio::spawn(async move { tenant.import(&caller, read).await });
        self.settle().await?;
        self.running = Some(Running { task, lines: count, has_patients });
        Ok(())
    }

    /// Waits for the chunk that is being recorded, and writes down how far the import is.
    async fn settle(&mut self) -> Result<(), Failure> {
        let Some(running) = self.running.take() else { return Ok(()) };
        let results = running.task.await;
        let results =
            results.map_err(|_| Failure::Unavailable("an import was stopped".to_owned()))??;
        for (line, result) in results {
            self.progress.count(line, result);
        }
        self.progress.lines += running.lines;
        self.keep()
    }

    fn keep(&self) -> Result<(), Failure> {
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

/// Lines that were read, and those that could not be.
struct Read {
    operations: Vec<(u64, Operation)>,
    refused: Results,
}

/// A chunk that was recorded when the connection broke, before the progress was written, comes again:
/// a new resource that nothing else names is named after its line, so that it is not made twice.
fn read_lines(lines: Vec<Vec<u8>>, first: u64, name: &str) -> Read {
    let mut read = Read { operations: Vec::with_capacity(lines.len()), refused: Vec::new() };
    for (line, text) in (first..).zip(lines) {
        // A blank line is no resource and no fault.
        if text.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match operation(&text) {
            Ok(mut operation) => {
                let value = operation.resource.as_ref();
                let named = value.and_then(|value| naming::event_id(operation.kind, value));
                if operation.is_create() && operation.kind != "Patient" && named.is_none() {
                    operation.event_id = Some(format!("import:{name}#{line}"));
                }
                read.operations.push((line, operation));
            }
            Err(failure) => read.refused.push((line, Err(failure))),
        }
    }
    read
}

fn operation(text: &[u8]) -> Result<Operation, Failure> {
    let wrong = |code, location: &str, text: String| {
        Failure::Malformed(vec![Issue::error(code, location, text)])
    };
    let value = json::parse(text).map_err(|error| {
        let text = format!("column {}: {}", error.column, error.message);
        wrong(IssueCode::Structure, "", text)
    })?;
    let kind = value.text("resourceType").and_then(resource_kind).ok_or_else(|| {
        let text = "name a resource type of FHIR R4".to_owned();
        wrong(IssueCode::Structure, "resourceType", text)
    })?;
    match value.text("id").map(str::to_owned) {
        Some(id) => Ok(Operation::update(kind, id, value, None)),
        None => Ok(Operation::create(kind, value)),
    }
}

impl Tenant {
    async fn import(&self, caller: &Caller, read: Read) -> Result<Results, Failure> {
        let (lines, operations): (Vec<u64>, Vec<Operation>) = read.operations.into_iter().unzip();
        let mut results = read.refused;
        if !operations.is_empty() {
            let submission = Submission { channel: Channel::Import, atomic: false, operations };
            let answers = self.submit(caller, submission).await?;
            results.extend(lines.into_iter().zip(answers));
        }
        results.sort_by_key(|(line, _)| *line);
        Ok(results)
    }
}
