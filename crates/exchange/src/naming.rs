//! Step 2 of the write flow, "name it": whom a resource is about, which category it belongs to,
//! when it happened and what the source calls it. All of it is read by element path, so that a
//! new type is a new line of data.

use fhir::instant;
use fhir::issue::IssueCode;
use fhir::value::Value;
use record::catalogue::{Catalogue, Category};
use record::identity::{Strictness, accept_number, contains_number};
use record::news2::codes::Codes;
use record::system;
use std::sync::LazyLock;

use crate::error::Failure;

/// How far ahead of our clock a source's clock may be, in milliseconds.
const CLOCK_SKEW: i64 = 5 * 60 * 1000;

/// Elements that say when something happened. None may lie in the future; the first that is there
/// is when the event occurred.
const OCCURRED: [(&str, &[&str]); 6] = [
    ("Observation", &["effectiveDateTime", "effectiveInstant", "effectivePeriod.start", "issued"]),
    ("ServiceRequest", &["authoredOn"]),
    ("Patient", &["birthDate"]),
    ("RelatedPerson", &["birthDate"]),
    ("CarePlan", &["created"]),
    ("Practitioner", &["birthDate"]),
];

/// How a resource names its person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// By a number or other identifier: system and value, as persons are keyed.
    Number(String, String),
    /// By a literal reference to a Patient.
    Patient(String),
    /// By a full URL in the same Bundle.
    FullUrl(String),
}

/// System under which every national identity number is keyed: senders put D-numbers under the
/// fødselsnummer's URI and the other way round, and the digits tell them apart.
pub const NATIONAL: &str = "national";

/// The category of a resource.
pub fn category(kind: &str, value: &Value) -> Result<&'static Category, Failure> {
    let mut codes: Vec<&str> = value
        .items("category")
        .iter()
        .flat_map(|concept| concept.items("coding"))
        .filter_map(|coding| coding.text("code"))
        .collect();
    if kind == "Observation" && is_vital_sign(value) {
        // Profiles such as the level of consciousness carry no category of their own.
        codes.push("vital-signs");
    }
    Catalogue::get().classify(kind, &codes).ok_or_else(|| {
        Failure::invalid(
            IssueCode::BusinessRule,
            &format!("{kind}.category"),
            "no category of the information catalogue takes this resource; see the catalogue for \
             the types and categories that the municipality shares",
        )
    })
}

static CODES: LazyLock<Codes> = LazyLock::new(Codes::published);

fn is_vital_sign(value: &Value) -> bool {
    value
        .get("code")
        .map_or(&[][..], |code| code.items("coding"))
        .iter()
        .filter_map(|coding| Some((coding.text("system")?, coding.text("code")?)))
        .any(|(system, code)| CODES.question(system, code).is_some())
}

/// The codes of vital signs and NEWS2 in use.
pub fn news2_codes() -> &'static Codes {
    &CODES
}

/// Whom a resource is about, or `None` where it names nobody.
pub fn subject(
    kind: &str,
    value: &Value,
    id: Option<&str>,
    strictness: Strictness,
) -> Result<Option<Subject>, Failure> {
    if kind == "Patient" {
        return patient_subject(value, id, strictness).map(Some);
    }
    for name in ["subject", "patient"] {
        let Some(reference) = value.get(name) else { continue };
        let path = format!("{kind}.{name}");
        if let Some(identifier) = reference.get("identifier")
            && let Some(number) = identifier.text("value")
        {
            let system = identifier.text("system").unwrap_or_default();
            return key(system, number, &format!("{path}.identifier.value"), strictness).map(Some);
        }
        if let Some(literal) = reference.text("reference") {
            return literal_subject(literal, &path).map(Some);
        }
    }
    Ok(None)
}

/// The element in which a resource of this type names its person, for telling where it is missing.
pub fn subject_element(kind: &str) -> &'static str {
    match kind {
        "EpisodeOfCare" | "RelatedPerson" => "patient",
        _ => "subject",
    }
}

fn literal_subject(literal: &str, path: &str) -> Result<Subject, Failure> {
    if literal.starts_with("urn:") {
        return Ok(Subject::FullUrl(literal.to_owned()));
    }
    let mut parts = literal.rsplit('/');
    match (parts.next(), parts.next()) {
        (Some(id), Some(kind)) if kind.eq_ignore_ascii_case("Patient") => {
            Ok(Subject::Patient(id.to_owned()))
        }
        _ => Err(Failure::invalid(
            IssueCode::Value,
            &format!("{path}.reference"),
            "refer to a Patient, by `Patient/id` or by identifier",
        )),
    }
}

