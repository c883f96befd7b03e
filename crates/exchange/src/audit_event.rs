//! An entry of the audit ledger as FHIR: `AuditEvent`, by HL7 Norway's profile
//! `no-domain-Trustframework-Auditevent` (conventions §7).
//!
//! Invariants: what is printed follows R4, and the profile where it declares it. It does so for a person
//! at work, with a number or subject and a place, about one patient; the profile has no room for others.
//! Persons stand as pseudonymous ids, never by number. What the record does not know is not made up:
//! the attest of HelseID has no words for its decision, and that is said.

use fhir::base64;
use fhir::instant::format_instant;
use fhir::json;
use fhir::value::Value;
use ledger::append::Record;
use record::entry::Entry;
use record::identity::PersonId;
use record::system::{ENH, HPR, SERVICE_TYPE};

use crate::audit::{AuditRecord, PRACTITIONER, RESIDENT};
use crate::error::Failure;
use crate::tenant::Tenant;

/// The profile.
pub const PROFILE: &str =
    "http://hl7.no/fhir/StructureDefinition/no-domain-Trustframework-Auditevent";
/// Start of the addresses of its extensions.
const EXTENSION: &str = "http://hl7.no/fhir/StructureDefinition/auditevent-";
/// System of the purposes in an AuditEvent.
const ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
/// Professions.
const PROFESSION: &str = "urn:oid:2.16.578.1.12.4.1.1.9060";
/// Subject of a login.
const SUBJECT: &str = "https://fkj.no/fhir/sid/subject";
/// Client of a token.
const CLIENT: &str = "https://fkj.no/fhir/sid/client";
/// Department, by the id that its own organisation gives it.
const DEPARTMENT: &str = "https://fkj.no/fhir/sid/department";
/// What was done, as the ledger has it.
const INTERACTION: &str = "https://fkj.no/fhir/CodeSystem/interaction";
/// Version of the rules that decided, in `agent.policy`.
pub(crate) const POLICY: &str = "urn:fkj:policy:";
/// What stands where an attest has no words for the decision it refers to.
const NO_WORDS: &str = "Ikke beskrevet i attesten";

/// `AuditEvent.action`: what happened to the information.
pub(crate) fn action(record: &AuditRecord) -> &'static str {
    if record.action.starts_with("submit-") { "C" } else { "R" }
}

/// `AuditEvent.outcome`: a refusal is a minor failure.
pub(crate) fn outcome(record: &AuditRecord) -> &'static str {
    if record.refused.is_some() { "4" } else { "0" }
}

impl Tenant {
    /// The AuditEvent of an entry of the audit ledger.
    pub(crate) fn audit_event(&self, record: &Record) -> Result<Value, Failure> {
        let name = |number: &str| self.register().organisation_name(number).map(str::to_owned);
        Ok(print(&record.entry, &AuditRecord::read(record)?, name))
    }
}

/// Prints a record. `name` tells what organisation a number belongs to.
pub fn print(entry: &Entry, record: &AuditRecord, name: impl Fn(&str) -> Option<String>) -> Value {
    let at = format_instant(record.at(entry));
    let actor = Actor::new(record, entry.person, name);
    let profile = actor.fits_profile.then(|| Value::Array(vec![PROFILE.into()]));
    let contained = (!actor.contained.is_empty()).then_some(Value::Array(actor.contained));
    let extensions = extensions(record, entry.person, actor.has_contact);
    let kind = match entry.person {
        Some(_) => json!({
            "system": "http://dicom.nema.org/resources/ontology/DCM",
            "code": "110110", "display": "Patient Record",
        }),
        None => json!({
            "system": "http://terminology.hl7.org/CodeSystem/audit-event-type",
            "code": "rest", "display": "RESTful Operation",
        }),
    };
    json!({
        "resourceType": "AuditEvent",
        "id": entry.position.to_string(),
        "meta": { "lastUpdated": at.as_str(), "profile": profile },
        "contained": contained,
        "extension": some(extensions),
        "type": kind,
        "subtype": Value::Array(subtypes(record)),
        "action": action(record),
        "recorded": at,
        "outcome": outcome(record),
        "outcomeDesc": record.refused.as_deref(),
        "purposeOfEvent": purposes(record),
        "agent": [actor.agent],
        "source": {
            "site": entry.owner.as_str(),
            "observer": { "type": "Device", "display": "fkj" },
            "type": [{
                "system": "http://terminology.hl7.org/CodeSystem/security-source-type",
                "code": "4", "display": "Application Server",
            }],
        },
        "entity": [entity(record, entry.person)],
    })
}

