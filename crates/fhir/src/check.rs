//! Whether a resource is built as R4 says: known elements, JSON types, cardinalities, one type per
//! choice, the form of primitive values, required codes, and the types that references may name.
//!
//! All of it is driven by [`crate::definitions`]. Every issue names the place by JSON member names,
//! such as `Observation.component[2].valueQuantity`, and says what to do; none carries a value. One
//! fault gives one issue: what stands below a wrong element is not looked at.

use crate::definitions::{self, Content, Element, ElementType, Found, Shape};
use crate::issue::{Issue, IssueCode};
use crate::primitive::{Misfit, Primitive};
use crate::resource::Resource;
use crate::value::{Object, Value};
use crate::xml;

mod reference;

/// More issues than this help nobody; the rest is left out.
const MOST_ISSUES: usize = 100;

/// A message names up to so many codes or types to choose from.
const MOST_NAMED: usize = 12;

/// Checks a resource, and those within it, against the base definitions of R4.
pub fn check(resource: &Resource) -> Vec<Issue> {
    let mut checker = Checker { place: Vec::with_capacity(16), issues: Vec::new() };
    checker.place.push(Step::Name(resource.kind()));
    if let (Some(object), Some(shape)) =
        (resource.value().as_object(), definitions::shape(resource.kind()))
    {
        checker.object(object, shape);
    }
    checker.issues
}

/// One step of a place; rendered only when there is an issue.
#[derive(Clone, Copy)]
enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

struct Checker<'a> {
    place: Vec<Step<'a>>,
    issues: Vec<Issue>,
}

/// What has been met of a shape's elements: how many of each, and under which name a choice.
struct Met<'a> {
    counts: Vec<usize>,
    choices: Vec<(usize, &'a str)>,
}

impl<'a> Checker<'a> {
    fn issue(&mut self, code: IssueCode, message: impl Into<String>) {
        let location = self.location();
        self.push(Issue::error(code, location, message));
    }

    fn push(&mut self, issue: Issue) {
        if self.issues.len() < MOST_ISSUES {
            self.issues.push(issue);
        }
    }

    fn issue_at(&mut self, name: &'a str, code: IssueCode, message: impl Into<String>) {
        self.place.push(Step::Name(name));
        self.issue(code, message);
        self.place.pop();
    }

    fn location(&self) -> String {
        let mut text = String::new();
        for step in &self.place {
            match step {
                Step::Name(name) => {
                    if !text.is_empty() {
                        text.push('.');
                    }
                    text.push_str(name);
                }
                Step::Index(index) => text.push_str(&format!("[{index}]")),
            }
        }
        text
    }

    fn object(&mut self, object: &'a Object, shape: &'static Shape) {
        if object.is_empty() {
            return self.issue(IssueCode::Structure, "empty object: leave the element out");
        }
        let is_resource = shape.kind == definitions::ShapeKind::Resource;
        let mut met = Met { counts: vec![0; shape.elements.len()], choices: Vec::new() };
        for (name, value) in object.iter() {
            if is_resource && name == "resourceType" {
                continue;
            }
            let plain = name.strip_prefix('_').unwrap_or(name);
            let Some(found) = shape.member(plain) else {
                self.unknown(shape, name, plain);
                continue;
            };
            self.place.push(Step::Name(name));
            if met.is_second_choice(found, plain) {
                self.issue(IssueCode::Structure, "a second type of one choice: keep one of them");
            } else if plain.len() == name.len() {
                let beside = Companion { object, name };
                met.count(found, self.member(value, found, &beside));
            } else if is_bare(shape, found) {
                self.issue(IssueCode::Structure, "its element cannot have extensions: remove it");
            } else {
                met.count(found, self.extensions(value, found, object.get(plain)));
            }
            self.place.pop();
        }
        self.required(shape, &met);
    }

    fn unknown(&mut self, shape: &'static Shape, name: &'a str, plain: &str) {
        if is_element_name(plain) {
            self.issue_at(name, IssueCode::Structure, unknown_message(shape, plain));
        } else {
            let message = "a member whose name is no element name: remove it";
            self.issue(IssueCode::Structure, message);
        }
    }

