//! FHIRPath Patch: operations on elements told by FHIRPath, in a Parameters resource (R4 fhirpatch).

use super::place::{Element, Pair, Place, Wanted, shape_of};
use super::{Budget, fault, identity, same_identity};
use crate::definitions::{Content, ElementType, Shape};
use crate::fhirpath::Expression;
use crate::fhirpath::item::Item;
use crate::fhirpath::scope::Scope;
use crate::issue::{Issue, IssueCode};
use crate::value::{Object, Value};

/// Most operations in one patch: each looks through the resource.
const MAX_OPERATIONS: usize = 250;

/// Steps that one path may take.
const STEPS: u64 = 200_000;

/// One operation.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    path: Expression,
    action: Action,
}

#[derive(Clone, Debug)]
enum Action {
    Add { name: Box<str>, value: Value },
    Insert { value: Value, index: usize },
    Delete,
    Replace { value: Value },
    Move { from: usize, to: usize },
}

pub(super) fn read(parameters: &Value) -> Result<Vec<Operation>, Issue> {
    let refuse = |code, message: &str| Err(Issue::error(code, "Parameters.parameter", message));
    if parameters.text("resourceType") != Some("Parameters") {
        let message = "a FHIRPath Patch is a Parameters resource (R4 fhirpatch)";
        return Err(Issue::error(IssueCode::Structure, "resourceType", message));
    }
    let operations = parameters.items("parameter");
    if operations.len() > MAX_OPERATIONS {
        return refuse(IssueCode::TooCostly, "at most 250 operations; send several patches");
    }
    if operations.iter().any(|operation| operation.text("name") != Some("operation")) {
        return refuse(IssueCode::Value, "each parameter of a patch is named `operation`");
    }
    operations.iter().enumerate().map(|(i, operation)| read_one(operation, i)).collect()
}

fn read_one(operation: &Value, i: usize) -> Result<Operation, Issue> {
    let part =
        |name: &str| operation.items("part").iter().find(|part| part.text("name") == Some(name));
    let missing = |name: &str, message: &str| fault(IssueCode::Required, i, name, message);
    let text = |name: &str, member: &str, message: &str| {
        let text = part(name).and_then(|part| part.text(member));
        text.ok_or_else(|| missing(name, message))
    };
    let index = |name: &str| {
        let number = part(name).and_then(|part| part.get("valueInteger")?.as_number()?.as_i64());
        let number = number.and_then(|number| usize::try_from(number).ok());
        number.ok_or_else(|| missing(name, "send `valueInteger`, counted from 0"))
    };
    let value = || part("value").cloned().ok_or_else(|| missing("value", "send the part `value`"));
    let action = match text("type", "valueCode", "send the part `type` with `valueCode`")? {
        "add" => Action::Add {
            name: text("name", "valueString", "send the part `name` with `valueString`")?.into(),
            value: value()?,
        },
        "insert" => Action::Insert { value: value()?, index: index("index")? },
        "delete" => Action::Delete,
        "replace" => Action::Replace { value: value()? },
        "move" => Action::Move { from: index("source")?, to: index("destination")? },
        _ => {
            let message = "use one of `add`, `insert`, `delete`, `replace`, `move`";
            return Err(fault(IssueCode::Value, i, "type", message));
        }
    };
    let path = text("path", "valueString", "send the part `path` with `valueString`")?;
    let path = Expression::parse(path)
        .map_err(|error| fault(IssueCode::Value, i, "path", error.to_string()))?;
    Ok(Operation { path, action })
}

pub(super) fn apply(operations: &[Operation], resource: &mut Value) -> Result<(), Issue> {
    let identity = identity(resource);
    let mut budget = Budget::default();
    for (i, operation) in operations.iter().enumerate() {
        operation.apply(resource, &mut budget, i)?;
        if !same_identity(&identity, resource) {
            let message = "a patch may not change `resourceType` or `id`";
            return Err(fault(IssueCode::BusinessRule, i, "path", message));
        }
    }
    Ok(())
}

