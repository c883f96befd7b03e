//! Compartments: which resources belong to a patient, an encounter and so on (R4
//! compartmentdefinition).
//!
//! Data (`data/compartments.txt`) from HL7's five definitions, read once.

use crate::definitions;
use crate::search::{self, SearchParameter};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

const COMPARTMENTS: &str = include_str!("../data/compartments.txt");

/// Parameters by compartment and type.
static ALL: LazyLock<HashMap<Key, Vec<Arc<SearchParameter>>>> = LazyLock::new(load);

/// A compartment and a type.
type Key = (&'static str, &'static str);

/// The types that have a compartment, sorted.
pub const KINDS: [&str; 5] = ["Device", "Encounter", "Patient", "Practitioner", "RelatedPerson"];

/// The reference parameters by which a resource of type `kind` belongs to the compartment of the
/// resource that they name: any of them is enough. Empty where the type never belongs to it by
/// reference. The resource that a compartment is of belongs to it as well: R4's data says so of three
/// of the five, and here it goes for all.
pub fn parameters(compartment: &str, kind: &str) -> &'static [Arc<SearchParameter>] {
    let found = definitions::resource_kind(compartment).zip(definitions::resource_kind(kind));
    found.and_then(|key| ALL.get(&key)).map(Vec::as_slice).unwrap_or_default()
}

/// The types that may belong to a compartment, sorted; none for what has no compartment.
pub fn kinds(compartment: &str) -> Vec<&'static str> {
    let own = ALL.keys().filter(|(of, _)| *of == compartment);
    let mut kinds: Vec<_> = own.map(|(_, kind)| *kind).collect();
    kinds.sort_unstable();
    kinds
}

fn load() -> HashMap<Key, Vec<Arc<SearchParameter>>> {
    let mut found: HashMap<Key, Vec<_>> = HashMap::new();
    let mut compartment = "";
    for line in definitions::data_lines(COMPARTMENTS) {
        let mut words = line.split(' ');
        match words.next() {
            Some("=") => {
                compartment = words.next().unwrap_or_default();
                found.entry((compartment, compartment)).or_default();
            }
            Some(kind) => {
                let parameters = words.filter_map(|code| search::parameter(kind, code).cloned());
                found.insert((compartment, kind), parameters.collect());
            }
            None => {}
        }
    }
    found
}
