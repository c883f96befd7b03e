//! Changes of one resource: create, update, patch and delete, by id or by condition.

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use exchange::bundle::require;
use exchange::carry_out::Return;
use exchange::criteria::Criteria;
use exchange::error::Failure;
use exchange::read::known_kind;
use exchange::submission::{Action, Channel, Done, Operation, Receipt, Submission};
use fhir::issue::{IssueCode, operation_outcome};
use fhir::patch::Patch;
use fhir::value::Value;

use super::prefer::Prefer;
use super::{Answer, EVENT_ID, Entered, Shared, base, put, versioned, wrong};
use crate::app::App;
use crate::input::{self, header};
use crate::problem::{Problem, fhir_body, respond};

/// `POST [base]/Type`, perhaps only if nothing matches `If-None-Exist`.
pub async fn create(
    State(app): Shared,
    Path((kommune, kind)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let entered = app.enter(&kommune, &headers)?;
    let kind = known_kind(&kind)?;
    let resource = input::json(&headers, body).await?;
    of_type(kind, &resource)?;
    let mut operation = Operation::create(kind, resource);
    let condition = header(&headers, "if-none-exist");
    operation.criteria = condition.map(|query| Criteria::read(kind, query));
    carry_out(&app, &kommune, entered, operation, &headers).await
}

/// `PUT [base]/Type/id`.
pub async fn update(
    State(app): Shared,
    Path((kommune, kind, id)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let entered = app.enter(&kommune, &headers)?;
    let kind = known_kind(&kind)?;
    let resource = input::json(&headers, body).await?;
    of_type(kind, &resource)?;
    if resource.text("id") != Some(id.as_str()) {
        return Err(wrong(&format!("{kind}.id"), "the resource must have the id of the address"));
    }
    let operation = Operation::update(kind, id, resource, None);
    carry_out(&app, &kommune, entered, operation, &headers).await
}

/// `PUT [base]/Type?…`: the one resource that matches, or a new one.
pub async fn update_matching(
    State(app): Shared,
    Path((kommune, kind)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let entered = app.enter(&kommune, &headers)?;
    let kind = known_kind(&kind)?;
    let resource = input::json(&headers, body).await?;
    of_type(kind, &resource)?;
    let mut operation = Operation::new(Action::Update, kind, None);
    operation.criteria = Some(criteria(kind, query)?);
    operation.resource = Some(resource);
    carry_out(&app, &kommune, entered, operation, &headers).await
}

/// `PATCH [base]/Type/id`.
pub async fn patch(
    State(app): Shared,
    Path((kommune, kind, id)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let entered = app.enter(&kommune, &headers)?;
    let kind = known_kind(&kind)?;
    let action = Action::Patch(patch_in(&headers, body).await?);
    let operation = Operation::new(action, kind, Some(id));
    carry_out(&app, &kommune, entered, operation, &headers).await
}

/// `PATCH [base]/Type?…`: the one resource that matches.
pub async fn patch_matching(
    State(app): Shared,
    Path((kommune, kind)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let entered = app.enter(&kommune, &headers)?;
    let kind = known_kind(&kind)?;
    let action = Action::Patch(patch_in(&headers, body).await?);
    let mut operation = Operation::new(action, kind, None);
    operation.criteria = Some(criteria(kind, query)?);
    carry_out(&app, &kommune, entered, operation, &headers).await
}

/// `DELETE [base]/Type/id`. Removing what is not there is no fault (R4 http, delete).
pub async fn delete(
    State(app): Shared,
    Path((kommune, kind, id)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Answer {
    let entered = app.enter(&kommune, &headers)?;
    let operation = Operation::delete(known_kind(&kind)?, id);
    carry_out(&app, &kommune, entered, operation, &headers).await
}

/// `DELETE [base]/Type?…`: the one resource that matches, if any.
pub async fn delete_matching(
    State(app): Shared,
    Path((kommune, kind)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Answer {
    let entered = app.enter(&kommune, &headers)?;
    let kind = known_kind(&kind)?;
    let mut operation = Operation::new(Action::Delete, kind, None);
    operation.criteria = Some(criteria(kind, query)?);
    carry_out(&app, &kommune, entered, operation, &headers).await
}

/// The condition in an address. Addresses reach logs on the way, so a person's number has no place
/// there.
fn criteria(kind: &'static str, query: Option<String>) -> Result<Criteria, Problem> {
    let criteria = Criteria::read(kind, &query.unwrap_or_default());
    if criteria.holds_number() {
        return Err(Problem::edge(
            StatusCode::BAD_REQUEST,
            IssueCode::Security,
            "an identity number may not stand in an address; send the change as an entry of a \
             Bundle, whose URL is not logged, or use the identifier of your own system",
        ));
    }
    Ok(criteria)
}

/// The patch in a body, by its media type.
async fn patch_in(headers: &HeaderMap, body: Body) -> Result<Patch, Problem> {
    let media = header(headers, CONTENT_TYPE.as_str()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let read = match media.as_str() {
        "application/json-patch+json" => Patch::json,
        "application/fhir+json" | "application/json" => Patch::fhirpath,
        _ => {
            return Err(Problem::edge(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                IssueCode::NotSupported,
                "send a JSON Patch as `application/json-patch+json`, or a FHIRPath Patch as \
                 `application/fhir+json`",
            ));
        }
    };
    let document = input::json(headers, body).await?;
    read(&document).map_err(|issue| Problem::Failure(Failure::Malformed(vec![issue])))
}

fn of_type(kind: &str, resource: &Value) -> Result<(), Problem> {
    if resource.text("resourceType") == Some(kind) {
        return Ok(());
    }
    Err(wrong("resourceType", &format!("the address says `{kind}`; send a resource of that type")))
}

/// Carries out one change under the conditions of the headers, and tells of it as preferred.
async fn carry_out(
    app: &App,
    kommune: &str,
    (tenant, caller): Entered,
    mut operation: Operation,
    headers: &HeaderMap,
) -> Answer {
    let text = |name: axum::http::HeaderName| {
        let value = headers.get(name)?;
        Some(value.to_str().unwrap_or_default().to_owned())
    };
    operation.require = require(text(IF_MATCH).as_deref(), text(IF_NONE_MATCH).as_deref())?;
    if !matches!(operation.action, Action::Delete) {
        operation.event_id = header(headers, EVENT_ID).map(str::to_owned);
    }
    let operations = vec![operation];
    let submission = Submission { channel: Channel::Fhir, atomic: true, operations };
    let mut results = tenant.submit(&caller, submission).await?;
    let receipt = results.pop().unwrap_or(Err(Failure::Busy))?;
    let returned = Prefer::of(headers).returned.unwrap_or(Return::Representation);
    let body = match returned {
        Return::Representation => tenant.representation(&receipt)?,
        Return::Minimal | Return::Outcome => None,
    };
    Ok(response(&base(app, kommune, "fhir"), &receipt, returned, body))
}

/// 201 or 200 with Location and ETag; 202 where readers do not see it yet; 204 for a removal.
fn response(base: &str, receipt: &Receipt, returned: Return, body: Option<Vec<u8>>) -> Response {
    let Receipt { kind, id, version, updated, warnings, .. } = receipt;
    let status = match (receipt.visible, receipt.result) {
        (_, Done::Absent) => StatusCode::NO_CONTENT,
        (false, _) => StatusCode::ACCEPTED,
        (true, Done::Removed) if returned == Return::Outcome => StatusCode::OK,
        (true, Done::Removed) => StatusCode::NO_CONTENT,
        (true, Done::Created) => StatusCode::CREATED,
        (true, Done::Updated | Done::Unchanged) => StatusCode::OK,
    };
    let no_store = [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    let response = match (returned, body) {
        _ if status == StatusCode::NO_CONTENT => (status, no_store).into_response(),
        (Return::Outcome, _) => respond(status, &operation_outcome(warnings)),
        (_, Some(body)) => fhir_body(status, body),
        (_, None) => (status, no_store).into_response(),
    };
    if receipt.result == Done::Absent {
        return response;
    }
    let mut response = versioned(*version, *updated, response);
    if receipt.result != Done::Removed {
        put(&mut response, LOCATION, &format!("{base}/{kind}/{id}/_history/{version}"));
    }
    response
}
