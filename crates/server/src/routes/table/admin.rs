//! The municipality's own register, for those who have a duty in it.

use axum::routing::on;

use crate::routes::admin;
use crate::routes::endpoint::Verb::{Delete, Get, Post, Put};
use crate::routes::endpoint::{Caller, Content, Endpoint, Form, Param};

const ADMINS: &[Caller] = &[Caller::Admin];

const IF_MATCH: &[Param] =
    &[Param::text("If-Match", "`W/\"version\"` of the register, as last read").required()];

const ALL: &[Param] = &[Param::choice("all", "also what is done with", &["true", "false"])];

const DECIDED: &[(u16, Form)] = &[(200, Form::Json("Decided")), (202, Form::Json("Decided"))];

const fn json(form: &'static str, example: &'static str) -> Content {
    Content { media: "application/json", form: Form::Json(form), example: Some(example) }
}

const WHY: &[Content] = &[json("Why", r#"{ "why": "enig" }"#)];

/// In the order they are told of.
pub const ROWS: &[Endpoint] = &[
    Endpoint::new(
        &[Get],
        "/{kommune}/admin/register",
        "admin-register",
        "What holds now, part by part, each member with who, when and why",
        |with| on(with, admin::register),
    )
    .callers(ADMINS)
    .answers(&[(200, Form::Json("Register"))]),
    Endpoint::new(
        &[Get],
        "/{kommune}/admin/register/history",
        "admin-history",
        "Decisions about the register, the newest first",
        |with| on(with, admin::history),
    )
    .callers(ADMINS)
    .query(&[
        Param::number("_count", "most decisions, 100 at most"),
        Param::number("before", "a version: only decisions before it"),
    ])
    .answers(&[(200, Form::Json("Decisions"))]),
    Endpoint::new(
        &[Put],
        "/{kommune}/admin/register/{part}/{key}",
        "admin-put",
        "Decide what a member of the register is; the whole register is checked first",
        |with| on(with, admin::put_member),
    )
    .callers(ADMINS)
    .headers(IF_MATCH)
    .takes(&[json(
        "Member",
        r#"{ "value": { "organisation": "310312055", "name": "Ny avdeling", "kind": "ward" }, "why": "ny avdeling fra 1. januar" }"#,
    )])
    .answers(DECIDED),
    Endpoint::new(
        &[Delete],
        "/{kommune}/admin/register/{part}/{key}",
        "admin-end",
        "End a member; where that destroys something, a second person is asked",
        |with| on(with, admin::end_member),
    )
    .callers(ADMINS)
    .query(&[Param::text("why", "the reason; nothing about persons").required()])
    .headers(IF_MATCH)
    .answers(DECIDED),
    Endpoint::new(
        &[Post],
        "/{kommune}/admin/register/rollback",
        "admin-rollback",
        "Bring the register back to a version, as a new decision",
        |with| on(with, admin::roll_back),
    )
    .callers(ADMINS)
    .headers(IF_MATCH)
    .takes(&[json("Rollback", r#"{ "to": 1, "why": "feil i forrige beslutning" }"#)])
    .answers(DECIDED),
    Endpoint::new(
        &[Post],
        "/{kommune}/admin/switches",
        "admin-switch",
        "Kill switch: stop or resume a service, purpose, vendor, client or the municipality, at once",
        |with| on(with, admin::throw_switch),
    )
    .callers(ADMINS)
    .takes(&[json("Throw", r#"{ "stop": { "client": "vkp-9901" }, "why": "feil i målinger" }"#)])
    .answers(DECIDED),
    Endpoint::new(
        &[Get],
        "/{kommune}/admin/proposals",
        "admin-proposals",
        "What waits for a second person",
        |with| on(with, admin::proposals),
    )
    .callers(ADMINS)
    .query(ALL)
    .answers(&[(200, Form::Json("Proposals"))]),
    Endpoint::new(
        &[Post],
        "/{kommune}/admin/proposals/{id}/approve",
        "admin-approve",
        "Agree to what another person has proposed",
        |with| on(with, admin::approve),
    )
    .callers(ADMINS)
    .takes(WHY)
    .answers(&[(200, Form::Json("Decided"))]),
    Endpoint::new(
        &[Post],
        "/{kommune}/admin/proposals/{id}/reject",
        "admin-reject",
        "Say no to a proposal, or take one's own back",
        |with| on(with, admin::reject),
    )
    .callers(ADMINS)
    .takes(WHY)
    .answers(&[(200, Form::Json("Decided"))]),
    Endpoint::new(
        &[Get],
        "/{kommune}/admin/emergency",
        "admin-emergency",
        "Emergency accesses that nobody has looked into",
        |with| on(with, admin::emergencies),
    )
    .callers(ADMINS)
    .query(ALL)
    .answers(&[(200, Form::Json("Emergencies"))]),
    Endpoint::new(
        &[Post],
        "/{kommune}/admin/emergency/{id}/review",
        "admin-review",
        "Say what was found when an emergency access was looked into",
        |with| on(with, admin::review),
    )
    .callers(ADMINS)
    .takes(&[json("Review", r#"{ "outcome": "justified", "why": "bevisstløs pasient" }"#)])
    .answers(&[(200, Form::Json("Decided"))]),
];
