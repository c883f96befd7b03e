//! Exact decimal numbers with their written number of decimals: `1.10` equals `1.1` but prints `1.10`.
//!
//! A number is a coefficient divided by a power of ten. Invariant: `scale <= MOST_DECIMALS`, so that
//! any fraction can be brought to the same scale without overflow. Results that do not fit are
//! nothing, which FHIRPath makes empty (FHIRPath 2.0.0 §6.6).

use std::cmp::Ordering;
use std::fmt;

/// The most decimals a number keeps; further ones are cut.
const MOST_DECIMALS: u32 = 36;

/// The most digits that are read.
const MOST_DIGITS: usize = 37;

/// The most decimals of a quotient that does not end.
const QUOTIENT_DECIMALS: u32 = 18;

/// An exact decimal number.
#[derive(Clone, Copy, Debug)]
pub struct Decimal {
    coefficient: i128,
    scale: u32,
}

impl Decimal {
    /// Zero without decimals.
    pub const ZERO: Decimal = Decimal { coefficient: 0, scale: 0 };

    /// The number `coefficient / 10^scale`.
    pub(crate) fn new(coefficient: i128, scale: u32) -> Option<Decimal> {
        (scale <= MOST_DECIMALS).then_some(Decimal { coefficient, scale })
    }

    /// Reads digits with a sign, fraction and exponent as JSON has them. Nothing for other text and for
    /// numbers beyond 38 digits before the point.
    pub fn parse(text: &str) -> Option<Decimal> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let negative = whole.starts_with('-');
        let digits = whole.strip_prefix(['-', '+']).unwrap_or(whole);
        let room = MOST_DIGITS.saturating_sub(digits.len());
        let kept = fraction.get(..fraction.len().min(room)).unwrap_or(fraction);
        if digits.is_empty() || !digits.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit())
        {
            return None;
        }
        let mut coefficient: i128 = 0;
        for digit in digits.bytes().chain(kept.bytes()) {
            coefficient =
                coefficient.checked_mul(10)?.checked_add(i128::from(digit.checked_sub(b'0')?))?;
        }
        let coefficient = if negative { -coefficient } else { coefficient };
        let scale = i32::try_from(kept.len()).ok()?.checked_sub(exponent)?;
        match u32::try_from(scale) {
            Ok(scale) if scale <= MOST_DECIMALS => Some(Decimal { coefficient, scale }),
            Ok(scale) => {
                let divisor = power(scale - MOST_DECIMALS).unwrap_or(i128::MAX);
                Some(Decimal { coefficient: coefficient / divisor, scale: MOST_DECIMALS })
            }
            Err(_) => {
                let factor = power(scale.unsigned_abs())?;
                Some(Decimal { coefficient: coefficient.checked_mul(factor)?, scale: 0 })
            }
        }
    }

    /// The nearest decimal of 15 significant digits; nothing if the number is not finite.
    pub(crate) fn from_f64(number: f64) -> Option<Decimal> {
        number.is_finite().then(|| Decimal::parse(&format!("{number:.14e}")))?.map(Decimal::trimmed)
    }

    /// The nearest binary number.
    pub fn to_f64(self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// The whole number, if it is one and fits.
    pub fn to_integer(self) -> Option<i64> {
        let trimmed = self.trimmed();
        (trimmed.scale == 0).then(|| i64::try_from(trimmed.coefficient).ok())?
    }

    /// How many decimals are written.
    pub fn decimals(self) -> u32 {
        self.scale
    }

    /// Without zeros at the end of the fraction.
    pub(crate) fn trimmed(self) -> Decimal {
        let Decimal { mut coefficient, mut scale } = self;
        while scale > 0 && coefficient % 10 == 0 {
            coefficient /= 10;
            scale -= 1;
        }
        Decimal { coefficient, scale }
    }

    pub(crate) fn is_zero(self) -> bool {
        self.coefficient == 0
    }

    pub(crate) fn is_negative(self) -> bool {
        self.coefficient < 0
    }

    /// Equal to the decimals of the one that has fewer (FHIRPath 2.0.0 §6.1.3).
    pub(crate) fn is_like(self, other: Decimal) -> bool {
        let decimals = self.trimmed().scale.min(other.trimmed().scale);
        self.rounded(decimals) == other.rounded(decimals)
    }

    pub(crate) fn negated(self) -> Option<Decimal> {
        Some(Decimal { coefficient: self.coefficient.checked_neg()?, scale: self.scale })
    }

    /// The sum.
    pub fn plus(self, other: Decimal) -> Option<Decimal> {
        let scale = self.scale.max(other.scale);
        let sum = self.at(scale)?.checked_add(other.at(scale)?)?;
        Some(Decimal { coefficient: sum, scale })
    }

    /// The difference.
    pub fn minus(self, other: Decimal) -> Option<Decimal> {
        self.plus(other.negated()?)
    }

    /// The product. Where all its digits do not fit, the last decimals of the longer factor go first.
    pub fn times(self, other: Decimal) -> Option<Decimal> {
        let direct = self.coefficient.checked_mul(other.coefficient);
        if let Some(product) =
            direct.and_then(|product| Decimal::new(product, self.scale + other.scale))
        {
            return Some(product);
        }
        let (mut one, mut two) = (self.trimmed(), other.trimmed());
        loop {
            if let Some(product) = one.coefficient.checked_mul(two.coefficient) {
                let excess = (one.scale + two.scale).saturating_sub(MOST_DECIMALS);
                let scale = one.scale + two.scale - excess;
                return Some(Decimal { coefficient: product / power(excess)?, scale });
            }
            let first_is_longer = one.coefficient.unsigned_abs() >= two.coefficient.unsigned_abs();
            let shortened = if two.scale == 0 || (first_is_longer && one.scale > 0) {
                &mut one
            } else {
                &mut two
            };
            *shortened = shortened.rounded(shortened.scale.checked_sub(1)?)?;
        }
    }

    /// The quotient, to at least eight decimals where it does not end. Nothing by zero.
    pub fn over(self, other: Decimal) -> Option<Decimal> {
        if other.is_zero() {
            return None;
        }
        let (one, two) = (self.trimmed(), other.trimmed());
        // one/10^a : two/10^b = one·10^(b+d-a) / two, with d decimals.
        for decimals in [QUOTIENT_DECIMALS, 12, 8] {
            let up = (two.scale + decimals).checked_sub(one.scale).and_then(power);
            let Some(scaled) = up.and_then(|up| one.coefficient.checked_mul(up)) else {
                continue;
            };
            let (whole, rest) = (scaled / two.coefficient, scaled % two.coefficient);
            let twice = rest.checked_mul(2)?.checked_abs()?;
            let away = i128::from(twice >= two.coefficient.checked_abs()?);
            let sign = one.coefficient.signum() * two.coefficient.signum();
            let rounded = whole.checked_add(away * sign)?;
            return Some(Decimal { coefficient: rounded, scale: decimals }.trimmed());
        }
        Decimal::from_f64(self.to_f64() / other.to_f64())
    }

    /// The whole part of the quotient.
    pub(crate) fn divided_whole(self, other: Decimal) -> Option<Decimal> {
        let scale = self.scale.max(other.scale);
        let quotient = self.at(scale)?.checked_div(other.at(scale)?)?;
        Some(Decimal { coefficient: quotient, scale: 0 })
    }

    /// What the whole part of the quotient leaves.
    pub(crate) fn remainder(self, other: Decimal) -> Option<Decimal> {
        let scale = self.scale.max(other.scale);
        let rest = self.at(scale)?.checked_rem(other.at(scale)?)?;
        Some(Decimal { coefficient: rest, scale })
    }

    /// To so many decimals, the half away from zero.
    pub fn rounded(self, decimals: u32) -> Option<Decimal> {
        self.shortened(decimals, |whole, rest, unit| {
            let away = rest.checked_mul(2).is_none_or(|twice| twice.abs() >= unit);
            whole + if away { rest.signum() } else { 0 }
        })
    }

    /// To so many decimals, towards zero.
    pub(crate) fn cut(self, decimals: u32) -> Option<Decimal> {
        self.shortened(decimals, |whole, _, _| whole)
    }

    /// To so many decimals, downwards.
    pub(crate) fn floor(self, decimals: u32) -> Option<Decimal> {
        self.shortened(decimals, |whole, rest, _| whole - i128::from(rest < 0))
    }

    /// To so many decimals, upwards.
    pub(crate) fn ceiling(self, decimals: u32) -> Option<Decimal> {
        self.shortened(decimals, |whole, rest, _| whole + i128::from(rest > 0))
    }

    fn shortened(self, decimals: u32, round: impl Fn(i128, i128, i128) -> i128) -> Option<Decimal> {
        if decimals > MOST_DECIMALS {
            return None;
        }
        if decimals >= self.scale {
            return Some(Decimal { coefficient: self.at(decimals)?, scale: decimals });
        }
        let unit = power(self.scale - decimals)?;
        let coefficient = round(self.coefficient / unit, self.coefficient % unit, unit);
        Some(Decimal { coefficient, scale: decimals })
    }

    /// The power by a whole exponent, exact.
    pub(crate) fn power(self, exponent: u32) -> Option<Decimal> {
        let mut product = Decimal { coefficient: 1, scale: 0 };
        for _ in 0..exponent {
            product = product.times(self)?;
        }
        Some(product)
    }

    /// The coefficient at a scale that is no smaller.
    fn at(self, scale: u32) -> Option<i128> {
        self.coefficient.checked_mul(power(scale.checked_sub(self.scale)?)?)
    }

    /// The whole part, and the fraction at the largest scale.
    fn parts(self) -> (i128, i128) {
        let unit = power(self.scale).unwrap_or(i128::MAX);
        let fraction = (self.coefficient % unit)
            .saturating_mul(power(MOST_DECIMALS - self.scale).unwrap_or(i128::MAX));
        (self.coefficient / unit, fraction)
    }
}

fn power(exponent: u32) -> Option<i128> {
    10_i128.checked_pow(exponent)
}

impl From<i64> for Decimal {
    fn from(number: i64) -> Decimal {
        Decimal { coefficient: i128::from(number), scale: 0 }
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Decimal) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Decimal) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Decimal) -> Ordering {
        if self.scale == other.scale {
            return self.coefficient.cmp(&other.coefficient);
        }
        self.parts().cmp(&other.parts())
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.coefficient.unsigned_abs().to_string();
        let scale = usize::try_from(self.scale).unwrap_or_default();
        let padded = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = padded.split_at(padded.len() - scale);
        let sign = if self.coefficient < 0 { "-" } else { "" };
        let point = if fraction.is_empty() { "" } else { "." };
        write!(to, "{sign}{whole}{point}{fraction}")
    }
}
