//! What residents have a right to: a copy, and to ask for more.

use axum::routing::on;

use super::parameters::{FORMS, PARAMETERS};
use super::{PEOPLE, READERS};
use crate::routes::endpoint::Act::Operation;
use crate::routes::endpoint::Verb::{Get, Post};
use crate::routes::endpoint::{Content, Endpoint, Form, Param};
use crate::routes::fhir::operation::rights;

const TASK: &[(u16, Form)] = &[(200, Form::Type("Task"))];
const NEW_TASK: &[(u16, Form)] = &[(201, Form::Type("Task"))];
const BUNDLE: &[(u16, Form)] = &[(200, Form::Type("Bundle"))];
const DEFINITION: &[(u16, Form)] = &[(200, Form::Type("OperationDefinition"))];

/// Of `$copy`.
const COPY: &[Param] = &[
    Param::text("request", "for a privacy officer: the Task that the copy answers"),
    Param::choice("portable", "only what rests on consent", &["true", "false"]),
    Param::choice("_format", "`application/pdf` for a document", &["json", "application/pdf"]),
];

/// A request.
const A_REQUEST: &[Content] = &[Content {
    media: "application/fhir+json",
    form: Form::Type("Parameters"),
    example: Some(include_str!("examples/rights-request.json")),
}];

/// In the order they are told of.
pub const ROWS: &[Endpoint] = &[
    Endpoint::new(
        &[Get, Post],
        "/{kommune}/fhir/Patient/{id}/$copy",
        "copy",
        "A copy of everything about a person that the person may see, for programs or to read",
        |with| on(with, rights::copy),
    )
    .acts(&[Operation("https://fkj.no/fhir/OperationDefinition/copy")])
    .callers(PEOPLE)
    .query(COPY)
    .takes(PARAMETERS)
    .answers(BUNDLE),
    Endpoint::new(
        &[Post],
        "/{kommune}/fhir/Patient/{id}/$rights-request",
        "rights-request",
        "Ask for a correction, deletion, copy or explanation: a Task with the day an answer is due",
        |with| on(with, rights::request),
    )
    .acts(&[Operation("https://fkj.no/fhir/OperationDefinition/rights-request")])
    .callers(READERS)
    .takes(A_REQUEST)
    .answers(NEW_TASK),
    Endpoint::new(
        &[Post],
        "/{kommune}/fhir/Task/{id}/$rights-step",
        "rights-step",
        "Take a step with such a request",
        |with| on(with, rights::step),
    )
    .acts(&[Operation("https://fkj.no/fhir/OperationDefinition/rights-step")])
    .callers(READERS)
    .takes(PARAMETERS)
    .answers(TASK),
    Endpoint::new(
        &[Get],
        "/{kommune}/fhir/OperationDefinition/copy",
        "definition-of-copy",
        "Definition of `$copy`",
        |with| on(with, rights::definition_of_copy),
    )
    .query(FORMS)
    .answers(DEFINITION),
    Endpoint::new(
        &[Get],
        "/{kommune}/fhir/OperationDefinition/rights-request",
        "definition-of-rights-request",
        "Definition of `$rights-request`",
        |with| on(with, rights::definition_of_request),
    )
    .query(FORMS)
    .answers(DEFINITION),
    Endpoint::new(
        &[Get],
        "/{kommune}/fhir/OperationDefinition/rights-step",
        "definition-of-rights-step",
        "Definition of `$rights-step`",
        |with| on(with, rights::definition_of_step),
    )
    .query(FORMS)
    .answers(DEFINITION),
];
