//! The structure of a resource: known elements, JSON types, cardinalities, primitive forms, codes and
//! references. Rules and extensions are asked of each object that is built right.

use super::item::{Item, sibling};
use super::place::{self, Step};
use super::{MOST_ISSUES, Validator, extension, reference, rules};
use crate::definitions::{self, Content, Element, ElementType, Found, Shape};
use crate::issue::{Issue, IssueCode};
use crate::primitive::{Misfit, Primitive};
use crate::resource::Resource;
use crate::value::{Object, Value};
use crate::xml;

/// A message names up to so many codes or types to choose from.
const MOST_NAMED: usize = 12;

/// What a check is at: the place in one resource, and what was found so far.
pub(super) struct Checker<'a, 'v> {
    pub validator: &'v Validator<'v>,
    pub place: Vec<Step<'a>>,
    pub issues: Vec<Issue>,
    /// How many issues refuse, and how many do not, those left out included.
    pub refusals: usize,
    pub notes: usize,
    /// Whether extensions and profiles are left out.
    pub is_base: bool,
    /// The resource that is looked at, and how many steps of the place lead to it.
    pub resource: Item<'a>,
    pub depth: usize,
    /// The resource that contains it, or else itself.
    pub container: &'a Value,
    /// The outermost.
    pub root: &'a Value,
    /// Resources that say which profiles they follow, with the place of each.
    pub declared: Vec<Declared<'a>>,
    /// How many profiles are being asked within each other.
    pub nested: usize,
    /// The name of the profile that is being asked.
    pub profile: Box<str>,
}

/// A resource that says which profiles it follows.
#[derive(Clone)]
pub(super) struct Declared<'a> {
    pub place: Vec<Step<'a>>,
    pub item: Item<'a>,
    pub container: &'a Value,
}

/// What has been met of a shape's elements: how many of each, and under which name a choice.
struct Met<'a> {
    counts: Vec<usize>,
    choices: Vec<(usize, &'a str)>,
}

impl<'a, 'v> Checker<'a, 'v> {
    pub(super) fn new(validator: &'v Validator<'v>, resource: &'a Resource) -> Checker<'a, 'v> {
        let value = resource.value();
        let (kind, shape) = (resource.kind(), definitions::shape(resource.kind()));
        Checker {
            validator,
            place: Vec::with_capacity(16),
            issues: Vec::new(),
            refusals: 0,
            notes: 0,
            is_base: false,
            resource: Item { value, sibling: None, kind, shape },
            depth: 0,
            container: value,
            root: value,
            declared: Vec::new(),
            nested: 0,
            profile: "".into(),
        }
    }

    /// Leaves extensions and profiles out.
    pub(super) fn base_only(&mut self) {
        self.is_base = true;
    }

    /// Checks the outermost resource.
    pub(super) fn resource_itself(&mut self, resource: &'a Resource) {
        self.place.push(Step::Name(resource.kind()));
        self.depth = self.place.len();
        if let Some(shape) = definitions::shape(resource.kind()) {
            self.declare();
            self.object(resource.value(), shape);
        }
    }

    pub(super) fn into_issues(self) -> Vec<Issue> {
        self.issues
    }

    /// Notes the resource that is looked at, if it says which profiles it follows.
    fn declare(&mut self) {
        let names =
            self.resource.value.get("meta").is_some_and(|meta| meta.get("profile").is_some());
        if names && !self.is_base {
            let (item, container) = (self.resource, self.container);
            self.declared.push(Declared { place: self.place.clone(), item, container });
        }
    }

    pub(super) fn issue(&mut self, code: IssueCode, message: impl Into<String>) {
        let location = self.location();
        self.push(Issue::error(code, location, message));
    }

    pub(super) fn push(&mut self, issue: Issue) {
        let count = if issue.refuses() { &mut self.refusals } else { &mut self.notes };
        *count += 1;
        if *count <= MOST_ISSUES {
            self.issues.push(issue);
        }
    }

    pub(super) fn issue_at(&mut self, name: &'a str, code: IssueCode, message: impl Into<String>) {
        self.place.push(Step::Name(name));
        self.issue(code, message);
        self.place.pop();
    }

    pub(super) fn location(&self) -> String {
        place::written(&self.place)
    }

