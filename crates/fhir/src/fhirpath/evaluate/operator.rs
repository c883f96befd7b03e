//! Logic, comparison, membership and arithmetic.

use super::equality::number;
use super::{Evaluator, Frame, Result, single, value};
use crate::fhirpath::EvaluationError;
use crate::fhirpath::decimal::Decimal;
use crate::fhirpath::item::{Item, Items, Quantity};
use crate::fhirpath::moment::{Moment, Sort, Unit};
use crate::fhirpath::quantity;
use crate::fhirpath::syntax::{Operator, Term};
use std::borrow::Cow;
use std::cmp::Ordering;

/// Three-valued logic (FHIRPath 2.0.0 §6.5).
pub(super) fn logic(operator: Operator, one: Option<bool>, two: Option<bool>) -> Option<bool> {
    match (operator, one, two) {
        (Operator::And, Some(false), _) | (Operator::And, _, Some(false)) => Some(false),
        (Operator::And, one, two) => Some(one? && two?),
        (Operator::Or, Some(true), _) | (Operator::Or, _, Some(true)) => Some(true),
        (Operator::Or, one, two) => Some(one? || two?),
        (Operator::Xor, one, two) => Some(one? != two?),
        (_, Some(false), _) | (_, _, Some(true)) => Some(true),
        (_, one, two) => Some(!one? || two?),
    }
}

/// Which of two values comes first; nothing where it is not known or they are not of one type.
pub(super) fn order(one: &Item<'_>, two: &Item<'_>) -> Option<Ordering> {
    match (one, two) {
        (Item::String(one), Item::String(two)) => Some(one.cmp(two)),
        (Item::Moment(one), Item::Moment(two)) => one.compare(two),
        (Item::Quantity(one), Item::Quantity(two)) => quantity::order(one, two),
        (one, two) => Some(number(one)?.cmp(&number(two)?)),
    }
}

/// Whether two values are of types that can be compared.
fn may_compare(one: &Item<'_>, two: &Item<'_>) -> bool {
    match (one, two) {
        (Item::String(_), Item::String(_)) | (Item::Quantity(_), Item::Quantity(_)) => true,
        (Item::Moment(one), Item::Moment(two)) => {
            (one.sort == Sort::Time) == (two.sort == Sort::Time)
        }
        (one, two) => number(one).is_some() && number(two).is_some(),
    }
}

impl<'a> Evaluator<'_, 'a> {
    pub(super) fn operate(
        &self,
        operator: Operator,
        one: Items<'a>,
        two: Items<'a>,
    ) -> Result<Items<'a>> {
        let name = operator.name();
        Ok(match operator {
            Operator::Equal => self.equal(&one, &two)?.into(),
            Operator::Unequal => self.equal(&one, &two)?.map(|equal| !equal).into(),
            Operator::Alike => self.equivalent(&one, &two)?.into(),
            Operator::Unlike => (!self.equivalent(&one, &two)?).into(),
            Operator::In => match single(&one, name)? {
                Some(item) => self.contains(two.as_slice(), item)?.into(),
                None => Items::None,
            },
            Operator::Contains => match single(&two, name)? {
                Some(item) => self.contains(one.as_slice(), item)?.into(),
                None => Items::None,
            },
            Operator::Concatenate => {
                let text = |items| Ok(super::string(items, name)?.unwrap_or_default().to_owned());
                let joined = text(&one)? + &text(&two)?;
                self.spend(joined.len() / 64)?;
                Item::String(Cow::Owned(joined)).into()
            }
            _ => {
                let (Some(one), Some(two)) = (value(&one, name)?, value(&two, name)?) else {
                    return Ok(Items::None);
                };
                let (one, two) = alike_types(one, two);
                match operator {
                    Operator::Less
                    | Operator::LessOrEqual
                    | Operator::Greater
                    | Operator::GreaterOrEqual => compared(operator, &one, &two)?.into(),
                    _ => self.calculate(operator, &one, &two)?.into(),
                }
            }
        })
    }

    fn calculate(
        &self,
        operator: Operator,
        one: &Item<'a>,
        two: &Item<'a>,
    ) -> Result<Option<Item<'a>>> {
        let wrong = EvaluationError::WrongType(operator.name());
        match (one, two) {
            (Item::Integer(one), Item::Integer(two)) => Ok(integers(operator, *one, *two)),
            (Item::String(one), Item::String(two)) if operator == Operator::Plus => {
                let joined = format!("{one}{two}");
                self.spend(joined.len() / 64)?;
                Ok(Some(Item::String(Cow::Owned(joined))))
            }
            (Item::Moment(moment), Item::Quantity(quantity)) => {
                shifted(operator, *moment, quantity)
            }
            (Item::Quantity(one), Item::Quantity(two)) => {
                let result = match operator {
                    Operator::Plus => quantity::plus(one, two, false),
                    Operator::Minus => quantity::plus(one, two, true),
                    Operator::Times => quantity::times(one, two, false),
                    Operator::Over => quantity::times(one, two, true),
                    _ => return Err(wrong),
                };
                Ok(result.map(|quantity| Item::Quantity(Box::new(quantity))))
            }
            _ => match (number(one), number(two)) {
                (Some(one), Some(two)) => Ok(decimals(operator, one, two)),
                _ => Err(wrong),
            },
        }
    }

    /// A number or quantity with a sign before it.
    pub(super) fn signed(
        &self,
        of: &'a Term,
        negative: bool,
        frame: Frame<'_, 'a>,
    ) -> Result<Items<'a>> {
        let items = self.term(of, frame)?;
        let Some(item) = value(&items, "-")? else {
            return Ok(Items::None);
        };
        Ok(match item {
            Item::Integer(number) if negative => number.checked_neg().map(Item::Integer).into(),
            Item::Decimal(number) if negative => number.negated().map(Item::Decimal).into(),
            Item::Quantity(mut quantity) if negative => {
                let value = quantity.value.negated();
                value
                    .map(|value| {
                        quantity.value = value;
                        Item::Quantity(quantity)
                    })
                    .into()
            }
            Item::Integer(_) | Item::Decimal(_) | Item::Quantity(_) => item.into(),
            _ => return Err(EvaluationError::WrongType("-")),
        })
    }
}

