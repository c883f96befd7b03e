//! Sound synthetic resources that have room for every kind of fault.

use fhir::json;
use fhir::value::Value;

pub fn all() -> Vec<Value> {
    vec![patient(), pressure(), pulse(), condition(), medication(), bundle()]
}

fn patient() -> Value {
    json!({
        "resourceType": "Patient",
        "id": "p1",
        "text": { "status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>Kari &amp; co</p></div>" },
        "identifier": [{
            "system": "urn:oid:2.16.578.1.12.4.1.4.1", "value": "28894698995",
            "period": { "start": "2020-01-01" },
        }],
        "name": [{ "use": "official", "family": "Lund", "given": ["Kari", "Anne"] }],
        "telecom": [{ "system": "phone", "value": "+4790000000", "rank": 1, "use": "mobile" }],
        "gender": "female",
        "birthDate": "1946-09-28",
        "deceasedBoolean": false,
        "multipleBirthInteger": 2,
        "contact": [{
            "name": { "text": "Per Lund" },
            "telecom": [{ "system": "email", "value": "per@example.org" }],
            "period": { "start": "2020-01-01", "end": "2021-01-01" },
        }],
        "link": [{ "other": { "reference": "Patient/p2" }, "type": "seealso" }],
        "generalPractitioner": [{ "reference": "PractitionerRole/r1" }],
        "managingOrganization": { "reference": "Organization/o1" },
    })
}

fn vital_sign(profile: &str, code: &str) -> Value {
    json!({
        "resourceType": "Observation",
        "id": "v1",
        "meta": {
            "profile": [format!("http://hl7.org/fhir/StructureDefinition/{profile}")],
            "lastUpdated": "2026-01-05T10:55:31.000+01:00",
        },
        "text": { "status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">A vital sign</div>" },
        "status": "final",
        "category": [
            { "text": "Measured at home" },
            { "coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                "code": "vital-signs",
            }] },
        ],
        "code": { "coding": [{ "system": "http://loinc.org", "code": code }], "text": "A vital sign" },
        "subject": { "reference": "Patient/p1" },
        "effectiveDateTime": "2026-01-05T10:55:31+01:00",
        "performer": [{ "reference": "Practitioner/n1" }],
    })
}

fn pressure() -> Value {
    // The first coding is of a code system that the profile does not know of.
    let part = |code: &str, value: i64| {
        json!({
            "code": { "coding": [
                { "system": "http://snomed.info/sct", "code": "271649006" },
                { "system": "http://loinc.org", "code": code },
            ] },
            "valueQuantity": {
                "value": value, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]",
            },
        })
    };
    let mut pressure = vital_sign("bp", "85354-9");
    let object = pressure.as_object_mut().unwrap();
    object.set("component", json!([part("8480-6", 128), part("8462-4", 81)]));
    pressure
}

fn pulse() -> Value {
    let mut pulse = vital_sign("heartrate", "8867-4");
    let object = pulse.as_object_mut().unwrap();
    let value = json!({
        "value": 72, "unit": "beats/min", "system": "http://unitsofmeasure.org", "code": "/min",
    });
    object.set("valueQuantity", value);
    pulse
}

fn condition() -> Value {
    json!({
        "resourceType": "Condition",
        "id": "c1",
        "contained": [{ "resourceType": "Practitioner", "id": "n1", "name": [{ "family": "Dahl" }] }],
        "extension": [{ "url": "urn:example:ward", "valueString": "3B" }],
        "clinicalStatus": { "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active",
        }] },
        "verificationStatus": { "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "confirmed",
        }] },
        "code": { "coding": [{ "system": "urn:oid:2.16.578.1.12.4.1.1.7110", "code": "J18" }] },
        "subject": { "reference": "Patient/p1" },
        "onsetPeriod": { "start": "2026-01-01", "end": "2026-01-05" },
        "recordedDate": "2026-01-05",
        "recorder": { "reference": "#n1" },
        "stage": [{ "summary": { "text": "early" } }],
        "note": [{ "time": "2026-01-05T10:00:00Z", "text": "Seen at home" }],
    })
}

fn medication() -> Value {
    json!({
        "resourceType": "MedicationRequest",
        "id": "m1",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": { "text": "Paracetamol 500 mg" },
        "subject": { "reference": "Patient/p1" },
        "authoredOn": "2026-01-05",
        "instantiatesUri": ["urn:example:plan"],
        "dosageInstruction": [{
            "sequence": 1,
            "timing": { "repeat": { "frequency": 3, "period": 1, "periodUnit": "d" } },
            "asNeededBoolean": true,
            "doseAndRate": [{ "doseQuantity": {
                "value": 500, "unit": "mg",
                "system": "http://unitsofmeasure.org", "code": "mg",
            } }],
        }],
        "dispenseRequest": {
            "validityPeriod": { "start": "2026-01-05", "end": "2027-01-05" },
            "numberOfRepeatsAllowed": 2,
            "performer": { "reference": "Organization/o1" },
        },
    })
}

fn bundle() -> Value {
    json!({
        "resourceType": "Bundle",
        "type": "searchset",
        "timestamp": "2026-01-05T11:00:00Z",
        "total": 2,
        "link": [{ "relation": "self", "url": "https://example.org/fhir/Patient" }],
        "entry": [
            { "fullUrl": "https://example.org/fhir/Patient/p1", "resource": patient(), "search": { "mode": "match" } },
            { "fullUrl": "https://example.org/fhir/Condition/c1", "resource": condition() },
        ],
    })
}
