//! FHIR R4 REST.

use axum::routing::on;

use super::parameters::{
    A_BUNDLE, A_MATCH, A_PATCH, A_RESOURCE, A_SEARCH, A_VERSION, BUNDLING, CREATING, FORMS,
    HISTORY, PARAMETERS, PATCHING, READ, READING, REMOVING, SEARCH, SEARCHING, UPDATING,
};
use super::{KEEPERS, READERS, SYSTEMS};
use crate::routes::endpoint::Act::{Condition, OfSystem, OfType, Operation};
use crate::routes::endpoint::Extent::{Code, Yes};
use crate::routes::endpoint::Verb::{Delete, Get, Patch, Post, Put};
use crate::routes::endpoint::{Endpoint, Form, Param};
use crate::routes::fhir::{bundle, look, metadata, operation, write};
use crate::routes::smart;

const WRITTEN: &[(u16, Form)] = &[(200, Form::Resource), (201, Form::Resource), (202, Form::Empty)];
const CHANGED: &[(u16, Form)] = &[(200, Form::Resource), (202, Form::Empty)];
const REMOVED: &[(u16, Form)] =
    &[(200, Form::Type("OperationOutcome")), (202, Form::Empty), (204, Form::Empty)];
const READ_OR_KEPT: &[(u16, Form)] = &[(200, Form::Resource), (304, Form::Empty)];
const BUNDLE: &[(u16, Form)] = &[(200, Form::Type("Bundle")), (202, Form::Empty)];
const ANSWERED: &[(u16, Form)] = &[(200, Form::Type("Parameters"))];

const MODE: &[Param] = &[Param::choice(
    "mode",
    "`terminology` asks what is known of code systems instead",
    &["full", "normative", "terminology"],
)];

