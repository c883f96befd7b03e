//! Everything that can go wrong, as HTTP: one status for each kind of failure, and an
//! `OperationOutcome` that says what, where, why and what to do.

use access::refusal::{Refusal, Rule};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use exchange::error::{Category, Failure};
use fhir::issue::{Issue, IssueCode, operation_outcome};
use fhir::json;
use fhir::value::Value;

use crate::config::Scheme;
use crate::token::error::TokenError;
use crate::token::jws;
use crate::token::verify::Demands;

/// Code system of the rules of access.
const RULES: &str = "https://fkj.no/fhir/CodeSystem/access-rule";

/// Why a request was not answered as asked.
#[derive(Debug)]
pub enum Problem {
    /// The caller is not let in.
    Token(Box<NotAdmitted>),
    /// The flow failed.
    Failure(Failure),
    /// The edge refused before the flow began.
    Edge(StatusCode, Issue),
}

/// Why a caller is not let in, with what the challenge tells.
#[derive(Debug)]
pub struct NotAdmitted {
    error: TokenError,
    demands: Demands,
}

impl Problem {
    /// A token or proof that does not fit what an API demands.
    pub fn token(error: TokenError, demands: &Demands) -> Self {
        Problem::Token(Box::new(NotAdmitted { error, demands: demands.clone() }))
    }

    /// A refusal at the edge.
    pub fn edge(status: StatusCode, code: IssueCode, message: impl Into<String>) -> Self {
        Problem::Edge(status, Issue::error(code, "", message))
    }

    /// There is nothing at this address.
    pub fn not_found() -> Self {
        Problem::Failure(Failure::NotFound)
    }
}

impl<T: Into<Failure>> From<T> for Problem {
    fn from(failure: T) -> Self {
        Problem::Failure(failure.into())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        match self {
            Problem::Token(refused) => not_admitted(&refused),
            Problem::Edge(status, issue) => outcome(status, &[issue]),
            Problem::Failure(failure) => failed(&failure),
        }
    }
}

fn failed(failure: &Failure) -> Response {
    if let Some(refusal) = failure.refusal() {
        let mut response = respond(StatusCode::FORBIDDEN, &refused(refusal, failure));
        if refusal.rule == Rule::InsufficientScope {
            response.extensions_mut().insert(ByScopes);
        }
        return response;
    }
    if let Failure::Unavailable(what) = failure {
        tracing::error!(what, "a request could not be answered");
    }
    let status = status(failure.category());
    let mut response = outcome(status, &failure.issues());
    if let Some(seconds) = failure.retry_after() {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The status of each kind of failure.
pub fn status(category: Category) -> StatusCode {
    match category {
        Category::Malformed => StatusCode::BAD_REQUEST,
        Category::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Category::Refused => StatusCode::FORBIDDEN,
        Category::Conflict => StatusCode::CONFLICT,
        Category::Precondition => StatusCode::PRECONDITION_FAILED,
        Category::NotFound => StatusCode::NOT_FOUND,
        Category::Gone => StatusCode::GONE,
        Category::Busy | Category::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The mark of a refusal by the token's scopes: [`crate::token::gate`] tells it in `WWW-Authenticate`.
#[derive(Clone, Copy)]
pub struct ByScopes;

/// The challenge of such a refusal.
pub fn insufficient_scope(demands: &Demands) -> String {
    let told = Rule::InsufficientScope.explanation();
    format!(
        "{} realm=\"{}\", error=\"insufficient_scope\", error_description=\"{told}\"",
        demands.scheme.name(),
        demands.audience
    )
}

fn not_admitted(refused: &NotAdmitted) -> Response {
    let NotAdmitted { error, demands } = refused;
    if let TokenError::Unavailable(_) = error {
        return failed(&Failure::Unavailable(error.to_string()));
    }
    let (status, code) = match error {
        TokenError::Scope => (StatusCode::FORBIDDEN, IssueCode::Forbidden),
        TokenError::Expired => (StatusCode::UNAUTHORIZED, IssueCode::Expired),
        _ => (StatusCode::UNAUTHORIZED, IssueCode::Login),
    };
    let mut response = outcome(status, &[Issue::error(code, "", error.to_string())]);
    if let Ok(value) = HeaderValue::from_str(&challenge(error, demands)) {
        response.headers_mut().insert(WWW_AUTHENTICATE, value);
    }
    response
}

/// `WWW-Authenticate` (RFC 6750 §3, RFC 9449 §7.1).
fn challenge(error: &TokenError, demands: &Demands) -> String {
    let mut parts = vec![format!("realm=\"{}\"", demands.audience)];
    if let Some(code) = error.code() {
        parts.push(format!("error=\"{code}\", error_description=\"{error}\""));
    }
    if let TokenError::Scope = error {
        parts.push(format!("scope=\"{}\"", demands.scopes.join(" ")));
    }
    if demands.scheme == Scheme::Dpop {
        parts.push(format!("algs=\"{}\"", jws::algorithms()));
    }
    format!("{} {}", demands.scheme.name(), parts.join(", "))
}

fn refused(refusal: Refusal, failure: &Failure) -> Value {
    let rule = refusal.rule;
    let places = failure.issues().into_iter().map(|issue| issue.location);
    let places: Vec<String> = places.filter(|place| !place.is_empty()).collect();
    json!({
        "resourceType": "OperationOutcome",
        "issue": [{
            "severity": "error",
            "code": "forbidden",
            "details": {
                "coding": [{ "system": RULES, "code": rule.code() }],
                "text": rule.explanation(),
            },
            "diagnostics": rule.way_on(),
            "expression": Some(places).filter(|places| !places.is_empty()),
        }],
    })
}

/// Issues with a status.
pub fn outcome(status: StatusCode, issues: &[Issue]) -> Response {
    respond(status, &operation_outcome(issues))
}

/// A FHIR resource with a status. Nothing about patients may be kept by caches.
pub fn respond(status: StatusCode, resource: &Value) -> Response {
    fhir_body(status, fhir::json::print(resource).into_bytes())
}

/// FHIR JSON that is printed already.
pub fn fhir_body(status: StatusCode, body: Vec<u8>) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/fhir+json; charset=utf-8")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, body).into_response()
}
