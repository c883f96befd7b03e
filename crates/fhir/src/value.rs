//! A JSON value that loses nothing: members keep their order and decimals keep their written text.
//!
//! Invariant: a [`Number`] always holds text that is a number by RFC 8259.
//! Nothing here knows of FHIR resources; [`crate::resource`] does.

/// Any JSON value.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Value {
    /// `null`, in FHIR only allowed as padding of parallel arrays.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, kept as written.
    Number(Number),
    /// A string, unescaped.
    String(Box<str>),
    /// An array.
    Array(Vec<Value>),
    /// An object, its members in written order.
    Object(Object),
}

/// A JSON number as its exact text: `1.10` stays `1.10` and `1.0e2` stays `1.0e2`, since FHIR
/// gives meaning to the precision of a decimal (R4 datatypes, decimal).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number(Box<str>);

/// The members of a JSON object in written order.
///
/// Equality is by order as well, so that equal objects print alike.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Object(Vec<(Box<str>, Value)>);

impl Value {
    /// The member `name` of an object; nothing for other values.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.as_object()?.get(name)
    }

    /// The string, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The items, if this is an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Value::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The members, if this is an object.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The members to change, if this is an object.
    pub fn as_object_mut(&mut self) -> Option<&mut Object> {
        match self {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The number, if this is one.
    pub fn as_number(&self) -> Option<&Number> {
        match self {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The truth value, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// The string in member `name`.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// The items of the array in member `name`; empty where there is none.
    pub fn items(&self, name: &str) -> &[Value] {
        self.get(name).and_then(Value::as_array).unwrap_or_default()
    }

    /// Descends by a dotted path: `component.1.code.coding.code`. A number picks that item of an
    /// array, counted from 0; a name met by an array looks in the array's first item.
    pub fn at(&self, path: &str) -> Option<&Value> {
        path.split('.').try_fold(self, |value, step| match value {
            Value::Array(items) => match step.parse::<usize>() {
                Ok(index) => items.get(index),
                Err(_) => items.first()?.get(step),
            },
            other => other.get(step),
        })
    }

    /// All values at a dotted path; every item of each array on the way and at its end.
    pub fn all_at(&self, path: &str) -> Vec<&Value> {
        path.split('.').fold(vec![self], |values, step| {
            let members = values.into_iter().filter_map(|value| value.get(step));
            members
                .flat_map(|value| value.as_array().unwrap_or(std::slice::from_ref(value)))
                .collect()
        })
    }
}

impl Number {
    /// Reads a number by the grammar of RFC 8259 §6; nothing if `text` is not one.
    pub fn parse(text: &str) -> Option<Number> {
        (number_length(text.as_bytes()) == Some(text.len())).then(|| Number(text.into()))
    }

    /// The text as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The nearest binary number; nothing where it would be infinite.
    pub fn as_f64(&self) -> Option<f64> {
        self.0.parse::<f64>().ok().filter(|number| number.is_finite())
    }

    /// The whole number, if it is written without fraction or exponent and fits.
    pub fn as_i64(&self) -> Option<i64> {
        self.0.parse().ok()
    }
}

/// How many leading bytes are a JSON number (RFC 8259 §6); nothing if none are.
pub(crate) fn number_length(bytes: &[u8]) -> Option<usize> {
    let digits =
        |from: usize| bytes.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
    let mut end = usize::from(bytes.first() == Some(&b'-'));
    let whole = digits(end);
    if whole == 0 || (whole > 1 && bytes.get(end) == Some(&b'0')) {
        return None;
    }
    end += whole;
    if bytes.get(end) == Some(&b'.') {
        let fraction = digits(end + 1);
        if fraction == 0 {
            return None;
        }
        end += 1 + fraction;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        if exponent == 0 {
            return None;
        }
        end += 1 + sign + exponent;
    }
    Some(end)
}

impl Object {
    /// An object without members.
    pub fn new() -> Object {
        Object::default()
    }

    /// The value of member `name`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(key, _)| &**key == name).map(|(_, value)| value)
    }

    /// The value of member `name`, to change.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.0.iter_mut().find(|(key, _)| &**key == name).map(|(_, value)| value)
    }

    /// Replaces member `name` in its place, or adds it last.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        let value = value.into();
        match self.get_mut(name) {
            Some(place) => *place = value,
            None => self.0.push((name.into(), value)),
        }
    }

    /// Replaces member `name` in its place, or adds it first.
    pub fn insert_first(&mut self, name: &str, value: impl Into<Value>) {
        let value = value.into();
        match self.get_mut(name) {
            Some(place) => *place = value,
            None => self.0.insert(0, (name.into(), value)),
        }
    }

    /// Takes member `name` out.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let index = self.0.iter().position(|(key, _)| &**key == name)?;
        Some(self.0.remove(index).1)
    }

    /// The members in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (&**key, value))
    }

    /// The members in order, their values to change.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Value)> {
        self.0.iter_mut().map(|(key, value)| (&**key, value))
    }

    /// The values of the members, to change.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        self.0.iter_mut().map(|(_, value)| value)
    }

    /// Keeps only the members for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &Value) -> bool) {
        self.0.retain(|(name, value)| keep(name, value));
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no members.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a member that the caller knows to be new.
    pub(crate) fn push(&mut self, name: Box<str>, value: Value) {
        self.0.push((name, value));
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Value {
        Value::Bool(truth)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::String(text.into())
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Value {
        Value::String(text.as_str().into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::String(text.into())
    }
}

impl From<Box<str>> for Value {
    fn from(text: Box<str>) -> Value {
        Value::String(text)
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Value {
        Value::Number(number)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Value {
        Value::Object(object)
    }
}

impl From<&Value> for Value {
    fn from(value: &Value) -> Value {
        value.clone()
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Value {
        Value::Array(items.into_iter().map(Into::into).collect())
    }
}

/// `None` is `null`, which [`crate::json!`] leaves out of objects.
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(item: Option<T>) -> Value {
        item.map_or(Value::Null, Into::into)
    }
}

impl<T: Into<Value>> FromIterator<T> for Value {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Value {
        Value::Array(items.into_iter().map(Into::into).collect())
    }
}

macro_rules! from_integer {
    ($($integer:ty),*) => {$(
        impl From<$integer> for Value {
            fn from(number: $integer) -> Value {
                Value::Number(Number(number.to_string().into()))
            }
        }
    )*};
}
from_integer!(i32, i64, u16, u32, u64, usize);

/// Writes a `Value` as JSON with Rust expressions in it.
///
/// Expressions may be anything with `Into<Value>`. A member whose expression gives `Value::Null`,
/// such as an `Option` that is `None`, is left out, since FHIR knows no null members; a literal
/// `null` stays. Keys are literals or expressions in parentheses.
///
/// ```
/// let unknown: Option<&str> = None;
/// let patient = fhir::json!({
///     "resourceType": "Patient",
///     "active": true,
///     "gender": unknown,
///     "name": [{ "family": "Berg".to_owned(), "given": ["Kari"] }],
/// });
/// assert_eq!(
///     fhir::json::print(&patient),
///     r#"{"resourceType":"Patient","active":true,"name":[{"family":"Berg","given":["Kari"]}]}"#
/// );
/// ```
#[macro_export]
macro_rules! json {
    (@member $o:ident) => {};
    (@member $o:ident $key:tt : null $(, $($rest:tt)*)?) => {
        $o.set($key, $crate::value::Value::Null);
        $crate::json!(@member $o $($($rest)*)?);
    };
    (@member $o:ident $key:tt : [ $($item:tt)* ] $(, $($rest:tt)*)?) => {
        $o.set($key, $crate::json!([ $($item)* ]));
        $crate::json!(@member $o $($($rest)*)?);
    };
    (@member $o:ident $key:tt : { $($member:tt)* } $(, $($rest:tt)*)?) => {
        $o.set($key, $crate::json!({ $($member)* }));
        $crate::json!(@member $o $($($rest)*)?);
    };
    (@member $o:ident $key:tt : $value:expr $(, $($rest:tt)*)?) => {
        match $crate::value::Value::from($value) {
            $crate::value::Value::Null => {}
            value => $o.set($key, value),
        }
        $crate::json!(@member $o $($($rest)*)?);
    };
    (@item $a:ident) => {};
    (@item $a:ident null $(, $($rest:tt)*)?) => {
        $a.push($crate::value::Value::Null);
        $crate::json!(@item $a $($($rest)*)?);
    };
    (@item $a:ident [ $($item:tt)* ] $(, $($rest:tt)*)?) => {
        $a.push($crate::json!([ $($item)* ]));
        $crate::json!(@item $a $($($rest)*)?);
    };
    (@item $a:ident { $($member:tt)* } $(, $($rest:tt)*)?) => {
        $a.push($crate::json!({ $($member)* }));
        $crate::json!(@item $a $($($rest)*)?);
    };
    (@item $a:ident $value:expr $(, $($rest:tt)*)?) => {
        $a.push($crate::value::Value::from($value));
        $crate::json!(@item $a $($($rest)*)?);
    };
    (null) => { $crate::value::Value::Null };
    ([]) => { $crate::value::Value::Array(::std::vec::Vec::new()) };
    ([ $($item:tt)+ ]) => {{
        let mut items = ::std::vec::Vec::<$crate::value::Value>::from([]);
        $crate::json!(@item items $($item)+);
        $crate::value::Value::Array(items)
    }};
    ({}) => { $crate::value::Value::Object($crate::value::Object::new()) };
    ({ $($member:tt)+ }) => {{
        let mut object = $crate::value::Object::new();
        $crate::json!(@member object $($member)+);
        $crate::value::Value::Object(object)
    }};
    ($value:expr) => { $crate::value::Value::from($value) };
}
