//! What a municipality has decided: who it is, its units, which systems deliver, which roles read
//! what, and which purposes are in use. Data, read from configuration.

use std::collections::HashSet;

use record::identity::Strictness;
use record::purpose::Purpose;
use serde::{Deserialize, Serialize};

/// Everything a decision needs to know about one municipality.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// Municipality number, four digits.
    pub number: String,
    /// Name, such as `Dalfjord kommune`.
    pub name: String,
    /// Organisation number of the legal entity.
    pub organisation: String,
    /// Which identity numbers are accepted.
    pub identity_numbers: IdentityNumbers,
    /// Purposes in use; any other is refused.
    pub purposes: Vec<String>,
    /// Units of the municipality.
    pub units: Vec<Unit>,
    /// Systems that deliver. A client has one agreement at a time.
    pub agreements: Vec<Agreement>,
    /// Roles that read.
    pub roles: Vec<Role>,
    /// Login subjects of the municipality's privacy officers, who read the whole log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub privacy_officers: Vec<String>,
}

/// [`Strictness`] as configuration writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdentityNumbers {
    /// Only numbers that may be real.
    Production,
    /// Only synthetic numbers.
    Synthetic,
    /// Anything, for published examples.
    Lenient,
}

impl From<IdentityNumbers> for Strictness {
    fn from(numbers: IdentityNumbers) -> Self {
        match numbers {
            IdentityNumbers::Production => Strictness::Production,
            IdentityNumbers::Synthetic => Strictness::Synthetic,
            IdentityNumbers::Lenient => Strictness::Lenient,
        }
    }
}

/// A unit where people work.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// Organisation number.
    pub organisation: String,
    /// Name.
    pub name: String,
    /// What it is, such as `legevakt`, `ward`, `home-care` or `case-office`; roles name it.
    pub kind: String,
}

/// A system that may deliver, by agreement with the municipality.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// The client its tokens are issued to.
    pub client_id: String,
    /// Name of the source, such as `plo-epj`; stands on every entry.
    pub source: String,
    /// Organisation number of the owner of what it delivers.
    pub owner: String,
    /// Categories it may deliver.
    pub categories: Vec<String>,
    /// Milliseconds since 1970; the agreement is valid from here.
    pub valid_from: i64,
    /// The agreement is valid until here; absent means until further notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<i64>,
}

/// A role that reads: recognised by unit and profession, narrowed to categories.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Key, such as `legevaktslege`.
    pub key: String,
    /// Title in Bokmål.
    pub title: String,
    /// Kinds of unit where the role exists.
    pub unit_kinds: Vec<String>,
    /// Professions (kodeverk 9060) that have it; empty means that none is asked for.
    #[serde(default)]
    pub authorizations: Vec<String>,
    /// Purposes the role may state.
    pub purposes: Vec<String>,
    /// Categories it may read.
    pub categories: Vec<String>,
    /// Whether it may list the patients of its own unit without naming one.
    #[serde(default)]
    pub unit_list: bool,
}

/// A register that says two things at once. Names only what stands in the register itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ambiguous {
    /// Two agreements of one client overlap in time, so its source and owner would be a guess.
    #[error("client `{0}` has two agreements at the same time; end the first before the second")]
    Client(String),
    /// Two units have one organisation number, so the kind of the unit would be a guess.
    #[error("unit `{0}` stands twice in the register; keep one")]
    Unit(String),
}

impl Register {
    /// Checks that every question to the register has at most one answer.
    pub fn check(&self) -> Result<(), Ambiguous> {
        for (i, agreement) in self.agreements.iter().enumerate() {
            let overlaps = |other: &Agreement| {
                other.client_id == agreement.client_id
                    && other.valid_to.is_none_or(|end| agreement.valid_from < end)
                    && agreement.valid_to.is_none_or(|end| other.valid_from < end)
            };
            if self.agreements.iter().take(i).any(overlaps) {
                return Err(Ambiguous::Client(agreement.client_id.clone()));
            }
        }
        let mut units = HashSet::new();
        match self.units.iter().find(|unit| !units.insert(&unit.organisation)) {
            Some(unit) => Err(Ambiguous::Unit(unit.organisation.clone())),
            None => Ok(()),
        }
    }

    /// The agreement of this client that is valid now.
    pub fn agreement(&self, client_id: &str, now: i64) -> Option<&Agreement> {
        self.agreements.iter().find(|agreement| {
            agreement.client_id == client_id
                && agreement.valid_from <= now
                && agreement.valid_to.is_none_or(|end| now < end)
        })
    }

    /// The unit with this organisation number.
    pub fn unit(&self, organisation: &str) -> Option<&Unit> {
        self.units.iter().find(|unit| unit.organisation == organisation)
    }

    /// Whether a purpose is in use.
    pub fn has_purpose(&self, purpose: Purpose) -> bool {
        self.purposes.iter().any(|code| code == purpose.code())
    }

    /// The name of an organisation the register knows.
    pub fn organisation_name(&self, organisation: &str) -> Option<&str> {
        if organisation == self.organisation {
            return Some(&self.name);
        }
        self.unit(organisation).map(|unit| unit.name.as_str())
    }
}
