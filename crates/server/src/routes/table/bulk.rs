//! Bulk export and import.

use axum::routing::on;

use super::parameters::{ASYNCHRONOUS, EXPORT, IMPORT, PARAMETERS};
use super::{READERS, SYSTEMS};
use crate::routes::bulk;
use crate::routes::endpoint::Act::Operation;
use crate::routes::endpoint::Verb::{Delete, Get, Post};
use crate::routes::endpoint::{Content, Endpoint, Form};

const BEGUN: &[(u16, Form)] = &[(202, Form::Empty)];
const LINES: &[Content] = &[Content {
    media: "application/fhir+ndjson",
    form: Form::Lines,
    example: Some(include_str!("examples/import.ndjson")),
}];

/// In the order they are told of.
pub const ROWS: &[Endpoint] = &[
    Endpoint::new(
        &[Get, Post],
        "/{kommune}/fhir/$export",
        "export",
        "Export everything the system may read",
        |with| on(with, bulk::export),
    )
    .acts(&[Operation("http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export")])
    .callers(SYSTEMS)
    .query(EXPORT)
    .headers(ASYNCHRONOUS)
    .takes(PARAMETERS)
    .answers(BEGUN),
    Endpoint::new(
        &[Get, Post],
        "/{kommune}/fhir/Patient/$export",
        "export-patients",
        "Export what is about persons",
        |with| on(with, bulk::export_patients),
    )
    .acts(&[Operation("http://hl7.org/fhir/uv/bulkdata/OperationDefinition/patient-export")])
    .callers(SYSTEMS)
    .query(EXPORT)
    .headers(ASYNCHRONOUS)
    .takes(PARAMETERS)
    .answers(BEGUN),
    Endpoint::new(
        &[Get, Post],
        "/{kommune}/fhir/Group/{id}/$export",
        "export-group",
        "Export what is about the members of a Group",
        |with| on(with, bulk::export_group),
    )
    .acts(&[Operation("http://hl7.org/fhir/uv/bulkdata/OperationDefinition/group-export")])
    .callers(SYSTEMS)
    .query(EXPORT)
    .headers(ASYNCHRONOUS)
    .takes(PARAMETERS)
    .answers(BEGUN),
    Endpoint::new(
        &[Get],
        "/{kommune}/export/{id}",
        "export-status",
        "The manifest of an export, or of an answer made in the background, once it is there",
        |with| on(with, bulk::job_status),
    )
    .callers(READERS)
    .answers(&[(200, Form::Json("ExportManifest")), (202, Form::Empty)]),
    Endpoint::new(
        &[Delete],
        "/{kommune}/export/{id}",
        "export-end",
        "End an export or a request that is answered later",
        |with| on(with, bulk::job_end),
    )
    .callers(READERS)
    .answers(BEGUN),
    Endpoint::new(
        &[Get],
        "/{kommune}/export/{id}/{file}",
        "export-file",
        "One file of an export or of a later answer: a resource on each line",
        |with| on(with, bulk::job_file),
    )
    .callers(READERS)
    .answers(&[(200, Form::Lines)]),
    Endpoint::new(
        &[Post],
        "/{kommune}/fhir/$import",
        "import",
        "Import: a resource on each line",
        |with| on(with, bulk::import),
    )
    .callers(SYSTEMS)
    .query(IMPORT)
    .takes(LINES)
    .answers(&[(200, Form::Type("OperationOutcome"))]),
    Endpoint::new(
        &[Get],
        "/{kommune}/fhir/$import/{name}",
        "import-status",
        "How far an import is",
        |with| on(with, bulk::import_status),
    )
    .callers(SYSTEMS)
    .answers(&[(200, Form::Type("OperationOutcome")), (202, Form::Type("OperationOutcome"))]),
];
