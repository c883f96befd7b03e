//! What an expression works on and gives: nodes of a value tree, which it borrows, and computed values.

use super::decimal::Decimal;
use super::model::{self, Kind};
use super::moment::Moment;
use crate::definitions;
use crate::primitive::Primitive;
use crate::value::{Object, Value};
use std::borrow::Cow;
use std::fmt;

static NULL: Value = Value::Null;

/// One item of a collection.
#[derive(Clone, Debug)]
pub enum Item<'a> {
    /// An element or resource.
    Node(Node<'a>),
    /// A truth value.
    Boolean(bool),
    /// A whole number of 32 bits.
    Integer(i64),
    /// An exact number.
    Decimal(Decimal),
    /// A text.
    String(Cow<'a, str>),
    /// A date, date with time, or time of day.
    Moment(Moment),
    /// A number with a unit.
    Quantity(Box<Quantity<'a>>),
    /// A type, as `type()` gives it.
    Type(Kind),
}

/// An element or resource of a value tree.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    /// The value; `null` of a primitive that has only an id or extensions.
    pub value: &'a Value,
    /// The object with id and extensions of a primitive: the member `_birthDate` beside `birthDate`.
    pub sibling: Option<&'a Value>,
    /// The type.
    pub kind: Kind,
}

/// A number with a unit.
#[derive(Clone, Debug)]
pub struct Quantity<'a> {
    /// The number.
    pub value: Decimal,
    /// The unit: a UCUM code, or a word of the calendar such as `days`.
    pub unit: Cow<'a, str>,
    /// Whether the unit is a word of the calendar.
    pub calendar: bool,
}

impl<'a> Node<'a> {
    /// A whole resource; of unknown type if it names none of R4.
    pub fn resource(value: &'a Value) -> Node<'a> {
        let kind = value.text("resourceType").and_then(definitions::resource_kind);
        let kind = kind.and_then(Kind::fhir).unwrap_or(Kind::UNKNOWN);
        Node { value, sibling: None, kind }
    }

    /// A resource that is known by nothing but its type.
    pub(super) fn of_type(kind: Kind) -> Node<'a> {
        Node { value: &NULL, sibling: None, kind }
    }

    /// The text of a primitive that JSON writes as a string.
    pub fn text(&self) -> Option<&'a str> {
        self.value.as_str()
    }

    /// Whether it is a primitive with a value.
    pub(super) fn has_value(&self) -> bool {
        *self.value != Value::Null && (self.kind.primitive().is_some() || !self.is_object())
    }

    fn is_object(&self) -> bool {
        matches!(self.value, Value::Object(_))
    }

    /// The object whose members are the children.
    pub(super) fn object(&self) -> Option<&'a Object> {
        match self.value {
            Value::Object(object) => Some(object),
            _ => self.sibling.and_then(Value::as_object),
        }
    }

    /// The value that a primitive or quantity turns into by itself; nothing for others.
    pub(super) fn to_system(self) -> Option<Item<'a>> {
        match self.value {
            Value::Object(object) => {
                let is_quantity = self.kind.is_a(model::well_known().quantity);
                return is_quantity.then(|| quantity(object))?;
            }
            Value::Bool(truth) => return Some(Item::Boolean(*truth)),
            Value::Number(number) => {
                let whole =
                    number.as_i64().filter(|_| self.kind.as_system() != Some(Kind::DECIMAL));
                let decimal = || Decimal::parse(number.as_str()).map(Item::Decimal);
                return whole.map(Item::Integer).or_else(decimal);
            }
            Value::String(_) | Value::Null | Value::Array(_) => {}
        }
        let text = self.text()?;
        let moment = match self.kind.primitive() {
            Some(Primitive::Date) => Moment::date(text),
            Some(Primitive::DateTime | Primitive::Instant) => Moment::date_time(text),
            Some(Primitive::Time) => Moment::time(text),
            _ => None,
        };
        Some(moment.map_or(Item::String(Cow::Borrowed(text)), Item::Moment))
    }
}

/// The quantity of an element: its UCUM code, or its unit as written. Durations of the calendar are
/// words in FHIRPath (R4 fhirpath, "Use of FHIR Quantity").
fn quantity(object: &Object) -> Option<Item<'_>> {
    let value = Decimal::parse(object.get("value")?.as_number()?.as_str())?;
    if object.get("comparator").is_some() {
        return None;
    }
    let text = |name| object.get(name).and_then(Value::as_str);
    let code = text("code").filter(|_| text("system") == Some("http://unitsofmeasure.org"));
    let (unit, calendar) = match code.or_else(|| text("unit").filter(|_| text("code").is_none())) {
        Some("a") if code.is_some() => ("year", true),
        Some("mo") if code.is_some() => ("month", true),
        Some(unit) => (unit, false),
        None if text("code").is_none() => ("1", false),
        None => return None,
    };
    Some(Item::Quantity(Box::new(Quantity { value, unit: Cow::Borrowed(unit), calendar })))
}

