//! The Norwegian code systems, value sets and concept maps as FHIR resources in JSON.
//!
//! What the platform works with itself, such as service types, NEWS2 and purposes, is generated from
//! the tables it works with, so that there is one source. The rest is in `data/terminology`. Texts are in
//! Bokmål. A system of which the conventions only show some codes is a `fragment`: other codes of it are
//! unknown, not wrong. Of SNOMED CT and LOINC there are lists of codes with our own words for them.
//!
//! A kodeverk has several URLs; resources use [`crate::system::canonical`]'s, except that service types
//! (9151) have both systems in use, with a map between them.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::news2::codes::{Answer, Code, Codes, Question};
use crate::news2::parameter::{Consciousness, Parameter, SpO2Scale, Supply};
use crate::service::{SERVICE_TYPES, STAY_TYPE_SYSTEM, STAY_TYPES, padded};
use crate::system::{SERVICE_TYPE, SERVICE_TYPE_OSLO};
use crate::{purpose, purpose::Purpose};

mod catalogue;

/// Where our own value sets and maps have their URLs.
pub const BASE: &str = "https://fkj.no/fhir";

/// System of the letters A, C, V, P and U on the NEWS2 chart. Ours: no Norwegian one is published.
pub const ACVPU: &str = "https://fkj.no/fhir/CodeSystem/acvpu";

/// System of the codes that purposes are translated to.
const ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";

/// The resources, each as the text of a `CodeSystem`, `ValueSet` or `ConceptMap`.
pub fn resources() -> &'static [String] {
    static RESOURCES: LazyLock<Vec<String>> = LazyLock::new(|| {
        let all = [
            systems(),
            service_types(),
            purposes(),
            consciousness(),
            vital_signs(),
            catalogue::resources(),
            sets(),
        ];
        all.concat().iter().map(Value::to_string).collect()
    });
    &RESOURCES
}

/// A code system as the data file writes it.
#[derive(Deserialize)]
struct System {
    id: String,
    url: String,
    name: String,
    title: String,
    content: String,
    /// Codes with their texts, which may be empty.
    concepts: Vec<(String, String)>,
}

/// Codes of a foreign system, as the data file writes them.
#[derive(Deserialize)]
struct Set {
    id: String,
    name: String,
    title: String,
    system: String,
    codes: Vec<String>,
}

/// A code and what is shown for it.
type Concept = (String, String);

fn systems() -> Vec<Value> {
    // The file is part of the program and a test reads it.
    let systems: Vec<System> =
        serde_json::from_str(include_str!("../data/terminology/systems.json")).unwrap_or_default();
    systems.into_iter().flat_map(|system| with_set(&system)).collect()
}

fn sets() -> Vec<Value> {
    let sets: Vec<Set> =
        serde_json::from_str(include_str!("../data/terminology/sets.json")).unwrap_or_default();
    let listed = |set: Set| {
        let codes: Vec<_> = set.codes.into_iter().map(|code| (code, String::new())).collect();
        value_set(&set.id, &set.name, &set.title, json!([listing(&set.system, &codes)]))
    };
    sets.into_iter().map(listed).collect()
}

/// Kodeverk 9151 under both its systems, the map between them, and that of OKT's spelling.
fn service_types() -> Vec<Value> {
    let concepts: Vec<Concept> =
        SERVICE_TYPES.iter().map(|it| (it.code.to_owned(), it.title.to_owned())).collect();
    let of = |id: &str, url: &str, name: &str, title: &str, concepts: Vec<Concept>| System {
        id: id.to_owned(),
        url: url.to_owned(),
        name: name.to_owned(),
        title: title.to_owned(),
        content: "complete".to_owned(),
        concepts,
    };
    let title = "Tjenestetype i helse- og omsorgstjenesten (kodeverk 9151)";
    let kodeverk = of("kodeverk-9151", SERVICE_TYPE, "Tjenestetype", title, concepts.clone());
    let finnkode =
        of("finnkode-9151", SERVICE_TYPE_OSLO, "TjenestetypeFinnKode", title, concepts.clone());
    let same: Vec<_> = concepts.iter().map(|(code, _)| (code.clone(), code.clone())).collect();
    // Two digits are the same in both spellings.
    let short = concepts.iter().filter(|(code, _)| padded(code) != *code);
    let spelling: Vec<_> = short.map(|(code, _)| (padded(code), code.clone())).collect();
    let stays = STAY_TYPES.iter().map(|(code, title)| ((*code).to_owned(), (*title).to_owned()));
    let stay =
        of("okt-stay-type", STAY_TYPE_SYSTEM, "OktOpphold", "Opphold i OKT", stays.collect());
    let both = json!([{ "system": SERVICE_TYPE }, { "system": SERVICE_TYPE_OSLO }]);
    let mut all = with_set(&stay);
    all.extend([code_system(&kodeverk), code_system(&finnkode)]);
    all.extend([
        value_set("service-type", "Tjenestetype", title, both),
        concept_map("service-type", SERVICE_TYPE, SERVICE_TYPE_OSLO, &same),
        concept_map("okt-service-type", SERVICE_TYPE, SERVICE_TYPE, &spelling),
    ]);
    all
}

