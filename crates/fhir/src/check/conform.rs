//! A resource and the profiles that it follows: a profile's tree is walked together with the values.

use super::item::{Found, Item};
use super::place::Step;
use super::structure::{Checker, Declared};
use super::{reference, rules, slicing};
use crate::issue::{Issue, IssueCode};
use crate::json;
use crate::profile::Profile;
use crate::profile::tree::{Child, Node, TypeRule};
use crate::resource::Resource;
use crate::value::Value;
use std::sync::Arc;

/// Profiles that ask for profiles are followed so deep.
const DEEPEST: usize = 8;

/// A fixed value longer than this is not repeated in a message.
const LONGEST_VALUE: usize = 120;

impl<'a, 'v> Checker<'a, 'v> {
    /// Asks the profiles that are demanded of the outermost resource, and those that each resource
    /// declares.
    pub(super) fn profiles(&mut self, resource: &'a Resource, demanded: &[&str]) {
        self.place = vec![Step::Name(resource.kind())];
        let mut asked: Vec<Arc<Profile>> = Vec::new();
        let declared = std::mem::take(&mut self.declared);
        for url in demanded {
            match self.validator.profiles.get(url) {
                Some(profile) => {
                    self.follows(&profile, self.resource);
                    asked.push(profile);
                }
                None => {
                    let message = format!("profile `{url}` is demanded here and not known");
                    self.issue(IssueCode::NotSupported, message);
                }
            }
        }
        for Declared { place, item, container } in declared {
            let is_outermost = place.len() == 1;
            let urls = item.value.get("meta").map(|meta| meta.items("profile"));
            self.depth = place.len();
            self.place = place;
            (self.resource, self.container) = (item, container);
            for (index, url) in urls.unwrap_or_default().iter().enumerate() {
                let Some(url) = url.as_str() else {
                    continue;
                };
                match self.validator.profiles.get(url) {
                    Some(known)
                        if is_outermost && asked.iter().any(|one| one.url() == known.url()) => {}
                    Some(profile) => self.follows(&profile, self.resource),
                    None => self.unknown_profile(url, index),
                }
            }
        }
    }

    fn unknown_profile(&mut self, url: &str, index: usize) {
        if self.validator.profiles.is_type(url) {
            return;
        }
        let location = format!("{}.meta.profile[{index}]", self.location());
        let message = "this profile is not known here: the resource is not checked against it";
        self.push(Issue::warning(IssueCode::NotSupported, location, message));
    }

    /// Asks one profile of an item.
    pub(super) fn follows(&mut self, profile: &Profile, item: Item<'a>) {
        if profile.kind() != item.kind {
            let message =
                format!("profile `{}` is for {}: leave it out", profile.name(), profile.kind());
            return self.issue(IssueCode::Invalid, message);
        }
        let outer = std::mem::replace(&mut self.profile, profile.name().into());
        self.conform(&profile.root, item);
        self.profile = outer;
    }

    /// Whether an item follows one of several profiles, as far as they are known.
    pub(super) fn follows_one(&self, urls: &[Box<str>], item: Item<'a>) -> bool {
        if urls.is_empty() || self.nested >= DEEPEST {
            return true;
        }
        urls.iter().any(|url| match self.validator.profiles.get(url) {
            Some(profile) => {
                let mut probe = self.probe();
                probe.follows(&profile, item);
                probe.refusals == 0
            }
            None => {
                let kind = self.validator.profiles.kind(url);
                kind.is_none_or(|kind| {
                    matches!(kind, "Resource" | "DomainResource") || kind == item.kind
                })
            }
        })
    }

    /// A check of the same place whose issues are not told.
    fn probe(&self) -> Checker<'a, 'v> {
        Checker {
            place: self.place.clone(),
            issues: Vec::new(),
            refusals: 0,
            declared: Vec::new(),
            nested: self.nested + 1,
            profile: self.profile.clone(),
            ..*self
        }
    }

    /// Asks what a node demands of an item.
    pub(super) fn conform(&mut self, node: &Node, item: Item<'a>) {
        let before = self.refusals;
        self.types(node, item);
        if self.refusals > before {
            return;
        }
        self.values(node, item);
        for child in &node.children {
            self.child(child, item);
        }
        if self.refusals == before {
            for rule in &node.rules {
                rules::ask(self, rule, item);
            }
        }
    }

    fn types(&mut self, node: &Node, item: Item<'a>) {
        if node.types.is_empty() {
            return;
        }
        let fitting = |kind: &&TypeRule| {
            &*kind.code == item.kind
                || kind.code.ends_with("Element")
                || is_any_resource(&kind.code, item)
        };
        let fitting: Vec<&TypeRule> = node.types.iter().filter(fitting).collect();
        if fitting.is_empty() {
            let names: Vec<&str> = node.types.iter().map(|kind| &*kind.code).collect();
            let message = format!(
                "profile `{}` allows no {} here: use `{}`",
                self.profile,
                item.kind,
                names.join("`, `")
            );
            return self.issue(IssueCode::Structure, message);
        }
        // What an extension is to be like is asked where it stands.
        let profiles = fitting.iter().any(|kind| self.follows_one(&kind.profiles, item));
        if !profiles && item.kind != "Extension" {
            let urls = fitting.iter().flat_map(|kind| &kind.profiles);
            let names: Vec<&str> = urls.filter_map(|url| url.rsplit('/').next()).collect();
            let message = format!(
                "profile `{}` demands that this follows `{}`: correct it",
                self.profile,
                names.join("` or `")
            );
            return self.issue(IssueCode::Invalid, message);
        }
        let targets: Vec<&str> =
            fitting.iter().flat_map(|kind| &kind.targets).map(|url| &**url).collect();
        let is_open = fitting.iter().any(|kind| kind.targets.is_empty());
        if item.kind == "Reference" && !is_open {
            self.target(&targets, item);
        }
    }

