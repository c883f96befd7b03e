//! Works out the codes of a value set from how it is composed (R4 ValueSet, content logical
//! definition).
//!
//! What cannot be known becomes a gap and never an error, so that a set that draws on SNOMED CT beside
//! R4's own codes still answers for those. Invariant: each value set is worked out once in a run, and
//! a set that draws on itself gets a gap, so that the work is bounded by what is written.

use super::codes::{Codes, Member, Reason};
use super::set::{Filter, Operator, Part, ValueSet};
use super::system::{CodeSystem, Concept, Coverage, Marks, Selectable, Standing};
use super::{Terminology, Text, split_version};
use crate::value::Value;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// So many concepts are looked at, for each filter, and codes taken over before a set counts as too
/// large to work out. All of R4's own sets need a tenth.
const MOST_WORK: usize = 2_000_000;

/// How deep value sets may draw on each other.
const DEEPEST: usize = 32;

/// The codes of a set that stands in `terminology` or was brought along.
pub(super) fn codes(terminology: &Terminology, set: &ValueSet) -> Codes {
    Composer { terminology, done: HashMap::new(), depth: 0, work: 0 }.set(set)
}

struct Composer<'a> {
    terminology: &'a Terminology,
    /// What other sets hold; nothing while it is being worked out.
    done: HashMap<&'a str, Option<Arc<Codes>>>,
    depth: usize,
    /// How much was done so far.
    work: usize,
}

impl<'a> Composer<'a> {
    fn set(&mut self, set: &ValueSet) -> Codes {
        let mut codes = Codes::default();
        let (mut included, mut excluded) = (0, 0);
        for part in &set.parts {
            let (name, count) = match part.excludes {
                true => ("exclude", &mut excluded),
                false => ("include", &mut included),
            };
            let place = format!("ValueSet.compose.{name}[{count}]");
            *count += 1;
            if part.excludes {
                continue;
            }
            codes.unite(self.part(part, &place));
        }
        for (index, part) in set.parts.iter().filter(|part| part.excludes).enumerate() {
            let place = format!("ValueSet.compose.exclude[{index}]");
            let excluded = self.part(part, &place);
            codes.subtract(&excluded, &place);
        }
        if !set.inactive {
            codes.keep_active();
        }
        codes
    }

    /// Counts work to come; says whether there is room for it.
    fn has_room(&mut self, work: usize) -> bool {
        self.work = self.work.saturating_add(work);
        self.work <= MOST_WORK
    }

    fn part(&mut self, part: &Part, place: &str) -> Codes {
        let mut found = (!part.system.is_empty()).then(|| self.of_system(part, place));
        for set in &part.sets {
            let imported = self.import(set, place);
            let taken = found.as_ref().map_or(0, |codes| codes.members().len());
            if !self.has_room(imported.members().len().saturating_add(taken)) {
                return too_large(place);
            }
            match &mut found {
                Some(codes) => codes.intersect(&imported, place),
                None => {
                    let mut codes = Codes::default();
                    for member in imported.members() {
                        codes.add(member.clone());
                    }
                    codes.gaps.clone_from(&imported.gaps);
                    found = Some(codes);
                }
            }
        }
        found.unwrap_or_default()
    }

    /// What the part takes from its code system.
    fn of_system(&mut self, part: &Part, place: &str) -> Codes {
        let mut codes = Codes::default();
        let system = self.terminology.system_at(&part.system, &part.version);
        if !part.concepts.is_empty() {
            for (code, display) in &part.concepts {
                let concept = system.and_then(|system| system.concept(code));
                let member = listed(&part.system, code, display, concept);
                let case_sensitive = system.is_none_or(|system| system.case_sensitive);
                codes.add(Member { case_sensitive, ..member });
            }
            return codes;
        }
        let Some(system) = system else {
            codes.gap_in(&part.system, place, Reason::System);
            return codes;
        };
        if !self.has_room(system.concepts().len().saturating_mul(1 + part.filters.len())) {
            return too_large(place);
        }
        let tests: Option<Vec<Test>> =
            part.filters.iter().map(|filter| Test::new(system, filter)).collect();
        let Some(tests) = tests else {
            codes.gap_in(&part.system, place, Reason::Filter);
            return codes;
        };
        for (index, concept) in system.concepts().iter().enumerate() {
            let chosen = concept.selectable == Selectable::Yes;
            if chosen && tests.iter().all(|test| test.passes(index, concept)) {
                let member = listed(&part.system, &concept.code, "", Some(concept));
                codes.add(Member { case_sensitive: system.case_sensitive, ..member });
            }
        }
        if system.coverage == Coverage::Part {
            codes.gap_in(&part.system, place, Reason::Fragment);
        }
        codes
    }

