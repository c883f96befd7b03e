//! Where several servers write one ledger: what was judged by what is no longer so is judged again.
//!
//! A ledger keeps nothing that another server's entry has overtaken ([`ledger::append::Draft::seen`]), so nothing is
//! done twice here.

use access::caller::Caller;

use crate::error::Failure;
use crate::submission::{Receipt, Submission};
use crate::tenant::Tenant;

/// So often; then the sender is asked to come again.
const ATTEMPTS: usize = 5;

/// Carries out a submission, and again what was overtaken.
pub(crate) async fn submit(
    tenant: &Tenant,
    caller: &Caller,
    submission: Submission,
) -> Result<Vec<Result<Receipt, Failure>>, Failure> {
    let mut results: Vec<Option<Result<Receipt, Failure>>> = Vec::new();
    results.resize_with(submission.operations.len(), || None);
    let mut left: Vec<usize> = (0..results.len()).collect();
    for attempt in 1..=ATTEMPTS {
        let is_last = attempt == ATTEMPTS;
        let seen = tenant.visible();
        let operations = &submission.operations;
        let operations = left.iter().filter_map(|at| operations.get(*at).cloned()).collect();
        let (channel, atomic) = (submission.channel, submission.atomic);
        let answer =
            tenant.submit_seen(caller, Submission { channel, atomic, operations }, seen).await;
        let answered = match answer {
            Err(Failure::Overtaken(position)) if !is_last => {
                tenant.wait_visible(position).await;
                continue;
            }
            other => other?,
        };
        let (mut again, mut reach) = (Vec::new(), 0);
        for (at, result) in left.into_iter().zip(answered) {
            match (overtaken(&result), results.get_mut(at)) {
                (Some(position), _) if !is_last => {
                    again.push(at);
                    reach = reach.max(position);
                }
                (_, Some(place)) => *place = Some(result),
                (_, None) => {}
            }
        }
        left = again;
        if left.is_empty() {
            break;
        }
        tenant.wait_visible(reach).await;
    }
    Ok(results.into_iter().map(|result| result.unwrap_or(Err(Failure::Busy))).collect())
}

fn overtaken(result: &Result<Receipt, Failure>) -> Option<u64> {
    match result {
        Err(Failure::Overtaken(position)) => Some(*position),
        _ => None,
    }
}
