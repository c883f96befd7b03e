//! Reads `CodeSystem`, `ValueSet` and `ConceptMap` resources into what the rest works with.
//!
//! What the rest relies on is checked here, whether or not the resource was checked against R4 before.

use super::Text;
use super::map::{ConceptMap, Group, Link, Unmapped};
use super::set::{Filter, Operator, Part, ValueSet};
use super::system::{CodeSystem, Concept, Coverage, Selectable, Standing};
use crate::issue::{Issue, IssueCode};
use crate::value::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A value set may have so many parts; R4's own have at most a few dozen.
const MOST_PARTS: usize = 1000;

/// What was read so far.
#[derive(Default)]
pub(super) struct Added {
    pub systems: HashMap<Text, Arc<CodeSystem>>,
    pub sets: HashMap<Text, Arc<ValueSet>>,
    pub maps: BTreeMap<Text, Arc<ConceptMap>>,
}

impl Added {
    /// Reads one resource.
    pub(super) fn read(&mut self, resource: &Value) -> Result<(), Issue> {
        let url = owned(resource, "url");
        match resource.text("resourceType") {
            Some(kind @ ("CodeSystem" | "ValueSet" | "ConceptMap")) if url.is_empty() => {
                let message = "without a URL nothing can refer to it: give it one";
                Err(Issue::error(IssueCode::Required, format!("{kind}.url"), message))
            }
            Some("CodeSystem") => {
                if let Some(system) = code_system(resource)? {
                    self.systems.insert(url, Arc::new(system));
                }
                Ok(())
            }
            Some("ValueSet") => {
                self.sets.insert(url, Arc::new(value_set(resource)?));
                Ok(())
            }
            Some("ConceptMap") => {
                self.maps.insert(url, Arc::new(concept_map(resource)));
                Ok(())
            }
            _ => {
                let message = "neither `CodeSystem`, `ValueSet` nor `ConceptMap`";
                Err(Issue::error(IssueCode::Structure, "", message))
            }
        }
    }
}

/// The text of a member; empty where there is none.
fn owned(value: &Value, name: &str) -> Text {
    Text::Owned(value.text(name).unwrap_or_default().to_owned())
}

fn is_true(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool) == Some(true)
}

/// Nothing where the resource has no codes of its own.
fn code_system(resource: &Value) -> Result<Option<CodeSystem>, Issue> {
    let coverage = match resource.text("content") {
        Some("complete") => Coverage::Whole,
        Some("fragment" | "example") => Coverage::Part,
        Some("not-present" | "supplement") => return Ok(None),
        _ => {
            let message = "say how much of the code system is here, such as `complete`";
            return Err(Issue::error(IssueCode::Required, "CodeSystem.content", message));
        }
    };
    let (url, version) = (owned(resource, "url"), owned(resource, "version"));
    let name = resource.text("name").or(resource.text("title"));
    let name = Text::Owned(name.or(resource.text("url")).unwrap_or_default().to_owned());
    let mut system = CodeSystem::new(url, version, name, coverage);
    system.case_sensitive = resource.get("caseSensitive").and_then(Value::as_bool).unwrap_or(true);
    system.subsumes = matches!(resource.text("hierarchyMeaning"), None | Some("is-a"));
    let mut links = Vec::new();
    concepts(resource, "CodeSystem", None, &mut system, &mut links)?;
    for (index, other, is_parent) in links {
        if let Some(other) = system.index(&other) {
            let (parent, child) = if is_parent { (other, index) } else { (index, other) };
            system.link(parent, child);
        }
    }
    Ok(Some(system))
}

/// Adds the concepts below one place. Depth is bounded by that of JSON.
fn concepts(
    holder: &Value,
    place: &str,
    parent: Option<usize>,
    system: &mut CodeSystem,
    links: &mut Vec<(usize, String, bool)>,
) -> Result<(), Issue> {
    for (number, written) in holder.items("concept").iter().enumerate() {
        let place = format!("{place}.concept[{number}]");
        let wrong = |kind, message: &str| Issue::error(kind, format!("{place}.code"), message);
        if written.text("code").is_none_or(str::is_empty) {
            return Err(wrong(IssueCode::Required, "a concept without a code: give it one"));
        }
        let Some(index) = system.add(concept(written), parent) else {
            return Err(wrong(IssueCode::Duplicate, "the code is twice in the code system"));
        };
        for property in written.items("property") {
            let above = match property.text("code") {
                Some("parent" | "subsumedBy") => true,
                Some("child") => false,
                _ => continue,
            };
            if let Some(other) = property.text("valueCode") {
                links.push((index, other.to_owned(), above));
            }
        }
        concepts(written, &place, Some(index), system, links)?;
    }
    Ok(())
}

fn concept(written: &Value) -> Concept {
    let mut concept = Concept::new(owned(written, "code"), owned(written, "display"));
    concept.definition = owned(written, "definition");
    let designations = written.items("designation").iter();
    concept.designations =
        designations.map(|it| (owned(it, "language"), owned(it, "value"))).collect();
    for property in written.items("property") {
        match (property.text("code"), property.text("valueCode")) {
            (Some("notSelectable"), _) if is_true(property, "valueBoolean") => {
                concept.selectable = Selectable::No;
            }
            (Some("inactive"), _) if is_true(property, "valueBoolean") => {
                concept.standing = Standing::Retired;
            }
            (Some("status"), Some("retired" | "inactive")) => concept.standing = Standing::Retired,
            (Some("status"), Some("deprecated")) => concept.standing = Standing::Deprecated,
            (Some("parent" | "subsumedBy" | "child"), Some(_)) => {}
            _ => concept.properties.extend(other_property(property)),
        }
    }
    concept
}

