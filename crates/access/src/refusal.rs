//! Why not, and the way on.

use std::fmt;

/// The rule that refused. The code is stable: pages translate it, tests and vendors match on it. Of
/// several that refuse, the first in this order is told: who is not a party learns nothing of roles, who
/// has no role learns nothing of what a resident has withheld.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Only a system may deliver.
    NotASystem,
    /// The municipality has switched it off.
    SwitchedOff,
    /// Operators, vendors and processors have no official need.
    NoClinicalAccess,
    /// The caller belongs to another organisation, with which nothing is shared.
    OtherMunicipality,
    /// The client is no registered system of a vendor with a processor agreement that covers this.
    NoProcessorAgreement,
    /// No valid agreement for the client.
    NoAgreement,
    /// The information service is not adopted, or not for this client or role.
    ServiceNotAdopted,
    /// No assessment (DPIA, risk and vulnerability) has opened it.
    NotAssessed,
    /// The login is too weak for health information.
    WeakLogin,
    /// A person at work must bring an attest.
    NoAttest,
    /// The purpose is not in use, or not for this information.
    PurposeInactive,
    /// The agreement to share does not cover it.
    NotInSharingAgreement,
    /// The attest is older than an hour or from the future.
    AttestExpired,
    /// The attest contradicts the login or HPR.
    AttestContradicts,
    /// The attested profession is registered in HPR, and the login has no HPR number.
    NoHpr,
    /// The token or the attest is for another patient.
    AnotherPatient,
    /// The attest's unit is unknown to the municipality.
    UnknownUnit,
    /// A resident reads only about themself and whom they represent.
    NotSelf,
    /// The representation does not cover it.
    NotRepresented,
    /// A policy of the municipality's own forbids it.
    Policy,
    /// No role for this unit, profession and purpose.
    NoRole,
    /// The request must name one patient.
    PatientNotNamed,
    /// The role may not read any of the categories asked for.
    CategoryNotForRole,
    /// The agreement does not cover the category.
    CategoryNotAgreed,
    /// Only the owner may correct.
    NotOwner,
    /// The category is not shared beyond its owner.
    NotShared,
    /// The token's scopes do not reach so far.
    InsufficientScope,
    /// The resident has withheld it.
    Restricted,
    /// A policy could not be evaluated.
    PolicyError,
    /// The person has not been given this duty.
    NoDuty,
    /// What destroys needs a second person.
    SecondPerson,
}

/// A decision against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The rule.
    pub rule: Rule,
}

impl Rule {
    /// Every rule, in the order of telling.
    pub const ALL: [Rule; 31] = [
        Rule::NotASystem,
        Rule::SwitchedOff,
        Rule::NoClinicalAccess,
        Rule::OtherMunicipality,
        Rule::NoProcessorAgreement,
        Rule::NoAgreement,
        Rule::ServiceNotAdopted,
        Rule::NotAssessed,
        Rule::WeakLogin,
        Rule::NoAttest,
        Rule::PurposeInactive,
        Rule::NotInSharingAgreement,
        Rule::AttestExpired,
        Rule::AttestContradicts,
        Rule::NoHpr,
        Rule::AnotherPatient,
        Rule::UnknownUnit,
        Rule::NotSelf,
        Rule::NotRepresented,
        Rule::Policy,
        Rule::NoRole,
        Rule::PatientNotNamed,
        Rule::CategoryNotForRole,
        Rule::CategoryNotAgreed,
        Rule::NotOwner,
        Rule::NotShared,
        Rule::InsufficientScope,
        Rule::Restricted,
        Rule::PolicyError,
        Rule::NoDuty,
        Rule::SecondPerson,
    ];

