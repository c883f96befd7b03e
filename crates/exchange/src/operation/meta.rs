//! `$meta`, `$meta-add` and `$meta-delete`: profiles, tags and security labels, of one resource or in
//! use.
//!
//! A change is a new version through the ordinary write flow, by the owner alone.

use std::collections::BTreeMap;

use access::caller::Caller;
use access::decide::About;
use access::permit::{Reach, ReadPermit};
use access::scopes::Interaction;
use fhir::issue::{Issue, IssueCode, operation_outcome};
use fhir::json;
use fhir::query::{Query, Scope};
use fhir::search::set::Parameters as SearchParameters;
use fhir::value::{Object, Value};

use super::parameters::{Parameters, missing, wrong};
use crate::error::Failure;
use crate::read::{all_keys, keys_of, parsed};
use crate::searchset::incomplete;
use crate::submission::{Channel, Operation, Submission};
use crate::tenant::Tenant;

/// What is done with the elements given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// They are there afterwards.
    Add,
    /// They are not.
    Delete,
}

/// Elements that are sets, which a change works on.
const SETS: [&str; 3] = ["profile", "security", "tag"];

/// Resources read at a time for what is in use.
const CHUNK: u32 = 500;

/// Most resources read for each element of what is in use.
const MOST_READ: usize = 5_000;

/// What is in use under each element, by what makes it the same.
type InUse = BTreeMap<&'static str, BTreeMap<String, Value>>;

/// How often a change is tried again when another came in between.
const TRIES: usize = 3;

impl Tenant {
    /// `Type/id/$meta`.
    pub async fn meta(
        &self,
        caller: &Caller,
        kind: &'static str,
        id: &str,
    ) -> Result<Value, Failure> {
        Ok(printed(&parsed(&self.read(caller, kind, id).await?)?))
    }

    /// `Type/$meta` and `$meta`: what the resources that the caller may see have, out of the newest of
    /// them. Where there are more, or some cannot be read, an `OperationOutcome` beside it says so.
    pub async fn meta_in_use(
        &self,
        caller: &Caller,
        kind: Option<&'static str>,
    ) -> Result<Value, Failure> {
        let keys = kind.map_or_else(all_keys, keys_of);
        self.within_scopes(caller, ("meta", About::Unnamed), kind.as_slice(), Interaction::Search)
            .await?;
        let permit = self.decide(caller, "meta", About::Unnamed, &keys).await?;
        let (mut found, mut told, mut read) = (InUse::new(), Vec::new(), 0);
        for element in SETS {
            let (looked, more) = self.in_use(&permit, kind, element, &mut found)?;
            read += looked;
            if more {
                let text = format!("`{element}`: only the {MOST_READ} newest resources were read");
                told.push(Issue::warning(IssueCode::Incomplete, "", text));
            }
        }
        told.extend(incomplete(&self.view.skipped(&permit)?, false));
        let person = if let Reach::Person(person) = permit.reach() { Some(*person) } else { None };
        self.disclosed(caller, &permit, "meta", person, permit.categories(), read).await?;
        let mut meta = Object::new();
        for (element, items) in found {
            meta.set(element, items.into_values().collect::<Vec<_>>());
        }
        let mut answer = vec![json!({ "name": "return", "valueMeta": meta })];
        if !told.is_empty() {
            answer.push(json!({ "name": "outcome", "resource": operation_outcome(&told) }));
        }
        Ok(json!({ "resourceType": "Parameters", "parameter": answer }))
    }

    /// Adds what resources have under an element; how many were read, and whether there are more.
    fn in_use(
        &self,
        permit: &ReadPermit,
        kind: Option<&'static str>,
        element: &'static str,
        found: &mut InUse,
    ) -> Result<(usize, bool), Failure> {
        let scope = kind.map_or(Scope::System, Scope::Type);
        let pairs = [(format!("_{element}:missing"), "false".to_owned())];
        let query =
            Query::read(SearchParameters::r4(), scope, &pairs).map_err(Failure::Malformed)?;
        let query = Query { count: Some(CHUNK), ..query };
        let (mut cursor, mut read) = (None, 0);
        loop {
            let page = self.view.search(permit, &query, cursor.as_deref(), self.now())?;
            read += page.matches.len();
            for stored in &page.matches {
                let resource = parsed(stored)?;
                for item in resource.get("meta").into_iter().flat_map(|meta| meta.items(element)) {
                    let of = found.entry(element).or_default();
                    of.entry(sameness(item)).or_insert_with(|| item.clone());
                }
            }
            match page.next {
                Some(_) if read >= MOST_READ => return Ok((read, true)),
                Some(next) => cursor = Some(next),
                None => return Ok((read, false)),
            }
        }
    }

