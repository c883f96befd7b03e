//! Who calls: what a verified token and its attest say, as values.

use std::sync::Arc;

use record::purpose::Purpose;

use crate::scopes::Scopes;

/// A caller whose token has been verified.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The client the token was issued to: one per system instance and municipality.
    pub client_id: String,
    /// The legal entity (`orgnr_parent`), nine digits.
    pub organisation: Option<String>,
    /// The sub-unit (`orgnr_child`), nine digits.
    pub unit: Option<String>,
    /// The supplier that runs the system for them (`orgnr_supplier`, Maskinporten's `supplier`), nine digits.
    pub supplier: Option<String>,
    /// The token's own id (`jti`), for the audit trail.
    pub token_id: String,
    /// What the token is limited to, where it holds scopes of resources or is of a launch.
    pub scopes: Option<Arc<Scopes>>,
    /// Who acts.
    pub party: Party,
}

/// Who acts through the client.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "one for each request, never many in a list")]
pub enum Party {
    /// A system on its own behalf.
    System,
    /// A person at work.
    Practitioner(Practitioner),
    /// A resident, by the identity number in the token.
    Resident {
        /// Eleven digits. Never logged.
        number: String,
        /// Name as the log shows it.
        name: String,
    },
}

/// A person at work.
#[derive(Clone, Debug)]
pub struct Practitioner {
    /// Name as the resident's log shows it (attest rule 8: the name, not the number).
    pub name: String,
    /// Pseudonymous subject of the login.
    pub subject: String,
    /// HPR number, for those who have one.
    pub hpr: Option<String>,
    /// Professions (kodeverk 9060) that HPR has for the person, where the login tells.
    pub hpr_professions: Option<Vec<String>>,
    /// Level of the login, 4 being the highest.
    pub security_level: u8,
    /// What the person attested when opening this patient or list.
    pub attest: Option<Attest>,
}

/// The attest of the Tillitsrammeverk 1.1, read from `nhn:tillitsrammeverk:parameters`.
#[derive(Clone, Debug)]
pub struct Attest {
    /// When it was made: milliseconds since 1970-01-01T00:00:00Z.
    pub made_at: i64,
    /// Profession, kodeverk 9060, such as `LE` or `SP`.
    pub authorization: Option<String>,
    /// Organisation number of the legal entity where the work is done.
    pub legal_entity: String,
    /// Organisation number of the sub-unit.
    pub point_of_care: String,
    /// Id of the department, where there is one: a RESH id or one of the organisation's own.
    pub department: Option<Box<str>>,
    /// The healthcare service as `system|code`, such as that of 8663's `KP02`.
    pub healthcare_service: Option<Box<str>>,
    /// Purpose of use.
    pub purpose: Purpose,
    /// Details of the purpose: in a municipality a 9151 code.
    pub purpose_details: Option<String>,
    /// Id of the decision that opened the record.
    pub decision_ref: String,
    /// Whether the person authorised themself.
    pub user_selected: bool,
    /// Whether it names another person or HPR number than the login (rule 11).
    pub names_another: bool,
    /// Identity numbers of the patients it is for (`patients[]`); empty where it names none. Never
    /// logged.
    pub patients: Vec<String>,
}

impl Caller {
    /// The name an access log shows.
    pub fn display_name(&self) -> &str {
        match &self.party {
            Party::System => &self.client_id,
            Party::Practitioner(practitioner) => &practitioner.name,
            Party::Resident { name, .. } => name,
        }
    }

    /// Logical id of the `Patient` that a SMART launch named: the token is for that patient only.
    pub fn launched_for(&self) -> Option<&str> {
        self.scopes.as_ref()?.patient.as_deref()
    }

    /// The attest, where a person at work made one.
    pub fn attest(&self) -> Option<&Attest> {
        match &self.party {
            Party::Practitioner(practitioner) => practitioner.attest.as_ref(),
            _ => None,
        }
    }
}