    fn required(&mut self, shape: &'static Shape, met: &Met) {
        for (element, count) in shape.elements.iter().zip(&met.counts) {
            let missing = *count < usize::try_from(element.min).unwrap_or(usize::MAX);
            if missing {
                let name = if element.choice { "[x]" } else { "" };
                let name = format!("{}{name}", element.name);
                let message = match element.min {
                    1 => format!("`{name}` is required: add it"),
                    least => format!("at least {least} of `{name}` are required: add them"),
                };
                let location = format!("{}.{name}", self.location());
                self.push(Issue::error(IssueCode::Required, location, message));
            }
        }
    }

    /// Checks the value of a member, and says how many items it holds.
    fn member(&mut self, value: &'a Value, found: Found, beside: &Companion) -> usize {
        match (value, found.element.repeats()) {
            (Value::Array(items), true) if items.is_empty() => {
                self.issue(IssueCode::Structure, "empty array: leave the element out");
                usize::MAX
            }
            (Value::Array(items), true) => {
                let most = usize::try_from(found.element.max).unwrap_or(usize::MAX);
                if items.len() > most {
                    self.issue(IssueCode::Structure, format!("at most {most} are allowed"));
                }
                self.items(items, found, beside);
                items.len()
            }
            (Value::Array(_), false) => {
                self.issue(
                    IssueCode::Structure,
                    "an array, but there is one at most: send it alone",
                );
                1
            }
            (_, true) => {
                self.issue(
                    IssueCode::Structure,
                    "not an array, but there may be several: send `[…]`",
                );
                usize::MAX
            }
            (value, false) => {
                self.item(value, found.kind);
                1
            }
        }
    }

    fn items(&mut self, items: &'a [Value], found: Found, beside: &Companion) {
        let primitive = matches!(found.kind.content, Content::Primitive(_));
        for (index, item) in items.iter().enumerate() {
            self.place.push(Step::Index(index));
            // A null keeps the place of an item that has extensions only.
            if !(primitive && *item == Value::Null && beside.has(index)) {
                self.item(item, found.kind);
            }
            self.place.pop();
        }
    }

    fn item(&mut self, value: &'a Value, kind: &'static ElementType) {
        match (kind.content, value) {
            (Content::Primitive(primitive), value) => self.primitive(value, primitive, kind),
            (Content::Shape(id), Value::Object(object)) => {
                if kind.name == "Reference"
                    && let Some((name, message)) = reference::fault(object, &kind.targets)
                {
                    self.issue_at(name, IssueCode::Value, message);
                }
                self.object(object, id.shape());
            }
            (Content::Resource, Value::Object(object)) => self.resource(object),
            (Content::Shape(_) | Content::Resource, Value::Null) => {
                self.issue(IssueCode::Structure, "`null`: leave it out");
            }
            (Content::Shape(_) | Content::Resource, _) => {
                let message = format!("not an object: send a {} as `{{…}}`", kind.name);
                self.issue(IssueCode::Structure, message);
            }
        }
    }

    fn resource(&mut self, object: &'a Object) {
        let Some(kind) = object.get("resourceType").and_then(Value::as_str) else {
            let message = "`resourceType` is required: name the type of the resource";
            return self.issue_at("resourceType", IssueCode::Required, message);
        };
        match definitions::resource_kind(kind).and_then(definitions::shape) {
            Some(shape) => self.object(object, shape),
            None => {
                let message = "not a resource type of FHIR R4: correct it";
                self.issue_at("resourceType", IssueCode::Value, message);
            }
        }
    }

    fn primitive(&mut self, value: &Value, primitive: Primitive, kind: &'static ElementType) {
        match primitive.fits(value) {
            Err(Misfit::Type(message)) => {
                let message = if *value == Value::Null { "`null`: leave it out" } else { message };
                self.issue(IssueCode::Structure, format!("not a {}: {message}", kind.name));
            }
            Err(Misfit::Form(message)) => {
                self.issue(IssueCode::Value, format!("not a valid {}: {message}", kind.name));
            }
            Ok(()) => {
                if let (Some(list), Some(code)) = (&kind.codes, value.as_str())
                    && list.codes.binary_search(&code).is_err()
                {
                    let message =
                        format!("not a code of `{}`: {}", list.name, choices(&list.codes));
                    self.issue(IssueCode::CodeInvalid, message);
                }
            }
        }
    }

