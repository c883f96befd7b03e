//! What the audit ledger holds: who looked or wrote, about whom, why, and who was refused.
//!
//! The parts are those of the Tillitsrammeverk and of HL7 Norway's AuditEvent profile (conventions
//! §6–7), so that they can be printed as such ([`crate::audit_event`]), and what Normen asks for: who,
//! role, organisation, patient, what, when, basis, and refused attempts.
//!
//! Invariants: one record for each patient and disclosure. What was written by an earlier version
//! reads; the golden files are in `cases/formats/v1`. No identity number, and nothing of what was seen.

use access::caller::{Caller, Party};
use access::officer;
use access::permit::{Basis, ReadPermit};
use access::refusal::Refusal;
use record::identity::PersonId;
use record::purpose::Purpose;
use serde::{Deserialize, Serialize};

use ledger::append::{Body, Draft, Record};
use record::catalogue::ACCESS;
use record::decision::Who;
use record::entry::{Entry, Kind, Position};

use crate::answer::AccessLine;
use crate::error::Failure;
use crate::origin::Origin;
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
    /// What sort of party acted: `practitioner`, `resident` or `system`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub party: String,
    /// Name of the person, or the system.
    pub name: String,
    /// The login's pseudonymous subject, of a person at work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// HPR number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hpr: Option<String>,
    /// Profession.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization: Option<String>,
    /// Organisation number of the legal entity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// Organisation number of the supplier that runs the system for the legal entity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplier: Option<String>,
    /// Organisation number of the sub-unit: the point of care.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Id of the department.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// The healthcare service, as `system|code`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthcare_service: Option<String>,
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
    /// When the attest was made, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attested_at: Option<i64>,
    /// Keys of the categories.
    pub categories: Vec<String>,
    /// How many resources.
    #[serde(default)]
    pub resources: usize,
    /// Type of what was asked for, or `Type/id` of the one resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// The search as it was asked, without what could name a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Code of the rule that refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// Position in the clinical ledger that readers saw when this was written: what was answered
    /// holds nothing later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// Version of the rules that decided: the ledger position of the last administrative decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Position>,
    /// Id of the request, which all its records share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// When it was, in milliseconds since 1970, where another server's log of looks had it first and
    /// told it over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
    /// What kind of network it came from: `loopback`, `private` or `public`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
}

/// Format version that is written.
pub const VERSION: u8 = 2;

/// What was done, for the record.
#[derive(Clone, Copy, Debug, Default)]
pub struct Deed<'a> {
    /// Interaction.
    pub action: &'a str,
    /// Whom it is about.
    pub person: Option<PersonId>,
    /// Keys of the categories.
    pub categories: &'a [&'a str],
    /// How many resources.
    pub resources: usize,
    /// Type of what was asked for; empty where there is no one type.
    pub kind: &'a str,
    /// Id of the one resource.
    pub id: Option<&'a str>,
    /// The search, without what could name a person.
    pub query: Option<&'a str>,
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
            purpose_details: caller.attest().and_then(|attest| attest.purpose_details.clone()),
            decision_ref: caller.attest().map(|attest| attest.decision_ref.clone()),
            user_selected: caller.attest().is_some_and(|attest| attest.user_selected),
            refused: Some(refusal.rule.code().to_owned()),
            ..Self::about(caller, deed)
        }
    }

    fn about(caller: &Caller, deed: &Deed<'_>) -> Self {
        let practitioner = match &caller.party {
            Party::Practitioner(practitioner) => Some(practitioner),
            _ => None,
        };
        let attest = caller.attest();
        let what = match deed.id {
            _ if deed.kind.is_empty() => None,
            Some(id) => Some(format!("{}/{id}", deed.kind)),
            None => Some(deed.kind.to_owned()),
        };
        Self {
            v: VERSION,
            action: deed.action.to_owned(),
            client: caller.client_id.clone(),
            token: caller.token_id.clone(),
            party: party(caller).to_owned(),
            name: caller.display_name().to_owned(),
            subject: practitioner.map(|practitioner| practitioner.subject.clone()),
            hpr: practitioner.and_then(|practitioner| practitioner.hpr.clone()),
            authorization: attest.and_then(|attest| attest.authorization.clone()),
            organisation: caller.organisation.clone(),
            supplier: caller.supplier.clone(),
            unit: attest.map(|attest| attest.point_of_care.clone()).or_else(|| caller.unit.clone()),
            department: attest.and_then(|attest| attest.department.as_deref().map(str::to_owned)),
            healthcare_service: attest
                .and_then(|attest| attest.healthcare_service.as_deref().map(str::to_owned)),
            role: String::new(),
            purpose: String::new(),
            purpose_details: None,
            decision_ref: None,
            user_selected: false,
            attested_at: attest.map(|attest| attest.made_at.div_euclid(1000)),
            categories: deed.categories.iter().map(|key| (*key).to_owned()).collect(),
            resources: deed.resources,
            what,
            query: deed.query.map(str::to_owned),
            refused: None,
            position: None,
            policy: None,
            request: None,
            network: None,
            at: None,
        }
    }

    /// An act of administration by an operator's command, and why.
    pub(crate) fn of_operator(caller: &Caller, deed: &Deed<'_>, who: &Who, why: &str) -> Self {
        Self {
            name: who.name.clone(),
            subject: who.subject.clone(),
            role: ADMIN.to_owned(),
            purpose: Purpose::Delivery.code().to_owned(),
            purpose_details: Some(why.to_owned()),
            ..Self::about(caller, deed)
        }
    }

    /// A look into the log by the municipality's privacy officer.
    pub(crate) fn by_officer(caller: &Caller, deed: &Deed<'_>) -> Self {
        Self {
            role: officer::ROLE.to_owned(),
            purpose: officer::PURPOSE.to_owned(),
            ..Self::about(caller, deed)
        }
    }

    /// What sort of party acted. Version 1 did not say, but the purpose did.
    pub fn party(&self) -> &str {
        match self.purpose.as_str() {
            _ if !self.party.is_empty() => &self.party,
            "PATRQT" => RESIDENT,
            "HOPERAT" => SYSTEM,
            _ if self.role == RESIDENT => RESIDENT,
            _ => PRACTITIONER,
        }
    }

    /// When it was, in milliseconds since 1970.
    pub fn at(&self, entry: &Entry) -> i64 {
        self.at.unwrap_or(entry.recorded_at)
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
        let at = self.at(entry);
        let number = self.unit.or(self.organisation).unwrap_or_default();
        AccessLine {
            position: entry.position,
            is_person: self.hpr.is_some(),
            at,
            who: self.name,
            role: self.role,
            organisation: name(&number).unwrap_or(number),
            purpose: self.purpose,
            action: self.action,
            categories: self.categories,
            refused: self.refused,
            profession: self.authorization,
            resources: self.resources,
        }
    }
}

