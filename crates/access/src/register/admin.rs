//! Who administers, and what each of them may do.

use serde::{Deserialize, Serialize};

use crate::caller::Practitioner;

/// Somebody who administers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admin {
    /// Subject of the login, or the HPR number.
    pub who: String,
    /// Name, as the log shows it.
    pub name: String,
    /// What they may do.
    pub duties: Vec<Duty>,
    /// Organisation numbers of the units a leader leads.
    #[serde(default)]
    pub units: Vec<String>,
}

impl Admin {
    /// Whether this is the person who logged in.
    pub fn is(&self, practitioner: &Practitioner) -> bool {
        self.who == practitioner.subject || practitioner.hpr.as_ref() == Some(&self.who)
    }
}

/// What somebody may do for the municipality beside care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Duty {
    /// Change the register: organisations, agreements, gates, switches, roles.
    Register,
    /// Change the municipality's policies.
    Policies,
    /// Review the log and the residents' rights (personvernombud).
    PrivacyOfficer,
    /// Review who at the units has which access.
    Leader,
    /// Operate the platform: no clinical reading at all, whatever else they are.
    Operator,
}

/// One of the municipality's own policies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyText {
    /// Key, for reasons and the log.
    pub key: String,
    /// Title in Bokmål.
    pub title: String,
    /// The policies, in Cedar.
    pub text: String,
}
