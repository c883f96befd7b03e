//! Exchanges as they are written in `cases/http`: reading them, and comparing an answer.

use std::collections::BTreeMap;

use serde_json::Value;

/// A request and the answer to expect.
#[derive(Default)]
pub struct Exchange {
    pub title: String,
    pub method: String,
    pub path: String,
    pub role: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<String>,
    pub status: u16,
    pub expected_headers: Vec<(String, String)>,
    pub expected_body: Option<String>,
}

/// Reads a file: an introduction, then exchanges that begin with `###`.
pub fn parse(text: &str) -> Result<Vec<Exchange>, String> {
    let mut parts = text.split("\n### ");
    if parts.next().is_none_or(|about| about.trim().len() < 5) {
        return Err("say first what the file shows".to_owned());
    }
    parts.map(|part| one(part).map_err(|why| format!("{why}: {part}"))).collect()
}

fn one(part: &str) -> Result<Exchange, &'static str> {
    let (title, rest) = part.split_once('\n').ok_or("an exchange has a title and a request")?;
    let (request, answer) = rest.split_once("\nHTTP ").ok_or("no `HTTP <status>`")?;
    let (head, body) = halves(request);
    let mut lines = head.lines();
    let (method, path) =
        lines.next().and_then(|line| line.split_once(' ')).ok_or("no method and path")?;
    let mut exchange = Exchange {
        title: title.to_owned(),
        method: method.to_owned(),
        path: path.trim().to_owned(),
        role: "plo-epj".to_owned(),
        body,
        ..Exchange::default()
    };
    for (name, value) in pairs(lines)? {
        if name == "As" {
            exchange.role = value;
        } else {
            exchange.headers.push((name, value));
        }
    }
    let (head, body) = halves(answer);
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.trim().parse().ok());
    exchange.status = status.ok_or("no status")?;
    exchange.expected_headers = pairs(lines)?;
    exchange.expected_body = body;
    Ok(exchange)
}

/// Head and body, parted by the first blank line.
fn halves(text: &str) -> (&str, Option<String>) {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let body = body.trim();
    (head, (!body.is_empty()).then(|| body.to_owned()))
}

fn pairs<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Vec<(String, String)>, &'static str> {
    let pair = |line: &str| {
        let (name, value) = line.split_once(": ").ok_or("a header has `: `")?;
        Ok((name.to_owned(), value.trim().to_owned()))
    };
    lines.filter(|line| !line.trim().is_empty()).map(pair).collect()
}

/// What the exchanges of a file remember.
pub struct Variables(pub BTreeMap<String, String>);

impl Variables {
    /// Text with every `{{name}}` filled in.
    pub fn fill(&self, text: &str) -> Result<String, String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, after) = after.split_once("}}").ok_or("`{{` without `}}`")?;
            let value = self.0.get(name).ok_or_else(|| format!("nothing is known of `{name}`"))?;
            out.push_str(before);
            out.push_str(value);
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }
}

/// What an answer must look like.
pub struct Pattern<'a>(pub &'a str);

impl Pattern<'_> {
    /// Compares a header; `None` where it is not there.
    pub fn header(&self, found: Option<&str>, variables: &mut Variables) -> Result<(), String> {
        match found {
            None if self.0 == "<absent>" => Ok(()),
            None => Err("is not there".to_owned()),
            Some(_) if self.0 == "<absent>" => Err("is there".to_owned()),
            Some(found) => text(self.0, found, variables),
        }
    }

    /// Compares a body: JSON by parts, other text by its pattern.
    pub fn body(&self, found: &str, variables: &mut Variables) -> Result<(), String> {
        match serde_json::from_str::<Value>(self.0) {
            Ok(expected) => {
                let found: Value =
                    serde_json::from_str(found).map_err(|error| format!("not JSON: {error}"))?;
                part(&expected, &found, variables).map_err(|(path, why)| format!("${path}: {why}"))
            }
            Err(_) if self.0.starts_with('{') => Err("the expected JSON is broken".to_owned()),
            Err(_) => text(self.0, found.trim(), variables),
        }
    }
}

fn text(expected: &str, found: &str, variables: &mut Variables) -> Result<(), String> {
    let mut pattern = String::new();
    let mut names = Vec::new();
    let mut rest = expected;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").ok_or("`{{` without `}}`")?;
        pattern.push_str(before);
        match name.strip_suffix("=*") {
            Some(name) => {
                names.push((pattern.matches('*').count(), name));
                pattern.push('*');
            }
            None => pattern.push_str(&variables.fill(&format!("{{{{{name}}}}}"))?),
        }
        rest = after;
    }
    pattern.push_str(rest);
    let parts: Vec<&str> = pattern.split('*').collect();
    let held = wild(&parts, found).ok_or_else(|| format!("`{found}` is not `{expected}`"))?;
    for (index, name) in names {
        variables.0.insert(name.to_owned(), held[index].clone());
    }
    Ok(())
}

/// What each `*` between the parts stands for; nothing where the text does not fit.
fn wild(parts: &[&str], text: &str) -> Option<Vec<String>> {
    let (first, rest) = parts.split_first()?;
    let mut text = text.strip_prefix(first)?;
    let mut held = Vec::new();
    for (index, part) in rest.iter().enumerate() {
        let last = index + 1 == rest.len();
        let at = if last { text.len().checked_sub(part.len())? } else { text.find(part)? };
        let (before, after) = text.split_at_checked(at)?;
        held.push(before.to_owned());
        text = after.strip_prefix(part)?;
    }
    text.is_empty().then_some(held)
}

type Difference = (String, String);

fn part(expected: &Value, found: &Value, variables: &mut Variables) -> Result<(), Difference> {
    let here = |why: String| (String::new(), why);
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            for (name, expected) in expected {
                let below = |(path, why): Difference| (format!(".{name}{path}"), why);
                match (expected, found.get(name)) {
                    (Value::String(mark), None) if mark == "<absent>" => {}
                    (Value::String(mark), Some(_)) if mark == "<absent>" => {
                        return Err(below(here("is there".to_owned())));
                    }
                    (_, None) => return Err(below(here("is not there".to_owned()))),
                    (expected, Some(found)) => part(expected, found, variables).map_err(below)?,
                }
            }
            Ok(())
        }
        (Value::Array(expected), Value::Array(found)) => items(expected, found, variables),
        (Value::String(expected), Value::String(found)) => {
            text(expected, found, variables).map_err(here)
        }
        _ if expected == found => Ok(()),
        _ => Err(here(format!("`{found}` is not `{expected}`"))),
    }
}

fn items(expected: &[Value], found: &[Value], variables: &mut Variables) -> Result<(), Difference> {
    let (open, expected) = match expected.split_last() {
        Some((Value::String(mark), rest)) if mark == "<more>" => (true, rest),
        _ => (false, expected),
    };
    if found.len() < expected.len() || (!open && found.len() > expected.len()) {
        let why = format!("{} items, expected {}", found.len(), expected.len());
        return Err((String::new(), why));
    }
    for (index, (expected, found)) in expected.iter().zip(found).enumerate() {
        part(expected, found, variables)
            .map_err(|(path, why)| (format!("[{index}]{path}"), why))?;
    }
    Ok(())
}
