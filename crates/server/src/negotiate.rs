//! What form an answer takes: JSON or XML, for people or not, packed or not.
//!
//! A layer around the doors that speak FHIR. Behind it everything is JSON: what is sent in XML is read by
//! [`crate::input`], and answers are turned here. An answer in JSON leaves as it was stored, byte by
//! byte. Invariant: every answer of these doors with content is a resource, errors as well.

pub mod coding;
pub mod media;

mod raw;

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::Request;
use axum::http::header::{ALLOW, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, VARY};
use axum::http::response::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use fhir::issue::{Issue, IssueCode, operation_outcome};
use fhir::{json, xml};

use self::coding::Coding;
use self::media::Format;
use crate::input;
use crate::problem::{self, Problem};

/// Shorter answers are not packed: they fit a packet as they are.
const WORTH_PACKING: usize = 1_024;

/// Longer answers are turned and packed off the threads that wait for the network.
const LONG: usize = 256 * 1024;

/// How a caller wants the answer.
#[derive(Clone, Copy, Debug, Default)]
struct Wish {
    format: Format,
    pretty: bool,
    /// The bytes of a Binary, and not the resource.
    raw: bool,
    coding: Option<Coding>,
}

/// Reads how the caller wants the answer before anything is done, and turns it into that.
pub async fn layer(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    if !speaks_fhir(request.uri().path()) {
        let is_api = answers_programs(request.uri().path());
        let response = next.run(request).await;
        return if is_api { worded(&method, response) } else { response };
    }
    match wish(request).await {
        Ok((wish, request)) => {
            let response = worded(&method, next.run(request).await);
            turned(&method, response, wish).await
        }
        Err(problem) => turned(&method, problem.into_response(), Wish::default()).await,
    }
}

/// Whether an address is of a door that speaks FHIR: `/{kommune}/fhir…`, `/{kommune}/pmd…` or
/// `/{kommune}/log…`, but for what stands at well-known addresses.
fn speaks_fhir(path: &str) -> bool {
    let mut steps = path.split('/').skip(2);
    matches!(steps.next(), Some("fhir" | "pmd" | "log")) && steps.next() != Some(".well-known")
}

/// Whether an address is of a door that speaks JSON of its own and refuses by a resource.
fn answers_programs(path: &str) -> bool {
    let mut steps = path.split('/').skip(2);
    match steps.next() {
        Some("okt" | "events" | "export" | "openapi.json") => true,
        // Without more it is the page.
        Some("admin") => steps.next().is_some(),
        _ => false,
    }
}

