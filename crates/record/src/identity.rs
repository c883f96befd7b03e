//! Who a person or an organisation is: national identity numbers, organisation numbers and the
//! pseudonymous person id used wherever a number must not stand.
//!
//! Check digits after Skatteetaten's rules, including the relaxed first check digit of fødselsnumre
//! and D-numbers issued from 2032. It is accepted already now: what is installed today must not
//! refuse newborns then, and it costs nothing against mistyping, since the second check digit alone
//! refuses every change of one digit and every swap of neighbours (its weights, and the differences
//! of neighbouring weights, are never 0 modulo 11). Kinds of number that will not be relaxed, felles
//! hjelpenummer and H-numbers, keep both digits strict. Sex and birth date are never derived from a
//! number: from 2032 they cannot be.

use std::fmt;

/// A person inside one municipality: 16 pseudonymous bytes, written as 32 lower-case hex digits.
///
/// The same person has different ids in different municipalities.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(pub [u8; 16]);

impl PersonId {
    /// Reads the 32 hex digits written by `Display`; anything else is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 32 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        u128::from_str_radix(text, 16).ok().map(|n| Self(n.to_be_bytes()))
    }
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PersonId({self})")
    }
}

/// The register a national identity number belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberKind {
    /// Fødselsnummer.
    Fnr,
    /// D-nummer: day of birth + 40.
    Dnr,
    /// Felles hjelpenummer: first digit 8 or 9, no date.
    Fhn,
}

/// Whether a number can belong to a living person or only to a test population.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// May be a real person's number.
    Real,
    /// Skatteetaten's Tenor: month + 80.
    Tenor,
    /// Norsk helsenett's SyntPop: month + 65.
    SyntPop,
    /// Month + 40: NAV's Dolly, or a local H-number.
    Plus40,
}

/// Which numbers an environment accepts (conventions §1.3, conflict C9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// Only numbers that pass the check and may be real.
    Production,
    /// Only numbers that pass the check and are synthetic.
    Synthetic,
    /// Anything non-empty: published examples hold identifiers such as `1000807`.
    Lenient,
}

/// Why a number was refused. Never carries the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// Wrong length or a character that is not a digit.
    #[error("an identity number has 11 digits")]
    NotElevenDigits,
    /// The printed date part is no date in any known population.
    #[error("the date part of the identity number is not a date")]
    NotADate,
    /// The modulus-11 check fails.
    #[error("the check digits of the identity number are wrong")]
    CheckDigits,
    /// A synthetic number in production.
    #[error("a synthetic identity number is not accepted in production")]
    SyntheticRefused,
    /// A number that may be real in a test environment.
    #[error("an identity number that may be real is not accepted in a test environment")]
    RealRefused,
}

/// A national identity number that passed the check.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct NationalNumber([u8; 11]);

impl NationalNumber {
    /// Parses 11 digits and checks date and check digits.
    pub fn parse(text: &str) -> Result<Self, IdentityError> {
        let number: [u8; 11] =
            text.as_bytes().try_into().map_err(|_| IdentityError::NotElevenDigits)?;
        if !number.iter().all(u8::is_ascii_digit) {
            return Err(IdentityError::NotElevenDigits);
        }
        let number = Self(number);
        if number.kind() != NumberKind::Fhn && !number.has_date() {
            return Err(IdentityError::NotADate);
        }
        let first = if number.kind() == NumberKind::Fhn { First::Strict } else { First::Relaxed };
        let local = number.origin() == Origin::Plus40 && number.h_check();
        if local || check_digits(&number.0, first) {
            Ok(number)
        } else {
            Err(IdentityError::CheckDigits)
        }
    }

    /// The 11 digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The register the number belongs to, by its first digit.
    pub fn kind(&self) -> NumberKind {
        match self.0.first() {
            Some(b'8' | b'9') => NumberKind::Fhn,
            Some(b'4'..=b'7') => NumberKind::Dnr,
            _ => NumberKind::Fnr,
        }
    }

    /// The population, by the offset on the month.
    pub fn origin(&self) -> Origin {
        if self.kind() == NumberKind::Fhn {
            return Origin::Real;
        }
        match self.pair(2) {
            81..=92 => Origin::Tenor,
            66..=77 => Origin::SyntPop,
            41..=52 => Origin::Plus40,
            _ => Origin::Real,
        }
    }

    fn pair(&self, at: usize) -> u32 {
        let digit = |i: usize| self.0.get(i).map_or(0, |b| u32::from(b - b'0'));
        digit(at) * 10 + digit(at + 1)
    }

