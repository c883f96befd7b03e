//! The search parameters of R4 whose FHIRPath is a union of simple element paths.
//!
//! A path in the output is relative to its resource and uses four forms only: `a.b`, `a.as(Type)`,
//! `a.where(b='c')`, and steps after those. `(X.a as T)` becomes `a.as(T)`; `.where(resolve() is T)`
//! becomes a target of the parameter. All else is skipped and reported.

use super::{HEADER, items, line, resources, text};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const KINDS: &[&str] = &["token", "reference", "date", "string", "uri"];

/// Kept by whoever stores resources, and not among their search values.
const OF_THE_STORE: &[&str] = &["_id", "_lastUpdated"];

/// A parameter with so many targets names all types, which says no more than naming none.
const EVERY_TYPE: usize = 100;

/// One line for each resource type and parameter.
pub fn lines(directory: &Path, structures: &BTreeMap<String, Value>) -> Result<String, String> {
    let mut found: BTreeMap<&str, BTreeMap<String, String>> = BTreeMap::new();
    let mut skipped: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let parameters = resources(directory, "search-parameters.json")?;
    for parameter in &parameters {
        for base in items(parameter, "base").iter().filter_map(Value::as_str) {
            let code = text(parameter, "code");
            match entry(parameter, base, structures) {
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
         # <code> <kind> <path|path…> [<reference targets>]\n"
    );
    for (base, parameters) in &found {
        line(&mut out, format_args!("= {base}"));
        for parameter in parameters.values() {
            line(&mut out, format_args!("{parameter}"));
        }
    }
    Ok(out)
}

/// What follows the code on the line of a parameter, or why it is skipped.
fn entry(
    parameter: &Value,
    base: &str,
    structures: &BTreeMap<String, Value>,
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
    let all = items(parameter, "target");
    let mut targets: BTreeSet<String> = if all.len() < EVERY_TYPE {
        all.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    } else {
        BTreeSet::new()
    };
    let mut paths = BTreeSet::new();
    for term in text(parameter, "expression").split('|').map(str::trim) {
        let term = without_cast(term);
        let Some(path) = relative(&term, base) else {
            continue;
        };
        let (path, target) = without_resolve(path);
        if let Some(target) = target {
            targets = BTreeSet::from([target.to_owned()]);
        }
        if !is_simple(path) {
            return Err(format!("expression {term}"));
        }
        paths.insert(path.to_owned());
    }
    if paths.is_empty() {
        return Err("no expression".to_owned());
    }
    let paths: Vec<String> = paths.into_iter().collect();
    let targets: Vec<String> = targets.into_iter().collect();
    Ok(format!("{kind} {} {}", paths.join("|"), targets.join(",")))
}

/// `(X.a as T).b` and `X.a as T` written as `X.a.as(T).b`.
fn without_cast(term: &str) -> String {
    let (inner, rest) = match term.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        Some((inner, rest)) => (inner, rest),
        None => (term, ""),
    };
    match inner.split_once(" as ") {
        Some((path, kind)) => format!("{}.as({}){rest}", path.trim(), kind.trim()),
        None => term.to_owned(),
    }
}

/// The path without its resource type; nothing if it is the path of another type.
fn relative<'a>(term: &'a str, base: &str) -> Option<&'a str> {
    if !term.starts_with(char::is_uppercase) {
        return Some(term);
    }
    term.strip_prefix(base)?.strip_prefix('.')
}

fn without_resolve(path: &str) -> (&str, Option<&str>) {
    let split = path.strip_suffix(')').and_then(|path| path.split_once(".where(resolve() is "));
    split.map_or((path, None), |(path, target)| (path, Some(target)))
}

/// Whether the path uses only the forms that the data file knows.
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
        is_name(step)
            || argument("as").is_some_and(is_name)
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
        entry(&parameter, "Observation", &structures)
    }

    #[test]
    fn expressions_become_paths_and_targets() {
        let ok = |expression, expected: &str| {
            assert_eq!(line("x", expression).as_deref(), Ok(expected), "{expression}");
        };
        ok("Observation.a.b", "reference a.b Group,Patient");
        ok("Account.a | Observation.c | Observation.b", "reference b|c Group,Patient");
        ok("(Observation.a as Quantity).b", "reference a.as(Quantity).b Group,Patient");
        ok("Observation.a as Period", "reference a.as(Period) Group,Patient");
        ok("Observation.a.where(resolve() is Patient)", "reference a Patient");
        ok("Observation.a.where(b='c').d", "reference a.where(b='c').d Group,Patient");
    }

    #[test]
    fn what_is_not_a_path_is_skipped_with_a_reason() {
        let refused = |code, expression| line(code, expression).unwrap_err();
        assert_eq!(refused("x", "Observation.a[0].b"), "expression Observation.a[0].b");
        assert_eq!(refused("x", "Account.a"), "no expression");
        assert_eq!(refused("_id", "Observation.id"), "kept by the store");
    }
}
