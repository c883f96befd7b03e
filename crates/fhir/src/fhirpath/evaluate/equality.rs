//! Equal, and equivalent (FHIRPath 2.0.0 §6.1).

use super::{Evaluator, Result};
use crate::fhirpath::decimal::Decimal;
use crate::fhirpath::item::{Item, Items, Node, Quantity};
use crate::fhirpath::model::Kind;
use crate::fhirpath::quantity;
use crate::value::{Number, Value};

impl<'a> Evaluator<'_, 'a> {
    /// Whether two collections are equal, as far as that is known.
    pub(super) fn equal(&self, one: &Items<'a>, two: &Items<'a>) -> Result<Option<bool>> {
        if one.is_empty() || two.is_empty() {
            return Ok(None);
        }
        if one.len() != two.len() {
            return Ok(Some(false));
        }
        let mut known = true;
        for (one, two) in one.iter().zip(two.iter()) {
            match self.same(one, two)? {
                Some(true) => {}
                Some(false) => return Ok(Some(false)),
                None => known = false,
            }
        }
        Ok(known.then_some(true))
    }

    /// Whether a collection holds an item that is equal to this one.
    pub(super) fn contains(&self, items: &[Item<'a>], wanted: &Item<'a>) -> Result<bool> {
        for item in items {
            if self.same(item, wanted)? == Some(true) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether two items are equal, as far as that is known.
    pub(super) fn same(&self, one: &Item<'a>, two: &Item<'a>) -> Result<Option<bool>> {
        self.spend(1)?;
        if let (Some(one), Some(two)) = (plain_text(one), plain_text(two)) {
            return Ok(Some(one == two));
        }
        if let (Item::Node(one), Item::Node(two)) = (one, two)
            && std::ptr::eq(one.value, two.value)
            && *one.value != Value::Null
        {
            return Ok(Some(true));
        }
        Ok(match (one.to_system(), two.to_system()) {
            (Item::Node(one), Item::Node(two)) => Some(self.same_nodes(&one, &two)?),
            (Item::Boolean(one), Item::Boolean(two)) => Some(one == two),
            (Item::Integer(one), Item::Integer(two)) => Some(one == two),
            (Item::String(one), Item::String(two)) => Some(one == two),
            (Item::Moment(one), Item::Moment(two)) => one.equals(&two),
            (Item::Type(one), Item::Type(two)) => Some(one == two),
            (Item::Quantity(one), two) => {
                quantity_of(&two).map_or(Some(false), |two| quantity::equal(&one, &two))
            }
            (one, Item::Quantity(two)) => {
                quantity_of(&one).map_or(Some(false), |one| quantity::equal(&one, &two))
            }
            (one, two) => match (number(&one), number(&two)) {
                (Some(one), Some(two)) => Some(one == two),
                _ => Some(false),
            },
        })
    }

    fn same_nodes(&self, one: &Node<'a>, two: &Node<'a>) -> Result<bool> {
        if *one.value == Value::Null && *two.value == Value::Null {
            return match (one.sibling, two.sibling) {
                (Some(one), Some(two)) => self.same_values(one, two),
                _ => Ok(one.kind == two.kind && one.sibling == two.sibling),
            };
        }
        self.same_values(one.value, two.value)
    }

    /// Whether two trees are equal, the order of members aside.
    fn same_values(&self, one: &Value, two: &Value) -> Result<bool> {
        self.spend(1)?;
        match (one, two) {
            (Value::Object(one), Value::Object(two)) => {
                if one.len() != two.len() {
                    return Ok(false);
                }
                for (name, value) in one.iter() {
                    match two.get(name) {
                        Some(other) if self.same_values(value, other)? => {}
                        _ => return Ok(false),
                    }
                }
                Ok(true)
            }
            (Value::Array(one), Value::Array(two)) => {
                if one.len() != two.len() {
                    return Ok(false);
                }
                for (one, two) in one.iter().zip(two) {
                    if !self.same_values(one, two)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (Value::Number(one), Value::Number(two)) => Ok(same_numbers(one, two)),
            _ => Ok(one == two),
        }
    }

    /// Whether two collections are equivalent: in any order.
    pub(super) fn equivalent(&self, one: &Items<'a>, two: &Items<'a>) -> Result<bool> {
        if one.len() != two.len() {
            return Ok(false);
        }
        let mut left: Vec<&Item<'a>> = two.iter().collect();
        for item in one.iter() {
            let mut at = None;
            for (index, other) in left.iter().enumerate() {
                if self.alike(item, other)? {
                    at = Some(index);
                    break;
                }
            }
            let Some(at) = at else {
                return Ok(false);
            };
            left.swap_remove(at);
        }
        Ok(true)
    }

    fn alike(&self, one: &Item<'a>, two: &Item<'a>) -> Result<bool> {
        self.spend(1)?;
        Ok(match (one.to_system(), two.to_system()) {
            (Item::Node(one), Item::Node(two)) => self.alike_values(one.value, two.value)?,
            (Item::String(one), Item::String(two)) => folded(&one) == folded(&two),
            (Item::Moment(one), Item::Moment(two)) => one.is_like(&two),
            (Item::Quantity(one), two) => {
                quantity_of(&two).is_some_and(|two| quantity::alike(&one, &two))
            }
            (one, Item::Quantity(two)) => {
                quantity_of(&one).is_some_and(|one| quantity::alike(&one, &two))
            }
            (one, two) => match (number(&one), number(&two)) {
                (Some(one), Some(two)) => one.is_like(two),
                _ => self.same(&one, &two)? == Some(true),
            },
        })
    }

    /// Whether two trees are equivalent: ids aside, texts and arrays as collections are.
    fn alike_values(&self, one: &Value, two: &Value) -> Result<bool> {
        self.spend(1)?;
        match (one, two) {
            (Value::Object(one), Value::Object(two)) => {
                let count = |object: &crate::value::Object| {
                    object.iter().filter(|(name, _)| *name != "id").count()
                };
                if count(one) != count(two) {
                    return Ok(false);
                }
                for (name, value) in one.iter().filter(|(name, _)| *name != "id") {
                    match two.get(name) {
                        Some(other) if self.alike_values(value, other)? => {}
                        _ => return Ok(false),
                    }
                }
                Ok(true)
            }
            (Value::Array(one), Value::Array(two)) => {
                let items = |values: &'_ [Value]| values.len();
                if items(one) != items(two) {
                    return Ok(false);
                }
                let mut left: Vec<&Value> = two.iter().collect();
                for value in one {
                    let mut at = None;
                    for (index, other) in left.iter().enumerate() {
                        if self.alike_values(value, other)? {
                            at = Some(index);
                            break;
                        }
                    }
                    let Some(at) = at else {
                        return Ok(false);
                    };
                    left.swap_remove(at);
                }
                Ok(true)
            }
            (Value::String(one), Value::String(two)) => Ok(folded(one) == folded(two)),
            (Value::Number(one), Value::Number(two)) => Ok(same_numbers(one, two)),
            _ => Ok(one == two),
        }
    }
}

/// The text of an item whose equality is that of its text: strings, codes, URIs.
pub(super) fn plain_text<'i>(item: &'i Item<'_>) -> Option<&'i str> {
    match item {
        Item::String(text) => Some(text),
        Item::Node(node) if node.kind.as_system() == Some(Kind::STRING) => node.text(),
        _ => None,
    }
}

/// The number of a number.
pub(super) fn number(item: &Item<'_>) -> Option<Decimal> {
    match item {
        Item::Integer(number) => Some(Decimal::from(*number)),
        Item::Decimal(number) => Some(*number),
        _ => None,
    }
}

/// The item as a quantity, which a number turns into by itself.
fn quantity_of<'a>(item: &Item<'a>) -> Option<Quantity<'a>> {
    match item {
        Item::Quantity(quantity) => Some((**quantity).clone()),
        other => number(other).map(quantity::of_ones),
    }
}

fn same_numbers(one: &Number, two: &Number) -> bool {
    let number = |number: &Number| Decimal::parse(number.as_str());
    match (number(one), number(two)) {
        (Some(one), Some(two)) => one == two,
        _ => one == two,
    }
}

/// In lower case, with white space as single blanks.
fn folded(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").to_lowercase()
}
