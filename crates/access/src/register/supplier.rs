//! Vendors, their systems, and the agreements by which they process for the municipality
//! (pasientjournalloven, GDPR article 28).

use serde::{Deserialize, Serialize};

/// A vendor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vendor {
    /// Organisation number.
    pub number: String,
    /// Name.
    pub name: String,
}

/// One instance of a vendor's system: one client for each instance and municipality.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct System {
    /// The client its tokens are issued to.
    pub client_id: String,
    /// Organisation number of the vendor.
    pub vendor: String,
    /// Name.
    pub name: String,
}

/// A processor agreement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Processor {
    /// Organisation number of the controller who instructs: the municipality or a partner.
    pub organisation: String,
    /// Organisation number of the processor or vendor.
    pub processor: String,
    /// Keys of the categories it covers; empty means all.
    #[serde(default)]
    pub categories: Vec<String>,
    /// Milliseconds since 1970; valid from here.
    pub valid_from: i64,
    /// Valid until here; absent means until further notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<i64>,
}

impl Processor {
    /// Whether it is valid now.
    pub fn is_valid(&self, now: i64) -> bool {
        self.valid_from <= now && self.valid_to.is_none_or(|end| now < end)
    }

    /// Whether it covers a category.
    pub fn covers(&self, category: &str) -> bool {
        self.categories.is_empty() || self.categories.iter().any(|covered| covered == category)
    }
}