    /// Asks what a reference may lead to.
    fn target(&mut self, targets: &[&str], item: Item<'a>) {
        let kinds: Option<Vec<&str>> =
            targets.iter().map(|url| self.validator.profiles.kind(url)).collect();
        let Some(kinds) = kinds.filter(|kinds| !kinds.contains(&"Resource")) else {
            return;
        };
        if let Some(object) = item.value.as_object()
            && let Some((name, message)) = reference::fault(object, &kinds)
        {
            return self.issue_at(name, IssueCode::Value, message);
        }
        let Some(target) = slicing::resolved(self, item) else {
            return;
        };
        let targets: Vec<Box<str>> = targets.iter().map(|url| (*url).into()).collect();
        if !self.follows_one(&targets, target) {
            let names: Vec<&str> =
                targets.iter().filter_map(|url| url.rsplit('/').next()).collect();
            let message = format!(
                "profile `{}` demands that what is referred to follows `{}`: correct it",
                self.profile,
                names.join("` or `")
            );
            self.issue_at("reference", IssueCode::Value, message);
        }
    }

    fn values(&mut self, node: &Node, item: Item<'a>) {
        if let Some(fixed) = &node.fixed
            && !same(fixed, item.value)
        {
            let message = format!("profile `{}` demands {}: send this", self.profile, shown(fixed));
            self.issue(IssueCode::Value, message);
        }
        if let Some(pattern) = &node.pattern
            && !has(item.value, pattern)
        {
            let message = format!(
                "profile `{}` demands at least {}: send this",
                self.profile,
                shown(pattern)
            );
            self.issue(IssueCode::Value, message);
        }
        if let Some(binding) = &node.binding {
            self.binding(binding, item);
        }
    }

    fn child(&mut self, child: &Child, item: Item<'a>) {
        let found = item.children(child);
        let node = &child.node;
        let name = if child.choice { format!("{}[x]", child.name) } else { child.name.to_owned() };
        self.count(&name, None, found.len(), (node.min, node.max));
        let before = self.refusals;
        for value in &found {
            self.within(value, |checker| checker.conform(node, value.item));
        }
        // Of an element that is missing, or a choice of a wrong type, slices tell nothing more.
        let is_told =
            (found.is_empty() && node.min > 0) || (child.choice && self.refusals > before);
        if !node.slices.is_empty() && !is_told {
            let all: Vec<&Found> = found.iter().collect();
            self.slices(&name, node, &all);
        }
    }

    /// Says that there are too few or too many of an element, or of a slice of it.
    pub(super) fn count(
        &mut self,
        name: &str,
        slice: Option<&str>,
        count: usize,
        (min, max): (u32, u32),
    ) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let what =
            slice.map_or(format!("`{name}`"), |slice| format!("`{name}` of slice `{slice}`"));
        let profile = &self.profile;
        let location = || format!("{}.{name}", self.location());
        let issue = if count < min {
            let message = match min {
                1 => format!("profile `{profile}` demands {what}: add it"),
                least => {
                    format!("profile `{profile}` demands at least {least} of {what}: add them")
                }
            };
            Issue::error(IssueCode::Required, location(), message)
        } else if count > max {
            let message = match max {
                0 => format!("profile `{profile}` allows no {what}: leave it out"),
                most => {
                    format!("profile `{profile}` allows {most} of {what} at most: leave others out")
                }
            };
            Issue::error(IssueCode::Structure, location(), message)
        } else {
            return;
        };
        self.push(issue);
    }

    /// Does something at the place of a value.
    pub(super) fn within(&mut self, found: &Found<'a>, work: impl FnOnce(&mut Self)) {
        let length = self.place.len();
        self.place.push(Step::Name(found.name));
        self.place.extend(found.index.map(Step::Index));
        work(self);
        self.place.truncate(length);
    }
}

fn is_any_resource(code: &str, item: Item) -> bool {
    matches!(code, "Resource" | "DomainResource") && item.value.get("resourceType").is_some()
}

/// Whether two values are the same; the order of members is no matter.
pub(super) fn same(wanted: &Value, value: &Value) -> bool {
    match (wanted, value) {
        (Value::Object(wanted), Value::Object(object)) => {
            wanted.len() == object.len()
                && wanted
                    .iter()
                    .all(|(name, wanted)| object.get(name).is_some_and(|value| same(wanted, value)))
        }
        (Value::Array(wanted), Value::Array(items)) => {
            wanted.len() == items.len()
                && wanted.iter().zip(items).all(|(wanted, value)| same(wanted, value))
        }
        (Value::Number(wanted), Value::Number(number)) => wanted.as_f64() == number.as_f64(),
        _ => wanted == value,
    }
}

/// Whether a value has all that a pattern has (R4 ElementDefinition.pattern).
pub(super) fn has(value: &Value, pattern: &Value) -> bool {
    match (pattern, value) {
        (Value::Object(pattern), Value::Object(object)) => pattern
            .iter()
            .all(|(name, pattern)| object.get(name).is_some_and(|value| has(value, pattern))),
        (Value::Array(pattern), Value::Array(items)) => {
            pattern.iter().all(|pattern| items.iter().any(|value| has(value, pattern)))
        }
        _ => same(pattern, value),
    }
}

fn shown(value: &Value) -> String {
    match json::print(value) {
        text if text.len() <= LONGEST_VALUE => format!("`{text}`"),
        _ => "the value it gives".to_owned(),
    }
}