impl<'a> Item<'a> {
    /// A whole resource.
    pub fn resource(value: &'a Value) -> Item<'a> {
        Item::Node(Node::resource(value))
    }

    /// The type of the item.
    pub fn kind(&self) -> Kind {
        match self {
            Item::Node(node) => node.kind,
            Item::Boolean(_) => Kind::BOOLEAN,
            Item::Integer(_) => Kind::INTEGER,
            Item::Decimal(_) => Kind::DECIMAL,
            Item::String(_) => Kind::STRING,
            Item::Moment(moment) => moment.kind(),
            Item::Quantity(_) => Kind::QUANTITY,
            Item::Type(_) => Kind::TYPE_INFO,
        }
    }

    /// The node, if this is one.
    pub fn node(&self) -> Option<&Node<'a>> {
        match self {
            Item::Node(node) => Some(node),
            _ => None,
        }
    }

    /// The truth value, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Item::Boolean(truth) => Some(*truth),
            Item::Node(node) => node.value.as_bool(),
            _ => None,
        }
    }

    /// What it counts for as a truth value: what is none is there, thus true. Nothing for a boolean
    /// element without value.
    pub(super) fn truth(&self) -> Option<bool> {
        match self {
            Item::Node(node) if node.kind.as_system() == Some(Kind::BOOLEAN) => {
                node.value.as_bool()
            }
            other => Some(other.as_bool().unwrap_or(true)),
        }
    }

    /// The text, if this is one; of primitives of FHIR that are not written as numbers too.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Item::String(text) => Some(text),
            Item::Node(node) => node.text(),
            _ => None,
        }
    }

    /// The value itself of a primitive node or quantity; other nodes stay as they are.
    pub(super) fn to_system(&self) -> Item<'a> {
        match self {
            Item::Node(node) => node.to_system().unwrap_or_else(|| self.clone()),
            other => other.clone(),
        }
    }
}

impl Moment {
    fn kind(&self) -> Kind {
        match self.sort {
            super::moment::Sort::Date => Kind::DATE,
            super::moment::Sort::DateTime => Kind::DATE_TIME,
            super::moment::Sort::Time => Kind::TIME,
        }
    }
}

/// A collection, without allocation for at most one item.
#[derive(Clone, Debug, Default)]
pub(super) enum Items<'a> {
    #[default]
    None,
    One(Item<'a>),
    Many(Vec<Item<'a>>),
}

impl<'a> Items<'a> {
    pub(super) fn push(&mut self, item: Item<'a>) {
        match self {
            Items::None => *self = Items::One(item),
            Items::Many(items) => items.push(item),
            Items::One(_) => {
                if let Items::One(first) = std::mem::take(self) {
                    *self = Items::Many(vec![first, item]);
                }
            }
        }
    }

    pub(super) fn as_slice(&self) -> &[Item<'a>] {
        match self {
            Items::None => &[],
            Items::One(item) => std::slice::from_ref(item),
            Items::Many(items) => items,
        }
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Item<'a>> {
        self.as_slice().iter()
    }

    pub(super) fn len(&self) -> usize {
        self.as_slice().len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }

    pub(super) fn first(&self) -> Option<&Item<'a>> {
        self.as_slice().first()
    }

    pub(super) fn into_vec(self) -> Vec<Item<'a>> {
        match self {
            Items::None => Vec::new(),
            Items::One(item) => vec![item],
            Items::Many(items) => items,
        }
    }
}

impl<'a> From<Item<'a>> for Items<'a> {
    fn from(item: Item<'a>) -> Items<'a> {
        Items::One(item)
    }
}

impl From<bool> for Items<'_> {
    fn from(truth: bool) -> Self {
        Items::One(Item::Boolean(truth))
    }
}

impl<'a, T: Into<Items<'a>>> From<Option<T>> for Items<'a> {
    fn from(item: Option<T>) -> Items<'a> {
        item.map_or(Items::None, Into::into)
    }
}

impl<'a> From<Vec<Item<'a>>> for Items<'a> {
    fn from(items: Vec<Item<'a>>) -> Items<'a> {
        Items::Many(items)
    }
}

impl<'a> FromIterator<Item<'a>> for Items<'a> {
    fn from_iter<I: IntoIterator<Item = Item<'a>>>(items: I) -> Items<'a> {
        let mut all = Items::None;
        for item in items {
            all.push(item);
        }
        all
    }
}

/// The text of a primitive or computed value, as `toString()` gives it; of other elements their type.
impl fmt::Display for Item<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_system() {
            Item::Node(node) => to.write_str(node.kind.name()),
            Item::Boolean(truth) => write!(to, "{truth}"),
            Item::Integer(number) => write!(to, "{number}"),
            Item::Decimal(number) => write!(to, "{number}"),
            Item::String(text) => to.write_str(&text),
            Item::Moment(moment) => write!(to, "{moment}"),
            Item::Quantity(quantity) if quantity.calendar => {
                write!(to, "{} {}", quantity.value, quantity.unit)
            }
            Item::Quantity(quantity) => write!(to, "{} '{}'", quantity.value, quantity.unit),
            Item::Type(kind) => write!(to, "{}.{}", kind.namespace(), kind.type_name()),
        }
    }
}
