//! Who reads the whole log: the municipality's privacy officers, and nobody else.
//!
//! A resident reads what the log says of themself, by [`crate::decide`]. A privacy officer has no care
//! relation to anybody, brings no attest, and reads nothing but the log.

use crate::caller::{Caller, Party};
use crate::decide::SECURITY_LEVEL;
use crate::refusal::{Refusal, Rule};
use crate::register::Register;

/// Key of the role in the log.
pub const ROLE: &str = "privacy-officer";

/// Purpose in the log: compliance with law and rules (`HCOMPL`, v3-ActReason).
pub const PURPOSE: &str = "HCOMPL";

/// May the caller read the whole log of the municipality?
///
/// # Errors
/// The refusal. A system never reads it, whatever its agreement says.
pub fn reads_log(caller: &Caller, register: &Register) -> Result<(), Refusal> {
    let refuse = |rule| Err(Refusal { rule });
    let practitioner = match &caller.party {
        Party::System => return refuse(Rule::NotShared),
        Party::Resident { .. } => return refuse(Rule::NotSelf),
        Party::Practitioner(practitioner) => practitioner,
    };
    if caller.organisation.as_deref() != Some(register.organisation.as_str()) {
        return refuse(Rule::OtherMunicipality);
    }
    if !register.privacy_officers.contains(&practitioner.subject) {
        return refuse(Rule::CategoryNotForRole);
    }
    if practitioner.security_level < SECURITY_LEVEL {
        return refuse(Rule::WeakLogin);
    }
    Ok(())
}
