//! FHIR R4 REST for one municipality, by room: [`look`] for reads, searches and histories,
//! [`mod@write`] for changes, [`bundle`] for many at once, [`operation`] for what has a `$`.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::header::{ETAG, LAST_MODIFIED};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use exchange::error::Failure;
use fhir::issue::{Issue, IssueCode};
use fhir::json;

use crate::app::{App, Hosted};
use crate::capability;
use crate::input;
use crate::problem::{Problem, fhir_body};
use crate::terminology;

pub mod bundle;
pub mod look;
pub mod operation;
pub mod write;

mod binary;
mod later;
pub(super) mod prefer;

pub(super) type Shared = State<Arc<App>>;
pub(super) type Answer = Result<Response, Problem>;

/// Header with the source's own id of an event, as NHN's APIs name it.
const EVENT_ID: &str = "nhn-event-id";

/// `GET metadata`: what this server can do. Open, as FHIR asks.
pub async fn metadata(
    State(app): Shared,
    Path(kommune): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    let hosted = app.hosted(&kommune)?;
    let base = format!("{}/{kommune}/fhir", app.public_url);
    let register = hosted.tenant.register();
    let pairs = input::pairs(query.unwrap_or_default().as_bytes());
    let mode = pairs.iter().find(|(name, _)| name == "mode").map(|(_, mode)| mode.as_str());
    let text = match mode {
        None | Some("full" | "normative") => capabilities(hosted, &base)?,
        Some("terminology") => {
            let made = || json::print(&terminology::capabilities(&base, &register));
            hosted.described.terminology.get_or_init(made).as_str().into()
        }
        Some(_) => {
            return Err(wrong("mode", "`mode` is `full`, `normative` or `terminology`"));
        }
    };
    Ok(fhir_body(StatusCode::OK, text.as_bytes().to_vec()))
}

/// The CapabilityStatement; made anew when the search parameters have changed.
fn capabilities(hosted: &Hosted, base: &str) -> Result<Arc<str>, Problem> {
    let parameters = hosted.tenant.parameters()?;
    let mut made = hosted.described.capabilities.lock();
    if let Some((_, text)) = made.as_ref().filter(|(of, _)| Arc::ptr_eq(of, &parameters)) {
        return Ok(text.clone());
    }
    let (scheme, smart) = (hosted.demands.scheme, hosted.smart.as_ref());
    let statement =
        capability::statement(base, &hosted.tenant.register(), scheme, smart, &parameters);
    let text: Arc<str> = json::print(&statement).into();
    *made = Some((parameters, text.clone()));
    Ok(text)
}

fn wrong(location: &str, message: &str) -> Problem {
    let issue = Issue::error(IssueCode::Structure, location, message);
    Problem::Failure(Failure::Malformed(vec![issue]))
}

/// The headers of a version.
fn versioned(version: u64, updated: i64, mut response: Response) -> Response {
    put(&mut response, ETAG, &format!("W/\"{version}\""));
    put(&mut response, LAST_MODIFIED, &http_date(updated));
    response
}

pub(super) fn put(response: &mut Response, name: HeaderName, value: &str) {
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
