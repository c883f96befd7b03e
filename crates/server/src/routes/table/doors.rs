//! The other doors: OKT, PMD and CloudEvents.

use axum::routing::on;

use super::parameters::{BUNDLING, EVENT, FHIR_JSON, FORM, NAMING};
use super::{READERS, SYSTEMS};
use crate::routes::endpoint::Verb::{Get, Post};
use crate::routes::endpoint::{Content, Endpoint, Form, Param};
use crate::routes::{events, okt, pmd, pvk};

const JSON: &str = "application/json";

/// A setting as it is asked for; what a look does not need, it passes over.
const PVK_EXAMPLE: &str = include_str!("examples/pvk.json");

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

/// Helsenorge's PVK contract: settings of privacy.
pub const PVK: &[Endpoint] = &[
    Endpoint::new(
        &[Post],
        "/{kommune}/personvern/Personverninnstillinger/SjekkInnbyggersPiStatus/v2",
        "pvk-check",
        "Whether a person has a setting on",
        |with| on(with, pvk::check),
    )
    .callers(SYSTEMS)
    .takes(&[Content { media: JSON, form: Form::Json("PvkNamed"), example: Some(PVK_EXAMPLE) }])
    .answers(&[(200, Form::Json("PvkSetting"))]),
    Endpoint::new(
        &[Post],
        "/{kommune}/personvern/Personverninnstillinger/HentInnbyggersPiForPart/v2",
        "pvk-of-part",
        "A person's settings by all definitions of a part",
        |with| on(with, pvk::of_part),
    )
    .callers(SYSTEMS)
    .takes(&[Content { media: JSON, form: Form::Json("PvkNamed"), example: Some(PVK_EXAMPLE) }])
    .answers(&[(200, Form::Json("PvkSettings"))]),
    Endpoint::new(
        &[Get],
        "/{kommune}/personvern/Personverninnstillinger/HentInnbyggereAktivePiForDefinisjon/v2",
        "pvk-active",
        "Everybody who has a setting on, in pages",
        |with| on(with, pvk::active),
    )
    .callers(SYSTEMS)
    .query(&[
        Param::text("definisjonGuid", "the definition").required(),
        Param::text("partKode", "whose definition it is").required(),
        Param::number("pagingReference", "where to go on, as the page before told"),
    ])
    .answers(&[(200, Form::Json("PvkSettings"))]),
    Endpoint::new(
        &[Post],
        "/{kommune}/personvern/Personverninnstillinger/SettInnbyggersPersonvernInnstilling/v2",
        "pvk-set",
        "Set a person's setting on or off; in force when the answer leaves",
        |with| on(with, pvk::set),
    )
    .callers(SYSTEMS)
    .takes(&[Content { media: JSON, form: Form::Json("PvkWanted"), example: Some(PVK_EXAMPLE) }])
    .answers(&[(200, Form::Json("PvkSet"))]),
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
