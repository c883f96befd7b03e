//! A compiled profile: a tree of what it demands beyond the base types, sparse as its differential.

use crate::definitions::{Binding, ElementType, Shape};
use crate::rule::Rule;
use crate::value::Value;
use std::sync::Arc;

/// What a profile demands of the values of one element, or of those in one slice of it.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// What the values may look like; empty for primitives.
    pub shapes: Vec<&'static Shape>,
    /// How many there must be.
    pub min: u32,
    /// How many there may be.
    pub max: u32,
    /// The types allowed; any of the base if empty.
    pub types: Vec<TypeRule>,
    /// The value that each has exactly.
    pub fixed: Option<Value>,
    /// The value that each has at least.
    pub pattern: Option<Value>,
    /// The value set.
    pub binding: Option<Binding>,
    /// The rules.
    pub rules: Vec<Arc<Rule>>,
    /// The elements within.
    pub children: Vec<Child>,
    /// How its values are told apart.
    pub slicing: Slicing,
    /// The kinds of values that are told apart, in order.
    pub slices: Vec<Slice>,
}

/// A type that is allowed.
#[derive(Clone, Debug)]
pub(crate) struct TypeRule {
    /// Its name.
    pub code: Box<str>,
    /// Profiles, one of which the value follows; empty for any value.
    pub profiles: Vec<Box<str>>,
    /// Profiles or types, one of which the target of a reference follows; empty for any.
    pub targets: Vec<Box<str>>,
}

/// An element of a node.
#[derive(Clone, Debug)]
pub(crate) struct Child {
    /// The name, of a choice without `[x]`.
    pub name: &'static str,
    /// Whether it is a choice of types.
    pub choice: bool,
    /// The JSON members that hold it, by the shape they are in.
    pub members: Vec<Member>,
    /// What is demanded of it.
    pub node: Node,
}

/// A JSON member of a shape.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    pub shape: &'static Shape,
    pub name: &'static str,
    pub kind: &'static ElementType,
}

/// How values are told apart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slicing {
    pub discriminators: Vec<Discriminator>,
    pub ordered: bool,
    pub rules: SlicingRules,
}

/// What is to be done with values in no slice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SlicingRules {
    /// They are allowed.
    #[default]
    Open,
    /// They are refused.
    Closed,
    /// They are allowed behind the others.
    OpenAtEnd,
}

/// What tells slices apart (R4 profiling §5.1.0.5).
#[derive(Clone, Debug)]
pub(crate) struct Discriminator {
    pub kind: DiscriminatorKind,
    pub path: Box<str>,
}

/// What is looked at where a discriminator's path leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DiscriminatorKind {
    /// The value, by a fixed value, pattern or required binding.
    Value,
    /// Whether there is anything.
    Exists,
    /// The type.
    Type,
    /// Whether a profile is followed.
    Profile,
}

/// One kind of values of an element.
#[derive(Clone, Debug)]
pub(crate) struct Slice {
    pub name: Box<str>,
    pub node: Node,
    /// How to know a value of it; empty until the whole tree is there.
    pub matcher: Matcher,
}

/// What a value is known by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Matcher {
    /// What is asked of the value itself: all of it.
    pub tests: Vec<Test>,
    /// What is asked of values within: of each branch, one value for which all holds.
    pub branches: Vec<Branch>,
}

/// A question about a value within another.
#[derive(Clone, Debug)]
pub(crate) struct Branch {
    pub step: Step,
    pub matcher: Matcher,
    /// Whether there must be no such value.
    pub absent: bool,
}

/// One step of a discriminator's path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// To an element.
    Element(Box<str>),
    /// To the extension with this URL.
    Extension(Box<str>),
    /// To a choice element's value, if it has this type.
    OfType(Box<str>),
    /// To the target of a reference.
    Resolve,
}

/// One question about a value.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    /// It is this.
    Fixed(Value),
    /// It has this.
    Pattern(Value),
    /// It is in the value set.
    In(Binding),
    /// It has one of these types.
    Types(Vec<Box<str>>),
    /// It follows one of these profiles.
    Profiles(Vec<Box<str>>),
}

impl Node {
    pub(crate) fn new(shapes: Vec<&'static Shape>) -> Node {
        Node {
            shapes,
            min: 0,
            max: u32::MAX,
            types: Vec::new(),
            fixed: None,
            pattern: None,
            binding: None,
            rules: Vec::new(),
            children: Vec::new(),
            slicing: Slicing::default(),
            slices: Vec::new(),
        }
    }

    pub(crate) fn child(&self, name: &str) -> Option<&Child> {
        self.children.iter().find(|child| child.name == name)
    }
}

impl Matcher {
    pub(crate) fn is_empty(&self) -> bool {
        self.tests.is_empty() && self.branches.is_empty()
    }
}