/// The purposes of an attest (Tillitsrammeverk 6.1), and what they are in AuditEvent.
fn purposes() -> Vec<Value> {
    let told = |purpose: Purpose| match purpose {
        Purpose::Treatment => Some("Helsehjelp"),
        Purpose::EmergencyTreatment => Some("Øyeblikkelig hjelp"),
        Purpose::Coordination => Some("Tildeling og samordning av tjenester"),
        Purpose::BreakTheGlass => Some("Nødrettstilgang"),
        // Not purposes of an attest.
        Purpose::PatientRequest | Purpose::Delivery => None,
    };
    let of_attest = Purpose::ALL.into_iter().filter_map(|purpose| Some((purpose, told(purpose)?)));
    let concepts: Vec<Concept> =
        of_attest.map(|(purpose, text)| (purpose.code().to_owned(), text.to_owned())).collect();
    let same: Vec<_> = concepts.iter().map(|(code, _)| (code.clone(), code.clone())).collect();
    let system = System {
        id: "purpose-of-use".to_owned(),
        url: purpose::SYSTEM.to_owned(),
        name: "Formal".to_owned(),
        title: "Formål med tilgang i Tillitsrammeverket".to_owned(),
        content: "fragment".to_owned(),
        concepts,
    };
    let mut all = with_set(&system);
    all.push(concept_map("purpose-of-use", purpose::SYSTEM, ACT_REASON, &same));
    all
}

/// The letters of the chart, and the SNOMED CT answers they stand for.
fn consciousness() -> Vec<Value> {
    let text = |level: Consciousness| match level {
        Consciousness::Alert => "Våken",
        Consciousness::Confusion => "Nyoppstått forvirring",
        Consciousness::Voice => "Reagerer på tale",
        Consciousness::Pain => "Reagerer på smerte",
        Consciousness::Unresponsive => "Reagerer ikke",
    };
    let codes = Codes::published();
    let letters = Consciousness::ALL.map(|level| (level.letter().to_string(), text(level)));
    let system = System {
        id: "acvpu".to_owned(),
        url: ACVPU.to_owned(),
        name: "ACVPU".to_owned(),
        title: "Bevissthetsnivå (ACVPU)".to_owned(),
        content: "complete".to_owned(),
        concepts: letters.iter().map(|(code, text)| (code.clone(), (*text).to_owned())).collect(),
    };
    let answers: Vec<(&Code, Consciousness)> = Consciousness::ALL
        .into_iter()
        .flat_map(|level| codes.codes_of_answer(Answer::Level(level)).map(move |it| (it, level)))
        .collect();
    let include = by_system(answers.iter().map(|(code, level)| (*code, text(*level).to_owned())));
    let pairs = answers.iter().map(|(code, level)| (level.letter().to_string(), code));
    let snomed = pairs.filter(|(_, code)| code.system == crate::system::SNOMED);
    let links: Vec<_> = snomed.map(|(letter, code)| (letter, code.code.to_string())).collect();
    let title = "Svar på bevissthetsnivå (SNOMED CT)";
    let mut all = with_set(&system);
    all.extend([
        value_set("acvpu-answer", "AcvpuSvar", title, include),
        concept_map("acvpu", ACVPU, crate::system::SNOMED, &links),
    ]);
    all
}

