//! Who may ask on a resident's behalf, who answers, and whom a copy goes to (pbrl. §§ 5-1 to 5-3, hpl. §§ 42 and
//! 43, GDPR art. 12 to 20).
//!
//! A request is kept as that of whoever is to answer it: the owner and source of the item it is about, or the
//! municipality's own. So the owner's system finds and answers it by its ordinary agreement.

use std::sync::Arc;

use record::catalogue::{CONSENTS, Catalogue, CategoryKey};
use record::identity::PersonId;
use record::purpose::Purpose;

use crate::administer::{Deed, decide_admin};
use crate::caller::{Caller, Party};
use crate::decide::{basis, decide_write};
use crate::officer;
use crate::permit::{Labels, Reach, ReadPermit, WritePermit};
use crate::refusal::{Refusal, Rule};
use crate::standing::Standing;

/// A request, as the decision about recording it sees it.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Whom it is about, where that is known.
    pub about: Option<PersonId>,
    /// Owner and source of whoever answers it.
    pub handler: (&'a str, &'a str),
}

/// May the caller ask this, for themself, for somebody they represent, or for somebody who asked on paper?
///
/// # Errors
/// A refusal: a resident asks for themself and those they represent in this, a system with an agreement
/// about it for anybody, and so does a privacy officer.
pub fn decide_request(
    caller: &Caller,
    resident: Option<PersonId>,
    standing: &Standing,
    request: Request<'_>,
    now: i64,
) -> Result<WritePermit, Refusal> {
    match &caller.party {
        Party::Resident { .. } => {
            speaks_for(resident, standing, request.about, now)?;
        }
        Party::System => {
            decide_write(caller, standing, category()?, None, now)?;
        }
        Party::Practitioner(_) => {
            decide_admin(caller, standing, Deed::PrivacyReview)?;
        }
    }
    Ok(permit(request))
}

/// May the caller take a step? Taking it back is for who may ask, all else for who answers: the system of the
/// owner, or a privacy officer.
///
/// # Errors
/// A refusal.
pub fn decide_step(
    caller: &Caller,
    resident: Option<PersonId>,
    standing: &Standing,
    request: Request<'_>,
    is_withdrawal: bool,
    now: i64,
) -> Result<WritePermit, Refusal> {
    match (&caller.party, is_withdrawal) {
        (Party::Resident { .. }, true) => speaks_for(resident, standing, request.about, now)?,
        (Party::Resident { .. }, false) => return Err(Refusal { rule: Rule::NotASystem }),
        (_, true) => return Err(Refusal { rule: Rule::NotSelf }),
        (Party::System, false) => {
            return decide_write(caller, standing, category()?, Some(request.handler), now);
        }
        (Party::Practitioner(_), false) => {
            decide_admin(caller, standing, Deed::PrivacyReview)?;
        }
    }
    Ok(permit(request))
}

/// May the caller see every resident's requests? Privacy officers may.
///
/// # Errors
/// A refusal.
pub fn decide_review(
    caller: &Caller,
    standing: &Arc<Standing>,
    now: i64,
) -> Result<ReadPermit, Refusal> {
    officer::reads_log(caller, standing)?;
    Ok(open(standing, Reach::Any, vec![CONSENTS], now))
}

/// May the caller give out a copy of what this person may see? Privacy officers may, where the person has asked;
/// that there is such a request is for who calls this to know.
///
/// # Errors
/// A refusal.
pub fn decide_copy(
    caller: &Caller,
    standing: &Arc<Standing>,
    person: PersonId,
    categories: &[CategoryKey],
    now: i64,
) -> Result<ReadPermit, Refusal> {
    officer::reads_log(caller, standing)?;
    // As the resident: what is about the person, and what is for everybody.
    let catalogue = Catalogue::get();
    let is_theirs = |key: &&CategoryKey| {
        catalogue.category(key).is_some_and(|it| it.about_person || it.shareable)
    };
    let categories = categories.iter().filter(is_theirs).copied().collect();
    Ok(open(standing, Reach::Person(person), categories, now))
}

fn open(
    standing: &Arc<Standing>,
    reach: Reach,
    categories: Vec<CategoryKey>,
    now: i64,
) -> ReadPermit {
    ReadPermit {
        reach,
        categories,
        owned_by: None,
        basis: basis(Purpose::PatientRequest, officer::ROLE, None),
        labels: Labels::Patient,
        reader: None,
        at: now,
        standing: standing.clone(),
        granted: None,
        unsaid: Vec::new(),
    }
}

/// Whether a resident speaks for a person in this.
fn speaks_for(
    resident: Option<PersonId>,
    standing: &Standing,
    about: Option<PersonId>,
    now: i64,
) -> Result<(), Refusal> {
    let (Some(resident), Some(about)) = (resident, about) else {
        return Err(Refusal { rule: Rule::NotSelf });
    };
    if standing.speaks_for(resident, about, CONSENTS, now) {
        return Ok(());
    }
    Err(Refusal { rule: Rule::NotSelf })
}

fn category() -> Result<&'static record::catalogue::Category, Refusal> {
    Catalogue::get().category(CONSENTS).ok_or(Refusal { rule: Rule::CategoryNotAgreed })
}

fn permit(request: Request<'_>) -> WritePermit {
    let (owner, source) = request.handler;
    WritePermit { source: source.to_owned(), owner: owner.to_owned(), category: CONSENTS }
}
