//! The page where every call can be tried, made from the table of addresses. Nobody signs in to it: a
//! call carries the token that stands on the page, which a demo gives out and a municipality's issuer
//! otherwise does.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use pages::docs::{
    Call, Content, Docs, Field, Place, ROLE_FIELD, RoleChoice, Section, render, render_choice,
};
use pages::{address, problem};
use sandbox::claims::{LIFETIME, Role, RoleKind, roles};
use sandbox::register::UTVIKLER;
use sandbox::stories::stories;
use serde_json::json;

use crate::app::{App, Hosted};
use crate::capability;
use crate::command::token::request;
use crate::config::Scheme;
use crate::input;
use crate::routes::endpoint::{Act, Caller, Endpoint, Param, Values};
use crate::routes::table::TABLE;
use crate::web::page;

/// Between a role and the number of its resident, in the choice of whose token to have.
const OF: char = ':';

/// `GET /docs`: the only municipality, or a choice.
pub async fn choose(State(app): State<Arc<App>>) -> Response {
    let numbers: Vec<&String> = app.tenants.keys().collect();
    if let [number] = numbers.as_slice() {
        return Redirect::to(&address::docs(number)).into_response();
    }
    let choices: Vec<(String, String)> = app
        .tenants
        .iter()
        .map(|(number, hosted)| (number.clone(), hosted.tenant.register().name.clone()))
        .collect();
    page(StatusCode::OK, render_choice(&choices, app.demo.is_some()))
}

/// `GET /{kommune}/docs`.
pub async fn show(State(app): State<Arc<App>>, Path(kommune): Path<String>) -> Response {
    let Some(hosted) = app.tenants.get(&kommune) else {
        let html = problem::problem(None, problem::Problem::NotFound);
        return page(StatusCode::NOT_FOUND, html);
    };
    let roles = if gives_tokens(&app, hosted) { choices(&kommune) } else { Vec::new() };
    let docs = Docs {
        municipality: hosted.tenant.register().name.clone(),
        number: kommune.clone(),
        synthetic: app.demo.is_some(),
        roles,
        sections: sections(&kommune),
        kinds: capability::kinds(),
    };
    page(StatusCode::OK, render(&docs))
}

