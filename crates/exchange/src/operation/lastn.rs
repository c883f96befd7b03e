//! `Observation/$lastn`: the newest of each code (R4 Observation operations).
//!
//! Two codes are the same where one Observation has both, and what is the same as the same is the
//! same. An Observation without codings is grouped by its text. Invariant: only what may still be
//! among the newest of its group is kept while looking, so that memory follows the answer.

use std::collections::HashMap;

use access::caller::Caller;
use access::decide::About;
use access::permit::ReadPermit;
use access::scopes::Interaction;
use fhir::instant::range;
use fhir::issue::IssueCode;
use fhir::query::{Query, Scope};
use fhir::value::Value;
use record::entry::Position;
use record::identity::PersonId;
use record::system;
use view::store::Stored;

use super::parameters::{Parameters, missing, wrong};
use crate::coded;
use crate::error::Failure;
use crate::read::{Named, keys_of, parsed};
use crate::searchset::{Entries, incomplete};
use crate::tenant::Tenant;

/// Observations read at a time.
const CHUNK: &str = "500";

/// Most of each code.
const MOST: usize = 1_000;

/// What an Observation is called by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Name {
    /// System and code.
    Code(Option<String>, String),
    /// A text alone.
    Text(String),
}

/// The newest of each group of names.
#[derive(Debug)]
pub struct Newest<T> {
    most: usize,
    group_of: HashMap<Name, usize>,
    groups: Vec<Vec<(i64, usize, T)>>,
    met: usize,
}

impl<T> Newest<T> {
    /// Keeps `most` of each group, and those that are as old as the last of them.
    pub fn new(most: usize) -> Self {
        Self { most, group_of: HashMap::new(), groups: Vec::new(), met: 0 }
    }

    /// Takes something in: what it is called, when it was, milliseconds since 1970.
    pub fn add(&mut self, names: Vec<Name>, when: i64, item: T) {
        let mut known: Vec<usize> =
            names.iter().filter_map(|name| self.group_of.get(name).copied()).collect();
        known.sort_unstable();
        known.dedup();
        let (home, others) = match known.split_first() {
            Some((home, others)) => (*home, others.to_vec()),
            None => {
                self.groups.push(Vec::new());
                (self.groups.len() - 1, Vec::new())
            }
        };
        let mut items = vec![(when, self.met, item)];
        self.met += 1;
        for other in &others {
            items.extend(self.groups.get_mut(*other).map(std::mem::take).unwrap_or_default());
        }
        if !others.is_empty() {
            let moved = self.group_of.values_mut().filter(|group| others.contains(group));
            moved.for_each(|group| *group = home);
        }
        self.group_of.extend(names.into_iter().map(|name| (name, home)));
        if let Some(group) = self.groups.get_mut(home) {
            group.append(&mut items);
            group.sort_by_key(|(when, met, _)| (std::cmp::Reverse(*when), *met));
            let last = self.most.checked_sub(1).and_then(|last| group.get(last));
            if let Some(oldest) = last.map(|(when, ..)| *when) {
                group.retain(|(when, ..)| *when >= oldest);
            }
        }
    }

    /// All that was kept, the newest first; what is equally new in the order it was taken in.
    pub fn finish(self) -> Vec<T> {
        let mut all: Vec<_> = self.groups.into_iter().flatten().collect();
        all.sort_by_key(|(when, met, _)| (std::cmp::Reverse(*when), *met));
        all.into_iter().map(|(_, _, item)| item).collect()
    }
}

impl Tenant {
    /// `Observation/$lastn`, as a Bundle. `base` is the address of the door.
    pub async fn lastn(
        &self,
        caller: &Caller,
        given: &Parameters,
        base: &str,
    ) -> Result<Vec<u8>, Failure> {
        let most = given.number("max")?.unwrap_or(1);
        if !(1..=MOST).contains(&most) {
            return Err(wrong(IssueCode::Value, "`max` is 1 to 1000"));
        }
        let mut newest = Newest::new(most);
        let mut pairs = given.pairs_without(&["max", "_count", "_sort"]);
        pairs.push(("_count".to_owned(), CHUNK.to_owned()));
        let (parameters, scope) = (self.parameters()?, Scope::Type("Observation"));
        let sets = self.named_sets(caller, &parameters, scope, &pairs).await?;
        let query = coded::read(&parameters, Scope::Type("Observation"), &pairs, &sets)?;
        let looked = self
            .observations(caller, "lastn", query, |value, stored| {
                newest.add(names(value), effective(value), stored);
                Ok(())
            })
            .await?;
        let found = newest.finish();
        // The parameters may hold an identity number, which an address must not.
        let links =
            fhir::json!([{ "relation": "self", "url": format!("{base}/Observation/$lastn") }]);
        let total = u64::try_from(found.len()).unwrap_or(u64::MAX);
        let mut entries = Entries::new(&links, Some(total));
        for stored in &found {
            entries.add(base, "Observation", stored, None, "match");
        }
        let told = incomplete(&looked.skipped, looked.withheld);
        if !told.is_empty() {
            entries.outcome(&told);
        }
        looked.told(self, caller, "lastn", found.len()).await?;
        Ok(entries.finish())
    }

