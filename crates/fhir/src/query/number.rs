//! Dates, numbers and quantities of a search, with their prefixes.

use super::read::{Fault, malformed};
use super::value::{split, unescape};
use super::{Condition, NumberMatch, Prefix, UnitMatch};
use crate::instant;
use crate::search::number::{Real, implied};
use crate::ucum;
use crate::value::Number;

/// `ap` goes a tenth either way (R4 search, prefixes).
const APPROXIMATE: f64 = 0.1;

const NUMBER: &str = "send a number such as `5.4`, `ge5.40` or `1e3`";
const QUANTITY: &str = "send `5.4`, `5.4|system|code` or `5.4||unit`, perhaps with a prefix";

/// The prefix and what comes after it.
fn prefix(text: &str) -> (Option<Prefix>, &str) {
    let prefix = match text.get(..2).unwrap_or_default() {
        "eq" => Prefix::Equal,
        "ne" => Prefix::NotEqual,
        "gt" => Prefix::Greater,
        "lt" => Prefix::Less,
        "ge" => Prefix::GreaterOrEqual,
        "le" => Prefix::LessOrEqual,
        "sa" => Prefix::StartsAfter,
        "eb" => Prefix::EndsBefore,
        "ap" => Prefix::Approximate,
        _ => return (None, text),
    };
    (Some(prefix), text.get(2..).unwrap_or_default())
}

pub(super) fn date(text: &str) -> Result<Condition, Fault> {
    let (prefix, date) = prefix(text);
    let (low, high) = instant::search_range(date)
        .ok_or_else(|| malformed("send a date such as `2024-02-29` or `ge2024-02-29T12:00:00Z`"))?;
    Ok(Condition::Date { prefix: prefix.unwrap_or(Prefix::Equal), low, high })
}

pub(super) fn number(text: &str) -> Result<NumberMatch, Fault> {
    read(text).ok_or_else(|| malformed(NUMBER))
}

fn read(text: &str) -> Option<NumberMatch> {
    let (prefix, text) = prefix(text);
    let prefix = prefix.unwrap_or(Prefix::Equal);
    let number = Number::parse(text)?;
    let value = number.as_f64()?;
    let (low, high) = if prefix == Prefix::Approximate {
        let margin = value.abs() * APPROXIMATE;
        (Real::new(value - margin)?, Real::new(value + margin)?)
    } else {
        implied(&number)?
    };
    Some(NumberMatch { prefix, value: Real::new(value)?, low, high })
}

pub(super) fn quantity(text: &str) -> Result<Condition, Fault> {
    let parts: Vec<String> = split(text, '|').into_iter().map(unescape).collect();
    let (number, system, code) = match parts.as_slice() {
        [number] => (number, "", ""),
        [number, system, code] => (number, system.as_str(), code.as_str()),
        _ => return Err(malformed(QUANTITY)),
    };
    let number = read(number).ok_or_else(|| malformed(QUANTITY))?;
    let unit = match (system, code) {
        ("", "") => UnitMatch::Any,
        ("", unit) => UnitMatch::Written(unit.into()),
        (_, "") => return Err(malformed(QUANTITY)),
        (ucum::SYSTEM, code) => {
            canonical(number, code).unwrap_or_else(|| coded(ucum::SYSTEM, code))
        }
        (system, code) => coded(system, code),
    };
    Ok(Condition::Quantity { number, unit })
}

fn coded(system: &str, code: &str) -> UnitMatch {
    UnitMatch::Coded { system: system.into(), code: code.into() }
}

/// The same in base units; nothing for a unit that UCUM does not know.
fn canonical(number: NumberMatch, code: &str) -> Option<UnitMatch> {
    let unit = ucum::Unit::parse(code)?;
    let base = |number: Real| Real::new(unit.canonical(number.get())?);
    let number = NumberMatch {
        prefix: number.prefix,
        value: base(number.value)?,
        low: base(number.low)?,
        high: base(number.high)?,
    };
    Some(UnitMatch::Canonical { number, unit: unit.canonical_unit().into() })
}
