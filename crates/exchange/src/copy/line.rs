//! A resource in words: when, what, and everything else it says, element by element. Nothing of its content is
//! left out but addresses, codes beside their words, and the bytes of attachments.
//!
//! It knows the data types of R4, and of the resource types only where a title is most likely to stand.

use fhir::value::{Object, Value};
use record::about::elements;
use view::store::Stored;

use crate::read::parsed;

/// A resource in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Resource type.
    pub kind: &'static str,
    /// Key of the category.
    pub category: String,
    /// When it is about, as the source wrote it.
    pub when: Option<String>,
    /// What it is; nothing where it does not say.
    pub title: Option<String>,
    /// What else it says: the name of each element, and its content in words.
    pub facts: Vec<(String, String)>,
    /// Whose it is.
    pub owner: String,
    /// The system that sent it.
    pub source: String,
    /// When it was recorded, milliseconds since 1970.
    pub recorded: i64,
}

/// Elements that say what a resource is, the best first.
const TITLES: [&str; 14] = [
    "code",
    "vaccineCode",
    "medicationCodeableConcept",
    "medicationReference",
    "type",
    "title",
    "name",
    "serviceType",
    "bodySite",
    "category",
    "topic",
    "scope",
    "class",
    "questionnaire",
];

/// Elements that are about the record and not in it, or that say whose it is.
const PASSED: [&str; 13] = [
    "resourceType",
    "id",
    "meta",
    "implicitRules",
    "language",
    "contained",
    "subject",
    "patient",
    "for",
    "beneficiary",
    "text",
    "data",
    "url",
];

/// Deepest nesting that is told.
const DEEPEST: usize = 12;

/// A stored resource in words; nothing where it cannot be read.
pub fn line(stored: &Stored) -> Option<Line> {
    let value = parsed(stored).ok()?;
    let when = elements(stored.kind).happened.iter().find_map(|path| {
        let at = value.at(path)?;
        at.as_str().or_else(|| at.text("start")).map(str::to_owned)
    });
    let titled = TITLES.iter().find_map(|name| Some((*name, words(value.get(name)?, 0)?)));
    let (used, title) = titled.map_or((None, None), |(name, title)| (Some(name), Some(title)));
    let object = value.as_object()?;
    let mut facts = Vec::new();
    for (name, member) in object.iter() {
        let is_told = Some(name) != used && !PASSED.contains(&name) && !name.starts_with('_');
        if let Some(said) = is_told.then(|| words(member, 0)).flatten() {
            facts.push((name.to_owned(), said));
        }
    }
    // A narrative is all that some resources say.
    if facts.len() < 2
        && let Some(narrative) = value.get("text").and_then(|text| text.text("div")).map(plain)
        && !narrative.is_empty()
    {
        facts.push(("text".to_owned(), narrative));
    }
    Some(Line {
        kind: stored.kind,
        category: stored.category.clone(),
        when,
        title,
        facts,
        owner: stored.owner.clone(),
        source: stored.source.clone(),
        recorded: stored.updated,
    })
}

/// A value in words; nothing where it has none.
fn words(value: &Value, depth: usize) -> Option<String> {
    if depth > DEEPEST {
        return None;
    }
    match value {
        Value::Array(items) => {
            let said: Vec<String> = items.iter().filter_map(|it| words(it, depth + 1)).collect();
            (!said.is_empty()).then(|| said.join("; "))
        }
        Value::Object(object) => complex(value, object, depth),
        Value::Null => None,
        _ => primitive(value),
    }
}

fn primitive(value: &Value) -> Option<String> {
    if let Some(text) = value.as_str() {
        return (!text.is_empty()).then(|| text.to_owned());
    }
    if let Some(number) = value.as_number() {
        return Some(number.as_str().to_owned());
    }
    value.as_bool().map(|is| if is { "ja" } else { "nei" }.to_owned())
}

fn complex(value: &Value, object: &Object, depth: usize) -> Option<String> {
    let text = |name: &str| value.text(name).map(str::to_owned);
    let has = |name: &str| value.get(name).is_some();
    if has("coding") {
        return text("text").or_else(|| words(value.get("coding")?, depth + 1));
    }
    if has("system") && has("code") && !has("value") {
        return text("display").or_else(|| text("code"));
    }
    if has("value") && (has("unit") || has("code") || has("comparator")) {
        let number = words(value.get("value")?, depth + 1)?;
        let parts = [text("comparator"), Some(number), text("unit").or_else(|| text("code"))];
        return Some(parts.into_iter().flatten().collect::<Vec<_>>().join(" "));
    }
    if has("reference") || has("identifier") && (has("display") || has("type")) {
        let number = || value.get("identifier").and_then(|it| it.text("value")).map(str::to_owned);
        return text("display").or_else(number);
    }
    if (has("start") || has("end")) && object.len() <= 2 {
        let (start, end) = (text("start").unwrap_or_default(), text("end").unwrap_or_default());
        return Some(format!("{start} – {end}").trim().to_owned());
    }
    if has("family") || has("given") {
        let given = value.items("given").iter().filter_map(Value::as_str);
        return Some(given.chain(value.text("family")).collect::<Vec<_>>().join(" "));
    }
    if has("system") && has("value") {
        return text("value");
    }
    if has("contentType") {
        let parts = [text("title"), text("contentType")];
        return Some(parts.into_iter().flatten().collect::<Vec<_>>().join(", "));
    }
    if let Some(div) = value.text("div") {
        return Some(plain(div)).filter(|text| !text.is_empty());
    }
    members(object, depth)
}

/// What the members of any other type say. An extension's content is told without its address.
fn members(object: &Object, depth: usize) -> Option<String> {
    let told = object.iter().filter(|(name, _)| !matches!(*name, "id" | "url" | "data"));
    let said: Vec<String> = told.filter_map(|(_, it)| words(it, depth + 1)).collect();
    (!said.is_empty()).then(|| said.join(", "))
}

/// The text of a narrative, without its tags.
fn plain(div: &str) -> String {
    let mut text = String::with_capacity(div.len());
    let mut in_tag = false;
    for c in div.chars() {
        match c {
            '<' => in_tag = true,
            '>' => {
                in_tag = false;
                text.push(' ');
            }
            c if !in_tag => text.push(c),
            _ => {}
        }
    }
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    let text = text.replace("&#160;", " ").replace("&nbsp;", " ").replace("&amp;", "&");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
