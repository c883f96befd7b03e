//! XML of made-up resources: the same after a round trip; damaged, either refused or still XML.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use fhir::definitions::{self, Content, ElementType, Shape, ShapeKind};
use fhir::primitive::Primitive;
use fhir::value::{Number, Object, Value};
use fhir::{json, xml};
use proptest::prelude::*;

/// Makes resources by drawing numbers: any elements of any type, in the order of the definitions.
struct Maker<'a> {
    draws: std::slice::Iter<'a, u16>,
    texts: std::slice::Iter<'a, String>,
}

impl Maker<'_> {
    fn draw(&mut self, below: usize) -> usize {
        self.draws.next().map_or(0, |draw| usize::from(*draw) % below)
    }

    fn text(&mut self) -> String {
        let text = self.texts.next().map(String::as_str).unwrap_or_default();
        format!("x{}", text.replace(|letter| !is_xml(letter), ""))
    }

    fn resource(&mut self, depth: usize) -> Value {
        let kinds = definitions::resource_kinds();
        let kind = kinds[self.draw(kinds.len())];
        let mut object = Object::new();
        object.set("resourceType", kind);
        self.members(definitions::shape(kind).unwrap(), &mut object, depth);
        object.into()
    }

    fn members(&mut self, shape: &'static Shape, object: &mut Object, depth: usize) {
        for _ in 0..self.draw(5) {
            let element = &shape.elements[self.draw(shape.elements.len())];
            let names = shape.names_of(element.name);
            let (name, kind) = names[self.draw(names.len())];
            let Some((value, beside)) = self.item(shape, name, kind, depth) else {
                continue;
            };
            object.remove(name);
            object.remove(&format!("_{name}"));
            if !element.repeats() {
                if value != Value::Null {
                    object.set(name, value);
                }
                if let Some(beside) = beside {
                    object.set(&format!("_{name}"), beside);
                }
                continue;
            }
            let second = self.item(shape, name, kind, depth);
            let (values, besides): (Vec<_>, Vec<_>) =
                [Some((value, beside)), second].into_iter().flatten().unzip();
            if values.iter().any(|value| *value != Value::Null) {
                object.set(name, values);
            }
            if besides.iter().any(Option::is_some) {
                object.set(&format!("_{name}"), besides);
            }
        }
    }

    /// A value of an element and what stands beside it.
    fn item(
        &mut self,
        of: &'static Shape,
        name: &str,
        kind: &'static ElementType,
        depth: usize,
    ) -> Option<(Value, Option<Value>)> {
        match kind.content {
            Content::Primitive(Primitive::Xhtml) => {
                let text = self.text().replace(['&', '<', '>'], "");
                Some((
                    format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{text}</div>").into(),
                    None,
                ))
            }
            Content::Primitive(primitive) => {
                let value = self.primitive(primitive);
                let attribute = of.kind != ShapeKind::Resource && matches!(name, "id" | "url");
                if attribute || depth == 0 || self.draw(3) > 0 {
                    return Some((value, None));
                }
                let mut beside = Object::new();
                beside.set("id", self.text());
                self.members(definitions::shape("Element").unwrap(), &mut beside, depth - 1);
                let value = if self.draw(2) == 0 { Value::Null } else { value };
                Some((value, Some(beside.into())))
            }
            _ if depth == 0 => None,
            Content::Resource => Some((self.resource(depth - 1), None)),
            Content::Shape(id) => {
                let mut object = Object::new();
                self.members(id.shape(), &mut object, depth - 1);
                (!object.is_empty()).then(|| (object.into(), None))
            }
        }
    }

    fn primitive(&mut self, primitive: Primitive) -> Value {
        match primitive {
            Primitive::Boolean => (self.draw(2) == 0).into(),
            Primitive::Decimal => {
                let text = format!("-{}.{:03}0E+5", self.draw(100), self.draw(1000));
                Number::parse(&text).unwrap().into()
            }
            Primitive::Integer | Primitive::PositiveInt | Primitive::UnsignedInt => {
                self.draw(1000).into()
            }
            _ => self.text().into(),
        }
    }
}

fn is_xml(letter: char) -> bool {
    matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// The same members in another order.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (a, b) => a == b,
    }
}

fn any_resource() -> impl Strategy<Value = Value> {
    let draws = prop::collection::vec(any::<u16>(), 1..400);
    let texts = prop::collection::vec(any::<String>(), 1..60);
    (draws, texts)
        .prop_map(|(draws, texts)| Maker { draws: draws.iter(), texts: texts.iter() }.resource(4))
}

proptest! {
    #[test]
    fn resources_are_the_same_after_xml(value in any_resource()) {
        let text = xml::print(&value).unwrap();
        let back = xml::parse(text.as_bytes()).unwrap();
        prop_assert!(same(&value, &back), "{}\n{}", json::print(&value), json::print(&back));
        prop_assert_eq!(&xml::parse(xml::pretty(&value).unwrap().as_bytes()).unwrap(), &back);
        prop_assert_eq!(xml::print(&back).unwrap(), text);
    }

    #[test]
    fn damaged_text_is_refused_or_still_xml(
        value in any_resource(),
        cut in any::<prop::sample::Index>(),
        with in prop_oneof![
            prop::sample::select(b"<>/=\"'&;#x:! ?-[]\n\x00".to_vec()),
            any::<u8>(),
        ],
        insert in any::<bool>(),
    ) {
        let mut bytes = xml::print(&value).unwrap().into_bytes();
        let at = cut.index(bytes.len());
        if insert { bytes.insert(at, with) } else { bytes[at] = with }
        if let Ok(value) = xml::parse(&bytes) {
            prop_assert!(roxmltree::Document::parse(std::str::from_utf8(&bytes).unwrap()).is_ok());
            prop_assert!(json::parse(json::print(&value).as_bytes()) == Ok(value));
        }
    }

    #[test]
    fn no_bytes_make_it_fail_otherwise(
        bytes in prop::collection::vec(any::<u8>(), 0..64),
        words in prop::collection::vec(prop::sample::select(vec![
            "<", ">", "/>", "</", "Patient", " xmlns=\"http://hl7.org/fhir\"", "name", " value=\"a\"", "<?",
            "<!--", "-->", "]]>", "<![CDATA[", "&#", ";", ":", "\"", "div", " xmlns=\"http://www.w3.org/1999/xhtml\"",
            "text", " ",
        ]), 0..40),
    ) {
        let text = words.concat();
        for bytes in [bytes.as_slice(), text.as_bytes()] {
            if xml::parse(bytes).is_ok() {
                let text = std::str::from_utf8(bytes).unwrap();
                prop_assert!(roxmltree::Document::parse(text).is_ok());
            }
        }
    }
}
