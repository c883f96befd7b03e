//! Looks: read, vread, search and history.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::IntoResponse;
use exchange::error::Failure;
use exchange::history::History;
use exchange::look::{Look, Seen, Unless};
use exchange::searchset::{Pairs, Place, Search};

use super::prefer::Prefer;
use super::{Answer, later, put, versioned};
use crate::problem::{Problem, fhir_body};
use crate::routes::call::Call;

/// `GET [base]/Type/id`.
pub async fn read(call: Call) -> Answer {
    let (kind, id) = (call.kind()?, call.own_id()?);
    let answer = resource(&call, None).await;
    if let Err(Problem::Failure(Failure::Removed(version))) = answer {
        let mut response = Problem::Failure(Failure::Removed(version)).into_response();
        put(&mut response, ETAG, &format!("W/\"{version}\""));
        let place = format!("{}/{kind}/{id}/_history/{version}", call.base());
        put(&mut response, LOCATION, &place);
        return Ok(response);
    }
    answer
}

/// `GET [base]/Type/id/_history/version`.
pub async fn vread(call: Call) -> Answer {
    let version = call.part("version").and_then(|version| version.parse().ok());
    resource(&call, Some(version.ok_or(Failure::NotFound)?)).await
}

/// The current version of a resource, or the one named.
async fn resource(call: &Call, version: Option<u64>) -> Answer {
    let id = call.own_id()?.to_owned();
    let look = Look::resource(call.kind()?, id, version, &call.pairs(), unless(call))?;
    Ok(match call.tenant.look(&call.caller, look, &call.base()).await? {
        Seen::Resource { version, updated, body } => {
            versioned(version, updated, fhir_body(StatusCode::OK, body))
        }
        Seen::Unmodified { version, updated } => {
            let no_store = [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];
            versioned(version, updated, (StatusCode::NOT_MODIFIED, no_store).into_response())
        }
        Seen::Bundle(body) => fhir_body(StatusCode::OK, body),
    })
}

/// `GET [base]/Type/id/_history`, `GET [base]/Type/_history` and `GET [base]/_history`.
pub async fn history(call: Call) -> Answer {
    let kind = call.part("kind").map(|_| call.kind()).transpose()?;
    let id = call.id().map(str::to_owned);
    let prefer = Prefer::of(&call.headers);
    let history = History::read(kind, id, &call.pairs(), prefer.strict)?;
    many(&call, prefer, Look::history(history), call.base()).await
}

/// `GET [base]?…`, `GET [base]/Type?…`, and of a compartment `GET [base]/Patient/id/Type?…` and
/// `GET [base]/Patient/id/*?…`.
pub async fn search(call: Call) -> Answer {
    let (place, pairs) = (place(&call)?, call.pairs());
    search_pairs(&call, "fhir", place, pairs).await
}

/// `POST [base]/_search`, `POST [base]/Type/_search` and `POST [base]/Patient/id/Type/_search`.
pub async fn search_form(call: Call, body: Body) -> Answer {
    let place = place(&call)?;
    let pairs = call.with_form(body).await?;
    search_pairs(&call, "fhir", place, pairs).await
}

/// Where a search looks.
fn place(call: &Call) -> Result<Place, Problem> {
    Ok(match (call.part("kind"), call.id(), call.part("of")) {
        (Some(kind), Some(id), Some(of)) => Place::compartment(kind, id, of)?,
        (Some(_), ..) => Place::Type(call.kind()?),
        (None, ..) => Place::System,
    })
}

/// A search through a door.
pub async fn search_pairs(call: &Call, door: &str, place: Place, pairs: Pairs) -> Answer {
    let prefer = Prefer::of(&call.headers);
    let search = Search::new(place, pairs, prefer.strict);
    many(call, prefer, Look::search(search), call.door(door)).await
}

/// A look at many resources. `base` is the address of the door.
async fn many(call: &Call, prefer: Prefer, look: Look, base: String) -> Answer {
    let (tenant, caller) = (call.tenant.clone(), call.caller.clone());
    let work = async move {
        Ok(match tenant.look(&caller, look, &base).await? {
            Seen::Bundle(body) | Seen::Resource { body, .. } => body,
            Seen::Unmodified { .. } => Vec::new(),
        })
    };
    later::bundle(call, prefer, work).await
}

/// What the caller has already. A date that cannot be read asks for nothing (RFC 9110 §13.1.3).
fn unless(call: &Call) -> Unless {
    let date = call.header(IF_MODIFIED_SINCE.as_str());
    let date = date.and_then(|text| jiff::fmt::rfc2822::parse(text).ok());
    Unless {
        none_match: call.header(IF_NONE_MATCH.as_str()).map(str::to_owned),
        modified_since: date.map(|date| date.timestamp().as_millisecond()),
    }
}
