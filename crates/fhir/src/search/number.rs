//! Numbers that can be ordered, and the ranges that written decimals stand for.
//!
//! Invariant: a [`Real`] is never NaN and never negative zero, so that equality and order agree.

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
