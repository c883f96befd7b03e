//! Parts of a resource, as `_summary` and `_elements` ask for (R4 search, summary and elements).

use crate::definitions::{self, Content, Found, Shape, ShapeKind};
use crate::json;
use crate::value::{Object, Value};

/// Which part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subset {
    /// `_summary=true`: what the definitions mark as summary, at every level.
    Summary,
    /// `_summary=text`: narrative, id, meta and what is required.
    Text,
    /// `_summary=data`: all but the narrative.
    Data,
    /// `_elements`: these of the top level, and what is required.
    Elements(Vec<Box<str>>),
}

/// Top-level elements without which a resource is misunderstood: those that change the meaning of
/// others.
const NEEDED: [&str; 6] =
    ["resourceType", "id", "meta", "implicitRules", "modifierExtension", "status"];

impl Subset {
    /// The part of a resource, marked `SUBSETTED`. An unknown resource is given whole.
    pub fn of(&self, resource: &Value) -> Value {
        let kind = resource.text("resourceType").and_then(definitions::shape);
        let (Some(shape), Value::Object(whole)) = (kind, resource) else {
            return resource.clone();
        };
        let mut part = match self {
            Subset::Summary => summary(whole, shape),
            _ => self.top(whole, shape),
        };
        mark(&mut part);
        part.into()
    }

    fn top(&self, whole: &Object, shape: &'static Shape) -> Object {
        let mut part = whole.clone();
        part.retain(|name, _| {
            let plain = name.trim_start_matches('_');
            let element = shape.member(plain).map(|found| found.element);
            let required = || element.is_some_and(|element| element.min > 0);
            let asked = match self {
                Subset::Data => return plain != "text",
                Subset::Text => plain == "text",
                Subset::Elements(names) => names.iter().any(|asked| {
                    **asked == *plain || element.is_some_and(|element| **asked == *element.name)
                }),
                Subset::Summary => false,
            };
            asked || NEEDED.contains(&plain) || required()
        });
        part
    }
}

/// The members that are marked as summary, with what is so marked in them.
fn summary(whole: &Object, shape: &'static Shape) -> Object {
    let mut part = Object::new();
    for (name, value) in whole.iter() {
        let plain = name.trim_start_matches('_');
        match shape.member(plain) {
            Some(found) if found.element.summary => {
                let kept = if plain == name { within(value, found) } else { value.clone() };
                part.set(name, kept);
            }
            _ if NEEDED.contains(&plain) && shape.kind == ShapeKind::Resource => {
                part.set(name, value);
            }
            _ => {}
        }
    }
    // Types such as Extension mark nothing of themselves; they belong to what they stand in.
    if part.is_empty() && shape.kind == ShapeKind::Datatype { whole.clone() } else { part }
}

fn within(value: &Value, found: Found) -> Value {
    let Content::Shape(id) = found.kind.content else { return value.clone() };
    match value {
        Value::Array(items) => items.iter().map(|item| within(item, found)).collect(),
        Value::Object(object) => summary(object, id.shape()).into(),
        other => other.clone(),
    }
}

/// The tag that says that something is left out, so that nobody stores the part as the whole.
fn mark(part: &mut Object) {
    let tag = json!({
        "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
        "code": "SUBSETTED",
    });
    if let Some(Value::Object(meta)) = part.get_mut("meta") {
        let mut tags = meta.get("tag").and_then(Value::as_array).unwrap_or_default().to_vec();
        tags.push(tag);
        meta.set("tag", Value::Array(tags));
    } else {
        let id = part.remove("id");
        part.insert_first("meta", json!({ "tag": [tag] }));
        for (name, value) in [("id", id), ("resourceType", part.remove("resourceType"))] {
            if let Some(value) = value {
                part.insert_first(name, value);
            }
        }
    }
}
