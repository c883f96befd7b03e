//! Dimensions: exponents of the units that stand for themselves.

use std::sync::Arc;

/// A product of base units; exponents are never 0, names are in the order of the data file. Shared,
/// since most units are met again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dimension {
    factors: Arc<[(Base, i32)]>,
    text: Arc<str>,
}

/// A unit that stands for itself: its place in the data file and its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Base {
    pub(super) place: usize,
    pub(super) code: &'static str,
}

/// Beyond this an exponent is nonsense.
const MOST: i32 = 100;

impl Dimension {
    /// Of plain numbers.
    pub(super) fn none() -> Dimension {
        Dimension::new(Vec::new())
    }

    pub(super) fn of(base: Base) -> Dimension {
        Dimension::new(vec![(base, 1)])
    }

    fn new(factors: Vec<(Base, i32)>) -> Dimension {
        let text = factors.iter().map(|(base, exponent)| match exponent {
            1 => base.code.to_owned(),
            _ => format!("{}{exponent}", base.code),
        });
        let text = text.collect::<Vec<_>>().join(".");
        let text = if text.is_empty() { "1" } else { text.as_str() };
        Dimension { factors: factors.into(), text: text.into() }
    }

    /// Such as `m-3.g`; `1` of plain numbers.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// The product with another to a power; nothing where an exponent runs away.
    pub(super) fn times(&self, other: &Dimension, power: i32) -> Option<Dimension> {
        if other.factors.is_empty() {
            return Some(self.clone());
        }
        if self.factors.is_empty() && power == 1 {
            return Some(other.clone());
        }
        let mut product = self.factors.to_vec();
        for (base, exponent) in &*other.factors {
            let more = exponent.checked_mul(power)?;
            match product.iter_mut().find(|(known, _)| known == base) {
                Some((_, known)) => *known = known.checked_add(more)?,
                None => product.push((*base, more)),
            }
        }
        product.retain(|(_, exponent)| *exponent != 0);
        product.sort_unstable();
        let fits = product.iter().all(|(_, exponent)| exponent.abs() <= MOST);
        fits.then(|| Dimension::new(product))
    }
}
