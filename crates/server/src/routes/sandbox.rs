//! The stand-ins of a demo over HTTP: forms in, JSON out. What is answered is [`sandbox::idp`]'s to say; when
//! serving for real there are none.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use ledger::clock::{Clock, SystemClock};
use ledger::random::{Random, SystemRandom};
use parking_lot::Mutex;
use sandbox::idp::desk::{Desk, Moment, Posted, Reply};
use sandbox::idp::provider::Provider;
use serde_json::Value;

use crate::app::App;
use crate::input;
use crate::problem::Problem;
use crate::token::proof;

type Shared = State<Arc<App>>;
type Answer = Result<Response, Problem>;

/// `GET .well-known/openid-configuration` and `oauth-authorization-server`.
pub async fn metadata(State(app): Shared, Path(issuer): Path<String>) -> Answer {
    let (provider, _) = stand_in(&app, &issuer)?;
    Ok(published(provider.metadata(&app.public_url).to_string()))
}

/// `GET jwks`.
pub async fn jwks(State(app): Shared, Path(issuer): Path<String>) -> Answer {
    stand_in(&app, &issuer)?;
    let keys = app.demo.as_ref().and_then(|issuer| issuer.jwks().ok());
    Ok(published(keys.ok_or_else(Problem::not_found)?))
}

/// `POST par`.
pub async fn push(
    State(app): Shared,
    Path(issuer): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    posted(&app, &issuer, &headers, body, Desk::push).await
}

/// `POST token`.
pub async fn token(
    State(app): Shared,
    Path(issuer): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    posted(&app, &issuer, &headers, body, Desk::token).await
}

/// `POST launch`, of the stand-in that launches apps.
pub async fn launch(State(app): Shared, headers: HeaderMap, body: Body) -> Answer {
    let key = Provider::Smart.key();
    posted(&app, key, &headers, body, |desk, _, posted, moment| desk.launch(posted, moment)).await
}

/// `POST clients`: JSON in, as RFC 7591 has it.
pub async fn register(
    State(app): Shared,
    Path(issuer): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let (provider, desk) = stand_in(&app, &issuer)?;
    let body = input::bytes(&headers, body).await?;
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    Ok(replied(at_once(|moment| desk.lock().register(provider, &body, moment))))
}

/// Answers a form.
async fn posted(
    app: &App,
    issuer: &str,
    headers: &HeaderMap,
    body: Body,
    answer: impl FnOnce(&mut Desk, Provider, &Posted<'_>, &mut Moment<'_>) -> Reply,
) -> Answer {
    let (provider, desk) = stand_in(app, issuer)?;
    let form = input::pairs(&input::bytes(headers, body).await?);
    let proofs: Vec<&str> =
        headers.get_all(proof::HEADER).iter().map(|it| it.to_str().unwrap_or_default()).collect();
    let posted = Posted { form: &form, proofs: &proofs };
    Ok(replied(at_once(|moment| answer(&mut desk.lock(), provider, &posted, moment))))
}

/// The stand-in of this name, where this is a demo.
pub fn stand_in<'a>(app: &'a App, key: &str) -> Result<(Provider, &'a Mutex<Desk>), Problem> {
    let provider = Provider::from_key(key).ok_or_else(Problem::not_found)?;
    Ok((provider, app.desk.as_ref().ok_or_else(Problem::not_found)?))
}

/// Does something at the present moment, with randomness of the machine.
pub fn at_once<T>(act: impl FnOnce(&mut Moment<'_>) -> T) -> T {
    let mut random = random;
    act(&mut Moment { now_s: SystemClock.now_ms().div_euclid(1000), random: &mut random })
}

/// 256 bits nobody can guess.
fn random() -> String {
    let mut bytes = [0; 32];
    // Where the machine has no randomness nothing may be handed out.
    match SystemRandom.fill(&mut bytes) {
        Ok(()) => crate::token::jws::base64url(&bytes),
        Err(_) => std::process::abort(),
    }
}

/// A document for everybody.
pub fn published(text: String) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, text).into_response()
}

fn replied(reply: Reply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    let mut response = (status, headers, reply.body.to_string()).into_response();
    let nonce = reply.nonce.and_then(|nonce| HeaderValue::from_str(&nonce).ok());
    if let Some(nonce) = nonce {
        response.headers_mut().insert(proof::NONCE_HEADER, nonce);
    }
    response
}
