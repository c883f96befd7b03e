//! Reads R4's own terminology from the three data files that `cargo xtask definitions` writes.
//!
//! A test reads all of them, so a line that does not parse is skipped here without fuss.

use super::map::{ConceptMap, Group, Link};
use super::set::{Filter, Operator, Part, ValueSet};
use super::system::{CodeSystem, Concept, Coverage, Selectable, Standing};
use super::{Slot, Terminology, Text};
use crate::definitions::data_lines;
use std::sync::Arc;

const SYSTEMS: &str = include_str!("../../data/terminology-systems.txt");
const SETS: &str = include_str!("../../data/terminology-sets.txt");
const MAPS: &str = include_str!("../../data/terminology-maps.txt");

pub(super) fn base() -> Terminology {
    let systems = systems().into_iter().map(|it| (it.url.clone(), Arc::new(it)));
    let sets = sets().into_iter().map(|it| (it.url.clone(), Slot::new(Arc::new(it))));
    let maps = maps().into_iter().map(|it| (it.url.clone(), Arc::new(it)));
    Terminology { systems: systems.collect(), sets: sets.collect(), maps: maps.collect() }
}

/// The fields of a line; those that are not there are empty.
fn fields(line: &'static str) -> impl FnMut() -> Text {
    let mut fields = line.split('\t');
    move || Text::Borrowed(fields.next().unwrap_or_default())
}

fn systems() -> Vec<CodeSystem> {
    let mut systems: Vec<CodeSystem> = Vec::new();
    // The concepts that the next line may stand below, outermost first.
    let mut above: Vec<usize> = Vec::new();
    let mut further: Vec<(usize, &'static str)> = Vec::new();
    for line in data_lines(SYSTEMS) {
        if let Some(head) = line.strip_prefix("= ") {
            link_further(systems.last_mut(), &mut further);
            let mut next = fields(head);
            let (url, version, name) = (next(), next(), next());
            let coverage = if next() == "complete" { Coverage::Whole } else { Coverage::Part };
            let mut system = CodeSystem::new(url, version, name, coverage);
            system.subsumes = next() != "flat";
            systems.push(system);
            above.clear();
        } else if let Some(system) = systems.last_mut() {
            let text = line.trim_start_matches(' ');
            above.truncate((line.len() - text.len()).saturating_sub(1));
            let concept = concept(text);
            if let Some(index) = system.add(concept, above.last().copied()) {
                above.push(index);
                let children = text.split('\t').skip(2).filter_map(|more| more.strip_prefix('>'));
                further.extend(children.map(|child| (index, child)));
            }
        }
    }
    link_further(systems.last_mut(), &mut further);
    systems
}

/// Puts concepts below a second parent, now that all of the system are known.
fn link_further(system: Option<&mut CodeSystem>, further: &mut Vec<(usize, &'static str)>) {
    let Some(system) = system else { return };
    for (parent, child) in further.drain(..) {
        if let Some(child) = system.index(child) {
            system.link(parent, child);
        }
    }
}

fn concept(text: &'static str) -> Concept {
    let mut next = fields(text);
    let (code, display) = (next(), next());
    let display = if display == "=" { code.clone() } else { display };
    let mut concept = Concept::new(code, display);
    for more in text.split('\t').skip(2) {
        match more {
            "a" => concept.selectable = Selectable::No,
            "d" => concept.standing = Standing::Deprecated,
            "i" => concept.standing = Standing::Retired,
            _ => {}
        }
    }
    concept
}

fn sets() -> Vec<ValueSet> {
    let mut sets: Vec<ValueSet> = Vec::new();
    for line in data_lines(SETS) {
        let Some((sign, rest)) = line.split_at_checked(1) else { continue };
        let mut next = fields(rest.trim_start_matches(' '));
        if sign == "=" {
            let (url, version, name) = (next(), next(), next());
            sets.push(ValueSet { url, version, name, inactive: true, parts: Vec::new() });
            continue;
        }
        let Some(set) = sets.last_mut() else { continue };
        if sign == "+" || sign == "-" {
            let part = Part { excludes: sign == "-", system: next(), ..Part::default() };
            set.parts.push(part);
            continue;
        }
        let Some(part) = set.parts.last_mut() else { continue };
        match sign {
            "?" => {
                let (property, operator, value) = (next(), next(), next());
                let operator = Operator::from_code(&operator);
                part.filters.push(Filter { property, operator, value });
            }
            "&" => part.sets.push(next()),
            _ => part.concepts.push((next(), next())),
        }
    }
    sets
}

fn maps() -> Vec<ConceptMap> {
    let mut maps: Vec<ConceptMap> = Vec::new();
    for line in data_lines(MAPS) {
        let Some((sign, rest)) = line.split_at_checked(1) else { continue };
        let mut next = fields(rest.trim_start_matches(' '));
        if sign == "=" {
            let (url, version) = (next(), next());
            let (source, target) = (next(), next());
            maps.push(ConceptMap { url, version, source, target, groups: Vec::new() });
            continue;
        }
        let Some(map) = maps.last_mut() else { continue };
        if sign == ">" {
            map.groups.push(Group { source: next(), target: next(), ..Group::default() });
        } else if let Some(group) = map.groups.last_mut() {
            let (code, equivalence, target) = (next(), next(), next());
            group.links.push(Link { code, equivalence, target, display: Text::Borrowed("") });
        }
    }
    maps
}
