//! Who may say what is withheld: the resident, about themself and about those they represent
//! (pbrl. §§ 4-1 to 4-7, 5-3).

use record::catalogue::CONSENTS;
use record::identity::PersonId;

use crate::permit::WritePermit;
use crate::refusal::{Refusal, Rule};
use crate::standing::Standing;

/// The source of what residents record here themselves.
pub const SOURCE: &str = "fkj";

/// May the resident record a Consent about this person? `existing` is the owner and source of the one
/// it would change. What residents record is the municipality's, which is the controller.
///
/// # Errors
/// A refusal: [`Rule::NotSelf`] for anybody whom the resident does not represent in this, and
/// [`Rule::NotOwner`] for what a system has delivered.
pub fn decide_control(
    resident: PersonId,
    standing: &Standing,
    about: PersonId,
    existing: Option<(&str, &str)>,
    now: i64,
) -> Result<WritePermit, Refusal> {
    if !standing.speaks_for(resident, about, CONSENTS, now) {
        return Err(Refusal { rule: Rule::NotSelf });
    }
    let owner = &standing.register().organisation;
    if existing.is_some_and(|existing| existing != (owner.as_str(), SOURCE)) {
        return Err(Refusal { rule: Rule::NotOwner });
    }
    Ok(WritePermit { source: SOURCE.to_owned(), owner: owner.clone(), category: CONSENTS })
}