impl Operation {
    fn apply(&self, resource: &mut Value, budget: &mut Budget, i: usize) -> Result<(), Issue> {
        let places = self.places(resource, i)?;
        match &self.action {
            Action::Add { name, value } => {
                let place = single(&places, i)?;
                let (element, content, repeats) = named(resource, place, name, value, i)?;
                let pair = pair(value, content, i)?;
                spend(budget, &pair, place.depth() + 2, i)?;
                if repeats {
                    element.change(resource, |items| items.push(pair));
                } else if element.count(resource) > 0 {
                    let message = "the element is there already; use `replace`";
                    return Err(fault(IssueCode::Duplicate, i, "name", message));
                } else {
                    element.set(resource, pair);
                }
            }
            Action::Insert { value, index } => {
                let (list, kind) = list(resource, &places, i)?;
                let pair = pair(value, kind, i)?;
                spend(budget, &pair, list.parent.depth() + 2, i)?;
                if *index > list.count(resource) {
                    return Err(beyond(i, "index"));
                }
                list.change(resource, |items| items.insert(*index, pair));
            }
            Action::Delete => match places.as_slice() {
                [] => {}
                places => {
                    single(places, i)?.found(resource).ok_or_else(|| unknown(i))?;
                    let (element, index) = single(places, i)?.list();
                    remove(&element, index, resource);
                }
            },
            Action::Replace { value } => replace(resource, single(&places, i)?, value, budget, i)?,
            Action::Move { from, to } => {
                let (list, _) = list(resource, &places, i)?;
                let count = list.count(resource);
                if *from >= count || *to >= count {
                    return Err(beyond(i, if *from >= count { "source" } else { "destination" }));
                }
                list.change(resource, |items| {
                    let item = items.remove(*from);
                    items.insert(*to, item);
                });
            }
        }
        Ok(())
    }

    /// Where the elements stand that the path finds.
    fn places(&self, resource: &Value, i: usize) -> Result<Vec<Place>, Issue> {
        let scope = Scope::new().budget(STEPS);
        let items = self
            .path
            .evaluate(Item::resource(resource), &scope)
            .map_err(|error| fault(IssueCode::Processing, i, "path", error.to_string()))?;
        let place = |item: &Item<'_>| match item {
            Item::Node(node) => {
                Place::of(resource, Wanted { value: node.value, sibling: node.sibling })
            }
            _ => None,
        };
        items.iter().map(place).collect::<Option<_>>().ok_or_else(|| {
            let message = "the path must lead to elements of the resource itself";
            fault(IssueCode::Value, i, "path", message)
        })
    }
}

impl Element {
    /// The member for a value of another type, where the element is a choice.
    fn choice(&self, resource: &Value, value: &Value) -> Option<(Element, &'static ElementType)> {
        let shape = shape_at(resource, &self.parent)?;
        let element = shape.member(&self.name)?.element;
        let (name, kind) = of_type(shape, element.name, value)?;
        let other = Element { parent: self.parent.clone(), name: name.into() };
        (element.choice && *self.name != *name).then_some((other, kind))
    }
}

/// Puts a value where another stands; of a choice perhaps one of another type.
fn replace(
    resource: &mut Value,
    place: &Place,
    value: &Value,
    budget: &mut Budget,
    i: usize,
) -> Result<(), Issue> {
    let found = place.found(resource).ok_or_else(|| unknown(i))?;
    let (element, index) = place.list();
    let other = element.choice(resource, value);
    let kind = other.as_ref().map_or(found.kind, |(_, kind)| *kind);
    let pair = pair(value, kind, i)?;
    spend(budget, &pair, place.depth(), i)?;
    match other {
        Some((other, _)) => {
            remove(&element, 0, resource);
            other.set(resource, pair);
        }
        None if found.element.repeats() => element.change(resource, |items| {
            if let Some(item) = items.get_mut(index) {
                *item = pair;
            }
        }),
        None => element.set(resource, pair),
    }
    Ok(())
}

fn shape_at(resource: &Value, place: &Place) -> Option<&'static Shape> {
    let value = place.find(resource)?;
    shape_of(value, place.found(resource))
}

/// The member that `add` fills, its type, and whether it is a list.
fn named(
    resource: &Value,
    place: &Place,
    name: &str,
    value: &Value,
    i: usize,
) -> Result<(Element, &'static ElementType, bool), Issue> {
    let shape = shape_at(resource, place);
    let plain = name.strip_suffix("[x]").unwrap_or(name);
    let by_choice = || {
        let shape = shape?;
        let found = shape.elements.iter().find(|element| element.name == plain)?;
        let (member, kind) = of_type(shape, plain, value)?;
        Some((member, kind, found.repeats()))
    };
    let by_member = || {
        let (member, found) = (plain, shape?.member(plain)?);
        Some((member, found.kind, found.element.repeats()))
    };
    let (member, kind, repeats) = by_member().or_else(by_choice).ok_or_else(|| {
        fault(IssueCode::Value, i, "name", "the element has no child of this name and type")
    })?;
    Ok((Element { parent: place.clone(), name: member.into() }, kind, repeats))
}

