//! Words for NEWS2: parameters, values, risk, trend and normal level.

use record::news2::course::Line;
use record::news2::normal::{Deviation, Measure, Normal, Place, TooLittle};
use record::news2::parameter::{Consciousness, Parameter, Supply, Value};
use record::news2::score::{KnownRisk, Risk};
use record::news2::trend::{Movement, Trend};

use crate::text;

/// A word with the class that colours it.
#[derive(Clone)]
pub(crate) struct Tag {
    pub class: &'static str,
    pub text: String,
}

/// Name of a parameter.
pub(crate) fn parameter(parameter: Parameter) -> String {
    text::get(&format!("parameter-{}", parameter.key()))
}

/// Name of a measure.
pub(crate) fn measure(measure: Measure) -> String {
    measure.parameter().map_or_else(|| text::get("news2-total"), self::parameter)
}

/// Unit of a parameter as written behind a number; empty where there is none.
pub(crate) fn unit(parameter: Parameter) -> String {
    parameter.unit().map(|_| text::get(&format!("unit-{}", parameter.key()))).unwrap_or_default()
}

/// A value without its unit.
pub(crate) fn value(value: Value) -> String {
    match value {
        Value::Oxygen(given) => supply(given),
        Value::Consciousness(level) => consciousness(level),
        number => number
            .number()
            .map(|n| self::number(n, number.parameter().decimals()))
            .unwrap_or_default(),
    }
}

/// A value with its unit.
pub(crate) fn value_with_unit(measured: Value) -> String {
    let unit = unit(measured.parameter());
    format!("{} {unit}", value(measured)).trim_end().to_owned()
}

/// Air or oxygen.
pub(crate) fn supply(supply: Supply) -> String {
    text::get(match supply {
        Supply::Air => "supply-air",
        Supply::Oxygen => "supply-oxygen",
    })
}

/// Letter and word of a level of consciousness.
pub(crate) fn consciousness(level: Consciousness) -> String {
    text::get(&format!("consciousness-{}", level.letter()))
}

/// A number with decimal comma.
pub(crate) fn number(number: f64, decimals: usize) -> String {
    format!("{number:.decimals$}").replace('.', ",")
}

/// A number with at most one decimal, none where it is whole.
pub(crate) fn short_number(number: f64) -> String {
    let text = self::number(number, 1);
    text.strip_suffix(",0").map(str::to_owned).unwrap_or(text)
}

/// How a risk is coloured, told and ordered.
pub(crate) fn risk(risk: KnownRisk) -> Tag {
    let (class, key) = match risk {
        // Nothing alarming among what is known: never shown as the green of a low risk.
        KnownRisk::AtLeast(Risk::Low) => ("unknown", "risk-unknown".to_owned()),
        KnownRisk::AtLeast(risk) => (risk.key(), format!("risk-at-least-{}", risk.key())),
        KnownRisk::Exactly(risk) => (risk.key(), format!("risk-{}", risk.key())),
    };
    Tag { class, text: text::get(&key) }
}

/// What the Royal College of Physicians' table of responses asks for.
pub(crate) fn response(risk: KnownRisk) -> String {
    match risk {
        KnownRisk::AtLeast(Risk::Low) => text::get("response-unknown"),
        KnownRisk::Exactly(risk) | KnownRisk::AtLeast(risk) => {
            text::get(&format!("response-{}", risk.key()))
        }
    }
}

/// A trend; the class chooses the arrow.
pub(crate) fn trend(movement: &Movement) -> Tag {
    let class = match movement.trend {
        Trend::Rising => "rising",
        Trend::Falling => "falling",
        Trend::Stable => "stable",
        Trend::Unknown => "unknown",
    };
    Tag { class, text: text::get(&format!("trend-{class}")) }
}

/// `4–5` or `4`, in the unit of the measure.
pub(crate) fn normal_range(measure: Measure, normal: &Normal) -> String {
    let one_decimal = measure.parameter().is_some_and(|parameter| parameter.decimals() == 1);
    let write = |value| if one_decimal { number(value, 1) } else { short_number(value) };
    let (low, high) = (write(normal.low), write(normal.high));
    if low == high { low } else { format!("{low}–{high}") }
}

/// The normal level, or why it is not known.
pub(crate) fn normal(line: &Line) -> String {
    match &line.normal {
        Ok(normal) => normal_range(line.measure, normal),
        Err(TooLittle::Days { .. } | TooLittle::Span { .. }) => text::get("normal-unknown"),
    }
}

/// What the normal level rests on, or what is missing for it to be known.
pub(crate) fn normal_ground(normal: &Result<Normal, TooLittle>) -> String {
    match normal {
        Ok(normal) => text::with(
            "normal-ground",
            &[("days", normal.days.into()), ("unusual", normal.unusual_days.into())],
        ),
        Err(TooLittle::Days { measured }) => {
            text::with("normal-few-days", &[("days", (*measured).into())])
        }
        Err(TooLittle::Span { days }) => {
            text::with("normal-short-span", &[("days", (*days).into())])
        }
    }
}

/// The latest value against the normal level.
pub(crate) fn deviation(deviation: &Deviation) -> Tag {
    let class = match deviation.place {
        Place::Above => "above",
        Place::Within => "within",
        Place::Below => "below",
    };
    let amount = short_number(deviation.amount.abs());
    Tag { class, text: text::with(&format!("deviation-{class}"), &[("n", amount.into())]) }
}

/// `2 poeng`.
pub(crate) fn points(score: u8) -> String {
    text::with("points", &[("n", score.into())])
}
