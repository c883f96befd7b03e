//! FHIR `Consent` and what it restricts: the resident's control over who sees what (pbrl. § 5-3,
//! pasientjournalloven § 17), in the shape of HNWithdrawConsentProfile (conventions §9).
//!
//! | Restriction | Consent |
//! |---|---|
//! | against a person, an organisation | `provision.actor.reference.identifier` (HPR, login; Enhetsregisteret) |
//! | against a profession, a service | `provision.actor.role` (kodeverk 9060; 9151) |
//! | categories | `provision.class` |
//! | single resources | `provision.data`, `instance` |
//! | an owner's | `provision.data`, `authoredby` |
//! | a period of clinical time | `provision.dataPeriod` |
//! | in force | `provision.period` |
//! | in emergencies too | `provision.purpose` with both `ETREAT` and `BTG` |
//!
//! Invariant: an active Consent about privacy that says no is either enforced to the letter, or refused
//! before it is stored ([`restriction`]); nothing is stored as if it held. One that says yes restricts
//! nothing and opens nothing: access rests on law here.

mod actor;
pub(crate) mod fold;
pub mod print;
mod provision;

use access::restriction::Restriction;
use fhir::issue::{Issue, IssueCode};
use fhir::value::Value;

/// System of `Consent.scope`.
pub(crate) const SCOPE: &str = "http://terminology.hl7.org/CodeSystem/consentscope";

/// Code of Consents about privacy.
pub(crate) const PRIVACY: &str = "patient-privacy";

/// System of the legal bases of `Consent.policyRule`.
pub(crate) const LEGAL_BASIS: &str =
    "http://hl7.no/fhir/CodeSystem/no-basis-legal-formality-or-basis";

/// LOINC code of `Consent.category`: a patient's consent.
pub(crate) const CATEGORY: &str = "59284-0";

/// The subject of a login, for people without an HPR number.
pub(crate) const SUBJECT: &str = "https://fkj.no/fhir/NamingSystem/login-subject";

/// System of the purposes that restrictions name.
pub(crate) const PURPOSE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";

/// Most of one thing that a Consent may list.
const MOST: usize = 100;

/// What a Consent restricts; nothing where it is not about privacy, is not active, or says yes.
///
/// # Errors
/// What of it cannot be enforced, and what to send instead.
pub fn restriction(id: &str, consent: &Value) -> Result<Option<Restriction>, Box<Issue>> {
    let is_active = consent.text("status") == Some("active");
    if !is_active || !has_code(consent.get("scope"), SCOPE, PRIVACY) {
        return Ok(None);
    }
    let provision = consent.get("provision");
    if !provision.is_some_and(says_no) && consent.get("policyRule").is_none_or(is_by_law) {
        return Ok(None);
    }
    check_frame(consent)?;
    match provision {
        Some(provision) => provision::read(id, provision).map(Some),
        None => {
            Err(unenforced("provision", "say what is denied in `provision`, with `type` `deny`"))
        }
    }
}

/// Whether a provision, or one within it, denies.
fn says_no(provision: &Value) -> bool {
    let mut waiting = vec![provision];
    while let Some(provision) = waiting.pop() {
        if provision.text("type") == Some("deny") {
            return true;
        }
        waiting.extend(provision.items("provision"));
    }
    false
}

/// Whether a rule names a legal basis, and so says nothing that the provision does not say.
fn is_by_law(rule: &Value) -> bool {
    rule.items("coding").iter().any(|coding| coding.text("system") == Some(LEGAL_BASIS))
}

/// What stands around the provision.
fn check_frame(consent: &Value) -> Result<(), Box<Issue>> {
    if consent.get("modifierExtension").is_some() {
        return Err(unenforced("modifierExtension", "leave it out"));
    }
    if !consent.get("policyRule").is_none_or(is_by_law) {
        let basis =
            "give the legal basis, such as `PBRL5-3`, and say what is denied in `provision`";
        return Err(unenforced("policyRule", basis));
    }
    let categories = consent.items("category");
    if !categories.iter().any(|it| has_code(Some(it), record::system::LOINC, CATEGORY)) {
        return Err(unenforced("category", "send LOINC 59284-0"));
    }
    Ok(())
}

/// Whether a CodeableConcept has a code.
fn has_code(concept: Option<&Value>, system: &str, code: &str) -> bool {
    let codings = concept.map(|concept| concept.items("coding")).unwrap_or_default();
    codings.iter().any(|it| it.text("system") == Some(system) && it.text("code") == Some(code))
}

/// An element that says what the platform cannot hold anybody to.
fn unenforced(element: &str, instead: &str) -> Box<Issue> {
    let location = format!("Consent.{element}");
    let text = format!(
        "the platform cannot enforce what this says, and does not keep a restriction that would \
         not hold; {instead}"
    );
    Box::new(Issue::error(IssueCode::BusinessRule, location, text))
}