    /// Stable code.
    pub fn code(self) -> &'static str {
        self.texts().0
    }

    /// What the rule says, in English.
    pub fn explanation(self) -> &'static str {
        self.texts().1
    }

    /// What the caller can do, in English.
    pub fn way_on(self) -> &'static str {
        self.texts().2
    }

    #[expect(clippy::too_many_lines, reason = "a table, which a match keeps complete")]
    fn texts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Rule::NotASystem => (
                "not-a-system",
                "information is delivered by systems with an agreement",
                "deliver with the system's own machine token",
            ),
            Rule::SwitchedOff => (
                "switched-off",
                "the municipality has switched this off",
                "ask the municipality when it will be switched on again",
            ),
            Rule::NoClinicalAccess => (
                "no-clinical-access",
                "who operates the platform, or works for a vendor or processor, reads no health information",
                "ask the municipality for what you need to know about the operation",
            ),
            Rule::OtherMunicipality => (
                "other-municipality",
                "the token belongs to another organisation than this municipality",
                "use a token whose `orgnr_parent` is this municipality's organisation number, or ask it for an agreement to share",
            ),
            Rule::NoProcessorAgreement => (
                "no-processor-agreement",
                "the municipality has no valid processor agreement for this client and information",
                "ask the municipality to register the system and the processor agreement",
            ),
            Rule::NoAgreement => (
                "no-agreement",
                "the municipality has no valid agreement with this client",
                "ask the municipality to register an agreement for the client id",
            ),
            Rule::ServiceNotAdopted => (
                "service-not-adopted",
                "the municipality has not adopted this information service for you",
                "ask the municipality to adopt it, or which roles and systems may use it",
            ),
            Rule::NotAssessed => (
                "not-assessed",
                "this is closed until an assessment has opened it",
                "ask the municipality for the outcome of its assessment",
            ),
            Rule::WeakLogin => (
                "weak-login",
                "health information asks for a login at security level 4",
                "log in again at level 4",
            ),
            Rule::NoAttest => (
                "no-attest",
                "a person at work must state the care relation in an attest",
                "request a token with `nhn:tillitsrammeverk:parameters`",
            ),
            Rule::PurposeInactive => (
                "purpose-inactive",
                "the stated purpose is not in use in this municipality",
                "state a purpose that the municipality has switched on",
            ),
            Rule::NotInSharingAgreement => (
                "not-in-sharing-agreement",
                "the agreement between the municipality and your organisation does not cover this",
                "ask the municipality and your organisation to extend the agreement",
            ),
            Rule::AttestExpired => (
                "attestation_has_expired",
                "the attest is more than 60 minutes old",
                "make a new attest for the patient and request a new token",
            ),
            Rule::AttestContradicts => (
                "attest-contradicts",
                "the attest names another person, profession, unit or legal entity than the token",
                "request a token and an attest for the same person and organisation",
            ),
            Rule::NoHpr => (
                "no-hpr",
                "the attested profession needs an HPR number, and the login has none",
                "log in with the scope for the HPR number, or attest no profession",
            ),
            Rule::AnotherPatient => (
                "another-patient",
                "the token or the attest is for another patient",
                "make an attest, or launch again, for the patient you ask about",
            ),
            Rule::UnknownUnit => (
                "unknown-unit",
                "the attest's point of care is not a unit that is registered with this municipality",
                "ask the municipality to register the unit",
            ),
            Rule::NotSelf => (
                "not-self",
                "a resident reads only about themself, and about whom they represent",
                "ask with your own identity number",
            ),
            Rule::NotRepresented => (
                "not-represented",
                "your right to represent this person does not cover this information",
                "ask the person, or who gave you the right, to extend it",
            ),
            Rule::Policy => (
                "municipal-policy",
                "a policy of the municipality's own forbids this",
                "ask the municipality about the policy",
            ),
            Rule::NoRole => (
                "no-role",
                "no role gives access for this unit, profession and purpose",
                "ask the municipality which role your work needs",
            ),
            Rule::PatientNotNamed => (
                "patient-not-named",
                "the request must name one patient",
                "add `patient` or `patient.identifier` to the search",
            ),
            Rule::CategoryNotForRole => (
                "category-not-for-role",
                "the role does not need this category of information",
                "ask for a category that the role may read",
            ),
            Rule::CategoryNotAgreed => (
                "category-not-agreed",
                "the agreement does not cover this category of information",
                "ask the municipality to extend the agreement",
            ),
            Rule::NotOwner => (
                "not-owner",
                "only the organisation and system that documented a record may change it",
                "send the correction from the owner's system, or record your own observation",
            ),
            Rule::NotShared => (
                "not-shared",
                "this category is not shared beyond its owner",
                "ask the owner, or the municipality to share the category",
            ),
            Rule::InsufficientScope => (
                "insufficient_scope",
                "the token's scopes do not open this type, interaction or patient",
                "request a token with a scope for it, such as `patient/Observation.rs`",
            ),
            Rule::Restricted => (
                "restricted",
                "the resident has withheld this information",
                "ask the resident; in an emergency, open with a stated reason",
            ),
            Rule::PolicyError => (
                "policy-error",
                "a policy could not be evaluated, so nothing is opened",
                "ask the municipality to mend or switch off its newest policy",
            ),
            Rule::NoDuty => (
                "no-duty",
                "you have not been given this duty in the municipality",
                "ask the municipality's leadership for the duty",
            ),
            Rule::SecondPerson => (
                "second-person",
                "what destroys must be proposed by one person and approved by another",
                "ask a colleague with the same duty to approve",
            ),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.rule.explanation(), self.rule.way_on())
    }
}
