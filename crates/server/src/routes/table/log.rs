//! The log: AuditEvents for those it is about and who looks after it, checkpoints and proofs for those
//! who hold the platform to account.

use axum::routing::on;

use super::PEOPLE;
use super::parameters::{FORM, FORMS};
use crate::routes::endpoint::Verb::{Get, Post};
use crate::routes::endpoint::{Content, Endpoint, Form, Param};
use crate::routes::log;

const LEDGER: Param =
    Param::choice("ledger", "the log of looks, or the clinical facts", &["audit", "clinical"]);

const SEARCH: &[Param] = &[
    Param::text("patient", "whose information was seen: a Patient; a number belongs in a form"),
    Param::text("date", "when, with a prefix such as `ge`"),
    Param::text("agent", "who, by HPR number, login subject or client"),
    Param::text("agent-name", "the beginning of a name of who it was"),
    Param::text("agent-role", "key of the role"),
    Param::choice("action", "what was done", &["C", "R"]),
    Param::choice("outcome", "`0` was permitted, `4` refused", &["0", "4"]),
    Param::text("subtype", "the interaction, such as `overview`"),
    Param::text("purpose", "purpose of use, such as `TREAT`, or a 9151 code"),
    Param::text("entity", "a resource, `Type/id`"),
    Param::text("entity-type", "a resource type"),
    Param::text("policy", "version of the rules, `urn:fkj:policy:…`"),
    Param::text("_id", "logical ids"),
    Param::number("_count", "most resources on a page"),
    Param::choice("_sort", "the newest first", &["-date"]),
];

/// In the order they are told of.
pub const ROWS: &[Endpoint] = &[
    Endpoint::new(
        &[Get],
        "/{kommune}/log/AuditEvent",
        "log-search",
        "Who looked, recorded or was refused, the newest first",
        |with| on(with, log::search),
    )
    .callers(PEOPLE)
    .query(SEARCH)
    .answers(&[(200, Form::Type("Bundle"))]),
    Endpoint::new(
        &[Post],
        "/{kommune}/log/AuditEvent/_search",
        "log-search-form",
        "The same with the parameters in a form: the place for identity numbers",
        |with| on(with, log::search_form),
    )
    .callers(PEOPLE)
    .takes(&[Content { media: FORM, form: Form::Pairs, example: None }])
    .answers(&[(200, Form::Type("Bundle"))]),
    Endpoint::new(
        &[Get],
        "/{kommune}/log/AuditEvent/{id}",
        "log-read",
        "One entry of the log",
        |with| on(with, log::read),
    )
    .callers(PEOPLE)
    .query(FORMS)
    .answers(&[(200, Form::Type("AuditEvent"))]),
    Endpoint::new(
        &[Get],
        "/{kommune}/admin/log/key",
        "log-key",
        "The public key of the checkpoints, as C2SP writes it",
        |with| on(with, log::key),
    )
    .query(&[LEDGER])
    .answers(&[(200, Form::Text)]),
    Endpoint::new(
        &[Get],
        "/{kommune}/admin/log/checkpoint",
        "log-checkpoint",
        "The latest signed checkpoint",
        |with| on(with, log::checkpoint),
    )
    .query(&[LEDGER])
    .answers(&[(200, Form::Text)]),
    Endpoint::new(
        &[Get],
        "/{kommune}/admin/log/checkpoint/{size}",
        "log-checkpoint-of",
        "The signed checkpoint of so many entries",
        |with| on(with, log::checkpoint),
    )
    .query(&[LEDGER])
    .answers(&[(200, Form::Text)]),
    Endpoint::new(
        &[Get],
        "/{kommune}/admin/log/consistency",
        "log-consistency",
        "The proof that the first entries are still the same: one hash on each line",
        |with| on(with, log::consistency),
    )
    .query(&[
        Param::number("from", "the smaller number of entries").required(),
        Param::number("to", "the larger number of entries").required(),
        LEDGER,
    ])
    .answers(&[(200, Form::Text)]),
    Endpoint::new(
        &[Get],
        "/{kommune}/admin/log/proof",
        "log-proof",
        "The proof that an entry is in the log, as C2SP writes it, with the entry",
        |with| on(with, log::proof),
    )
    .callers(PEOPLE)
    .query(&[
        Param::number("position", "position of the entry").required(),
        Param::number("size", "the checkpoint to prove it against; a new one where it is left out"),
        LEDGER,
    ])
    .answers(&[(200, Form::Text)]),
];