    fn has_date(&self) -> bool {
        let offset = match self.origin() {
            Origin::Real => 0,
            Origin::Tenor => 80,
            Origin::SyntPop => 65,
            Origin::Plus40 => 40,
        };
        let day = self.pair(0) - if self.kind() == NumberKind::Dnr { 40 } else { 0 };
        let month = self.pair(2).wrapping_sub(offset);
        let last = match month {
            2 => 29,
            4 | 6 | 9 | 11 => 30,
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            _ => 0,
        };
        (1..=last).contains(&day)
    }

    /// H-numbers in use compute the check digits over the date before the offset was added.
    fn h_check(&self) -> bool {
        let mut plain = self.0;
        if let Some(month) = plain.get_mut(2) {
            *month -= 4;
        }
        check_digits(&plain, First::Strict)
    }
}

impl fmt::Debug for NationalNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NationalNumber(…)")
    }
}

/// Checks a number under the environment's [`Strictness`].
pub fn accept_number(text: &str, strictness: Strictness) -> Result<(), IdentityError> {
    if strictness == Strictness::Lenient && !text.trim().is_empty() {
        return Ok(());
    }
    let number = NationalNumber::parse(text)?;
    match (strictness, number.origin()) {
        (Strictness::Production, Origin::Tenor | Origin::SyntPop) => {
            Err(IdentityError::SyntheticRefused)
        }
        (Strictness::Synthetic, Origin::Real) => Err(IdentityError::RealRefused),
        _ => Ok(()),
    }
}

/// Whether `text` contains 11 digits in a row that pass the check: used to keep identity numbers
/// out of places where they must not stand (URLs, event ids, logs).
pub fn contains_number(text: &str) -> bool {
    text.as_bytes()
        .split(|b| !b.is_ascii_digit())
        .any(|run| std::str::from_utf8(run).is_ok_and(|run| NationalNumber::parse(run).is_ok()))
}

/// Computes the two check digits for nine digits, or `None` where no valid number exists.
/// For makers of synthetic numbers.
pub fn complete_number(nine: [u8; 9]) -> Option<String> {
    if !nine.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let k1 = check_digit(&nine, &K1)?;
    let mut ten = nine.to_vec();
    ten.push(k1 + b'0');
    let k2 = check_digit(&ten, &K2)?;
    ten.push(k2 + b'0');
    String::from_utf8(ten).ok()
}

/// An organisation number in Enhetsregisteret: nine digits with a modulus-11 check digit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Orgnr(Box<str>);

impl Orgnr {
    /// Nine digits with a right check digit. Published examples break the check digit, so
    /// [`Strictness::Lenient`] accepts any nine digits.
    pub fn parse(text: &str, strictness: Strictness) -> Option<Self> {
        let digits: &[u8; 9] = text.as_bytes().try_into().ok()?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let (last, eight) = digits.split_last()?;
        let right = check_digit(eight, &ORGNR).is_some_and(|k| k + b'0' == *last);
        (right || strictness == Strictness::Lenient).then(|| Self(text.into()))
    }

    /// The nine digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Orgnr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

const K1: [u32; 9] = [3, 7, 6, 1, 8, 9, 4, 5, 2];
const K2: [u32; 10] = [5, 4, 3, 2, 7, 6, 5, 4, 3, 2];
const ORGNR: [u32; 8] = [3, 2, 7, 6, 5, 4, 3, 2];

fn weighted(digits: &[u8], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(d, w)| u32::from(d - b'0') * w).sum()
}

/// `11 − (sum mod 11)`, 11 becoming 0 and 10 having no digit.
fn check_digit(digits: &[u8], weights: &[u32]) -> Option<u8> {
    match 11 - weighted(digits, weights) % 11 {
        11 => Some(0),
        10 => None,
        k => u8::try_from(k).ok(),
    }
}

/// How the first check digit is judged.
#[derive(Clone, Copy)]
enum First {
    /// It must leave nothing.
    Strict,
    /// It may leave 0, 1, 2 or 3, as from 2032.
    Relaxed,
}

fn check_digits(number: &[u8; 11], first: First) -> bool {
    let [.., k1, k2] = *number;
    let remainder = |weights: &[u32], k: u8| (weighted(number, weights) + u32::from(k - b'0')) % 11;
    let most = match first {
        First::Strict => 0,
        First::Relaxed => 3,
    };
    remainder(&K1, k1) <= most && remainder(&K2, k2) == 0
}
