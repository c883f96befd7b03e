//! Histories: of one resource, of a type, of everything (R4 http, history), newest first.
//!
//! Times are turned into positions of the ledger, whose order is that of time, and everything else is
//! asked by position. A link seals where its page begins and what was newest on the first page, so that
//! what is recorded meanwhile moves nothing. Every person whose versions are shown gets an entry in the
//! audit ledger.

use std::collections::BTreeMap;

use access::caller::Caller;
use access::decide::About;
use access::permit::ReadPermit;
use access::scopes::Interaction;
use fhir::instant::{self, format_instant};
use fhir::issue::IssueCode;
use fhir::json;
use fhir::value::Value;
use record::catalogue::CategoryKey;
use record::entry::Position;
use record::identity::PersonId;
use view::history::{Change, Changes, Span};

use crate::audit::{AuditRecord, Deed};
use crate::error::Failure;
use crate::read::{Version, all_keys, keys_of};
use crate::searchset::Pairs;
use crate::tenant::Tenant;

/// Versions on a page where the request does not say.
const DEFAULT_COUNT: usize = 100;

/// Most versions on a page.
const MAX_COUNT: usize = 1_000;

/// Parameter of a paging link: where its page begins, sealed.
const CURSOR: &str = "_cursor";

/// A history as it was asked for.
#[derive(Debug)]
pub struct History {
    kind: Option<&'static str>,
    id: Option<String>,
    count: usize,
    /// `_since`, milliseconds since 1970.
    since: Option<i64>,
    /// `_at`: from the first millisecond to before the last one.
    at: Option<(i64, i64)>,
    cursor: Option<String>,
    /// What links repeat.
    pairs: Pairs,
}

/// A page of a history.
pub struct Past {
    /// The newest first.
    pub versions: Vec<(Change, Version)>,
    /// How many versions there are in all, where that is known.
    pub total: Option<usize>,
    /// Where to go on, sealed.
    pub next: Option<String>,
}

/// What a page is taken from.
struct Stretch {
    /// Before this position: what was newest on the first page.
    until: Position,
    span: Span,
}

