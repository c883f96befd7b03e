//! From an element to its search values, by the kind of parameter and the type of the element (R4
//! search §3.1.1.4).

use super::set::Parameters;
use super::{IndexValue, ParamKind, SearchParameter, fold};
use crate::instant;
use crate::path::Selected;
use crate::reference::Literal;
use crate::resource::Resource;
use crate::value::Value;

/// The members of a name or an address that a string search looks in.
const TEXT_PARTS: &[&str] = &[
    "text",
    "family",
    "given",
    "prefix",
    "suffix",
    "line",
    "city",
    "district",
    "state",
    "postalCode",
    "country",
];

/// Adds the values of one element.
pub(super) fn add(
    kind: ParamKind,
    _: &[&'static str],
    element: Selected,
    _: &Parameters,
    add: &mut impl FnMut(IndexValue),
) {
    match kind {
        ParamKind::Token => token(element, add),
        ParamKind::Reference => reference(element, add),
        ParamKind::Number | ParamKind::Quantity | ParamKind::Composite | ParamKind::Special => {}
        ParamKind::Date => {
            if let Some((low, high)) = date(element) {
                add(IndexValue::Date { low, high });
            }
        }
        ParamKind::String => text(element, add),
        ParamKind::Uri => {
            if let Some(uri) = element.value.as_str() {
                add(IndexValue::Uri(uri.into()));
            }
        }
    }
}

pub(super) fn composite(
    _: &SearchParameter,
    _: &Resource,
    _: &Parameters,
    _: &mut impl FnMut(IndexValue),
) {
}

fn token(element: Selected, add: &mut impl FnMut(IndexValue)) {
    let value = element.value;
    let mut token = |system: Option<&str>, code: Option<&str>| {
        if let Some(code) = code {
            add(IndexValue::Token { system: system.map(Into::into), code: code.into() });
        }
    };
    match element.kind {
        "CodeableConcept" => {
            for coding in value.items("coding") {
                token(coding.text("system"), coding.text("code"));
            }
        }
        "Coding" => token(value.text("system"), value.text("code")),
        "Identifier" => token(value.text("system"), value.text("value")),
        // The system of a contact point is a code such as `phone`, not a namespace.
        "ContactPoint" => token(None, value.text("value")),
        _ => match value {
            Value::Bool(truth) => token(None, Some(if *truth { "true" } else { "false" })),
            other => token(None, other.as_str()),
        },
    }
}

fn reference(element: Selected, add: &mut impl FnMut(IndexValue)) {
    if element.kind != "Reference" {
        // A canonical or uri.
        if let Some(uri) = element.value.as_str() {
            add(IndexValue::Uri(uri.into()));
        }
        return;
    }
    match element.value.text("reference").map(Literal::parse) {
        Some(Literal::Resource { kind, id, .. }) => {
            add(IndexValue::Reference { kind, id: id.into() });
        }
        Some(Literal::Other(uri)) => add(IndexValue::Uri(uri.into())),
        Some(Literal::Contained(_) | Literal::Search { .. } | Literal::Malformed) | None => {}
    }
    if let Some(identifier) = element.value.get("identifier")
        && let Some(value) = identifier.text("value")
    {
        let system = identifier.text("system").map(Into::into);
        add(IndexValue::Logical { system, value: value.into() });
    }
}

/// The range of a date or period; nothing for a `Timing`, which has no single range.
fn date(element: Selected) -> Option<instant::Range> {
    if element.kind != "Period" {
        return instant::range(element.value.as_str()?);
    }
    let end = |name| element.value.text(name).map(instant::range);
    let (low, high) = match (end("start"), end("end")) {
        (None, None) => return None,
        (start, end) => (
            start.map_or(Some(i64::MIN), |range| Some(range?.0)),
            end.map_or(Some(i64::MAX), |range| Some(range?.1)),
        ),
    };
    Some((low?, high?))
}

fn text(element: Selected, add: &mut impl FnMut(IndexValue)) {
    let mut add = |text: &str| {
        let folded = fold::fold(text).into();
        add(IndexValue::Text { folded, exact: text.into() });
    };
    if let Some(text) = element.value.as_str() {
        return add(text);
    }
    for part in TEXT_PARTS {
        match element.value.get(part) {
            Some(Value::String(text)) => add(text),
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).for_each(&mut add),
            _ => {}
        }
    }
}
