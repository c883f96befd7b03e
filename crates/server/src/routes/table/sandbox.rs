//! The stand-ins of a demo: HelseID, ID-porten, Maskinporten, and the server that launches SMART apps.

use axum::routing::on;

use super::parameters::FORM;
use crate::routes::endpoint::Verb::{Get, Post};
use crate::routes::endpoint::{Content, Endpoint, Form, Param};
use crate::routes::{national, sandbox};

const PROOF: &[Param] = &[Param::text("DPoP", "a proof for this address, with the server's nonce")];

const A_FORM: &[Content] = &[Content { media: FORM, form: Form::Pairs, example: None }];

const FAULTS: &[Param] = &[
    Param::choice("slag", "how it fails", &["nede", "kuttet", "feil", "sperret", "treg"]),
    Param::number("ms", "how slow, where it is `treg`"),
];

/// In the order they are told of.
pub const ROWS: &[Endpoint] = &[
    Endpoint::new(
        &[Get],
        "/sandkasse/{issuer}/.well-known/openid-configuration",
        "issuer-openid",
        "What a stand-in can do (OpenID Connect Discovery)",
        |with| on(with, sandbox::metadata),
    )
    .answers(&[(200, Form::Json("Json"))]),
    Endpoint::new(
        &[Get],
        "/sandkasse/{issuer}/.well-known/oauth-authorization-server",
        "issuer-oauth",
        "The same, by the name of RFC 8414",
        |with| on(with, sandbox::metadata),
    )
    .answers(&[(200, Form::Json("Json"))]),
    Endpoint::new(
        &[Get],
        "/sandkasse/{issuer}/jwks",
        "issuer-keys",
        "The stand-in's public keys",
        |with| on(with, sandbox::jwks),
    )
    .answers(&[(200, Form::Json("Json"))]),
    Endpoint::new(
        &[Post],
        "/sandkasse/{issuer}/clients",
        "issuer-register",
        "Register a client, or public keys for one of the sandbox's (RFC 7591)",
        |with| on(with, sandbox::register),
    )
    .takes(&[Content { media: "application/json", form: Form::Json("Json"), example: None }])
    .answers(&[(201, Form::Json("Json"))]),
    Endpoint::new(
        &[Post],
        "/sandkasse/{issuer}/par",
        "issuer-push",
        "Push an authorization request (RFC 9126)",
        |with| on(with, sandbox::push),
    )
    .proves_itself()
    .headers(PROOF)
    .takes(A_FORM)
    .answers(&[(201, Form::Json("Json"))]),
    Endpoint::new(
        &[Post],
        "/sandkasse/{issuer}/token",
        "issuer-token",
        "Tokens for a code, a refresh token, a system, another token or an assertion",
        |with| on(with, sandbox::token),
    )
    .proves_itself()
    .headers(PROOF)
    .takes(A_FORM)
    .answers(&[(200, Form::Json("Json"))]),
    Endpoint::new(
        &[Post],
        "/sandkasse/smart/launch",
        "issuer-launch",
        "Launch an app on the patient that is open: gives `launch`, good once, for five minutes",
        |with| on(with, sandbox::launch),
    )
    .takes(A_FORM)
    .answers(&[(201, Form::Json("Json"))]),
    Endpoint::new(
        &[Get],
        "/kilder/{source}/{kind}",
        "source-list",
        "A stand-in for a national source that takes the person in the header `nhn-patient-nin`: `kritisk`",
        |with| on(with, national::list),
    )
    .headers(&[Param::text("nhn-patient-nin", "the person's number").required()])
    .answers(&[(200, Form::Type("Bundle"))]),
    Endpoint::new(
        &[Post],
        "/kilder/{source}/{kind}/_search",
        "source-search",
        "A stand-in for a national source: `pps`, `pmd` or `dokumenter`",
        |with| on(with, national::search),
    )
    .headers(&[Param::text("person-id", "the person's number, where the form does not name it")])
    .takes(A_FORM)
    .answers(&[(200, Form::Type("Bundle"))]),
    Endpoint::new(
        &[Post],
        "/kilder/{source}/$feil",
        "source-fail",
        "Let a stand-in fail from now on, and be well again where `slag` is left out",
        |with| on(with, national::fail),
    )
    .query(FAULTS)
    .answers(&[(204, Form::Empty)]),
];
