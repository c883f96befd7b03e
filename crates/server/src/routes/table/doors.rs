//! The other doors: OKT, PMD and CloudEvents.

use axum::routing::on;

use super::parameters::{BUNDLING, EVENT, FHIR_JSON, FORM, NAMING};
use super::{READERS, SYSTEMS};
use crate::routes::endpoint::Verb::{Get, Post};
use crate::routes::endpoint::{Content, Endpoint, Form};
use crate::routes::{events, okt, pmd};

/// Norsk helsenett's OKT contract.
pub const OKT: &[Endpoint] = &[
    Endpoint::new(
        &[Post],
        "/{kommune}/okt/okt-events",
        "okt-submit",
        "The whole list of a person's services; what is no longer listed is removed",
        |with| on(with, okt::submit),
    )
    .callers(SYSTEMS)
    .headers(NAMING)
    .takes(&[Content {
        media: "application/json",
        form: Form::Json("OktEvent"),
        example: Some(include_str!("examples/okt.json")),
    }])
    .answers(&[(200, Form::Json("OktAnswer"))]),
    Endpoint::new(
        &[Get],
        "/{kommune}/okt/okt-events/{pid}",
        "okt-events",
        "A person's services, whichever door they came through",
        |with| on(with, okt::events),
    )
    .callers(READERS)
    .answers(&[(200, Form::Json("OktEvent"))]),
    Endpoint::new(
        &[Get],
        "/{kommune}/okt/okt-status/{pid}",
        "okt-status",
        "How many of a person's services are active and not paused",
        |with| on(with, okt::status),
    )
    .callers(READERS)
    .answers(&[(200, Form::Json("OktStatus"))]),
];

/// Norsk helsenett's PMD contract.
pub const PMD: &[Endpoint] = &[
    Endpoint::new(
        &[Post],
        "/{kommune}/pmd",
        "pmd-submit",
        "Bundle of Observations, `batch` or `collection`; the answer echoes each `fullUrl`",
        |with| on(with, pmd::submit),
    )
    .also("/{kommune}/pmd/")
    .callers(SYSTEMS)
    .headers(BUNDLING)
    .takes(&[Content {
        media: FHIR_JSON,
        form: Form::Type("Bundle"),
        example: Some(include_str!("examples/pmd.json")),
    }])
    .answers(&[(200, Form::Type("Bundle")), (202, Form::Empty)]),
    Endpoint::new(
        &[Post],
        "/{kommune}/pmd/Observation/_search",
        "pmd-search",
        "Search measurements by form",
        |with| on(with, pmd::search),
    )
    .callers(READERS)
    .takes(&[Content { media: FORM, form: Form::Pairs, example: Some("_count=5&_sort=-date") }])
    .answers(&[(200, Form::Type("Bundle")), (202, Form::Empty)]),
];

/// CloudEvents 1.0 over HTTP.
pub const EVENTS: &[Endpoint] = &[Endpoint::new(
    &[Post],
    "/{kommune}/events",
    "events",
    "Events: structured, binary or batch; `source` and `id` make a repeat safe",
    |with| on(with, events::submit),
)
.callers(SYSTEMS)
.headers(EVENT)
.takes(&[
    Content {
        media: "application/cloudevents+json",
        form: Form::Json("CloudEvent"),
        example: Some(include_str!("examples/event.json")),
    },
    Content {
        media: "application/cloudevents-batch+json",
        form: Form::Json("CloudEvents"),
        example: None,
    },
    Content { media: FHIR_JSON, form: Form::Resource, example: None },
])
.answers(&[(200, Form::Type("Bundle"))])];
