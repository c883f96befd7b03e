//! `Observation`s as NEWS2 readings and received scores.
//!
//! A whole NEWS2 may come as one Observation with points in components, with measured values in
//! components, or as single vital signs; all end as readings and received scores, which
//! [`record::news2`] puts together.

use fhir::instant;
use fhir::value::Value;
use record::news2::assemble::Reading;
use record::news2::codes::{Answer, Question};
use record::news2::parameter::{Consciousness, Parameter, SpO2Scale, Supply, Value as Measured};
use record::news2::quantity::from_quantity;
use record::news2::received::{Part, Received};

use crate::naming::news2_codes;

/// Collects what the Observations of one person say.
#[derive(Debug, Default)]
pub struct Vitals {
    /// Measured values.
    pub readings: Vec<Reading>,
    /// Scores as their senders gave them.
    pub received: Vec<Received>,
    /// Observations that carry a vital sign which could not be understood.
    pub unreadable: usize,
}

impl Vitals {
    /// Adds one Observation; those entered in error or cancelled say nothing.
    pub fn add(&mut self, id: &str, observation: &Value) {
        if matches!(observation.text("status"), Some("entered-in-error" | "cancelled")) {
            return;
        }
        let Some(at_ms) = effective(observation) else { return };
        let source = format!("Observation/{id}");
        if question(observation) == Some(Question::Total) {
            self.received.push(received(observation, at_ms, &source));
        }
        self.reading(observation, at_ms, &source);
        for component in observation.items("component") {
            self.reading(component, at_ms, &source);
        }
    }

    fn reading(&mut self, element: &Value, at_ms: i64, source: &str) {
        let Some(Question::Reading(parameter)) = question(element) else { return };
        match measured(parameter, element) {
            Some(value) => {
                self.readings.push(Reading { at_ms, value, source: source.to_owned() });
            }
            None if element.get("dataAbsentReason").is_none() => self.unreadable += 1,
            None => {}
        }
    }
}

fn effective(observation: &Value) -> Option<i64> {
    ["effectiveDateTime", "effectiveInstant", "effectivePeriod.start", "issued"]
        .iter()
        .find_map(|path| observation.at(path).and_then(Value::as_str))
        .and_then(instant::range)
        .map(|(low, _)| low)
}

/// What an Observation or component asks, by the first of its codes that is known.
fn question(element: &Value) -> Option<Question> {
    element
        .get("code")?
        .items("coding")
        .iter()
        .find_map(|coding| news2_codes().question(coding.text("system")?, coding.text("code")?))
}

fn measured(parameter: Parameter, element: &Value) -> Option<Measured> {
    match parameter {
        Parameter::Consciousness => {
            level(element.get("valueCodeableConcept")?).map(Measured::Consciousness)
        }
        Parameter::Oxygen => supply(element).map(Measured::Oxygen),
        _ => {
            let quantity = element.get("valueQuantity")?;
            let number = quantity.get("value")?.as_number()?.as_f64()?;
            let unit = quantity.text("code").or_else(|| quantity.text("unit"))?;
            let number = from_quantity(parameter, number, unit).ok()?;
            Measured::from_number(parameter, number)
        }
    }
}

fn answers(concept: &Value) -> impl Iterator<Item = Answer> {
    concept
        .items("coding")
        .iter()
        .filter_map(|coding| news2_codes().answer(coding.text("system")?, coding.text("code")?))
}

fn level(concept: &Value) -> Option<Consciousness> {
    let coded = answers(concept).find_map(|answer| match answer {
        Answer::Level(level) => Some(level),
        Answer::Supply(_) => None,
    });
    coded.or_else(|| {
        let texts = concept.items("coding").iter().filter_map(|coding| coding.text("display"));
        texts.chain(concept.text("text")).find_map(Consciousness::from_text)
    })
}

fn supply(element: &Value) -> Option<Supply> {
    if let Some(on_oxygen) = element.get("valueBoolean").and_then(Value::as_bool) {
        return Some(if on_oxygen { Supply::Oxygen } else { Supply::Air });
    }
    answers(element.get("valueCodeableConcept")?).find_map(|answer| match answer {
        Answer::Supply(supply) => Some(supply),
        Answer::Level(_) => None,
    })
}

fn received(observation: &Value, at_ms: i64, source: &str) -> Received {
    let mut received = Received {
        at_ms,
        source: source.to_owned(),
        scale: None,
        total: points(observation),
        parameters: Default::default(),
    };
    for component in observation.items("component") {
        let Some(Question::Points(parameter, scale)) = question(component) else { continue };
        received.scale = received.scale.or(scale.filter(|_| is_saturation(parameter)));
        let band = component.items("interpretation").iter().find_map(|i| i.text("text"));
        *received.parameters.get_mut(parameter) =
            Some(Part { score: points(component), band: band.map(str::to_owned) });
    }
    received
}

fn is_saturation(parameter: Parameter) -> bool {
    parameter == Parameter::OxygenSaturation
}

fn points(element: &Value) -> Option<u8> {
    let number = element
        .at("valueQuantity.value")
        .or_else(|| element.get("valueInteger"))?
        .as_number()?
        .as_f64()?;
    // A score is a small whole number; anything else is not a score.
    (number.fract() == 0.0 && (0.0..=20.0).contains(&number)).then_some(number as u8)
}

/// The scale a set was measured on, as a Bokmål text.
pub fn scale_number(scale: SpO2Scale) -> u8 {
    match scale {
        SpO2Scale::One => 1,
        SpO2Scale::Two => 2,
    }
}
