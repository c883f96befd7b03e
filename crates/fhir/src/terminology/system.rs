//! A code system: its concepts and what stands above and below each.
//!
//! Invariants: an index of a concept is below the number of concepts; `parents` and `children` say the
//! same from both ends. A hierarchy that somebody uploads may have circles, so every walk remembers
//! where it has been.

use super::Text;
use crate::value::Value;
use std::borrow::Cow;
use std::collections::HashMap;

/// The codes of one system.
#[derive(Debug)]
pub(super) struct CodeSystem {
    pub url: Text,
    pub version: Text,
    pub name: Text,
    pub coverage: Coverage,
    /// Whether `A` and `a` are two codes.
    pub case_sensitive: bool,
    /// Whether what stands below a concept is a kind of it, and not only grouped there.
    pub subsumes: bool,
    concepts: Vec<Concept>,
    by_code: HashMap<Text, usize>,
}

/// How much of a code system is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coverage {
    /// Every code: what is not here does not exist.
    Whole,
    /// A fragment or an example: there may be more codes.
    Part,
}

/// One concept of a code system.
#[derive(Debug, Default)]
pub(super) struct Concept {
    pub code: Text,
    /// Empty where the system gives none.
    pub display: Text,
    /// Empty where the system gives none, or it is not kept.
    pub definition: Text,
    /// Other texts, each with its language, which may be empty.
    pub designations: Vec<(Text, Text)>,
    /// Only there to hold others; never a member of a value set by itself.
    pub selectable: Selectable,
    pub standing: Standing,
    /// What else the system says: the property's code and its value's member, such as `valueCode`.
    pub properties: Vec<(Text, Text, Value)>,
    parents: Vec<usize>,
    children: Vec<usize>,
}

/// Whether a concept may be used in data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Selectable {
    #[default]
    Yes,
    /// It only holds others (R4 concept property `notSelectable`).
    No,
}

/// Whether a concept is in use (R4 concept properties `status` and `inactive`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Standing {
    #[default]
    Active,
    /// May be used, but should not.
    Deprecated,
    /// No longer in use.
    Retired,
}

impl CodeSystem {
    pub(super) fn new(url: Text, version: Text, name: Text, coverage: Coverage) -> CodeSystem {
        CodeSystem {
            url,
            version,
            name,
            coverage,
            case_sensitive: true,
            subsumes: true,
            concepts: Vec::new(),
            by_code: HashMap::new(),
        }
    }

    /// Adds a concept and gives its index; nothing if the code is there already.
    pub(super) fn add(&mut self, concept: Concept, parent: Option<usize>) -> Option<usize> {
        let index = self.concepts.len();
        let key = Cow::Owned(self.key(&concept.code).into_owned());
        let key = if self.case_sensitive { concept.code.clone() } else { key };
        if self.by_code.contains_key(&key) {
            return None;
        }
        self.by_code.insert(key, index);
        self.concepts.push(concept);
        if let Some(parent) = parent {
            self.link(parent, index);
        }
        Some(index)
    }

    /// Puts one concept below another, once.
    pub(super) fn link(&mut self, parent: usize, child: usize) {
        let known = self.concepts.get(child).is_some_and(|it| it.parents.contains(&parent));
        if known || parent == child {
            return;
        }
        if let Some(concept) = self.concepts.get_mut(child) {
            concept.parents.push(parent);
        }
        if let Some(concept) = self.concepts.get_mut(parent) {
            concept.children.push(child);
        }
    }

    /// The code as it is looked up.
    fn key<'a>(&self, code: &'a str) -> Cow<'a, str> {
        if self.case_sensitive { Cow::Borrowed(code) } else { Cow::Owned(code.to_lowercase()) }
    }

    pub(super) fn index(&self, code: &str) -> Option<usize> {
        self.by_code.get(self.key(code).as_ref()).copied()
    }

    pub(super) fn concept(&self, code: &str) -> Option<&Concept> {
        self.concepts.get(self.index(code)?)
    }

    /// Every concept in the system's order.
    pub(super) fn concepts(&self) -> &[Concept] {
        &self.concepts
    }

    /// The concepts directly above.
    pub(super) fn parents<'a>(&'a self, concept: &'a Concept) -> impl Iterator<Item = &'a Concept> {
        concept.parents.iter().filter_map(|index| self.concepts.get(*index))
    }

    /// The concepts directly below.
    pub(super) fn children<'a>(
        &'a self,
        concept: &'a Concept,
    ) -> impl Iterator<Item = &'a Concept> {
        concept.children.iter().filter_map(|index| self.concepts.get(*index))
    }

    /// Marks the concept and all kinds of it, at any depth; nothing if the code is unknown.
    pub(super) fn below(&self, code: &str) -> Option<Marks> {
        self.walk(code, |concept| &concept.children)
    }

    /// Marks the concept and all that it is a kind of; nothing if the code is unknown.
    pub(super) fn above(&self, code: &str) -> Option<Marks> {
        self.walk(code, |concept| &concept.parents)
    }

    fn walk(&self, code: &str, next: fn(&Concept) -> &Vec<usize>) -> Option<Marks> {
        let start = self.index(code)?;
        let mut marks = Marks { start, marked: vec![false; self.concepts.len()] };
        let mut waiting = vec![start];
        while let Some(index) = waiting.pop() {
            let Some(mark) = marks.marked.get_mut(index) else { continue };
            if !std::mem::replace(mark, true) && self.subsumes {
                waiting.extend(self.concepts.get(index).into_iter().flat_map(next));
            }
        }
        Some(marks)
    }

    /// The marked concepts in the system's order.
    pub(super) fn marked<'a>(&'a self, marks: &Marks) -> Vec<&'a str> {
        let pairs = self.concepts.iter().zip(&marks.marked);
        pairs.filter(|(_, marked)| **marked).map(|(concept, _)| &*concept.code).collect()
    }
}

/// Concepts of one system that a walk has met.
#[derive(Debug)]
pub(super) struct Marks {
    start: usize,
    marked: Vec<bool>,
}

impl Marks {
    pub(super) fn has(&self, index: usize) -> bool {
        self.marked.get(index) == Some(&true)
    }

    /// Whether it was met on the way, the start itself left out.
    pub(super) fn has_beyond_start(&self, index: usize) -> bool {
        index != self.start && self.has(index)
    }
}

impl Concept {
    pub(super) fn new(code: Text, display: Text) -> Concept {
        Concept { code, display, ..Concept::default() }
    }

    /// Every text of the concept: its display and its designations.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        let others = self.designations.iter().map(|(_, text)| text.as_ref());
        std::iter::once(self.display.as_ref()).chain(others)
    }
}
