//! Compiled element paths, as search parameters use them.
//!
//! A small part of FHIRPath, relative to a resource: `name.family`, `value.as(Quantity)`,
//! `telecom.where(system='phone')`, `entry[0].resource`, `$this`. Arrays are flattened; a choice element
//! is named without `[x]` (or with it) and finds whichever type is there. Every value comes with the
//! name of its type, since a JSON object does not tell an `Identifier` from a `ContactPoint`.
//!
//! One form is not FHIRPath: `deceased.holds()` at the end is `deceased.exists() and deceased != false`.

use crate::definitions::{self, Content, ElementType, Shape};
use crate::value::Value;

static TRUE: Value = Value::Bool(true);
static FALSE: Value = Value::Bool(false);

/// A path that is known to exist in its resource type.
#[derive(Clone, Debug)]
pub struct Path {
    text: Box<str>,
    root: Root,
    steps: Vec<Step>,
    /// Whether the path ends in `holds()`.
    holds: bool,
}

/// A value that a path has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selected<'a> {
    /// The value.
    pub value: &'a Value,
    /// The name of its type, such as `CodeableConcept`.
    pub kind: &'static str,
}

/// What a path starts from.
#[derive(Clone, Debug)]
struct Root {
    name: &'static str,
    shapes: Vec<&'static Shape>,
}

/// The JSON members to look in, several only for a choice, and what to keep of those found.
#[derive(Clone, Debug)]
struct Step {
    members: Vec<(&'static str, &'static ElementType)>,
    /// `[0]`: only the first item of an array.
    first: bool,
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
        let shape = definitions::shape(kind)?;
        let name = definitions::resource_kind(kind).unwrap_or("Element");
        Path::compile(Root { name, shapes: vec![shape] }, text)
    }

    /// Compiles a path that starts from the values this one leads to.
    pub fn below(&self, text: &str) -> Option<Path> {
        let name = self.types().next().map_or(self.root.name, |kind| kind.name);
        Path::compile(Root { name, shapes: self.shapes() }, text)
    }

    fn compile(root: Root, text: &str) -> Option<Path> {
        let mut path = Path { text: text.into(), root, steps: Vec::new(), holds: false };
        if text == "$this" {
            return Some(path);
        }
        for part in text.split('.') {
            if path.holds {
                return None;
            }
            path.add(part)?;
        }
        Some(path)
    }

    fn add(&mut self, part: &str) -> Option<()> {
        if part == "holds()" {
            self.holds = !self.steps.is_empty();
            return self.holds.then_some(());
        }
        if let Some(name) = argument(part, "as") {
            let step = self.steps.last_mut()?;
            step.members.retain(|(_, kind)| kind.name == name);
            return (!step.members.is_empty()).then_some(());
        }
        let shapes = self.shapes();
        if let Some(condition) = argument(part, "where") {
            let (member, text) = condition.split_once('=')?;
            let text = text.strip_prefix('\'')?.strip_suffix('\'')?;
            shapes.iter().find(|shape| shape.member(member).is_some())?;
            self.steps.last_mut()?.condition =
                Some(Condition { member: member.into(), text: text.into() });
            return Some(());
        }
        let (part, first) = part.strip_suffix("[0]").map_or((part, false), |part| (part, true));
        let name = part.strip_suffix("[x]").unwrap_or(part);
        let members: Vec<_> = shapes.iter().flat_map(|shape| shape.names_of(name)).collect();
        let found = !members.is_empty();
        self.steps.push(Step { members, first, condition: None });
        found.then_some(())
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

    /// What may stand in the values that the path leads to.
    fn shapes(&self) -> Vec<&'static Shape> {
        match self.steps.last() {
            Some(step) => step.shapes(),
            None => self.root.shapes.clone(),
        }
    }

    /// The values that the path leads to, in document order.
    pub fn select<'a>(&self, root: &'a Value) -> Vec<Selected<'a>> {
        let mut found = Vec::new();
        self.each(root, &mut |selected| found.push(selected));
        found
    }

    /// Hands over the values that the path leads to, in document order.
    pub fn each<'a>(&self, root: &'a Value, found: &mut dyn FnMut(Selected<'a>)) {
        match self.steps.split_first() {
            None => found(Selected { value: root, kind: self.root.name }),
            Some((first, rest)) if self.holds => {
                let mut holds = false;
                first.walk(root, rest, &mut |selected| holds |= *selected.value != FALSE);
                found(Selected { value: if holds { &TRUE } else { &FALSE }, kind: "boolean" });
            }
            Some((first, rest)) => first.walk(root, rest, found),
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
                    let most = if self.first { 1 } else { items.len() };
                    for item in items.iter().take(most) {
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
