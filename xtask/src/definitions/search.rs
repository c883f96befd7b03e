//! The search parameters of R4, the FHIRPath of each written anew for each of its types.
//!
//! An expression in the output is relative to its resource, and has only the terms of that type, sorted:
//! parameters that find the same have the same text. `(X.a as T)` and `X.a.as(T)` become `a.ofType(T)`, since
//! `as()` takes one item;
//! `.where(resolve() is T)` becomes a target of the parameter. A composite has its components after
//! its own expression. What is no path of elements is skipped and reported, but for one form.

use super::{HEADER, items, last_segment, line, text};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const KINDS: &[&str] =
    &["token", "reference", "date", "string", "uri", "number", "quantity", "composite", "special"];

/// Kept by whoever stores resources, and not among their search values.
const OF_THE_STORE: &[&str] = &["_id", "_lastUpdated"];

/// Parts of the file names of parameters that are no part of R4 itself: for extensions, and examples
/// of what a parameter looks like.
const NOT_STANDARD: &[&str] = &["-extensions-", "-genetic-", "SearchParameter-example", "-filter."];

/// A parameter with so many targets names all types, which says no more than naming none.
const EVERY_TYPE: usize = 100;

/// A slip in R4's composite `code-value-date`: the type's name begins with a small letter.
const SLIP: (&str, &str) = ("as(DateTime)", "as(dateTime)");

/// In this composite R4 has put the names of the two parameters in each other's place.
const SWAPPED: &str = "DocumentReference-relationship";

type Known = BTreeMap<String, Value>;

/// One line for each resource type and parameter.
pub fn lines(directory: &Path, structures: &BTreeMap<String, Value>) -> Result<String, String> {
    let mut found: BTreeMap<&str, BTreeMap<String, String>> = BTreeMap::new();
    let mut skipped: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let known = read(directory)?;
    for parameter in known.values() {
        for base in items(parameter, "base").iter().filter_map(Value::as_str) {
            let code = text(parameter, "code");
            match entry(parameter, base, structures, &known) {
                Ok(entry) => {
                    let line = format!("{code} {entry}");
                    found.entry(base).or_default().insert(code.to_owned(), line);
                }
                Err(reason) => {
                    skipped.entry(reason).or_default().push(format!("{base}.{code}"));
                }
            }
        }
    }
    let count: usize = found.values().map(BTreeMap::len).sum();
    println!("search parameters: {count}");
    for (reason, names) in &skipped {
        println!("skipped {} search parameters: {reason}: {}", names.len(), names.join(" "));
    }
    let mut out = format!(
        "{HEADER}# = <type>, then its search parameters:\n\
         # <code> <kind> <reference targets, or -> <expression>\n\
         # <code> composite - <expression>; <kind> <expression>; <kind> <expression>…\n"
    );
    for (base, parameters) in &found {
        line(&mut out, format_args!("= {base}"));
        for parameter in parameters.values() {
            line(&mut out, format_args!("{parameter}"));
        }
    }
    Ok(out)
}

/// R4's parameters by their URL.
fn read(directory: &Path) -> Result<Known, String> {
    let mut known = Known::new();
    let files = std::fs::read_dir(directory).map_err(|e| format!("list the directory: {e}"))?;
    for file in files {
        let path = file.map_err(|e| format!("list the directory: {e}"))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !name.starts_with("SearchParameter-") || !name.ends_with(".json") {
            continue;
        }
        if NOT_STANDARD.iter().any(|part| name.contains(part)) {
            println!("skipped {name}: not of R4 itself");
            continue;
        }
        let bytes = std::fs::read(&path).map_err(|e| format!("read {name}: {e}"))?;
        let value: Value = serde_json::from_slice(&bytes).map_err(|e| format!("{name}: {e}"))?;
        known.insert(text(&value, "url").to_owned(), value);
    }
    Ok(known)
}

