//! Scripts of other sites (Fetch §3.3, CORS): SMART apps in a browser get tokens, and read the FHIR base, from
//! where they are served.
//!
//! Invariants: only where a municipality launches apps, and never pages, which know people by a cookie; what is
//! let through is known by the token that the script holds, so that any site may ask.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use pages::address;

use crate::app::App;

const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
const SENT: &str = "accept, authorization, content-type, dpop, if-match, if-modified-since, \
                    if-none-exist, if-none-match, prefer";
const READ: &str = "content-location, dpop-nonce, etag, last-modified, location, retry-after, \
                    www-authenticate";

/// Lets scripts of other sites ask, where they may.
pub async fn layer(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let asks = request.headers().contains_key(ORIGIN) && is_for_apps(&app, request.uri().path());
    if !asks {
        return next.run(request).await;
    }
    let first = request.method() == Method::OPTIONS
        && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response =
        if first { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let mut set =
        |name, value| response.headers_mut().insert(name, HeaderValue::from_static(value));
    set(ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    if first {
        set(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        set(ACCESS_CONTROL_ALLOW_HEADERS, SENT);
        set(ACCESS_CONTROL_MAX_AGE, "600");
    } else {
        set(ACCESS_CONTROL_EXPOSE_HEADERS, READ);
    }
    response
}

fn is_for_apps(app: &App, path: &str) -> bool {
    let mut steps = path.split('/').skip(1);
    match (steps.next(), steps.next()) {
        (Some("sandkasse"), Some(issuer)) => {
            app.desk.is_some() && path != address::authorize(issuer)
        }
        (Some(number), Some("fhir" | "export")) => {
            app.tenants.get(number).is_some_and(|hosted| hosted.smart.is_some())
        }
        _ => false,
    }
}
