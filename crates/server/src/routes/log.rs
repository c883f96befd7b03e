//! The log: AuditEvents, and proofs that nobody bent it.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use exchange::error::Failure;
use exchange::proof::Log;
use exchange::searchset::Pairs;
use exchange::tenant::Tenant;
use fhir::issue::IssueCode;
use ledger::note;
use record::entry::Position;

use super::call::Call;
use super::fhir::prefer::Prefer;
use crate::app::App;
use crate::input;
use crate::problem::{Problem, fhir_body, respond};

type Answer = Result<Response, Problem>;

/// `GET log/AuditEvent`.
pub async fn search(call: Call) -> Answer {
    let pairs = call.pairs();
    found(&call, &pairs).await
}

/// `POST log/AuditEvent/_search`.
pub async fn search_form(call: Call, body: Body) -> Answer {
    let pairs = call.with_form(body).await?;
    found(&call, &pairs).await
}

async fn found(call: &Call, pairs: &Pairs) -> Answer {
    let strict = Prefer::of(&call.headers).strict;
    let base = call.door("log");
    let bundle = call.tenant.audit_events(&call.caller, pairs, strict, &base).await?;
    Ok(fhir_body(StatusCode::OK, bundle))
}

/// `GET log/AuditEvent/id`.
pub async fn read(call: Call) -> Answer {
    let event = call.tenant.audit_event_at(&call.caller, call.own_id()?).await?;
    Ok(respond(StatusCode::OK, &event))
}

/// `GET admin/log/proof`.
pub async fn proof(call: Call) -> Answer {
    let pairs = call.pairs();
    let position = needed(&pairs, "position")?;
    let size = number(&pairs, "size")?;
    let proof = call.tenant.prove(&call.caller, log(&pairs)?, position, size).await?;
    Ok(text(proof, "no-store"))
}

/// An open call about a log of a municipality.
pub struct Open {
    tenant: Arc<Tenant>,
    log: Log,
    pairs: Pairs,
}

impl Open {
    fn of(app: &App, kommune: &str, query: Option<String>) -> Result<Self, Problem> {
        let pairs = input::pairs(query.unwrap_or_default().as_bytes());
        Ok(Self { tenant: app.hosted(kommune)?.tenant.clone(), log: log(&pairs)?, pairs })
    }
}

/// `GET admin/log/key`.
pub async fn key(
    State(app): State<Arc<App>>,
    Path(kommune): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    let open = Open::of(&app, &kommune, query)?;
    Ok(text(open.tenant.checkpoint_key(open.log)? + "\n", "no-cache"))
}

/// `GET admin/log/checkpoint` and `GET admin/log/checkpoint/size`.
pub async fn checkpoint(
    State(app): State<Arc<App>>,
    Path(named): Path<Vec<(String, String)>>,
    RawQuery(query): RawQuery,
) -> Answer {
    let part = |name| named.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str());
    let open = Open::of(&app, part("kommune").unwrap_or_default(), query)?;
    let size = part("size").map(|size| size.parse().map_err(|_| Failure::NotFound)).transpose()?;
    Ok(text(open.tenant.checkpoint(open.log, size)?, "no-cache"))
}

/// `GET admin/log/consistency`.
pub async fn consistency(
    State(app): State<Arc<App>>,
    Path(kommune): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    let open = Open::of(&app, &kommune, query)?;
    let (from, to) = (needed(&open.pairs, "from")?, needed(&open.pairs, "to")?);
    let path = open.tenant.consistency(open.log, from, to)?;
    let lines: String = path.iter().map(|hash| note::base64(hash) + "\n").collect();
    Ok(text(lines, "no-cache"))
}

/// The log that is named, or that of looks.
fn log(pairs: &Pairs) -> Result<Log, Problem> {
    let named = pairs.iter().find(|(name, _)| name == "ledger").map(|(_, value)| value.as_str());
    let log = named.map_or(Some(Log::Audit), Log::from_key);
    log.ok_or_else(|| wrong("ledger", "`ledger` is `audit` or `clinical`"))
}

fn number(pairs: &Pairs, name: &'static str) -> Result<Option<Position>, Problem> {
    let value = pairs.iter().find(|(known, _)| known == name);
    value
        .map(|(_, value)| value.parse().map_err(|_| wrong(name, "it is a whole number")))
        .transpose()
}

fn needed(pairs: &Pairs, name: &'static str) -> Result<Position, Problem> {
    number(pairs, name)?.ok_or_else(|| wrong(name, "it must be given, a whole number"))
}

fn wrong(name: &str, what: &str) -> Problem {
    Failure::malformed(IssueCode::Invalid, name, what).into()
}

fn text(body: String, cache: &'static str) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
        (CACHE_CONTROL, HeaderValue::from_static(cache)),
    ];
    (StatusCode::OK, headers, body).into_response()
}
