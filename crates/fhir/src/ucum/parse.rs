//! UCUM's grammar: `kg.m/s2`, `10*3/uL`, `{score}`, `mL/min/{1.73_m2}`, `/(m2.d)`.

use super::Unit;
use super::dimension::Dimension;
use super::table::{self, Table};

/// Longer expressions are not units that anybody measures in.
const LONGEST: usize = 128;

/// How deep brackets may nest.
const DEEPEST: u32 = 8;

/// A factor with its dimension.
type Plain = (f64, Dimension);

pub(super) fn unit(text: &str) -> Option<Unit> {
    if text.len() > LONGEST {
        return None;
    }
    let table = table::all();
    if let Some(unit) = table::find(table, text) {
        return Some(unit);
    }
    let (factor, dimension) = plain(table, text)?;
    Some(Unit { factor, offset: 0.0, dimension })
}

/// A unit without offset, of the units known so far.
pub(super) fn plain(table: &Table, text: &str) -> Option<Plain> {
    if !text.is_ascii() {
        return None;
    }
    let mut parser = Parser { table, rest: text, depth: 0 };
    let found = parser.term()?;
    (parser.rest.is_empty() && found.0.is_finite() && found.0 > 0.0).then_some(found)
}

struct Parser<'a> {
    table: &'a Table,
    rest: &'a str,
    depth: u32,
}

impl<'a> Parser<'a> {
    /// `a.b/c`, perhaps with a leading `/`.
    fn term(&mut self) -> Option<Plain> {
        let mut product = (1.0, Dimension::none());
        let mut power = if self.eat('/') { -1 } else { 1 };
        loop {
            let (factor, dimension) = self.component()?;
            product.0 *= if power < 0 { 1.0 / factor } else { factor };
            product.1 = product.1.times(&dimension, power)?;
            power = match (self.eat('.'), self.rest.starts_with('/')) {
                (true, _) => 1,
                (false, true) => {
                    self.eat('/');
                    -1
                }
                (false, false) => return Some(product),
            };
        }
    }

    fn component(&mut self) -> Option<Plain> {
        if self.rest.starts_with('{') {
            self.annotation()?;
            return Some((1.0, Dimension::none()));
        }
        let found = if self.eat('(') {
            self.depth += 1;
            let inner = if self.depth <= DEEPEST { self.term()? } else { return None };
            self.depth -= 1;
            self.eat(')').then_some(inner)?
        } else {
            let word = self.word();
            self.simple(word)?
        };
        if self.rest.starts_with('{') {
            self.annotation()?;
        }
        Some(found)
    }

    /// A number, or a unit with its exponent.
    fn simple(&self, word: &str) -> Option<Plain> {
        if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) {
            let number: f64 = word.parse().ok()?;
            return (number > 0.0).then(|| (number, Dimension::none()));
        }
        let (code, power) = exponent(word)?;
        let unit = table::find(self.table, code).filter(|unit| unit.offset == 0.0)?;
        Some((unit.factor.powi(power), Dimension::none().times(&unit.dimension, power)?))
    }

    /// Everything up to the next sign of the grammar; square brackets hold any sign.
    fn word(&mut self) -> &'a str {
        let mut inside = false;
        let end = self.rest.find(|letter: char| {
            match letter {
                '[' => inside = true,
                ']' => inside = false,
                _ => {}
            }
            !inside && matches!(letter, '.' | '/' | '(' | ')' | '{' | '}')
        });
        let (word, rest) =
            self.rest.split_at_checked(end.unwrap_or(self.rest.len())).unwrap_or((self.rest, ""));
        self.rest = rest;
        word
    }

    /// Says what is counted and counts for nothing. HL7's own lists have blanks in some.
    fn annotation(&mut self) -> Option<()> {
        let (text, rest) = self.rest.strip_prefix('{')?.split_once('}')?;
        self.rest = rest;
        (!text.contains('{')).then_some(())
    }

    fn eat(&mut self, sign: char) -> bool {
        let rest = self.rest.strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }
}

/// `m2` as `m` and 2; `10*-3` as `10*` and -3.
fn exponent(word: &str) -> Option<(&str, i32)> {
    let digits = word.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (code, number) = word.split_at_checked(word.len() - digits)?;
    if number.is_empty() {
        return Some((code, 1));
    }
    let power: i32 = number.parse().ok()?;
    match (code.strip_suffix('-'), code.strip_suffix('+')) {
        (Some(code), _) => Some((code, -power)),
        (None, Some(code)) => Some((code, power)),
        (None, None) => Some((code, power)),
    }
}
