//! What the municipality holds back or has opened: assessments that gate, switches that stop, and
//! the information services it has adopted.

use serde::{Deserialize, Serialize};

/// The outcome of an assessment (DPIA, risk and vulnerability) of a category or a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// What was assessed.
    pub of: Assessed,
    /// What came of it.
    pub outcome: Outcome,
    /// Where the assessment is.
    pub reference: String,
}

/// What an assessment is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Assessed {
    /// A category, by key.
    Category(String),
    /// An information service, by key.
    Service(String),
}

/// What came of an assessment (GDPR articles 35 and 36).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The risk is acceptable with the measures: may be processed.
    Go,
    /// Not acceptable: may not.
    NoGo,
    /// The supervisory authority is to be consulted first: may not yet.
    PriorConsultation,
}

/// A kill switch that is off: stops at once, whoever asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    /// What is off.
    pub off: Off,
    /// Why.
    pub reason: String,
}

/// What a switch stops.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Off {
    /// The whole municipality.
    Municipality,
    /// A purpose, by code.
    Purpose(String),
    /// An information service, by key.
    Service(String),
    /// Every system of a vendor, by organisation number.
    Vendor(String),
    /// One client.
    Client(String),
}

/// An information service that the municipality has adopted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Key.
    pub key: String,
    /// Keys of the roles that may consume it; empty means all.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Clients that may consume it; empty means all.
    #[serde(default)]
    pub clients: Vec<String>,
    /// Milliseconds since 1970; adopted from here.
    pub adopted_from: i64,
    /// Adopted until here; absent means until further notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopted_to: Option<i64>,
}

impl Service {
    /// Whether it is adopted now.
    pub fn is_adopted(&self, now: i64) -> bool {
        self.adopted_from <= now && self.adopted_to.is_none_or(|end| now < end)
    }
}
