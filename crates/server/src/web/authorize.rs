//! The stand-ins' authorization page: shows what an app asks, takes the choice, and sends the person back.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use exchange::error::Failure;
use pages::authorize::{
    Authorize, DECLINE_FIELD, NUMBER_FIELD, Number, PERSON_FIELD, Problem, REQUEST_FIELD, render,
    stopped,
};
use pages::signin::Choice;
use pages::{assets, text};
use sandbox::claims::{Role, RoleKind, roles};
use sandbox::idp::authorize::{Asked, Chosen, Stop};
use sandbox::stories::stories;

use crate::app::{App, Hosted};
use crate::command::token::request;
use crate::input;
use crate::problem;
use crate::routes::sandbox::{at_once, stand_in};
use crate::web::page;

type Shared = State<Arc<App>>;

/// `GET authorize`.
pub async fn show(
    State(app): Shared,
    Path(issuer): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, problem::Problem> {
    let (provider, desk) = stand_in(&app, &issuer)?;
    let query = input::pairs(query.unwrap_or_default().as_bytes());
    let waiting = at_once(|moment| {
        let mut desk = desk.lock();
        let name = desk.authorize(provider, &query, moment)?;
        let asked = desk.asked(&name, moment.now_s).cloned();
        Ok(asked.map(|asked| (name, asked)))
    });
    Ok(match waiting {
        Ok(Some((name, asked))) => shown(&app, &asked, &name, None),
        Ok(None) => end(Problem::TooLate, None),
        Err(Stop::Page(refused)) => end(Problem::UnknownApp, Some(refused.description)),
        Err(Stop::Redirect(address)) => Redirect::to(&address).into_response(),
    })
}

/// `POST authorize`.
pub async fn choose(
    State(app): Shared,
    Path(issuer): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, problem::Problem> {
    let (provider, desk) = stand_in(&app, &issuer)?;
    let pairs = input::pairs(&input::bytes(&headers, body).await?);
    let field = |name: &str| {
        let found = pairs.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    };
    let name = field(REQUEST_FIELD).unwrap_or_default();
    let asked = at_once(|moment| desk.lock().asked(name, moment.now_s).cloned());
    let Some(asked) = asked.filter(|asked| asked.provider == provider) else {
        return Ok(end(Problem::TooLate, None));
    };
    if field(DECLINE_FIELD).is_some() {
        let back = at_once(|moment| desk.lock().decline(name, moment.now_s));
        return Ok(sent(back));
    }
    let hosted = app.hosted(asked.municipality)?;
    match chosen(&app, hosted, &asked, field(PERSON_FIELD), field(NUMBER_FIELD)).await {
        Ok(chosen) => Ok(sent(at_once(|moment| desk.lock().choose(name, &chosen, moment)).ok())),
        Err(problem) => Ok(shown(&app, &asked, name, Some(problem))),
    }
}

/// Who was chosen, and the patient where one is needed: found as that person may find one.
async fn chosen(
    app: &App,
    hosted: &Hosted,
    asked: &Asked,
    person: Option<&str>,
    number: Option<&str>,
) -> Result<Chosen, Problem> {
    if asked.is_of_residents() {
        let number = number.or(person).ok_or(Problem::NoPerson)?;
        hosted.tenant.person(number).map_err(|_| Problem::UnknownNumber)?;
        return Ok(Chosen { role: Role::Innbygger, pid: Some(number.to_owned()), patient: None });
    }
    let role = person.and_then(Role::from_key).ok_or(Problem::NoPerson)?;
    if !is_of(role, RoleKind::Practitioner) {
        return Err(Problem::NoPerson);
    }
    if !asked.needs_patient() {
        return Ok(Chosen { role, pid: None, patient: None });
    }
    let number = number.ok_or(Problem::NoPatient)?;
    let patient = hosted.tenant.person(number).map_err(|_| Problem::UnknownNumber)?;
    let token = app.demo.as_ref().and_then(|issuer| {
        let request = request(asked.municipality.to_owned(), role, None).ok()?;
        issuer.token(&request).ok()
    });
    let caller = token.and_then(|it| app.verifier.in_session(&it, &hosted.demands).ok());
    let caller = caller.ok_or(Problem::NotForPerson)?;
    match hosted.tenant.patient(&caller, patient).await {
        Ok(header) if header.name.is_some() => {
            Ok(Chosen { role, pid: None, patient: Some(patient.to_string()) })
        }
        Ok(_) | Err(Failure::NotFound) => Err(Problem::UnknownNumber),
        Err(_) => Err(Problem::NotForPerson),
    }
}

fn is_of(role: Role, kind: RoleKind) -> bool {
    roles().iter().any(|info| info.role == role && info.kind == kind)
}

fn sent(back: Option<String>) -> Response {
    match back {
        Some(address) => Redirect::to(&address).into_response(),
        None => end(Problem::TooLate, None),
    }
}

fn end(problem: Problem, detail: Option<&str>) -> Response {
    page(StatusCode::BAD_REQUEST, stopped(problem, detail))
}

/// The page. Its form leads to the client in the end, which the content policy must allow.
fn shown(app: &App, asked: &Asked, name: &str, problem: Option<Problem>) -> Response {
    let hosted = app.tenants.get(asked.municipality);
    let number = match (asked.is_of_residents(), asked.needs_patient()) {
        (true, _) => Number::Resident,
        (false, true) => Number::Patient,
        (false, false) => Number::None,
    };
    let html = render(&Authorize {
        issuer: asked.provider.key().to_owned(),
        request: name.to_owned(),
        app: asked.client_name.clone(),
        municipality: hosted.map(|it| it.tenant.register().name.clone()).unwrap_or_default(),
        scopes: asked.scopes.clone(),
        people: people(asked),
        number,
        problem,
    });
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let mut response = page(status, html);
    let origin = asked
        .redirect
        .parse::<Uri>()
        .ok()
        .and_then(|uri| Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?)));
    let leading = format!("form-action 'self' {}", origin.unwrap_or_default());
    let policy = assets::CONTENT_SECURITY_POLICY.replace("form-action 'self'", leading.trim_end());
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn people(asked: &Asked) -> Vec<Choice> {
    let choice = |value: &str, title: &str, hint: String| Choice {
        value: value.to_owned(),
        title: title.to_owned(),
        hint,
    };
    if asked.is_of_residents() {
        let stories = stories();
        let own = stories.iter().filter(|story| story.municipality == asked.municipality);
        return own.map(|it| choice(&it.number, &it.name, it.title.to_owned())).collect();
    }
    let people = roles().iter().filter(|info| info.kind == RoleKind::Practitioner);
    people
        .map(|info| {
            let hint = text::find(&format!("signin-role-{}", info.key), &[]);
            choice(info.key, info.title, hint.unwrap_or_default())
        })
        .collect()
}
