//! Answers made in the background (R4 async), fetched as a job's one file.
//!
//! Invariants: an answer is shown to whoever asked for it and to nobody else; it is kept in memory only,
//! so a restart forgets it, and the request is sent again; ending the job ends the work. What the work
//! discloses is in the audit ledger before the answer is there, as always.

use std::fmt;
use std::sync::{Arc, OnceLock};

use access::caller::{Caller, Party};
use access::scopes::Scopes;
use fhir::json;
use fhir::value::Value;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use crate::bulk::export::{self, manifest};
use crate::bulk::job::{Job, Work};
use crate::error::Failure;
use crate::origin::Origin;
use crate::tenant::Tenant;

/// How long an answer is kept: one hour, in milliseconds.
const LIFETIME: i64 = 60 * 60 * 1000;

/// Most bytes of answers that are kept at a time.
const MOST_HELD: usize = 256 * 1024 * 1024;

/// An answer that is being made, or is there.
#[derive(Clone)]
pub struct Later {
    request: String,
    /// Who asked, beside the client.
    whose: String,
    /// What the token was limited to: an answer is for no other limits.
    scopes: Option<Arc<Scopes>>,
    time: i64,
    answer: Arc<OnceLock<Result<Vec<u8>, Failure>>>,
    task: AbortHandle,
}

/// Where a job is.
pub enum Status {
    /// It goes on.
    Going,
    /// Its files are there.
    Done {
        /// What the files are (Bulk Data Access 2.0; R4 async).
        manifest: Value,
        /// When the job ends to exist, milliseconds since 1970.
        expires: i64,
    },
}

impl fmt::Debug for Later {
    /// Without whom it is for and what it holds.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Later").field("time", &self.time).finish_non_exhaustive()
    }
}

impl Later {
    /// Ends the work, if it still goes on.
    pub(crate) fn stop(&self) {
        self.task.abort();
    }

    /// How many bytes are kept.
    pub(crate) fn size(&self) -> usize {
        match self.answer.get() {
            Some(Ok(body)) => body.len(),
            _ => 0,
        }
    }

    /// The answer; `None` while it is being made.
    fn answer(&self) -> Result<Option<&[u8]>, Failure> {
        match self.answer.get() {
            Some(Ok(body)) => Ok(Some(body)),
            Some(Err(failure)) => Err(failure.clone()),
            None if self.task.is_finished() => {
                Err(Failure::Unavailable("a request in the background was broken off".to_owned()))
            }
            None => Ok(None),
        }
    }
}

/// A file of a job that is being read.
pub enum Reading {
    /// An answer: one line, until it is taken.
    Answer(Option<Vec<u8>>),
    /// A file of an export.
    Export(Box<export::Reading>),
}

impl Tenant {
    /// Begins work whose answer is a Bundle; gives the id of its job. `request` is the address it was
    /// asked for with.
    ///
    /// # Errors
    /// Where the client has too many jobs, or too many answers are kept; then nothing is begun.
    pub fn answer_later(
        &self,
        caller: &Caller,
        request: String,
        work: impl Future<Output = Result<Vec<u8>, Failure>> + Send + 'static,
    ) -> Result<String, Failure> {
        if self.jobs.held() > MOST_HELD {
            return Err(Failure::Busy);
        }
        let (time, id) = (self.now(), self.new_id()?);
        let answer = Arc::new(OnceLock::new());
        let (begin, begun) = oneshot::channel::<()>();
        let made = answer.clone();
        let origin = Origin::current();
        let task = tokio::spawn(async move {
            // The job is written down first; one that is refused is never begun.
            if begun.await.is_ok() {
                let result = origin.during(work).await;
                drop(made.set(result));
            }
        });
        let task = task.abort_handle();
        let (whose, scopes) = (whose(caller).to_owned(), caller.scopes.clone());
        let work = Work::Answer(Later { request, whose, scopes, time, answer, task });
        let client = caller.client_id.clone();
        self.jobs.keep(&Job { id: id.clone(), client, expires: time + LIFETIME, work }, time)?;
        begin.send(()).ok();
        Ok(id)
    }

    /// Where the caller's job with this id is: an export, or an answer made in the background.
    /// `address` is that of the job.
    ///
    /// # Errors
    /// [`Failure::NotFound`] where the caller has no such job; the failure of the request itself where
    /// that could not be answered.
    pub async fn job(&self, caller: &Caller, id: &str, address: &str) -> Result<Status, Failure> {
        let job = self.own_job(caller, id).ok_or(Failure::NotFound)?;
        let expires = job.expires;
        let manifest = match &job.work {
            Work::Answer(later) => match later.answer()? {
                Some(_) => {
                    let output = json!([{ "type": "Bundle", "url": format!("{address}/0") }]);
                    manifest(later.time, &later.request, output, json!([]))
                }
                None => return Ok(Status::Going),
            },
            _ => {
                let export = self.export_files(caller, id).await?.ok_or(Failure::NotFound)?;
                export.manifest(address)
            }
        };
        Ok(Status::Done { manifest, expires })
    }

    /// Ends the caller's job; `false` where there is no such.
    pub fn job_end(&self, caller: &Caller, id: &str) -> bool {
        self.own_job(caller, id).is_some() && self.jobs.end(caller, id)
    }

    /// Begins to read a file of the caller's job. `None`: no such job or file.
    pub async fn job_file(
        self: Arc<Self>,
        caller: Arc<Caller>,
        id: &str,
        file: usize,
    ) -> Result<Option<Reading>, Failure> {
        let Some(job) = self.own_job(&caller, id) else { return Ok(None) };
        let Work::Answer(later) = &job.work else {
            let reading = self.export_file(caller, id, file).await?;
            return Ok(reading.map(|reading| Reading::Export(Box::new(reading))));
        };
        let body = later.answer()?.filter(|_| file == 0);
        Ok(body.map(|body| Reading::Answer(Some([body, b"\n"].concat()))))
    }

    fn own_job(&self, caller: &Caller, id: &str) -> Option<Job> {
        let job = self.jobs.find(caller, id, self.now())?;
        match &job.work {
            Work::Answer(later)
                if later.whose != whose(caller) || later.scopes != caller.scopes =>
            {
                None
            }
            _ => Some(job),
        }
    }
}

impl Reading {
    /// The next lines; `None` at the end.
    pub async fn lines(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        match self {
            Self::Answer(line) => Ok(line.take()),
            Self::Export(reading) => reading.lines().await,
        }
    }
}

/// Who acts through the client. Kept in memory only.
fn whose(caller: &Caller) -> &str {
    match &caller.party {
        Party::System => "",
        Party::Practitioner(practitioner) => &practitioner.subject,
        Party::Resident { number, .. } => number,
    }
}
