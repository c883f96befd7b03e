//! The place that is looked at, written out only where there is an issue.

use crate::definitions::{self, Content, Shape};

/// One step of a place.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

/// Writes steps as FHIRPath: `Observation.component[2].valueQuantity`.
pub(super) fn written(steps: &[Step]) -> String {
    let mut text = String::new();
    for step in steps {
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

/// An element as definitions speak of it.
pub(super) struct Element {
    /// Its path from the resource on, choices without type: `Observation.component.value`.
    pub path: String,
    /// The type or nested element that has it, and its name there; nothing for a resource.
    pub owner: Option<(&'static Shape, &'static str)>,
    /// The name of its type.
    pub kind: &'static str,
    /// The shape of its type; nothing for primitives.
    pub shape: Option<&'static Shape>,
}

/// The element of a resource of type `kind` that the member names lead to.
pub(super) fn element(kind: &'static str, steps: &[Step]) -> Element {
    let shape = definitions::shape(kind);
    let mut element = Element { path: kind.to_owned(), owner: None, kind, shape };
    for step in steps {
        let Step::Name(name) = step else {
            continue;
        };
        let plain = name.strip_prefix('_').unwrap_or(name);
        let holder = element.shape.or_else(|| definitions::shape("Element"));
        let Some((holder, found)) = holder.and_then(|shape| Some((shape, shape.member(plain)?)))
        else {
            break;
        };
        element.path.push('.');
        element.path.push_str(found.element.name);
        element.owner = Some((holder, found.element.name));
        element.kind = found.kind.name;
        element.shape = match found.kind.content {
            Content::Shape(id) => Some(id.shape()),
            Content::Primitive(_) | Content::Resource => None,
        };
    }
    element
}