    /// The codes of another value set.
    fn import(&mut self, canonical: &str, place: &str) -> Arc<Codes> {
        let unknown = || {
            let mut codes = Codes::default();
            codes.gap_in("", place, Reason::Set);
            Arc::new(codes)
        };
        let Some((url, slot)) = self.terminology.slot(canonical) else {
            return unknown();
        };
        if let Some(known) = slot.codes.get() {
            return Arc::clone(known);
        }
        match self.done.get(url) {
            Some(Some(known)) => return Arc::clone(known),
            Some(None) => return unknown(),
            None if self.depth == DEEPEST => return unknown(),
            None => {}
        }
        self.done.insert(url, None);
        self.depth += 1;
        let codes = Arc::new(self.set(&slot.set));
        self.depth -= 1;
        self.done.insert(url, Some(Arc::clone(&codes)));
        codes
    }
}

fn too_large(place: &str) -> Codes {
    let mut codes = Codes::default();
    codes.gap_in("", place, Reason::Size);
    codes
}

fn listed(system: &Text, code: &Text, display: &str, concept: Option<&Concept>) -> Member {
    let shown = concept.map_or(Text::Borrowed(""), |concept| concept.display.clone());
    Member {
        system: system.clone(),
        code: code.clone(),
        display: if display.is_empty() { shown } else { Text::Owned(display.to_owned()) },
        inactive: concept.is_some_and(|concept| concept.standing == Standing::Retired),
        case_sensitive: true,
    }
}

/// A filter made ready for one system.
enum Test<'a> {
    /// Kinds of a concept, or what it is a kind of.
    Marked { marks: Marks, itself: bool, wanted: bool },
    /// The property has this value, or one of these, or not.
    Value { property: &'a str, values: HashSet<&'a str>, wanted: bool },
    /// The property is there, or not.
    Exists { property: &'a str, wanted: bool },
}

impl<'a> Test<'a> {
    /// Nothing if the filter cannot be evaluated: its operator or property is not known here, or it
    /// starts from a code that is not in the system.
    fn new(system: &CodeSystem, filter: &'a Filter) -> Option<Test<'a>> {
        let (property, value) = (filter.property.as_ref(), filter.value.as_ref());
        let marked = |marks, itself, wanted| Some(Test::Marked { marks, itself, wanted });
        let among = |values, wanted| {
            let known = matches!(property, "code" | "display" | "concept")
                || system.concepts().iter().any(|it| values_of(it, property).next().is_some());
            known.then_some(Test::Value { property, values, wanted })
        };
        match filter.operator {
            Operator::IsA => marked(system.below(value)?, true, true),
            Operator::DescendentOf => marked(system.below(value)?, false, true),
            Operator::IsNotA => marked(system.below(value)?, true, false),
            Operator::Generalizes => marked(system.above(value)?, true, true),
            Operator::Equal => among(HashSet::from([value]), true),
            Operator::In => among(value.split(',').map(str::trim).collect(), true),
            Operator::NotIn => among(value.split(',').map(str::trim).collect(), false),
            Operator::Exists => match value {
                "true" => Some(Test::Exists { property, wanted: true }),
                "false" => Some(Test::Exists { property, wanted: false }),
                _ => None,
            },
            Operator::Other => None,
        }
    }

    fn passes(&self, index: usize, concept: &Concept) -> bool {
        match self {
            Test::Marked { marks, itself: true, wanted } => marks.has(index) == *wanted,
            Test::Marked { marks, itself: false, wanted } => {
                marks.has_beyond_start(index) == *wanted
            }
            Test::Value { property, values, wanted } => {
                let mut own = values_of(concept, property);
                own.any(|value| values.contains(value)) == *wanted
            }
            Test::Exists { property, wanted } => {
                values_of(concept, property).next().is_some() == *wanted
            }
        }
    }
}

/// The values of a concept's property as text. The code and the display count as properties.
fn values_of<'c>(concept: &'c Concept, property: &str) -> impl Iterator<Item = &'c str> {
    let own = match property {
        "code" | "concept" => Some(concept.code.as_ref()),
        "display" => Some(concept.display.as_ref()),
        _ => None,
    };
    let named = concept.properties.iter().filter(move |(code, _, _)| code == property);
    own.into_iter().chain(named.filter_map(|(_, _, value)| plain(value)))
}

/// A property's value as a filter writes it; of a `Coding` its code.
fn plain(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        Value::Bool(true) => Some("true"),
        Value::Bool(false) => Some("false"),
        Value::Number(number) => Some(number.as_str()),
        other => other.text("code"),
    }
}

impl Terminology {
    /// The system of this URL, if its version is the one asked for.
    pub(super) fn system_at(&self, canonical: &str, version: &str) -> Option<&CodeSystem> {
        let system = self.system(canonical)?;
        (version.is_empty() || system.version == version).then_some(system)
    }

    /// The set of this canonical URL with its own URL.
    pub(super) fn slot(&self, canonical: &str) -> Option<(&str, &super::Slot)> {
        let find = |url: &str| self.sets.get_key_value(url).map(|(url, slot)| (url.as_ref(), slot));
        if let Some(found) = find(canonical) {
            return Some(found);
        }
        let (url, version) = split_version(canonical)?;
        find(url).filter(|(_, slot)| slot.set.version == version)
    }
}
