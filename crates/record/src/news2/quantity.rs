//! The door for numbers from outside: units are converted and impossible values stopped.
//!
//! The limits are wider than any living patient is likely to pass (13.7 °C is the lowest survived
//! temperature, Tromsø 1999), so what they stop is a slip of the key, a fraction sent as per cent,
//! or Fahrenheit called Celsius. A stopped value stays in the message it came in; it is only not
//! scored.

use super::parameter::Parameter;

/// Why a quantity cannot be used. Never holds the value itself: it is health information.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// The parameter is an answer from a list.
    #[error("`{0}` is not measured as a number; send it as a coded answer")]
    NotANumber(&'static str),
    /// The unit is none of those the parameter is measured in.
    #[error("`{parameter}` has a unit it is not measured in; send UCUM {accepted}")]
    Unit {
        /// [`Parameter::key`].
        parameter: &'static str,
        /// The accepted units, quoted.
        accepted: &'static str,
    },
    /// The value cannot be that of a living person in this unit.
    #[error(
        "`{parameter}` is outside {low}–{high} {unit}, which no patient can have; \
         check the value and its unit"
    )]
    Implausible {
        /// [`Parameter::key`].
        parameter: &'static str,
        /// Lowest accepted, in `unit`.
        low: u16,
        /// Highest accepted, in `unit`.
        high: u16,
        /// [`Parameter::unit`].
        unit: &'static str,
    },
}

/// The value in the unit of [`Parameter::unit`].
///
/// UCUM annotations carry no meaning (UCUM §6), so `{beats}/min` is `/min`.
///
/// # Errors
/// [`QuantityError`] when the parameter is no number, the unit is unknown, or the value is not
/// finite or not plausible.
pub fn from_quantity(parameter: Parameter, value: f64, ucum: &str) -> Result<f64, QuantityError> {
    let key = parameter.key();
    let (accepted, (low, high)) = match parameter {
        Parameter::Respiration => ("`/min`", (0, 120)),
        Parameter::OxygenSaturation => ("`%`", (10, 100)),
        Parameter::SystolicBloodPressure => ("`mm[Hg]`", (20, 370)),
        Parameter::Pulse => ("`/min`", (0, 350)),
        Parameter::Temperature => ("`Cel` or `[degF]`", (13, 47)),
        Parameter::Oxygen | Parameter::Consciousness => {
            return Err(QuantityError::NotANumber(key));
        }
    };
    let unit = parameter.unit().unwrap_or_default();
    let converted = match without_annotations(ucum).as_str() {
        same if same == unit => value,
        "1/min" if unit == "/min" => value,
        "[degF]" if unit == "Cel" => (value - 32.0) / 1.8,
        _ => return Err(QuantityError::Unit { parameter: key, accepted }),
    };
    // A value that is not a number is in no range and so stopped here too.
    if (f64::from(low)..=f64::from(high)).contains(&converted) {
        Ok(converted)
    } else {
        Err(QuantityError::Implausible { parameter: key, low, high, unit })
    }
}

fn without_annotations(ucum: &str) -> String {
    let mut inside = false;
    ucum.chars()
        .filter(|&c| {
            let keep = !inside && c != '{';
            inside = (inside || c == '{') && c != '}';
            keep
        })
        .collect()
}