impl History {
    /// Of one resource, of a type, or of everything.
    pub fn read(
        kind: Option<&'static str>,
        id: Option<String>,
        pairs: &Pairs,
        strict: bool,
    ) -> Result<Self, Failure> {
        let (count, pairs_kept) = (DEFAULT_COUNT, Pairs::new());
        let mut history =
            Self { kind, id, count, since: None, at: None, cursor: None, pairs: pairs_kept };
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
                "_at" => match instant::range(value) {
                    Some(period) => history.at = Some(period),
                    None => return wrong(name, "send a date or an instant, as `2026-01-05`"),
                },
                CURSOR => history.cursor = Some(value.clone()),
                "_format" | "_pretty" => {}
                "_sort" if value == "-_lastUpdated" => {}
                "_sort" => return wrong(name, "a history has the newest first, `-_lastUpdated`"),
                "_list" => return wrong(name, "not supported for histories"),
                _ if strict => return wrong(name, "no parameter of a history"),
                _ => {}
            }
            if matches!(name.as_str(), "_count" | "_since" | "_at") {
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
        if let Some(next) = &past.next {
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

    /// What a link belongs to: the same for every page.
    fn name(&self) -> String {
        self.address("history", None)
    }

    fn address(&self, base: &str, next: Option<&str>) -> String {
        let mut address = base.to_owned();
        for part in self.kind.iter().copied().chain(self.id.as_deref()) {
            address.push('/');
            address.push_str(part);
        }
        address.push_str("/_history?");
        let start = address.len();
        let mut query = form_urlencoded::Serializer::for_suffix(address, start);
        query.extend_pairs(&self.pairs);
        if let Some(next) = next {
            query.append_pair(CURSOR, next);
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
    // That it is gone for good is told, so that whoever has a copy lets go of it.
    let outcome = version.erased.then(|| {
        json!({
            "resourceType": "OperationOutcome",
            "issue": [{
                "severity": "information",
                "code": "deleted",
                "diagnostics": Failure::Erased.to_string(),
            }],
        })
    });
    let rest = json!({
        "request": { "method": method, "url": place },
        "response": {
            "status": status,
            "etag": format!("W/\"{}\"", version.version),
            "lastModified": format_instant(version.updated),
            "outcome": outcome,
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
        let stretch = self.stretch(history)?;
        let total = Span { before: stretch.until, ..stretch.span }.of(&all).len();
        let mut rest = stretch.span.of(&all).into_iter();
        let change = |version: Position| Change {
            version,
            kind,
            id: id.to_owned(),
            person,
            first: version == first,
        };
        let changes: Vec<Change> = rest.by_ref().take(history.count).map(change).collect();
        let next = changes.last().map(|change| change.version).filter(|_| rest.next().is_some());
        let past = self.past(&permit, history, &stretch, Changes { changes, next })?;
        self.disclosed_of(caller, &permit, "history", kind, id, past.versions.len()).await?;
        // Versions that the token's scopes leave out are not counted either.
        let total = Some(total).filter(|_| permit.granted().is_none());
        Ok(Past { total, ..past })
    }

    async fn history_of_all(
        &self,
        caller: &Caller,
        kind: Option<&'static str>,
        history: &History,
    ) -> Result<Past, Failure> {
        let keys = match kind {
            Some(kind) => keys_of(kind),
            None => all_keys(),
        };
        self.within_scopes(
            caller,
            ("history", About::Unnamed),
            kind.as_slice(),
            Interaction::Search,
        )
        .await?;
        let permit = self.decide(caller, "history", About::Unnamed, &keys).await?;
        let stretch = self.stretch(history)?;
        let changes = self.view.changes(&permit, kind, &stretch.span, history.count)?;
        let past = self.past(&permit, history, &stretch, changes)?;
        let mut shown: BTreeMap<Option<PersonId>, usize> = BTreeMap::new();
        for (change, _) in &past.versions {
            *shown.entry(change.person).or_default() += 1;
        }
        if shown.is_empty() {
            shown.insert(None, 0);
        }
        let categories: &[CategoryKey] = permit.categories();
        let records = shown.into_iter().map(|(person, resources)| {
            let deed = Deed {
                action: "history",
                person,
                categories,
                resources,
                kind: kind.unwrap_or_default(),
                ..Deed::default()
            };
            (person, AuditRecord::permitted(caller, &deed, permit.basis()))
        });
        self.record_audit(caller, records.collect()).await?;
        Ok(past)
    }

    /// What a page is taken from.
    fn stretch(&self, history: &History) -> Result<Stretch, Failure> {
        let (until, before) = match &history.cursor {
            Some(sealed) => {
                let place = self.view.open_place(&history.name(), sealed)?;
                let parsed = place.split_once(' ');
                let parsed = parsed.and_then(|it| Some((it.0.parse().ok()?, it.1.parse().ok()?)));
                parsed.ok_or_else(|| Failure::Unavailable("a link cannot be read".to_owned()))?
            }
            None => {
                let visible = self.visible();
                let until = match history.at {
                    Some((_, end)) => self.recorded_before(end, visible)?,
                    None => visible,
                };
                (until + 1, until + 1)
            }
        };
        let from = match history.since {
            Some(since) => self.recorded_before(since, until)? + 1,
            None => 1,
        };
        let lasting = match history.at {
            Some((start, _)) => self.recorded_before(start.saturating_add(1), until)?,
            None => 0,
        };
        Ok(Stretch { until, span: Span { from, before, lasting } })
    }

    /// The last position, up to `newest`, of what was recorded before a time, milliseconds since 1970;
    /// 0 where there is none.
    fn recorded_before(&self, time: i64, newest: Position) -> Result<Position, Failure> {
        // Positions have no gaps, and `recorded_at` never goes backwards.
        let (mut before, mut after) = (0, newest + 1);
        while before + 1 < after {
            let middle = before + (after - before) / 2;
            match self.ledger.record(middle)? {
                Some(record) if record.entry.recorded_at < time => before = middle,
                _ => after = middle,
            }
        }
        Ok(before)
    }

    /// The contents of versions.
    fn past(
        &self,
        permit: &ReadPermit,
        history: &History,
        stretch: &Stretch,
        changes: Changes,
    ) -> Result<Past, Failure> {
        let mut versions = Vec::with_capacity(changes.changes.len());
        for change in changes.changes {
            match self.version(change.kind, change.version) {
                // Content that was erased since has no place in a history.
                Err(Failure::Gone) => {}
                version => {
                    let version = version?;
                    if self.is_within(permit, &version)? {
                        versions.push((change, version));
                    }
                }
            }
        }
        let next = changes.next.map(|before| {
            self.view.seal_place(&history.name(), &format!("{} {before}", stretch.until))
        });
        Ok(Past { versions, total: None, next: next.transpose()? })
    }
}
