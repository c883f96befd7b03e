//! Synthetic people and what is measured about them.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use super::FNR;

/// A number that differs at each call in this process.
pub fn count() -> u32 {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    COUNT.fetch_add(1, Ordering::Relaxed)
}

/// The identity number of a new synthetic person (month + 80).
pub fn person() -> String {
    loop {
        let n = count();
        let (day, month) = (1 + n % 28, 81 + n / 28 % 12);
        let nine = format!("{day:02}{month:02}47{:03}", 100 + n / 336 % 300);
        if let Some(number) = record::identity::complete_number(nine.as_bytes().try_into().unwrap())
        {
            return number;
        }
    }
}

/// A pulse, with its own identifier.
pub fn pulse(pid: &str, at: &str, value: u32) -> Value {
    vital(
        pid,
        at,
        &[("http://loinc.org", "8867-4")],
        json!({
            "valueQuantity": { "value": value, "unit": "/min",
                               "system": "http://unitsofmeasure.org", "code": "/min" },
        }),
    )
}

/// A Consent that withholds measurements from everybody at work.
pub fn withholding(pid: &str) -> Value {
    json!({
        "resourceType": "Consent",
        "status": "active",
        "scope": { "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/consentscope",
            "code": "patient-privacy",
        }] },
        "category": [{ "coding": [{ "system": "http://loinc.org", "code": "59284-0" }] }],
        "patient": { "identifier": { "system": FNR, "value": pid } },
        "policyRule": { "coding": [{
            "system": "http://hl7.no/fhir/CodeSystem/no-basis-legal-formality-or-basis",
            "code": "PBRL5-3",
        }] },
        "provision": { "type": "deny", "class": [{
            "system": "https://fkj.no/fhir/CodeSystem/information-category",
            "code": "measurements",
        }] },
    })
}

/// A vital sign with these codes and this value.
pub fn vital(pid: &str, at: &str, codes: &[(&str, &str)], value: Value) -> Value {
    let coding: Vec<Value> =
        codes.iter().map(|(system, code)| json!({ "system": system, "code": code })).collect();
    let mut observation = json!({
        "resourceType": "Observation",
        "identifier": [{ "system": "urn:test", "value": format!("m{}", count()) }],
        "status": "final",
        "category": [{ "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/observation-category",
            "code": "vital-signs",
        }] }],
        "code": { "coding": coding },
        "subject": { "identifier": { "system": FNR, "value": pid } },
        "effectiveDateTime": at,
    });
    observation.as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
    observation
}

/// A Bundle of these entries: method, address, resource.
pub fn bundle(kind: &str, entries: &[(&str, &str, &Value)]) -> Value {
    let entries: Vec<Value> = entries
        .iter()
        .map(|(method, url, resource)| {
            json!({
                "fullUrl": format!("urn:uuid:00000000-0000-4000-8000-{:012}", count()),
                "resource": resource,
                "request": { "method": method, "url": url },
            })
        })
        .collect();
    json!({ "resourceType": "Bundle", "type": kind, "entry": entries })
}
