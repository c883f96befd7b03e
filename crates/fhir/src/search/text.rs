//! The words that `_text` and `_content` look in (R4 search §3.1.1.4.15).
//!
//! Not part of [`super::index`]: a whole resource has many words, and whoever stores them decides
//! whether they are worth it.

use super::fold::fold;
use crate::resource::Resource;
use crate::value::Value;

/// Longer words are cut; nobody types them.
const LONGEST: usize = 64;

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

/// The text between tags. A tag ends a word; character references are read where XHTML's own.
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
    for (entity, letter) in [("&lt;", " "), ("&gt;", " "), ("&quot;", " "), ("&#160;", " ")] {
        if text.contains(entity) {
            text = text.replace(entity, letter);
        }
    }
    add(&text.replace("&amp;", "&").replace("&nbsp;", " "), found);
}