    fn object(&mut self, value: &'a Value, shape: &'static Shape) {
        let Value::Object(object) = value else {
            return;
        };
        if object.is_empty() {
            return self.issue(IssueCode::Structure, "empty object: leave the element out");
        }
        let before = self.refusals;
        self.members(object, shape);
        if self.refusals == before {
            rules::of_shape(
                self,
                Item { value, sibling: None, kind: &shape.name, shape: Some(shape) },
            );
        }
    }

    fn members(&mut self, object: &'a Object, shape: &'static Shape) {
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
                let before = self.refusals;
                met.count(found, self.member(value, found, &beside));
                if self.refusals == before {
                    self.element_rules(value, found);
                }
            } else if is_bare(shape, found) {
                self.issue(IssueCode::Structure, "its element cannot have extensions: remove it");
            } else {
                met.count(found, self.extensions(value, found, object.get(plain)));
            }
            self.place.pop();
        }
        self.required(shape, &met);
        if !self.is_base && found_extensions(object) {
            extension::all(self, object);
        }
    }

    /// Asks the rules for values in this place.
    fn element_rules(&mut self, value: &'a Value, found: Found) {
        if found.element.rules.is_empty() {
            return;
        }
        let items = value.as_array().unwrap_or(std::slice::from_ref(value));
        for (index, value) in items.iter().enumerate() {
            if found.element.repeats() {
                self.place.push(Step::Index(index));
            }
            rules::all(self, &found.element.rules, Item::new(value, None, found.kind));
            if found.element.repeats() {
                self.place.pop();
            }
        }
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
                self.item(value, found);
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
                self.item(item, found);
            }
            self.place.pop();
        }
    }

    fn item(&mut self, value: &'a Value, found: Found) {
        let kind = found.kind;
        match (kind.content, value) {
            (Content::Primitive(primitive), value) => self.primitive(value, primitive, kind),
            (Content::Shape(id), Value::Object(object)) => {
                if kind.name == "Reference"
                    && let Some((name, message)) = reference::fault(object, &kind.targets)
                {
                    self.issue_at(name, IssueCode::Value, message);
                }
                let before = self.refusals;
                self.object(value, id.shape());
                if let Some(binding) = &found.element.binding
                    && self.refusals == before
                {
                    self.binding(binding, Item::new(value, None, kind));
                }
            }
            (Content::Resource, Value::Object(_)) => self.resource(value),
            (Content::Shape(_) | Content::Resource, Value::Null) => {
                self.issue(IssueCode::Structure, "`null`: leave it out");
            }
            (Content::Shape(_) | Content::Resource, _) => {
                let message = format!("not an object: send a {} as `{{…}}`", kind.name);
                self.issue(IssueCode::Structure, message);
            }
        }
    }

    fn resource(&mut self, value: &'a Value) {
        let Some(kind) = value.text("resourceType") else {
            let message = "`resourceType` is required: name the type of the resource";
            return self.issue_at("resourceType", IssueCode::Required, message);
        };
        let kind = definitions::resource_kind(kind);
        let Some((kind, shape)) = kind.and_then(|kind| Some((kind, definitions::shape(kind)?)))
        else {
            let message = "not a resource type of FHIR R4: correct it";
            return self.issue_at("resourceType", IssueCode::Value, message);
        };
        let outer = (self.resource, self.depth, self.container);
        let is_contained = self.place.iter().rev().find_map(|step| match step {
            Step::Name(name) => Some(*name == "contained"),
            Step::Index(_) => None,
        });
        if is_contained == Some(true) {
            if value.get("contained").is_some() {
                let message = "rule `dom-2` does not hold: contained resources contain none: put them side by side";
                return self.issue_at("contained", IssueCode::Invariant, message);
            }
        } else {
            self.container = value;
        }
        self.resource = Item { value, sibling: None, kind, shape: Some(shape) };
        self.depth = self.place.len();
        self.declare();
        self.object(value, shape);
        (self.resource, self.depth, self.container) = outer;
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
            (Value::Object(_), false) => {
                self.object(value, shape);
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
                (Value::Object(_), _) => self.object(item, shape),
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
        let item = sibling(self.object, self.name)
            .and_then(Value::as_array)
            .and_then(|items| items.get(index));
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

pub(super) fn choices(names: &[&str]) -> String {
    match names {
        [one] => format!("use `{one}`"),
        few if few.len() <= MOST_NAMED => format!("use one of `{}`", few.join("`, `")),
        many => format!("use one of its {} codes", many.len()),
    }
}

fn found_extensions(object: &Object) -> bool {
    object.iter().any(|(name, _)| matches!(name, "extension" | "modifierExtension"))
}
