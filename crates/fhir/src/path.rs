//! Compiled element paths, as search parameters use them.
//!
//! A small part of FHIRPath, relative to a resource: `name.family`, `value.as(Quantity)`,
//! `telecom.where(system='phone')`. Arrays are flattened; a choice element is named without `[x]` (or
//! with it) and finds whichever type is there. Every value comes with the name of its type, since a
//! JSON object does not tell an `Identifier` from a `ContactPoint`.

use crate::definitions::{self, Content, ElementType, Shape};
use crate::value::Value;

/// A path that is known to exist in its resource type.
#[derive(Clone, Debug)]
pub struct Path {
    text: Box<str>,
    steps: Vec<Step>,
}

/// A value that a path has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selected<'a> {
    /// The value.
    pub value: &'a Value,
    /// The name of its type, such as `CodeableConcept`.
    pub kind: &'static str,
}

/// The JSON members to look in, several only for a choice, and what to keep of those found.
#[derive(Clone, Debug)]
struct Step {
    members: Vec<(&'static str, &'static ElementType)>,
    condition: Option<Condition>,
}

/// `member='text'`.
#[derive(Clone, Debug)]
struct Condition {
    member: Box<str>,
    text: Box<str>,
}

impl Path {
    /// Compiles a path of the type `kind`. Nothing if the path names an element or type that is not
    /// there, or uses more of FHIRPath than this module knows.
    pub fn parse(kind: &str, text: &str) -> Option<Path> {
        let mut shapes = vec![definitions::shape(kind)?];
        let mut steps: Vec<Step> = Vec::new();
        for part in text.split('.') {
            if let Some(name) = argument(part, "as") {
                let step = steps.last_mut()?;
                step.members.retain(|(_, kind)| kind.name == name);
                shapes = step.shapes();
                if step.members.is_empty() {
                    return None;
                }
            } else if let Some(condition) = argument(part, "where") {
                let (member, text) = condition.split_once('=')?;
                let text = text.strip_prefix('\'')?.strip_suffix('\'')?;
                shapes.iter().find(|shape| shape.member(member).is_some())?;
                steps.last_mut()?.condition =
                    Some(Condition { member: member.into(), text: text.into() });
            } else {
                let name = part.strip_suffix("[x]").unwrap_or(part);
                let members: Vec<_> =
                    shapes.iter().flat_map(|shape| shape.names_of(name)).collect();
                if members.is_empty() {
                    return None;
                }
                let step = Step { members, condition: None };
                shapes = step.shapes();
                steps.push(step);
            }
        }
        Some(Path { text: text.into(), steps })
    }

    /// The path as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The types that the path may lead to.
    pub fn types(&self) -> impl Iterator<Item = &'static ElementType> {
        let last = self.steps.last().map(|step| step.members.as_slice());
        last.unwrap_or_default().iter().map(|(_, kind)| *kind)
    }

    /// The values that the path leads to, in document order.
    pub fn select<'a>(&self, resource: &'a Value) -> Vec<Selected<'a>> {
        let mut found = Vec::new();
        self.each(resource, &mut |selected| found.push(selected));
        found
    }

    /// Hands over the values that the path leads to, in document order.
    pub fn each<'a>(&self, resource: &'a Value, found: &mut dyn FnMut(Selected<'a>)) {
        if let Some((first, rest)) = self.steps.split_first() {
            first.walk(resource, rest, found);
        }
    }
}

impl Step {
    fn shapes(&self) -> Vec<&'static Shape> {
        let shapes = self.members.iter().filter_map(|(_, kind)| match kind.content {
            Content::Shape(id) => Some(id.shape()),
            Content::Primitive(_) | Content::Resource => None,
        });
        shapes.collect()
    }

    fn walk<'a>(&self, parent: &'a Value, rest: &[Step], found: &mut dyn FnMut(Selected<'a>)) {
        for (name, kind) in &self.members {
            match parent.get(name) {
                Some(Value::Array(items)) => {
                    for item in items {
                        self.keep(item, kind, rest, found);
                    }
                }
                Some(value) => self.keep(value, kind, rest, found),
                None => {}
            }
        }
    }

    fn keep<'a>(
        &self,
        value: &'a Value,
        kind: &'static ElementType,
        rest: &[Step],
        found: &mut dyn FnMut(Selected<'a>),
    ) {
        if self.condition.as_ref().is_some_and(|wanted| !wanted.holds(value)) {
            return;
        }
        match rest.split_first() {
            Some((next, rest)) => next.walk(value, rest, found),
            None if *value == Value::Null => {}
            None => found(Selected { value, kind: kind.name }),
        }
    }
}

impl Condition {
    fn holds(&self, value: &Value) -> bool {
        value.text(&self.member) == Some(&*self.text)
    }
}

/// The text between the brackets of `name(…)`.
fn argument<'a>(step: &'a str, name: &str) -> Option<&'a str> {
    step.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')')
}
