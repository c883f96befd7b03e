//! The least and greatest value that a number or moment of limited precision may stand for
//! (FHIRPath 2.1, `lowBoundary`, `highBoundary`, `precision`, `comparable`).

use super::equality::number;
use super::{Evaluator, Frame, Result, value, whole};
use crate::fhirpath::EvaluationError;
use crate::fhirpath::decimal::Decimal;
use crate::fhirpath::item::{Item, Items};
use crate::fhirpath::moment::{Moment, Precision, Sort};
use crate::fhirpath::quantity;
use crate::fhirpath::syntax::{Call, Function};
use jiff::ToSpan;

/// The decimals of a boundary unless asked for, and the most.
const USUAL_DECIMALS: i64 = 8;
const MOST_DECIMALS: i64 = 31;

impl<'a> Evaluator<'_, 'a> {
    pub(super) fn boundaries(
        &self,
        call: &'a Call,
        input: &Items<'a>,
        frame: Frame<'_, 'a>,
    ) -> Result<Items<'a>> {
        let name = call.function.name();
        let wrong = EvaluationError::WrongType(name);
        let Some(item) = value(input, name)? else {
            return Ok(Items::None);
        };
        let argument = self.argument(call, 0, frame)?;
        let high = call.function == Function::HighBoundary;
        match call.function {
            Function::Precision => precision(&item).ok_or(wrong).map(Into::into),
            Function::Comparable => match (&item, value(&argument, name)?) {
                (_, None) => Ok(Items::None),
                (Item::Quantity(one), Some(Item::Quantity(two))) => {
                    Ok(quantity::comparable(one, &two).into())
                }
                _ => Err(wrong),
            },
            _ => {
                let asked = whole(&argument, name)?;
                Ok(match item {
                    Item::Moment(moment) => edge(moment, asked, high).map(Item::Moment).into(),
                    Item::Quantity(mut quantity) => {
                        let value = of_number(quantity.value, asked, high);
                        value
                            .map(|value| {
                                quantity.value = value;
                                Item::Quantity(quantity)
                            })
                            .into()
                    }
                    other => {
                        let value = number(&other).ok_or(wrong)?;
                        of_number(value, asked, high).map(Item::Decimal).into()
                    }
                })
            }
        }
    }
}

/// Half a unit of the last decimal away, rounded outwards to so many decimals; what vanishes at that
/// precision is zero.
fn of_number(value: Decimal, asked: Option<i64>, high: bool) -> Option<Decimal> {
    let asked = asked.unwrap_or(USUAL_DECIMALS);
    let asked = Some(asked).filter(|asked| (0..=MOST_DECIMALS).contains(asked))?;
    let decimals = u32::try_from(asked).ok()?;
    let half = Decimal::new(5, value.decimals() + 1)?;
    let edge = if high { value.plus(half)? } else { value.minus(half)? };
    if !value.is_zero() && edge.rounded(decimals)?.is_zero() && value.rounded(decimals)?.is_zero() {
        return Decimal::ZERO.rounded(decimals);
    }
    if high { edge.ceiling(decimals) } else { edge.floor(decimals) }
}

/// The first or last moment of the span that a moment stands for, to so many digits. Without a zone,
/// the low one is farthest east and the high one farthest west.
fn edge(moment: Moment, asked: Option<i64>, high: bool) -> Option<Moment> {
    let (precision, digits) = match (moment.sort, asked) {
        (Sort::Date, None) => (Precision::Day, 0),
        (_, None) => (Precision::Second, 3),
        (Sort::Time, Some(2)) => (Precision::Hour, 0),
        (Sort::Time, Some(4)) => (Precision::Minute, 0),
        (Sort::Time, Some(6)) => (Precision::Second, 0),
        (Sort::Time, Some(9)) => (Precision::Second, 3),
        (Sort::Time, Some(_)) => return None,
        (_, Some(4)) => (Precision::Year, 0),
        (_, Some(6)) => (Precision::Month, 0),
        (_, Some(8)) => (Precision::Day, 0),
        (Sort::Date, Some(_)) => return None,
        (_, Some(10)) => (Precision::Hour, 0),
        (_, Some(12)) => (Precision::Minute, 0),
        (_, Some(14)) => (Precision::Second, 0),
        (_, Some(17)) => (Precision::Second, 3),
        (_, Some(_)) => return None,
    };
    let mut at = moment.at;
    if high {
        let next = match moment.precision {
            Precision::Year => at.checked_add(1.year()),
            Precision::Month => at.checked_add(1.month()),
            Precision::Day => at.checked_add(1.day()),
            Precision::Hour => at.checked_add(1.hour()),
            Precision::Minute => at.checked_add(1.minute()),
            Precision::Second if moment.digits == 0 => at.checked_add(1.second()),
            Precision::Second => at.checked_add(1.millisecond()),
        };
        at = next.ok()?.checked_sub(1.millisecond()).ok()?;
    }
    let edge = if high { -12 * 60 } else { 14 * 60 };
    let zoned = moment.sort == Sort::DateTime && precision >= Precision::Hour;
    let offset = if zoned { moment.offset.or(Some(edge)) } else { None };
    let cut = Moment { sort: moment.sort, precision, at, digits, offset };
    Some(cut.without_finer_fields())
}

/// How many digits are written: of a fraction, or of a date and time.
fn precision(item: &Item<'_>) -> Option<Item<'static>> {
    let digits = match item {
        Item::Moment(moment) => {
            let text = moment.to_string();
            let zone = moment.offset.filter(|_| moment.precision >= Precision::Hour);
            let plain = match zone {
                Some(0) => text.trim_end_matches('Z'),
                Some(_) => text.get(..text.len().checked_sub(6)?)?,
                None => &text,
            };
            plain.bytes().filter(u8::is_ascii_digit).count()
        }
        other => usize::try_from(number(other)?.decimals()).ok()?,
    };
    i64::try_from(digits).ok().map(Item::Integer)
}
