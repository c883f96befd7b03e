//! Concept maps: what a code of one system is in another (R4 ConceptMap, `$translate`).

use super::{Terminology, Text};
use crate::issue::{Issue, IssueCode};
use crate::json;
use crate::value::Value;

/// A map between code systems.
#[derive(Debug)]
pub(super) struct ConceptMap {
    pub url: Text,
    pub version: Text,
    /// The value sets it is between; empty where it names none.
    pub source: Text,
    pub target: Text,
    pub groups: Vec<Group>,
}

/// The links from one system to another.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub source: Text,
    pub target: Text,
    pub links: Vec<Link>,
    pub unmapped: Unmapped,
}

/// One code and what it is in the other system.
#[derive(Debug)]
pub(super) struct Link {
    pub code: Text,
    /// A code of R4's concept-map-equivalence: what the target is to the source.
    pub equivalence: Text,
    /// Empty where there is none.
    pub target: Text,
    pub display: Text,
}

/// What becomes of a code that a group does not list.
#[derive(Debug, Default)]
pub(super) enum Unmapped {
    #[default]
    Nothing,
    /// The same code in the other system.
    Provided,
    /// Always this code, with its display.
    Fixed(Text, Text),
    /// What another map says.
    Other(Text),
}

/// What `$translate` is asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Translate<'a> {
    /// One map by its URL; otherwise every map that fits.
    pub map: Option<&'a str>,
    /// The value set that the code is from.
    pub source: Option<&'a str>,
    /// The value set to find a code of.
    pub target: Option<&'a str>,
    /// The code system to find a code of.
    pub target_system: Option<&'a str>,
    /// The code's system.
    pub system: &'a str,
    /// The code.
    pub code: &'a str,
    /// Whether the code is one of the map's targets, and its sources are asked for.
    pub reverse: bool,
}

/// So many maps are looked in when one hands on to another, each once.
const MOST_MAPS: usize = 32;

/// What a code was found to be, and by which map.
struct Match<'a> {
    equivalence: &'a str,
    system: &'a str,
    code: &'a str,
    display: &'a str,
    map: &'a str,
}

impl Terminology {
    /// The answer to `$translate`: `Parameters` with `result` and a `match` for each link found.
    ///
    /// # Errors
    /// An issue if a map is named that is not here, or if no map is about the code's system.
    pub fn translate(&self, asked: &Translate) -> Result<Value, Issue> {
        let none = |message: &str| Issue::error(IssueCode::NotFound, "", message);
        let maps: Vec<&ConceptMap> = match asked.map {
            Some(url) => vec![self.map(url).ok_or_else(|| none("no such concept map is here"))?],
            None => self.maps.values().map(AsRef::as_ref).filter(|map| fits(map, asked)).collect(),
        };
        let about = |group: &Group| {
            let from = if asked.reverse { &group.target } else { &group.source };
            from.is_empty() || from == asked.system
        };
        if !maps.iter().any(|map| map.groups.iter().any(about)) {
            let message = "no concept map that is here is about this code system: name another \
                           system, or the map";
            return Err(none(message));
        }
        let mut found = Vec::new();
        for map in maps {
            self.matches(map, asked, &mut Vec::new(), &mut found);
        }
        Ok(answer(&found))
    }

    fn map(&self, canonical: &str) -> Option<&ConceptMap> {
        if let Some(map) = self.maps.get(canonical) {
            return Some(map);
        }
        let (url, version) = super::split_version(canonical)?;
        self.maps.get(url).filter(|map| map.version == version).map(AsRef::as_ref)
    }

    fn matches<'a>(
        &'a self,
        map: &'a ConceptMap,
        asked: &Translate<'a>,
        seen: &mut Vec<&'a str>,
        found: &mut Vec<Match<'a>>,
    ) {
        if seen.len() == MOST_MAPS || seen.contains(&map.url.as_ref()) {
            return;
        }
        seen.push(&map.url);
        for group in &map.groups {
            let (from, to) = match asked.reverse {
                true => (&group.target, &group.source),
                false => (&group.source, &group.target),
            };
            let wanted = asked.target_system.is_none_or(|system| to == system || to.is_empty());
            if !wanted || !(from.is_empty() || from == asked.system) {
                continue;
            }
            let before = found.len();
            for link in &group.links {
                let (own, other) = match asked.reverse {
                    true => (&link.target, &link.code),
                    false => (&link.code, &link.target),
                };
                if own != asked.code {
                    continue;
                }
                let display = if asked.reverse { "" } else { &link.display };
                let equivalence = match asked.reverse {
                    true => reversed(&link.equivalence),
                    false => &link.equivalence,
                };
                found.push(self.found(equivalence, to, other, display, &map.url));
            }
            if asked.reverse || found.len() > before {
                continue;
            }
            match &group.unmapped {
                Unmapped::Nothing => {}
                Unmapped::Provided => {
                    found.push(self.found("equal", to, asked.code, "", &map.url));
                }
                Unmapped::Fixed(code, display) => {
                    found.push(self.found("inexact", to, code, display, &map.url));
                }
                Unmapped::Other(url) => {
                    if let Some(other) = self.map(url) {
                        self.matches(other, asked, seen, found);
                    }
                }
            }
        }
    }

    fn found<'a>(
        &'a self,
        equivalence: &'a str,
        system: &'a str,
        code: &'a str,
        display: &'a str,
        map: &'a str,
    ) -> Match<'a> {
        let told = self.system(system).and_then(|system| system.concept(code));
        let display = match (display, told) {
            ("", Some(concept)) => &concept.display,
            _ => display,
        };
        Match { equivalence, system, code, display, map }
    }
}

/// Whether a map that was not named is one to look in.
fn fits(map: &ConceptMap, asked: &Translate) -> bool {
    let (source, target) = match asked.reverse {
        true => (&map.target, &map.source),
        false => (&map.source, &map.target),
    };
    asked.source.is_none_or(|set| source == set) && asked.target.is_none_or(|set| target == set)
}

/// What the source is to the target.
fn reversed(equivalence: &str) -> &str {
    match equivalence {
        "wider" => "narrower",
        "narrower" => "wider",
        "subsumes" => "specializes",
        "specializes" => "subsumes",
        same => same,
    }
}

fn answer(found: &[Match]) -> Value {
    let part = |found: &Match| {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let mut parts = vec![json!({ "name": "equivalence", "valueCode": found.equivalence })];
        if !found.code.is_empty() {
            let concept = json!({
                "system": text(found.system),
                "code": found.code,
                "display": text(found.display),
            });
            parts.push(json!({ "name": "concept", "valueCoding": concept }));
        }
        parts.push(json!({ "name": "source", "valueUri": found.map }));
        json!({ "name": "match", "part": parts })
    };
    let result = found.iter().any(|it| !matches!(it.equivalence, "unmatched" | "disjoint"));
    let mut parameters = vec![json!({ "name": "result", "valueBoolean": result })];
    if !result {
        let message = "the concept maps that are here have no match for this code";
        parameters.push(json!({ "name": "message", "valueString": message }));
    }
    parameters.extend(found.iter().map(part));
    json!({ "resourceType": "Parameters", "parameter": parameters })
}
