//! Extensions: whether they are known, stand where they may, and are built as they say
//! (R4 extensibility §2.4).

use super::item::Item;
use super::place::{self, Element, Step};
use super::structure::Checker;
use crate::definitions;
use crate::issue::{Issue, IssueCode, Severity};
use crate::profile::{Context, Profile};
use crate::value::{Object, Value};

/// Checks the extensions of an object that is known to be built right.
pub(super) fn all<'a>(checker: &mut Checker<'a, '_>, holder: &'a Object) {
    for member in ["extension", "modifierExtension"] {
        let extensions = holder.get(member).and_then(Value::as_array).unwrap_or_default();
        for (index, extension) in extensions.iter().enumerate() {
            checker.place.extend([Step::Name(member), Step::Index(index)]);
            one(checker, holder, member, extension);
            checker.place.truncate(checker.place.len().saturating_sub(2));
        }
    }
}

fn one<'a>(checker: &mut Checker<'a, '_>, holder: &'a Object, member: &str, value: &'a Value) {
    let Some(url) = value.text("url") else {
        return;
    };
    // Within an extension, a name without scheme is told of by the outer one.
    let is_part = !url.contains(':') && holder.get("url").is_some();
    if is_part {
        return;
    }
    let is_modifier = member == "modifierExtension";
    let profiles = checker.validator.profiles;
    let Some(profile) = profiles.get(url).filter(|profile| profile.kind() == "Extension") else {
        return checker.push(unknown(checker.location(), is_modifier));
    };
    if profile.modifier != is_modifier {
        let message = match profile.modifier {
            true => "this extension changes the meaning: move it to `modifierExtension`",
            false => "this extension does not change the meaning: move it to `extension`",
        };
        return checker.issue(IssueCode::Extension, message);
    }
    let steps = checker.place.get(checker.depth..checker.place.len().saturating_sub(2));
    let element = place::element(checker.resource.kind, steps.unwrap_or_default());
    let url = holder.get("url").and_then(Value::as_str);
    if !may_stand(&profile, &element, url) {
        return checker.issue(IssueCode::Extension, misplaced(&profile));
    }
    let shape = definitions::shape("Extension");
    checker.follows(&profile, Item { value, sibling: None, kind: "Extension", shape });
}

fn unknown(location: String, is_modifier: bool) -> Issue {
    let (severity, message) = match is_modifier {
        true => (
            Severity::Warning,
            "an unknown extension that changes the meaning: who reads this cannot understand it",
        ),
        false => (Severity::Information, "an unknown extension: it is kept and not checked"),
    };
    Issue { severity, ..Issue::error(IssueCode::Extension, location, message) }
}

fn may_stand(profile: &Profile, element: &Element, url: Option<&str>) -> bool {
    let fits = |context: &Context| match context {
        Context::Anywhere => true,
        Context::Extension(wanted) => url == Some(&**wanted),
        Context::Element(wanted) => is_element(element, wanted),
    };
    profile.contexts.is_empty() || profile.contexts.iter().any(fits)
}

/// Whether a context by path or type names the element.
fn is_element(element: &Element, wanted: &str) -> bool {
    let plain = wanted.replace("[x]", "");
    // HL7 means anything by it, resources too.
    if plain == "Element" || plain == element.path {
        return true;
    }
    let owned = |(owner, name): (&'static definitions::Shape, &str)| {
        let with_name = |base: &str| plain.strip_prefix(base) == Some(&format!(".{name}"));
        with_name(&owner.name) || ancestors(owner.base).any(with_name)
    };
    if element.owner.is_some_and(owned) {
        return true;
    }
    match element.shape {
        Some(shape) => {
            shape.name == plain
                || element.kind == plain
                || ancestors(shape.base).any(|base| base == plain)
        }
        None => element.kind == plain,
    }
}

/// A type and those it is made from.
fn ancestors(name: &'static str) -> impl Iterator<Item = &'static str> {
    let above = |name: &&'static str| {
        let base = definitions::shape(name)?.base;
        (!base.is_empty() && base != *name).then_some(base)
    };
    std::iter::successors(Some(name).filter(|name| !name.is_empty()), above)
}

fn misplaced(profile: &Profile) -> String {
    let contexts = profile.contexts.iter().filter_map(|context| match context {
        Context::Element(at) | Context::Extension(at) => Some(&**at),
        Context::Anywhere => None,
    });
    let contexts: Vec<&str> = contexts.collect();
    format!(
        "extension `{}` cannot stand here: put it on `{}`",
        profile.name(),
        contexts.join("`, `")
    )
}