/// What follows the code on the line of a parameter, or why it is skipped.
fn entry(
    parameter: &Value,
    base: &str,
    structures: &BTreeMap<String, Value>,
    known: &Known,
) -> Result<String, String> {
    let (kind, code) = (text(parameter, "type"), text(parameter, "code"));
    if text(parameter, "version") != "4.0.1" || !structures.contains_key(base) {
        return Err("not of R4".to_owned());
    }
    if !KINDS.contains(&kind) {
        return Err(format!("kind {kind}"));
    }
    if OF_THE_STORE.contains(&code) {
        return Err("kept by the store".to_owned());
    }
    let Paths { paths, target } = paths(text(parameter, "expression"), base)?;
    if kind == "composite" {
        return Ok(format!("{kind} - {paths}; {}", components(parameter, known)?));
    }
    let all = items(parameter, "target");
    let targets: BTreeSet<&str> = match target.as_deref() {
        Some(target) => BTreeSet::from([target]),
        None if all.len() < EVERY_TYPE => all.iter().filter_map(Value::as_str).collect(),
        None => BTreeSet::new(),
    };
    let targets: Vec<&str> = targets.into_iter().collect();
    let targets = if targets.is_empty() { "-".to_owned() } else { targets.join(",") };
    Ok(format!("{kind} {targets} {paths}"))
}

/// The parts of a composite: the kind of each is that of the parameter that it names.
fn components(parameter: &Value, known: &Known) -> Result<String, String> {
    let mut parts = Vec::new();
    let components = items(parameter, "component");
    let mut definitions: Vec<&str> = components.iter().map(|it| text(it, "definition")).collect();
    if text(parameter, "id") == SWAPPED {
        definitions.reverse();
    }
    for (component, definition) in components.iter().zip(definitions) {
        let kind = known.get(definition).map(|definition| text(definition, "type"));
        let kind = kind.ok_or_else(|| format!("component {}", last_segment(definition)))?;
        let expression = text(component, "expression").replace(SLIP.0, SLIP.1);
        let mut own = Vec::new();
        for term in expression.split('|').map(str::trim) {
            let term = without_cast(term);
            if !is_simple(term.strip_prefix("%resource.").unwrap_or(&term)) {
                return Err(format!("expression {term}"));
            }
            own.push(term);
        }
        parts.push(format!("{kind} {}", own.join(" | ")));
    }
    Ok(parts.join("; "))
}

/// The terms of an expression that are of one type.
struct Paths {
    /// Sorted, with bars between.
    paths: String,
    /// The one type that a reference is asked to resolve to.
    target: Option<String>,
}

fn paths(expression: &str, base: &str) -> Result<Paths, String> {
    let mut found = BTreeSet::new();
    let mut only = None;
    for term in expression.split('|').map(str::trim) {
        if let Some(test) = test(term, base) {
            found.insert(test);
            continue;
        }
        let term = without_cast(term);
        let Some(path) = relative(&term, base) else {
            continue;
        };
        let (path, target) = without_resolve(path);
        only = target.map(str::to_owned).or(only);
        if !is_simple(path) {
            return Err(format!("expression {term}"));
        }
        found.insert(path.to_owned());
    }
    if found.is_empty() {
        return Err("no expression".to_owned());
    }
    let paths: Vec<String> = found.into_iter().collect();
    Ok(Paths { paths: paths.join(" | "), target: only })
}

/// `X.a.exists() and X.a != false` without its type; nothing of other forms and types.
fn test(term: &str, base: &str) -> Option<String> {
    let (path, test) = term.split_once(".exists() and ")?;
    let path = relative(path, base).filter(|_| test.strip_suffix(" != false") == Some(path))?;
    is_simple(path).then(|| format!("{path}.exists() and {path} != false"))
}

/// `(X.a as T).b`, `X.a as T` and `X.a.as(T)` written with `ofType(T)`, which takes several items too.
fn without_cast(term: &str) -> String {
    let (inner, rest) = match term.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        Some((inner, rest)) => (inner, rest),
        None => (term, ""),
    };
    match inner.split_once(" as ") {
        Some((path, kind)) => format!("{}.ofType({}){rest}", path.trim(), kind.trim()),
        None => term.replace(".as(", ".ofType("),
    }
}

