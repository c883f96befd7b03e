//! FHIR R4 REST for one municipality.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{ETAG, IF_MATCH, LAST_MODIFIED, LOCATION};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use exchange::bundle::{self, version};
use exchange::error::Failure;
use exchange::print;
use exchange::read::known_kind;
use exchange::searchset::{self, Pairs};
use exchange::submission::{Channel, Done, Operation, Receipt, Submission};
use fhir::instant::format_instant;
use fhir::issue::{Issue, IssueCode};
use fhir::json;
use fhir::value::Value;

use crate::app::App;
use crate::capability;
use crate::input::{self, header};
use crate::problem::{Problem, fhir_body, respond};

/// Header with the source's own id of an event, as NHN's APIs name it.
const EVENT_ID: &str = "nhn-event-id";

/// Versions in one history answer.
const HISTORY: usize = 100;

type Shared = State<Arc<App>>;
type Answer = Result<Response, Problem>;

/// `GET metadata`: what this server can do. Open, as FHIR asks.
pub async fn metadata(State(app): Shared, Path(kommune): Path<String>) -> Answer {
    let hosted = app.hosted(&kommune)?;
    let base = format!("{}/{kommune}/fhir", app.public_url);
    Ok(respond(StatusCode::OK, &capability::statement(&base, hosted.tenant.register())))
}

/// `POST [base]`: batch, transaction or collection.
pub async fn bundle(
    State(app): Shared,
    Path(kommune): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    submit_bundle(&app, &kommune, &headers, body, Channel::Fhir).await
}

/// Takes a Bundle through a door.
pub async fn submit_bundle(
    app: &App,
    kommune: &str,
    headers: &HeaderMap,
    body: Body,
    channel: Channel,
) -> Answer {
    let (tenant, caller) = app.enter(kommune, headers)?;
    let value = input::json(headers, body).await?;
    if value.text("resourceType") != Some("Bundle") {
        return Err(wrong("resourceType", "send a Bundle, or a resource to its own type"));
    }
    let kind = match value.text("type") {
        Some("transaction") => "transaction-response",
        _ => "batch-response",
    };
    let event = header(headers, EVENT_ID).map(|id| (id, json::print(&value)));
    let mut submission = bundle::operations(value, channel)?;
    if let Some((id, content)) = event {
        submission.name_after(id, content.as_bytes());
    }
    let full_urls = submission.full_urls();
    let results = tenant.submit(&caller, submission).await?;
    Ok(respond(StatusCode::OK, &bundle::response(kind, &full_urls, &results, channel)))
}

