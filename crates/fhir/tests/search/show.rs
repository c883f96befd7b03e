//! Index values for people.

use fhir::instant::format_instant;
use fhir::search::{IndexValue, Span};

/// A value on one line.
pub fn value(value: &IndexValue) -> String {
    let end = |time: i64| match time {
        i64::MIN | i64::MAX => "open".to_owned(),
        time => format_instant(time),
    };
    let or_none = |text: &Option<Box<str>>| text.as_deref().unwrap_or_default().to_owned();
    match value {
        IndexValue::Token { system, code } => format!("token {}|{code}", or_none(system)),
        IndexValue::OfType { system, code, value } => {
            format!("of type {}|{code}|{value}", or_none(system))
        }
        IndexValue::Reference { kind, id } => format!("reference {kind}/{id}"),
        IndexValue::Logical { system, value } => format!("logical {}|{value}", or_none(system)),
        IndexValue::Date { low, high } => format!("date {} .. {}", end(*low), end(*high)),
        IndexValue::Text { folded, exact } => format!("text {folded} ({exact})"),
        IndexValue::Uri(uri) => format!("uri {uri}"),
        IndexValue::Number(of) => format!("number {}", span(of)),
        IndexValue::Quantity(of) => {
            let canonical = of.canonical.as_ref();
            let canonical = canonical.map(|it| format!(" = {} {}", span(&it.span), it.unit));
            format!(
                "quantity {} {}|{} ({}){}",
                span(&of.span),
                or_none(&of.system),
                or_none(&of.code),
                or_none(&of.unit),
                canonical.unwrap_or_default(),
            )
        }
        IndexValue::Position { latitude, longitude } => {
            format!("position {} {}", latitude.get(), longitude.get())
        }
        IndexValue::Composite(parts) => {
            let part = |values: &Vec<IndexValue>| {
                values.iter().map(self::value).collect::<Vec<_>>().join(" or ")
            };
            format!("[{}]", parts.iter().map(part).collect::<Vec<_>>().join("] with ["))
        }
    }
}

fn span(span: &Span) -> String {
    let (low, high) = (span.low.get(), span.high.get());
    if low == high { low.to_string() } else { format!("{low} .. {high}") }
}