/// The path without its resource type; nothing if it is the path of another type.
fn relative<'a>(term: &'a str, base: &str) -> Option<&'a str> {
    if term == base {
        return Some("$this");
    }
    if !term.starts_with(char::is_uppercase) {
        return Some(term);
    }
    term.strip_prefix(base)?.strip_prefix('.')
}

fn without_resolve(path: &str) -> (&str, Option<&str>) {
    let split = path.strip_suffix(')').and_then(|path| path.split_once(".where(resolve() is "));
    split.map_or((path, None), |(path, target)| (path, Some(target)))
}

/// Whether it is a path of elements.
fn is_simple(path: &str) -> bool {
    path.split('.').all(|step| {
        let argument = |name: &str| {
            step.strip_prefix(name).and_then(|rest| rest.strip_prefix('(')?.strip_suffix(')'))
        };
        let is_name = |text: &str| {
            text.starts_with(char::is_alphabetic) && text.chars().all(char::is_alphanumeric)
        };
        let is_condition = |text: &str| {
            text.split_once('=').is_some_and(|(name, value)| {
                is_name(name) && value.starts_with('\'') && value.ends_with('\'')
            })
        };
        path == "$this"
            || is_name(step.strip_suffix("[0]").unwrap_or(step))
            || argument("ofType").is_some_and(is_name)
            || argument("where").is_some_and(is_condition)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn line(code: &str, expression: &str) -> Result<String, String> {
        let parameter = json!({
            "type": "reference",
            "code": code,
            "version": "4.0.1",
            "target": ["Patient", "Group"],
            "expression": expression,
        });
        let structures = BTreeMap::from([("Observation".to_owned(), Value::Null)]);
        entry(&parameter, "Observation", &structures, &Known::new())
    }

    #[test]
    fn expressions_become_paths_and_targets() {
        let ok = |expression, expected: &str| {
            assert_eq!(line("x", expression).as_deref(), Ok(expected), "{expression}");
        };
        ok("Observation.a.b", "reference Group,Patient a.b");
        ok("Account.a | Observation.c | Observation.b", "reference Group,Patient b | c");
        ok("(Observation.a as Quantity).b", "reference Group,Patient a.ofType(Quantity).b");
        ok("Observation.a as Period", "reference Group,Patient a.ofType(Period)");
        ok("Observation.a.where(resolve() is Patient)", "reference Patient a");
        ok("Observation.a.where(b='c').d", "reference Group,Patient a.where(b='c').d");
        ok("Observation.a[0].b", "reference Group,Patient a[0].b");
        ok(
            "Observation.a.exists() and Observation.a != false",
            "reference Group,Patient a.exists() and a != false",
        );
        ok("Observation", "reference Group,Patient $this");
    }

    #[test]
    fn components_follow_a_composite() {
        let part = |url: &str, kind: &str| (url.to_owned(), json!({ "url": url, "type": kind }));
        let known = Known::from([part("urn:a", "token"), part("urn:b", "date")]);
        let parameter = json!({
            "component": [
                { "definition": "urn:a", "expression": "%resource.code" },
                { "definition": "urn:b", "expression": "value.as(DateTime) | value.as(Period)" },
            ],
        });
        let expected = "token %resource.code; date value.ofType(dateTime) | value.ofType(Period)";
        assert_eq!(components(&parameter, &known).as_deref(), Ok(expected));
        assert_eq!(components(&parameter, &Known::new()), Err("component urn:a".to_owned()));
    }

    #[test]
    fn what_is_not_a_path_is_skipped_with_a_reason() {
        let refused = |code, expression| line(code, expression).unwrap_err();
        assert_eq!(refused("x", "Observation.a.first().b"), "expression Observation.a.first().b");
        assert_eq!(refused("x", "Account.a"), "no expression");
        assert_eq!(refused("_id", "Observation.id"), "kept by the store");
    }
}
