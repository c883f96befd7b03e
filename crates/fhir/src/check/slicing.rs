//! Values of a sliced element: which slice each is of, and whether the slices have what they want
//! (R4 profiling §5.1.0.4).

use super::conform::{has, same};
use super::item::{Found, Item};
use super::structure::Checker;
use crate::issue::IssueCode;
use crate::profile::tree::{Branch, Matcher, Node, SlicingRules, Step, Test};
use crate::value::Value;

impl<'a> Checker<'a, '_> {
    /// Asks the slices of an element of its values.
    pub(super) fn slices(&mut self, name: &str, node: &Node, values: &[&Found<'a>]) {
        let slice_of = |value: &&Found<'a>| {
            node.slices.iter().position(|slice| self.matches(&slice.matcher, value.item))
        };
        let places: Vec<Option<usize>> = values.iter().map(slice_of).collect();
        for (at, slice) in node.slices.iter().enumerate() {
            let own = values.iter().zip(&places).filter(|(_, place)| **place == Some(at));
            let own: Vec<&Found> = own.map(|(value, _)| *value).collect();
            self.count(name, Some(&slice.name), own.len(), (slice.node.min, slice.node.max));
            for value in &own {
                self.within(value, |checker| checker.conform(&slice.node, value.item));
            }
            if !slice.node.slices.is_empty() {
                self.slices(name, &slice.node, &own);
            }
        }
        self.rest(node, values, &places);
    }

    /// Asks the rules of slicing: what is in no slice, and the order.
    fn rest(&mut self, node: &Node, values: &[&Found<'a>], places: &[Option<usize>]) {
        let mut furthest = 0;
        let mut was_outside = false;
        for (value, place) in values.iter().zip(places) {
            let message = match (place, node.slicing.rules) {
                (None, SlicingRules::Closed) => "is of none of the slices allowed: leave it out",
                (Some(_), SlicingRules::OpenAtEnd) if was_outside => {
                    "stands behind values of no slice: move it before them"
                }
                (Some(at), _) if node.slicing.ordered && *at < furthest => {
                    "stands behind values of a later slice: send them in the profile's order"
                }
                _ => {
                    furthest = furthest.max(place.unwrap_or(furthest));
                    was_outside |= place.is_none();
                    continue;
                }
            };
            let message = format!("by profile `{}` this {message}", self.profile);
            self.within(value, |checker| checker.issue(IssueCode::Structure, message));
        }
    }

    fn matches(&self, matcher: &Matcher, item: Item<'a>) -> bool {
        matcher.tests.iter().all(|test| self.test(test, item))
            && matcher.branches.iter().all(|branch| self.branch(branch, item))
    }

    fn branch(&self, branch: &Branch, item: Item<'a>) -> bool {
        let found = step(self, &branch.step, item);
        found.iter().any(|item| self.matches(&branch.matcher, *item)) != branch.absent
    }

    fn test(&self, test: &Test, item: Item<'a>) -> bool {
        match test {
            Test::Fixed(fixed) => same(fixed, item.value),
            Test::Pattern(pattern) => has(item.value, pattern),
            Test::In(binding) => self.is_in(binding, item) == Some(true),
            Test::Types(codes) => codes.iter().any(|code| &**code == item.kind),
            Test::Profiles(urls) => self.follows_one(urls, item),
        }
    }
}

/// The values that a step leads to.
fn step<'a>(checker: &Checker<'a, '_>, step: &Step, item: Item<'a>) -> Vec<Item<'a>> {
    match step {
        Step::Element(name) => item.named(name).into_iter().map(|found| found.item).collect(),
        Step::Extension(url) => {
            let extensions = ["extension", "modifierExtension"].map(|name| item.named(name));
            let all = extensions.into_iter().flatten().map(|found| found.item);
            all.filter(|item| item.value.text("url") == Some(url)).collect()
        }
        Step::OfType(kind) => Some(item).filter(|item| *item.kind == **kind).into_iter().collect(),
        Step::Resolve => resolved(checker, item).into_iter().collect(),
    }
}

/// What a reference leads to, if it is contained or in the same Bundle.
pub(super) fn resolved<'a>(checker: &Checker<'a, '_>, item: Item<'a>) -> Option<Item<'a>> {
    let text = item.value.text("reference")?;
    if let Some(id) = text.strip_prefix('#') {
        let contained = checker.container.items("contained");
        let found = contained.iter().find(|inner| inner.text("id") == Some(id))?;
        return Item::resource(found);
    }
    let entries = checker.root.items("entry");
    let is_target = |entry: &&Value| {
        let url = entry.text("fullUrl").unwrap_or_default();
        let relative = url.strip_suffix(text).is_some_and(|base| base.ends_with('/'));
        url == text || (relative && !text.contains(':'))
    };
    Item::resource(entries.iter().find(is_target)?.get("resource")?)
}
