//! Changes of one resource: create, update, patch and delete, by id or by condition.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH, LOCATION};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use exchange::bundle::require;
use exchange::carry_out::Return;
use exchange::criteria::Criteria;
use exchange::error::Failure;
use exchange::submission::{Action, Channel, Done, Operation, Receipt, Submission};
use fhir::issue::{IssueCode, operation_outcome};
use fhir::patch::Patch;
use fhir::value::Value;

use super::prefer::Prefer;
use super::{Answer, EVENT_ID, binary, put, versioned, wrong};
use crate::problem::{Problem, fhir_body, respond};
use crate::routes::call::Call;

/// The patches taken.
const PATCHES: &str = "application/json-patch+json, application/fhir+json";

/// Header that says which patches an address takes (RFC 5789 §3.1).
const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// `POST [base]/Type`, perhaps only if nothing matches `If-None-Exist`.
pub async fn create(call: Call, body: Body) -> Answer {
    let kind = call.kind()?;
    let resource = sent(&call, kind, body).await?;
    let mut operation = Operation::create(kind, resource);
    operation.criteria = call.header("if-none-exist").map(|query| Criteria::read(kind, query));
    carry_out(&call, operation).await
}

/// `PUT [base]/Type/id`, and `PUT [base]/Type?…`: the one resource that matches, or a new one.
pub async fn update(call: Call, body: Body) -> Answer {
    let kind = call.kind()?;
    let resource = sent(&call, kind, body).await?;
    if call.id().is_some_and(|id| resource.text("id") != Some(id)) {
        return Err(wrong(&format!("{kind}.id"), "the resource must have the id of the address"));
    }
    let mut operation = aimed(&call, Action::Update)?;
    operation.resource = Some(resource);
    carry_out(&call, operation).await
}

/// `PATCH [base]/Type/id`, and `PATCH [base]/Type?…`: the one resource that matches.
pub async fn patch(call: Call, body: Body) -> Answer {
    call.kind()?;
    let action = match patch_in(&call, body).await {
        Ok(patch) => Action::Patch(patch),
        Err(problem) => {
            let mut response = problem.into_response();
            if response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE {
                put(&mut response, ACCEPT_PATCH, PATCHES);
            }
            return Ok(response);
        }
    };
    carry_out(&call, aimed(&call, action)?).await
}

/// `DELETE [base]/Type/id`, and `DELETE [base]/Type?…`: the one resource that matches, if any.
/// Removing what is not there is no fault (R4 http, delete).
pub async fn delete(call: Call) -> Answer {
    carry_out(&call, aimed(&call, Action::Delete)?).await
}

/// A change of the resource that the address names: by its id, or by a condition.
fn aimed(call: &Call, action: Action) -> Result<Operation, Problem> {
    let kind = call.kind()?;
    let mut operation = Operation::new(action, kind, call.id().map(str::to_owned));
    if operation.id.is_none() {
        operation.criteria = Some(criteria(kind, &call.query)?);
    }
    Ok(operation)
}

/// The resource that was sent, of the type in the address.
async fn sent(call: &Call, kind: &str, body: Body) -> Result<Value, Problem> {
    if let Some(media) = binary::media(call, kind) {
        return binary::resource(call, media, body).await;
    }
    let resource = call.json(body).await?;
    if resource.text("resourceType") == Some(kind) {
        return Ok(resource);
    }
    Err(wrong("resourceType", &format!("the address says `{kind}`; send a resource of that type")))
}

/// The condition in an address. Addresses reach logs on the way, so a person's number has no place
/// there.
fn criteria(kind: &'static str, query: &str) -> Result<Criteria, Problem> {
    let criteria = Criteria::read(kind, query);
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
async fn patch_in(call: &Call, body: Body) -> Result<Patch, Problem> {
    let media = call.header(CONTENT_TYPE.as_str()).unwrap_or_default();
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
    let document = call.json(body).await?;
    read(&document).map_err(|issue| Problem::Failure(Failure::Malformed(vec![issue])))
}

/// Carries out one change under the conditions of the headers, and tells of it as preferred.
async fn carry_out(call: &Call, mut operation: Operation) -> Answer {
    let text = |name: HeaderName| {
        let value = call.headers.get(name)?;
        Some(value.to_str().unwrap_or_default().to_owned())
    };
    operation.require = require(text(IF_MATCH).as_deref(), text(IF_NONE_MATCH).as_deref())?;
    if !matches!(operation.action, Action::Delete) {
        operation.event_id = call.header(EVENT_ID).map(str::to_owned);
    }
    let operations = vec![operation];
    let submission = Submission { channel: Channel::Fhir, atomic: true, operations };
    let mut results = call.tenant.submit(&call.caller, submission).await?;
    let receipt = results.pop().unwrap_or(Err(Failure::Busy))?;
    let returned = Prefer::of(&call.headers).returned.unwrap_or(Return::Representation);
    let body = match returned {
        Return::Representation => call.tenant.representation(&receipt)?,
        Return::Minimal | Return::Outcome => None,
    };
    Ok(response(&call.base(), &receipt, returned, body))
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