/// `POST /{kommune}/docs/token`: a token for a role, where this is a demo.
pub async fn token(
    State(app): State<Arc<App>>,
    Path(kommune): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let form = input::bytes(&headers, body).await.unwrap_or_default();
    let pairs = input::pairs(&form);
    let chosen = pairs.iter().find(|(name, _)| name == ROLE_FIELD).map(|(_, value)| &**value);
    let (key, number) = match chosen.unwrap_or_default().split_once(OF) {
        Some((key, number)) => (key, Some(number.to_owned())),
        None => (chosen.unwrap_or_default(), None),
    };
    let hosted = app.tenants.get(&kommune).filter(|hosted| gives_tokens(&app, hosted));
    let (Some(issuer), Some(hosted)) = (&app.demo, hosted) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let known = number.as_ref().is_none_or(|number| hosted.tenant.person(number).is_ok());
    let token = Role::from_key(key)
        .filter(|_| known)
        .and_then(|role| request(kommune, role, number).ok())
        .and_then(|request| issuer.token(&request).ok());
    let Some(token) = token else { return StatusCode::BAD_REQUEST.into_response() };
    let no_store = [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    let body = json!({ "access_token": token, "token_type": "Bearer", "expires_in": LIFETIME });
    (no_store, axum::Json(body)).into_response()
}

/// Whether the page gives out tokens: in a demo, where they are used without proofs.
fn gives_tokens(app: &App, hosted: &Hosted) -> bool {
    app.demo.is_some() && hosted.demands.scheme == Scheme::Bearer
}

/// Everybody that a demo gives tokens to in a municipality.
fn choices(number: &str) -> Vec<RoleChoice> {
    let mut choices: Vec<RoleChoice> = roles()
        .iter()
        .filter(|info| info.role != Role::Innbygger)
        .map(|info| RoleChoice { value: info.key.to_owned(), title: info.title.to_owned() })
        .collect();
    // Most calls are those of systems, and whoever tries them is a developer.
    choices.sort_by_key(|choice| {
        let info = roles().iter().find(|info| info.key == choice.value);
        let is_system = info.is_some_and(|info| info.kind == RoleKind::System);
        (choice.value != UTVIKLER, !is_system)
    });
    let key = Role::Innbygger.key();
    let stories = stories();
    let own = stories.iter().filter(|story| story.municipality == number);
    choices.extend(own.map(|story| RoleChoice {
        value: format!("{key}{OF}{}", story.number),
        title: story.name.clone(),
    }));
    choices
}

fn sections(kommune: &str) -> Vec<Section> {
    let shown = |row: &&Endpoint| !row.is_page();
    TABLE
        .iter()
        .map(|section| Section {
            id: section.id,
            calls: section.endpoints.iter().filter(shown).map(|row| call(row, kommune)).collect(),
        })
        .filter(|section| !section.calls.is_empty())
        .collect()
}

fn call(row: &Endpoint, kommune: &str) -> Call {
    let in_path = row.path_names().filter(|name| *name != "kommune").map(|name| Field {
        place: Place::Path,
        name,
        value: starting(row, name).to_owned(),
        required: true,
        options: Vec::new(),
        is_kind: name == "kind",
    });
    let of = |place: Place, params: &'static [Param]| {
        params.iter().map(move |param| field(row, place, param))
    };
    let fields = in_path.chain(of(Place::Query, row.query)).chain(of(Place::Header, row.headers));
    Call {
        id: row.id,
        methods: row.methods.iter().map(|method| method.name()).collect(),
        path: row.path.replace("{kommune}", kommune),
        callers: row.callers.iter().map(|caller| key(*caller)).collect(),
        fields: fields.collect(),
        contents: row
            .takes
            .iter()
            .map(|it| Content { media: it.media, example: it.example.unwrap_or_default() })
            .collect(),
        searches: row.acts.contains(&Act::OfType("search-type")) && !row.query.is_empty(),
        speaks_fhir: row.speaks_fhir(),
    }
}

fn key(caller: Caller) -> &'static str {
    match caller {
        Caller::System => "system",
        Caller::Practitioner => "practitioner",
        Caller::Resident => "resident",
        Caller::Admin => "admin",
    }
}

fn field(row: &Endpoint, place: Place, param: &Param) -> Field {
    let options = match param.values {
        Values::OneOf(values) => values.to_vec(),
        Values::Text | Values::Number => Vec::new(),
    };
    Field {
        place,
        name: param.name,
        value: starting(row, param.name).to_owned(),
        required: param.required,
        options,
        is_kind: false,
    }
}

/// What stands in a field to begin with: what fits the examples, so that a call can be sent as it is.
fn starting(row: &Endpoint, name: &str) -> &'static str {
    match (row.id, name) {
        ("create" | "search" | "search-form" | "history-of-type", "kind") => "Patient",
        ("validate" | "search-compartment" | "search-compartment-form", "kind") => "Patient",
        (_, "of") => "Observation",
        (_, "kind") => "Observation",
        ("lookup" | "validate-in-set", "system") => "http://loinc.org",
        ("lookup" | "validate-in-set" | "lastn", "code") => "8867-4",
        ("expand", "url") => "http://hl7.org/fhir/ValueSet/administrative-gender",
        ("validate-in-set", "url") => "http://hl7.org/fhir/ValueSet/observation-vitalsignresult",
        (_, "id") if row.path.contains("/{kind}/{id}") => "example-pulse",
        (_, "version") => "1",
        (_, "file") => "0",
        (_, "job" | "name") => "example",
        (_, "_count") => "5",
        ("update-matching" | "patch-matching" | "delete-matching", "identifier") => {
            "https://vendor.example/measurement|example-1"
        }
        _ => "",
    }
}
