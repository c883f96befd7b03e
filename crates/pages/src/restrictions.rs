//! What the resident withholds, and from whom: the list, and the form to say so.
//!
//! Everything works without scripts: choices are lists, and each button is a form of its own.

use access::restriction::{Against, Restriction, What};
use exchange::answer::ServiceLine;
use exchange::control::Restricted;
use record::catalogue::Catalogue;
use record::service::{SERVICE_TYPES, service_type};

use crate::text;
use crate::time::{self, Moment};

/// Field: from whom, as [`against`] reads it.
pub const FROM_FIELD: &str = "mot";
/// Field: position of an entry of the access log, instead of [`FROM_FIELD`].
pub const LOOK_FIELD: &str = "oppslag";
/// Field: what, as [`what`] reads it.
pub const WHAT_FIELD: &str = "hva";
/// Field: only what is about this day or later.
pub const START_FIELD: &str = "fra";
/// Field: only what is about this day or earlier.
pub const END_FIELD: &str = "til";
/// Field: whether in emergencies too.
pub const EMERGENCY_FIELD: &str = "akutt";
/// Field: id of the Consent to lift.
pub const LIFT_FIELD: &str = "sperring";

/// Professions (kodeverk 9060) that can be chosen; others are restricted by organisation or by name.
const PROFESSIONS: [&str; 6] = ["LE", "SP", "HF", "VP", "FT", "ET"];

/// What the page shows of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Own<'a> {
    /// The restrictions, the latest first.
    pub restricted: &'a [Restricted],
    /// Number and name of the municipality's units.
    pub units: &'a [(String, String)],
    /// What was just done, if anything.
    pub done: Option<Done>,
}

/// What was just done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// Something was restricted.
    Restricted,
    /// A restriction was lifted.
    Lifted,
}

impl Done {
    /// As an address has it.
    pub fn key(self) -> &'static str {
        match self {
            Done::Restricted => "sperret",
            Done::Lifted => "opphevet",
        }
    }

    /// The one with this key.
    pub fn from_key(key: &str) -> Option<Self> {
        [Done::Restricted, Done::Lifted].into_iter().find(|done| done.key() == key)
    }

    fn text(self) -> String {
        text::get(match self {
            Done::Restricted => "restrict-done",
            Done::Lifted => "restrict-lifted",
        })
    }
}

/// Reads what the form says of whom; nothing where it says nothing that is known.
pub fn against(choice: &str) -> Option<Against> {
    match choice.split_once(':') {
        None => (choice == "alle").then_some(Against::Everyone),
        Some(("yrke", code)) => {
            PROFESSIONS.contains(&code).then(|| Against::Profession(code.to_owned()))
        }
        Some(("enhet", number)) => {
            let is_number = number.len() == 9 && number.bytes().all(|b| b.is_ascii_digit());
            is_number.then(|| Against::Organisation(number.to_owned()))
        }
        Some(("tjeneste", code)) => service_type(code).map(|it| Against::Service(it.code.into())),
        Some(_) => None,
    }
}

/// Reads what the form says of what; nothing where it says nothing that is known.
pub fn what(choice: &str) -> Option<What> {
    match choice.split_once(':') {
        None => (choice == "alt").then(What::default),
        Some(("slag", key)) => {
            let known = Catalogue::get().category(key).filter(|it| it.about_person)?;
            Some(What { categories: vec![known.key.clone()], ..What::default() })
        }
        Some(("en", item)) => {
            let (kind, id) = item.split_once('/')?;
            let (kind, is_id) = (fhir_kind(kind)?, is_id(id));
            let items = vec![(kind.to_owned(), id.to_owned())];
            is_id.then(|| What { items, ..What::default() })
        }
        Some(_) => None,
    }
}

/// Only services are chosen one by one on the page.
pub(crate) fn fhir_kind(kind: &str) -> Option<&'static str> {
    (kind == "EpisodeOfCare").then_some("EpisodeOfCare")
}

pub(crate) fn is_id(id: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    (1..=64).contains(&id.len()) && id.bytes().all(plain)
}

/// A choice of a list.
pub(crate) struct Choice {
    pub value: String,
    pub title: String,
}

/// The section as the template reads it.
pub(crate) struct Section {
    pub done: Option<String>,
    pub held: Vec<Held>,
    pub professions: Vec<Choice>,
    pub units: Vec<Choice>,
    pub services: Vec<Choice>,
    pub categories: Vec<Choice>,
    pub items: Vec<Choice>,
}

/// A restriction as the template reads it.
pub(crate) struct Held {
    pub id: String,
    pub who: String,
    pub what: Vec<String>,
    pub since: Moment,
    pub emergency: String,
    pub can_lift: bool,
}

