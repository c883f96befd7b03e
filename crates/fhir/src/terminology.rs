//! Code systems, value sets and concept maps: which codes there are, which belong together, what a
//! code is called, what it is a kind of, and what it is in another system.
//!
//! [`Terminology::base`] is R4's own, from `data/terminology-*.txt`; [`Terminology::extended`] adds
//! more to it. A terminology never changes, so an answer from it can be kept. What is not here is told
//! as not known, never as wrong: SNOMED CT, LOINC and ICD are not here, and a value set that draws on
//! them answers only for what it lists or takes from elsewhere.
//!
//! Invariant: what is here already is never replaced by an extension, so that nobody redefines R4.

use crate::issue::{Issue, IssueCode};
use crate::value::Value;
use set::ValueSet;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, OnceLock};
use system::CodeSystem;

pub mod answer;
pub mod codes;
mod compose;
pub mod expand;
mod load;
pub mod map;
mod read;
mod set;
mod system;

/// Text that is part of the program, or was added while it runs.
pub type Text = Cow<'static, str>;

/// What is known of codes.
#[derive(Debug)]
pub struct Terminology {
    systems: HashMap<Text, Arc<CodeSystem>>,
    sets: HashMap<Text, Slot>,
    /// In the order of their URLs, which is that of the answers.
    maps: BTreeMap<Text, Arc<map::ConceptMap>>,
}

/// A value set with its codes, worked out when they are first asked for.
#[derive(Debug)]
struct Slot {
    set: Arc<ValueSet>,
    codes: OnceLock<Arc<codes::Codes>>,
}

impl Slot {
    fn new(set: Arc<ValueSet>) -> Slot {
        Slot { set, codes: OnceLock::new() }
    }
}

static BASE: LazyLock<Terminology> = LazyLock::new(load::base);

impl Terminology {
    /// R4's own terminology, read on first use.
    pub fn base() -> &'static Terminology {
        &BASE
    }

    /// This terminology with more: resources of type `CodeSystem`, `ValueSet` and `ConceptMap`. A URL
    /// that is here already keeps its meaning; of two with the same URL the later counts. A code
    /// system without codes (`not-present`, `supplement`) adds nothing.
    ///
    /// # Errors
    /// What is wrong in the resources, each issue with its place. Nothing is added then.
    pub fn extended(&self, resources: &[Value]) -> Result<Terminology, Vec<Issue>> {
        let mut added = read::Added::default();
        let mut issues = Vec::new();
        for resource in resources {
            if let Err(issue) = added.read(resource) {
                issues.push(issue);
            }
        }
        if !issues.is_empty() {
            return Err(issues);
        }
        let mut systems = added.systems;
        let mut sets: HashMap<Text, Arc<ValueSet>> = added.sets;
        let mut maps = added.maps;
        systems.extend(self.systems.iter().map(|(url, it)| (url.clone(), Arc::clone(it))));
        sets.extend(self.sets.iter().map(|(url, slot)| (url.clone(), Arc::clone(&slot.set))));
        maps.extend(self.maps.iter().map(|(url, it)| (url.clone(), Arc::clone(it))));
        let sets = sets.into_iter().map(|(url, set)| (url, Slot::new(set))).collect();
        Ok(Terminology { systems, sets, maps })
    }

    /// The codes of a value set, by its canonical URL, which may end in `|version`; nothing if the
    /// set is not here.
    pub fn codes(&self, set: &str) -> Option<&codes::Codes> {
        let (_, slot) = self.slot(set)?;
        Some(slot.codes.get_or_init(|| Arc::new(compose::codes(self, &slot.set))))
    }

    /// Whether a code is in a value set; nothing where that cannot be known here. Without a system, as
    /// in an element of type `code`, the code of any system counts.
    pub fn contains(&self, set: &str, system: Option<&str>, code: &str) -> Option<bool> {
        self.codes(set)?.contains(system, code)
    }

    /// All codes of a value set with their systems, for `:in`; nothing where the set is not here or
    /// holds codes that are not known here.
    pub fn codes_of(&self, set: &str) -> Option<Vec<(&str, &str)>> {
        let codes = self.codes(set).filter(|codes| codes.is_whole())?;
        Some(codes.members().iter().map(|it| (it.system.as_ref(), it.code.as_ref())).collect())
    }

    /// Whether a code system has this code; nothing where that cannot be known here.
    pub fn has_code(&self, system: &str, code: &str) -> Option<bool> {
        let system = self.system(system)?;
        match system.concept(code) {
            Some(_) => Some(true),
            None => (system.coverage == system::Coverage::Whole).then_some(false),
        }
    }

    /// The code and every kind of it, for `:below`, in the order of the system; nothing where the
    /// system is not here, and empty for a code that is not in it.
    pub fn descendants(&self, system: &str, code: &str) -> Option<Vec<&str>> {
        let system = self.system(system)?;
        Some(system.below(code).map(|marks| system.marked(&marks)).unwrap_or_default())
    }

    /// The code and everything it is a kind of, for `:above`, like [`Terminology::descendants`].
    pub fn ancestors(&self, system: &str, code: &str) -> Option<Vec<&str>> {
        let system = self.system(system)?;
        Some(system.above(code).map(|marks| system.marked(&marks)).unwrap_or_default())
    }

    /// The URLs and versions of the code systems that are here, sorted, for `TerminologyCapabilities`.
    pub fn systems(&self) -> Vec<(&str, &str)> {
        let systems = self.systems.values();
        let mut list: Vec<_> = systems.map(|it| (it.url.as_ref(), it.version.as_ref())).collect();
        list.sort_unstable();
        list
    }

    /// The URLs of the value sets that are here, sorted.
    pub fn value_sets(&self) -> Vec<&str> {
        let mut list: Vec<&str> = self.sets.keys().map(AsRef::as_ref).collect();
        list.sort_unstable();
        list
    }

    fn system(&self, canonical: &str) -> Option<&CodeSystem> {
        if let Some(system) = self.systems.get(canonical) {
            return Some(system);
        }
        let (url, version) = split_version(canonical)?;
        self.systems.get(url).filter(|system| system.version == version).map(AsRef::as_ref)
    }

    /// The codes of a set given by its URL or as a resource.
    ///
    /// # Errors
    /// An issue if the set is not here, or if the resource is no sound value set.
    fn codes_in(&self, set: Set) -> Result<(Arc<ValueSet>, Arc<codes::Codes>), Issue> {
        match set {
            Set::Url(url) => {
                let (_, slot) = self.slot(url).ok_or_else(unknown_set)?;
                let codes = || Arc::new(compose::codes(self, &slot.set));
                Ok((Arc::clone(&slot.set), Arc::clone(slot.codes.get_or_init(codes))))
            }
            Set::Resource(resource) => {
                let set = read::value_set(resource)?;
                let codes = compose::codes(self, &set);
                Ok((Arc::new(set), Arc::new(codes)))
            }
        }
    }
}

/// A value set that a request names or brings along.
#[derive(Clone, Copy, Debug)]
pub enum Set<'a> {
    /// By its canonical URL, which may end in `|version`.
    Url(&'a str),
    /// A `ValueSet` resource.
    Resource(&'a Value),
}

fn unknown_set() -> Issue {
    let message = "the value set is not known here: send it along, or store it first";
    Issue::error(IssueCode::NotFound, "", message)
}

/// The two parts of `url|version`; nothing if there is no version.
fn split_version(canonical: &str) -> Option<(&str, &str)> {
    canonical.rsplit_once('|')
}