fn some(items: Vec<Value>) -> Option<Value> {
    (!items.is_empty()).then_some(Value::Array(items))
}

/// Who acted: the agent, and what stands in the event for it to refer to.
struct Actor {
    agent: Value,
    contained: Vec<Value>,
    has_contact: bool,
    fits_profile: bool,
}

impl Actor {
    fn new(
        record: &AuditRecord,
        person: Option<PersonId>,
        name: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let at_work = record.party() == PRACTITIONER;
        let contained = if at_work { role(record, name) } else { Vec::new() };
        let contact = contact(record, person).filter(|_| at_work);
        let who = match (record.party(), person) {
            (PRACTITIONER, _) => json!({ "reference": "#role", "display": named(record) }),
            (RESIDENT, Some(person)) => {
                json!({ "reference": format!("Patient/{person}"), "display": named(record) })
            }
            _ => json!({
                "identifier": { "system": CLIENT, "value": record.client.as_str() },
                "display": named(record),
            }),
        };
        let policy =
            record.policy.map(|version| Value::Array(vec![format!("{POLICY}{version}").into()]));
        let agent = json!({
            "type": { "coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/extra-security-role-type",
                "code": if record.party() == crate::audit::SYSTEM { "dataprocessor" } else { "humanuser" },
            }] },
            "role": (!record.role.is_empty()).then(|| json!([{ "text": record.role.as_str() }])),
            "who": who,
            "altId": record.client.as_str(),
            "name": named(record),
            "requestor": true,
            "policy": policy,
        });
        let has_number = record.hpr.is_some() || record.subject.is_some();
        let has_place = record.organisation.is_some() && record.unit.is_some();
        let fits_profile =
            at_work && has_number && has_place && person.is_some() && !record.purpose.is_empty();
        let has_contact = contact.is_some();
        let contained = contained.into_iter().chain(contact).collect();
        Self { agent, contained, has_contact, fits_profile }
    }
}

fn named(record: &AuditRecord) -> Option<&str> {
    Some(record.name.as_str()).filter(|name| !name.is_empty())
}

/// A person at work, in a role at a place of an organisation.
fn role(record: &AuditRecord, name: impl Fn(&str) -> Option<String>) -> Vec<Value> {
    let identifier = |system: &str, value: &Option<String>| {
        value.as_ref().map(|value| json!({ "system": system, "value": value.as_str() }))
    };
    let own: Vec<Value> = [identifier(HPR, &record.hpr), identifier(SUBJECT, &record.subject)]
        .into_iter()
        .flatten()
        .collect();
    let profession = record
        .authorization
        .as_deref()
        .map(|code| json!([{ "code": { "coding": [{ "system": PROFESSION, "code": code }] } }]));
    let mut contained = vec![json!({
        "resourceType": "Practitioner",
        "id": "practitioner",
        "identifier": some(own),
        "name": named(record).map(|name| json!([{ "text": name }])),
        "qualification": profession,
    })];
    let refer = |to: &str, is: bool| is.then(|| json!({ "reference": format!("#{to}") }));
    let (entity, unit) = (record.organisation.as_deref(), record.unit.as_deref());
    if let Some(number) = entity {
        contained.push(json!({
            "resourceType": "Organization",
            "id": "organisation",
            "identifier": [{ "system": ENH, "value": number }],
            "name": name(number),
        }));
    }
    if let Some(department) = &record.department {
        contained.push(json!({
            "resourceType": "Organization",
            "id": "department",
            "identifier": [{ "system": DEPARTMENT, "value": department.as_str() }],
            "partOf": refer("organisation", entity.is_some()),
        }));
    }
    if let Some(number) = unit {
        contained.push(json!({
            "resourceType": "Location",
            "id": "place",
            "identifier": [{ "system": ENH, "value": number }],
            "name": name(number),
            "managingOrganization": refer("organisation", entity.is_some()),
        }));
    }
    let organisation = if record.department.is_some() { "department" } else { "organisation" };
    let belongs = record.department.is_some() || entity.is_some();
    contained.push(json!({
        "resourceType": "PractitionerRole",
        "id": "role",
        "practitioner": { "reference": "#practitioner" },
        "organization": refer(organisation, belongs),
        "code": (!record.role.is_empty()).then(|| json!([{ "text": record.role.as_str() }])),
        "location": refer("place", unit.is_some()).map(|place| Value::Array(vec![place])),
    }));
    contained
}

