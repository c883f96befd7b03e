//! How a value set is composed, as written: parts that include or exclude codes.

use super::Text;

/// The content logical definition of a value set.
#[derive(Debug)]
pub(super) struct ValueSet {
    pub url: Text,
    pub version: Text,
    pub name: Text,
    /// Whether codes that are out of use belong to it.
    pub inactive: bool,
    pub parts: Vec<Part>,
}

/// One `include` or `exclude`: what is in all that it names.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub excludes: bool,
    /// Empty where it is made of other value sets alone.
    pub system: Text,
    /// Empty for whichever version is here.
    pub version: Text,
    /// Codes listed, with a text where the set gives its own.
    pub concepts: Vec<(Text, Text)>,
    pub filters: Vec<Filter>,
    /// Canonical URLs of value sets.
    pub sets: Vec<Text>,
}

/// A condition on the concepts of a system.
#[derive(Debug)]
pub(super) struct Filter {
    pub property: Text,
    pub operator: Operator,
    pub value: Text,
}

/// How a filter compares (R4 value set filter-operator).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    IsA,
    DescendentOf,
    IsNotA,
    Generalizes,
    In,
    NotIn,
    Exists,
    /// Regular expressions, which are not evaluated here, and what R4 does not know.
    Other,
}

impl Operator {
    pub(super) fn from_code(code: &str) -> Operator {
        match code {
            "=" => Operator::Equal,
            "is-a" => Operator::IsA,
            "descendent-of" => Operator::DescendentOf,
            "is-not-a" => Operator::IsNotA,
            "generalizes" => Operator::Generalizes,
            "in" => Operator::In,
            "not-in" => Operator::NotIn,
            "exists" => Operator::Exists,
            _ => Operator::Other,
        }
    }
}
