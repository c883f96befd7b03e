//! Finds children: by the name of an element, or all.

use super::{Evaluator, Result};
use crate::fhirpath::item::{Item, Items, Node};
use crate::fhirpath::model::{Kind, Member, well_known};
use crate::fhirpath::syntax::Name;
use crate::value::{Object, Value};
use std::borrow::Cow;

static NULL: Value = Value::Null;

impl<'a> Evaluator<'_, 'a> {
    /// Adds the children of an item that are the element `name`.
    pub(super) fn children_named(
        &self,
        item: &Item<'a>,
        name: &Name,
        found: &mut Items<'a>,
    ) -> Result<()> {
        let node = match item {
            Item::Node(node) => node,
            Item::Type(kind) => {
                match &*name.text {
                    "namespace" => found.push(text(kind.namespace())),
                    "name" => found.push(text(kind.type_name())),
                    _ => {}
                }
                return Ok(());
            }
            _ => return Ok(()),
        };
        let Some(object) = node.object() else {
            return Ok(());
        };
        if node.kind == Kind::UNKNOWN {
            let sibling = format!("_{}", name.text);
            let value = object.get(&name.text);
            return self.add(value, object.get(&sibling), Kind::UNKNOWN, found);
        }
        let Some(member) = name.symbol.and_then(|symbol| node.kind.member(symbol)) else {
            return Ok(());
        };
        self.element(object, member, found)
    }

    /// Adds the values of an element of an object.
    fn element(&self, object: &'a Object, member: &Member, found: &mut Items<'a>) -> Result<()> {
        let (Some(only), false) = (member.names.first(), member.choice) else {
            return self.choice(object, member, found);
        };
        if only.kind.primitive().is_none() {
            return self.add(object.get(only.name), None, only.kind, found);
        }
        let (mut value, mut sibling) = (None, None);
        for (key, held) in object.iter() {
            if key == only.name {
                value = Some(held);
            } else if key.strip_prefix('_') == Some(only.name) {
                sibling = Some(held);
            }
        }
        self.add(value, sibling, only.kind, found)
    }

    fn choice(&self, object: &'a Object, member: &Member, found: &mut Items<'a>) -> Result<()> {
        let (mut value, mut sibling, mut kind) = (None, None, None);
        for (key, held) in object.iter() {
            let bare = key.strip_prefix('_');
            if let Some(name) = member.json_name(bare.unwrap_or(key)) {
                kind = Some(name.kind);
                *(if bare.is_some() { &mut sibling } else { &mut value }) = Some(held);
            }
        }
        kind.map_or(Ok(()), |kind| self.add(value, sibling, kind, found))
    }

    /// Adds a value, or each one of an array, with its id and extensions.
    fn add(
        &self,
        value: Option<&'a Value>,
        sibling: Option<&'a Value>,
        kind: Kind,
        found: &mut Items<'a>,
    ) -> Result<()> {
        let length = |held: Option<&Value>| held.and_then(Value::as_array).map_or(0, <[_]>::len);
        if !matches!(value.or(sibling), Some(Value::Array(_))) {
            self.spend(1)?;
            push(value, sibling, kind, found);
            return Ok(());
        }
        let count = length(value).max(length(sibling));
        self.spend(count)?;
        for index in 0..count {
            let nth = |held: Option<&'a Value>| held.and_then(Value::as_array)?.get(index);
            push(nth(value), nth(sibling), kind, found);
        }
        Ok(())
    }

    /// Adds all children of an item.
    pub(super) fn children(&self, item: &Item<'a>, found: &mut Items<'a>) -> Result<()> {
        let Some(node) = item.node() else {
            return Ok(());
        };
        let Some(object) = node.object() else {
            return Ok(());
        };
        let is_resource = node.kind.is_a(well_known().resource) || node.kind == Kind::UNKNOWN;
        let has_siblings = object.iter().any(|(key, _)| key.starts_with('_'));
        for (key, held) in object.iter() {
            let bare = key.strip_prefix('_');
            let beside_value = bare.is_some_and(|bare| object.get(bare).is_some());
            if beside_value || (key == "resourceType" && is_resource) {
                continue;
            }
            let kind = node.kind.of_json(bare.unwrap_or(key)).unwrap_or(Kind::UNKNOWN);
            let (value, sibling) = match bare {
                Some(_) => (None, Some(held)),
                None if has_siblings => (Some(held), sibling_of(object, key)),
                None => (Some(held), None),
            };
            self.add(value, sibling, kind, found)?;
        }
        Ok(())
    }

    /// The descendants of the items, nearest first.
    pub(super) fn descendants(&self, of: &Items<'a>) -> Result<Items<'a>> {
        let mut all = Items::Many(Vec::new());
        for item in of.iter() {
            let mut next = all.len();
            self.children(item, &mut all)?;
            while let Some(item) = all.as_slice().get(next).cloned() {
                self.children(&item, &mut all)?;
                next += 1;
            }
        }
        Ok(all)
    }
}

fn sibling_of<'a>(object: &'a Object, name: &str) -> Option<&'a Value> {
    object.iter().find(|(key, _)| key.strip_prefix('_') == Some(name)).map(|(_, value)| value)
}

fn push<'a>(
    value: Option<&'a Value>,
    sibling: Option<&'a Value>,
    kind: Kind,
    found: &mut Items<'a>,
) {
    let sibling = sibling.filter(|sibling| matches!(sibling, Value::Object(_)));
    let value = value.unwrap_or(&NULL);
    if *value == Value::Null && sibling.is_none() {
        return;
    }
    let is_resource = kind == well_known().resource
        || (kind == Kind::UNKNOWN && value.get("resourceType").is_some());
    let node = if is_resource { Node::resource(value) } else { Node { value, sibling, kind } };
    found.push(Item::Node(node));
}

fn text(text: &'static str) -> Item<'static> {
    Item::String(Cow::Borrowed(text))
}
