//! Why not, and the way on.

use std::fmt;

/// The rule that refused. The code is stable: pages translate it, tests and vendors match on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// The token is for another organisation than this municipality.
    OtherMunicipality,
    /// No valid agreement for the client.
    NoAgreement,
    /// The agreement does not cover the category.
    CategoryNotAgreed,
    /// Only the owner may correct.
    NotOwner,
    /// Only a system may deliver.
    NotASystem,
    /// The login is too weak for health information.
    WeakLogin,
    /// A person at work must bring an attest.
    NoAttest,
    /// The attest is older than an hour or from the future.
    AttestExpired,
    /// The attest names another organisation than the token.
    AttestContradicts,
    /// The attest's unit is unknown to the municipality.
    UnknownUnit,
    /// The purpose is not in use.
    PurposeInactive,
    /// No role for this unit, profession and purpose.
    NoRole,
    /// The role may not read any of the categories asked for.
    CategoryNotForRole,
    /// The request must name one patient.
    PatientNotNamed,
    /// A resident reads only about themself.
    NotSelf,
    /// The category is not shared beyond its owner.
    NotShared,
    /// The token's scopes do not reach so far.
    InsufficientScope,
}

/// A decision against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The rule.
    pub rule: Rule,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Rule; 17] = [
        Rule::OtherMunicipality,
        Rule::NoAgreement,
        Rule::CategoryNotAgreed,
        Rule::NotOwner,
        Rule::NotASystem,
        Rule::WeakLogin,
        Rule::NoAttest,
        Rule::AttestExpired,
        Rule::AttestContradicts,
        Rule::UnknownUnit,
        Rule::PurposeInactive,
        Rule::NoRole,
        Rule::CategoryNotForRole,
        Rule::PatientNotNamed,
        Rule::NotSelf,
        Rule::NotShared,
        Rule::InsufficientScope,
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
            Rule::OtherMunicipality => (
                "other-municipality",
                "the token belongs to another organisation than this municipality",
                "use a token whose `orgnr_parent` is this municipality's organisation number",
            ),
            Rule::NoAgreement => (
                "no-agreement",
                "the municipality has no valid agreement with this client",
                "ask the municipality to register an agreement for the client id",
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
            Rule::NotASystem => (
                "not-a-system",
                "information is delivered by systems with an agreement",
                "deliver with the system's own machine token",
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
            Rule::AttestExpired => (
                "attestation_has_expired",
                "the attest is more than 60 minutes old",
                "make a new attest for the patient and request a new token",
            ),
            Rule::AttestContradicts => (
                "attest-contradicts",
                "the attest names another legal entity than the token",
                "request a token and an attest for the same organisation",
            ),
            Rule::UnknownUnit => (
                "unknown-unit",
                "the attest's point of care is not a unit of this municipality",
                "ask the municipality to register the unit",
            ),
            Rule::PurposeInactive => (
                "purpose-inactive",
                "the stated purpose is not in use in this municipality",
                "state a purpose that the municipality has switched on",
            ),
            Rule::NoRole => (
                "no-role",
                "no role gives access for this unit, profession and purpose",
                "ask the municipality which role your work needs",
            ),
            Rule::CategoryNotForRole => (
                "category-not-for-role",
                "the role does not need this category of information",
                "ask for a category that the role may read",
            ),
            Rule::PatientNotNamed => (
                "patient-not-named",
                "the request must name one patient",
                "add `patient` or `patient.identifier` to the search",
            ),
            Rule::NotSelf => (
                "not-self",
                "a resident reads only about themself",
                "ask with your own identity number",
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
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.rule.explanation(), self.rule.way_on())
    }
}
