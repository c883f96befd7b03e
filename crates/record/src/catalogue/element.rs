//! Information elements: the single things a category holds, as the municipalities name them
//! (steering document, Bilag 3.1.3).

use serde::{Deserialize, Serialize};

use super::text::Texts;

/// System of the keys of elements, where FHIR names one.
pub const ELEMENT_SYSTEM: &str = "https://fkj.no/fhir/CodeSystem/information-element";

/// One information element.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Element {
    /// Stable key, such as `blood-pressure`.
    pub key: String,
    /// Key of the category it belongs to.
    pub category: String,
    /// Resource type it is sent as. None where the platform does not carry it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<String>,
    /// What it is called by. Empty where no code is known for certain: such an element is told
    /// apart by its own key.
    #[serde(default)]
    pub codes: Vec<Code>,
    /// Concept of the openEHR archetype, without its version. None where there is no archetype.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archetype: Option<String>,
    /// Which of the nine needs of the first phase it meets (Bilag 3.1.3, 2), if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need: Option<Need>,
    /// Who carries it; the category's where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colour: Option<Colour>,
    /// Who typically needs it.
    pub roles: Vec<Role>,
    /// Lines of the steering document that name it; empty where it is ours.
    pub source: String,
    /// What people are told it is.
    pub texts: Texts,
}

/// A code and the system it is from.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// URL or OID of the system.
    pub system: String,
    /// The code.
    pub code: String,
}

/// Who carries a kind of information (Vedlegg 3.2, 7.5, figure 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    /// The platform: pink in the figure.
    Platform,
    /// National solutions, from which it is exchanged: green.
    National,
    /// Outside the first phase: white.
    Later,
}

/// The nine categories that the first phase is recommended to begin with (Bilag 3.1.3, 2, a–i).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// a. Klinisk oppsummering.
    Summary,
    /// b. Undersøkelser, målinger og funn.
    Examinations,
    /// c. Journaldokumenter.
    Documents,
    /// d. Kliniske bakgrunnsopplysninger.
    Clinical,
    /// e. Sosialt, utdanning og bolig bakgrunnsinformasjon.
    Social,
    /// f. Tjenester, ytelser og hjelpemidler.
    Services,
    /// g. Prosedyrer og behandlinger (inklusive behandlingsplaner).
    Treatments,
    /// h. Problem, diagnose og behov.
    Problems,
    /// i. Applikasjonsspesifikke data.
    Applications,
}

impl Need {
    /// Every need, in the order of the source.
    pub const ALL: [Self; 9] = [
        Self::Summary,
        Self::Examinations,
        Self::Documents,
        Self::Clinical,
        Self::Social,
        Self::Services,
        Self::Treatments,
        Self::Problems,
        Self::Applications,
    ];
}

/// Who typically needs an element. It gives no access: it is for those who plan and explain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Nurses and other care workers at home and in nursing homes.
    Nurse,
    /// General practitioners, and doctors of nursing homes and emergency rooms.
    Doctor,
    /// Physiotherapists and occupational therapists.
    Therapist,
    /// Public health nurses and midwives.
    HealthVisitor,
    /// Those who decide on services.
    CaseWorker,
    /// Those who plan and lead the services.
    Manager,
    /// The resident.
    Resident,
}
