//! Prints how long FHIRPath takes: `cargo run --release -p fhir --example fhirpath_speed [folder]`, where
//! the folder holds HL7's examples; without it a small Patient and Observation are used.

#![expect(clippy::unwrap_used, reason = "an example fails by panicking")]

use fhir::fhirpath::Expression;
use fhir::fhirpath::item::Item;
use fhir::fhirpath::scope::Scope;
use fhir::value::Value;
use std::hint::black_box;
use std::time::Instant;

const EXPRESSIONS: [(&str, &str); 14] = [
    ("Patient", "Patient.name"),
    ("Patient", "Patient.birthDate"),
    ("Patient", "Patient.name.family"),
    ("Patient", "Patient.name.where(use='official').family"),
    ("Patient", "Patient.telecom.where(system='email')"),
    ("Patient", "Patient.deceased.exists() and Patient.deceased != false"),
    ("Patient", "Patient.generalPractitioner.where(resolve() is Practitioner)"),
    ("Patient", "Patient.name.given | Patient.name.family"),
    ("Patient", "contact.all(name.exists() or telecom.exists() or address.exists())"),
    ("Patient", "descendants().count()"),
    ("Observation", "(Observation.value as Quantity)"),
    ("Observation", "(Observation.value as Quantity) | (Observation.component.value as Quantity)"),
    ("Observation", "Observation.subject.where(resolve() is Patient)"),
    ("Observation", "dataAbsentReason.empty() or value.empty()"),
];

fn main() {
    let start = Instant::now();
    black_box(Expression::parse("Patient.name").unwrap());
    println!("first expression, with the model: {:?}", start.elapsed());
    let folder = std::env::args().nth(1);
    let patient = read(folder.as_deref(), "Patient-example.json", patient());
    let observation = read(folder.as_deref(), "Observation-example.json", observation());
    for (kind, text) in EXPRESSIONS {
        let value = if kind == "Patient" { &patient } else { &observation };
        let expression = Expression::parse(text).unwrap();
        expression.check(kind).unwrap();
        let scope = Scope::new();
        let found = expression.evaluate(Item::resource(value), &scope).unwrap().len();
        let time = measure(|| expression.evaluate(Item::resource(value), &scope));
        println!("{time:>8.3} µs, {found:>3} found: {kind}: {text}");
    }
    let time = measure(|| Expression::parse("Patient.name.where(use='official').family"));
    println!("{time:>8.3} µs to compile a path");
}

/// The best of several rounds, per call in microseconds.
fn measure<T>(mut work: impl FnMut() -> T) -> f64 {
    const CALLS: u32 = 5000;
    let mut best = f64::INFINITY;
    for _ in 0..9 {
        let start = Instant::now();
        for _ in 0..CALLS {
            black_box(work());
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS));
    }
    best
}

fn read(folder: Option<&str>, file: &str, otherwise: Value) -> Value {
    let Some(folder) = folder else {
        return otherwise;
    };
    let text = std::fs::read(std::path::Path::new(folder).join(file)).unwrap();
    fhir::json::parse(&text).unwrap()
}

fn patient() -> Value {
    fhir::json!({
        "resourceType": "Patient",
        "id": "1",
        "active": true,
        "name": [
            { "use": "official", "family": "Lund", "given": ["Kari", "Anne"] },
            { "use": "usual", "given": ["Kari"] },
        ],
        "telecom": [
            { "system": "phone", "value": "+4790000000", "use": "mobile" },
            { "system": "email", "value": "kari@example.org" },
        ],
        "gender": "female",
        "birthDate": "1946-09-28",
        "deceasedBoolean": false,
        "contact": [{ "name": { "family": "Lund", "given": ["Per"] } }],
        "generalPractitioner": [{ "reference": "Practitioner/4" }],
    })
}

fn observation() -> Value {
    fhir::json!({
        "resourceType": "Observation",
        "id": "1",
        "status": "final",
        "code": { "coding": [{ "system": "http://loinc.org", "code": "29463-7" }] },
        "subject": { "reference": "Patient/1" },
        "effectiveDateTime": "2026-01-05",
        "valueQuantity": {
            "value": 85, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg",
        },
    })
}
