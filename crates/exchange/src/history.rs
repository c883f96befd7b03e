//! Histories: of one resource, of a type, of everything (R4 http, history), newest first.
//!
//! A page follows the version the page before ended with, so that what is recorded meanwhile moves
//! nothing. Every person whose versions are shown gets an entry in the audit ledger.

use std::collections::BTreeMap;

use access::caller::Caller;
use access::decide::About;
use fhir::instant::{self, format_instant};
use fhir::issue::IssueCode;
use fhir::json;
use fhir::value::Value;
use record::catalogue::{Catalogue, CategoryKey};
use record::entry::Position;
use record::identity::PersonId;
use view::history::{Change, Changes};

use crate::audit::{AuditRecord, Deed};
use crate::error::Failure;
use crate::read::{Version, keys_of};
use crate::searchset::Pairs;
use crate::tenant::Tenant;

/// Versions on a page where the request does not say.
const DEFAULT_COUNT: usize = 100;

/// Most versions on a page.
const MAX_COUNT: usize = 1_000;

/// Parameter of a paging link: the version that the page before ended with.
const CURSOR: &str = "_cursor";

/// A history as it was asked for.
#[derive(Debug)]
pub struct History {
    kind: Option<&'static str>,
    id: Option<String>,
    count: usize,
    /// Milliseconds since 1970.
    since: Option<i64>,
    before: Position,
    /// What links repeat.
    pairs: Pairs,
}

/// A page of a history.
pub struct Past {
    /// The newest first.
    pub versions: Vec<(Change, Version)>,
    /// How many versions there are in all, where that is known.
    pub total: Option<usize>,
    /// Where to go on: before this version.
    pub next: Option<Position>,
}

impl History {
    /// Of one resource, of a type, or of everything.
    pub fn read(
        kind: Option<&'static str>,
        id: Option<String>,
        pairs: &Pairs,
        strict: bool,
    ) -> Result<Self, Failure> {
        let (count, before) = (DEFAULT_COUNT, Position::MAX);
        let mut history = Self { kind, id, count, since: None, before, pairs: Pairs::new() };
        let wrong = |name: &str, text: &str| {
            Err(Failure::malformed(IssueCode::Value, "", format!("parameter `{name}`: {text}")))
        };
        for (name, value) in pairs {
            match name.as_str() {
                "_count" => match value.parse() {
                    Ok(count) => history.count = usize::clamp(count, 1, MAX_COUNT),
                    Err(_) => return wrong(name, "send a whole number"),
                },
                "_since" => match instant::range(value) {
                    Some((low, _)) => history.since = Some(low),
                    None => return wrong(name, "send an instant, as `2026-01-05T10:00:00+01:00`"),
                },
                CURSOR => match value.parse() {
                    Ok(version) => history.before = version,
                    Err(_) => return wrong(name, "follow the link `next` as it was given"),
                },
                "_format" | "_pretty" => {}
                "_at" | "_list" | "_sort" => return wrong(name, "not supported for histories"),
                _ if strict => return wrong(name, "no parameter of a history"),
                _ => {}
            }
            if matches!(name.as_str(), "_count" | "_since") {
                history.pairs.push((name.clone(), value.clone()));
            }
        }
        Ok(history)
    }

    /// The Bundle. `base` is the address of the door.
    pub fn bundle(&self, past: &Past, base: &str) -> Vec<u8> {
        let mut out = b"{\"resourceType\":\"Bundle\",\"type\":\"history\"".to_vec();
        if let Some(total) = past.total {
            out.extend_from_slice(format!(",\"total\":{total}").as_bytes());
        }
        let mut links = vec![json!({ "relation": "self", "url": self.address(base, None) })];
        if let Some(next) = past.next {
            links.push(json!({ "relation": "next", "url": self.address(base, Some(next)) }));
        }
        out.extend_from_slice(b",\"link\":");
        json::print_to(&Value::Array(links), &mut out);
        for (i, (change, version)) in past.versions.iter().enumerate() {
            out.extend_from_slice(if i == 0 { b",\"entry\":[" } else { b"," });
            entry(change, version, base, &mut out);
        }
        out.extend_from_slice(if past.versions.is_empty() { b"}" } else { b"]}" });
        out
    }

    fn address(&self, base: &str, next: Option<Position>) -> String {
        let mut address = base.to_owned();
        for part in self.kind.iter().copied().chain(self.id.as_deref()) {
            address.push('/');
            address.push_str(part);
        }
        let mut query = form_urlencoded::Serializer::new(format!("{address}/_history?"));
        query.extend_pairs(&self.pairs);
        if let Some(next) = next {
            query.append_pair(CURSOR, &next.to_string());
        }
        query.finish().trim_end_matches('?').to_owned()
    }
}

