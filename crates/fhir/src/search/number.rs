//! Numbers that can be ordered, and the ranges that written decimals stand for.
//!
//! Invariant: a [`Real`] is never NaN and never negative zero, so that equality and order agree.

use crate::value::Number;

/// A binary number with a total order; infinite for an open end.
#[derive(Clone, Copy, Debug)]
pub struct Real(f64);

impl Real {
    /// Below every number.
    pub const MIN: Real = Real(f64::NEG_INFINITY);

    /// Above every number.
    pub const MAX: Real = Real(f64::INFINITY);

    /// A finite number.
    pub fn new(number: f64) -> Option<Real> {
        number.is_finite().then_some(Real(number + 0.0))
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

/// The numbers that are the same as a written decimal at its precision: from 99.5 up to 100.5 of
/// `100`, from 99.995 of `100.00`, from 50 of `1e2` (R4 search §3.1.1.4.6). The second is the first
/// number beyond.
pub fn implied(number: &Number) -> Option<(Real, Real)> {
    let text = number.as_str();
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i64 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let last = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?.checked_sub(1)?;
    // Ten times the digits, so that half of the last place is a whole number; from text to binary in
    // one step, so that the ends are as exact as numbers written there would be.
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let tenfold = digits.checked_mul(10)?;
    let end = |digits: i128| Real::new(format!("{digits}e{last}").parse().ok()?);
    Some((end(tenfold.checked_sub(5)?)?, end(tenfold.checked_add(5)?)?))
}

impl PartialEq for Real {
    fn eq(&self, other: &Real) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Real {}

impl PartialOrd for Real {
    fn partial_cmp(&self, other: &Real) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Real {
    fn cmp(&self, other: &Real) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}