    /// `Type/id/$meta-add` and `Type/id/$meta-delete`: the `meta` as it is then.
    pub async fn change_meta(
        &self,
        caller: &Caller,
        kind: &'static str,
        id: &str,
        given: &Parameters,
        change: Change,
    ) -> Result<Value, Failure> {
        given.only(&["meta"])?;
        let meta = given.get("meta").ok_or_else(|| missing("send `meta` with a `valueMeta`"))?;
        let named = meta.as_object().filter(|it| it.iter().all(|(name, _)| SETS.contains(&name)));
        let named = named.ok_or_else(|| {
            let text = "`meta` may have `profile`, `security` and `tag` here";
            wrong(IssueCode::NotSupported, text)
        })?;
        for _ in 1..TRIES {
            match self.changed(caller, kind, id, named, change).await {
                Err(Failure::Precondition) => {}
                done => return done,
            }
        }
        self.changed(caller, kind, id, named, change).await
    }

    async fn changed(
        &self,
        caller: &Caller,
        kind: &'static str,
        id: &str,
        named: &Object,
        change: Change,
    ) -> Result<Value, Failure> {
        let stored = self.read(caller, kind, id).await?;
        let mut resource = self.content(kind, stored.version)?;
        let mut meta = match resource.get("meta") {
            Some(Value::Object(meta)) => meta.clone(),
            _ => Object::new(),
        };
        for (name, items) in named.iter() {
            let before = meta.get(name).and_then(Value::as_array).unwrap_or_default();
            let items = items.as_array().unwrap_or_default();
            let after = match change {
                Change::Add => with(before, items),
                Change::Delete => without(before, items),
            };
            match after.is_empty() {
                true => drop(meta.remove(name)),
                false => meta.set(name, Value::Array(after)),
            }
        }
        if let Value::Object(object) = &mut resource {
            match (meta.is_empty(), object.get_mut("meta")) {
                (true, _) => drop(object.remove("meta")),
                (false, Some(place)) => *place = meta.into(),
                (false, None) => object.insert_first("meta", meta),
            }
        }
        let operation = Operation::update(kind, id.to_owned(), resource, Some(stored.version));
        let operations = vec![operation];
        let submission = Submission { channel: Channel::Fhir, atomic: true, operations };
        let receipts = self.submit(caller, submission).await?;
        let receipt = receipts.into_iter().next().ok_or(Failure::NotFound)??;
        let body = self.representation(&receipt)?.ok_or(Failure::NotFound)?;
        let broken = || Failure::Unavailable(format!("the {kind} just written cannot be read"));
        Ok(printed(&json::parse(&body).map_err(|_| broken())?))
    }
}

/// The items, and those that are not among them.
fn with(before: &[Value], items: &[Value]) -> Vec<Value> {
    let mut after = before.to_vec();
    for item in items {
        if !after.iter().any(|known| is_same(known, item)) {
            after.push(item.clone());
        }
    }
    after
}

fn without(before: &[Value], items: &[Value]) -> Vec<Value> {
    let kept = before.iter().filter(|known| !items.iter().any(|item| is_same(known, item)));
    kept.cloned().collect()
}

fn is_same(one: &Value, other: &Value) -> bool {
    sameness(one) == sameness(other)
}

/// Profiles are the same by URL, tags and labels by system and code (R4 resource-operations).
fn sameness(item: &Value) -> String {
    match item.as_str() {
        Some(url) => url.to_owned(),
        None => ["system", "code"].map(|name| item.text(name).unwrap_or_default()).join("|"),
    }
}

fn printed(resource: &Value) -> Value {
    let meta = resource.get("meta").cloned().unwrap_or_else(|| Object::new().into());
    json!({ "resourceType": "Parameters", "parameter": [{ "name": "return", "valueMeta": meta }] })
}
