//! Whom a resource is about and when it happened, by type: the elements that say so, as data.
//!
//! `data/about.json` has the elements that most types use and, by type, what differs. A *subject*
//! is an element that is there to say whom the resource is about. A *participant* may be a patient
//! among others, and counts only where it says that it is one. Elements are found by dotted path;
//! a test of `exchange` checks that each is an element of its type.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// The elements of one type. The first list that names a patient decides; within it, the first
/// element that names one.
#[derive(Clone, Debug, Default)]
pub struct Elements {
    /// References that are there to say whom it is about.
    pub subjects: Vec<String>,
    /// References that may be to a patient among others.
    pub participants: Vec<String>,
    /// When it happened or was recorded, the most telling first. What has not happened cannot be
    /// recorded, so none lies in the future. What is planned, such as `Appointment.start` or the end
    /// of a period, is not listed.
    pub happened: Vec<String>,
    /// Dates of a life: not in the future either, but no time of recording.
    pub lived: Vec<String>,
}

#[derive(Default, Deserialize)]
struct Table {
    default: Row,
    types: BTreeMap<String, Row>,
}

/// What a type says of its own; the rest is as in most types.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    subjects: Option<Vec<String>>,
    participants: Option<Vec<String>>,
    happened: Option<Vec<String>>,
    lived: Option<Vec<String>>,
}

struct About {
    most: Elements,
    types: BTreeMap<String, Elements>,
}

static ABOUT: LazyLock<About> = LazyLock::new(|| {
    // The file is part of the binary and a test parses it.
    let table: Table = serde_json::from_str(include_str!("../data/about.json")).unwrap_or_default();
    let most = elements_of(table.default, &Elements::default());
    let types = table.types.into_iter().map(|(kind, row)| (kind, elements_of(row, &most)));
    About { types: types.collect(), most }
});

fn elements_of(row: Row, most: &Elements) -> Elements {
    Elements {
        subjects: row.subjects.unwrap_or_else(|| most.subjects.clone()),
        participants: row.participants.unwrap_or_else(|| most.participants.clone()),
        happened: row.happened.unwrap_or_else(|| most.happened.clone()),
        lived: row.lived.unwrap_or_else(|| most.lived.clone()),
    }
}

/// The elements of a type.
pub fn elements(kind: &str) -> &'static Elements {
    ABOUT.types.get(kind).unwrap_or(&ABOUT.most)
}

/// The types that say something of their own.
pub fn types() -> impl Iterator<Item = &'static str> {
    ABOUT.types.keys().map(String::as_str)
}
