//! Preservation and disposal, for the privacy officer.

use axum::routing::on;

use crate::routes::disposal;
use crate::routes::endpoint::Verb::{Get, Post};
use crate::routes::endpoint::{Caller, Content, Endpoint, Form, Param};

const ADMINS: &[Caller] = &[Caller::Admin];

const ALL: &[Param] = &[Param::choice("all", "also what is lifted", &["true", "false"])];

const DECIDED: &[(u16, Form)] = &[(200, Form::Json("Decided"))];

const fn json(form: &'static str, example: &'static str) -> Content {
    Content { media: "application/json", form: Form::Json(form), example: Some(example) }
}

/// In the order they are told of.
pub const ROWS: &[Endpoint] = &[
    Endpoint::new(
        &[Get],
        "/{kommune}/admin/retention",
        "admin-retention",
        "Persons whose information has been kept long enough, with the rule that says so",
        |with| on(with, disposal::retention),
    )
    .callers(ADMINS)
    .answers(&[(200, Form::Json("Retention"))]),
    Endpoint::new(
        &[Get],
        "/{kommune}/admin/erasures",
        "admin-erasures",
        "Erasures: when, by whom and on what ground",
        |with| on(with, disposal::erasures),
    )
    .callers(ADMINS)
    .answers(&[(200, Form::Json("Erasures"))]),
    Endpoint::new(
        &[Post],
        "/{kommune}/admin/erasures",
        "admin-erase-propose",
        "Ask a second officer to erase everything about a person, or one record",
        |with| on(with, disposal::propose),
    )
    .callers(ADMINS)
    .takes(&[json(
        "Erase",
        r#"{ "number": "23863832187", "basis": "wrong-person", "why": "ført på feil person, sak 26/118" }"#,
    )])
    .answers(&[(202, Form::Json("Decided"))]),
    Endpoint::new(
        &[Get],
        "/{kommune}/admin/holds",
        "admin-holds",
        "Holds: about whom nothing may be erased",
        |with| on(with, disposal::holds),
    )
    .callers(ADMINS)
    .query(ALL)
    .answers(&[(200, Form::Json("Holds"))]),
    Endpoint::new(
        &[Post],
        "/{kommune}/admin/holds",
        "admin-hold",
        "Hold everything about a person until it is lifted",
        |with| on(with, disposal::hold),
    )
    .callers(ADMINS)
    .takes(&[json("Hold", r#"{ "number": "23863832187", "why": "tilsynssak" }"#)])
    .answers(DECIDED),
    Endpoint::new(
        &[Post],
        "/{kommune}/admin/holds/{id}/lift",
        "admin-release",
        "Lift a hold",
        |with| on(with, disposal::lift),
    )
    .callers(ADMINS)
    .takes(&[json("Why", r#"{ "why": "saken er avgjort" }"#)])
    .answers(DECIDED),
    Endpoint::new(
        &[Post],
        "/{kommune}/admin/hand-overs",
        "admin-hand-over",
        "Say that the depot has what is preserved about a person",
        |with| on(with, disposal::hand_over),
    )
    .callers(ADMINS)
    .takes(&[json(
        "HandOver",
        r#"{ "number": "23863832187", "reference": "depot 2026/17", "why": "overlevert" }"#,
    )])
    .answers(DECIDED),
];
