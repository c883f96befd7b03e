//! Conversion between FHIRPath's own types (FHIRPath 2.0.0 §5.5).

use super::equality::number;
use super::{Evaluator, Frame, Result, string, value};
use crate::fhirpath::decimal::Decimal;
use crate::fhirpath::item::{Item, Items, Quantity};
use crate::fhirpath::moment::{Moment, Sort, Unit};
use crate::fhirpath::quantity;
use crate::fhirpath::syntax::{Call, Function};
use std::borrow::Cow;

/// What to convert to, and whether to say only if it can be done.
#[derive(Clone, Copy)]
pub(super) struct Conversion {
    to: Target,
    asks: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    Boolean,
    Integer,
    Decimal,
    String,
    Date,
    DateTime,
    Time,
    Quantity,
}

pub(super) fn target(function: Function) -> Option<Conversion> {
    let (to, asks) = match function {
        Function::ToBoolean => (Target::Boolean, false),
        Function::ToInteger => (Target::Integer, false),
        Function::ToDecimal => (Target::Decimal, false),
        Function::ToString => (Target::String, false),
        Function::ToDate => (Target::Date, false),
        Function::ToDateTime => (Target::DateTime, false),
        Function::ToTime => (Target::Time, false),
        Function::ToQuantity => (Target::Quantity, false),
        Function::ConvertsToBoolean => (Target::Boolean, true),
        Function::ConvertsToInteger => (Target::Integer, true),
        Function::ConvertsToDecimal => (Target::Decimal, true),
        Function::ConvertsToString => (Target::String, true),
        Function::ConvertsToDate => (Target::Date, true),
        Function::ConvertsToDateTime => (Target::DateTime, true),
        Function::ConvertsToTime => (Target::Time, true),
        Function::ConvertsToQuantity => (Target::Quantity, true),
        _ => return None,
    };
    Some(Conversion { to, asks })
}

impl<'a> Evaluator<'_, 'a> {
    pub(super) fn converting(
        &self,
        call: &'a Call,
        conversion: Conversion,
        input: &Items<'a>,
        frame: Frame<'_, 'a>,
    ) -> Result<Items<'a>> {
        let name = call.function.name();
        let Some(item) = value(input, name)? else {
            return Ok(Items::None);
        };
        let mut converted = convert(item, conversion.to);
        let unit = self.argument(call, 0, frame)?;
        if let Some(unit) = string(&unit, name)? {
            converted = converted.filter(|item| match item {
                Item::Quantity(found) => quantity::comparable(found, &ones(unit)),
                _ => false,
            });
        }
        Ok(if conversion.asks { converted.is_some().into() } else { converted.into() })
    }
}

fn ones(unit: &str) -> Quantity<'_> {
    let calendar = Unit::of_word(unit).is_some();
    Quantity { value: Decimal::from(1), unit: Cow::Borrowed(unit), calendar }
}

fn convert(item: Item<'_>, to: Target) -> Option<Item<'_>> {
    match to {
        Target::Boolean => boolean(&item).map(Item::Boolean),
        Target::Integer => match item {
            Item::Boolean(truth) => Some(Item::Integer(i64::from(truth))),
            Item::Integer(_) => Some(item),
            Item::String(text) => super::operator::integer(integer(&text)?),
            _ => None,
        },
        Target::Decimal => match item {
            Item::Boolean(truth) => Some(Item::Decimal(Decimal::from(i64::from(truth)))),
            Item::String(text) => decimal(&text).map(Item::Decimal),
            other => number(&other).map(Item::Decimal),
        },
        Target::String => match item {
            Item::Node(_) | Item::Type(_) => None,
            value => Some(Item::String(Cow::Owned(value.to_string()))),
        },
        Target::Date => match item {
            Item::Moment(moment) if moment.sort != Sort::Time => {
                Some(Item::Moment(moment.to_date()))
            }
            Item::String(text) => Moment::date(&text).map(Item::Moment),
            _ => None,
        },
        Target::DateTime => match item {
            Item::Moment(moment) if moment.sort != Sort::Time => {
                Some(Item::Moment(moment.to_date_time()))
            }
            Item::String(text) => Moment::date_time(&text).map(Item::Moment),
            _ => None,
        },
        Target::Time => match item {
            Item::Moment(moment) if moment.sort == Sort::Time => Some(item),
            Item::String(text) => {
                Moment::time(text.strip_prefix('T').unwrap_or(&text)).map(Item::Moment)
            }
            _ => None,
        },
        Target::Quantity => as_quantity(item),
    }
}

fn boolean(item: &Item<'_>) -> Option<bool> {
    match item {
        Item::Boolean(truth) => Some(*truth),
        Item::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "1" | "1.0" => Some(true),
            "false" | "f" | "no" | "n" | "0" | "0.0" => Some(false),
            _ => None,
        },
        other => match number(other)?.to_integer()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
    }
}

fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

fn decimal(text: &str) -> Option<Decimal> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.".contains(&byte));
    let whole = !text.ends_with('.');
    (plain && whole).then(|| Decimal::parse(text))?
}

fn as_quantity(item: Item<'_>) -> Option<Item<'_>> {
    let of_ones = |value| {
        let unit = Cow::Borrowed("1");
        Some(Item::Quantity(Box::new(Quantity { value, unit, calendar: false })))
    };
    match item {
        Item::Quantity(_) => Some(item),
        Item::Boolean(truth) => of_ones(Decimal::from(i64::from(truth))),
        Item::String(text) => {
            let end = text.find(|letter: char| !letter.is_ascii_digit() && !"+-.".contains(letter));
            let (number, unit) = text.split_at_checked(end.unwrap_or(text.len()))?;
            let value = decimal(number)?;
            let trimmed = unit.trim();
            if trimmed.is_empty() {
                return of_ones(value);
            }
            let quoted = trimmed.strip_prefix('\'').and_then(|unit| unit.strip_suffix('\''));
            let (unit, calendar) = match quoted {
                Some(unit) => (unit, false),
                None => (Unit::of_word(trimmed).map(|_| trimmed)?, true),
            };
            let unit = Cow::Owned(unit.to_owned());
            Some(Item::Quantity(Box::new(Quantity { value, unit, calendar })))
        }
        other => of_ones(number(&other)?),
    }
}
