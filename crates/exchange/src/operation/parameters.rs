//! What an operation is given: from the address, a form or a `Parameters` resource, alike
//! (R4 operations, §3.2.0.3).

use fhir::instant::range;
use fhir::issue::IssueCode;
use fhir::value::{Object, Value};

use crate::error::Failure;
use crate::searchset::Pairs;

/// Most parameters of one call.
const MOST: usize = 1_000;

/// Names and values, in order. From an address every value is a string.
#[derive(Clone, Debug, Default)]
pub struct Parameters(Vec<(String, Value)>);

impl Parameters {
    /// Those of an address or a form. How the answer is to be written is nothing to the operation.
    pub fn of_pairs(pairs: Pairs) -> Self {
        let form = |name: &str| matches!(name, "_format" | "_pretty");
        let pairs = pairs.into_iter().filter(|(name, _)| !form(name));
        Self(pairs.map(|(name, value)| (name, Value::from(value.as_str()))).collect())
    }

    /// Adds those of a body: a `Parameters` resource, or another resource, which then is the
    /// parameter `resource`.
    pub fn add_body(&mut self, body: Value, resource: &str) -> Result<(), Failure> {
        if body.text("resourceType") != Some("Parameters") {
            self.0.push((resource.to_owned(), body));
            return Ok(());
        }
        let list = body.items("parameter");
        if list.len() > MOST {
            return Err(wrong(IssueCode::TooCostly, "there are more than 1000 parameters"));
        }
        for parameter in list {
            let name = parameter.text("name").ok_or_else(|| {
                wrong(IssueCode::Required, "a parameter has no `name`: give each its name")
            })?;
            if let Some(value) = content(parameter) {
                self.0.push((name.to_owned(), value.clone()));
            }
        }
        Ok(())
    }

    /// The first value of this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// All values of this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Value> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value)
    }

    /// The first value of this name as text: a string or a number. Empty is none.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(text).filter(|text| !text.is_empty())
    }

    /// The texts of this name, those in one value parted by commas as in a search.
    pub fn texts<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let texts = self.all(name).filter_map(text).flat_map(|text| text.split(','));
        texts.map(str::trim).filter(|text| !text.is_empty())
    }

    /// `true` or `false`.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, Failure> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(value) => match value.as_str() {
                Some("true") => Ok(Some(true)),
                Some("false") => Ok(Some(false)),
                _ => Err(badly(name, "is `true` or `false`")),
            },
        }
    }

    /// A number, 0 or more.
    pub fn number(&self, name: &str) -> Result<Option<usize>, Failure> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| badly(name, "is a whole number, 0 or more"))
    }

    /// The first and the last millisecond of a date or instant, the last one outside.
    pub fn range(&self, name: &str) -> Result<Option<(i64, i64)>, Failure> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let found = range(text).ok_or_else(|| badly(name, "is a date, such as 2026-01-31"))?;
        Ok(Some(found))
    }

    /// Those with a text, as they would stand in an address, without these.
    pub fn pairs_without(&self, names: &[&str]) -> Pairs {
        let others = self.0.iter().filter(|(name, _)| !names.contains(&name.as_str()));
        let texts = others.filter_map(|(name, value)| Some((name, text(value)?)));
        texts.map(|(name, text)| (name.clone(), text.to_owned())).collect()
    }

    /// Refuses parameters that the operation does not have, since what is left out could change what
    /// is asked.
    pub fn only(&self, names: &[&str]) -> Result<(), Failure> {
        if self.0.iter().all(|(name, _)| names.contains(&name.as_str())) {
            return Ok(());
        }
        let known = names.join("`, `");
        Err(wrong(IssueCode::NotSupported, &format!("the parameters here are `{known}`")))
    }
}

/// The value or resource of a parameter.
fn content(parameter: &Value) -> Option<&Value> {
    let is_content = |name: &str| name == "resource" || name.starts_with("value");
    parameter.as_object().and_then(|object: &Object| {
        object.iter().find(|(name, _)| is_content(name)).map(|(_, value)| value)
    })
}

fn text(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.as_number().map(fhir::value::Number::as_str))
}

fn badly(name: &str, what: &str) -> Failure {
    wrong(IssueCode::Value, &format!("`{name}` {what}"))
}

/// A parameter that is missing.
pub(crate) fn missing(what: &str) -> Failure {
    wrong(IssueCode::Required, what)
}

/// A call that cannot be read.
pub(crate) fn wrong(code: IssueCode, message: &str) -> Failure {
    Failure::malformed(code, "", message)
}
