//! Measurements as VKP Observations (hl7.fhir.no.vkp.observation 0.5.2): single vital signs, and
//! NEWS2 with its points.
//!
//! A NEWS2 holds points, not measured values, so a round is sent as the seven vital signs and a
//! NEWS2 that is `derivedFrom` them. The references are logical, by the source's own identifiers,
//! since entries of a batch may not depend on each other (R4 http, batch processing rules).

use std::sync::LazyLock;

use fhir::json;
use fhir::value::{Object, Value};
use record::news2::codes::{Answer, Code, Codes, LOINC, Question, SNOMED};
use record::news2::parameter::{Consciousness, Parameter, SpO2Scale, Supply, Value as Measured};
use record::news2::score::Measurements;
use record::news2::table::{self, Band, Limits};
use record::system;

use crate::calendar;
use crate::people::Resident;
use crate::resource;
use crate::vitals::Round;
use crate::world::Municipality;

/// Base of the profiles' addresses.
const PROFILE: &str = "http://hl7.no/fhir/vkpobservation/StructureDefinition/vkp-Observation-";
const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";

static CODES: LazyLock<Codes> = LazyLock::new(Codes::published);

/// Whose measurements, and who answers for them.
#[derive(Clone, Copy, Debug)]
pub struct Measuring<'a> {
    /// Where.
    pub municipality: &'a Municipality,
    /// Who is measured.
    pub resident: &'a Resident,
    /// Name of the source system.
    pub source: &'a str,
    /// Identity number of who measured: a nurse, or the resident.
    pub by: &'a str,
    /// Organisation number of the unit.
    pub unit: &'a str,
}

/// A single vital sign measured at home.
#[derive(Clone, Copy, Debug)]
pub enum Single {
    /// One of the parameters of NEWS2.
    Parameter(Measured),
    /// Systolic and diastolic blood pressure in mmHg.
    Pressure(f64, f64),
    /// Weight in kg.
    Weight(f64),
}

/// A whole round: seven vital signs and the NEWS2 last.
pub fn round(measuring: &Measuring<'_>, round: &Round) -> Vec<Value> {
    let pressure =
        round.measurements.systolic_blood_pressure.map(|systolic| (systolic, round.diastolic));
    let singles = Parameter::ALL.into_iter().filter_map(|parameter| match parameter {
        Parameter::SystolicBloodPressure => pressure.map(|(s, d)| Single::Pressure(s, d)),
        other => round.measurements.get(other).map(Single::Parameter),
    });
    let mut all: Vec<Value> =
        singles.map(|single| self::single(measuring, round.at_ms, single)).collect();
    let sources: Vec<Value> = all.iter().filter_map(logical_reference).collect();
    all.push(news2(measuring, round, sources));
    all
}

fn logical_reference(observation: &Value) -> Option<Value> {
    let identifier = observation.at("identifier.0")?;
    Some(json!({ "type": "Observation", "identifier": identifier }))
}

/// One vital sign.
pub fn single(measuring: &Measuring<'_>, at_ms: i64, single: Single) -> Value {
    let (key, profile) = match single {
        Single::Pressure(..) => ("bp", Some("Bloodpressure")),
        Single::Weight(_) => ("weight", Some("Bodyweight")),
        Single::Parameter(value) => match value.parameter() {
            Parameter::Respiration => ("resp", Some("Resprate")),
            Parameter::OxygenSaturation => ("spo2", Some("Oxygensat")),
            Parameter::Oxygen => ("o2", None),
            Parameter::SystolicBloodPressure => ("sys", None),
            Parameter::Pulse => ("pulse", Some("Heartrate")),
            Parameter::Consciousness => ("acvpu", Some("Consciousness")),
            Parameter::Temperature => ("temp", Some("Bodytemp")),
        },
    };
    let mut observation = start(measuring, at_ms, key, profile, "vital-signs");
    // A performer of a VKP vital sign is a person; only scores name the organisation as well.
    observation.set("performer", json!([by_identifier(system::FNR, measuring.by)]));
    match single {
        Single::Pressure(systolic, diastolic) => {
            let panel = concept(&[(LOINC, "85354-9"), (SNOMED, "75367002")], "Blodtrykk");
            observation.set("code", panel);
            // Right upper arm.
            observation.set("bodySite", concept(&[(SNOMED, "368209003")], "Høyre overarm"));
            let part = |code: Value, value: f64| json!({ "code": code, "valueQuantity": quantity(value, "mm[Hg]") });
            let upper = coded(Question::Reading(Parameter::SystolicBloodPressure), "Systolisk");
            let lower = concept(&[(LOINC, "8462-4"), (SNOMED, "271650006")], "Diastolisk");
            observation.set("component", json!([part(upper, systolic), part(lower, diastolic)]));
        }
        Single::Weight(kilograms) => {
            observation.set("code", concept(&[(LOINC, "29463-7"), (SNOMED, "27113001")], "Vekt"));
            observation.set("valueQuantity", quantity(kilograms, "kg"));
        }
        Single::Parameter(value) => {
            let parameter = value.parameter();
            observation.set("code", coded(Question::Reading(parameter), title(parameter)));
            let (name, content) = content(value);
            observation.set(name, content);
        }
    }
    observation.into()
}

fn content(value: Measured) -> (&'static str, Value) {
    let answer =
        |answer, text| ("valueCodeableConcept", with_codes(CODES.codes_of_answer(answer), text));
    match value {
        Measured::Oxygen(supply) => answer(Answer::Supply(supply), supply_text(supply)),
        Measured::Consciousness(level) => answer(Answer::Level(level), level_text(level)),
        number => {
            let unit = number.parameter().unit().unwrap_or_default();
            ("valueQuantity", quantity(number.number().unwrap_or_default(), unit))
        }
    }
}

