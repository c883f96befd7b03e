//! The demo's sign-in chooser. Serving for real, there is none: the municipality's own sign-in
//! brings the token.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use pages::layout::Area;
use pages::problem;
use pages::signin::{
    Choice, MUNICIPALITY_FIELD, NUMBER_FIELD, Problem, RESIDENT_FIELD, ROLE_FIELD, SignIn, render,
};
use pages::{address, text};
use sandbox::claims::{Role, RoleInfo, RoleKind, roles};
use sandbox::issuer::Issuer;
use sandbox::stories::stories;
use sandbox::world::municipalities;

use crate::app::App;
use crate::command::token::request;
use crate::input;
use crate::web::{page, session};

/// `GET /`.
pub async fn show(State(app): State<Arc<App>>) -> Response {
    match &app.demo {
        Some(_) => page(StatusCode::OK, render(&choices(None))),
        None => {
            let html = problem::problem(None, problem::Problem::SignInNeeded);
            page(StatusCode::UNAUTHORIZED, html)
        }
    }
}

/// `POST /`.
pub async fn enter(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Response {
    let Some(issuer) = &app.demo else { return show(State(app)).await };
    let Ok(bytes) = input::bytes(&headers, body).await else {
        return page(StatusCode::BAD_REQUEST, render(&choices(Some(Problem::NotChosen))));
    };
    let pairs = input::pairs(&bytes);
    let field = |name: &str| {
        let found = pairs.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    };
    let chosen = Chosen {
        municipality: field(MUNICIPALITY_FIELD),
        role: field(ROLE_FIELD).and_then(Role::from_key),
        number: field(NUMBER_FIELD).or(field(RESIDENT_FIELD)),
    };
    match sign_in(&app, issuer, &chosen) {
        Ok(response) => response,
        Err(problem) => page(StatusCode::UNPROCESSABLE_ENTITY, render(&choices(Some(problem)))),
    }
}

/// `POST /ut`.
pub async fn leave() -> Response {
    ([(SET_COOKIE, session::clear())], Redirect::to(address::SIGN_IN)).into_response()
}

struct Chosen<'a> {
    municipality: Option<&'a str>,
    role: Option<Role>,
    number: Option<&'a str>,
}

fn sign_in(app: &App, issuer: &Issuer, chosen: &Chosen<'_>) -> Result<Response, Problem> {
    let (Some(municipality), Some(role)) = (chosen.municipality, chosen.role) else {
        return Err(Problem::NotChosen);
    };
    let hosted = app.tenants.get(municipality).ok_or(Problem::NotChosen)?;
    let number = match (role, chosen.number) {
        (Role::Innbygger, Some(number)) => {
            hosted.tenant.person(number).map_err(|_| Problem::UnknownNumber)?;
            Some(number.to_owned())
        }
        (Role::Innbygger, None) => return Err(Problem::NoResident),
        _ => None,
    };
    let token = request(municipality.to_owned(), role, number)
        .ok()
        .and_then(|request| issuer.token(&request).ok())
        .ok_or(Problem::NotChosen)?;
    let caller =
        app.verifier.in_session(&token, &hosted.demands).map_err(|_| Problem::NotChosen)?;
    let session = session::session(&caller, &hosted.tenant, true);
    let home = session.areas.first().copied().unwrap_or(Area::Legevakt).address(&session.number);
    let secure = app.public_url.starts_with("https:");
    let cookie = session::set(&token, secure).ok_or(Problem::NotChosen)?;
    Ok(([(SET_COOKIE, cookie)], Redirect::to(&home)).into_response())
}

fn choices(problem: Option<Problem>) -> SignIn {
    let choice = |value: &str, title: &str, hint: &str| Choice {
        value: value.to_owned(),
        title: title.to_owned(),
        hint: hint.to_owned(),
    };
    let people = roles().iter().filter(|info: &&RoleInfo| info.kind != RoleKind::System);
    SignIn {
        municipalities: municipalities()
            .iter()
            .map(|it| choice(it.number, &format!("{} {}", it.number, it.name), ""))
            .collect(),
        roles: people
            .map(|info| {
                let hint = text::find(&format!("signin-role-{}", info.key), &[]);
                choice(info.key, info.title, &hint.unwrap_or_default())
            })
            .collect(),
        residents: stories()
            .iter()
            .map(|story| {
                choice(
                    &story.number,
                    &format!("{} ({})", story.name, story.municipality),
                    story.title,
                )
            })
            .collect(),
        problem,
    }
}
