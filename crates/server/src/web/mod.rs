//! Pages in a browser: sessions, forms and live events around what `pages` renders.

mod origin;
mod reader;
mod session;
mod signin;

use std::sync::Arc;

use access::refusal::Refusal;
use axum::Router;
use axum::extract::Path;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use exchange::error::{Category, Failure};
use pages::layout::Session;
use pages::{address, assets, problem};

use crate::app::App;
use crate::problem::status;

/// The addresses of the pages.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route(address::SIGN_IN, get(signin::show).post(signin::enter))
        .route(address::SIGN_OUT, post(signin::leave))
        .route(address::ASSETS, get(asset))
        .route(address::LEGEVAKT, get(reader::find).post(reader::patient))
        .route(address::TAVLE, get(reader::board))
        .route(address::TAVLE_ROW, get(reader::board_line))
        .route(address::TAVLE_EVENTS, get(reader::board_events))
        .route(address::CHART, get(reader::chart))
        .route(address::INNBYGGER, get(reader::own))
        .layer(middleware::from_fn(origin::own_forms_only))
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
