//! The rules between elements. A few of R4's that every resource meets are asked of the structure
//! directly, being slow or not sayable in FHIRPath; tests show that both ways agree.

use super::contained;
use super::item::Item;
use super::structure::Checker;
use crate::fhirpath::scope::Scope;
use crate::issue::{Issue, IssueCode, Severity};
use crate::rule::Rule;
use crate::value::Value;
use std::sync::Arc;

/// A rule of one resource may take so many steps.
const BUDGET: u64 = 2_000_000;

/// Asks the rules of the item's type.
pub(super) fn of_shape<'a>(checker: &mut Checker<'a, '_>, item: Item<'a>) {
    if let Some(shape) = item.shape {
        all(checker, &shape.rules, item);
    }
}

/// Asks rules of an item.
pub(super) fn all<'a>(checker: &mut Checker<'a, '_>, rules: &'static [Arc<Rule>], item: Item<'a>) {
    for rule in rules {
        match native(checker, rule, item) {
            Some(None) => {}
            Some(Some((name, message))) => {
                let mut location = checker.location();
                if !name.is_empty() {
                    location = format!("{location}.{name}");
                }
                let message = format!("rule `{}` does not hold: {message}", rule.key());
                checker.push(Issue::error(IssueCode::Invariant, location, message));
            }
            None => ask(checker, rule, item),
        }
    }
}

/// Asks one rule of an item, by its expression.
pub(super) fn ask<'a>(checker: &mut Checker<'a, '_>, rule: &Rule, item: Item<'a>) {
    let (severity, message) = match holds(checker, rule, item) {
        Ok(true) => return,
        Ok(false) => {
            let severity = if rule.refuses() { Severity::Error } else { Severity::Warning };
            (severity, format!("rule `{}` does not hold: {}", rule.key(), rule.text()))
        }
        Err(reason) => {
            (Severity::Warning, format!("rule `{}` could not be asked: {reason}", rule.key()))
        }
    };
    let location = checker.location();
    let code = IssueCode::Invariant;
    checker.push(Issue { severity, ..Issue::error(code, location, message) });
}

fn holds<'a>(checker: &Checker<'a, '_>, rule: &Rule, item: Item<'a>) -> Result<bool, String> {
    let expression = rule.expression().ok_or("it is no FHIRPath")?;
    let container = Item::resource(checker.container).unwrap_or(checker.resource);
    let scope = Scope::new()
        .resource(checker.resource.node())
        .root_resource(container.node())
        .budget(BUDGET);
    let truth = expression.truth(item.node(), &scope).map_err(|error| error.to_string())?;
    // What is neither true nor false, such as a comparison of times of different precision, is no breach.
    Ok(truth != Some(false))
}

/// What is wrong by a rule: the member it is wrong in, or none for the whole, and what to do.
pub(super) type Breach = Option<(&'static str, &'static str)>;

/// Asks a rule that has its own code here; nothing if it has none.
fn native<'a>(checker: &Checker<'a, '_>, rule: &Rule, item: Item<'a>) -> Option<Breach> {
    let object = item.value.as_object();
    Some(match rule.key() {
        "ext-1" => {
            let object = object?;
            let has_value = object
                .iter()
                .any(|(name, _)| name.starts_with("value") || name.starts_with("_value"));
            let both_or_none = has_value == object.get("extension").is_some();
            both_or_none.then_some(("", "an extension has either a value or extensions: send one"))
        }
        "per-1" => period(item.value)?,
        // Told where a contained resource is entered.
        "dom-2" => None,
        "dom-3" => contained::unreferred(item.value),
        "dom-4" => contained::versioned(item.value),
        "dom-5" => contained::labelled(item.value),
        "ref-1" => contained::dangling(item.value, checker.container),
        "txt-1" => {
            let message =
                "only elements and attributes that format, and something to read: correct the text";
            (holds(checker, rule, item) == Ok(false)).then_some(("", message))
        }
        // Said by `txt-1` with it.
        "txt-2" => None,
        _ => return None,
    })
}

/// Whether a period ends before it begins; nothing if that takes a look at time zones or precision.
fn period(value: &Value) -> Option<Breach> {
    let (Some(start), Some(end)) = (value.text("start"), value.text("end")) else {
        return Some(None);
    };
    let comparable = start.len() == end.len() && start.get(19..) == end.get(19..);
    let message = ("", "a period cannot end before it starts: correct the times");
    comparable.then(|| (start > end).then_some(message))
}
