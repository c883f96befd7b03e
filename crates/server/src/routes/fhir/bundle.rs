//! `POST [base]`: batch, transaction or collection.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use exchange::answered;
use exchange::bundle::Request;
use exchange::carry_out::Return;
use exchange::submission::Channel;
use fhir::json;

use super::prefer::Prefer;
use super::{Answer, EVENT_ID, Shared, base, wrong};
use crate::app::App;
use crate::input::{self, header};
use crate::problem::fhir_body;

/// `POST [base]`.
pub async fn bundle(
    State(app): Shared,
    Path(kommune): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    submit(&app, &kommune, &headers, body, Channel::Fhir).await
}

/// Takes a Bundle through a door.
pub async fn submit(
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
    let prefer = Prefer::of(headers);
    let mut request = Request::read(value, channel, prefer.strict)?;
    if let Some((id, content)) = event {
        request.name_after(id, content.as_bytes());
    }
    let full_urls = request.full_urls();
    // Those who send much at once seldom want all of it back.
    let returned = prefer.returned.unwrap_or(Return::Minimal);
    let base = base(app, kommune, "fhir");
    let answers = tenant.carry_out(&caller, request, returned, &base).await?;
    let body = answered::response(kind, &full_urls, &answers, channel);
    Ok(fhir_body(StatusCode::OK, body))
}
