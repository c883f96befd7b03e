//! Single faults put into sound resources: where a fault can be put, each kind of fault, and where the
//! check has to find it. Nothing is drawn at random, so that a run is the same as the last.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use fhir::definitions::{self, Content, Element, ElementType, Shape};
use fhir::value::Value;

pub mod kinds;
pub mod samples;

/// One step from a value to one within it.
#[derive(Clone, Debug)]
pub enum Step {
    Member(String),
    Item(usize),
}

/// A place in a resource where a fault can be put.
#[derive(Clone, Debug)]
pub struct Site {
    /// The steps from the resource.
    pub way: Vec<Step>,
    /// FHIRPath of the place.
    pub place: String,
    /// The type of a resource, element or item there.
    pub shape: Option<&'static Shape>,
    /// The element and its type; nothing for a resource.
    pub element: Option<(&'static Element, &'static ElementType)>,
    /// Whether it is one item of an array.
    pub is_item: bool,
}

impl Site {
    pub fn kind(&self) -> &'static str {
        self.element.map_or("", |(_, kind)| kind.name)
    }

    pub fn repeats(&self) -> bool {
        self.element.is_some_and(|(element, _)| element.repeats())
    }

    pub fn is_primitive(&self) -> bool {
        self.element.is_some_and(|(_, kind)| matches!(kind.content, Content::Primitive(_)))
    }

    /// The last member name on the way.
    pub fn name(&self) -> &str {
        let names = self.way.iter().rev();
        names
            .filter_map(|step| match step {
                Step::Member(name) => Some(name.as_str()),
                Step::Item(_) => None,
            })
            .next()
            .unwrap_or_default()
    }

    /// The place of what holds it.
    pub fn holder(&self) -> &str {
        self.place.rsplit_once('.').map_or("", |(holder, _)| holder)
    }

    pub fn is_resource(&self) -> bool {
        self.shape.is_some_and(|shape| shape.kind == definitions::ShapeKind::Resource)
    }
}

/// All places of a resource, itself first.
pub fn sites(resource: &Value) -> Vec<Site> {
    let kind = resource.text("resourceType").unwrap();
    let shape = definitions::shape(kind);
    let site =
        Site { way: Vec::new(), place: kind.to_owned(), shape, element: None, is_item: false };
    let mut found = vec![site.clone()];
    below(resource, &site, &mut found);
    found
}

fn below(value: &Value, holder: &Site, found: &mut Vec<Site>) {
    let (Some(object), Some(shape)) = (value.as_object(), holder.shape) else {
        return;
    };
    for (name, value) in object.iter() {
        let Some(member) = shape.member(name) else {
            continue;
        };
        let mut way = holder.way.clone();
        way.push(Step::Member(name.to_owned()));
        let place = format!("{}.{name}", holder.place);
        let element = Some((member.element, member.kind));
        let site = |way, place, value: &Value, is_item| {
            let shape = match member.kind.content {
                Content::Shape(id) => Some(id.shape()),
                Content::Resource => value.text("resourceType").and_then(definitions::shape),
                Content::Primitive(_) => None,
            };
            Site { way, place, shape, element, is_item }
        };
        let Value::Array(items) = value else {
            let site = site(way, place, value, false);
            found.push(site.clone());
            below(value, &site, found);
            continue;
        };
        let mut whole = site(way.clone(), place.clone(), value, false);
        whole.shape = None;
        found.push(whole);
        for (index, item) in items.iter().enumerate().filter(|(_, item)| **item != Value::Null) {
            let mut way = way.clone();
            way.push(Step::Item(index));
            let site = site(way, format!("{place}[{index}]"), item, true);
            found.push(site.clone());
            below(item, &site, found);
        }
    }
}

/// The value at a place.
pub fn at<'a>(value: &'a Value, way: &[Step]) -> &'a Value {
    way.iter().fold(value, |value, step| match step {
        Step::Member(name) => value.get(name).unwrap(),
        Step::Item(index) => value.as_array().unwrap().get(*index).unwrap(),
    })
}

/// The resource with the value at a place changed.
pub fn changed(resource: &Value, way: &[Step], change: impl FnOnce(&mut Value)) -> Value {
    let mut resource = resource.clone();
    let place = way.iter().fold(&mut resource, |value, step| match (step, value) {
        (Step::Member(name), Value::Object(object)) => object.get_mut(name).unwrap(),
        (Step::Item(index), Value::Array(items)) => items.get_mut(*index).unwrap(),
        (_, value) => value,
    });
    change(place);
    resource
}

/// The resource with another value at a place.
pub fn put(resource: &Value, site: &Site, value: impl Into<Value>) -> Value {
    let value = value.into();
    changed(resource, &site.way, |place| *place = value)
}

/// The resource with a member of the object at a place set, or taken out where there is no value.
pub fn member(resource: &Value, way: &[Step], name: &str, value: Option<Value>) -> Value {
    changed(resource, way, |place| {
        let object = place.as_object_mut().unwrap();
        match value {
            Some(value) => object.set(name, value),
            None => {
                object.remove(name);
            }
        }
    })
}
