//! The addresses of the platform. The one table of routes: documentation and tests read it.

pub mod events;
pub mod fhir;
pub mod okt;
pub mod pmd;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_LENGTH;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use crate::app::App;
use crate::negotiate;
use crate::problem::Problem;

/// Largest body that is taken in before the token is looked at: 64 KB.
const SMALL_BODY: usize = 64 * 1024;

/// Everything under one router.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/{kommune}/fhir", post(fhir::bundle))
        .route("/{kommune}/fhir/", post(fhir::bundle))
        .route("/{kommune}/fhir/metadata", get(fhir::metadata))
        .route("/{kommune}/fhir/{kind}", get(fhir::search).post(fhir::create))
        .route("/{kommune}/fhir/{kind}/_search", post(fhir::search_form))
        .route(
            "/{kommune}/fhir/{kind}/{id}",
            get(fhir::read).put(fhir::update).delete(fhir::delete),
        )
        .route("/{kommune}/fhir/{kind}/{id}/_history", get(fhir::history))
        .route("/{kommune}/fhir/{kind}/{id}/_history/{version}", get(fhir::vread))
        .route(
            "/{kommune}/fhir/Patient/{id}/$kommunale-tjenester",
            get(fhir::overview).post(fhir::overview),
        )
        .route("/{kommune}/fhir/Patient/{id}/$news2", get(fhir::news2).post(fhir::news2))
        .route("/{kommune}/okt/okt-events", post(okt::submit))
        .route("/{kommune}/okt/okt-events/{pid}", get(okt::events))
        .route("/{kommune}/okt/okt-status/{pid}", get(okt::status))
        .route("/{kommune}/pmd", post(pmd::submit))
        .route("/{kommune}/pmd/", post(pmd::submit))
        .route("/{kommune}/pmd/Observation/_search", post(pmd::search))
        .route("/{kommune}/events", post(events::submit))
        .merge(crate::web::routes())
        .fallback(|| async { Problem::not_found() })
        .layer(middleware::from_fn(negotiate::layer))
        .layer(middleware::from_fn(take_in))
        .layer(middleware::from_fn(log))
        .with_state(app)
}

/// Ready when every municipality is open; says which are, and how far their readers see.
async fn ready(State(app): State<Arc<App>>) -> Response {
    let open = app.tenants.iter();
    let open = open.map(|(number, hosted)| format!("{number} at {}", hosted.tenant.visible()));
    let closed = app.closed.iter().map(|number| format!("{number} is closed"));
    let lines: Vec<String> = open.chain(closed).collect();
    let all = app.closed.is_empty();
    let status = if all { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, lines.join("\n")).into_response()
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

/// One line for each request, with the route and never the address: an address may name a person.
async fn log(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    tracing::debug!(
        %method,
        route = route.as_ref().map_or("none", MatchedPath::as_str),
        status = response.status().as_u16(),
        microseconds = started.elapsed().as_micros(),
    );
    response
}
