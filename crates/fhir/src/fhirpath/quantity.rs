//! Numbers with units: equal, ordered, multiplied, across units that measure the same.

use super::decimal::Decimal;
use super::item::Quantity;
use super::moment::Unit;
use crate::ucum;
use std::borrow::Cow;
use std::cmp::Ordering;

/// Whether two quantities are equal; nothing where the units do not measure the same (§6.1.1).
pub(super) fn equal(one: &Quantity<'_>, two: &Quantity<'_>) -> Option<bool> {
    order(one, two).map(|order| order == Ordering::Equal)
}

/// Whether two quantities are equal to the precision of the rougher one. Years and months are here as
/// long as UCUM says (§6.1.3).
pub(super) fn alike(one: &Quantity<'_>, two: &Quantity<'_>) -> bool {
    let (first, second) = (code(one, true), code(two, true));
    if first == second {
        return one.value.is_like(two.value);
    }
    let in_second = convert(one.value, &first, &second);
    let in_first = convert(two.value, &second, &first);
    let rough = |value: Decimal, other: Option<Decimal>| {
        other.is_some_and(|other| other.rounded(value.decimals()) == Some(value))
    };
    rough(one.value, in_first) || rough(two.value, in_second)
}

/// Which is more; nothing where the units do not measure the same.
pub(super) fn order(one: &Quantity<'_>, two: &Quantity<'_>) -> Option<Ordering> {
    if one.unit == two.unit && one.calendar == two.calendar {
        return Some(one.value.cmp(&two.value));
    }
    if let (Some(first), Some(second)) = (one.calendar_unit(), two.calendar_unit()) {
        return order_of_calendar(one.value, first, two.value, second);
    }
    let first = ucum::canonical(one.value.to_f64(), &code(one, false))?;
    let second = ucum::canonical(two.value.to_f64(), &code(two, false))?;
    (first.unit == second.unit).then(|| first.value.partial_cmp(&second.value))?
}

fn order_of_calendar(one: Decimal, first: Unit, two: Decimal, second: Unit) -> Option<Ordering> {
    let long = |unit| matches!(unit, Unit::Year | Unit::Month);
    if long(first) != long(second) {
        return None;
    }
    let months =
        |value: Decimal, unit| value.times(Decimal::from(if unit == Unit::Year { 12 } else { 1 }));
    let milliseconds = |value: Decimal, unit: Unit| value.times(Decimal::from(unit.milliseconds()));
    if long(first) {
        Some(months(one, first)?.cmp(&months(two, second)?))
    } else {
        Some(milliseconds(one, first)?.cmp(&milliseconds(two, second)?))
    }
}

/// Whether the units measure the same.
pub(super) fn comparable(one: &Quantity<'_>, two: &Quantity<'_>) -> bool {
    order(one, two).is_some()
}

/// The sum in the finer unit of the two, if the units measure the same (§6.6.3).
pub(super) fn plus<'a>(
    one: &Quantity<'a>,
    two: &Quantity<'a>,
    negative: bool,
) -> Option<Quantity<'a>> {
    let second = if negative { two.value.negated()? } else { two.value };
    if one.unit == two.unit && one.calendar == two.calendar {
        return Some(Quantity { value: one.value.plus(second)?, ..one.clone() });
    }
    let in_months = |value: Decimal, unit| match unit {
        Unit::Year => value.times(Decimal::from(12)),
        Unit::Month => Some(value),
        _ => None,
    };
    if let (Some(first_unit), Some(second_unit)) = (one.calendar_unit(), two.calendar_unit())
        && let (Some(first), Some(second)) =
            (in_months(one.value, first_unit), in_months(second, second_unit))
    {
        let finer = if first_unit == Unit::Month { one } else { two };
        return Some(Quantity { value: first.plus(second)?, ..finer.clone() });
    }
    let (first_code, second_code) = (code(one, false), code(two, false));
    let is_second_finer = ucum::convert(1.0, &first_code, &second_code)? > 1.0;
    if is_second_finer {
        let first = convert(one.value, &first_code, &second_code)?;
        return Some(Quantity { value: first.plus(second)?, ..two.clone() });
    }
    let second = convert(second, &second_code, &first_code)?;
    Some(Quantity { value: one.value.plus(second)?, ..one.clone() })
}

/// A number as the quantity that it turns into by itself (§5.5).
pub(super) fn of_ones<'a>(value: Decimal) -> Quantity<'a> {
    Quantity { value, unit: Cow::Borrowed("1"), calendar: false }
}

/// The product, or the quotient.
pub(super) fn times<'a>(
    one: &Quantity<'a>,
    two: &Quantity<'a>,
    over: bool,
) -> Option<Quantity<'a>> {
    let value = if over { one.value.over(two.value)? } else { one.value.times(two.value)? };
    // So many times as much is of the same unit, which may be a word of the calendar.
    let scaled = match (&*one.unit, &*two.unit) {
        (_, "1") => Some(one),
        ("1", _) if !over => Some(two),
        _ => None,
    };
    if let Some(scaled) = scaled {
        let is_unit = scaled.calendar_unit().is_some() || ucum::is_valid(&scaled.unit);
        return is_unit.then(|| Quantity { value, ..scaled.clone() });
    }
    let (first, second) = (code(one, false), code(two, false));
    let (first, second) = (first.as_ref(), second.as_ref());
    let unit = if over { format!("({first})/({second})") } else { format!("({first}).({second})") };
    // A product with what is no unit would mean nothing.
    ucum::is_valid(&unit).then_some(())?;
    Some(Quantity { value, unit: Cow::Owned(unit), calendar: false })
}

/// The UCUM code of the unit. Years and months of the calendar have one only where `rough`.
fn code<'q>(quantity: &'q Quantity<'_>, rough: bool) -> Cow<'q, str> {
    match quantity.calendar_unit() {
        Some(Unit::Year) if rough => Cow::Borrowed("a"),
        Some(Unit::Month) if rough => Cow::Borrowed("mo"),
        Some(unit) => unit.ucum().map_or(Cow::Borrowed(&*quantity.unit), Cow::Borrowed),
        None => Cow::Borrowed(&quantity.unit),
    }
}

fn convert(value: Decimal, from: &str, to: &str) -> Option<Decimal> {
    Decimal::from_f64(ucum::convert(value.to_f64(), from, to)?)
}
