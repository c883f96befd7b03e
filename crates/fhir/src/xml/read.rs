//! XML to a value, element by element along the definitions.
//!
//! Invariant: a value made here nests no deeper than [`json::DEPTH_LIMIT`], so that its JSON can be
//! read again.

use super::lex::{Lexed, Lexer, Open, Token, fault, is_blank, value};
use super::narrative;
use super::space::{Space, Spaces};
use super::{is_attribute, is_name_of_fhir};
use crate::definitions::{self, Content, Found, Shape};
use crate::json;
use crate::primitive::Primitive;
use crate::value::{Number, Object, Value};

/// Reads one document; also says at which element a fault was found.
pub(super) struct Reader<'a> {
    lexer: Lexer<'a>,
    spaces: Spaces<'a>,
    /// Of primitive elements: `id` and `extension`.
    element: &'static Shape,
    /// How many arrays and objects the JSON has nested here.
    depth: usize,
    /// The names of the elements being read, and which of several each is.
    place: Vec<(&'a str, Option<usize>)>,
}

/// What an element has as attributes.
#[derive(Default)]
struct Own {
    id: Option<Value>,
    url: Option<Value>,
    value: Option<(Box<str>, usize)>,
}

/// What may be an attribute of an element beside `id`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Allowed {
    Nothing,
    Id,
    IdAndUrl,
    IdAndValue,
}

/// An element that has been read.
struct Read {
    value: Value,
    /// Of a primitive: its `id` and `extension`s.
    beside: Option<Object>,
}