/// `POST [base]/Type`.
pub async fn create(
    State(app): Shared,
    Path((kommune, kind)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    let kind = known_kind(&kind)?;
    let resource = input::json(&headers, body).await?;
    of_type(kind, &resource)?;
    let mut operation = Operation::create(kind, resource);
    operation.event_id = header(&headers, EVENT_ID).map(str::to_owned);
    let receipt = single(&tenant, &caller, operation).await?;
    receipt_response(&app, &kommune, &receipt)
}

/// `PUT [base]/Type/id`.
pub async fn update(
    State(app): Shared,
    Path((kommune, kind, id)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    let kind = known_kind(&kind)?;
    let resource = input::json(&headers, body).await?;
    of_type(kind, &resource)?;
    if resource.text("id") != Some(id.as_str()) {
        return Err(wrong(&format!("{kind}.id"), "the resource must have the id of the address"));
    }
    let if_match = match headers.get(IF_MATCH) {
        Some(etag) => Some(etag.to_str().ok().and_then(version).ok_or(Failure::Precondition)?),
        None => None,
    };
    let mut operation = Operation::update(kind, id, resource, if_match);
    operation.event_id = header(&headers, EVENT_ID).map(str::to_owned);
    let receipt = single(&tenant, &caller, operation).await?;
    receipt_response(&app, &kommune, &receipt)
}

/// `DELETE [base]/Type/id`.
pub async fn delete(
    State(app): Shared,
    Path((kommune, kind, id)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    let operation = Operation::delete(known_kind(&kind)?, id);
    match single(&tenant, &caller, operation).await {
        // Removing what is removed already is no fault (R4 http, delete).
        Ok(_) | Err(Problem::Failure(Failure::Gone)) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(problem) => Err(problem),
    }
}

/// `GET [base]/Type/id`.
pub async fn read(
    State(app): Shared,
    Path((kommune, kind, id)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    let stored = tenant.read(&caller, known_kind(&kind)?, &id).await?;
    Ok(versioned(stored.version, stored.updated, fhir_body(StatusCode::OK, stored.body)))
}

/// `GET [base]/Type/id/_history/version`.
pub async fn vread(
    State(app): Shared,
    Path((kommune, kind, id, version)): Path<(String, String, String, String)>,
    headers: HeaderMap,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    let version = version.parse().map_err(|_| Failure::NotFound)?;
    let found = tenant.vread(&caller, known_kind(&kind)?, &id, version).await?;
    let body = found.body.ok_or(Failure::Gone)?;
    Ok(versioned(found.version, found.updated, fhir_body(StatusCode::OK, body)))
}

/// `GET [base]/Type/id/_history`.
pub async fn history(
    State(app): Shared,
    Path((kommune, kind, id)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    let kind = known_kind(&kind)?;
    let (versions, total) = tenant.history(&caller, kind, &id, HISTORY).await?;
    let base = format!("{}/{kommune}/fhir", app.public_url);
    let body = searchset::history(&base, kind, &id, &versions, total);
    Ok(fhir_body(StatusCode::OK, body))
}

/// `GET [base]/Type?…`.
pub async fn search(
    State(app): Shared,
    Path((kommune, kind)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Answer {
    let pairs = input::pairs(query.unwrap_or_default().as_bytes());
    search_pairs(&app, &kommune, "fhir", &kind, pairs, &headers).await
}

/// `POST [base]/Type/_search`: parameters in the form and in the address count alike.
pub async fn search_form(
    State(app): Shared,
    Path((kommune, kind)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let mut pairs = input::pairs(query.unwrap_or_default().as_bytes());
    pairs.extend(input::pairs(&input::bytes(&headers, body).await?));
    search_pairs(&app, &kommune, "fhir", &kind, pairs, &headers).await
}

/// A search on one type through a door.
pub async fn search_pairs(
    app: &App,
    kommune: &str,
    door: &str,
    kind: &str,
    pairs: Pairs,
    headers: &HeaderMap,
) -> Answer {
    let (tenant, caller) = app.enter(kommune, headers)?;
    let strict = header(headers, "prefer").is_some_and(|it| it.contains("handling=strict"));
    let search = searchset::Search::read(known_kind(kind)?, pairs, strict)?;
    let base = format!("{}/{kommune}/{door}", app.public_url);
    let body = search.run(&tenant, &caller, &base).await?;
    Ok(fhir_body(StatusCode::OK, body))
}

/// `Patient/id/$kommunale-tjenester`.
pub async fn overview(
    State(app): Shared,
    Path((kommune, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    let person = tenant.person_of_patient(&id)?;
    let overview = tenant.overview(&caller, person).await?;
    Ok(respond(StatusCode::OK, &print::overview(&overview)))
}

/// `Patient/id/$news2`.
pub async fn news2(
    State(app): Shared,
    Path((kommune, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    let person = tenant.person_of_patient(&id)?;
    let news2 = tenant.news2(&caller, person).await?;
    Ok(respond(StatusCode::OK, &print::news2(&news2)))
}

async fn single(
    tenant: &exchange::tenant::Tenant,
    caller: &access::caller::Caller,
    operation: Operation,
) -> Result<Receipt, Problem> {
    let submission =
        Submission { channel: Channel::Fhir, atomic: true, operations: vec![operation] };
    let mut results = tenant.submit(caller, submission).await?;
    Ok(results.pop().unwrap_or(Err(Failure::Busy))?)
}

fn of_type(kind: &str, resource: &Value) -> Result<(), Problem> {
    if resource.text("resourceType") == Some(kind) {
        return Ok(());
    }
    Err(wrong("resourceType", &format!("the address says `{kind}`; send a resource of that type")))
}

fn wrong(location: &str, message: &str) -> Problem {
    let issue = Issue::error(IssueCode::Structure, location, message);
    Problem::Failure(Failure::Malformed(vec![issue]))
}

/// 201 or 200 with Location and ETag; 202 where readers do not see it yet.
fn receipt_response(app: &App, kommune: &str, receipt: &Receipt) -> Answer {
    let Receipt { kind, id, version, updated, .. } = receipt;
    let status = match (receipt.visible, receipt.result) {
        (false, _) => StatusCode::ACCEPTED,
        (true, Done::Created) => StatusCode::CREATED,
        (true, _) => StatusCode::OK,
    };
    let location = format!("{}/{kommune}/fhir/{kind}/{id}/_history/{version}", app.public_url);
    let body = json!({
        "resourceType": *kind,
        "id": id.as_str(),
        "meta": {
            "versionId": version.to_string(),
            "lastUpdated": format_instant(*updated),
        },
    });
    let mut response = versioned(*version, *updated, respond(status, &body));
    put(&mut response, LOCATION, &location);
    Ok(response)
}

fn versioned(version: u64, updated: i64, mut response: Response) -> Response {
    put(&mut response, ETAG, &format!("W/\"{version}\""));
    put(&mut response, LAST_MODIFIED, &http_date(updated));
    response
}

fn put(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// A date as HTTP writes it (RFC 9110 §5.6.7).
pub fn http_date(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms)
        .map(|time| time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
        .unwrap_or_default()
}