/// A Patient is keyed by its national number, else by its first identifier, else by its own id.
fn patient_subject(
    value: &Value,
    id: Option<&str>,
    strictness: Strictness,
) -> Result<Subject, Failure> {
    let identifiers = value.items("identifier");
    let keyed = |identifier: &Value| {
        Some((
            identifier.text("system").unwrap_or_default().to_owned(),
            identifier.text("value")?.to_owned(),
        ))
    };
    let national = identifiers.iter().enumerate().find_map(|(i, identifier)| {
        let (system, value) = keyed(identifier)?;
        system::is_national_number(&system).then_some((i, system, value))
    });
    if let Some((i, system, number)) = national {
        return key(&system, &number, &format!("Patient.identifier[{i}].value"), strictness);
    }
    if let Some((system, value)) = identifiers.iter().find_map(keyed) {
        return Ok(Subject::Number(system, value));
    }
    match id {
        Some(id) => Ok(Subject::Patient(id.to_owned())),
        None => Err(Failure::invalid(
            IssueCode::Required,
            "Patient.identifier",
            "give the patient an identifier, so that others can find the same person",
        )),
    }
}

/// The national numbers of a Patient, each checked.
pub fn national_numbers(patient: &Value, strictness: Strictness) -> Result<Vec<&str>, Failure> {
    let mut numbers = Vec::new();
    for (i, identifier) in patient.items("identifier").iter().enumerate() {
        if let (Some(system), Some(value)) = (identifier.text("system"), identifier.text("value"))
            && system::is_national_number(system)
        {
            key(system, value, &format!("Patient.identifier[{i}].value"), strictness)?;
            numbers.push(value);
        }
    }
    Ok(numbers)
}

/// The key of a person: national numbers are checked and share one system.
pub fn key(
    system: &str,
    number: &str,
    path: &str,
    strictness: Strictness,
) -> Result<Subject, Failure> {
    if !system::is_national_number(system) {
        return Ok(Subject::Number(system.to_owned(), number.to_owned()));
    }
    match accept_number(number, strictness) {
        Ok(()) => Ok(Subject::Number(NATIONAL.to_owned(), number.to_owned())),
        Err(error) => Err(Failure::invalid(IssueCode::Value, path, error.to_string())),
    }
}

/// When it happened, by the source; `now` where the resource does not say.
pub fn occurred(kind: &str, value: &Value, now: i64) -> Result<i64, Failure> {
    let mut first = None;
    let paths = OCCURRED.iter().find(|(of, _)| *of == kind).map_or(&[][..], |(_, paths)| paths);
    for path in paths {
        let Some((low, _)) = value.at(path).and_then(Value::as_str).and_then(instant::range) else {
            continue;
        };
        if low > now + CLOCK_SKEW {
            return Err(Failure::invalid(
                IssueCode::BusinessRule,
                &format!("{kind}.{path}"),
                "the time lies in the future; what has not happened cannot be recorded",
            ));
        }
        // A birth date is no time of recording.
        if *path != "birthDate" {
            first.get_or_insert(low);
        }
    }
    Ok(first.unwrap_or(now))
}

/// What the source calls a new resource: its first own identifier. Event ids stand in the clear in
/// the ledger, so an identifier that holds an identity number is passed over.
pub fn event_id(kind: &str, value: &Value) -> Option<String> {
    value.items("identifier").iter().find_map(|identifier| {
        let system = identifier.text("system").unwrap_or_default();
        let number = identifier.text("value")?;
        let usable = !system::is_national_number(system) && !contains_number(number);
        usable.then(|| format!("{kind}:{system}|{number}"))
    })
}

/// Event ids stand in the clear, so they must not hold an identity number.
pub fn check_event_id(id: &str) -> Result<(), Failure> {
    if id.len() > 512 {
        return Err(Failure::invalid(
            IssueCode::TooLong,
            "",
            "an event id may have at most 512 characters",
        ));
    }
    if contains_number(id) {
        return Err(Failure::invalid(
            IssueCode::BusinessRule,
            "",
            "the event id holds a national identity number; use an id without meaning",
        ));
    }
    Ok(())
}