impl<'a> Reader<'a> {
    /// A reader at the start of a text; nothing if there are no definitions.
    pub fn new(text: &'a str) -> Option<Reader<'a>> {
        let element = definitions::shape("Element")?;
        let lexer = Lexer::new(text);
        Some(Reader { lexer, spaces: Spaces::default(), element, depth: 0, place: Vec::new() })
    }

    /// FHIRPath of the element that was being read.
    pub fn path(&self) -> String {
        super::path(self.place.iter().copied())
    }

    /// Reads the whole document.
    pub fn document(&mut self) -> Lexed<Value> {
        self.lexer.prolog()?;
        let mut read = None;
        loop {
            match self.lexer.next()? {
                Token::Open(open) if read.is_none() => {
                    let mark = self.spaces.mark();
                    self.spaces.enter(&self.lexer.attributes)?;
                    self.place
                        .extend(definitions::resource_kind(self.local(open)?).map(|it| (it, None)));
                    self.deeper(1, open.at)?;
                    read = Some(self.resource(open)?);
                    self.depth -= 1;
                    self.place.pop();
                    self.spaces.leave(mark);
                }
                Token::Text { raw, .. } if is_blank(raw) => {}
                Token::Aside => {}
                Token::End => break,
                Token::Open(Open { at, .. }) | Token::Text { at, .. } | Token::Close { at, .. } => {
                    return fault(at, "a document is one resource and nothing else");
                }
            }
        }
        match read {
            Some(read) => Ok(read),
            None => fault(self.lexer.position(), "no element: send a resource"),
        }
    }

    /// The local name of an element of FHIR.
    fn local(&self, open: Open<'a>) -> Lexed<&'a str> {
        match self.spaces.resolve(open.name, open.at)? {
            (Space::Fhir, local) => Ok(local),
            _ => fault(open.at, "not in the namespace `http://hl7.org/fhir`: declare it"),
        }
    }

    fn deeper(&mut self, levels: usize, at: usize) -> Lexed<()> {
        self.depth += levels;
        if self.depth > json::DEPTH_LIMIT {
            return fault(at, "nested too deep: at most 64 levels of arrays and objects in JSON");
        }
        Ok(())
    }

    /// A resource, whose start was read.
    fn resource(&mut self, open: Open<'a>) -> Lexed<Value> {
        let found = definitions::resource_kind(self.local(open)?);
        let Some((kind, shape)) = found.and_then(|kind| Some((kind, definitions::shape(kind)?)))
        else {
            return fault(open.at, "not a resource type of FHIR R4: correct it");
        };
        self.attributes(Allowed::Nothing)?;
        let mut object = Object::new();
        object.push("resourceType".into(), kind.into());
        self.children(shape, open, &mut object)?;
        Ok(object.into())
    }

    /// The attributes of the element whose start was read.
    fn attributes(&mut self, allowed: Allowed) -> Lexed<Own> {
        let mut own = Own::default();
        for attribute in &self.lexer.attributes {
            if super::space::declares(attribute.name).is_some() {
                continue;
            }
            let at = attribute.at;
            let text = || value(attribute.raw);
            match self.spaces.attribute(attribute.name, at)? {
                _ if attribute.raw.is_empty() => {
                    return fault(at, "empty value: leave the attribute or the element out");
                }
                (Space::Nothing, "id") if allowed != Allowed::Nothing => {
                    own.id = Some((&*text()).into());
                }
                (Space::Nothing, "url") if allowed == Allowed::IdAndUrl => {
                    own.url = Some((&*text()).into());
                }
                (Space::Nothing, "value") if allowed == Allowed::IdAndValue => {
                    own.value = Some((text().into(), at));
                }
                (Space::SchemaInstance, "schemaLocation" | "noNamespaceSchemaLocation") => {}
                _ => return fault(at, "unknown attribute of this element: take it out"),
            }
        }
        Ok(own)
    }

    /// The content of the element `open`, to its end, as members of `object`.
    fn children(
        &mut self,
        shape: &'static Shape,
        open: Open<'a>,
        object: &mut Object,
    ) -> Lexed<()> {
        if open.empty {
            return Ok(());
        }
        let mut aligned = true;
        while let Some(child) = self.next_child(open)? {
            let mark = self.spaces.mark();
            self.spaces.enter(&self.lexer.attributes)?;
            aligned &= self.child(shape, child, mark, object)?;
            self.spaces.leave(mark);
        }
        if !aligned {
            align(shape, object);
        }
        Ok(())
    }

    /// The start of the next element within `open`; nothing at its end.
    fn next_child(&mut self, open: Open<'a>) -> Lexed<Option<Open<'a>>> {
        loop {
            match self.lexer.next()? {
                Token::Open(child) => return Ok(Some(child)),
                Token::Close { name, .. } if name == open.name => return Ok(None),
                Token::Close { at, .. } => {
                    return fault(at, "the end of another element than the innermost");
                }
                Token::Text { raw, .. } if is_blank(raw) => {}
                Token::Text { at, .. } => {
                    return fault(at, "text between elements: values stand in `value`");
                }
                Token::Aside => {}
                Token::End => return fault(self.lexer.position(), "the text ends too early"),
            }
        }
    }

    /// Reads a child into its member; says whether the member has nothing beside it.
    fn child(
        &mut self,
        shape: &'static Shape,
        open: Open<'a>,
        mark: usize,
        object: &mut Object,
    ) -> Lexed<bool> {
        let (space, name) = self.spaces.resolve(open.name, open.at)?;
        let found = shape.member(name).filter(|_| !is_attribute(shape, name));
        let Some(found) = found else {
            if is_name_of_fhir(name) {
                self.place.push((name, None));
            }
            if is_attribute(shape, name) {
                return fault(open.at, "an element, but it is an attribute in XML");
            }
            let message = format!("unknown element of {}: correct the name", shape.name);
            return fault(open.at, message);
        };
        let repeats = found.element.repeats();
        let count = object.get(name).and_then(Value::as_array).map_or(0, <[Value]>::len);
        self.place.push((name, repeats.then_some(count)));
        let is_same = |known: &str| known.strip_prefix('_').unwrap_or(known) == name;
        if !repeats && object.iter().any(|(known, _)| is_same(known)) {
            return fault(open.at, "a second one, but there is one at most");
        }
        let depth = self.depth;
        self.deeper(usize::from(repeats), open.at)?;
        let read = if found.kind.content == Content::Primitive(Primitive::Xhtml) {
            self.narrative(space, open, mark)?
        } else {
            self.local(open)?;
            self.element(found, open)?
        };
        self.depth = depth;
        self.place.pop();
        Ok(put(object, name, repeats.then_some(count), read))
    }

    fn narrative(&mut self, space: Space, open: Open<'a>, mark: usize) -> Lexed<Read> {
        if space != Space::Xhtml {
            return fault(open.at, "not in the namespace `http://www.w3.org/1999/xhtml`");
        }
        let div = narrative::div(&mut self.lexer, &mut self.spaces, mark, open)?;
        Ok(Read { value: div.into(), beside: None })
    }

    fn element(&mut self, found: Found, open: Open<'a>) -> Lexed<Read> {
        match found.kind.content {
            Content::Primitive(primitive) => self.primitive(primitive, open),
            Content::Shape(id) => {
                let shape = id.shape();
                let is_extension = is_attribute(shape, "url");
                let allowed = if is_extension { Allowed::IdAndUrl } else { Allowed::Id };
                self.deeper(1, open.at)?;
                let own = self.attributes(allowed)?;
                let mut object = own.members();
                self.children(shape, open, &mut object)?;
                if object.is_empty() {
                    return fault(open.at, "empty element: leave it out");
                }
                Ok(Read { value: object.into(), beside: None })
            }
            Content::Resource => {
                self.deeper(1, open.at)?;
                self.attributes(Allowed::Nothing)?;
                Ok(Read { value: self.wrapped(open)?, beside: None })
            }
        }
    }

    /// The one resource within an element.
    fn wrapped(&mut self, open: Open<'a>) -> Lexed<Value> {
        let child = if open.empty { None } else { self.next_child(open)? };
        let Some(child) = child else {
            return fault(open.at, "no resource within: leave the element out");
        };
        let mark = self.spaces.mark();
        self.spaces.enter(&self.lexer.attributes)?;
        let value = self.resource(child)?;
        self.spaces.leave(mark);
        match self.next_child(open)? {
            None => Ok(value),
            Some(second) => fault(second.at, "a second resource: there is one at most"),
        }
    }

    fn primitive(&mut self, primitive: Primitive, open: Open<'a>) -> Lexed<Read> {
        let mut own = self.attributes(Allowed::IdAndValue)?;
        let value = match own.value.take() {
            Some((text, at)) => typed(primitive, text, at)?,
            None => Value::Null,
        };
        let mut object = own.members();
        if !open.empty || !object.is_empty() {
            self.deeper(1, open.at)?;
            self.children(self.element, open, &mut object)?;
        }
        if value == Value::Null && object.is_empty() {
            return fault(open.at, "neither `value` nor extension: leave the element out");
        }
        let beside = Some(object).filter(|object| !object.is_empty());
        Ok(Read { value, beside })
    }
}

impl Own {
    fn members(self) -> Object {
        let mut object = Object::new();
        for (name, value) in [("id", self.id), ("url", self.url)] {
            if let Some(value) = value {
                object.push(name.into(), value);
            }
        }
        object
    }
}

/// The JSON value of a primitive's text.
fn typed(primitive: Primitive, text: Box<str>, at: usize) -> Lexed<Value> {
    match primitive {
        Primitive::Boolean => match &*text {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => fault(at, "not a boolean: send `true` or `false`"),
        },
        Primitive::Decimal
        | Primitive::Integer
        | Primitive::PositiveInt
        | Primitive::UnsignedInt => match Number::parse(&text) {
            Some(number) => Ok(number.into()),
            None => fault(at, "not a number: send digits, perhaps with sign, point and exponent"),
        },
        _ => Ok(Value::String(text)),
    }
}

/// The name of the member beside that of a primitive.
fn beside(name: &str) -> String {
    format!("_{name}")
}

/// Puts what was read in its member: the item `index`, where there may be several. Says whether
/// nothing stands beside it.
fn put(object: &mut Object, name: &str, index: Option<usize>, read: Read) -> bool {
    let Some(index) = index else {
        if read.value != Value::Null {
            object.push(name.into(), read.value);
        }
        let Some(extra) = read.beside else {
            return true;
        };
        object.push(beside(name).into(), extra.into());
        return false;
    };
    match object.get_mut(name) {
        Some(Value::Array(items)) => items.push(read.value),
        _ => object.push(name.into(), Value::Array(vec![read.value])),
    }
    let Some(extra) = read.beside else {
        return true;
    };
    let name = beside(name);
    if object.get(&name).is_none() {
        object.push(name.as_str().into(), Value::Array(Vec::new()));
    }
    if let Some(Value::Array(items)) = object.get_mut(&name) {
        items.resize(index, Value::Null);
        items.push(extra.into());
    }
    false
}

/// Makes the arrays of values and of what stands beside them equally long, and takes out arrays
/// of values without any.
fn align(shape: &Shape, object: &mut Object) {
    for element in shape.elements.iter().filter(|element| element.repeats()) {
        let name = beside(element.name);
        let count = object.get(element.name).and_then(Value::as_array).map_or(0, <[Value]>::len);
        let Some(Value::Array(items)) = object.get_mut(&name) else {
            continue;
        };
        items.resize(count, Value::Null);
        let values = object.get(element.name).and_then(Value::as_array).unwrap_or_default();
        if values.iter().all(|value| *value == Value::Null) {
            object.remove(element.name);
        }
    }
}