/// A person at work.
pub(crate) const PRACTITIONER: &str = "practitioner";
/// Role of acts of administration.
pub(crate) const ADMIN: &str = "admin";
/// A resident.
pub(crate) const RESIDENT: &str = "resident";
/// A system on its own behalf.
pub(crate) const SYSTEM: &str = "system";

fn party(caller: &Caller) -> &'static str {
    match caller.party {
        Party::Practitioner(_) => PRACTITIONER,
        Party::Resident { .. } => RESIDENT,
        Party::System => SYSTEM,
    }
}

impl Tenant {
    /// Up to `limit` entries of the audit ledger with their records, from position `from` on.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn audit_records(
        &self,
        from: Position,
        limit: usize,
    ) -> Result<Vec<(Entry, AuditRecord)>, Failure> {
        let records = self.audit.read(from, limit)?;
        let read = |record: Record| Ok((record.entry.clone(), AuditRecord::read(&record)?));
        records.into_iter().map(read).collect()
    }

    /// Writes down that somebody saw something. Nothing may leave before this has returned.
    pub(crate) async fn disclosed(
        &self,
        caller: &Caller,
        permit: &ReadPermit,
        action: &str,
        person: Option<PersonId>,
        categories: &[&str],
        resources: usize,
    ) -> Result<(), Failure> {
        let deed = Deed { action, person, categories, resources, ..Deed::default() };
        self.disclosed_as(caller, permit, &deed).await
    }

    /// Writes down what was told, in full. Nothing may leave before this has returned.
    pub(crate) async fn disclosed_as(
        &self,
        caller: &Caller,
        permit: &ReadPermit,
        deed: &Deed<'_>,
    ) -> Result<(), Failure> {
        let record = AuditRecord::permitted(caller, deed, permit.basis());
        self.record_audit(caller, vec![(deed.person, record)]).await
    }

    pub(crate) async fn disclosed_of(
        &self,
        caller: &Caller,
        permit: &ReadPermit,
        action: &str,
        kind: &str,
        id: &str,
        resources: usize,
    ) -> Result<(), Failure> {
        let person = self.view.locate(kind, id)?.and_then(|located| located.person);
        let categories = permit.categories();
        let id = Some(id);
        let deed = Deed { action, person, categories, resources, kind, id, query: None };
        self.disclosed_as(caller, permit, &deed).await
    }

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
        let (position, origin) = (self.visible(), Origin::current());
        let policy = self.standing().version();
        for (person, mut record) in records {
            record.position = Some(position);
            record.policy = Some(policy);
            record.request = Some(origin.request.clone()).filter(|id| !id.is_empty());
            record.network = origin.network.map(|network| network.key().to_owned());
            let body = serde_json::to_vec(&record)
                .map_err(|error| Failure::Unavailable(error.to_string()))?;
            drafts.push(Draft {
                seen: None,
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
        self.looks().append(drafts).await?;
        Ok(())
    }
}
