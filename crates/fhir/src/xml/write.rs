//! A value to XML, element by element along the definitions, in their order.
//!
//! What the definitions do not know cannot be written: XML would not tell an array from a single value, or
//! a number from a string.

use super::lex::is_character;
use super::narrative;
use super::space::FHIR;
use super::{PrintError, is_attribute, is_name_of_fhir};
use crate::definitions::{self, Content, Found, Shape, ShapeKind};
use crate::json;
use crate::primitive::Primitive;
use crate::value::{Object, Value};

/// What is printed so far, and where in the value that is.
pub(super) struct Writer<'v> {
    out: String,
    /// Whether each element gets a line, for people.
    pretty: bool,
    /// How many elements are open.
    levels: usize,
    /// Of primitive elements: `id` and `extension`.
    element: &'static Shape,
    place: Vec<(&'v str, Option<usize>)>,
}

/// A member of an object, with the one that begins with `_`.
struct Member<'v> {
    name: &'v str,
    found: Found,
    value: Option<&'v Value>,
    beside: Option<&'v Value>,
}

type Printed = Result<(), PrintError>;

impl<'v> Writer<'v> {
    /// A writer; nothing if there are no definitions.
    pub fn new(pretty: bool) -> Option<Writer<'v>> {
        let element = definitions::shape("Element")?;
        let out = String::with_capacity(4096);
        Some(Writer { out, pretty, levels: 0, element, place: Vec::new() })
    }

    /// The whole document.
    pub fn document(mut self, value: &'v Value) -> Result<String, PrintError> {
        self.place.push((value.text("resourceType").unwrap_or_default(), None));
        self.resource(value, true)?;
        Ok(self.out)
    }

    fn wrong(&self, message: &'static str) -> Printed {
        let root = self.place.first().and_then(|(root, _)| definitions::resource_kind(root));
        let steps = self.place.iter().skip(usize::from(root.is_none())).copied();
        Err(PrintError { path: super::path(steps), message })
    }

    /// A resource; the outermost one declares the namespace.
    fn resource(&mut self, value: &'v Value, outermost: bool) -> Printed {
        let kind = value.text("resourceType").and_then(definitions::resource_kind);
        let shape = kind.and_then(definitions::shape);
        let (Value::Object(object), Some(kind), Some(shape)) = (value, kind, shape) else {
            return self.wrong("not a resource of FHIR R4");
        };
        self.start(kind);
        if outermost {
            self.attribute("xmlns", FHIR)?;
        }
        self.content(kind, object, shape)
    }

    /// The rest of an element whose start tag is still open: attributes, children and end.
    fn content(&mut self, tag: &str, object: &'v Object, shape: &'static Shape) -> Printed {
        if self.place.len() > json::DEPTH_LIMIT {
            return self.wrong("nested too deep: at most 64 levels");
        }
        let members = self.members(object, shape)?;
        if members.is_empty() {
            self.out.push_str("/>");
            return Ok(());
        }
        self.out.push('>');
        self.levels += 1;
        for member in &members {
            self.member(member)?;
        }
        self.levels -= 1;
        self.end(tag);
        Ok(())
    }

    /// Writes what is an attribute, and gives the other members in the order of the definitions.
    fn members(
        &mut self,
        object: &'v Object,
        shape: &'static Shape,
    ) -> Result<Vec<Member<'v>>, PrintError> {
        for name in ["id", "url"].into_iter().filter(|name| is_attribute(shape, name)) {
            self.place.push((name, None));
            match object.get(name) {
                None => {}
                Some(Value::String(text)) => self.attribute(name, text)?,
                Some(_) => self.wrong("not a string: XML has it as an attribute")?,
            }
            self.place.pop();
        }
        let mut members: Vec<Member> = Vec::with_capacity(object.len());
        for (written, value) in object.iter() {
            if written == "resourceType" && shape.kind == ShapeKind::Resource {
                continue;
            }
            let name = written.strip_prefix('_').unwrap_or(written);
            let is_beside = name.len() != written.len();
            let Some(found) = shape.member(name) else {
                if is_name_of_fhir(name) {
                    self.place.push((written, None));
                }
                self.wrong("unknown element: correct the name")?;
                continue;
            };
            if is_attribute(shape, name) {
                if is_beside {
                    self.place.push((written, None));
                    self.wrong("XML has no place for it: its element is an attribute")?;
                }
                continue;
            }
            let (plain, beside) = if is_beside { (None, Some(value)) } else { (Some(value), None) };
            match members.iter_mut().find(|known| known.name == name) {
                Some(known) if is_beside => known.beside = beside,
                Some(known) => known.value = plain,
                None => members.push(Member { name, found, value: plain, beside }),
            }
        }
        members.sort_by_key(|member| member.found.index);
        Ok(members)
    }

    fn member(&mut self, member: &Member<'v>) -> Printed {
        let Member { name, found, value, beside } = *member;
        let primitive = matches!(found.kind.content, Content::Primitive(_));
        self.place.push((name, None));
        if beside.is_some() && !primitive {
            return self.wrong("only primitive elements have one with `_`");
        }
        if !found.element.repeats() {
            self.item(name, found, value, beside)?;
            self.place.pop();
            return Ok(());
        }
        let (values, besides) = match (value, beside) {
            (Some(Value::Array(values)), Some(Value::Array(besides))) => (&**values, &**besides),
            (Some(Value::Array(values)), None) => (&**values, [].as_slice()),
            (None, Some(Value::Array(besides))) => ([].as_slice(), &**besides),
            _ => return self.wrong("not an array, but there may be several"),
        };
        if values.is_empty() && besides.is_empty() {
            return self.wrong("empty array: leave the element out");
        }
        for index in 0..values.len().max(besides.len()) {
            self.place.pop();
            self.place.push((name, Some(index)));
            let present = |value: &&Value| **value != Value::Null;
            let beside = besides.get(index).filter(present);
            self.item(name, found, values.get(index).filter(present), beside)?;
        }
        self.place.pop();
        Ok(())
    }

    fn item(
        &mut self,
        name: &'v str,
        found: Found,
        value: Option<&'v Value>,
        beside: Option<&'v Value>,
    ) -> Printed {
        match (found.kind.content, value) {
            (Content::Primitive(Primitive::Xhtml), Some(Value::String(text)))
                if beside.is_none() =>
            {
                self.line();
                match narrative::canonical(text) {
                    Ok(div) => self.out.push_str(&div),
                    Err(_) => return self.wrong("not one well-formed `div` of XHTML"),
                }
            }
            (Content::Primitive(Primitive::Xhtml), _) => {
                return self.wrong("a narrative is a string");
            }
            (Content::Primitive(primitive), value) => {
                return self.primitive(name, primitive, value, beside);
            }
            (Content::Shape(_), Some(Value::Object(object))) if object.is_empty() => {
                return self.wrong("empty object: leave the element out");
            }
            (Content::Shape(id), Some(Value::Object(object))) => {
                self.start(name);
                return self.content(name, object, id.shape());
            }
            (Content::Resource, Some(value)) => {
                self.start(name);
                self.out.push('>');
                self.levels += 1;
                self.resource(value, false)?;
                self.levels -= 1;
                self.end(name);
            }
            (Content::Shape(_), _) | (Content::Resource, None) => {
                return self.wrong("not an object");
            }
        }
        Ok(())
    }

    fn primitive(
        &mut self,
        name: &'v str,
        primitive: Primitive,
        value: Option<&'v Value>,
        beside: Option<&'v Value>,
    ) -> Printed {
        self.start(name);
        let is_number = matches!(
            primitive,
            Primitive::Decimal
                | Primitive::Integer
                | Primitive::PositiveInt
                | Primitive::UnsignedInt
        );
        match value {
            None if beside.is_none() => return self.wrong("neither value nor extension"),
            None => {}
            Some(Value::Bool(truth)) if primitive == Primitive::Boolean => {
                self.attribute("value", if *truth { "true" } else { "false" })?;
            }
            Some(Value::Number(number)) if is_number => {
                self.attribute("value", number.as_str())?;
            }
            Some(Value::String(text)) if !is_number && primitive != Primitive::Boolean => {
                self.attribute("value", text)?;
            }
            Some(_) => return self.wrong("of another JSON type than the element's"),
        }
        match beside {
            None => {
                self.out.push_str("/>");
                Ok(())
            }
            Some(Value::Object(object)) if !object.is_empty() => {
                self.content(name, object, self.element)
            }
            Some(_) => self.wrong("what stands beside a value is an object with extensions"),
        }
    }

    /// The beginning of an element, left open for attributes.
    fn start(&mut self, name: &str) {
        self.line();
        self.out.push('<');
        self.out.push_str(name);
    }

    fn end(&mut self, name: &str) {
        self.line();
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    fn line(&mut self) {
        if self.pretty && !self.out.is_empty() {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n("  ", self.levels));
        }
    }

    /// White space other than blanks is written as references, or XML would make blanks of it.
    fn attribute(&mut self, name: &str, value: &str) -> Printed {
        if value.is_empty() {
            return self.wrong("empty string: leave the element out");
        }
        for part in [" ", name, "=\""] {
            self.out.push_str(part);
        }
        let special = |byte: u8| byte < 0x20 || matches!(byte, b'&' | b'<' | b'"' | 0xEF);
        if !value.bytes().any(special) {
            self.out.push_str(value);
        } else {
            for character in value.chars() {
                match character {
                    '&' => self.out.push_str("&amp;"),
                    '<' => self.out.push_str("&lt;"),
                    '"' => self.out.push_str("&quot;"),
                    '\t' => self.out.push_str("&#9;"),
                    '\n' => self.out.push_str("&#10;"),
                    '\r' => self.out.push_str("&#13;"),
                    other if is_character(other) => self.out.push(other),
                    _ => return self.wrong("a character that XML cannot carry"),
                }
            }
        }
        self.out.push('"');
        Ok(())
    }
}
