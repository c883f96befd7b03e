//! The words that `_text` and `_content` look in (R4 search §3.1.1.4.15).
//!
//! Not part of [`super::index`]: a whole resource has many words, and whoever stores them decides
//! whether they are worth it.

use super::fold::fold;
use crate::resource::Resource;
use crate::value::Value;

/// Longer words are cut; nobody types them.
const LONGEST: usize = 64;

/// No name of a character is longer.
const LONGEST_REFERENCE: usize = 10;

/// Which text of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// `_text`: the narrative.
    Narrative,
    /// `_content`: the narrative and every other text in the resource.
    Content,
}

/// The words of a resource, folded, sorted, each once.
pub fn words(resource: &Resource, part: Part) -> Vec<Box<str>> {
    let mut found = Vec::new();
    match part {
        Part::Narrative => {
            if let Some(div) = resource.value().at("text.div").and_then(Value::as_str) {
                add_markup(div, &mut found);
            }
        }
        Part::Content => add_all(resource.value(), &mut found),
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The words of a searched text, folded as [`words`] does, in the order given.
pub fn split(text: &str) -> Vec<Box<str>> {
    let mut found = Vec::new();
    add(text, &mut found);
    found
}

fn add(text: &str, found: &mut Vec<Box<str>>) {
    let folded = fold(text);
    let words = folded.split(|letter: char| !letter.is_alphanumeric());
    found.extend(words.filter(|word| !word.is_empty()).map(|word| {
        let end = word.char_indices().nth(LONGEST).map_or(word.len(), |(at, _)| at);
        word.get(..end).unwrap_or(word).into()
    }));
}

fn add_all(value: &Value, found: &mut Vec<Box<str>>) {
    match value {
        Value::String(text) => add(text, found),
        Value::Array(items) => items.iter().for_each(|item| add_all(item, found)),
        Value::Object(object) => {
            for (name, value) in object.iter() {
                match value {
                    Value::String(markup) if name == "div" => add_markup(markup, found),
                    other => add_all(other, found),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The text between tags, of which each ends a word.
fn add_markup(markup: &str, found: &mut Vec<Box<str>>) {
    let mut text = String::with_capacity(markup.len());
    let mut rest = markup;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        let end = if tag.starts_with("!--") { "-->" } else { ">" };
        rest = tag.split_once(end).map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    add(&without_references(&text), found);
}

/// Character references as what they stand for; one that is not known ends a word.
fn without_references(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        match after.split_once(';').filter(|(name, _)| name.len() <= LONGEST_REFERENCE) {
            Some((name, after)) => {
                out.push(referred(name).unwrap_or(' '));
                rest = after;
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// What a reference by number stands for, or by one of the names of our letters.
fn referred(name: &str) -> Option<char> {
    let by_number = name.strip_prefix('#').and_then(|number| match number.strip_prefix('x') {
        Some(number) => u32::from_str_radix(number, 16).ok(),
        None => number.parse().ok(),
    });
    by_number.and_then(char::from_u32).or(match name {
        "aelig" => Some('æ'),
        "AElig" => Some('Æ'),
        "oslash" => Some('ø'),
        "Oslash" => Some('Ø'),
        "aring" => Some('å'),
        "Aring" => Some('Å'),
        _ => None,
    })
}
