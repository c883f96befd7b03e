//! The NEWS2 scoring table as data: pages print it and charts draw its limits from the same bands
//! that score.
//!
//! Source: Royal College of Physicians, National Early Warning Score (NEWS) 2, 2017.
//!
//! Invariants:
//! - Limits are inclusive and in printed precision: one decimal for temperature, otherwise whole
//!   numbers. A value between two printed limits is rounded to that precision first, a half
//!   upwards, as one does when writing it on the chart (38.05 °C is 38.1 and scores 1; a
//!   respiration rate of 20.5 is 21 and scores 2).
//! - Within a row, every printable value falls in exactly one band.

use super::parameter::{Consciousness, Parameter, SpO2Scale, Supply, Value};

/// One line of the printed table. Saturation has two, one for each scale.
#[derive(Debug)]
pub struct Row {
    /// What the line scores.
    pub parameter: Parameter,
    /// The scale, for the two lines of saturation.
    pub scale: Option<SpO2Scale>,
    /// The bands, lowest values first.
    pub bands: &'static [Band],
}

/// Values that give the same points.
#[derive(Debug)]
pub struct Band {
    /// Which values.
    pub limits: Limits,
    /// Points, 0–3.
    pub score: u8,
}

/// The values of a band.
#[derive(Debug)]
pub enum Limits {
    /// Numbers from `low` to `high`, both included; `None` is open-ended.
    Number {
        /// Lowest value of the band.
        low: Option<f64>,
        /// Highest value of the band.
        high: Option<f64>,
        /// Set where the band holds only on air or only on oxygen (scale 2, from 93 %).
        supply: Option<Supply>,
    },
    /// Air or oxygen.
    Supply(Supply),
    /// Levels of consciousness.
    Levels(&'static [Consciousness]),
}

const fn up_to(high: f64, score: u8) -> Band {
    Band { limits: Limits::Number { low: None, high: Some(high), supply: None }, score }
}

const fn between(low: f64, high: f64, score: u8) -> Band {
    Band { limits: Limits::Number { low: Some(low), high: Some(high), supply: None }, score }
}

const fn from(low: f64, score: u8) -> Band {
    Band { limits: Limits::Number { low: Some(low), high: None, supply: None }, score }
}

const fn on(supply: Supply, low: f64, high: Option<f64>, score: u8) -> Band {
    Band { limits: Limits::Number { low: Some(low), high, supply: Some(supply) }, score }
}

const fn row(parameter: Parameter, bands: &'static [Band]) -> Row {
    Row { parameter, scale: None, bands }
}

/// The table, in the order of the chart.
pub static TABLE: [Row; 8] = [
    row(
        Parameter::Respiration,
        &[
            up_to(8.0, 3),
            between(9.0, 11.0, 1),
            between(12.0, 20.0, 0),
            between(21.0, 24.0, 2),
            from(25.0, 3),
        ],
    ),
    Row {
        parameter: Parameter::OxygenSaturation,
        scale: Some(SpO2Scale::One),
        bands: &[up_to(91.0, 3), between(92.0, 93.0, 2), between(94.0, 95.0, 1), from(96.0, 0)],
    },
    Row {
        parameter: Parameter::OxygenSaturation,
        scale: Some(SpO2Scale::Two),
        bands: &[
            up_to(83.0, 3),
            between(84.0, 85.0, 2),
            between(86.0, 87.0, 1),
            between(88.0, 92.0, 0),
            on(Supply::Air, 93.0, None, 0),
            on(Supply::Oxygen, 93.0, Some(94.0), 1),
            on(Supply::Oxygen, 95.0, Some(96.0), 2),
            on(Supply::Oxygen, 97.0, None, 3),
        ],
    },
    row(
        Parameter::Oxygen,
        &[
            Band { limits: Limits::Supply(Supply::Air), score: 0 },
            Band { limits: Limits::Supply(Supply::Oxygen), score: 2 },
        ],
    ),
    row(
        Parameter::SystolicBloodPressure,
        &[
            up_to(90.0, 3),
            between(91.0, 100.0, 2),
            between(101.0, 110.0, 1),
            between(111.0, 219.0, 0),
            from(220.0, 3),
        ],
    ),
    row(
        Parameter::Pulse,
        &[
            up_to(40.0, 3),
            between(41.0, 50.0, 1),
            between(51.0, 90.0, 0),
            between(91.0, 110.0, 1),
            between(111.0, 130.0, 2),
            from(131.0, 3),
        ],
    ),
    row(
        Parameter::Consciousness,
        &[
            Band { limits: Limits::Levels(&[Consciousness::Alert]), score: 0 },
            Band {
                limits: Limits::Levels(&[
                    Consciousness::Confusion,
                    Consciousness::Voice,
                    Consciousness::Pain,
                    Consciousness::Unresponsive,
                ]),
                score: 3,
            },
        ],
    ),
    row(
        Parameter::Temperature,
        &[
            up_to(35.0, 3),
            between(35.1, 36.0, 1),
            between(36.1, 38.0, 0),
            between(38.1, 39.0, 1),
            from(39.1, 2),
        ],
    ),
];

/// The line of the table for a parameter; `scale` matters for saturation only.
pub fn row_of(parameter: Parameter, scale: SpO2Scale) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.parameter == parameter && row.scale.is_none_or(|s| s == scale))
}

impl Row {
    /// The band a value falls in. `supply` matters on scale 2 from 93 %: without it there the
    /// points cannot be known, and the answer is `None`.
    pub fn band(&self, value: Value, supply: Option<Supply>) -> Option<&'static Band> {
        if value.parameter() != self.parameter {
            return None;
        }
        self.bands.iter().find(|band| band.limits.hold(value, supply))
    }

    /// The limits of the values that give no points, or `None` where values are no numbers.
    /// `supply` as in [`Row::band`]; an open end is infinite.
    pub fn zero_range(&self, supply: Option<Supply>) -> Option<(f64, f64)> {
        self.bands.iter().filter(|band| band.score == 0).fold(None, |range, band| {
            let Limits::Number { low, high, supply: needed } = band.limits else { return range };
            if needed.is_some() && needed != supply {
                return range;
            }
            let (low, high) = (low.unwrap_or(f64::NEG_INFINITY), high.unwrap_or(f64::INFINITY));
            Some(range.map_or((low, high), |(l, h): (f64, f64)| (l.min(low), h.max(high))))
        })
    }
}

impl Limits {
    fn hold(&self, value: Value, given: Option<Supply>) -> bool {
        match (self, value) {
            (Self::Supply(supply), Value::Oxygen(measured)) => *supply == measured,
            (Self::Levels(levels), Value::Consciousness(level)) => levels.contains(&level),
            (Self::Number { low, high, supply }, _) => value.number().is_some_and(|number| {
                let printed = printed(value.parameter(), number);
                low.is_none_or(|low| printed >= low)
                    && high.is_none_or(|high| printed <= high)
                    && supply.is_none_or(|_| *supply == given)
                    && printed.is_finite()
            }),
            _ => false,
        }
    }
}

/// The number in the precision of the table, a half rounded upwards.
pub fn printed(parameter: Parameter, number: f64) -> f64 {
    // 87.35 °F is 30.75 °C but computes to slightly less; the margin restores the half.
    const MARGIN: f64 = 1e-9;
    let scale = if parameter.decimals() == 1 { 10.0 } else { 1.0 };
    (number * scale + 0.5 + MARGIN).floor() / scale
}
