//! The units of UCUM that medicine measures in, reduced to base units with exact factors.
//!
//! Units with an offset or a logarithm (`Cel`, `[pH]`) are not here: they are equal only to themselves.

use super::decimal::Decimal;

/// The powers of metre, second, gram, radian, kelvin, coulomb, candela and mole-like counts.
pub(super) type Dimension = [i32; 8];

/// How deep brackets may nest.
const DEEPEST: usize = 16;

/// The largest power.
const HIGHEST: i32 = 12;

/// The code, a factor, and the unit it is a factor of (empty for a base unit).
const ATOMS: [(&str, &str, &str); 50] = [
    ("m", "", ""),
    ("s", "", ""),
    ("g", "", ""),
    ("rad", "", ""),
    ("K", "", ""),
    ("C", "", ""),
    ("cd", "", ""),
    ("mol", "602213670000000000000000", "1"),
    ("%", "0.01", "1"),
    ("[ppth]", "0.001", "1"),
    ("[ppm]", "0.000001", "1"),
    ("[pi]", "3.1415926535897932384626433832795029", "1"),
    ("Hz", "1", "s-1"),
    ("N", "1", "kg.m/s2"),
    ("Pa", "1", "N/m2"),
    ("J", "1", "N.m"),
    ("W", "1", "J/s"),
    ("A", "1", "C/s"),
    ("V", "1", "J/C"),
    ("Ohm", "1", "V/A"),
    ("kat", "1", "mol/s"),
    ("U", "1", "umol/min"),
    ("L", "1", "dm3"),
    ("l", "1", "dm3"),
    ("ar", "100", "m2"),
    ("t", "1000", "kg"),
    ("bar", "100000", "Pa"),
    ("u", "0.0000000000000000000000016605402", "g"),
    ("eq", "1", "mol"),
    ("osm", "1", "mol"),
    ("min", "60", "s"),
    ("h", "60", "min"),
    ("d", "24", "h"),
    ("wk", "7", "d"),
    ("a", "365.25", "d"),
    ("a_j", "365.25", "d"),
    ("mo", "30.4375", "d"),
    ("mo_j", "30.4375", "d"),
    ("deg", "0.0174532925199432957692369076848861", "rad"),
    ("[in_i]", "2.54", "cm"),
    ("[ft_i]", "12", "[in_i]"),
    ("[yd_i]", "3", "[ft_i]"),
    ("[mi_i]", "5280", "[ft_i]"),
    ("[gr]", "64.79891", "mg"),
    ("[lb_av]", "7000", "[gr]"),
    ("[oz_av]", "437.5", "[gr]"),
    ("[stone_av]", "14", "[lb_av]"),
    ("m[Hg]", "133.322", "kPa"),
    ("m[H2O]", "9.80665", "kPa"),
    ("cal", "4.184", "J"),
];

const PREFIXES: [(&str, i32); 20] = [
    ("da", 1),
    ("Y", 24),
    ("Z", 21),
    ("E", 18),
    ("P", 15),
    ("T", 12),
    ("G", 9),
    ("M", 6),
    ("k", 3),
    ("h", 2),
    ("d", -1),
    ("c", -2),
    ("m", -3),
    ("u", -6),
    ("n", -9),
    ("p", -12),
    ("f", -15),
    ("a", -18),
    ("z", -21),
    ("y", -24),
];

/// The factor and base units of a unit; nothing if it is not known here.
pub(super) fn canonical(unit: &str) -> Option<(Decimal, Dimension)> {
    let mut reader = Reader { rest: unit, open: 0 };
    let found = reader.product()?;
    reader.rest.is_empty().then_some(found)
}

struct Reader<'t> {
    rest: &'t str,
    open: usize,
}

impl Reader<'_> {
    fn sign(&mut self, sign: char) -> bool {
        let rest = self.rest.strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn product(&mut self) -> Option<(Decimal, Dimension)> {
        let mut all = (Decimal::from(1), Dimension::default());
        let mut over = self.sign('/');
        loop {
            let (factor, dimension) = self.power()?;
            all.0 = if over { all.0.over(factor)? } else { all.0.times(factor)? };
            for (power, other) in all.1.iter_mut().zip(dimension) {
                *power += if over { -other } else { other };
                (power.abs() <= HIGHEST).then_some(())?;
            }
            if self.sign('/') {
                over = true;
            } else if self.sign('.') {
                over = false;
            } else {
                return Some(all);
            }
        }
    }

    /// An atom, number or bracket with its exponent.
    fn power(&mut self) -> Option<(Decimal, Dimension)> {
        let (base, exponent) = if self.sign('(') {
            self.open += 1;
            (self.open <= DEEPEST).then_some(())?;
            let inner = self.product()?;
            self.open -= 1;
            self.sign(')').then_some(())?;
            (inner, self.exponent())
        } else {
            let end = self.rest.find(['.', '/', ')', '(']).unwrap_or(self.rest.len());
            let (word, rest) = self.rest.split_at_checked(end)?;
            self.rest = rest;
            if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) {
                return Some((Decimal::parse(word)?, Dimension::default()));
            }
            // `{annotation}` counts as one.
            let word = match word.find('{') {
                Some(start) if word.ends_with('}') => word.get(..start)?,
                _ => word,
            };
            if word.is_empty() {
                return (end > 0).then_some((Decimal::from(1), Dimension::default()));
            }
            let digits = word.trim_end_matches(|letter: char| letter.is_ascii_digit());
            let name = digits.trim_end_matches(['+', '-']);
            (atom(name)?, word.get(name.len()..)?.parse().ok())
        };
        let exponent: i32 = exponent.unwrap_or(1);
        (exponent.abs() <= HIGHEST).then_some(())?;
        let factor = base.0.power(exponent.unsigned_abs())?;
        let factor = if exponent < 0 { Decimal::from(1).over(factor)? } else { factor };
        Some((factor, base.1.map(|power| power.saturating_mul(exponent))))
    }

    fn exponent(&mut self) -> Option<i32> {
        let rest = self.rest.trim_start_matches(['+', '-']);
        let rest = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
        let written = self.rest.strip_suffix(rest)?;
        self.rest = rest;
        written.parse().ok()
    }
}

/// An atom, perhaps with a prefix.
fn atom(name: &str) -> Option<(Decimal, Dimension)> {
    if let Some(found) = plain(name) {
        return Some(found);
    }
    PREFIXES.iter().find_map(|(prefix, power)| {
        let (factor, dimension) = plain(name.strip_prefix(prefix)?)?;
        let scale = Decimal::parse(&format!("1e{power}"))?;
        Some((factor.times(scale)?, dimension))
    })
}

fn plain(name: &str) -> Option<(Decimal, Dimension)> {
    let index = ATOMS.iter().position(|(code, ..)| *code == name)?;
    let (_, factor, of) = ATOMS.get(index)?;
    if of.is_empty() {
        let mut dimension = Dimension::default();
        *dimension.get_mut(index)? = 1;
        return Some((Decimal::from(1), dimension));
    }
    let (unit, dimension) = canonical(of)?;
    Some((Decimal::parse(factor)?.times(unit)?, dimension))
}
