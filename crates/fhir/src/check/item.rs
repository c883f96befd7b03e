//! A value with its type, as profiles and rules look at it.

use crate::definitions::{self, Content, ElementType, Shape};
use crate::fhirpath::item::{self, Node};
use crate::fhirpath::model::Kind;
use crate::profile::tree::Child;
use crate::value::{Object, Value};

static NULL: Value = Value::Null;

/// A value of an element, or a resource.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'a> {
    /// The value; `null` of a primitive that has extensions only.
    pub value: &'a Value,
    /// The object with the extensions of a primitive.
    pub sibling: Option<&'a Value>,
    /// The name of its type.
    pub kind: &'static str,
    /// The shape of its type; nothing for primitives.
    pub shape: Option<&'static Shape>,
}

/// A value with where it stands below another.
pub(super) struct Found<'a> {
    pub name: &'static str,
    pub index: Option<usize>,
    pub item: Item<'a>,
}

impl<'a> Item<'a> {
    /// A resource, if its type is known.
    pub(super) fn resource(value: &'a Value) -> Option<Item<'a>> {
        let kind = definitions::resource_kind(value.text("resourceType")?)?;
        Some(Item { value, sibling: None, kind, shape: definitions::shape(kind) })
    }

    /// The value of an element; a resource has its own type.
    pub(super) fn new(
        value: &'a Value,
        sibling: Option<&'a Value>,
        kind: &'static ElementType,
    ) -> Item<'a> {
        match kind.content {
            Content::Shape(id) => Item { value, sibling, kind: kind.name, shape: Some(id.shape()) },
            Content::Primitive(_) => Item { value, sibling, kind: kind.name, shape: None },
            Content::Resource => Item::resource(value).unwrap_or(Item {
                value,
                sibling,
                kind: kind.name,
                shape: None,
            }),
        }
    }

    /// The item as FHIRPath sees it.
    pub(super) fn node(&self) -> item::Item<'a> {
        let name = self.shape.map_or(self.kind, |shape| &shape.name);
        match Kind::fhir(name) {
            Some(kind) => item::Item::Node(Node { value: self.value, sibling: self.sibling, kind }),
            None => item::Item::resource(self.value),
        }
    }

    /// The values of one of its elements, in order.
    pub(super) fn children(&self, child: &Child) -> Vec<Found<'a>> {
        let shape = self.shape.or_else(|| definitions::shape("Element"));
        let members = child.members.iter().filter(|member| {
            shape.is_some_and(|shape| {
                std::ptr::eq(shape, member.shape) || is_resource_base(shape, member.shape)
            })
        });
        let mut found = Vec::new();
        for member in members {
            self.member(member.name, member.kind, &mut found);
        }
        found
    }

    /// The values of the element `name`, of all its types if it is a choice.
    pub(super) fn named(&self, name: &str) -> Vec<Found<'a>> {
        let shape = self.shape.or_else(|| definitions::shape("Element"));
        let mut found = Vec::new();
        for (name, kind) in shape.map(|shape| shape.names_of(name)).unwrap_or_default() {
            self.member(name, kind, &mut found);
        }
        found
    }

    fn member(&self, name: &'static str, kind: &'static ElementType, found: &mut Vec<Found<'a>>) {
        let Some(object) = self.object() else {
            return;
        };
        let sibling = match kind.content {
            Content::Primitive(_) => sibling(object, name),
            Content::Shape(_) | Content::Resource => None,
        };
        let value = object.get(name);
        if let Some(Value::Array(_)) = value.or(sibling) {
            let items = value.and_then(Value::as_array).unwrap_or_default();
            let siblings = sibling.and_then(Value::as_array).unwrap_or_default();
            for index in 0..items.len().max(siblings.len()) {
                let beside = siblings.get(index).filter(|beside| **beside != Value::Null);
                let item = Item::new(items.get(index).unwrap_or(&NULL), beside, kind);
                found.push(Found { name, index: Some(index), item });
            }
        } else if value.is_some() || sibling.is_some() {
            let item = Item::new(value.unwrap_or(&NULL), sibling, kind);
            found.push(Found { name, index: None, item });
        }
    }

    fn object(&self) -> Option<&'a Object> {
        self.value.as_object().or_else(|| self.sibling.and_then(Value::as_object))
    }
}

/// The elements of `DomainResource` are those of every resource that is one.
fn is_resource_base(shape: &Shape, base: &Shape) -> bool {
    base.name == "DomainResource" && shape.base == "DomainResource"
}

/// The member `_name` beside `name`.
pub(super) fn sibling<'a>(object: &'a Object, name: &str) -> Option<&'a Value> {
    let mut members = object.iter();
    members.find(|(key, _)| key.strip_prefix('_') == Some(name)).map(|(_, value)| value)
}