/// How the answer is wanted. `_format` and `_pretty` may stand in the address or a search's form.
async fn wish(request: Request) -> Result<(Wish, Request), Problem> {
    let (head, body) = request.into_parts();
    let mut pairs = input::pairs(head.uri.query().unwrap_or_default().as_bytes());
    let mut request = Request::from_parts(head, body);
    if request.method() == Method::POST && is_form(request.headers()) {
        let (mut head, body) = request.into_parts();
        let form = input::bytes(&head.headers, body).await?;
        pairs.extend(input::pairs(&form));
        head.headers.remove(CONTENT_ENCODING);
        head.headers.insert(CONTENT_LENGTH, HeaderValue::from(form.len()));
        request = Request::from_parts(head, Body::from(form));
    }
    let value = |name: &str| pairs.iter().find(|(known, _)| known == name).map(|(_, it)| &**it);
    let raw = raw::is_wanted(&request, value("_format"));
    let wish = Wish {
        format: if raw {
            Format::Json
        } else {
            media::wanted(request.headers(), value("_format"))?
        },
        raw,
        pretty: value("_pretty") == Some("true"),
        coding: coding::wanted(request.headers()),
    };
    Ok((wish, request))
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = input::header(headers, CONTENT_TYPE.as_str()).unwrap_or_default();
    kind.split(';')
        .next()
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

/// Says as a resource what the router refuses by itself; `OPTIONS` is answered by `Allow` alone.
fn worded(method: &Method, response: Response) -> Response {
    let status = response.status();
    if is_fhir(&response)
        || is_page(&response)
        || !(status.is_client_error() || status.is_server_error())
    {
        return response;
    }
    if status == StatusCode::METHOD_NOT_ALLOWED && method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    let (code, message) = match status {
        StatusCode::METHOD_NOT_ALLOWED => {
            (IssueCode::NotSupported, "this address does not take this method: see `Allow`")
        }
        StatusCode::BAD_REQUEST => (IssueCode::Structure, "the address cannot be read"),
        status if status.is_server_error() => (IssueCode::Exception, "a fault in the server"),
        _ => (IssueCode::Processing, "the request is refused"),
    };
    let mut worded = problem::outcome(status, &[Issue::error(code, "", message)]);
    if let Some(allow) = response.headers().get(ALLOW) {
        worded.headers_mut().insert(ALLOW, allow.clone());
    }
    worded
}

/// Whether it is said to people already.
fn is_page(response: &Response) -> bool {
    let kind = input::header(response.headers(), CONTENT_TYPE.as_str()).unwrap_or_default();
    kind.starts_with("text/html")
}

fn is_fhir(response: &Response) -> bool {
    let kind = input::header(response.headers(), CONTENT_TYPE.as_str()).unwrap_or_default();
    kind.starts_with("application/fhir+")
}

/// The answer as it is wanted. One whose length is not known yet is a stream and left alone.
async fn turned(method: &Method, mut response: Response, wish: Wish) -> Response {
    response.headers_mut().insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    let Some(length) = response.body().size_hint().exact() else {
        return response;
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let gives_bytes = wish.raw && response.status() == StatusCode::OK;
    let turns = is_fhir(&response) && (wish.pretty || wish.format == Format::Xml || gives_bytes);
    let packs = wish.coding.is_some() && !response.headers().contains_key(CONTENT_ENCODING);
    if length == 0 || !(turns || (packs && length >= WORTH_PACKING)) {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let work = || {
        let body = if turns { written(method, &mut head, &body, wish) } else { body.into() };
        match wish.coding.filter(|_| packs && body.len() >= WORTH_PACKING) {
            Some(coding) => packed(&mut head, body, coding),
            None => body,
        }
    };
    let body = if length > LONG { tokio::task::block_in_place(work) } else { work() };
    head.headers.remove(CONTENT_LENGTH);
    Response::from_parts(head, Body::from(body))
}

/// A resource in the format wanted. What XML cannot carry is refused where the request changed nothing,
/// and otherwise answered in JSON, since it was carried out.
fn written(method: &Method, head: &mut Parts, body: &[u8], wish: Wish) -> Vec<u8> {
    let Ok(value) = json::parse(body) else {
        return body.to_vec();
    };
    if wish.raw && head.status == StatusCode::OK {
        return raw::given(head, &value);
    }
    let text = match (wish.format, wish.pretty) {
        (Format::Json, false) => Ok(json::print(&value)),
        (Format::Json, true) => Ok(json::pretty(&value)),
        (Format::Xml, false) => xml::print(&value),
        (Format::Xml, true) => xml::pretty(&value),
    };
    match text {
        Ok(text) => {
            let kind = HeaderValue::from_static(wish.format.content_type());
            head.headers.insert(CONTENT_TYPE, kind);
            text.into_bytes()
        }
        Err(error) if method.is_safe() => {
            head.status = StatusCode::NOT_ACCEPTABLE;
            let message = format!("XML cannot carry this: {}; ask for JSON", error.message);
            let issue = Issue::error(IssueCode::NotSupported, error.path, message);
            json::print(&operation_outcome(&[issue])).into_bytes()
        }
        Err(_) => body.to_vec(),
    }
}

fn packed(head: &mut Parts, body: Vec<u8>, coding: Coding) -> Vec<u8> {
    match coding.pack(&body) {
        Some(packed) => {
            head.headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
            packed
        }
        None => body,
    }
}
