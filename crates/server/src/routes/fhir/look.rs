//! Looks: read, vread, search and history.

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{CACHE_CONTROL, IF_MODIFIED_SINCE, IF_NONE_MATCH, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::IntoResponse;
use exchange::error::Failure;
use exchange::history::History;
use exchange::look::{Look, Seen, Unless};
use exchange::read::known_kind;
use exchange::searchset::{Pairs, Place, Search};

use super::prefer::Prefer;
use super::{Answer, Entered, Shared, base, put, versioned};
use crate::app::App;
use crate::input::{self, header};
use crate::problem::{Problem, fhir_body};

/// `GET [base]/Type/id`.
pub async fn read(
    State(app): Shared,
    Path((kommune, kind, id)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Answer {
    let entered = app.enter(&kommune, &headers)?;
    let kind = known_kind(&kind)?;
    let look = Look::resource(kind, id.clone(), None, &pairs(query), unless(&headers))?;
    let base = base(&app, &kommune, "fhir");
    let answer = answer(entered, look, &base).await;
    if let Err(Problem::Failure(Failure::Removed(version))) = answer {
        let gone = Problem::Failure(Failure::Removed(version)).into_response();
        let mut response = gone;
        put(&mut response, axum::http::header::ETAG, &format!("W/\"{version}\""));
        put(&mut response, LOCATION, &format!("{base}/{kind}/{id}/_history/{version}"));
        return Ok(response);
    }
    answer
}

/// `GET [base]/Type/id/_history/version`.
pub async fn vread(
    State(app): Shared,
    Path((kommune, kind, id, version)): Path<(String, String, String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Answer {
    let entered = app.enter(&kommune, &headers)?;
    let version = version.parse().map_err(|_| Failure::NotFound)?;
    let kind = known_kind(&kind)?;
    let look = Look::resource(kind, id, Some(version), &pairs(query), unless(&headers))?;
    answer(entered, look, &base(&app, &kommune, "fhir")).await
}

/// `GET [base]/Type/id/_history`.
pub async fn history(
    State(app): Shared,
    Path((kommune, kind, id)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Answer {
    past(&app, &kommune, Some(&kind), Some(id), query, &headers).await
}

/// `GET [base]/Type/_history`.
pub async fn history_of_type(
    State(app): Shared,
    Path((kommune, kind)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Answer {
    past(&app, &kommune, Some(&kind), None, query, &headers).await
}

/// `GET [base]/_history`.
pub async fn history_of_all(
    State(app): Shared,
    Path(kommune): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Answer {
    past(&app, &kommune, None, None, query, &headers).await
}

async fn past(
    app: &App,
    kommune: &str,
    kind: Option<&str>,
    id: Option<String>,
    query: Option<String>,
    headers: &HeaderMap,
) -> Answer {
    let entered = app.enter(kommune, headers)?;
    let kind = kind.map(known_kind).transpose()?;
    let history = History::read(kind, id, &pairs(query), Prefer::of(headers).strict)?;
    answer(entered, Look::history(history), &base(app, kommune, "fhir")).await
}

/// `GET [base]?…`.
pub async fn search_all(
    State(app): Shared,
    Path(kommune): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Answer {
    search_pairs(&app, &kommune, "fhir", Place::System, pairs(query), &headers).await
}

/// `POST [base]/_search`.
pub async fn search_all_form(
    State(app): Shared,
    Path(kommune): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let pairs = with_form(query, &headers, body).await?;
    search_pairs(&app, &kommune, "fhir", Place::System, pairs, &headers).await
}

/// `GET [base]/Type?…`.
pub async fn search(
    State(app): Shared,
    Path((kommune, kind)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Answer {
    let place = Place::Type(known_kind(&kind)?);
    search_pairs(&app, &kommune, "fhir", place, pairs(query), &headers).await
}

/// `POST [base]/Type/_search`.
pub async fn search_form(
    State(app): Shared,
    Path((kommune, kind)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let place = Place::Type(known_kind(&kind)?);
    let pairs = with_form(query, &headers, body).await?;
    search_pairs(&app, &kommune, "fhir", place, pairs, &headers).await
}

/// `GET [base]/Patient/id/Type?…`, and `GET [base]/Patient/id/*?…`.
pub async fn search_compartment(
    State(app): Shared,
    Path((kommune, kind, id, of)): Path<(String, String, String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Answer {
    let place = Place::compartment(&kind, &id, &of)?;
    search_pairs(&app, &kommune, "fhir", place, pairs(query), &headers).await
}

/// `POST [base]/Patient/id/Type/_search`.
pub async fn search_compartment_form(
    State(app): Shared,
    Path((kommune, kind, id, of)): Path<(String, String, String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let place = Place::compartment(&kind, &id, &of)?;
    let pairs = with_form(query, &headers, body).await?;
    search_pairs(&app, &kommune, "fhir", place, pairs, &headers).await
}

/// A search through a door.
pub async fn search_pairs(
    app: &App,
    kommune: &str,
    door: &str,
    place: Place,
    pairs: Pairs,
    headers: &HeaderMap,
) -> Answer {
    let entered = app.enter(kommune, headers)?;
    let search = Search::new(place, pairs, Prefer::of(headers).strict);
    answer(entered, Look::search(search), &base(app, kommune, door)).await
}

/// Parameters in the form and in the address count alike.
async fn with_form(
    query: Option<String>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Pairs, Problem> {
    let mut pairs = pairs(query);
    pairs.extend(input::pairs(&input::bytes(headers, body).await?));
    Ok(pairs)
}

async fn answer((tenant, caller): Entered, look: Look, base: &str) -> Answer {
    Ok(match tenant.look(&caller, look, base).await? {
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

fn pairs(query: Option<String>) -> Pairs {
    input::pairs(query.unwrap_or_default().as_bytes())
}

/// What the caller has already. A date that cannot be read asks for nothing (RFC 9110 §13.1.3).
fn unless(headers: &HeaderMap) -> Unless {
    let date = header(headers, IF_MODIFIED_SINCE.as_str());
    let date = date.and_then(|text| jiff::fmt::rfc2822::parse(text).ok());
    Unless {
        none_match: header(headers, IF_NONE_MATCH.as_str()).map(str::to_owned),
        modified_since: date.map(|date| date.timestamp().as_millisecond()),
    }
}
