//! `$oversikt` as a FHIR document: a Composition whose sections refer to what follows, with the Provenance of each
//! fact, what contradicts what (DetectedIssue), and what is missing (OperationOutcome).

use fhir::instant::format_instant;
use fhir::issue::{Issue, IssueCode, operation_outcome};
use fhir::json;
use fhir::value::{Number, Value};
use record::catalogue::{self, Catalogue};
use record::news2::assemble::Total;
use record::news2::normal::Measure;
use record::system;

use super::fact::{Fact, Origin};
use super::outside::Silent;
use super::{Derived, Oversikt, Shown};

/// System of the keys of contexts.
const CONTEXTS: &str = "https://fkj.no/fhir/CodeSystem/oversikt-kontekst";
/// System of the codes of silences.
const SILENCES: &str = "https://fkj.no/fhir/CodeSystem/kilde-svarer-ikke";
/// SNOMED CT: NEWS2 total score.
const NEWS2_TOTAL: &str = "1104051000000101";
/// Start of the address of whatever is made for the answer.
const MADE: &str = "urn:uuid:";

/// The document. `owner` is the municipality's organisation number and name, `id` the id of the answer.
pub fn document(answer: &Oversikt, owner: (&str, &str), base: &str, id: &str) -> Value {
    let at = format_instant(answer.at);
    let patient = json!({ "reference": format!("{base}/Patient/{}", answer.patient.person) });
    let news2 = answer.news2.as_ref().and_then(|it| computed(it, &patient));
    let mut names = (0_u64..).map(|number| made(id, number));
    let mut name = || names.next().unwrap_or_default();
    let news2_at = name();
    let first = composition(answer, owner, &patient, news2.as_ref().map(|_| news2_at.as_str()));
    let mut entries = vec![entry(&name(), first)];
    entries.extend(answer.patients.iter().map(|fact| entry(&fact.url, fact.value.clone())));
    entries.extend(news2.map(|value| entry(&news2_at, value)));
    let facts = || answer.sections.iter().flat_map(|section| &section.facts);
    entries.extend(facts().map(|fact| entry(&fact.url, fact.value.clone())));
    for fact in answer.patients.iter().chain(facts()) {
        entries.push(entry(&name(), provenance(fact, &at)));
    }
    for made in disputes(answer, &patient).into_iter().chain(missing(answer)) {
        entries.push(entry(&name(), made));
    }
    json!({
        "resourceType": "Bundle",
        "identifier": { "system": "urn:ietf:rfc:3986", "value": format!("{MADE}{id}") },
        "type": "document",
        "timestamp": at,
        "entry": entries,
    })
}

/// The address of something that is made for the answer: the answer's id, which grows with time, with a number for
/// its last part.
fn made(id: &str, number: u64) -> String {
    let start = id.rsplit_once('-').map_or(id, |(start, _)| start);
    format!("{MADE}{start}-{number:012x}")
}

fn entry(url: &str, resource: Value) -> Value {
    json!({ "fullUrl": url, "resource": resource })
}

fn composition(
    answer: &Oversikt,
    (number, name): (&str, &str),
    patient: &Value,
    news2: Option<&str>,
) -> Value {
    let sections: Vec<Value> = answer
        .sections
        .iter()
        .map(|shown| {
            let derived = news2.filter(|_| shown.category == "measurements");
            section(shown, &answer.silences, derived)
        })
        .collect();
    let left_out: Vec<&str> = answer.left_out.iter().filter_map(|key| title(key)).collect();
    let text = format!(
        "Utvalget for {}. Utelatt her, og kan legges til: {}.",
        answer.context.title,
        left_out.join(", ")
    );
    json!({
        "resourceType": "Composition",
        "text": narrative(&text),
        "status": "final",
        "type": { "coding": [{
            "system": CONTEXTS,
            "code": answer.context.key.as_str(),
            "display": answer.context.title.as_str(),
        }] },
        "subject": patient.clone(),
        "date": format_instant(answer.at),
        "author": [{ "identifier": { "system": system::ENH, "value": number }, "display": name }],
        "title": format!("Oversikt: {}", answer.context.title),
        "section": sections,
    })
}

fn section(shown: &Shown, silences: &[Silent], derived: Option<&str>) -> Value {
    let refer = |url: &str| json!({ "reference": url });
    let own = shown.facts.iter().map(|fact| refer(&fact.url));
    let entries: Vec<Value> = derived.map(refer).into_iter().chain(own).collect();
    let silent: Vec<&Silent> =
        silences.iter().filter(|it| it.category == Some(shown.category)).collect();
    let empty = match (entries.is_empty(), shown.is_open, silent.is_empty()) {
        (false, _, _) => None,
        (true, false, _) => Some("withheld"),
        (true, true, false) => Some("unavailable"),
        (true, true, true) => None,
    };
    let title = title(shown.category).unwrap_or(shown.category);
    json!({
        "title": title,
        "code": { "coding": [{ "system": catalogue::SYSTEM, "code": shown.category, "display": title }] },
        "text": narrative(&explained(shown, &silent)),
        "entry": Some(entries).filter(|it| !it.is_empty()),
        "emptyReason": empty.map(|code| json!({ "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/list-empty-reason",
            "code": code,
        }] })),
    })
}

