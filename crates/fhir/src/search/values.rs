//! From an element to its search values, by the kind of parameter and the type of the element (R4
//! search §3.1.1.4).

use super::set::Parameters;
use super::{IndexValue, ParamKind, SearchParameter, fold, quantity};
use crate::definitions;
use crate::fhirpath::selector::Selected;
use crate::instant;
use crate::reference::Literal;
use crate::search::number::Real;
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

/// Takes the values.
type Add<'a> = &'a mut dyn FnMut(IndexValue);

/// Adds the values of one element.
pub(super) fn add(kind: ParamKind, element: Selected, parameters: &Parameters, add: Add) {
    match kind {
        ParamKind::Token => token(element, add),
        ParamKind::Reference => reference(element, parameters, add),
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
        ParamKind::Number => {
            if let Some(span) = quantity::number(element) {
                add(IndexValue::Number(span));
            }
        }
        ParamKind::Quantity => {
            if let Some(quantity) = quantity::quantity(element) {
                add(IndexValue::Quantity(quantity));
            }
        }
        ParamKind::Special => {
            if let Some(position) = position(element.value) {
                add(position);
            }
        }
        // Its components have values, and it none of its own.
        ParamKind::Composite => {}
    }
}

/// Adds what stands together in each of the elements of a composite.
pub(super) fn composite(
    parameter: &SearchParameter,
    resource: Selected,
    parameters: &Parameters,
    add_value: Add,
) {
    parameter.expression.each(resource, resource, &mut |element| {
        let mut parts = Vec::with_capacity(parameter.components.len());
        for component in &parameter.components {
            let mut values = Vec::new();
            component.expression.each(element, resource, &mut |selected| {
                add(component.kind, selected, parameters, &mut |value| {
                    if can_be_asked(component.kind, &value) {
                        values.push(value);
                    }
                });
            });
            if values.is_empty() {
                return;
            }
            values.sort_unstable();
            values.dedup();
            parts.push(values);
        }
        add_value(IndexValue::Composite(parts));
    });
}

/// The parts of a composite have no modifiers, so what only a modifier looks at is left out.
fn can_be_asked(kind: ParamKind, value: &IndexValue) -> bool {
    match value {
        IndexValue::Text { .. } | IndexValue::OfType { .. } => kind != ParamKind::Token,
        IndexValue::Logical { .. } => false,
        _ => true,
    }
}

fn token(element: Selected, add: Add) {
    let value = element.value;
    match element.kind.name() {
        "CodeableConcept" => concept(value, add),
        "Coding" => coding(value, add),
        "Identifier" => identifier(value, add),
        // The system of a contact point is a code such as `phone`, not a namespace.
        "ContactPoint" => code(None, value.text("value"), add),
        _ => match value {
            Value::Bool(truth) => code(None, Some(if *truth { "true" } else { "false" }), add),
            other => code(None, other.as_str(), add),
        },
    }
}

fn code(system: Option<&str>, code: Option<&str>, add: Add) {
    if let Some(code) = code {
        add(IndexValue::Token { system: system.map(Into::into), code: code.into() });
    }
}

fn concept(value: &Value, add: Add) {
    for item in value.items("coding") {
        coding(item, add);
    }
    words(value.text("text"), add);
}

fn coding(value: &Value, add: Add) {
    code(value.text("system"), value.text("code"), add);
    words(value.text("display"), add);
}

fn identifier(value: &Value, add: Add) {
    let number = value.text("value");
    code(value.text("system"), number, add);
    let Some(of) = value.get("type") else {
        return;
    };
    words(of.text("text"), add);
    for coding in of.items("coding") {
        if let (Some(code), Some(number)) = (coding.text("code"), number) {
            let system = coding.text("system").map(Into::into);
            add(IndexValue::OfType { system, code: code.into(), value: number.into() });
        }
    }
}

/// Text for people, beside a code or for itself.
fn words(text: Option<&str>, add: Add) {
    if let Some(text) = text {
        add(IndexValue::Text { folded: fold::fold(text).into(), exact: text.into() });
    }
}

