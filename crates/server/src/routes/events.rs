//! CloudEvents 1.0 over HTTP: structured, binary and batched mode.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use exchange::answered;
use exchange::cloud_event::CloudEvent;
use exchange::error::Failure;
use exchange::submission::Channel;
use fhir::issue::{Issue, IssueCode};
use fhir::value::Value;

use super::call::Call;
use super::fhir::Answer;
use crate::input::header;
use crate::problem::{Problem, fhir_body};

/// Most events in one batch.
const MAX_BATCH: usize = 1_000;

/// `POST events`. Answers a `batch-response` with one entry for each resource recorded.
pub async fn submit(call: Call, body: Body) -> Answer {
    let kind = call.header(CONTENT_TYPE.as_str()).unwrap_or_default();
    let batched = kind.starts_with("application/cloudevents-batch+json");
    let structured = kind.starts_with("application/cloudevents+json");
    let value = call.json(body).await?;
    let events = if batched {
        batch(value)?
    } else if structured {
        vec![CloudEvent::structured(value)?]
    } else {
        vec![binary(&call.headers, value)?]
    };
    let single = events.len() == 1;
    let mut results = Vec::new();
    for event in events {
        match call.tenant.submit_event(&call.caller, event).await {
            Ok(more) => results.extend(more),
            Err(failure) if single => return Err(failure.into()),
            Err(failure) => results.push(Err(failure)),
        }
    }
    let body = answered::receipts("batch-response", &[], results, Channel::Events);
    Ok(fhir_body(StatusCode::OK, body))
}

fn batch(value: Value) -> Result<Vec<CloudEvent>, Problem> {
    let Value::Array(events) = value else {
        return Err(wrong("a batch of CloudEvents is a JSON array"));
    };
    if events.is_empty() || events.len() > MAX_BATCH {
        return Err(wrong(&format!("a batch holds 1 to {MAX_BATCH} events")));
    }
    Ok(events.into_iter().map(CloudEvent::structured).collect::<Result<_, _>>()?)
}

/// Attributes in `ce-…` headers, the data as the body.
fn binary(headers: &HeaderMap, data: Value) -> Result<CloudEvent, Problem> {
    if header(headers, "ce-specversion") != Some("1.0") {
        return Err(wrong(
            "send `application/cloudevents+json`, or the attributes as headers with \
             `ce-specversion: 1.0`",
        ));
    }
    let attribute = |name: &str| header(headers, name).map(str::to_owned);
    Ok(CloudEvent::new(
        attribute("ce-id"),
        attribute("ce-source"),
        attribute("ce-type"),
        attribute("ce-time"),
        data,
    )?)
}

fn wrong(message: &str) -> Problem {
    Failure::Malformed(vec![Issue::error(IssueCode::Structure, "", message)]).into()
}