    /// Checks the member `_x` beside a primitive `x`: an object, or an array of objects and nulls. Says
    /// how many items it stands for.
    fn extensions(&mut self, value: &'a Value, found: Found, beside: Option<&Value>) -> usize {
        let Some(shape) = definitions::shape("Element") else {
            return 0;
        };
        if !matches!(found.kind.content, Content::Primitive(_)) {
            self.issue(
                IssueCode::Structure,
                "only primitive elements have one with `_`: remove it",
            );
            return 1;
        }
        match (value, found.element.repeats()) {
            (Value::Object(object), false) => {
                self.object(object, shape);
                1
            }
            (Value::Array(items), true) => {
                let beside = beside.and_then(Value::as_array).unwrap_or_default();
                self.extension_items(items, beside, shape);
                items.len()
            }
            (_, true) => {
                self.issue(IssueCode::Structure, "send an array of objects with extensions");
                1
            }
            (_, false) => {
                self.issue(IssueCode::Structure, "send an object with extensions");
                1
            }
        }
    }

    fn extension_items(&mut self, items: &'a [Value], beside: &[Value], shape: &'static Shape) {
        if items.is_empty() {
            self.issue(IssueCode::Structure, "empty array: leave the element out");
        }
        for (index, item) in items.iter().enumerate() {
            self.place.push(Step::Index(index));
            match (item, beside.get(index)) {
                (Value::Object(object), _) => self.object(object, shape),
                // A null keeps the place of an item without extensions.
                (Value::Null, Some(value)) if *value != Value::Null => {}
                _ => self.issue(IssueCode::Structure, "send an object with extensions"),
            }
            self.place.pop();
        }
    }
}

/// The member with `_` beside a primitive one.
struct Companion<'a> {
    object: &'a Object,
    name: &'a str,
}

impl Companion<'_> {
    /// Whether it has something in the place of item `index`.
    fn has(&self, index: usize) -> bool {
        let beside = self.object.get(&format!("_{}", self.name));
        let item = beside.and_then(Value::as_array).and_then(|items| items.get(index));
        item.is_some_and(|item| *item != Value::Null)
    }
}

impl<'a> Met<'a> {
    fn count(&mut self, found: Found, items: usize) {
        if let Some(count) = self.counts.get_mut(found.index) {
            *count = (*count).max(items);
        }
    }

    fn is_second_choice(&mut self, found: Found, name: &'a str) -> bool {
        if !found.element.choice {
            return false;
        }
        match self.choices.iter().find(|(index, _)| *index == found.index) {
            Some((_, first)) => *first != name,
            None => {
                self.choices.push((found.index, name));
                false
            }
        }
    }
}

/// Whether an element is a value and nothing beside it: it is text or an attribute in XML (R4
/// xml.html, narrative.html).
fn is_bare(shape: &Shape, found: Found) -> bool {
    xml::is_attribute(shape, found.element.name)
        || found.kind.content == Content::Primitive(Primitive::Xhtml)
}

/// What to say of a member that the shape does not know.
fn unknown_message(shape: &'static Shape, name: &str) -> String {
    let choice = |element: &&Element| {
        element.choice && name.strip_prefix(element.name).is_some_and(starts_like_type)
    };
    match shape.elements.iter().find(choice) {
        Some(element) if element.types.len() > MOST_NAMED => {
            format!("`{}` cannot have this type: choose another type", element.name)
        }
        Some(element) => {
            let types: Vec<&str> = element.types.iter().map(|kind| kind.name).collect();
            format!("`{}` cannot have this type: {}", element.name, choices(&types))
        }
        None => format!("unknown element of {}: correct the name or use an extension", shape.name),
    }
}

/// Whether a member name looks like one of FHIR's. Another might be anything, even a person's number,
/// and is not repeated.
fn is_element_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|letter: char| letter.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn starts_like_type(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(|letter: char| letter.is_ascii_uppercase())
}

fn choices(names: &[&str]) -> String {
    match names {
        [one] => format!("use `{one}`"),
        few if few.len() <= MOST_NAMED => format!("use one of `{}`", few.join("`, `")),
        many => format!("use one of its {} codes", many.len()),
    }
}
