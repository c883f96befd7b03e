//! What an evaluation is given besides its focus.

use super::item::Item;

/// The steps allowed unless said otherwise: some tens of milliseconds.
const USUAL_BUDGET: u64 = 1_000_000;

/// What only others know. A method that is not written says "don't know".
pub trait Knowledge {
    /// The resource that a reference leads to. Contained resources are found without it, and a reference
    /// that says its type is known by that type.
    fn resolve<'k>(&'k self, reference: &str) -> Option<Item<'k>> {
        let _ = reference;
        None
    }

    /// Whether a code, Coding or CodeableConcept is in a value set.
    fn member_of(&self, item: &Item<'_>, value_set: &str) -> Option<bool> {
        let _ = (item, value_set);
        None
    }

    /// Whether the code of the first is the code of the second, or above it.
    fn subsumes(&self, above: &Item<'_>, below: &Item<'_>) -> Option<bool> {
        let _ = (above, below);
        None
    }

    /// Whether an element or resource follows a profile. Base types are known without it.
    fn conforms_to(&self, item: &Item<'_>, profile: &str) -> Option<bool> {
        let _ = (item, profile);
        None
    }
}

/// The resource, the time, variables and knowledge.
#[derive(Clone, Default)]
pub struct Scope<'a> {
    pub(super) resource: Option<Item<'a>>,
    pub(super) root: Option<Item<'a>>,
    pub(super) now: Option<i64>,
    pub(super) variables: Vec<(&'a str, Vec<Item<'a>>)>,
    pub(super) knowledge: Option<&'a dyn Knowledge>,
    pub(super) budget: Option<u64>,
}

impl<'a> Scope<'a> {
    /// A scope with nothing in it.
    pub fn new() -> Scope<'a> {
        Scope::default()
    }

    /// With `%resource`, which is the focus otherwise; and `%rootResource` too, unless set.
    pub fn resource(mut self, resource: Item<'a>) -> Scope<'a> {
        self.resource = Some(resource);
        self
    }

    /// With `%rootResource`: the resource that contains `%resource`.
    pub fn root_resource(mut self, root: Item<'a>) -> Scope<'a> {
        self.root = Some(root);
        self
    }

    /// With the time, as epoch milliseconds.
    pub fn now(mut self, milliseconds: i64) -> Scope<'a> {
        self.now = Some(milliseconds);
        self
    }

    /// With a variable, named without `%`.
    pub fn variable(mut self, name: &'a str, items: Vec<Item<'a>>) -> Scope<'a> {
        self.variables.push((name, items));
        self
    }

    /// With what others know.
    pub fn knowing(mut self, knowledge: &'a dyn Knowledge) -> Scope<'a> {
        self.knowledge = Some(knowledge);
        self
    }

    /// With so many steps allowed: one for each item that a part of the expression looks at.
    pub fn budget(mut self, steps: u64) -> Scope<'a> {
        self.budget = Some(steps);
        self
    }

    pub(super) fn steps(&self) -> u64 {
        self.budget.unwrap_or(USUAL_BUDGET)
    }
}