/// One entry. What made a version is told as a PUT, whichever interaction it was: that says it
/// whole.
fn entry(change: &Change, version: &Version, base: &str, out: &mut Vec<u8>) {
    let place = format!("{}/{}", change.kind, change.id);
    out.extend_from_slice(format!("{{\"fullUrl\":\"{base}/{place}\"").as_bytes());
    if let Some(body) = &version.body {
        out.extend_from_slice(b",\"resource\":");
        out.extend_from_slice(body);
    }
    let (method, status) = match (&version.body, change.first) {
        (None, _) => ("DELETE", "204"),
        (Some(_), true) => ("PUT", "201"),
        (Some(_), false) => ("PUT", "200"),
    };
    let rest = json!({
        "request": { "method": method, "url": place },
        "response": {
            "status": status,
            "etag": format!("W/\"{}\"", version.version),
            "lastModified": format_instant(version.updated),
        },
    });
    // The members of `rest`, without its opening brace.
    out.push(b',');
    out.extend_from_slice(json::print(&rest).as_bytes().get(1..).unwrap_or_default());
}

impl Tenant {
    /// A page of a history.
    pub async fn history(&self, caller: &Caller, history: &History) -> Result<Past, Failure> {
        match (history.kind, &history.id) {
            (Some(kind), Some(id)) => self.history_of(caller, kind, id, history).await,
            (kind, _) => self.history_of_all(caller, kind, history).await,
        }
    }

    async fn history_of(
        &self,
        caller: &Caller,
        kind: &'static str,
        id: &str,
        history: &History,
    ) -> Result<Past, Failure> {
        let permit = self.permit_for(caller, "history", kind, id).await?;
        let all = self.view.versions(&permit, kind, id)?;
        let first = *all.last().ok_or(Failure::NotFound)?;
        let person = self.view.locate(kind, id)?.and_then(|located| located.person);
        let mut rest = all.iter().filter(|version| **version < history.before);
        let change = |version: &Position| Change {
            version: *version,
            kind,
            id: id.to_owned(),
            person,
            first: *version == first,
        };
        let changes: Vec<Change> = rest.by_ref().take(history.count).map(change).collect();
        let next = changes.last().map(|change| change.version).filter(|_| rest.next().is_some());
        let past = self.past(Changes { changes, next }, history.since)?;
        self.disclosed_of(caller, &permit, "history", kind, id, past.versions.len()).await?;
        Ok(Past { total: history.since.is_none().then_some(all.len()), ..past })
    }

    async fn history_of_all(
        &self,
        caller: &Caller,
        kind: Option<&'static str>,
        history: &History,
    ) -> Result<Past, Failure> {
        let keys = match kind {
            Some(kind) => keys_of(kind),
            None => Catalogue::get().categories.iter().map(|it| it.key.as_str()).collect(),
        };
        let permit = self.decide(caller, "history", About::Unnamed, &keys).await?;
        let changes = self.view.changes(&permit, kind, history.before, history.count)?;
        let past = self.past(changes, history.since)?;
        let mut shown: BTreeMap<Option<PersonId>, usize> = BTreeMap::new();
        for (change, _) in &past.versions {
            *shown.entry(change.person).or_default() += 1;
        }
        if shown.is_empty() {
            shown.insert(None, 0);
        }
        let categories: &[CategoryKey] = permit.categories();
        let records = shown.into_iter().map(|(person, resources)| {
            let deed = Deed { action: "history", person, categories, resources };
            (person, AuditRecord::permitted(caller, &deed, permit.basis()))
        });
        self.record_audit(caller, records.collect()).await?;
        Ok(past)
    }

    /// The contents of versions, up to the first that is older than `since`.
    fn past(&self, changes: Changes, since: Option<i64>) -> Result<Past, Failure> {
        let Changes { changes, next } = changes;
        let mut versions = Vec::with_capacity(changes.len());
        for change in changes {
            let version = match self.version(change.kind, change.version) {
                // Content that was erased since has no place in a history.
                Err(Failure::Gone) => continue,
                version => version?,
            };
            if since.is_some_and(|since| version.updated < since) {
                return Ok(Past { versions, total: None, next: None });
            }
            versions.push((change, version));
        }
        Ok(Past { versions, total: None, next })
    }
}
