//! The literal part of references: `Patient/1`, absolute URLs, `#contained` and `urn:`.

use crate::definitions;
use crate::reference::Literal;
use crate::value::{Object, Value};

/// What is wrong with a reference whose element allows `targets` (any, if empty): the member, and what
/// to do.
pub(super) fn fault(object: &Object, targets: &[&str]) -> Option<(&'static str, String)> {
    let text = object.get("reference").and_then(Value::as_str);
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        match Literal::parse(text) {
            Literal::Malformed => {
                let message = "not a reference: send `Type/id`, a URL, `urn:uuid:…` or `#id`";
                return Some(("reference", message.to_owned()));
            }
            Literal::Resource { kind, .. } | Literal::Search { kind } => {
                if let Some(message) = wrong_target(kind, targets) {
                    return Some(("reference", message));
                }
            }
            Literal::Contained(_) | Literal::Other(_) => {}
        }
    }
    let kind = object.get("type").and_then(Value::as_str)?;
    let kind = definitions::resource_kind(kind)?;
    wrong_target(kind, targets).map(|message| ("type", message))
}

fn wrong_target(kind: &str, targets: &[&str]) -> Option<String> {
    let allowed = targets.is_empty() || targets.contains(&kind);
    (!allowed).then(|| format!("{kind} cannot stand here: refer to {}", targets.join(", ")))
}
