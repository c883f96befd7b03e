//! Numbers and quantities as ranges (R4 search §3.1.1.4.6, §3.1.1.4.11).

use super::number::Real;
use super::{CanonicalSpan, QuantityValue, Span};
use crate::fhirpath::selector::Selected;
use crate::ucum;
use crate::value::Value;

/// The code system of currencies.
const CURRENCIES: &str = "urn:iso:std:iso:4217";

/// Most points of a sampled curve that are looked at.
const SAMPLES: usize = 100_000;

/// A number, or the numbers of a `Range`.
pub(super) fn number(element: Selected) -> Option<Span> {
    match element.kind.name() {
        "Range" => ends(element.value),
        _ => exact(element.value),
    }
}

/// A quantity of any sort, money, a `Range`, or what a curve lies between.
pub(super) fn quantity(element: Selected) -> Option<QuantityValue> {
    let value = element.value;
    match element.kind.name() {
        "Money" => Some(QuantityValue {
            span: exact(value.get("value")?)?,
            system: Some(CURRENCIES.into()),
            code: value.text("currency").map(Into::into),
            unit: None,
            canonical: None,
        }),
        "Range" => {
            let unit = value.get("low").or_else(|| value.get("high"))?;
            Some(with_unit(ends(value)?, unit))
        }
        "SampledData" => Some(with_unit(sampled(value)?, value.get("origin")?)),
        _ => Some(with_unit(compared(value)?, value)),
    }
}

fn exact(value: &Value) -> Option<Span> {
    let number = Real::new(value.as_number()?.as_f64()?)?;
    Some(Span { low: number, high: number })
}

/// The value of a quantity; `<5` is everything up to 5.
fn compared(quantity: &Value) -> Option<Span> {
    let Span { low, high } = exact(quantity.get("value")?)?;
    Some(match quantity.text("comparator") {
        Some("<" | "<=") => Span { low: Real::MIN, high },
        Some(">" | ">=") => Span { low, high: Real::MAX },
        _ => Span { low, high },
    })
}

/// From the low to the high quantity of a `Range`.
fn ends(range: &Value) -> Option<Span> {
    let end = |name: &str| range.get(name).map(|end| exact(end.get("value")?));
    match (end("low"), end("high")) {
        (None, None) => None,
        (low, high) => Some(Span {
            low: low.map_or(Some(Real::MIN), |span| Some(span?.low))?,
            high: high.map_or(Some(Real::MAX), |span| Some(span?.high))?,
        }),
    }
}

/// From the least to the greatest point of a curve. `L` and `U` stand for what is beyond the device's
/// limits, `E` for no value (R4 datatypes, SampledData).
fn sampled(value: &Value) -> Option<Span> {
    let decimal = |value: &Value| value.as_number()?.as_f64();
    let origin = decimal(value.at("origin.value")?)?;
    let factor = value.get("factor").and_then(decimal).unwrap_or(1.0);
    let limit = |name| value.get(name).and_then(decimal);
    let points =
        value.text("data")?.split_whitespace().take(SAMPLES).filter_map(|point| match point {
            "E" => None,
            "L" => limit("lowerLimit"),
            "U" => limit("upperLimit"),
            number => number.parse().ok(),
        });
    let points = points.filter_map(|point| Real::new(origin + point * factor));
    let span = |number| Span { low: number, high: number };
    points
        .map(span)
        .reduce(|one, other| Span { low: one.low.min(other.low), high: one.high.max(other.high) })
}

fn with_unit(span: Span, quantity: &Value) -> QuantityValue {
    let (system, code) = (quantity.text("system"), quantity.text("code"));
    let coded = code.filter(|_| system == Some(ucum::SYSTEM));
    QuantityValue {
        span,
        system: system.map(Into::into),
        code: code.map(Into::into),
        unit: quantity.text("unit").map(Into::into),
        canonical: coded.and_then(|code| canonical(span, code)),
    }
}

/// A range in base units; open ends stay open.
pub(crate) fn canonical(span: Span, unit: &str) -> Option<CanonicalSpan> {
    let unit = ucum::Unit::parse(unit)?;
    let end = |number: Real| match number.get().is_finite() {
        true => Real::new(unit.canonical(number.get())?),
        false => Some(number),
    };
    let low = end(span.low)?;
    let high = if span.low == span.high { low } else { end(span.high)? };
    Some(CanonicalSpan { span: Span { low, high }, unit: unit.canonical_unit().into() })
}
