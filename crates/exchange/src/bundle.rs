//! Bundles in: batch, transaction and PMD's collection, each entry as the change or the look it asks
//! for.

use fhir::definitions;
use fhir::instant;
use fhir::issue::{Issue, IssueCode};
use fhir::patch::Patch;
use fhir::resource::is_id;
use fhir::value::Value;

use crate::criteria::Criteria;
use crate::error::Failure;
use crate::look::{Look, Unless};
use crate::submission::{Action, Channel, Operation, Require, Submission};

/// Most entries in one Bundle.
pub const MAX_ENTRIES: usize = 5_000;

/// A Bundle as it was sent.
pub struct Request {
    /// Where it came in.
    pub channel: Channel,
    /// Whether all of it is to be kept or nothing: a transaction or collection.
    pub atomic: bool,
    /// In the order of the request.
    pub entries: Vec<Entry>,
}

/// One entry of a Bundle.
pub struct Entry {
    /// Its full URL.
    pub full_url: Option<String>,
    /// FHIRPath of the entry.
    pub location: String,
    /// What it asks for, or why that cannot be read.
    pub work: Result<Work, Failure>,
}

/// What an entry asks for.
pub enum Work {
    /// A change.
    Write(Box<Operation>),
    /// A look.
    Read(Box<Look>),
    /// A look without the answer's content.
    Head(Box<Look>),
}

impl Request {
    /// Reads a Bundle. Under `handling=strict` a search with an unsupported parameter is refused.
    pub fn read(bundle: Value, channel: Channel, strict: bool) -> Result<Self, Failure> {
        let kind = bundle.text("type").unwrap_or_default().to_owned();
        if !matches!(kind.as_str(), "batch" | "transaction" | "collection") {
            return Err(Failure::invalid(
                IssueCode::Value,
                "Bundle.type",
                "send a Bundle of type `batch`, `transaction` or `collection`",
            ));
        }
        let entries = match bundle {
            Value::Object(mut object) => object.remove("entry"),
            _ => None,
        };
        let Some(Value::Array(entries)) = entries else {
            return Err(Failure::invalid(
                IssueCode::Required,
                "Bundle.entry",
                "the Bundle is empty",
            ));
        };
        if entries.len() > MAX_ENTRIES {
            return Err(Failure::invalid(
                IssueCode::TooCostly,
                "Bundle.entry",
                format!("a Bundle may hold at most {MAX_ENTRIES} entries; send several"),
            ));
        }
        let read = |(i, entry): (usize, Value)| {
            let (location, full_url) = (format!("Bundle.entry[{i}]"), entry.text("fullUrl"));
            let full_url = full_url.map(str::to_owned);
            let mut parts = Parts::of(entry, kind == "collection", strict);
            let work = parts.work(&location, &full_url).map_err(|it| placed(it, &location));
            Entry { full_url, location, work }
        };
        let entries = entries.into_iter().enumerate().map(read).collect();
        Ok(Self { channel, atomic: kind != "batch", entries })
    }

    /// Names the changes after the event that asks for them all; `content` is the whole event.
    pub fn name_after(&mut self, event_id: &str, content: &[u8]) {
        let digest = ledger::crypto::sha256(&[content]);
        for (i, entry) in self.entries.iter_mut().enumerate() {
            if let Ok(Work::Write(operation)) = &mut entry.work {
                operation.event_id = Some(format!("{event_id}#{i}"));
                operation.event_digest = Some(digest);
            }
        }
    }

    /// The full URLs of the entries, in order.
    pub fn full_urls(&self) -> Vec<Option<String>> {
        self.entries.iter().map(|entry| entry.full_url.clone()).collect()
    }
}

/// The changes of a Bundle that holds nothing else. An entry that cannot be read refuses the whole
/// Bundle.
pub fn operations(bundle: Value, channel: Channel) -> Result<Submission, Failure> {
    let request = Request::read(bundle, channel, false)?;
    let change = |entry: Entry| match entry.work? {
        Work::Write(operation) => Ok(*operation),
        Work::Read(_) | Work::Head(_) => Err(Failure::invalid(
            IssueCode::NotSupported,
            &format!("{}.request.method", entry.location),
            "the method must be `POST`, `PUT`, `PATCH` or `DELETE`",
        )),
    };
    let operations = request.entries.into_iter().map(change).collect::<Result<_, _>>()?;
    Ok(Submission { channel, atomic: request.atomic, operations })
}

