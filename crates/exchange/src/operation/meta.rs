//! `$meta`, `$meta-add` and `$meta-delete` of one resource: profiles, tags and security labels.
//!
//! A change is a new version through the ordinary write flow, by the owner alone.

use access::caller::Caller;
use fhir::issue::IssueCode;
use fhir::json;
use fhir::value::{Object, Value};

use super::parameters::{Parameters, missing, wrong};
use crate::error::Failure;
use crate::read::parsed;
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

/// Profiles are the same by URL, tags and labels by system and code (R4 resource-operations).
fn is_same(one: &Value, other: &Value) -> bool {
    match (one.as_str(), other.as_str()) {
        (None, None) => ["system", "code"].iter().all(|name| one.text(name) == other.text(name)),
        (one, other) => one == other,
    }
}

fn printed(resource: &Value) -> Value {
    let meta = resource.get("meta").cloned().unwrap_or_else(|| Object::new().into());
    json!({ "resourceType": "Parameters", "parameter": [{ "name": "return", "valueMeta": meta }] })
}
