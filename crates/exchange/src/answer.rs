//! What the information services answer: plain values that the API prints as FHIR and the pages
//! print as HTML.
//!
//! Every item keeps its owner, its source and how fresh it is; what could not be read stands in
//! `incomplete` and is never left out silently.

use record::identity::PersonId;
use record::news2::course::Course;

/// Who the patient is, as far as the platform has been told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatientHeader {
    /// Pseudonymous id.
    pub person: PersonId,
    /// `Given Family`, if a source has sent a Patient.
    pub name: Option<String>,
    /// Identity number, if known. Shown on the page, never in a URL.
    pub number: Option<String>,
    /// `YYYY-MM-DD`.
    pub birth_date: Option<String>,
    /// `male`, `female`, `other` or `unknown`.
    pub gender: Option<String>,
    /// One line.
    pub address: Option<String>,
    /// Telephone.
    pub phone: Option<String>,
}

/// *Oversikt over kommunale tjenester* for one person.
#[derive(Clone, Debug)]
pub struct Overview {
    /// Whom it is about.
    pub patient: PatientHeader,
    /// Active, paused and planned services; among them stays in an institution first, then by hours.
    pub active: Vec<ServiceLine>,
    /// Ended and cancelled services, the latest end first.
    pub ended: Vec<ServiceLine>,
    /// What could not be read.
    pub incomplete: Vec<Incomplete>,
}

/// Something that could not be read and is therefore missing from an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Incomplete {
    /// A stored resource.
    #[error("the resource at position {position} cannot be read")]
    Record {
        /// Its version.
        position: u64,
    },
    /// Measurements whose value or unit is not understood.
    #[error("{count} measurements have a value or unit that is not understood")]
    Measurements {
        /// How many.
        count: usize,
    },
    /// Something that the resident withholds from the reader. Told only where the municipality has
    /// decided so, and never what.
    #[error("the resident withholds something from you; what it is, is not told")]
    Withheld,
}

/// State of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceStatus {
    /// Decided, not started.
    Planned,
    /// Going on.
    Active,
    /// Paused.
    OnHold,
    /// Over.
    Finished,
    /// Never came to be.
    Cancelled,
}

/// One municipal service.
#[derive(Clone, Debug)]
pub struct ServiceLine {
    /// Logical id of the `EpisodeOfCare`.
    pub id: String,
    /// State.
    pub status: ServiceStatus,
    /// Kodeverk 9151, without padding.
    pub code: Option<String>,
    /// Title of the code, or the source's text where there is no code.
    pub title: String,
    /// The municipality's own words.
    pub local_text: Option<String>,
    /// Stay type title.
    pub stay: Option<String>,
    /// Hours per week, where it could be understood.
    pub hours_per_week: Option<f64>,
    /// Extent as the source wrote it, where it wrote text.
    pub extent_text: Option<String>,
    /// `YYYY-MM-DD`.
    pub start: Option<String>,
    /// When it is assessed again, `YYYY-MM-DD`.
    pub revision: Option<String>,
    /// `YYYY-MM-DD`.
    pub end: Option<String>,
    /// Service site and its parents, the site first.
    pub sites: Vec<Site>,
    /// Organisation number of the owner.
    pub owner: String,
    /// Name of the owner, if known.
    pub owner_name: Option<String>,
    /// Source system.
    pub source: String,
    /// When the platform got the latest version: milliseconds since 1970.
    pub updated_at: i64,
    /// The decision behind it, if delivered.
    pub decision: Option<DecisionLine>,
}

/// An organisation in the chain from the service site upwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Name.
    pub name: String,
    /// Telephone: whom to call.
    pub phone: Option<String>,
}

/// A decision (vedtak) on a service.
#[derive(Clone, Debug)]
pub struct DecisionLine {
    /// Logical id of the `ServiceRequest`.
    pub id: String,
    /// FHIR status.
    pub status: String,
    /// `YYYY-MM-DD`.
    pub decided: Option<String>,
    /// What the decision says is to be done.
    pub text: Option<String>,
}

/// NEWS2 for one person.
#[derive(Clone, Debug)]
pub struct News2 {
    /// Whom it is about.
    pub patient: PatientHeader,
    /// Latest, series, trend and the patient's normal level.
    pub course: Course,
    /// What could not be read.
    pub incomplete: Vec<Incomplete>,
}

/// A ward's board (tavle).
#[derive(Clone, Debug)]
pub struct Board {
    /// Name of the unit.
    pub unit: String,
    /// One line for each patient, the highest risk first.
    pub patients: Vec<News2>,
    /// Whether it is told that somebody withholds something.
    pub withheld: bool,
}

/// One line of the resident's access log.
#[derive(Clone, Debug)]
pub struct AccessLine {
    /// Position in the audit ledger.
    pub position: u64,
    /// Whether it is a person at work, whom the resident may withhold information from.
    pub is_person: bool,
    /// Milliseconds since 1970.
    pub at: i64,
    /// Name of the person, or the system.
    pub who: String,
    /// Key of the role.
    pub role: String,
    /// Name (or number) of the organisation.
    pub organisation: String,
    /// Code of the purpose.
    pub purpose: String,
    /// What was done: an interaction such as `overview`, `news2`, `read`, `create`.
    pub action: String,
    /// Keys of the categories.
    pub categories: Vec<String>,
    /// Code of the rule, where it was refused.
    pub refused: Option<String>,
    /// Profession (kodeverk 9060), of a person at work who has one.
    pub profession: Option<String>,
    /// How many pieces of information.
    pub resources: usize,
}

/// A part of an access log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stretch {
    /// From here on, milliseconds since 1970.
    pub from: Option<i64>,
    /// Until here, exclusive.
    pub to: Option<i64>,
    /// Before this position in the audit ledger: where a page before ended.
    pub before: Option<u64>,
}