/// The parts of an entry.
struct Parts {
    method: String,
    url: String,
    if_match: Option<String>,
    if_none_match: Option<String>,
    if_none_exist: Option<String>,
    if_modified_since: Option<String>,
    resource: Option<Value>,
    strict: bool,
}

impl Parts {
    fn of(entry: Value, collection: bool, strict: bool) -> Self {
        let request = |name: &str| {
            entry.get("request").and_then(|request| request.text(name)).map(str::to_owned)
        };
        let default = if collection { "POST" } else { "" };
        Self {
            method: request("method").unwrap_or_else(|| default.to_owned()),
            url: request("url").unwrap_or_default(),
            if_match: request("ifMatch"),
            if_none_match: request("ifNoneMatch"),
            if_none_exist: request("ifNoneExist"),
            if_modified_since: request("ifModifiedSince"),
            resource: match entry {
                Value::Object(mut object) => object.remove("resource"),
                _ => None,
            },
            strict,
        }
    }

    fn work(&mut self, at: &str, full_url: &Option<String>) -> Result<Work, Failure> {
        let mut operation = match self.method.as_str() {
            "GET" => return self.look().map(|look| Work::Read(Box::new(look))),
            "HEAD" => return self.look().map(|look| Work::Head(Box::new(look))),
            "POST" => self.create()?,
            "PUT" => self.update()?,
            "PATCH" => self.patch()?,
            "DELETE" => self.delete()?,
            _ => {
                return Err(Failure::invalid(
                    IssueCode::NotSupported,
                    "request.method",
                    "the method must be `GET`, `HEAD`, `POST`, `PUT`, `PATCH` or `DELETE`",
                ));
            }
        };
        operation.require = require(self.if_match.as_deref(), self.if_none_match.as_deref())?;
        operation.full_url = full_url.clone();
        operation.location = format!("{at}.resource");
        Ok(Work::Write(Box::new(operation)))
    }

    fn look(&self) -> Result<Look, Failure> {
        let since = self.if_modified_since.as_deref().and_then(instant::range);
        let modified_since = since.map(|(low, _)| low);
        let unless = Unless { none_match: self.if_none_match.clone(), modified_since };
        Look::at(&self.url, unless, self.strict)
    }

    fn create(&mut self) -> Result<Operation, Failure> {
        let resource = self.taken()?;
        let (kind, _) = target(&self.url, Some(&resource))?;
        let mut operation = Operation::create(kind, resource);
        operation.criteria = self.if_none_exist.as_deref().map(|it| Criteria::read(kind, it));
        Ok(operation)
    }

    fn update(&mut self) -> Result<Operation, Failure> {
        let resource = self.taken()?;
        let (kind, found) = target(&self.url, Some(&resource))?;
        let own = resource.text("id").map(str::to_owned);
        let mut operation = Operation::new(Action::Update, kind, None);
        match found {
            Place::Criteria(criteria) => operation.criteria = Some(criteria),
            // Published PMD requests carry no id in the address.
            Place::Id(id) if own.as_ref().is_some_and(|own| *own != id) => {
                let message = "the resource must have the id of the URL";
                return Err(Failure::malformed(IssueCode::Value, "resource.id", message));
            }
            Place::Id(id) => operation.id = Some(id),
            Place::Kind => operation.id = Some(own.ok_or_else(no_id)?),
        }
        operation.resource = Some(resource);
        Ok(operation)
    }

    fn patch(&mut self) -> Result<Operation, Failure> {
        let document = self.taken()?;
        let patch = Patch::in_bundle(&document).map_err(|it| Failure::Malformed(vec![it]))?;
        let (kind, found) = target(&self.url, None)?;
        by_place(Operation::new(Action::Patch(patch), kind, None), found)
    }

    fn delete(&mut self) -> Result<Operation, Failure> {
        let (kind, found) = target(&self.url, None)?;
        by_place(Operation::new(Action::Delete, kind, None), found)
    }

    fn taken(&mut self) -> Result<Value, Failure> {
        self.resource.take().ok_or_else(|| {
            Failure::invalid(IssueCode::Required, "resource", "the entry has no resource")
        })
    }
}

