//! How sources are asked, as data: `data/shapes.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use record::catalogue::{Catalogue, CategoryKey};
use serde::Deserialize;

/// How one kind of source is asked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// Stable key, named by configurations.
    pub key: String,
    /// What people call the source, in Bokmål.
    pub title: String,
    /// Whether it is a national source, which answers for itself what it shares.
    pub national: bool,
    /// Headers of every question: names and templates.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// What the source calls each purpose of use (the code of HL7's PurposeOfUse); a purpose that does not stand
    /// here is no basis there.
    #[serde(default)]
    pub basis: BTreeMap<String, String>,
    /// The questions.
    pub ask: Vec<Ask>,
}

/// One question.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// Key of the category that the answer belongs to.
    pub category: String,
    /// Types of the resources in the answer.
    pub types: Vec<String>,
    /// How.
    #[serde(default)]
    pub method: Method,
    /// Address under the source's base; nobody is named in it.
    pub path: String,
    /// Fields of the form: names and templates.
    #[serde(default)]
    pub form: Vec<(String, String)>,
}

/// A method of HTTP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// The person stands in a header.
    Get,
    /// By a form (FHIR R4, `_search`).
    #[default]
    Post,
}

#[derive(Deserialize)]
struct File {
    shape: Vec<Shape>,
}

static SHAPES: LazyLock<Vec<Shape>> = LazyLock::new(|| {
    // The file is part of the program and a test reads it; without it no source could be configured.
    toml::from_str(include_str!("../data/shapes.toml"))
        .map_or_else(|_| Vec::new(), |file: File| file.shape)
});

/// Every shape.
pub fn shapes() -> &'static [Shape] {
    &SHAPES
}

impl Ask {
    /// The category that the answer belongs to; `None` where the catalogue has none of that key.
    pub fn category(&self) -> Option<CategoryKey> {
        Catalogue::get().category(&self.category).map(|it| it.key.as_str())
    }
}

/// What templates are filled in with.
#[derive(Clone)]
pub struct Question {
    /// The person's national identity number. Never logged.
    pub number: String,
    /// Code of the purpose of use, such as `TREAT`.
    pub purpose: String,
    /// Profession of who asks (kodeverk 9060), where there is one.
    pub profession: Option<String>,
    /// Id of the question, new for each.
    pub request: String,
}

impl Shape {
    /// A template filled in; `None` where the question has not what it names.
    pub(crate) fn fill(&self, template: &str, question: &Question) -> Option<String> {
        let mut text = String::with_capacity(template.len() + 16);
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}')?;
            text.push_str(before);
            text.push_str(&self.value(name, question)?);
            rest = after;
        }
        text.push_str(rest);
        Some(text)
    }

    fn value(&self, name: &str, question: &Question) -> Option<String> {
        match name {
            "number" => Some(question.number.clone()),
            "request" => Some(question.request.clone()),
            "basis" => self.basis.get(&question.purpose).cloned(),
            "role" => question.profession.clone(),
            "role-coding" => question.profession.as_deref().map(role_coding),
            _ => None,
        }
    }
}

/// The coding of a profession as a header takes it: JSON, percent-encoded.
fn role_coding(code: &str) -> String {
    let coding = serde_json::json!({ "system": "urn:oid:2.16.578.1.12.4.1.1.9060", "code": code });
    form_urlencoded::byte_serialize(coding.to_string().as_bytes())
        .collect::<String>()
        // A form writes a space so; a header's value is percent-encoded (RFC 3986 §2.1).
        .replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_asks_for_categories_that_there_are() {
        assert!(shapes().len() >= 5);
        for ask in shapes().iter().flat_map(|shape| &shape.ask) {
            assert!(ask.category().is_some(), "{}", ask.category);
            assert!(!ask.path.contains('{'), "{}: an address names nobody", ask.path);
        }
    }

    #[test]
    fn what_cannot_be_filled_in_is_left_out() {
        let shape = shapes().iter().find(|it| it.key == "pps").expect("pps");
        let question = Question {
            number: "1".to_owned(),
            purpose: "COC".to_owned(),
            profession: Some("LE".to_owned()),
            request: "r".to_owned(),
        };
        assert_eq!(shape.fill("a{number}b{request}", &question).as_deref(), Some("a1br"));
        assert_eq!(shape.fill("{basis}", &question), None);
        let coding = shape.fill("{role-coding}", &question).expect("a profession");
        assert!(coding.starts_with("%7B%22system%22%3A%22urn%3Aoid"), "{coding}");
    }
}