impl Section {
    /// The section at `now_ms`, for somebody with these services.
    pub fn new(own: Own<'_>, lines: &[ServiceLine], now_ms: i64) -> Self {
        let choice = |value: String, title: String| Choice { value, title };
        let shown = |category: &&record::catalogue::Category| {
            category.about_person && category.shareable && !category.shapes.is_empty()
        };
        let categories = Catalogue::get().categories.iter().filter(shown);
        Self {
            done: own.done.map(Done::text),
            held: own.restricted.iter().map(|it| Held::new(it, own, lines, now_ms)).collect(),
            professions: PROFESSIONS
                .iter()
                .map(|code| choice(format!("yrke:{code}"), profession(code)))
                .collect(),
            units: own
                .units
                .iter()
                .map(|(number, name)| choice(format!("enhet:{number}"), name.clone()))
                .collect(),
            services: SERVICE_TYPES
                .iter()
                .map(|it| choice(format!("tjeneste:{}", it.code), it.title.to_owned()))
                .collect(),
            categories: categories
                .map(|it| choice(format!("slag:{}", it.key), it.texts.nb.title.clone()))
                .collect(),
            items: lines
                .iter()
                .map(|line| choice(format!("en:EpisodeOfCare/{}", line.id), line.title.clone()))
                .collect(),
        }
    }
}

impl Held {
    pub fn new(restricted: &Restricted, own: Own<'_>, lines: &[ServiceLine], now_ms: i64) -> Self {
        let Restriction { id, against, what, in_emergency, .. } = &restricted.restriction;
        let emergency = if *in_emergency { "restrict-emergency" } else { "restrict-no-emergency" };
        Self {
            id: id.clone(),
            who: who(against, restricted.display.as_deref(), own),
            what: told(what, own, lines),
            since: time::moment(restricted.since, now_ms),
            emergency: text::get(emergency),
            can_lift: restricted.can_lift,
        }
    }
}

fn profession(code: &str) -> String {
    text::find(&format!("professions-{code}"), &[]).unwrap_or_else(|| code.to_owned())
}

fn unit(number: &str, own: Own<'_>) -> String {
    let found = own.units.iter().find(|(known, _)| known == number);
    found.map_or_else(|| number.to_owned(), |(_, name)| name.clone())
}

fn who(against: &Against, display: Option<&str>, own: Own<'_>) -> String {
    match against {
        Against::Everyone => text::get("restrict-everyone"),
        Against::Practitioner(_) => {
            display.map_or_else(|| text::get("restrict-somebody"), str::to_owned)
        }
        Against::Profession(code) => profession(code),
        Against::Organisation(number) => unit(number, own),
        Against::Service(code) => {
            service_type(code).map_or_else(|| code.clone(), |it| it.title.to_owned())
        }
    }
}

/// What is withheld, a line for each thing that narrows it.
fn told(what: &What, own: Own<'_>, lines: &[ServiceLine]) -> Vec<String> {
    let title = |key: &String| {
        let known = Catalogue::get().category(key);
        known.map_or_else(|| key.clone(), |category| category.texts.nb.title.clone())
    };
    let mut told: Vec<String> = what.categories.iter().map(title).collect();
    told.extend(what.items.iter().map(|(_, id)| {
        let line = lines.iter().find(|line| line.id == *id);
        line.map_or_else(|| text::get("restrict-one"), |line| line.title.clone())
    }));
    let owner = what.owner.as_deref().map(|owner| unit(owner, own));
    told.extend(owner.map(|name| text::with("restrict-owner", &[("name", name.as_str().into())])));
    // A period ends before its end.
    let day = |at: i64| time::day(&time::oslo(at).date().to_string());
    let period = match (what.from.map(day), what.to.map(|to| day(to - 1))) {
        (Some(from), Some(to)) => Some(text::with(
            "restrict-between",
            &[("from", from.as_str().into()), ("to", to.as_str().into())],
        )),
        (Some(from), None) => Some(text::with("restrict-since", &[("from", from.as_str().into())])),
        (None, Some(to)) => Some(text::with("restrict-until", &[("to", to.as_str().into())])),
        (None, None) => None,
    };
    told.extend(period);
    if told.is_empty() {
        told.push(text::get("restrict-everything"));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_read_as_it_is_written() {
        let section = Section::new(Own::default(), &[], 0);
        let from = section.professions.iter().chain(&section.services);
        assert!(from.map(|choice| against(&choice.value)).all(|it| it.is_some()));
        assert!(section.categories.iter().all(|choice| what(&choice.value).is_some()));
        assert_eq!(against("alle"), Some(Against::Everyone));
        assert_eq!(what("alt"), Some(What::default()));
        let one = what("en:EpisodeOfCare/a-1").unwrap();
        assert_eq!(one.items, [("EpisodeOfCare".to_owned(), "a-1".to_owned())]);
        for wrong in ["", "yrke:XX", "enhet:12", "tjeneste:99", "hvem:meg"] {
            assert_eq!(against(wrong), None, "{wrong}");
        }
        for wrong in ["", "slag:organisation", "slag:?", "en:Patient/1", "en:EpisodeOfCare/ "] {
            assert_eq!(what(wrong), None, "{wrong}");
        }
    }
}