/// Why the section is here, and what of it is not.
fn explained(shown: &Shown, silent: &[&Silent]) -> String {
    let mut text = shown.section.why.clone();
    if !shown.is_open {
        text.push_str(" Det som finnes hos kommunen, er ikke åpent for deg.");
    }
    if shown.older > 0 {
        text.push_str(&format!(" {} eldre er utelatt.", shown.older));
    }
    if shown.beyond > 0 {
        text.push_str(&format!(" {} til er ikke vist.", shown.beyond));
    }
    for it in silent {
        text.push_str(&format!(" Mangler svar fra {}.", it.source));
    }
    text
}

fn title(category: &str) -> Option<&'static str> {
    Catalogue::get().category(category).map(|it| it.texts.nb.title.as_str())
}

fn narrative(text: &str) -> Value {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let div = format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{escaped}</div>");
    json!({ "status": "generated", "div": div })
}

/// Who says so, where it can be read there, and when it was got.
fn provenance(fact: &Fact, at: &str) -> Value {
    let agent = |origin: &Origin| {
        let identifier = origin
            .owner
            .as_ref()
            .map(|number| json!({ "system": system::ENH, "value": number.as_str() }));
        json!({ "who": { "identifier": identifier, "display": origin.name.as_str() } })
    };
    let entity = |origin: &Origin| {
        json!({ "role": "source", "what": {
            "reference": origin.link.as_str(),
            "display": format!("{}, {}", origin.source, format_instant(origin.at)),
        } })
    };
    let newest = fact.origins.iter().map(|origin| origin.at).max();
    json!({
        "resourceType": "Provenance",
        "target": [{ "reference": fact.url.as_str() }],
        "recorded": newest.map_or_else(|| at.to_owned(), format_instant),
        "agent": fact.origins.iter().map(agent).collect::<Vec<_>>(),
        "entity": fact.origins.iter().map(entity).collect::<Vec<_>>(),
    })
}

/// One for each fact that others contradict, the first of them first.
fn disputes(answer: &Oversikt, patient: &Value) -> Vec<Value> {
    let mut told: Vec<&str> = Vec::new();
    let mut issues = Vec::new();
    for fact in answer.sections.iter().flat_map(|section| &section.facts) {
        let others: Vec<&str> =
            fact.disputed_by.iter().map(String::as_str).filter(|url| !told.contains(url)).collect();
        told.push(&fact.url);
        if others.is_empty() {
            continue;
        }
        let all = std::iter::once(fact.url.as_str()).chain(others);
        let implicated: Vec<Value> = all.map(|url| json!({ "reference": url })).collect();
        issues.push(json!({
            "resourceType": "DetectedIssue",
            "status": "preliminary",
            "code": { "text": "Motstridende opplysninger" },
            "patient": patient.clone(),
            "implicated": implicated,
            "detail": "Kildene sier ikke det samme. Ingen av dem er endret.",
        }));
    }
    issues
}

/// The latest NEWS2 total, with what it was made from and the patient's own normal level.
fn computed(derived: &Derived, patient: &Value) -> Option<Value> {
    let set = derived.course.latest_with_total()?;
    let total = set.total()?;
    let inputs: Vec<Value> =
        derived.inputs_of_latest().into_iter().map(|url| json!({ "reference": url })).collect();
    let decimal = |number: f64| Number::parse(&number.to_string()).map(Value::Number);
    let normal = derived.course.line(Measure::Total).and_then(|line| line.normal.as_ref().ok());
    let range = normal.map(|normal| {
        json!([{
            "low": { "value": decimal(normal.low) },
            "high": { "value": decimal(normal.high) },
            "text": format!("Pasientens vanlige nivå, av {} dager", normal.days),
        }])
    });
    let how = match total {
        Total::Computed(_) => "Regnet ut av målingene som er nevnt",
        Total::Received(_) => "Mottatt slik",
    };
    Some(json!({
        "resourceType": "Observation",
        "status": "final",
        "code": { "coding": [{ "system": system::SNOMED, "code": NEWS2_TOTAL }], "text": "NEWS2" },
        "subject": patient.clone(),
        "effectiveDateTime": format_instant(set.to_ms),
        "valueInteger": i32::from(total.value()),
        "note": [{ "text": how }],
        "referenceRange": range,
        "derivedFrom": inputs,
    }))
}

/// What is missing: what could not be read here, and what others did not tell.
fn missing(answer: &Oversikt) -> Option<Value> {
    let own = answer.incomplete.iter().map(|what| {
        operation_outcome(&[Issue::warning(IssueCode::Incomplete, "", what.to_string())])
    });
    let own = own.flat_map(|outcome| outcome.items("issue").to_vec());
    let issues: Vec<Value> = own.chain(answer.silences.iter().map(silence)).collect();
    (!issues.is_empty()).then(|| json!({ "resourceType": "OperationOutcome", "issue": issues }))
}

fn silence(silent: &Silent) -> Value {
    let about = silent.category.map(|key| format!(" ({key})")).unwrap_or_default();
    let last = match silent.last {
        Some(at) => format!("; last answered {}", format_instant(at)),
        None => String::new(),
    };
    json!({
        "severity": "warning",
        "code": "incomplete",
        "details": {
            "coding": [{ "system": SILENCES, "code": silent.code }],
            "text": format!("{}{about} {}{last}", silent.source, silent.why),
        },
    })
}