/// A number beside a quantity is a quantity of ones.
fn alike_types<'a>(one: Item<'a>, two: Item<'a>) -> (Item<'a>, Item<'a>) {
    let as_quantity = |item: Item<'a>| match number(&item) {
        Some(value) => Item::Quantity(Box::new(quantity::of_ones(value))),
        None => item,
    };
    match (&one, &two) {
        (Item::Quantity(_), _) => (one, as_quantity(two)),
        (_, Item::Quantity(_)) => (as_quantity(one), two),
        _ => (one, two),
    }
}

fn compared(operator: Operator, one: &Item<'_>, two: &Item<'_>) -> Result<Option<bool>> {
    if !may_compare(one, two) {
        return Err(EvaluationError::WrongType(operator.name()));
    }
    Ok(order(one, two).map(|order| match operator {
        Operator::Less => order.is_lt(),
        Operator::LessOrEqual => order.is_le(),
        Operator::Greater => order.is_gt(),
        _ => order.is_ge(),
    }))
}

/// Whole numbers have 32 bits; what does not fit is nothing.
pub(super) fn integer<'a>(number: i64) -> Option<Item<'a>> {
    i32::try_from(number).ok().map(|number| Item::Integer(i64::from(number)))
}

fn integers<'a>(operator: Operator, one: i64, two: i64) -> Option<Item<'a>> {
    let whole = match operator {
        Operator::Plus => one.checked_add(two),
        Operator::Minus => one.checked_sub(two),
        Operator::Times => one.checked_mul(two),
        Operator::Div => one.checked_div(two),
        Operator::Mod => one.checked_rem(two),
        _ => return decimals(operator, Decimal::from(one), Decimal::from(two)),
    };
    integer(whole?)
}

fn decimals<'a>(operator: Operator, one: Decimal, two: Decimal) -> Option<Item<'a>> {
    let result = match operator {
        Operator::Plus => one.plus(two),
        Operator::Minus => one.minus(two),
        Operator::Times => one.times(two),
        Operator::Over => one.over(two),
        Operator::Mod => one.remainder(two),
        _ => return integer(one.divided_whole(two)?.to_integer()?),
    };
    result.map(Item::Decimal)
}

/// A moment and a span of time (§6.8), which for a time of day is of hours or less. The spans of UCUM that are no calendar's are refused: nobody's
/// year has 365.25 days.
fn shifted<'a>(
    operator: Operator,
    moment: Moment,
    quantity: &Quantity<'_>,
) -> Result<Option<Item<'a>>> {
    let wrong = EvaluationError::WrongType(operator.name());
    let unit = match &*quantity.unit {
        "s" => Unit::Second,
        "ms" => Unit::Millisecond,
        "min" => Unit::Minute,
        "h" => Unit::Hour,
        "d" => Unit::Day,
        "wk" => Unit::Week,
        word => Unit::of_word(word).ok_or(wrong.clone())?,
    };
    let is_of_date = matches!(unit, Unit::Year | Unit::Month | Unit::Week | Unit::Day);
    if moment.sort == Sort::Time && is_of_date {
        return Err(wrong);
    }
    let amount = match operator {
        Operator::Plus => Some(quantity.value),
        Operator::Minus => quantity.value.negated(),
        _ => return Err(wrong),
    };
    Ok(amount.and_then(|amount| moment.plus(amount, unit)).map(Item::Moment))
}
