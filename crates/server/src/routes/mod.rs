//! The addresses of the platform. The one table of routes: documentation and tests read it.

pub mod bulk;
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
use axum::routing::{MethodRouter, get, post};

use crate::app::App;
use crate::negotiate;
use crate::problem::Problem;
use crate::routes::fhir::operation::{codes, resource};
use crate::routes::fhir::{bundle, look, operation, write};

/// Largest body that is taken in before the token is looked at: 64 KB.
const SMALL_BODY: usize = 64 * 1024;

/// Everything under one router.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/{kommune}/fhir", get(look::search_all).post(bundle::bundle))
        .route("/{kommune}/fhir/", get(look::search_all).post(bundle::bundle))
        .route("/{kommune}/fhir/_search", post(look::search_all_form))
        .route("/{kommune}/fhir/metadata", get(fhir::metadata))
        .route("/{kommune}/fhir/_history", get(look::history_of_all))
        .route(
            "/{kommune}/fhir/{kind}",
            get(look::search)
                .post(write::create)
                .put(write::update_matching)
                .patch(write::patch_matching)
                .delete(write::delete_matching),
        )
        .route("/{kommune}/fhir/{kind}/_search", post(look::search_form))
        .route("/{kommune}/fhir/{kind}/_history", get(look::history_of_type))
        .route(
            "/{kommune}/fhir/{kind}/{id}",
            get(look::read).put(write::update).patch(write::patch).delete(write::delete),
        )
        .route("/{kommune}/fhir/{kind}/{id}/{of}", get(look::search_compartment))
        .route("/{kommune}/fhir/{kind}/{id}/{of}/_search", post(look::search_compartment_form))
        .route("/{kommune}/fhir/{kind}/{id}/_history", get(look::history))
        .route("/{kommune}/fhir/{kind}/{id}/_history/{version}", get(look::vread))
        .route(
            "/{kommune}/fhir/Patient/{id}/$kommunale-tjenester",
            get(operation::overview).post(operation::overview),
        )
        .route("/{kommune}/fhir/$export", get(bulk::export).post(bulk::export))
        .route(
            "/{kommune}/fhir/Patient/$export",
            get(bulk::export_patients).post(bulk::export_patients),
        )
        .route(
            "/{kommune}/fhir/Group/{id}/$export",
            get(bulk::export_group).post(bulk::export_group),
        )
        .route("/{kommune}/export/{id}", get(bulk::export_status).delete(bulk::export_end))
        .route("/{kommune}/export/{id}/{file}", get(bulk::export_file))
        .route("/{kommune}/fhir/$import", post(bulk::import))
        .route("/{kommune}/fhir/$import/{name}", get(bulk::import_status))
        .route("/{kommune}/fhir/Patient/{id}/$news2", get(operation::news2).post(operation::news2))
        .merge(operations())
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

/// The operations of the FHIR door that are HL7's.
fn operations() -> Router<Arc<App>> {
    let routes: [(&str, MethodRouter<Arc<App>>); 20] = [
        (
            "/{kommune}/fhir/Patient/{id}/$everything",
            get(operation::everything).post(operation::everything),
        ),
        ("/{kommune}/fhir/Observation/$lastn", get(operation::lastn).post(operation::lastn)),
        ("/{kommune}/fhir/Observation/$stats", get(operation::stats).post(operation::stats)),
        ("/{kommune}/fhir/ValueSet/$expand", get(codes::expand).post(codes::expand)),
        ("/{kommune}/fhir/ValueSet/{id}/$expand", get(codes::expand_one).post(codes::expand_one)),
        (
            "/{kommune}/fhir/ValueSet/$validate-code",
            get(codes::validate_in_set).post(codes::validate_in_set),
        ),
        (
            "/{kommune}/fhir/ValueSet/{id}/$validate-code",
            get(codes::validate_in_one_set).post(codes::validate_in_one_set),
        ),
        (
            "/{kommune}/fhir/CodeSystem/$validate-code",
            get(codes::validate_in_system).post(codes::validate_in_system),
        ),
        (
            "/{kommune}/fhir/CodeSystem/{id}/$validate-code",
            get(codes::validate_in_one_system).post(codes::validate_in_one_system),
        ),
        ("/{kommune}/fhir/CodeSystem/$lookup", get(codes::lookup).post(codes::lookup)),
        ("/{kommune}/fhir/CodeSystem/$subsumes", get(codes::subsumes).post(codes::subsumes)),
        ("/{kommune}/fhir/ConceptMap/$translate", get(codes::translate).post(codes::translate)),
        (
            "/{kommune}/fhir/ConceptMap/{id}/$translate",
            get(codes::translate_by_one).post(codes::translate_by_one),
        ),
        ("/{kommune}/fhir/{kind}/$validate", post(resource::validate)),
        (
            "/{kommune}/fhir/{kind}/{id}/$validate",
            get(resource::validate_one).post(resource::validate_one),
        ),
        ("/{kommune}/fhir/{kind}/{id}/$meta", get(resource::meta)),
        ("/{kommune}/fhir/{kind}/{id}/$meta-add", post(resource::meta_add)),
        ("/{kommune}/fhir/{kind}/{id}/$meta-delete", post(resource::meta_delete)),
        (
            "/{kommune}/fhir/OperationDefinition/kommunale-tjenester",
            get(operation::definition_of_overview),
        ),
        ("/{kommune}/fhir/OperationDefinition/news2", get(operation::definition_of_news2)),
    ];
    routes.into_iter().fold(Router::new(), |router, (path, methods)| router.route(path, methods))
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
