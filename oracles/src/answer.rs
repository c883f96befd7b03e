//! What an engine answers to an expression, in a form that two engines can be compared by.
//!
//! Not compared is what others cannot tell: whether a number is whole by type or by value, and its digits
//! after the tenth; the order of members; the names of nested elements' types; UTC as written or not.

use fhir::fhirpath::item::Item;
use fhir::value::{Number, Value};
use std::fmt::Write;

/// The items found, each as its type and its value, or why there are none.
pub type Answer = Result<Vec<Shown>, String>;

/// An item: its type, and the text of its value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shown {
    pub kind: String,
    pub value: String,
}

impl Shown {
    /// An item of an engine that gives types and JSON.
    pub fn new(kind: &str, value: &Value) -> Shown {
        let kind = match kind {
            "FHIR.BackboneElement" | "FHIR.Element" => "FHIR.Element",
            "System.Integer" | "System.Decimal" => "System.Number",
            other => other,
        };
        let value = match (kind, value) {
            ("System.DateTime" | "FHIR.dateTime" | "FHIR.instant", Value::String(text)) => {
                moment(text)
            }
            ("System.Quantity", Value::String(text)) => quantity(text),
            _ => text(value),
        };
        Shown { kind: kind.to_owned(), value }
    }

    /// An item of our own.
    pub fn own(item: &Item<'_>) -> Shown {
        if let Some(node) = item.node() {
            return Shown::node(node.kind.name(), node.value);
        }
        let kind = format!("System.{}", item.kind().name());
        let written = item.to_string();
        let value = match item {
            Item::Boolean(truth) => Value::Bool(*truth),
            Item::Integer(_) | Item::Decimal(_) => {
                Number::parse(&written).map_or(Value::Null, Value::Number)
            }
            _ => Value::from(written.as_str()),
        };
        Shown::new(&kind, &value)
    }

    /// An element of our own.
    pub fn node(kind: &str, value: &Value) -> Shown {
        let kind = if kind.contains('.') { "Element" } else { kind };
        Shown::new(&format!("FHIR.{kind}"), value)
    }
}

fn text(value: &Value) -> String {
    let mut out = String::new();
    write_to(value, &mut out);
    out
}

fn write_to(value: &Value, out: &mut String) {
    match value {
        Value::Number(it) => out.push_str(&number(it.as_str())),
        Value::Array(items) => {
            out.push('[');
            for item in items {
                write_to(item, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Object(object) => {
            let mut members: Vec<_> = object.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            out.push('{');
            for (name, value) in members {
                let _ = write!(out, "{name}:");
                write_to(value, out);
                out.push(',');
            }
            out.push('}');
        }
        Value::String(text) => {
            let _ = write!(out, "\"{text}\"");
        }
        Value::Null | Value::Bool(_) => out.push_str(&fhir::json::print(value)),
    }
}

/// Ten digits are compared.
fn number(text: &str) -> String {
    text.parse::<f64>().map_or_else(|_| text.to_owned(), |number| format!("{number:.9e}"))
}

/// The instant, if it is one; without the zone that some give to what has none.
fn moment(text: &str) -> String {
    let instant = text.parse::<jiff::Timestamp>().map(|instant| instant.to_string());
    let text = instant.unwrap_or_else(|_| text.to_owned());
    ["Z", "-00:00", "+00:00"]
        .iter()
        .find_map(|end| text.strip_suffix(end))
        .unwrap_or(&text)
        .to_owned()
}

/// The number and the unit, which is one or many.
fn quantity(text: &str) -> String {
    let (value, unit) = text.split_once(' ').unwrap_or((text, ""));
    format!("{} {}", number(value), unit.strip_suffix('s').unwrap_or(unit))
}

/// How two answers differ, in a word; nothing if they do not.
pub fn difference(ours: &Answer, theirs: &Answer) -> Option<&'static str> {
    let (ours, theirs) = match (ours, theirs) {
        (Err(_), Err(_)) => return None,
        (Err(_), Ok(_)) => return Some("refused here"),
        (Ok(_), Err(_)) => return Some("refused there"),
        (Ok(ours), Ok(theirs)) => (ours, theirs),
    };
    let values = |answer: &[Shown]| answer.iter().map(|it| it.value.clone()).collect::<Vec<_>>();
    if ours == theirs {
        return None;
    }
    Some(match (values(ours), values(theirs)) {
        (one, two) if one == two => "type",
        (one, two) if one.len() > two.len() => "more here",
        (one, two) if one.len() < two.len() => "fewer here",
        (one, two) => {
            if sorted(one) == sorted(two) {
                "order"
            } else {
                "value"
            }
        }
    })
}

fn sorted(mut all: Vec<String>) -> Vec<String> {
    all.sort();
    all
}

/// Where two answers begin to differ, in short.
pub fn apart(ours: &Answer, theirs: &Answer) -> (String, String) {
    let same = match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => {
            ours.iter().zip(theirs).take_while(|(one, two)| one == two).count()
        }
        _ => 0,
    };
    let show = |answer: &Answer| match answer {
        Err(why) => format!("refused: {why}"),
        Ok(items) => {
            let rest = items.iter().skip(same).map(|it| format!("{} {}", it.kind, it.value));
            let rest = rest.collect::<Vec<_>>().join(", ");
            format!("[{same} alike, then] {}", rest.chars().take(300).collect::<String>())
        }
    };
    (show(ours), show(theirs))
}
