//! Where an element stands in a resource, and how lists of elements change. A primitive's id and
//! extensions, in the member with `_` beside it, always go along.

use crate::definitions::{self, Content, Found, Shape};
use crate::value::{Object, Value};

/// One step down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A member, by its JSON name.
    Name(Box<str>),
    /// An item, counted from 0.
    Index(usize),
}

/// An element: the steps to it from the resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place(pub(super) Vec<Step>);

/// A primitive without value stands in two members, of which one may be missing.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) value: &'a Value,
    pub(super) sibling: Option<&'a Value>,
}

impl Wanted<'_> {
    fn is(self, value: &Value, sibling: Option<&Value>) -> bool {
        std::ptr::eq(self.value, value)
            || matches!((self.sibling, sibling), (Some(a), Some(b)) if std::ptr::eq(a, b))
    }
}

impl Place {
    /// The place of a value that is part of `root`; nothing if it is not.
    pub(super) fn of(root: &Value, wanted: Wanted<'_>) -> Option<Place> {
        let mut steps = Vec::new();
        (wanted.is(root, None) || search(root, wanted, &mut steps)).then_some(Place(steps))
    }

    /// How many steps.
    pub(super) fn depth(&self) -> usize {
        self.0.len()
    }

    /// The value there.
    pub(super) fn find<'a>(&self, root: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(root, |value, step| match step {
            Step::Name(name) => value.get(name),
            Step::Index(index) => value.as_array()?.get(*index),
        })
    }

    /// The value there, to change.
    pub(super) fn find_mut<'a>(&self, root: &'a mut Value) -> Option<&'a mut Value> {
        self.0.iter().try_fold(root, |value, step| match (step, value) {
            (Step::Name(name), Value::Object(object)) => object.get_mut(name),
            (Step::Index(index), Value::Array(items)) => items.get_mut(*index),
            _ => None,
        })
    }

    /// What the definitions say of the element, by the type of the resource it stands in.
    pub(super) fn found(&self, root: &Value) -> Option<Found> {
        let (mut value, mut found) = (Some(root), None);
        let mut shape = shape_of(root, None);
        for step in &self.0 {
            match step {
                Step::Name(name) => {
                    let plain = name.strip_prefix('_').unwrap_or(name);
                    found = Some(shape?.member(plain)?);
                    value = value.and_then(|value| value.get(name));
                    if plain.len() < name.len() {
                        // Beside a primitive stand its id and extensions.
                        shape = definitions::shape("Element");
                        continue;
                    }
                }
                Step::Index(index) => {
                    let beside = matches!(shape, Some(shape) if shape.name == "Element");
                    value = value.and_then(Value::as_array).and_then(|items| items.get(*index));
                    if beside {
                        continue;
                    }
                }
            }
            shape = value.and_then(|value| shape_of(value, found));
        }
        found
    }

    /// The list that the element stands in, with its index there; of a single element its own
    /// place.
    pub(super) fn list(&self) -> (Element, usize) {
        let mut steps = self.0.clone();
        let index = match steps.last() {
            Some(Step::Index(index)) => {
                let index = *index;
                steps.pop();
                index
            }
            _ => 0,
        };
        let name = match steps.pop() {
            Some(Step::Name(name)) => name,
            _ => Box::default(),
        };
        (Element { parent: Place(steps), name }, index)
    }
}

/// The shape of an object: of a resource its own type's, of another element what its place says.
pub(super) fn shape_of(value: &Value, found: Option<Found>) -> Option<&'static Shape> {
    match found.map(|found| found.kind.content) {
        Some(Content::Shape(id)) => Some(id.shape()),
        Some(Content::Primitive(_)) => None,
        Some(Content::Resource) | None => value.text("resourceType").and_then(definitions::shape),
    }
}

fn search(value: &Value, wanted: Wanted<'_>, steps: &mut Vec<Step>) -> bool {
    let Value::Object(object) = value else { return false };
    object.iter().any(|(name, child)| {
        let (plain, sibling) = match name.strip_prefix('_') {
            Some(plain) => (plain, Some(child)),
            None => (name, object.get(&format!("_{name}"))),
        };
        let step = |name: &str| Step::Name(name.into());
        if wanted.is(child, sibling) {
            steps.push(step(plain));
            return true;
        }
        if items(child, sibling, wanted, (step(name), step(plain)), steps) {
            return true;
        }
        false
    })
}

