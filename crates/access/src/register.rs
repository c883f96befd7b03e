//! What a municipality has decided: who it is, its units, which systems deliver, which roles read
//! what, which purposes are in use, with whom it shares, and what it holds back. Data.
//!
//! Whatever is not said is nothing: taking an entry away closes, except for what is itself a barrier
//! (gates, switches, the municipality's forbidding policies).

pub mod admin;
pub mod control;
pub mod purposes;
pub mod sharing;
pub mod supplier;

use std::collections::HashSet;

use record::identity::Strictness;
use record::purpose::Purpose;
use serde::{Deserialize, Serialize};

use self::admin::{Admin, PolicyText};
use self::control::{Gate, Service, Switch};
use self::purposes::Use;
use self::sharing::Sharing;
use self::supplier::{Processor, System, Vendor};

/// Everything a decision needs to know about one municipality.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Whether a category or service is closed until an assessment has opened it.
    #[serde(default)]
    pub gates_required: bool,
    /// Whether a client must be a registered system whose vendor has a processor agreement.
    #[serde(default)]
    pub processors_required: bool,
    /// Whether a reader is told that something is withheld by the resident.
    #[serde(default)]
    pub tells_withheld: bool,
    /// Purposes; one that is not in use is refused.
    pub purposes: Vec<Use>,
    /// Units of the municipality.
    pub units: Vec<Unit>,
    /// Systems that deliver. A client has one agreement at a time.
    pub agreements: Vec<Agreement>,
    /// Roles that read.
    pub roles: Vec<Role>,
    /// Vendors.
    #[serde(default)]
    pub vendors: Vec<Vendor>,
    /// Their systems.
    #[serde(default)]
    pub systems: Vec<System>,
    /// Processor agreements.
    #[serde(default)]
    pub processors: Vec<Processor>,
    /// Agreements with other controllers.
    #[serde(default)]
    pub sharing: Vec<Sharing>,
    /// Information services adopted; absent means every one of the platform's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services: Option<Vec<Service>>,
    /// Outcomes of assessments.
    #[serde(default)]
    pub gates: Vec<Gate>,
    /// Switches that are off.
    #[serde(default)]
    pub switches: Vec<Switch>,
    /// The municipality's own policies.
    #[serde(default)]
    pub policies: Vec<PolicyText>,
    /// Who administers.
    #[serde(default)]
    pub admins: Vec<Admin>,
}

/// [`Strictness`] as configuration writes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdentityNumbers {
    /// Only numbers that may be real.
    #[default]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// What the addresses begin with to which its notifications may be sent, such as `https://vendor.example` or
    /// `https://vendor.example/hook`: the platform calls no others. Absent means none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<String>,
}

impl Agreement {
    /// Whether notifications may be sent to an address.
    pub fn lets_call(&self, address: &str) -> bool {
        // Who is called stands before a `@`, so that `https://known@unknown/` begins like `https://known`.
        let rest = |start: &String| address.strip_prefix(start.as_str());
        let goes_on = |rest: &str| rest.is_empty() || rest.starts_with(['/', ':', '?']);
        let named = self.endpoints.iter().filter(|start| start.contains("://"));
        !address.contains('@') && named.filter_map(rest).any(goes_on)
    }
}

/// A role that reads: recognised by unit and profession, narrowed to categories.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Two agreements with one partner overlap in time, so what is shared would be a guess.
    #[error(
        "partner `{0}` has two sharing agreements at the same time; end the first before the second"
    )]
    Partner(String),
    /// Two systems have one client, so the vendor would be a guess.
    #[error("client `{0}` stands as two systems; each instance has its own client")]
    System(String),
}

impl Register {
    /// Checks that every question to the register has at most one answer.
    pub fn check(&self) -> Result<(), Ambiguous> {
        let overlap = |a: (i64, Option<i64>), b: (i64, Option<i64>)| {
            b.1.is_none_or(|end| a.0 < end) && a.1.is_none_or(|end| b.0 < end)
        };
        for (i, it) in self.agreements.iter().enumerate() {
            let clashes = |other: &Agreement| {
                other.client_id == it.client_id
                    && overlap((it.valid_from, it.valid_to), (other.valid_from, other.valid_to))
            };
            if self.agreements.iter().take(i).any(clashes) {
                return Err(Ambiguous::Client(it.client_id.clone()));
            }
        }
        for (i, it) in self.sharing.iter().enumerate() {
            let clashes = |other: &Sharing| {
                other.partner == it.partner
                    && overlap((it.valid_from, it.valid_to), (other.valid_from, other.valid_to))
            };
            if self.sharing.iter().take(i).any(clashes) {
                return Err(Ambiguous::Partner(it.partner.clone()));
            }
            twice(it.units.iter().map(|unit| &unit.organisation), Ambiguous::Unit)?;
        }
        twice(self.units.iter().map(|unit| &unit.organisation), Ambiguous::Unit)?;
        twice(self.systems.iter().map(|system| &system.client_id), Ambiguous::System)
    }

    /// The agreement of this client that is valid now.
    pub fn agreement(&self, client_id: &str, now: i64) -> Option<&Agreement> {
        self.agreements.iter().find(|agreement| {
            agreement.client_id == client_id
                && agreement.valid_from <= now
                && agreement.valid_to.is_none_or(|end| now < end)
        })
    }

    /// The agreement to share with this partner that is valid now.
    pub fn sharing_with(&self, partner: &str, now: i64) -> Option<&Sharing> {
        self.sharing.iter().find(|it| it.partner == partner && it.is_valid(now))
    }

    /// The system with this client.
    pub fn system(&self, client_id: &str) -> Option<&System> {
        self.systems.iter().find(|system| system.client_id == client_id)
    }

    /// The municipality's own unit with this organisation number.
    pub fn unit(&self, organisation: &str) -> Option<&Unit> {
        self.units.iter().find(|unit| unit.organisation == organisation)
    }

    /// Whether a purpose is in use now, for anything between anybody.
    pub fn has_purpose(&self, purpose: Purpose, now: i64) -> bool {
        let states = |it: &&Use| it.lets_state(purpose, true) || it.lets_state(purpose, false);
        self.purposes.iter().filter(states).any(|it| it.is_active(now))
    }

    /// The name of an organisation the register knows.
    pub fn organisation_name(&self, organisation: &str) -> Option<&str> {
        if organisation == self.organisation {
            return Some(&self.name);
        }
        let partner = self.sharing.iter().find_map(|it| {
            let own = Some(it.name.as_str()).filter(|_| it.partner == organisation);
            own.or_else(|| it.unit(organisation).map(|unit| unit.name.as_str()))
        });
        self.unit(organisation).map(|unit| unit.name.as_str()).or(partner)
    }
}

/// Refuses a number that stands twice.
fn twice<'a>(
    mut numbers: impl Iterator<Item = &'a String>,
    error: fn(String) -> Ambiguous,
) -> Result<(), Ambiguous> {
    let mut seen = HashSet::new();
    match numbers.find(|number| !seen.insert(*number)) {
        Some(number) => Err(error(number.clone())),
        None => Ok(()),
    }
}
