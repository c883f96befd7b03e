//! Pages in a browser: sessions, forms and live events around what `pages` renders.

mod admin;
mod authorize;
mod disposal;
mod docs;
mod form;
pub mod origin;
mod reader;
mod rights;
mod session;
mod signin;
mod vigilance;

use access::refusal::Refusal;
use axum::extract::Path;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::on;
use exchange::error::{Category, Failure};
use pages::layout::Session;
use pages::{address, assets, problem};

use crate::problem::status;
use crate::routes::endpoint::Verb::{Get, Post};
use crate::routes::endpoint::{Endpoint, Form, Handler, Verb};

/// The rows of the pages in the table of addresses.
pub const ROWS: &[Endpoint] = &[
    page_at(&[Get], address::SIGN_IN, "page-sign-in", "The demo's sign-in chooser", |with| {
        on(with, signin::show)
    }),
    page_at(&[Post], address::SIGN_IN, "page-enter", "Sign in, in a demo", |with| {
        on(with, signin::enter)
    }),
    page_at(&[Post], address::SIGN_OUT, "page-leave", "Sign out", |with| on(with, signin::leave)),
    page_at(&[Get], address::AUTHORIZE, "page-authorize", "An app asks who you are", |with| {
        on(with, authorize::show)
    }),
    page_at(&[Post], address::AUTHORIZE, "page-choose", "Choose who to be", |with| {
        on(with, authorize::choose)
    }),
    page_at(&[Get], address::ASSETS, "page-asset", "Style sheet, scripts and icon", |with| {
        on(with, asset)
    }),
    page_at(&[Get], address::LEGEVAKT, "page-find", "The form to find a patient", |with| {
        on(with, reader::find)
    }),
    page_at(&[Post], address::LEGEVAKT, "page-patient", "Services at a glance", |with| {
        on(with, reader::patient)
    }),
    page_at(&[Get], address::TAVLE, "page-board", "The ward's board", |with| {
        on(with, reader::board)
    }),
    page_at(&[Get], address::TAVLE_ROW, "page-board-line", "One line of the board", |with| {
        on(with, reader::board_line)
    }),
    page_at(&[Get], address::TAVLE_EVENTS, "page-board-events", "Which line changed", |with| {
        on(with, reader::board_events)
    }),
    page_at(&[Get], address::CHART, "page-chart", "Chart of NEWS2", |with| on(with, reader::chart)),
    page_at(&[Get], address::INNBYGGER, "page-own", "The resident's own page", |with| {
        on(with, reader::own)
    }),
    page_at(&[Post], address::RESTRICT, "page-restrict", "A resident withholds", |with| {
        on(with, reader::restrict)
    }),
    page_at(&[Post], address::LIFT, "page-lift", "A resident withholds no longer", |with| {
        on(with, reader::lift)
    }),
    page_at(&[Get], address::COPY_PDF, "page-copy", "A resident's copy, to read", |with| {
        on(with, rights::copy_pdf)
    }),
    page_at(&[Get], address::COPY_JSON, "page-copy-json", "The same for programs", |with| {
        on(with, rights::copy_json)
    }),
    page_at(&[Post], address::ASK, "page-ask", "A resident asks for something", |with| {
        on(with, rights::ask)
    }),
    page_at(&[Post], address::WITHDRAW, "page-withdraw", "A resident takes it back", |with| {
        on(with, rights::withdraw)
    }),
    page_at(&[Get], address::CASES, "page-cases", "What residents have asked for", |with| {
        on(with, rights::cases)
    }),
    page_at(&[Post], address::CASES, "page-step", "Take a step with it", |with| {
        on(with, rights::step)
    }),
    page_at(&[Get], address::LOG_ANALYSIS, "page-findings", "What the log asks about", |with| {
        on(with, vigilance::list)
    }),
    page_at(&[Post], address::LOG_ANALYSIS, "page-settle", "Say what came of it", |with| {
        on(with, vigilance::settle)
    }),
    page_at(&[Get], address::ACCESSES, "page-accesses", "Who has which access", |with| {
        on(with, vigilance::review)
    }),
    page_at(&[Post], address::ACCESSES, "page-certify", "Say whether it is needed", |with| {
        on(with, vigilance::certify)
    }),
    page_at(&[Get], address::DISPOSAL, "page-disposal", "What is kept and erased", |with| {
        on(with, disposal::show)
    }),
    page_at(&[Post], address::DISPOSAL, "page-disposal-act", "Keep or erase, by a form", |with| {
        on(with, disposal::act)
    }),
    page_at(&[Get], address::ADMIN, "page-admin", "What the municipality has decided", |with| {
        on(with, admin::show)
    }),
    page_at(&[Post], address::ADMIN, "page-admin-act", "Decide, by a form", |with| {
        on(with, admin::act)
    }),
    page_at(&[Get], address::DOCS_CHOICE, "page-docs-choice", "Whose API to try", |with| {
        on(with, docs::choose)
    }),
    page_at(&[Get], address::DOCS, "page-docs", "Every endpoint, to be tried", |with| {
        on(with, docs::show)
    }),
    page_at(&[Post], address::DOCS_TOKEN, "page-docs-token", "A token, in a demo", |with| {
        on(with, docs::token)
    }),
];

const fn page_at(
    methods: &'static [Verb],
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    handler: Handler,
) -> Endpoint {
    Endpoint::new(methods, path, id, summary, handler).answers(&[(200, Form::Page)])
}

async fn asset(Path(file): Path<String>) -> Response {
    match assets::get(&file) {
        Some((kind, bytes)) => {
            let headers = [
                (CONTENT_TYPE, HeaderValue::from_static(kind)),
                (CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600")),
                (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            ];
            (headers, bytes).into_response()
        }
        None => page(StatusCode::NOT_FOUND, problem::problem(None, problem::Problem::NotFound)),
    }
}

/// A page, under the policy all pages work under. Nothing about patients is kept by caches.
fn page(status: StatusCode, html: String) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(assets::CONTENT_SECURITY_POLICY)),
        // Under `no-referrer` a browser sends `Origin: null` with our own forms as well.
        (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (status, headers, html).into_response()
}

/// Why a page is not shown.
enum Stop {
    /// Nobody is signed in.
    SignIn,
    /// The page is for another role than this person's.
    OtherRole(Box<Session>),
    /// The flow failed, for this person.
    Failed(Option<Box<Session>>, Failure),
}

impl IntoResponse for Stop {
    fn into_response(self) -> Response {
        match self {
            Stop::SignIn => Redirect::to(address::SIGN_IN).into_response(),
            Stop::OtherRole(session) => {
                let html = problem::problem(Some(&session), problem::Problem::OtherRole);
                page(StatusCode::FORBIDDEN, html)
            }
            Stop::Failed(session, failure) => failed(session.as_deref(), &failure),
        }
    }
}

fn failed(session: Option<&Session>, failure: &Failure) -> Response {
    let code = status(failure.category());
    let html = match failure {
        Failure::Refused(Refusal { rule }) => problem::refused(session, *rule),
        _ => problem::problem(session, kind(failure)),
    };
    page(code, html)
}

fn kind(failure: &Failure) -> problem::Problem {
    match failure.category() {
        Category::NotFound | Category::Gone => problem::Problem::NotFound,
        Category::Malformed | Category::Invalid => problem::Problem::BadForm,
        Category::Busy => problem::Problem::Busy,
        Category::Unavailable => problem::Problem::Unavailable,
        Category::Refused | Category::Conflict | Category::Precondition => {
            problem::Problem::Internal
        }
    }
}
