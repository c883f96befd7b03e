//! XML namespaces in scope (Namespaces in XML 1.0): which of FHIR's a prefix stands for.

use super::lex::{Attribute, Lexed, fault, value};

const MALFORMED: &str = "not a name with one prefix at most";

/// FHIR's elements.
pub(super) const FHIR: &str = "http://hl7.org/fhir";
/// Narratives.
pub(super) const XHTML: &str = "http://www.w3.org/1999/xhtml";

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// A namespace, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Space {
    Fhir,
    Xhtml,
    /// Hints for schema processors.
    SchemaInstance,
    Other,
    /// No namespace at all.
    Nothing,
}

/// The declarations in scope, innermost last.
#[derive(Default)]
pub(super) struct Spaces<'a> {
    declared: Vec<(&'a str, Space)>,
}

impl<'a> Spaces<'a> {
    /// How many declarations there are: give it to [`Spaces::leave`] at the element's end.
    pub fn mark(&self) -> usize {
        self.declared.len()
    }

    /// Takes the declarations of an element into scope.
    pub fn enter(&mut self, attributes: &[Attribute<'a>]) -> Lexed<()> {
        for attribute in attributes {
            let Some(prefix) = declares(attribute.name) else {
                continue;
            };
            if !prefix.is_empty() || attribute.name.ends_with(':') {
                split(attribute.name, attribute.at)?;
            }
            let space = match &*value(attribute.raw) {
                FHIR => Space::Fhir,
                XHTML => Space::Xhtml,
                XSI => Space::SchemaInstance,
                "" if prefix.is_empty() => Space::Nothing,
                "" | XML => return fault(attribute.at, "a prefix cannot stand for this namespace"),
                _ => Space::Other,
            };
            if matches!(prefix, "xml" | "xmlns") {
                return fault(attribute.at, "this prefix belongs to XML: choose another");
            }
            self.declared.push((prefix, space));
        }
        Ok(())
    }

    /// Forgets what was declared since a mark.
    pub fn leave(&mut self, mark: usize) {
        self.declared.truncate(mark);
    }

    /// Declares what is assumed from without.
    pub fn assume(&mut self, space: Space) {
        self.declared.push(("", space));
    }

    /// The namespace that a prefix (empty for none) stands for, and which declaration says so.
    pub fn find(&self, prefix: &str) -> Option<(Space, usize)> {
        // Most have none; comparing two empty strings by `==` took a third of all reading.
        let is_same = |known: &str| match prefix {
            "" => known.is_empty(),
            _ => known == prefix,
        };
        let found = self.declared.iter().rposition(|(known, _)| is_same(known));
        match found.and_then(|index| Some((self.declared.get(index)?.1, index))) {
            None if prefix.is_empty() => Some((Space::Nothing, 0)),
            None if prefix == "xml" => Some((Space::Other, usize::MAX)),
            found => found,
        }
    }

    /// The namespace and local name of an attribute's name. A default namespace is not for attributes.
    pub fn attribute(&self, name: &'a str, at: usize) -> Lexed<(Space, &'a str)> {
        if name.contains(':') { self.resolve(name, at) } else { Ok((Space::Nothing, name)) }
    }

    /// The namespace and local name of an element's name.
    pub fn resolve(&self, name: &'a str, at: usize) -> Lexed<(Space, &'a str)> {
        let (prefix, local) = split(name, at)?;
        match self.find(prefix) {
            Some((space, _)) => Ok((space, local)),
            None => fault(at, "prefix without declaration: declare it with `xmlns:…`"),
        }
    }
}

/// The prefix that an attribute declares: empty for `xmlns`, nothing for other attributes.
pub(super) fn declares(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("xmlns")?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix(':') }
}

/// The prefix (empty for none) and local part of a name.
pub(super) fn split(name: &str, at: usize) -> Lexed<(&str, &str)> {
    let (prefix, local) = match name.split_once(':') {
        None => ("", name),
        Some(("", _)) => return fault(at, MALFORMED),
        Some(parts) => parts,
    };
    let begins_wrong = |first: char| first.is_ascii_digit() || matches!(first, '-' | '.');
    if local.is_empty() || local.contains(':') || local.starts_with(begins_wrong) {
        return fault(at, MALFORMED);
    }
    Ok((prefix, local))
}
