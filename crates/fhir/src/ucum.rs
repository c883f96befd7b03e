//! UCUM units: what a unit stands for in base units, so that `5 mg/mL` and `0.5 g/dL` are one amount.
//!
//! The units are data (`data/ucum.txt`). A unit is a factor and a dimension; a few temperatures have an
//! offset as well. Arbitrary units such as `[iU]` and logarithmic ones such as `[pH]` are dimensions of
//! their own: they compare with themselves and convert to nothing else. As UCUM has it, `mol` is a
//! number. Work is bounded by the length of the expression; nothing here panics.

use dimension::Dimension;

mod dimension;
mod parse;
mod table;

/// UCUM's name as a code system.
pub const SYSTEM: &str = "http://unitsofmeasure.org";

/// How many significant digits a canonical value has: enough for any measurement, and few enough for
/// the same amount in two units to be the same number.
const DIGITS: i32 = 12;

/// Powers of ten up to this one are exact as binary numbers.
const EXACT: i32 = 22;

/// An amount in base units.
#[derive(Clone, Debug, PartialEq)]
pub struct Canonical {
    /// The number, to 12 significant digits.
    pub value: f64,
    /// The unit, the same text for all units of one dimension: `m-3.g`, or `1` for a number.
    pub unit: Box<str>,
}

/// A unit that was understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    factor: f64,
    /// Added to the value before the factor.
    offset: f64,
    dimension: Dimension,
}

impl Unit {
    /// Reads a unit by UCUM's grammar for case-sensitive codes; nothing for what UCUM does not know. A
    /// unit with an offset, such as `Cel`, only stands alone.
    pub fn parse(text: &str) -> Option<Unit> {
        parse::unit(text)
    }

    /// An amount of this unit in base units; nothing where it is beyond binary numbers.
    pub fn canonical(&self, value: f64) -> Option<f64> {
        let exact = (value + self.offset) * self.factor;
        exact.is_finite().then(|| rounded(exact))?
    }

    /// The canonical unit of its dimension.
    pub fn canonical_unit(&self) -> &str {
        self.dimension.as_str()
    }

    /// Whether amounts of both can be compared.
    pub fn is_comparable(&self, other: &Unit) -> bool {
        self.dimension == other.dimension
    }
}

/// An amount in base units; nothing for an unknown unit.
pub fn canonical(value: f64, unit: &str) -> Option<Canonical> {
    let unit = Unit::parse(unit)?;
    Some(Canonical { value: unit.canonical(value)?, unit: unit.canonical_unit().into() })
}

/// Whether a text is a unit of UCUM.
pub fn is_valid(unit: &str) -> bool {
    Unit::parse(unit).is_some()
}

/// An amount in another unit; nothing if one of them is unknown or they do not compare.
pub fn convert(value: f64, from: &str, to: &str) -> Option<f64> {
    let (from, to) = (Unit::parse(from)?, Unit::parse(to)?);
    if !from.is_comparable(&to) {
        return None;
    }
    let exact = (value + from.offset) * from.factor / to.factor - to.offset;
    exact.is_finite().then(|| rounded(exact))?
}

/// To so many significant digits: the binary number that is nearest to them.
fn rounded(number: f64) -> Option<f64> {
    if number == 0.0 {
        return Some(0.0);
    }
    let digits = DIGITS - 1 - number.abs().log10().floor() as i32;
    // A whole number of few digits and an exact power give the nearest number in one step.
    if (0..=EXACT).contains(&digits) {
        let power = 10_f64.powi(digits);
        return Some((number * power).round() / power);
    }
    if (-EXACT..0).contains(&digits) {
        let power = 10_f64.powi(-digits);
        return Some((number / power).round() * power);
    }
    format!("{number:.11e}").parse().ok()
}
