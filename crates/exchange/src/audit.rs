//! What the audit ledger holds: who looked or wrote, about whom, why, and who was refused.
//!
//! The parts are those of the Tillitsrammeverk and of HL7 Norway's AuditEvent profile
//! (conventions §6–7), so that they can be printed as such.

use access::caller::{Caller, Party};
use access::permit::Basis;
use access::refusal::Refusal;
use record::identity::PersonId;
use record::purpose::Purpose;
use serde::{Deserialize, Serialize};

use ledger::append::{Body, Draft, Record};
use record::catalogue::ACCESS;
use record::entry::{Entry, Kind};

use crate::answer::AccessLine;
use crate::error::Failure;
use crate::tenant::Tenant;

/// One look, one delivery or one refusal, about at most one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// Format version.
    pub v: u8,
    /// Interaction: `read`, `search`, `overview`, `create`, ….
    pub action: String,
    /// Client of the token.
    pub client: String,
    /// Id of the token.
    pub token: String,
    /// Name of the person, or the system.
    pub name: String,
    /// HPR number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hpr: Option<String>,
    /// Profession.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization: Option<String>,
    /// Organisation number of the legal entity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// Organisation number of the sub-unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Key of the role; empty where it was refused before a role was found.
    #[serde(default)]
    pub role: String,
    /// Code of the purpose.
    #[serde(default)]
    pub purpose: String,
    /// Details of the purpose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose_details: Option<String>,
    /// Reference of the decision that opened the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_ref: Option<String>,
    /// Whether the caller authorised themself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub user_selected: bool,
    /// Keys of the categories.
    pub categories: Vec<String>,
    /// How many resources.
    #[serde(default)]
    pub resources: usize,
    /// Code of the rule that refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// What was done, for the record.
#[derive(Clone, Copy, Debug)]
pub struct Deed<'a> {
    /// Interaction.
    pub action: &'a str,
    /// Whom it is about.
    pub person: Option<PersonId>,
    /// Keys of the categories.
    pub categories: &'a [&'a str],
    /// How many resources.
    pub resources: usize,
}

impl AuditRecord {
    /// A look or delivery that was permitted.
    pub fn permitted(caller: &Caller, deed: &Deed<'_>, basis: &Basis) -> Self {
        Self {
            role: basis.role.clone(),
            purpose: basis.purpose.code().to_owned(),
            purpose_details: basis.purpose_details.clone(),
            decision_ref: basis.decision_ref.clone(),
            user_selected: basis.user_selected,
            ..Self::about(caller, deed)
        }
    }

    /// An attempt that was refused.
    pub fn refused(caller: &Caller, deed: &Deed<'_>, refusal: Refusal) -> Self {
        Self {
            purpose: caller
                .attest()
                .map(|attest| attest.purpose.code().to_owned())
                .unwrap_or_default(),
            refused: Some(refusal.rule.code().to_owned()),
            ..Self::about(caller, deed)
        }
    }

    fn about(caller: &Caller, deed: &Deed<'_>) -> Self {
        let hpr = match &caller.party {
            Party::Practitioner(practitioner) => practitioner.hpr.clone(),
            _ => None,
        };
        Self {
            v: 1,
            action: deed.action.to_owned(),
            client: caller.client_id.clone(),
            token: caller.token_id.clone(),
            name: caller.display_name().to_owned(),
            hpr,
            authorization: caller.attest().and_then(|attest| attest.authorization.clone()),
            organisation: caller.organisation.clone(),
            unit: caller
                .attest()
                .map(|attest| attest.point_of_care.clone())
                .or_else(|| caller.unit.clone()),
            role: String::new(),
            purpose: String::new(),
            purpose_details: None,
            decision_ref: None,
            user_selected: false,
            categories: deed.categories.iter().map(|key| (*key).to_owned()).collect(),
            resources: deed.resources,
            refused: None,
        }
    }

    /// Reads an entry of the audit ledger back.
    pub(crate) fn read(record: &Record) -> Result<Self, Failure> {
        let broken = || {
            let position = record.entry.position;
            Failure::Unavailable(format!("the audit entry at position {position} cannot be read"))
        };
        let Body::Plain(body) = &record.body else { return Err(broken()) };
        serde_json::from_slice(body).map_err(|_| broken())
    }

    /// Whether somebody else than the resident looked, or was refused: no delivery.
    pub(crate) fn is_of_others(&self) -> bool {
        let ordinary = [Purpose::Delivery.code(), Purpose::PatientRequest.code()];
        self.refused.is_some() || !ordinary.contains(&self.purpose.as_str())
    }

    /// As a line of the resident's access log. `name` tells what organisation a number belongs to.
    pub fn line(self, entry: &Entry, name: impl Fn(&str) -> Option<String>) -> AccessLine {
        let number = self.unit.or(self.organisation).unwrap_or_default();
        AccessLine {
            position: entry.position,
            is_person: self.hpr.is_some(),
            at: entry.recorded_at,
            who: self.name,
            role: self.role,
            organisation: name(&number).unwrap_or(number),
            purpose: self.purpose,
            action: self.action,
            categories: self.categories,
            refused: self.refused,
        }
    }
}

impl Tenant {
    /// Puts records on disk in the audit ledger. Nothing may leave before this has returned.
    pub(crate) async fn record_audit(
        &self,
        caller: &Caller,
        records: Vec<(Option<PersonId>, AuditRecord)>,
    ) -> Result<(), Failure> {
        if records.is_empty() {
            return Ok(());
        }
        let owner = self.register().organisation.clone();
        let mut drafts = Vec::with_capacity(records.len());
        for (person, record) in records {
            let body = serde_json::to_vec(&record)
                .map_err(|error| Failure::Unavailable(error.to_string()))?;
            drafts.push(Draft {
                kind: Kind::Audit,
                source: caller.client_id.clone(),
                source_event_id: None,
                owner: owner.clone(),
                person,
                category: ACCESS.to_owned(),
                fingerprint: [0; 32],
                body,
            });
        }
        self.audit.append(drafts).await?;
        Ok(())
    }
}