/// A property's code, the member its value stands in, and the value.
fn other_property(property: &Value) -> Option<(Text, Text, Value)> {
    let members = property.as_object()?;
    let (member, value) = members.iter().find(|(name, _)| name.starts_with("value"))?;
    Some((owned(property, "code"), Text::Owned(member.to_owned()), value.clone()))
}

/// Reads a value set; a URL is only needed for one that is to be kept.
pub(super) fn value_set(resource: &Value) -> Result<ValueSet, Issue> {
    let wrong = |kind, place: String, message: &str| Err(Issue::error(kind, place, message));
    if resource.text("resourceType") != Some("ValueSet") {
        return wrong(IssueCode::Structure, String::new(), "this is not a `ValueSet`");
    }
    let mut parts = Vec::new();
    let compose = resource.get("compose").unwrap_or(&Value::Null);
    for (name, excludes) in [("include", false), ("exclude", true)] {
        for (number, written) in compose.items(name).iter().enumerate() {
            let place = format!("ValueSet.compose.{name}[{number}]");
            let part = part(written, excludes);
            if part.system.is_empty() && part.sets.is_empty() {
                let message = "name a code system or a value set to take codes from";
                return wrong(IssueCode::Invariant, place, message);
            }
            let narrowed = !part.concepts.is_empty() || !part.filters.is_empty();
            if part.system.is_empty() && narrowed {
                let message = "codes and filters need the code system they are of";
                return wrong(IssueCode::Invariant, place, message);
            }
            if !part.concepts.is_empty() && !part.filters.is_empty() {
                return wrong(IssueCode::Invariant, place, "either list codes or filter them");
            }
            parts.push(part);
        }
    }
    if parts.is_empty() {
        let expansion = resource.get("expansion").unwrap_or(&Value::Null);
        written_out(expansion, &mut parts);
    }
    if parts.len() > MOST_PARTS {
        let message = format!("more than {MOST_PARTS} parts: make several value sets of them");
        return wrong(IssueCode::TooCostly, "ValueSet.compose".to_owned(), &message);
    }
    if parts.is_empty() {
        let message = "without `compose` or codes in `expansion` nothing is in it";
        return wrong(IssueCode::NotSupported, "ValueSet.compose".to_owned(), message);
    }
    Ok(ValueSet {
        url: owned(resource, "url"),
        version: owned(resource, "version"),
        name: owned(resource, "name"),
        inactive: compose.get("inactive").and_then(Value::as_bool).unwrap_or(true),
        parts,
    })
}

/// The codes of a set that only has an expansion, one part for each system.
fn written_out(holder: &Value, parts: &mut Vec<Part>) {
    for item in holder.items("contains") {
        let (system, code) = (owned(item, "system"), owned(item, "code"));
        if !system.is_empty() && !code.is_empty() && !is_true(item, "abstract") {
            let concept = (code, owned(item, "display"));
            match parts.iter_mut().find(|part| part.system == system) {
                Some(part) => part.concepts.push(concept),
                None => {
                    let concepts = vec![concept];
                    parts.push(Part { system, concepts, ..Part::default() });
                }
            }
        }
        written_out(item, parts);
    }
}

fn part(written: &Value, excludes: bool) -> Part {
    let filter = |filter: &Value| Filter {
        property: owned(filter, "property"),
        operator: Operator::from_code(filter.text("op").unwrap_or_default()),
        value: owned(filter, "value"),
    };
    let concepts = written.items("concept").iter();
    let sets = written.items("valueSet").iter().filter_map(Value::as_str);
    Part {
        excludes,
        system: owned(written, "system"),
        version: owned(written, "version"),
        concepts: concepts.map(|it| (owned(it, "code"), owned(it, "display"))).collect(),
        filters: written.items("filter").iter().map(filter).collect(),
        sets: sets.map(|url| Text::Owned(url.to_owned())).collect(),
    }
}

fn concept_map(resource: &Value) -> ConceptMap {
    let either = |one: &str, other: &str| {
        let text = resource.text(one).or(resource.text(other));
        Text::Owned(text.unwrap_or_default().to_owned())
    };
    ConceptMap {
        url: owned(resource, "url"),
        version: owned(resource, "version"),
        source: either("sourceCanonical", "sourceUri"),
        target: either("targetCanonical", "targetUri"),
        groups: resource.items("group").iter().map(group).collect(),
    }
}

fn group(written: &Value) -> Group {
    let mut links = Vec::new();
    for element in written.items("element") {
        for target in element.items("target") {
            links.push(Link {
                code: owned(element, "code"),
                equivalence: owned(target, "equivalence"),
                target: owned(target, "code"),
                display: owned(target, "display"),
            });
        }
    }
    let rest = written.get("unmapped").unwrap_or(&Value::Null);
    let unmapped = match rest.text("mode") {
        Some("provided") => Unmapped::Provided,
        Some("fixed") => Unmapped::Fixed(owned(rest, "code"), owned(rest, "display")),
        Some("other-map") => Unmapped::Other(owned(rest, "url")),
        _ => Unmapped::Nothing,
    };
    let (source, target) = (owned(written, "source"), owned(written, "target"));
    Group { source, target, links, unmapped }
}
