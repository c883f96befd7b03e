//! Reads the XML of published inputs, for tests: elements, attributes and text, and FHIR's XML as a
//! value tree.

use fhir::definitions::{self, Content, ElementType, Shape};
use fhir::value::{Number, Object, Value};

/// An element.
#[derive(Debug, Default)]
pub struct Element {
    /// The name, with its prefix.
    pub name: String,
    /// Attributes with resolved values.
    pub attributes: Vec<(String, String)>,
    /// The elements in it.
    pub children: Vec<Element>,
    /// The text in it, its children's excepted.
    pub text: String,
    /// The element as written.
    source: String,
}

impl Element {
    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The children of this name.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

/// The outermost element of a document.
pub fn read(text: &str) -> Element {
    let mut open = vec![(Element::default(), 0)];
    let mut at = 0;
    while let Some(found) = text[at..].find('<') {
        let start = at + found;
        open.last_mut().unwrap().0.text.push_str(&resolve(&text[at..start]));
        let rest = &text[start..];
        if rest.starts_with("<!--") {
            at = start + rest.find("-->").unwrap() + 3;
        } else if rest.starts_with("<?") || rest.starts_with("<!") {
            at = start + rest.find('>').unwrap() + 1;
        } else if rest.starts_with("</") {
            at = start + rest.find('>').unwrap() + 1;
            close(&mut open, &text[..at]);
        } else {
            let end = tag_end(rest);
            at = start + end + 1;
            let inner = rest[1..end].trim_end_matches('/');
            open.push((tag(inner), start));
            if rest[..end].ends_with('/') {
                close(&mut open, &text[..at]);
            }
        }
    }
    open.remove(0).0.children.remove(0)
}

fn close(open: &mut Vec<(Element, usize)>, until: &str) {
    let (mut element, start) = open.pop().unwrap();
    until[start..].clone_into(&mut element.source);
    open.last_mut().unwrap().0.children.push(element);
}

fn tag_end(rest: &str) -> usize {
    let mut quote = None;
    for (at, letter) in rest.char_indices() {
        match quote {
            Some(open) if open == letter => quote = None,
            None if letter == '"' || letter == '\'' => quote = Some(letter),
            None if letter == '>' => return at,
            _ => {}
        }
    }
    rest.len()
}

fn tag(inner: &str) -> Element {
    let (name, mut rest) = inner.split_once(char::is_whitespace).unwrap_or((inner, ""));
    let mut element = Element { name: name.to_owned(), ..Element::default() };
    while let Some((key, tail)) = rest.split_once('=') {
        let tail = tail.trim_start();
        let (value, tail) = tail[1..].split_once(&tail[..1]).unwrap();
        element.attributes.push((key.trim().to_owned(), resolve(value)));
        rest = tail;
    }
    element
}

fn resolve(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (name, tail) = after.split_once(';').unwrap();
        out.push(match name {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            _ => {
                let number = name.strip_prefix('#').unwrap();
                let code = match number.strip_prefix('x') {
                    Some(hex) => u32::from_str_radix(hex, 16),
                    None => number.parse(),
                };
                char::from_u32(code.unwrap()).unwrap()
            }
        });
        rest = tail;
    }
    out + rest
}

/// A resource of FHIR's XML.
pub fn resource(element: &Element) -> Value {
    let shape = definitions::shape(&element.name).unwrap();
    let mut object = Object::new();
    object.set("resourceType", element.name.as_str());
    fill(&mut object, element, shape);
    Value::Object(object)
}

fn fill(object: &mut Object, element: &Element, shape: &'static Shape) {
    for (name, value) in element.attributes.iter().filter(|(name, _)| !name.starts_with("xml")) {
        object.set(name, value.as_str());
    }
    for child in &element.children {
        let name = child.name.as_str();
        let found = shape.member(name).unwrap_or_else(|| panic!("{name} in {}", shape.name));
        let (value, sibling) = value(child, found.kind);
        add(object, name, value.clone(), found.element.repeats());
        let padding = found.element.repeats() && matches!(found.kind.content, Content::Primitive(_));
        if sibling != Value::Null || padding {
            add(object, &format!("_{name}"), sibling, found.element.repeats());
        }
    }
    let only_padding = |value: &Value| value.as_array().is_some_and(|a| a.iter().all(|i| *i == Value::Null));
    let empty: Vec<String> = object
        .iter()
        .filter(|(_, value)| **value == Value::Null || only_padding(value))
        .map(|(name, _)| name.to_owned())
        .collect();
    for name in empty {
        object.remove(&name);
    }
}

fn add(object: &mut Object, name: &str, value: Value, repeats: bool) {
    if !repeats {
        object.set(name, value);
        return;
    }
    match object.get_mut(name) {
        Some(Value::Array(items)) => items.push(value),
        _ => object.set(name, Value::Array(vec![value])),
    }
}

fn value(element: &Element, kind: &ElementType) -> (Value, Value) {
    let shape = match kind.content {
        Content::Resource => return (resource(&element.children[0]), Value::Null),
        Content::Shape(id) => {
            let mut object = Object::new();
            fill(&mut object, element, id.shape());
            return (Value::Object(object), Value::Null);
        }
        Content::Primitive(_) => definitions::shape("Element").unwrap(),
    };
    if kind.name == "xhtml" {
        return (Value::from(element.source.as_str()), Value::Null);
    }
    let mut sibling = Object::new();
    let rest = element.attributes.iter().filter(|(name, _)| name != "value").cloned().collect();
    let children = element.children.iter().map(|child| Element {
        name: child.name.clone(),
        attributes: child.attributes.clone(),
        children: read(&child.source).children,
        text: String::new(),
        source: child.source.clone(),
    });
    let inner = Element { attributes: rest, children: children.collect(), ..Element::default() };
    fill(&mut sibling, &inner, shape);
    let sibling = if sibling.is_empty() { Value::Null } else { Value::Object(sibling) };
    let value = element.attribute("value").map_or(Value::Null, |text| match kind.name {
        "boolean" => Value::Bool(text == "true"),
        "integer" | "positiveInt" | "unsignedInt" | "decimal" => {
            Value::Number(Number::parse(text).unwrap())
        }
        _ => Value::from(text),
    });
    (value, sibling)
}