/// Looks in a member: its items are told by its plain name, what is in them by the one it has.
fn items(
    value: &Value,
    sibling: Option<&Value>,
    wanted: Wanted<'_>,
    (name, plain): (Step, Step),
    steps: &mut Vec<Step>,
) -> bool {
    let length = steps.len();
    steps.push(name);
    let Value::Array(items) = value else {
        return search(value, wanted, steps) || {
            steps.truncate(length);
            false
        };
    };
    for (index, item) in items.iter().enumerate() {
        steps.push(Step::Index(index));
        let beside = sibling.and_then(Value::as_array).and_then(|items| items.get(index));
        if wanted.is(item, beside) {
            if let Some(place) = steps.get_mut(length) {
                *place = plain;
            }
            return true;
        }
        if search(item, wanted, steps) {
            return true;
        }
        steps.pop();
    }
    steps.truncate(length);
    false
}

/// An element by its parent and JSON name: a single one or a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) parent: Place,
    pub(super) name: Box<str>,
}

/// An element's value, and what a primitive has beside it.
#[derive(Clone, Debug, Default)]
pub(super) struct Pair {
    pub(super) value: Option<Value>,
    pub(super) sibling: Option<Value>,
}

impl Element {
    /// The object that the element is a member of.
    fn object<'a>(&self, root: &'a mut Value) -> Option<&'a mut Object> {
        self.parent.find_mut(root)?.as_object_mut()
    }

    /// How many there are: a single one counts as one.
    pub(super) fn count(&self, root: &mut Value) -> usize {
        let Some(object) = self.object(root) else { return 0 };
        let of = |name: &str| match object.get(name) {
            Some(Value::Array(items)) => items.len(),
            Some(_) => 1,
            None => 0,
        };
        of(&self.name).max(of(&self.beside()))
    }

    /// Whether there is a list, and not a single one.
    pub(super) fn is_list(&self, root: &Value) -> bool {
        let is_list = |name: &str| {
            let value = self.parent.find(root).and_then(|parent| parent.get(name));
            matches!(value, Some(Value::Array(_)))
        };
        is_list(&self.name) || is_list(&self.beside())
    }

    fn beside(&self) -> String {
        format!("_{}", self.name)
    }

    /// Puts a single element in its place, whatever stood there.
    pub(super) fn set(&self, root: &mut Value, pair: Pair) {
        let beside = self.beside();
        let Some(object) = self.object(root) else { return };
        for (name, value) in [(&*self.name, pair.value), (beside.as_str(), pair.sibling)] {
            match value {
                Some(value) => object.set(name, value),
                None => drop(object.remove(name)),
            }
        }
    }

    /// Changes the list, and the one beside it in step.
    pub(super) fn change(&self, root: &mut Value, change: impl FnOnce(&mut Vec<Pair>)) {
        let beside = self.beside();
        let Some(object) = self.object(root) else { return };
        let mut take = |name: &str| match object.get_mut(name).map(std::mem::take) {
            Some(Value::Array(items)) => items,
            Some(single) => vec![single],
            None => Vec::new(),
        };
        let (values, siblings) = (take(&self.name), take(&beside));
        let length = values.len().max(siblings.len());
        let some = |value: Option<Value>| value.filter(|value| *value != Value::Null);
        let mut values = values.into_iter();
        let mut siblings = siblings.into_iter();
        let mut pairs: Vec<Pair> = (0..length)
            .map(|_| Pair { value: some(values.next()), sibling: some(siblings.next()) })
            .collect();
        change(&mut pairs);
        let (values, siblings): (Vec<_>, Vec<_>) =
            pairs.into_iter().map(|pair| (pair.value, pair.sibling)).unzip();
        for (name, items) in [(&*self.name, values), (beside.as_str(), siblings)] {
            if items.iter().all(Option::is_none) {
                object.remove(name);
            } else {
                let items = items.into_iter().map(Option::unwrap_or_default).collect();
                object.set(name, Value::Array(items));
            }
        }
    }
}