/// The JSON name of an element for a value of the type sent.
fn of_type(
    shape: &'static Shape,
    element: &str,
    value: &Value,
) -> Option<(&'static str, &'static ElementType)> {
    let names = shape.names_of(element);
    if let [one] = names.as_slice() {
        return Some(*one);
    }
    let (sent, _) = sent(value)?;
    names.into_iter().find(|(_, kind)| kind.name.eq_ignore_ascii_case(sent))
}

/// The list that `insert` and `move` change, and the type of its items.
fn list(
    resource: &Value,
    places: &[Place],
    i: usize,
) -> Result<(Element, &'static ElementType), Issue> {
    let mut lists = places.iter().map(|place| (place, place.list().0));
    let Some((place, list)) = lists.next() else {
        let message = "the path finds nothing; use `add` for the first item of a list";
        return Err(fault(IssueCode::NotFound, i, "path", message));
    };
    let found = place.found(resource).ok_or_else(|| unknown(i))?;
    if !found.element.repeats() || lists.any(|(_, other)| other != list) {
        let message = "the path must find the items of one list";
        return Err(fault(IssueCode::Value, i, "path", message));
    }
    Ok((list, found.kind))
}

fn single(places: &[Place], i: usize) -> Result<&Place, Issue> {
    match places {
        [place] => Ok(place),
        [] => Err(fault(IssueCode::NotFound, i, "path", "the path finds nothing")),
        _ => {
            let message = "the path finds several elements; narrow it to one";
            Err(fault(IssueCode::MultipleMatches, i, "path", message))
        }
    }
}

fn remove(element: &Element, index: usize, resource: &mut Value) {
    if element.is_list(resource) {
        element.change(resource, |items| {
            if index < items.len() {
                items.remove(index);
            }
        });
    } else {
        element.set(resource, Pair::default());
    }
}

fn beyond(i: usize, member: &str) -> Issue {
    fault(IssueCode::NotFound, i, member, "the index lies beyond the end of the list")
}

fn unknown(i: usize) -> Issue {
    fault(IssueCode::Value, i, "path", "the path must lead to an element of the resource")
}

fn spend(budget: &mut Budget, pair: &Pair, depth: usize, i: usize) -> Result<(), Issue> {
    pair.value.iter().chain(&pair.sibling).try_for_each(|value| budget.spend(value, depth, i))
}

/// The type and value in `valueHumanName`.
fn sent(part: &Value) -> Option<(&str, &Value)> {
    let members = part.as_object()?.iter();
    let mut values = members.filter_map(|(name, it)| Some((name.strip_prefix("value")?, it)));
    values.find(|(kind, _)| !kind.is_empty())
}

/// The value that a part brings, for an element of this type. Elements without a type of their own
/// come as parts (R4 fhirpatch).
fn pair(part: &Value, kind: &'static ElementType, i: usize) -> Result<Pair, Issue> {
    let wrong = |message: &str| Err(fault(IssueCode::Value, i, "value", message));
    if let Some((_, value)) = sent(part) {
        let object = part.as_object().into_iter().flat_map(Object::iter);
        let mut beside = object.filter(|(name, _)| name.starts_with("_value"));
        let sibling = beside.next().map(|(_, value)| value.clone());
        let is_object = matches!(value, Value::Object(_));
        if is_object == matches!(kind.content, Content::Primitive(_)) {
            return wrong("the value has another type than the element");
        }
        return Ok(Pair { value: Some(value.clone()), sibling });
    }
    if let Some(resource) = part.get("resource") {
        return match kind.content {
            Content::Resource => Ok(Pair { value: Some(resource.clone()), sibling: None }),
            _ => wrong("the element holds no resource"),
        };
    }
    let Content::Shape(id) = kind.content else { return wrong("send the value as `value[x]`") };
    let mut object = Object::new();
    for child in part.items("part") {
        let name = child.text("name").unwrap_or_default();
        let Some((member, kind)) = of_type(id.shape(), name, child) else {
            return wrong("a part of the value names no child of the element, or a wrong type");
        };
        let Pair { value, sibling } = pair(child, kind, i)?;
        let repeats = id.shape().member(member).is_some_and(|found| found.element.repeats());
        let Some(value) = value else { continue };
        match (repeats, object.get_mut(member)) {
            (true, Some(Value::Array(items))) => items.push(value),
            (true, _) => object.set(member, Value::Array(vec![value])),
            (false, _) => object.set(member, value),
        }
        if let Some(sibling) = sibling.filter(|_| !repeats) {
            object.set(&format!("_{member}"), sibling);
        }
    }
    if object.is_empty() {
        wrong("the value is empty")
    } else {
        Ok(Pair { value: Some(object.into()), sibling: None })
    }
}