/// What the observations and components of NEWS2 are called by, and the answers air and oxygen.
fn vital_signs() -> Vec<Value> {
    let codes = Codes::published();
    let of = |question: Question, text: String| {
        codes.codes_of(question).map(move |code| (code, text.clone())).collect::<Vec<_>>()
    };
    let readings = Parameter::ALL.map(|it| of(Question::Reading(it), measured(it).to_owned()));
    let scales = [None, Some(SpO2Scale::One), Some(SpO2Scale::Two)];
    let points = Parameter::ALL.into_iter().flat_map(|parameter| {
        let of = &of;
        scales.into_iter().flat_map(move |scale| {
            let scaled = match scale {
                None => "",
                Some(SpO2Scale::One) => ", skala 1",
                Some(SpO2Scale::Two) => ", skala 2",
            };
            let text = format!("NEWS2-poeng: {}{scaled}", measured(parameter).to_lowercase());
            of(Question::Points(parameter, scale), text)
        })
    });
    let supply = [(Supply::Air, "Romluft"), (Supply::Oxygen, "Oksygen")];
    let supply = supply.into_iter().flat_map(|(supply, text)| {
        codes.codes_of_answer(Answer::Supply(supply)).map(move |code| (code, text.to_owned()))
    });
    let total = of(Question::Total, "NEWS2, samlet skår".to_owned());
    let set = |id: &str, name: &str, title: &str, include| value_set(id, name, title, include);
    vec![
        set(
            "vital-sign",
            "VitaleMal",
            "Vitale mål i NEWS2",
            by_system(readings.into_iter().flatten()),
        ),
        set("news2-points", "News2Poeng", "Poeng i NEWS2", by_system(points)),
        set("news2-total", "News2Skar", "Samlet skår i NEWS2", by_system(total.into_iter())),
        set("oxygen-supply", "Oksygentilforsel", "Luft eller oksygen", by_system(supply)),
    ]
}

fn measured(parameter: Parameter) -> &'static str {
    match parameter {
        Parameter::Respiration => "Respirasjonsfrekvens",
        Parameter::OxygenSaturation => "Oksygenmetning",
        Parameter::Oxygen => "Oksygentilførsel",
        Parameter::SystolicBloodPressure => "Systolisk blodtrykk",
        Parameter::Pulse => "Puls",
        Parameter::Consciousness => "Bevissthetsnivå",
        Parameter::Temperature => "Temperatur",
    }
}

/// One include for each system, in the order in which they are met.
fn by_system<'a>(codes: impl Iterator<Item = (&'a Code, String)>) -> Value {
    let mut systems: Vec<(&str, Vec<Concept>)> = Vec::new();
    for (code, text) in codes {
        let concept = (code.code.to_string(), text);
        match systems.iter_mut().find(|(system, _)| *system == code.system) {
            Some((_, concepts)) => concepts.push(concept),
            None => systems.push((&code.system, vec![concept])),
        }
    }
    systems.iter().map(|(system, concepts)| listing(system, concepts)).collect()
}

fn listing(system: &str, concepts: &[Concept]) -> Value {
    json!({ "system": system, "concept": concepts.iter().map(concept).collect::<Vec<_>>() })
}

fn concept((code, display): &Concept) -> Value {
    match display.as_str() {
        "" => json!({ "code": code }),
        display => json!({ "code": code, "display": display }),
    }
}

/// A code system and the value set of all its codes.
fn with_set(system: &System) -> Vec<Value> {
    let all = json!([{ "system": system.url }]);
    vec![code_system(system), value_set(&system.id, &system.name, &system.title, all)]
}

fn code_system(system: &System) -> Value {
    json!({
        "resourceType": "CodeSystem",
        "id": system.id,
        "url": system.url,
        "name": system.name,
        "title": system.title,
        "status": "active",
        "caseSensitive": true,
        "content": system.content,
        "concept": system.concepts.iter().map(concept).collect::<Vec<_>>(),
    })
}

fn value_set(id: &str, name: &str, title: &str, include: Value) -> Value {
    json!({
        "resourceType": "ValueSet",
        "id": id,
        "url": format!("{BASE}/ValueSet/{id}"),
        "name": name,
        "title": title,
        "status": "active",
        "compose": { "include": include },
    })
}

/// A map of codes that mean the same.
fn concept_map(id: &str, source: &str, target: &str, links: &[(String, String)]) -> Value {
    let element = |(from, to): &(String, String)| json!({ "code": from, "target": [{ "code": to, "equivalence": "equivalent" }] });
    json!({
        "resourceType": "ConceptMap",
        "id": id,
        "url": format!("{BASE}/ConceptMap/{id}"),
        "status": "active",
        "group": [{
            "source": source,
            "target": target,
            "element": links.iter().map(element).collect::<Vec<_>>(),
        }],
    })
}
