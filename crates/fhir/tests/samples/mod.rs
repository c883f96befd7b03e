//! Sound synthetic resources for the tests of this crate.

use fhir::json;
use fhir::value::Value;

/// One of each type below.
pub fn all() -> [Value; 6] {
    [patient(), observation(), episode(), service_request(), organization(), bundle()]
}

pub fn patient() -> Value {
    json!({
        "resourceType": "Patient",
        "id": "p1",
        "meta": { "profile": ["http://hl7.no/fhir/StructureDefinition/no-basis-Patient"] },
        "text": { "status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">Kari</div>" },
        "identifier": [{ "system": "urn:oid:2.16.578.1.12.4.1.4.1", "value": "28894698995" }],
        "active": true,
        "name": [{ "family": "Lund", "given": ["Kari", "Anne"] }],
        "telecom": [
            { "system": "phone", "value": "+4790000000", "rank": 1 },
            { "system": "email", "value": "kari@example.org" },
        ],
        "gender": "female",
        "birthDate": "1946-09-28",
        "address": [{ "line": ["Storgata 1"], "city": "Ørnes", "postalCode": "8150" }],
        "managingOrganization": { "reference": "Organization/o1" },
    })
}

pub fn observation() -> Value {
    json!({
        "resourceType": "Observation",
        "id": "b1",
        "meta": {
            "profile": ["http://hl7.no/fhir/StructureDefinition/vkp-Observation-Bloodpressure"],
            "tag": [{ "system": "urn:kommune", "code": "0301" }],
        },
        "status": "final",
        "category": [{ "coding": [
            { "system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs" },
        ] }],
        "code": { "text": "Blodtrykk" },
        "subject": { "identifier": { "system": "urn:oid:2.16.578.1.12.4.1.4.1", "value": "28894698995" } },
        "effectiveDateTime": "2026-01-05T10:55:31+01:00",
        "issued": "2026-01-05T10:55:31.000+01:00",
        "performer": [{ "reference": "https://epj.example/fhir/Practitioner/9/_history/2" }],
        "component": [
            {
                "code": { "coding": [{ "system": "http://loinc.org", "code": "8480-6" }] },
                "valueQuantity": { "unit": "mmHg", "value": 128 },
            },
            {
                "code": { "coding": [{ "system": "http://loinc.org", "code": "8462-4" }] },
                "valueQuantity": { "unit": "mmHg", "value": 81 },
            },
        ],
    })
}

pub fn episode() -> Value {
    json!({
        "resourceType": "EpisodeOfCare",
        "id": "e1",
        "status": "active",
        "type": [{ "coding": [
            { "system": "https://finnkode.helsedirektoratet.no/adm/collections/9151", "code": "15" },
        ] }],
        "patient": { "reference": "Patient/p1" },
        "managingOrganization": { "reference": "Organization/o1" },
        "period": { "start": "2025-10-01" },
    })
}

pub fn service_request() -> Value {
    json!({
        "resourceType": "ServiceRequest",
        "id": "s1",
        "status": "active",
        "intent": "order",
        "code": { "coding": [{ "system": "urn:tiltak", "code": "tilsyn" }] },
        "subject": { "reference": "Patient/p1" },
        "authoredOn": "2025-09-20",
        "occurrenceTiming": { "repeat": { "frequency": 2, "period": 1, "periodUnit": "d" } },
        "requester": { "reference": "urn:uuid:0190a1b2-0000-7000-8000-000000000001" },
    })
}

pub fn organization() -> Value {
    json!({
        "resourceType": "Organization",
        "id": "o1",
        "identifier": [{ "system": "urn:oid:2.16.578.1.12.4.1.4.101", "value": "999977774" }],
        "name": "Hjemmetjenesten",
        "partOf": { "identifier": { "system": "urn:oid:2.16.578.1.12.4.1.4.101", "value": "312232324" } },
    })
}

pub fn bundle() -> Value {
    json!({
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": "2026-01-05T11:00:00Z",
        "identifier": { "system": "urn:bundle", "value": "1" },
        "entry": [{ "fullUrl": "urn:uuid:0190a1b2-0000-7000-8000-000000000002", "resource": organization() }],
    })
}
