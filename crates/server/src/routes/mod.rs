//! The addresses of the platform: one router, made from [`table`].

pub mod admin;
pub mod bulk;
pub mod call;
pub mod catalogue;
pub mod cors;
pub mod disposal;
pub mod endpoint;
pub mod events;
pub mod fhir;
pub mod health;
pub mod log;
pub mod national;
pub mod okt;
pub mod pmd;
pub mod pvk;
pub mod sandbox;
pub mod smart;
pub mod table;
pub mod vigilance;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, MatchedPath, Request};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use exchange::origin::{Network, Origin};
use ledger::random::{Random, SystemRandom};

use self::endpoint::Endpoint;
use crate::app::App;
use crate::negotiate;
use crate::problem::Problem;
use crate::token::gate;
use crate::web::origin;

/// Header with the id of a request, which its entries in the audit ledger carry.
const REQUEST_ID: &str = "x-request-id";

/// Largest body that is taken in before the token is looked at: 64 KB.
const SMALL_BODY: usize = 64 * 1024;

/// Everything under one router.
pub fn router(app: Arc<App>) -> Router {
    let pages = mounted(|row| row.is_page(), |handler, _| handler);
    mounted(|row| !row.is_page(), |handler, row| gated(handler, row, &app))
        .merge(pages.layer(middleware::from_fn(origin::own_forms_only)))
        .fallback(|| async { Problem::not_found() })
        .layer(middleware::from_fn(negotiate::layer))
        .layer(middleware::from_fn(take_in))
        .layer(middleware::from_fn_with_state(app.clone(), cors::layer))
        .layer(middleware::from_fn(told))
        .with_state(app)
}

/// A handler behind the gate that its row needs.
fn gated(
    handler: MethodRouter<Arc<App>>,
    row: &Endpoint,
    app: &Arc<App>,
) -> MethodRouter<Arc<App>> {
    if row.proves_itself {
        handler
    } else if row.callers.is_empty() {
        handler.route_layer(middleware::from_fn(gate::open))
    } else {
        handler.route_layer(middleware::from_fn_with_state(app.clone(), gate::demand))
    }
}

/// The rows of the table that are chosen, each handler behind what stands before it.
fn mounted(
    chosen: impl Fn(&Endpoint) -> bool,
    before: impl Fn(MethodRouter<Arc<App>>, &Endpoint) -> MethodRouter<Arc<App>>,
) -> Router<Arc<App>> {
    let mut router = Router::new();
    for row in table::endpoints().filter(|row| chosen(row)) {
        for path in row.paths() {
            for method in row.methods {
                router = router.route(path, before((row.handler)(method.filter()), row));
            }
        }
    }
    router
}

/// Takes in a small body before anybody answers. An answer that leaves while the sender still
/// writes ends in a broken connection, and the sender never learns why it was refused.
async fn take_in(request: Request, next: Next) -> Response {
    let length =
        request.headers().get(CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse().ok());
    if length.is_none_or(|length: usize| length > SMALL_BODY) {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    match to_bytes(body, SMALL_BODY).await {
        Ok(bytes) => next.run(Request::from_parts(head, Body::from(bytes))).await,
        // The sender has gone.
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// What is known of where a request came from, for the audit ledger, and one line for each in the
/// operator's log, with the route and never the address: an address may name a person.
async fn told(request: Request, next: Next) -> Response {
    let from = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let network = from.map(|ConnectInfo(address)| Network::of(address.ip()));
    let mut id = [0; 8];
    // Without randomness the request has no id, and is served all the same.
    let request_id = match SystemRandom.fill(&mut id) {
        Ok(()) => format!("{:016x}", u64::from_be_bytes(id)),
        Err(_) => String::new(),
    };
    let origin = Origin { request: request_id.clone(), network };
    let mut response = origin.during(lined(request, next)).await;
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

async fn lined(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    tracing::debug!(
        %method,
        route = route.as_ref().map_or("none", MatchedPath::as_str),
        request = Origin::current().request,
        status = response.status().as_u16(),
        microseconds = started.elapsed().as_micros(),
    );
    response
}
