//! Who reads the whole log: the municipality's privacy officers, and nobody else.
//!
//! A resident reads what the log says of themself, by [`crate::decide`]. A privacy officer has no care
//! relation to anybody, brings no attest, and reads nothing but the log.

use crate::administer::{Deed, decide_admin};
use crate::caller::{Caller, Party};
use crate::refusal::{Refusal, Rule};
use crate::standing::Standing;

/// Key of the role in the log.
pub const ROLE: &str = "privacy-officer";

/// Purpose in the log: compliance with law and rules (`HCOMPL`, v3-ActReason).
pub const PURPOSE: &str = "HCOMPL";

/// May the caller read the whole log of the municipality?
///
/// # Errors
/// The refusal. A system never reads it, whatever its agreement says.
pub fn reads_log(caller: &Caller, standing: &Standing) -> Result<(), Refusal> {
    match &caller.party {
        Party::System => Err(Refusal { rule: Rule::NotShared }),
        Party::Resident { .. } => Err(Refusal { rule: Rule::NotSelf }),
        Party::Practitioner(_) => decide_admin(caller, standing, Deed::PrivacyReview).map(drop),
    }
}
