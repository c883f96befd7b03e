//! Functions of numbers (FHIRPath 2.0.0 §5.7). What has no answer, such as the root of a negative
//! number, is nothing.

use super::equality::number;
use super::operator::integer;
use super::{Evaluator, Frame, Result, value, whole};
use crate::fhirpath::EvaluationError;
use crate::fhirpath::decimal::Decimal;
use crate::fhirpath::item::{Item, Items};
use crate::fhirpath::syntax::{Call, Function};

/// The largest exponent of a power that is calculated exactly.
const LARGEST_EXPONENT: i64 = 128;

impl<'a> Evaluator<'_, 'a> {
    pub(super) fn math(
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
        if let (Function::Abs, Item::Quantity(quantity)) = (call.function, &item) {
            let mut quantity = quantity.clone();
            let value = absolute(quantity.value);
            return Ok(value
                .map(|value| {
                    quantity.value = value;
                    Item::Quantity(quantity)
                })
                .into());
        }
        let base = number(&item).ok_or(wrong.clone())?;
        let is_integer = matches!(item, Item::Integer(_));
        let argument = self.argument(call, 0, frame)?;
        let result = match call.function {
            Function::Abs => {
                return Ok(absolute(base).and_then(|abs| like(abs, is_integer)).into());
            }
            Function::Ceiling => return Ok(as_integer(base.ceiling(0)).into()),
            Function::Floor => return Ok(as_integer(base.floor(0)).into()),
            Function::Truncate => return Ok(as_integer(base.cut(0)).into()),
            Function::Round => {
                let decimals = whole(&argument, name)?.unwrap_or_default();
                let decimals = u32::try_from(decimals).map_err(|_| wrong)?;
                return Ok(base
                    .rounded(decimals)
                    .and_then(|rounded| like(rounded, is_integer))
                    .into());
            }
            Function::Exp => base.to_f64().exp(),
            Function::Ln => base.to_f64().ln(),
            Function::Sqrt => base.to_f64().sqrt(),
            function => {
                let Some(argument) = value(&argument, name)? else {
                    return Ok(Items::None);
                };
                let other = number(&argument).ok_or(wrong)?;
                match function {
                    Function::Log => base.to_f64().ln() / other.to_f64().ln(),
                    _ => return Ok(power(base, other, is_integer).into()),
                }
            }
        };
        Ok(Decimal::from_f64(result).map(Item::Decimal).into())
    }
}

fn absolute(value: Decimal) -> Option<Decimal> {
    if value.is_negative() { value.negated() } else { Some(value) }
}

fn as_integer<'a>(value: Option<Decimal>) -> Option<Item<'a>> {
    integer(value?.to_integer()?)
}

/// A whole number where the input is one.
fn like<'a>(value: Decimal, is_integer: bool) -> Option<Item<'a>> {
    if is_integer { as_integer(Some(value)) } else { Some(Item::Decimal(value)) }
}

fn power<'a>(base: Decimal, exponent: Decimal, is_integer: bool) -> Option<Item<'a>> {
    if let Some(whole) =
        exponent.to_integer().filter(|whole| (0..=LARGEST_EXPONENT).contains(whole))
    {
        return like(base.power(u32::try_from(whole).ok()?)?, is_integer);
    }
    Decimal::from_f64(base.to_f64().powf(exponent.to_f64())).map(Item::Decimal)
}
