//! Reading what was sent: bounded bytes, unpacked; JSON or XML with the place of a mistake; forms and
//! queries.

use axum::body::Body;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, StatusCode};
use exchange::error::Failure;
use exchange::searchset::Pairs;
use fhir::issue::{Issue, IssueCode};
use fhir::value::Value;
use fhir::{json, xml};
use futures_util::StreamExt;

use crate::negotiate::coding;
use crate::negotiate::media::{self, Format};
use crate::problem::Problem;

/// Largest body taken, packed and unpacked: 10 MB.
pub const MAX_BODY: usize = 10 * 1024 * 1024;

/// The whole body, unpacked; or 413.
pub async fn bytes(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Problem> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > MAX_BODY) {
        return Err(too_large());
    }
    let mut whole = Vec::with_capacity(announced.unwrap_or_default());
    let mut stream = body.into_data_stream();
    while let Some(part) = stream.next().await {
        let part = part.map_err(|_| {
            let message = "the content ended too early; send it again";
            Problem::edge(StatusCode::BAD_REQUEST, IssueCode::Structure, message)
        })?;
        if whole.len() + part.len() > MAX_BODY {
            return Err(too_large());
        }
        whole.extend_from_slice(&part);
    }
    coding::unpack(headers, whole)
}

/// The refusal of a body beyond [`MAX_BODY`].
pub fn too_large() -> Problem {
    Problem::edge(
        StatusCode::PAYLOAD_TOO_LARGE,
        IssueCode::TooLong,
        "the request is larger than 10 MB; send the content in several requests",
    )
}

/// The body as a value, from JSON or, of a resource, from FHIR XML; or 400 with line and column, and
/// 415 for another media type.
pub async fn json(headers: &HeaderMap, body: Body) -> Result<Value, Problem> {
    let format = media::sent(headers)?;
    read(format, &bytes(headers, body).await?)
}

/// The body as a value, like [`json()`], if there is any.
pub async fn any_json(headers: &HeaderMap, body: Body) -> Result<Option<Value>, Problem> {
    let body = bytes(headers, body).await?;
    if body.is_empty() {
        return Ok(None);
    }
    read(media::sent(headers)?, &body).map(Some)
}

/// Whether the body is a form.
pub fn is_form(headers: &HeaderMap) -> bool {
    header(headers, "content-type")
        .is_some_and(|media| media.starts_with("application/x-www-form-urlencoded"))
}

fn read(format: Format, body: &[u8]) -> Result<Value, Problem> {
    match format {
        Format::Json => parse(body),
        Format::Xml => xml::parse(body)
            .map_err(|error| malformed(error.line, error.column, error.path, &error.message)),
    }
}

/// JSON, or 400 with line and column.
pub fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    json::parse(bytes)
        .map_err(|error| malformed(error.line, error.column, String::new(), &error.message))
}

fn malformed(line: usize, column: usize, path: String, message: &str) -> Problem {
    let message = format!("line {line}, column {column}: {message}");
    Problem::Failure(Failure::Malformed(vec![Issue::error(IssueCode::Structure, path, message)]))
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