fn news2(measuring: &Measuring<'_>, round: &Round, sources: Vec<Value>) -> Value {
    let mut observation = start(measuring, round.at_ms, "news2", Some("NEWS2score"), "survey");
    let organisation = by_identifier(system::ENH, measuring.unit);
    observation.set("performer", json!([by_identifier(system::FNR, measuring.by), organisation]));
    observation.set("code", coded(Question::Total, "NEWS2"));
    observation.set("valueQuantity", json!({ "value": round.score.total.map(u32::from) }));
    observation.set("derivedFrom", sources);
    let points = round.score.parameters.iter().filter_map(|(parameter, points)| {
        let scale = round.measurements.scale;
        let on = (parameter == Parameter::OxygenSaturation).then_some(scale);
        Some(json!({
            "code": coded(Question::Points(parameter, on), title(parameter)),
            "valueQuantity": { "value": u32::from((*points)?) },
            "interpretation": [{ "text": band_text(parameter, scale, &round.measurements)? }],
        }))
    });
    observation.set("component", points.collect::<Value>());
    observation.into()
}

fn start(
    measuring: &Measuring<'_>,
    at_ms: i64,
    key: &str,
    profile: Option<&str>,
    category: &str,
) -> Object {
    let Measuring { municipality, resident, source, .. } = measuring;
    let mut observation = Object::new();
    observation.set("resourceType", "Observation");
    if let Some(profile) = profile {
        observation.set("meta", json!({ "profile": [format!("{PROFILE}{profile}")] }));
    }
    let value = format!("{}-{:06}-{}-{key}", municipality.number, resident.index, at_ms / 1000);
    let system = format!("https://{source}.sandkasse.fkj.no/id/observasjon");
    observation.set("identifier", json!([{ "system": system, "value": value }]));
    observation.set("status", "final");
    let coding = json!([{ "coding": [{ "system": CATEGORY, "code": category }] }]);
    observation.set("category", coding);
    observation.set("subject", by_identifier(system::FNR, &resident.number));
    observation.set("effectiveDateTime", calendar::written(at_ms));
    observation
}

fn by_identifier(system: &str, value: &str) -> Value {
    json!({ "identifier": { "system": system, "value": value } })
}

fn quantity(value: f64, unit: &str) -> Value {
    let value = resource::decimal(value);
    json!({ "value": value, "unit": unit, "system": system::UCUM, "code": unit })
}

fn concept(codes: &[(&str, &str)], text: &str) -> Value {
    let coding: Value =
        codes.iter().map(|(system, code)| json!({ "system": *system, "code": *code })).collect();
    json!({ "coding": coding, "text": text })
}

fn coded(question: Question, text: &str) -> Value {
    with_codes(CODES.codes_of(question), text)
}

/// The first code of each system: the one to write.
fn with_codes<'a>(codes: impl Iterator<Item = &'a Code>, text: &str) -> Value {
    let mut first: Vec<(&str, &str)> = Vec::new();
    for code in codes {
        if first.iter().all(|(system, _)| *system != code.system) {
            first.push((&code.system, &code.code));
        }
    }
    concept(&first, text)
}

/// The band in words, as the published example writes it: `≥25`, `93–94 med oksygentilførsel`.
fn band_text(parameter: Parameter, scale: SpO2Scale, measured: &Measurements) -> Option<String> {
    let band = table::row_of(parameter, scale)?.band(measured.get(parameter)?, measured.oxygen)?;
    let Band { limits, .. } = band;
    Some(match limits {
        Limits::Supply(supply) => supply_text(*supply).to_owned(),
        Limits::Levels([level]) => level_text(*level).to_owned(),
        Limits::Levels(_) => "C, V, P eller U".to_owned(),
        Limits::Number { low, high, supply } => {
            let digits = parameter.decimals();
            let numbers = match (low, high) {
                (Some(low), Some(high)) => format!("{low:.digits$}–{high:.digits$}"),
                (Some(low), None) => format!("≥{low:.digits$}"),
                (None, Some(high)) => format!("≤{high:.digits$}"),
                (None, None) => return None,
            };
            match supply {
                Some(Supply::Oxygen) => format!("{numbers} med oksygentilførsel"),
                Some(Supply::Air) => format!("{numbers} på luft"),
                None => numbers,
            }
        }
    })
}

fn supply_text(supply: Supply) -> &'static str {
    match supply {
        Supply::Air => "Luft",
        Supply::Oxygen => "Oksygen",
    }
}

fn level_text(level: Consciousness) -> &'static str {
    match level {
        Consciousness::Alert => "Våken",
        Consciousness::Confusion => "Nyoppstått forvirring",
        Consciousness::Voice => "Reagerer på tiltale",
        Consciousness::Pain => "Reagerer på smerte",
        Consciousness::Unresponsive => "Reagerer ikke",
    }
}

fn title(parameter: Parameter) -> &'static str {
    match parameter {
        Parameter::Respiration => "Respirasjonsfrekvens",
        Parameter::OxygenSaturation => "Oksygenmetning",
        Parameter::Oxygen => "Luft eller oksygen",
        Parameter::SystolicBloodPressure => "Systolisk blodtrykk",
        Parameter::Pulse => "Puls",
        Parameter::Consciousness => "Bevissthet",
        Parameter::Temperature => "Temperatur",
    }
}