fn reference(element: Selected, parameters: &Parameters, add: Add) {
    if let Some(text) = element.value.as_str() {
        return canonical(text, add);
    }
    // The first resource of a Bundle, for `composition` and `message`.
    if let Some(kind) = definitions::resource_kind(element.kind.name()) {
        if let Some(id) = element.value.text("id") {
            add(IndexValue::Reference { kind, id: id.into() });
        }
        return;
    }
    if let Some(text) = element.value.text("reference") {
        literal(text, parameters, add);
    }
    if let Some(identifier) = element.value.get("identifier")
        && let Some(value) = identifier.text("value")
    {
        let system = identifier.text("system").map(Into::into);
        add(IndexValue::Logical { system, value: value.into() });
    }
}

/// What is elsewhere is only itself: `https://other.example/Patient/1` is not our `Patient/1`.
fn literal(text: &str, parameters: &Parameters, add: Add) {
    match Literal::parse(text) {
        Literal::Resource { kind, id, base } if base.is_empty() || parameters.is_own(base) => {
            add(IndexValue::Reference { kind, id: id.into() });
        }
        Literal::Resource { kind, id, base } => {
            add(IndexValue::Uri(format!("{base}/{kind}/{id}").into()));
        }
        Literal::Other(uri) => add(IndexValue::Uri(uri.into())),
        Literal::Contained(_) | Literal::Search { .. } | Literal::Malformed => {}
    }
}

/// A URL, and its version if it names one: found with and without.
fn canonical(text: &str, add: Add) {
    if text.is_empty() || text.starts_with('#') {
        return;
    }
    if let Literal::Resource { kind, id, base: "" } = Literal::parse(text) {
        return add(IndexValue::Reference { kind, id: id.into() });
    }
    add(IndexValue::Uri(text.into()));
    if let Some((url, _)) = text.split_once('|') {
        add(IndexValue::Uri(url.into()));
    }
}

fn date(element: Selected) -> Option<instant::Range> {
    match element.kind.name() {
        "Period" => period(element.value),
        "Timing" => Some(timing(element.value)),
        _ => instant::range(element.value.as_str()?),
    }
}

fn period(value: &Value) -> Option<instant::Range> {
    let end = |name| value.text(name).map(instant::range);
    let (low, high) = match (end("start"), end("end")) {
        (None, None) => return None,
        (start, end) => (
            start.map_or(Some(i64::MIN), |range| Some(range?.0)),
            end.map_or(Some(i64::MAX), |range| Some(range?.1)),
        ),
    };
    Some((low?, high?))
}

/// The outer limits of a schedule: all its events and its bounds. Without either it is open.
fn timing(value: &Value) -> instant::Range {
    let events = value.items("event").iter().filter_map(Value::as_str).filter_map(instant::range);
    let bounds = value.at("repeat.boundsPeriod").and_then(period);
    events
        .chain(bounds)
        .reduce(|(low, high), (start, end)| (low.min(start), high.max(end)))
        .unwrap_or((i64::MIN, i64::MAX))
}

fn text(element: Selected, add: Add) {
    if let Some(text) = element.value.as_str() {
        return words(Some(text), add);
    }
    for part in TEXT_PARTS {
        match element.value.get(part) {
            Some(Value::String(text)) => words(Some(text), add),
            Some(Value::Array(items)) => {
                items.iter().for_each(|item| words(item.as_str(), add));
            }
            _ => {}
        }
    }
}

fn position(value: &Value) -> Option<IndexValue> {
    let degrees = |name, most: f64| {
        let degrees = value.get(name)?.as_number()?.as_f64()?;
        Real::new(degrees).filter(|_| degrees.abs() <= most)
    };
    let (latitude, longitude) = (degrees("latitude", 90.0)?, degrees("longitude", 180.0)?);
    Some(IndexValue::Position { latitude, longitude })
}
