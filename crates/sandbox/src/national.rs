//! Stand-ins for national sources and a neighbour: what each would hold about a person, as pure functions of the
//! person's number, and how it answers while a fault is asked for.
//!
//! Nothing they say is about anybody. What they hold is chosen so that a demo shows something of each: what only they
//! have, what the municipality has too, and what contradicts it.

use fhir::json;
use fhir::value::Value;
use record::system;

/// A source that is stood in for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum National {
    /// Pasientens prøvesvar.
    Pps,
    /// Pasientens måledata.
    Pmd,
    /// Kjernejournal: critical information.
    Kritisk,
    /// Kjernejournal: document sharing.
    Dokumenter,
}

/// A way to fail, until another is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It answers 503.
    Down,
    /// It answers half.
    Truncated,
    /// It answers about somebody else.
    Wrong,
    /// It says that the person withholds.
    Withheld,
    /// It answers after so many milliseconds.
    Slow(u64),
}

impl National {
    /// Every one.
    pub const ALL: [National; 4] =
        [National::Pps, National::Pmd, National::Kritisk, National::Dokumenter];

    /// Its key: the shape it is asked in, and its name in addresses.
    pub fn key(self) -> &'static str {
        match self {
            National::Pps => "pps",
            National::Pmd => "pmd",
            National::Kritisk => "kritisk",
            National::Dokumenter => "dokumenter",
        }
    }

    /// The one with this key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.key() == key)
    }

    /// What it answers to a question at `path` about the person with this number, at `today` (`YYYY-MM-DD`).
    pub fn answer(self, path: &str, number: &str, today: &str) -> Value {
        let found = match (self, path) {
            (National::Pps, "DiagnosticReport/_search") => blood_count(number, today),
            (National::Pmd, "Observation/_search") => vec![weight(number, today)],
            (National::Kritisk, "AllergyIntolerance") => vec![penicillin(number)],
            (National::Dokumenter, "DocumentReference/_search") => vec![discharge(number, today)],
            _ => Vec::new(),
        };
        searchset(found)
    }
}

impl Fault {
    /// The fault with this name; `ms` is how slow.
    pub fn from_key(key: &str, ms: u64) -> Option<Self> {
        Some(match key {
            "nede" => Fault::Down,
            "kuttet" => Fault::Truncated,
            "feil" => Fault::Wrong,
            "sperret" => Fault::Withheld,
            "treg" => Fault::Slow(ms),
            _ => return None,
        })
    }
}

/// What a source says where the person withholds (Pasientens prøvesvar, `pvk-outcome-cs`).
pub fn withheld() -> Value {
    json!({ "resourceType": "OperationOutcome", "issue": [{
        "severity": "error",
        "code": "suppressed",
        "details": { "coding": [{
            "system": "http://nhn.no/fhir/nilar/CodeSystem/pvk-outcome-cs",
            "code": "General",
        }] },
    }] })
}

fn searchset(resources: Vec<Value>) -> Value {
    let entry = |resource: Value| json!({ "resource": resource, "search": { "mode": "match" } });
    let entries: Vec<Value> = resources.into_iter().map(entry).collect();
    json!({
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": Some(entries).filter(|it| !it.is_empty()),
    })
}

fn subject(number: &str) -> Value {
    json!({ "identifier": { "system": system::FNR, "value": number } })
}

/// Ids and addresses name nobody.
fn id(what: &str) -> String {
    format!("{what}-1")
}

/// A haemoglobin, in a report of its own.
fn blood_count(number: &str, today: &str) -> Vec<Value> {
    let code =
        json!({ "coding": [{ "system": system::LOINC, "code": "718-7" }], "text": "Hemoglobin" });
    let report = json!({
        "resourceType": "DiagnosticReport",
        "id": id("svar"),
        "status": "final",
        "code": { "text": "Blodprøve" },
        "subject": subject(number),
        "effectiveDateTime": today,
        "performer": [{ "display": "Fjordlab (oppdiktet)" }],
        "result": [{ "reference": format!("Observation/{}", id("hb")) }],
    });
    let value = json!({
        "resourceType": "Observation",
        "id": id("hb"),
        "status": "final",
        "code": code,
        "subject": subject(number),
        "effectiveDateTime": today,
        "valueQuantity": { "value": 13, "unit": "g/dL", "system": system::UCUM, "code": "g/dL" },
    });
    vec![report, value]
}

fn weight(number: &str, today: &str) -> Value {
    json!({
        "resourceType": "Observation",
        "id": id("vekt"),
        "status": "final",
        "category": [{ "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/observation-category",
            "code": "vital-signs",
        }] }],
        "code": { "coding": [{ "system": system::LOINC, "code": "29463-7" }], "text": "Kroppsvekt" },
        "subject": subject(number),
        "effectiveDateTime": today,
        "valueQuantity": { "value": 71, "unit": "kg", "system": system::UCUM, "code": "kg" },
    })
}

fn penicillin(number: &str) -> Value {
    json!({
        "resourceType": "AllergyIntolerance",
        "id": id("penicillin"),
        "clinicalStatus": { "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical",
            "code": "active",
        }] },
        "verificationStatus": { "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification",
            "code": "confirmed",
        }] },
        "criticality": "high",
        "code": { "coding": [{ "system": system::SNOMED, "code": "764146007" }], "text": "Penicillin" },
        "patient": subject(number),
    })
}

fn discharge(number: &str, today: &str) -> Value {
    json!({
        "resourceType": "DocumentReference",
        "id": id("epikrise"),
        "masterIdentifier": { "system": "urn:ietf:rfc:3986", "value": "urn:uuid:9d1c0bb8-60b2-4d2e-9a55-0d6f1f4b7a01" },
        "status": "current",
        "type": { "coding": [{ "system": "urn:oid:2.16.578.1.12.4.1.1.9602", "code": "A03-2" }], "text": "Epikrise" },
        "subject": subject(number),
        "date": format!("{today}T08:00:00Z"),
        "custodian": { "display": "Fjordsykehuset (oppdiktet)" },
        "content": [{ "attachment": { "contentType": "application/pdf", "title": "Epikrise" } }],
    })
}