/// In the order they are told of.
pub const ROWS: &[Endpoint] = &[
    Endpoint::new(
        &[Get],
        "/{kommune}/fhir/metadata",
        "capabilities",
        "CapabilityStatement, or with `mode=terminology` TerminologyCapabilities",
        |with| on(with, metadata),
    )
    .query(MODE)
    .answers(&[(200, Form::Type("CapabilityStatement"))]),
    Endpoint::new(
        &[Get],
        "/{kommune}/fhir/.well-known/smart-configuration",
        "smart",
        "Where SMART apps log people in (SMART App Launch 2.2)",
        |with| on(with, smart::configuration),
    )
    .answers(&[(200, Form::Json("Json"))]),
    Endpoint::new(&[Get], "/{kommune}/fhir/{kind}", "search", "Search in one type", |with| {
        on(with, look::search)
    })
    .acts(&[OfType("search-type")])
    .callers(READERS)
    .query(SEARCH)
    .headers(SEARCHING)
    .answers(BUNDLE),
    Endpoint::new(
        &[Post],
        "/{kommune}/fhir/{kind}/_search",
        "search-form",
        "Search with the parameters in a form: the place for identity numbers",
        |with| on(with, look::search_form),
    )
    .acts(&[OfType("search-type")])
    .callers(READERS)
    .headers(SEARCHING)
    .takes(A_SEARCH)
    .answers(BUNDLE),
    Endpoint::new(
        &[Get],
        "/{kommune}/fhir",
        "search-all",
        "Search in several types, `_type`, or in all",
        |with| on(with, look::search),
    )
    .also("/{kommune}/fhir/")
    .acts(&[OfSystem("search-system")])
    .callers(READERS)
    .query(SEARCH_ALL)
    .headers(SEARCHING)
    .answers(BUNDLE),
    Endpoint::new(
        &[Post],
        "/{kommune}/fhir/_search",
        "search-all-form",
        "Search in several types with the parameters in a form",
        |with| on(with, look::search_form),
    )
    .acts(&[OfSystem("search-system")])
    .callers(READERS)
    .headers(SEARCHING)
    .takes(A_SEARCH)
    .answers(BUNDLE),
    Endpoint::new(
        &[Get],
        "/{kommune}/fhir/{kind}/{id}/{of}",
        "search-compartment",
        "Search what belongs to a patient, or another compartment: one type, or `*` for all",
        |with| on(with, look::search),
    )
    .callers(READERS)
    .query(SEARCH)
    .headers(SEARCHING)
    .answers(BUNDLE),
    Endpoint::new(
        &[Post],
        "/{kommune}/fhir/{kind}/{id}/{of}/_search",
        "search-compartment-form",
        "Search what belongs to a patient with the parameters in a form",
        |with| on(with, look::search_form),
    )
    .callers(READERS)
    .headers(SEARCHING)
    .takes(A_SEARCH)
    .answers(BUNDLE),
    Endpoint::new(
        &[Get],
        "/{kommune}/fhir/{kind}/{id}",
        "read",
        "Read the current version",
        |with| on(with, look::read),
    )
    .acts(&[OfType("read"), Condition("conditionalRead", Code("full-support"))])
    .callers(READERS)
    .query(READ)
    .headers(READING)
    .answers(READ_OR_KEPT),
    Endpoint::new(
        &[Get],
        "/{kommune}/fhir/{kind}/{id}/_history/{version}",
        "vread",
        "Read one version",
        |with| on(with, look::vread),
    )
    .acts(&[OfType("vread")])
    .callers(READERS)
    .query(READ)
    .headers(READING)
    .answers(READ_OR_KEPT),
    Endpoint::new(
        &[Post],
        "/{kommune}/fhir/{kind}",
        "create",
        "Create; with `If-None-Exist` only if nothing matches. A resident: a Consent",
        |with| on(with, write::create),
    )
    .acts(&[OfType("create"), Condition("conditionalCreate", Yes)])
    .callers(KEEPERS)
    .query(FORMS)
    .headers(CREATING)
    .takes(A_RESOURCE)
    .answers(WRITTEN),
    Endpoint::new(
        &[Put],
        "/{kommune}/fhir/{kind}/{id}",
        "update",
        "Update, or create with this id. A resident: a Consent",
        |with| on(with, write::update),
    )
    .acts(&[OfType("update"), Condition("updateCreate", Yes)])
    .callers(KEEPERS)
    .query(FORMS)
    .headers(UPDATING)
    .takes(A_VERSION)
    .answers(WRITTEN),
    Endpoint::new(
        &[Put],
        "/{kommune}/fhir/{kind}",
        "update-matching",
        "Update the one resource that matches the query, or create it",
        |with| on(with, write::update),
    )
    .acts(&[Condition("conditionalUpdate", Yes)])
    .callers(SYSTEMS)
    .query(MATCHING)
    .headers(UPDATING)
    .takes(A_MATCH)
    .answers(WRITTEN),
    Endpoint::new(
        &[Patch],
        "/{kommune}/fhir/{kind}/{id}",
        "patch",
        "Change parts, by JSON Patch or FHIRPath Patch. A resident: of a Consent",
        |with| on(with, write::patch),
    )
    .acts(&[OfType("patch")])
    .callers(KEEPERS)
    .query(FORMS)
    .headers(PATCHING)
    .takes(A_PATCH)
    .answers(CHANGED),
    Endpoint::new(
        &[Patch],
        "/{kommune}/fhir/{kind}",
        "patch-matching",
        "Change parts of the one resource that matches the query",
        |with| on(with, write::patch),
    )
    .callers(SYSTEMS)
    .query(MATCHING)
    .headers(PATCHING)
    .takes(A_PATCH)
    .answers(CHANGED),
    Endpoint::new(
        &[Delete],
        "/{kommune}/fhir/{kind}/{id}",
        "delete",
        "Remove. A resident: a Consent",
        |with| on(with, write::delete),
    )
    .acts(&[OfType("delete")])
    .callers(KEEPERS)
    .headers(REMOVING)
    .answers(REMOVED),
    Endpoint::new(
        &[Delete],
        "/{kommune}/fhir/{kind}",
        "delete-matching",
        "Remove the one resource that matches the query, if any",
        |with| on(with, write::delete),
    )
    .acts(&[Condition("conditionalDelete", Code("single"))])
    .callers(SYSTEMS)
    .query(MATCHING)
    .headers(REMOVING)
    .answers(REMOVED),
    Endpoint::new(
        &[Get],
        "/{kommune}/fhir/{kind}/{id}/_history",
        "history",
        "All versions of one resource",
        |with| on(with, look::history),
    )
    .acts(&[OfType("history-instance")])
    .callers(READERS)
    .query(HISTORY)
    .headers(SEARCHING)
    .answers(BUNDLE),
    Endpoint::new(
        &[Get],
        "/{kommune}/fhir/{kind}/_history",
        "history-of-type",
        "What has changed in one type",
        |with| on(with, look::history),
    )
    .acts(&[OfType("history-type")])
    .callers(KEEPERS)
    .query(HISTORY)
    .headers(SEARCHING)
    .answers(BUNDLE),
    Endpoint::new(
        &[Get],
        "/{kommune}/fhir/_history",
        "history-of-all",
        "What has changed",
        |with| on(with, look::history),
    )
    .acts(&[OfSystem("history-system")])
    .callers(KEEPERS)
    .query(HISTORY)
    .headers(SEARCHING)
    .answers(BUNDLE),
    Endpoint::new(
        &[Post],
        "/{kommune}/fhir",
        "bundle",
        "Bundle: `transaction` and `collection` are all or nothing, `batch` is entry by entry",
        |with| on(with, bundle::bundle),
    )
    .also("/{kommune}/fhir/")
    .acts(&[OfSystem("transaction"), OfSystem("batch")])
    .callers(READERS)
    .query(FORMS)
    .headers(BUNDLING)
    .takes(A_BUNDLE)
    .answers(BUNDLE),
    Endpoint::new(
        &[Get, Post],
        "/{kommune}/fhir/Patient/{id}/$kommunale-tjenester",
        "overview",
        "Overview of a patient's municipal services",
        |with| on(with, operation::overview),
    )
    .acts(&[Operation("https://fkj.no/fhir/OperationDefinition/kommunale-tjenester")])
    .callers(READERS)
    .query(FORMS)
    .takes(PARAMETERS)
    .answers(ANSWERED),
    Endpoint::new(
        &[Get, Post],
        "/{kommune}/fhir/Patient/{id}/$news2",
        "news2",
        "NEWS2: latest, series, trend and the patient's normal",
        |with| on(with, operation::news2),
    )
    .acts(&[Operation("https://fkj.no/fhir/OperationDefinition/news2")])
    .callers(READERS)
    .query(FORMS)
    .takes(PARAMETERS)
    .answers(ANSWERED),
];

/// Parameters of a search in several types.
const SEARCH_ALL: &[Param] = &[
    Param::text("_type", "the resource types, with commas between"),
    Param::text("_id", "logical ids"),
    Param::text("_lastUpdated", "when it was last changed, with a prefix such as `ge`"),
    Param::text("_count", "matches on a page"),
];

/// A condition in the query: the search parameters of the type; the identifier is what most use.
const MATCHING: &[Param] =
    &[Param::text("identifier", "`system|value` of the source's own identifier").required()];
