//! About the platform itself: its own description, what it carries, and whether it is well.

use axum::routing::on;

use crate::openapi;
use crate::routes::catalogue;
use crate::routes::endpoint::Verb::Get;
use crate::routes::endpoint::{Endpoint, Form};
use crate::routes::health;

/// In the order they are told of.
pub const ROWS: &[Endpoint] = &[
    Endpoint::new(
        &[Get],
        "/{kommune}/openapi.json",
        "openapi",
        "This description, as OpenAPI 3.1",
        |with| on(with, openapi::answer),
    )
    .answers(&[(200, Form::Json("OpenApi"))]),
    Endpoint::new(
        &[Get],
        "/katalog.json",
        "catalogue",
        "The information catalogue: domains, categories and elements, in three languages",
        |with| on(with, catalogue::json),
    )
    .answers(&[(200, Form::Json("Catalogue"))]),
    Endpoint::new(&[Get], "/healthz", "health", "The process answers", |with| {
        on(with, health::alive)
    })
    .answers(&[(200, Form::Text)]),
    Endpoint::new(
        &[Get],
        "/readyz",
        "ready",
        "Each municipality, the position its readers see, and what is wrong",
        |with| on(with, health::ready),
    )
    .answers(&[(200, Form::Text)]),
    Endpoint::new(
        &[Get],
        "/metrics",
        "metrics",
        "The same as figures, in Prometheus' text format",
        |with| on(with, health::metrics),
    )
    .answers(&[(200, Form::Text)]),
];
