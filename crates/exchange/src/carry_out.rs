//! A Bundle carried out: its changes together, then its looks, which see what was changed (R4 http,
//! transaction processing rules).
//!
//! Invariant: an entry of a transaction that cannot be read or written refuses all of it before
//! anything is kept. A look that fails is told in its own entry: what was changed stands by then.

use access::caller::Caller;

use crate::answered::Answer;
use crate::bundle::{Request, Work, placed};
use crate::error::Failure;
use crate::submission::{Done, Receipt, Submission};
use crate::tenant::Tenant;

/// What is told of a change (R4 http, `Prefer: return=`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Return {
    /// That it was done.
    Minimal,
    /// The resource as it is now.
    Representation,
    /// What was found wrong without refusing.
    Outcome,
}

impl Tenant {
    /// Carries out a Bundle: an answer for each entry, in order. `base` is the address of the door.
    pub async fn carry_out(
        &self,
        caller: &Caller,
        request: Request,
        returned: Return,
        base: &str,
    ) -> Result<Vec<Result<Answer, Failure>>, Failure> {
        let Request { channel, atomic, entries } = request;
        let mut answers: Vec<Result<Answer, Failure>> = Vec::with_capacity(entries.len());
        let (mut places, mut operations, mut looks) = (Vec::new(), Vec::new(), Vec::new());
        for (i, entry) in entries.into_iter().enumerate() {
            answers.push(Err(Failure::Busy));
            match entry.work {
                Ok(Work::Write(operation)) => {
                    places.push(i);
                    operations.push(*operation);
                }
                Ok(Work::Read(look)) => looks.push((i, entry.location, look, Answer::Seen as Told)),
                Ok(Work::Head(look)) => looks.push((i, entry.location, look, Answer::Headed)),
                Err(failure) if atomic => return Err(failure),
                Err(failure) => put(&mut answers, i, Err(failure)),
            }
        }
        if !operations.is_empty() {
            let submission = Submission { channel, atomic, operations };
            let results = self.submit(caller, submission).await?;
            for (i, result) in places.into_iter().zip(results) {
                let told = result.and_then(|receipt| {
                    let body = match returned {
                        Return::Representation => self.representation(&receipt)?,
                        Return::Minimal | Return::Outcome => None,
                    };
                    Ok(Answer::Written(receipt, body))
                });
                put(&mut answers, i, told);
            }
        }
        for (i, location, look, told) in looks {
            let seen = self.look(caller, *look, base).await;
            put(&mut answers, i, seen.map(told).map_err(|it| placed(it, &location)));
        }
        Ok(answers)
    }

    /// A resource as an operation left it, printed; `None` where it was removed.
    pub fn representation(&self, receipt: &Receipt) -> Result<Option<Vec<u8>>, Failure> {
        if matches!(receipt.result, Done::Removed | Done::Absent) {
            return Ok(None);
        }
        match receipt.printed() {
            Some(body) => Ok(Some(body)),
            None => self.version(receipt.kind, receipt.version).map(|found| found.body),
        }
    }
}

type Told = fn(crate::look::Seen) -> Answer;

fn put(answers: &mut [Result<Answer, Failure>], at: usize, answer: Result<Answer, Failure>) {
    if let Some(place) = answers.get_mut(at) {
        *place = answer;
    }
}
