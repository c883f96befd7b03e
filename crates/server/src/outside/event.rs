//! What a SIEM is told of an entry: what it needs to see a pattern, and nothing that says who a patient
//! is or what is known of them.

use exchange::audit::AuditRecord;
use record::entry::{Entry, Position};
use record::purpose::Purpose;

/// An entry for a SIEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Municipality number.
    pub municipality: String,
    /// Position in the audit ledger: the same event has the same.
    pub position: Position,
    /// Milliseconds since 1970.
    pub at: i64,
    /// What was done.
    pub action: String,
    /// How much it matters.
    pub weight: Weight,
    /// The rest, by name.
    pub facts: Vec<(&'static str, String)>,
}

/// How much an event matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// An ordinary look or delivery.
    Ordinary,
    /// One in an emergency, or with broken glass.
    Emergency,
    /// A refusal.
    Refused,
}

impl Event {
    /// What is told of an entry.
    pub fn new(municipality: &str, entry: &Entry, record: &AuditRecord) -> Self {
        let emergency = [Purpose::EmergencyTreatment.code(), Purpose::BreakTheGlass.code()];
        let weight = match record.refused {
            Some(_) => Weight::Refused,
            None if emergency.contains(&record.purpose.as_str()) => Weight::Emergency,
            None => Weight::Ordinary,
        };
        let facts = [
            ("party", Some(record.party().to_owned())),
            ("subject", record.subject.clone()),
            ("client", Some(record.client.clone())),
            ("token", Some(record.token.clone())),
            ("organisation", record.organisation.clone()),
            ("unit", record.unit.clone()),
            ("role", Some(record.role.clone())),
            ("purpose", Some(record.purpose.clone())),
            ("person", entry.person.map(|person| person.to_string())),
            ("resources", Some(record.resources.to_string())),
            ("rule", record.refused.clone()),
            ("ledger", record.position.map(|position| position.to_string())),
            ("policy", record.policy.map(|version| version.to_string())),
            ("request", record.request.clone()),
            ("network", record.network.clone()),
        ];
        Self {
            municipality: municipality.to_owned(),
            position: entry.position,
            at: record.at(entry),
            action: record.action.clone(),
            weight,
            facts: facts
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)))
                .filter(|(_, value)| !value.is_empty())
                .collect(),
        }
    }

    /// In words, for people.
    pub fn words(&self) -> String {
        let what = match self.weight {
            Weight::Ordinary => "permitted",
            Weight::Emergency => "permitted in an emergency",
            Weight::Refused => "refused",
        };
        format!("{} {what}", self.action)
    }
}
