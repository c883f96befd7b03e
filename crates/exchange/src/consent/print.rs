//! A restriction as a `Consent`.

use access::restriction::{Against, Restriction};
use fhir::instant::format_instant;
use fhir::json;
use fhir::reference;
use fhir::value::Value;
use record::catalogue;
use record::purpose::Purpose;
use record::system;

use super::actor::ROLES;
use super::{CATEGORY, LEGAL_BASIS, PRIVACY, PURPOSE, SCOPE, SUBJECT};

/// Digits of an HPR number at most; the subject of a login is longer, or has letters.
const HPR_DIGITS: usize = 9;

/// A Consent that a patient gives.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// System of the patient's number.
    pub system: &'a str,
    /// The patient's number.
    pub number: &'a str,
    /// When it was given, milliseconds since 1970.
    pub at: i64,
    /// What whoever it is against is called, for people to read.
    pub display: Option<&'a str>,
}

/// The Consent that says what a restriction says. Reading it back gives the restriction, except that an
/// owner is left out beside single resources, each of which has one owner.
pub fn consent(restriction: &Restriction, given: &Given<'_>) -> Value {
    let mut consent = frame(given, "active");
    if let Some(object) = consent.as_object_mut() {
        if !restriction.id.is_empty() {
            object.set("id", restriction.id.as_str());
        }
        object.set("provision", provision(restriction, given.display));
    }
    consent
}

/// What every Consent about privacy has.
pub fn frame(given: &Given<'_>, status: &str) -> Value {
    json!({
        "resourceType": "Consent",
        "status": status,
        "scope": { "coding": [{ "system": SCOPE, "code": PRIVACY }] },
        "category": [{ "coding": [{ "system": system::LOINC, "code": CATEGORY }] }],
        "patient": { "identifier": { "system": given.system, "value": given.number } },
        "dateTime": format_instant(given.at),
        "policyRule": { "coding": [{ "system": LEGAL_BASIS, "code": "PBRL5-3" }] },
    })
}

fn provision(restriction: &Restriction, display: Option<&str>) -> Value {
    let Restriction { against, what, valid_from, valid_to, in_emergency, .. } = restriction;
    let emergency = [Purpose::EmergencyTreatment, Purpose::BreakTheGlass];
    let purposes: Vec<Value> = emergency
        .iter()
        .filter(|_| *in_emergency)
        .map(|purpose| json!({ "system": PURPOSE, "code": purpose.code() }))
        .collect();
    let class = |key: &String| json!({ "system": catalogue::SYSTEM, "code": key.as_str() });
    let classes: Vec<Value> = what.categories.iter().map(class).collect();
    let item = |(kind, id): &(String, String)| json!({ "meaning": "instance", "reference": reference::to(kind, id) });
    let mut data: Vec<Value> = what.items.iter().map(item).collect();
    if let (Some(owner), true) = (&what.owner, data.is_empty()) {
        let owner = json!({ "identifier": { "system": system::ENH, "value": owner.as_str() } });
        data.push(json!({ "meaning": "authoredby", "reference": owner }));
    }
    json!({
        "type": "deny",
        "period": period(*valid_from, *valid_to),
        "actor": actor(against, display).map(|actor| json!([actor])),
        "purpose": filled(purposes),
        "class": filled(classes),
        "dataPeriod": period(what.from, what.to),
        "data": filled(data),
    })
}

fn filled(values: Vec<Value>) -> Option<Value> {
    (!values.is_empty()).then_some(Value::Array(values))
}

/// FHIR's periods end within their end, ours before it.
fn period(from: Option<i64>, to: Option<i64>) -> Option<Value> {
    (from.is_some() || to.is_some()).then(|| {
        json!({
            "start": from.map(format_instant),
            "end": to.map(|to| format_instant(to - 1)),
        })
    })
}

fn actor(against: &Against, display: Option<&str>) -> Option<Value> {
    let recipient = json!({ "coding": [{ "system": ROLES, "code": "PRCP" }] });
    let group =
        |system: &str, code: &str| json!({ "coding": [{ "system": system, "code": code }] });
    let named = |kind: &str, system: &str, value: &str| {
        json!({
            "type": kind,
            "identifier": { "system": system, "value": value },
            "display": display,
        })
    };
    let (role, reference) = match against {
        Against::Everyone => return None,
        Against::Practitioner(who) => {
            let is_number = who.len() <= HPR_DIGITS && who.bytes().all(|b| b.is_ascii_digit());
            let system = if is_number { system::HPR } else { SUBJECT };
            (recipient, named("Practitioner", system, who))
        }
        Against::Organisation(number) => (recipient, named("Organization", system::ENH, number)),
        Against::Profession(code) => {
            let anybody = json!({ "type": "PractitionerRole", "display": display });
            (group(system::PROFESSION, code), anybody)
        }
        Against::Service(code) => {
            let any = json!({ "type": "HealthcareService", "display": display });
            (group(system::SERVICE_TYPE, code), any)
        }
    };
    Some(json!({ "role": role, "reference": reference }))
}
