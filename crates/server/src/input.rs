//! Reading what was sent: bounded bytes, JSON with the place of a mistake, forms and queries.

use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use exchange::error::Failure;
use exchange::searchset::Pairs;
use fhir::issue::{Issue, IssueCode};
use fhir::json;
use fhir::value::Value;

use crate::problem::Problem;

/// Largest body taken: 10 MB.
pub const MAX_BODY: usize = 10 * 1024 * 1024;

/// The whole body, or 413.
pub async fn bytes(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Problem> {
    let too_large = || {
        Problem::edge(
            StatusCode::PAYLOAD_TOO_LARGE,
            IssueCode::TooLong,
            "the request is larger than 10 MB; send the content in several requests",
        )
    };
    let announced = headers.get(CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > MAX_BODY) {
        return Err(too_large());
    }
    match to_bytes(body, MAX_BODY).await {
        Ok(bytes) => Ok(bytes.into()),
        Err(_) => Err(too_large()),
    }
}

/// The body as JSON, or 400 with line and column.
pub async fn json(headers: &HeaderMap, body: Body) -> Result<Value, Problem> {
    let kind = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let media = kind.split(';').next().unwrap_or_default().trim();
    if !(media.is_empty() || media == "application/json" || media.ends_with("+json")) {
        return Err(Problem::edge(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            IssueCode::NotSupported,
            "send JSON, as `application/fhir+json`",
        ));
    }
    parse(&bytes(headers, body).await?)
}

/// JSON, or 400 with line and column.
pub fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    json::parse(bytes).map_err(|error| {
        let place = format!("line {}, column {}", error.line, error.column);
        let issue = Issue::error(IssueCode::Structure, "", format!("{place}: {}", error.message));
        Problem::Failure(Failure::Malformed(vec![issue]))
    })
}

/// A form, or the query of a URL.
pub fn pairs(text: &[u8]) -> Pairs {
    form_urlencoded::parse(text)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

/// A header as text.
pub fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).filter(|text| !text.is_empty())
}
