//! Dimensions: exponents of the units that stand for themselves.

use std::fmt;

/// A product of base units; exponents are never 0, names are in the order of the data file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Dimension(Vec<(Base, i32)>);

/// A unit that stands for itself: its place in the data file and its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Base {
    pub(super) place: usize,
    pub(super) code: &'static str,
}

/// Beyond this an exponent is nonsense.
const MOST: i32 = 100;

impl Dimension {
    pub(super) fn of(base: Base) -> Dimension {
        Dimension(vec![(base, 1)])
    }

    /// The product with another to a power; nothing where an exponent runs away.
    pub(super) fn times(&self, other: &Dimension, power: i32) -> Option<Dimension> {
        let mut product = self.0.clone();
        for (base, exponent) in &other.0 {
            let more = exponent.checked_mul(power)?;
            match product.iter_mut().find(|(known, _)| known == base) {
                Some((_, known)) => *known = known.checked_add(more)?,
                None => product.push((*base, more)),
            }
        }
        product.retain(|(_, exponent)| *exponent != 0);
        product.sort_unstable();
        let fits = product.iter().all(|(_, exponent)| exponent.abs() <= MOST);
        fits.then_some(Dimension(product))
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("1");
        }
        for (index, (base, exponent)) in self.0.iter().enumerate() {
            let dot = if index == 0 { "" } else { "." };
            match exponent {
                1 => write!(f, "{dot}{}", base.code)?,
                _ => write!(f, "{dot}{}{exponent}", base.code)?,
            }
        }
        Ok(())
    }
}
