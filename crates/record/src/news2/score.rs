//! Points, total and risk of one set of measurements.
//!
//! Source: Royal College of Physicians, NEWS2 (2017), thresholds and triggers.

use super::parameter::{ByParameter, Consciousness, Parameter, SpO2Scale, Supply, Value};
use super::table;

/// What is known of the seven parameters at one occasion. Units as [`Parameter::unit`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measurements {
    /// Breaths per minute.
    pub respiration: Option<f64>,
    /// Saturation in per cent.
    pub oxygen_saturation: Option<f64>,
    /// Air or oxygen.
    pub oxygen: Option<Supply>,
    /// mmHg.
    pub systolic_blood_pressure: Option<f64>,
    /// Beats per minute.
    pub pulse: Option<f64>,
    /// ACVPU.
    pub consciousness: Option<Consciousness>,
    /// Degrees Celsius.
    pub temperature: Option<f64>,
    /// The saturation scale the patient is on.
    pub scale: SpO2Scale,
}

impl Measurements {
    /// Sets one parameter, replacing what was there.
    pub fn put(&mut self, value: Value) {
        match value {
            Value::Respiration(number) => self.respiration = Some(number),
            Value::OxygenSaturation(number) => self.oxygen_saturation = Some(number),
            Value::Oxygen(supply) => self.oxygen = Some(supply),
            Value::SystolicBloodPressure(number) => self.systolic_blood_pressure = Some(number),
            Value::Pulse(number) => self.pulse = Some(number),
            Value::Consciousness(level) => self.consciousness = Some(level),
            Value::Temperature(number) => self.temperature = Some(number),
        }
    }

    /// The value of one parameter, if measured.
    pub fn get(&self, parameter: Parameter) -> Option<Value> {
        match parameter {
            Parameter::Respiration => self.respiration.map(Value::Respiration),
            Parameter::OxygenSaturation => self.oxygen_saturation.map(Value::OxygenSaturation),
            Parameter::Oxygen => self.oxygen.map(Value::Oxygen),
            Parameter::SystolicBloodPressure => {
                self.systolic_blood_pressure.map(Value::SystolicBloodPressure)
            }
            Parameter::Pulse => self.pulse.map(Value::Pulse),
            Parameter::Consciousness => self.consciousness.map(Value::Consciousness),
            Parameter::Temperature => self.temperature.map(Value::Temperature),
        }
    }

    /// Whether all seven are measured.
    pub fn is_complete(&self) -> bool {
        Parameter::ALL.iter().all(|&parameter| self.get(parameter).is_some())
    }
}

/// Clinical risk, lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Risk {
    /// Total 0–4.
    Low,
    /// Total 0–4 with three points in a single parameter: urgent review by the ward.
    LowMedium,
    /// Total 5–6: urgent response.
    Medium,
    /// Total 7 or more: emergency response.
    High,
}

impl Risk {
    /// A name that never changes.
    pub fn key(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::LowMedium => "low-medium",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    fn of(sum: u8, single_three: bool) -> Self {
        match sum {
            0..=4 if single_three => Self::LowMedium,
            0..=4 => Self::Low,
            5..=6 => Self::Medium,
            _ => Self::High,
        }
    }
}

/// How much is known of the risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnownRisk {
    /// No further measurement can change it.
    Exactly(Risk),
    /// Parameters are missing: it is this or higher. `AtLeast(Low)` therefore reassures nobody.
    AtLeast(Risk),
}

/// The result of scoring one set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Score {
    /// Points of each parameter, `None` where they cannot be known.
    pub parameters: ByParameter<Option<u8>>,
    /// Those without points: not measured, or scale 2 from 93 % without air or oxygen stated.
    pub missing: Vec<Parameter>,
    /// Sum of the points known.
    pub partial_sum: u8,
    /// The NEWS2 total, 0–20, only when nothing is missing.
    pub total: Option<u8>,
    /// Risk that follows.
    pub risk: KnownRisk,
}

/// Scores a set by the table.
pub fn score(measurements: &Measurements) -> Score {
    let parameters = ByParameter::from_fn(|parameter| {
        let value = measurements.get(parameter)?;
        let row = table::row_of(parameter, measurements.scale)?;
        row.band(value, measurements.oxygen).map(|band| band.score)
    });
    from_points(parameters)
}

/// Adds up points from wherever they come.
pub fn from_points(parameters: ByParameter<Option<u8>>) -> Score {
    let missing: Vec<_> =
        parameters.iter().filter(|(_, points)| points.is_none()).map(|(p, _)| p).collect();
    let points = || parameters.iter().filter_map(|(_, points)| *points);
    let partial_sum = points().fold(0, u8::saturating_add);
    let risk = Risk::of(partial_sum, points().any(|points| points == 3));
    let complete = missing.is_empty();
    Score {
        missing,
        partial_sum,
        total: complete.then_some(partial_sum),
        risk: if complete || risk == Risk::High {
            KnownRisk::Exactly(risk)
        } else {
            KnownRisk::AtLeast(risk)
        },
        parameters,
    }
}