fn by_place(mut operation: Operation, place: Place) -> Result<Operation, Failure> {
    match place {
        Place::Criteria(criteria) => operation.criteria = Some(criteria),
        Place::Id(id) => operation.id = Some(id),
        Place::Kind => return Err(no_id()),
    }
    Ok(operation)
}

fn no_id() -> Failure {
    let message = "the URL must be `Type/id`, or `Type?…` with a condition";
    Failure::invalid(IssueCode::Value, "request.url", message)
}

/// What the URL of an entry names.
enum Place {
    Kind,
    Id(String),
    Criteria(Criteria),
}

/// Type and place of an entry: its resource's type, and what the URL says.
fn target(url: &str, resource: Option<&Value>) -> Result<(&'static str, Place), Failure> {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let mut parts = path.trim_matches('/').split('/');
    let named = parts.next().unwrap_or_default();
    let id = parts.next().filter(|id| is_id(id));
    let held = resource.and_then(|resource| resource.text("resourceType"));
    let Some(kind) = definitions::resource_kind(held.unwrap_or(named)) else {
        return Err(Failure::invalid(
            IssueCode::Structure,
            "resource.resourceType",
            "`resourceType` is missing or not a resource type of FHIR R4",
        ));
    };
    // Published PMD requests carry URLs that are no FHIR URLs, so only a contradiction is wrong.
    if let Some(other) = definitions::resource_kind(named)
        && other != kind
    {
        return Err(Failure::invalid(
            IssueCode::Value,
            "request.url",
            "the URL names another type than the resource has",
        ));
    }
    Ok((
        kind,
        match id {
            Some(id) => Place::Id(id.to_owned()),
            None if !query.is_empty() => Place::Criteria(Criteria::read(kind, query)),
            None => Place::Kind,
        },
    ))
}

/// What `If-Match` and `If-None-Match` of a change ask for.
pub fn require(if_match: Option<&str>, if_none_match: Option<&str>) -> Result<Require, Failure> {
    match (if_match.map(str::trim), if_none_match.map(str::trim)) {
        (None, None) => Ok(Require::Nothing),
        (Some("*"), None) => Ok(Require::Existing),
        (Some(tag), None) => version(tag).map(Require::Version).ok_or(Failure::Precondition),
        (None, Some("*")) => Ok(Require::Absent),
        (_, Some(_)) => Err(Failure::malformed(
            IssueCode::NotSupported,
            "",
            "a change may carry `If-Match`, or `If-None-Match: *` for a new resource",
        )),
    }
}

/// The version in `W/"12"`.
pub fn version(etag: &str) -> Option<u64> {
    etag.trim().trim_start_matches("W/").trim_matches('"').parse().ok()
}

/// A failure with the place of its entry or resource in the request.
pub fn placed(failure: Failure, location: &str) -> Failure {
    if location.is_empty() {
        return failure;
    }
    let place = |issues: Vec<Issue>| {
        let place = |issue: Issue| Issue { location: place(location, &issue.location), ..issue };
        issues.into_iter().map(place).collect()
    };
    match failure {
        Failure::Malformed(issues) => Failure::Malformed(place(issues)),
        Failure::Invalid(issues) => Failure::Invalid(place(issues)),
        Failure::Conflict(issue) => {
            Failure::Conflict(Issue { location: location.to_owned(), ..issue })
        }
        Failure::Busy
        | Failure::NoRoom
        | Failure::Stopped
        | Failure::Unavailable(_)
        | Failure::Within { .. } => failure,
        other => Failure::Within { location: location.to_owned(), failure: Box::new(other) },
    }
}

/// `Observation.code` in the resource of entry 3 is `Bundle.entry[3].resource.code`, and
/// `request.url` of that entry `Bundle.entry[3].request.url`.
fn place(at: &str, within: &str) -> String {
    let entry = at.strip_suffix(".resource").unwrap_or(at);
    match within.split_once(['.', '[']) {
        Some(("request" | "resource", _)) => format!("{entry}.{within}"),
        _ if matches!(within, "resource" | "request") => format!("{entry}.{within}"),
        _ if within.starts_with("patch") => format!("{at}.{within}"),
        _ => {
            let rest = within.find('.').and_then(|dot| within.get(dot..));
            format!("{at}{}", rest.unwrap_or_default())
        }
    }
}