    /// Shows every Observation that a query about one person finds to `each`, under one permit. The
    /// look is told afterwards with [`Looked::told`].
    pub(super) async fn observations(
        &self,
        caller: &Caller,
        action: &str,
        mut query: Query,
        mut each: impl FnMut(&Value, Stored) -> Result<(), Failure>,
    ) -> Result<Looked, Failure> {
        if let Some(unsupported) = query.unsupported.first() {
            let text = format!("`{}`: {}", unsupported.parameter, unsupported.reason.as_str());
            return Err(wrong(IssueCode::NotSupported, &text));
        }
        let named = self.named_person(caller, &mut query)?;
        let person = match named {
            Named::One(person) => person,
            Named::Unsaid | Named::Nobody => {
                return Err(missing("name one patient who is known, with `patient` or `subject`"));
            }
        };
        let keys = keys_of("Observation");
        self.within_scopes(
            caller,
            (action, About::Person(person)),
            &["Observation"],
            Interaction::Search,
        )
        .await?;
        let permit = self.decide(caller, action, About::Person(person), &keys).await?;
        let mut looked = Looked { permit, person, skipped: Vec::new(), withheld: false };
        let mut cursor: Option<String> = None;
        loop {
            let now = self.now();
            let page = self.view.search(&looked.permit, &query, cursor.as_deref(), now)?;
            for stored in page.matches {
                each(&parsed(&stored)?, stored)?;
            }
            looked.skipped.extend(page.skipped);
            looked.withheld |= page.withheld;
            cursor = page.next;
            if cursor.is_none() {
                looked.skipped.sort_unstable();
                looked.skipped.dedup();
                return Ok(looked);
            }
            tokio::task::yield_now().await;
        }
    }
}

/// A look at a person's Observations that is not told of yet.
#[must_use]
pub(super) struct Looked {
    permit: ReadPermit,
    person: PersonId,
    pub(super) skipped: Vec<Position>,
    pub(super) withheld: bool,
}

impl Looked {
    /// Writes it down. Nothing may leave before this has returned.
    pub(super) async fn told(
        &self,
        tenant: &Tenant,
        caller: &Caller,
        action: &str,
        resources: usize,
    ) -> Result<(), Failure> {
        let categories = self.permit.categories();
        let person = Some(self.person);
        tenant.disclosed(caller, &self.permit, action, person, categories, resources).await
    }
}

/// What an Observation is called by.
fn names(value: &Value) -> Vec<Name> {
    let codings = value.all_at("code.coding");
    let names = codings.iter().filter_map(|coding| {
        let system = coding.text("system").map(|system| system::canonical(system).into_owned());
        Some(Name::Code(system, coding.text("code")?.to_owned()))
    });
    let names: Vec<Name> = names.collect();
    match value.at("code.text").and_then(Value::as_str) {
        Some(text) if names.is_empty() => vec![Name::Text(text.to_owned())],
        _ => names,
    }
}

/// When it was: the time of what was measured, or else when it was made known.
pub(super) fn effective(value: &Value) -> i64 {
    let places =
        ["effectiveDateTime", "effectiveInstant", "effectivePeriod.end", "effectivePeriod.start"];
    let timed = value.all_at("effectiveTiming.event").into_iter().filter_map(Value::as_str);
    let texts = places.iter().filter_map(|place| value.at(place)?.as_str());
    let mut texts = texts.chain(timed).chain(value.text("issued"));
    texts.find_map(range).map_or(i64::MIN, |(low, _)| low)
}
