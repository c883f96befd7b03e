//! What an engine answers to an expression, in a form that two engines can be compared by.
//!
//! Numbers are compared as numbers of 64 bits, since JavaScript reads them so; objects by their members in
//! any order; nested elements all have the type `Element`, since not everybody names them.

use fhir::fhirpath::item::Item;
use fhir::value::Value;
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
        let is_element = matches!(kind, "FHIR.BackboneElement" | "FHIR.Element");
        let kind = if is_element { "FHIR.Element" } else { kind };
        Shown { kind: kind.to_owned(), value: text(value) }
    }

    /// An item of our own.
    pub fn own(item: &Item<'_>) -> Shown {
        if let Some(node) = item.node() {
            return Shown::node(node.kind.name(), node.value);
        }
        let kind = format!("System.{}", item.kind().name());
        let value = match item {
            Item::Boolean(truth) => text(&Value::Bool(*truth)),
            Item::Integer(_) | Item::Decimal(_) => number(&item.to_string()),
            _ => format!("\"{item}\""),
        };
        Shown { kind, value }
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

fn number(text: &str) -> String {
    text.parse::<f64>().map_or_else(|_| text.to_owned(), |number| number.to_string())
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