/// The contact that the look belongs to, as far as the attest names its service.
fn contact(record: &AuditRecord, person: Option<PersonId>) -> Option<Value> {
    let (system, code) = record.healthcare_service.as_ref()?.split_once('|')?;
    let system = Some(system).filter(|system| !system.is_empty());
    Some(json!({
        "resourceType": "Encounter",
        "id": "contact",
        "status": "unknown",
        "class": {
            "system": "http://terminology.hl7.org/CodeSystem/data-absent-reason",
            "code": "unknown",
        },
        "serviceType": { "coding": [{ "system": system, "code": code }] },
        "subject": person.map(|person| json!({ "reference": format!("Patient/{person}") })),
    }))
}

fn extensions(record: &AuditRecord, person: Option<PersonId>, contact: bool) -> Vec<Value> {
    let mut extensions = Vec::new();
    if let Some(person) = person {
        extensions.push(json!({
            "url": format!("{EXTENSION}patient-extension"),
            "valueReference": { "reference": format!("Patient/{person}") },
        }));
    }
    if contact {
        extensions.push(json!({
            "url": format!("{EXTENSION}encounter-extension"),
            "valueReference": { "reference": "#contact" },
        }));
    }
    // All four parts or none. Version 1 did not keep when the attest was made.
    if let (Some(decision), Some(made)) = (&record.decision_ref, record.attested_at) {
        let parts = vec![
            json!({ "url": "decision-ref-id", "valueString": decision.as_str() }),
            json!({ "url": "decision-ref-description", "valueString": NO_WORDS }),
            json!({
                "url": "decision-ref-user-selected",
                "valueBoolean": record.user_selected,
            }),
            json!({ "url": "toa", "valueUnsignedInt": made }),
        ];
        extensions.push(json!({
            "url": format!("{EXTENSION}carerelation-metadata-extension"),
            "extension": parts,
        }));
    }
    extensions
}

fn subtypes(record: &AuditRecord) -> Vec<Value> {
    let rest = match record.action.as_str() {
        "read" => Some("read"),
        "vread" => Some("vread"),
        "search" => Some("search-type"),
        "history" => Some("history-type"),
        _ => None,
    };
    let rest = rest
        .map(|code| json!({ "system": "http://hl7.org/fhir/restful-interaction", "code": code }));
    let own = json!({ "system": INTERACTION, "code": record.action.as_str() });
    rest.into_iter().chain([own]).collect()
}

/// Both codings in one purpose: only that satisfies the profile (conventions C11).
fn purposes(record: &AuditRecord) -> Option<Value> {
    if record.purpose.is_empty() {
        return None;
    }
    let code = record.purpose.as_str();
    let mut coding = vec![json!({ "system": ACT_REASON, "code": code })];
    if let Some(details) = &record.purpose_details {
        coding.push(json!({ "system": SERVICE_TYPE, "code": details.as_str() }));
    }
    Some(json!([{ "coding": Value::Array(coding) }]))
}

/// What was seen or recorded: its kind and how much, never what it says.
fn entity(record: &AuditRecord, person: Option<PersonId>) -> Value {
    let what = match (&record.what, person) {
        (Some(what), _) if what.contains('/') => Some(what.clone()),
        (_, Some(person)) => Some(format!("Patient/{person}")),
        _ => None,
    };
    let kind = record.what.as_deref().map(|what| what.split('/').next().unwrap_or(what));
    let kind =
        kind.map(|code| json!({ "system": "http://hl7.org/fhir/resource-types", "code": code }));
    let one = |name: &str, value: &str| json!({ "type": name, "valueString": value });
    let mut details: Vec<Value> =
        record.categories.iter().map(|key| one("category", key)).collect();
    details.push(one("resources", &record.resources.to_string()));
    let told = [
        ("position", record.position.map(|position| position.to_string())),
        ("token", Some(record.token.clone())),
        ("request", record.request.clone()),
        ("network", record.network.clone()),
    ];
    let told = told.into_iter().filter_map(|(name, value)| Some((name, value?)));
    details
        .extend(told.filter(|(_, value)| !value.is_empty()).map(|(name, value)| one(name, &value)));
    let query = record.query.as_deref().map(|query| base64::encode(query.as_bytes()));
    json!({
        "what": what.map(|what| json!({ "reference": what })),
        "type": kind,
        "query": query,
        "detail": Value::Array(details),
    })
}
