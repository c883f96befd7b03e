//! Agreements between controllers, by which people at work for somebody else may read here.

use serde::{Deserialize, Serialize};

use super::Unit;

/// An agreement to share with another controller: a neighbouring municipality, a hospital, a general
/// practitioner with an enterprise of her own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sharing {
    /// Key, for reasons and the log.
    pub key: String,
    /// Organisation number of the partner's legal entity.
    pub partner: String,
    /// Name of the partner.
    pub name: String,
    /// The law it rests on.
    pub basis: Basis,
    /// Whether the partner does the municipality's own work by contract; what its people read is then
    /// communication inside one enterprise (purpose P2), otherwise between enterprises (P3).
    #[serde(default)]
    pub agency_contract: bool,
    /// Keys of the categories it covers.
    pub categories: Vec<String>,
    /// Codes of the purposes it covers.
    pub purposes: Vec<String>,
    /// The partner's units that take part, as the partner has told them.
    pub units: Vec<Unit>,
    /// Milliseconds since 1970; valid from here.
    pub valid_from: i64,
    /// Valid until here; absent means until further notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<i64>,
}

/// The law an agreement rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Basis {
    /// Cooperation about a record (pasientjournalloven § 9).
    #[serde(rename = "pjl-9")]
    Cooperation,
    /// Making available to who gives care (pasientjournalloven § 19).
    #[serde(rename = "pjl-19")]
    MakingAvailable,
}

impl Sharing {
    /// Whether it is valid now.
    pub fn is_valid(&self, now: i64) -> bool {
        self.valid_from <= now && self.valid_to.is_none_or(|end| now < end)
    }

    /// The partner's unit with this organisation number.
    pub fn unit(&self, organisation: &str) -> Option<&Unit> {
        self.units.iter().find(|unit| unit.organisation == organisation)
    }
}
