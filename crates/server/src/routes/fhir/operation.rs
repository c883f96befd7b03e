//! Operations, by room: here those on a person; [`codes`] for terminology, [`resource`] for what is
//! asked of one resource.

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use exchange::operation::parameters::Parameters;
use exchange::print;

use super::{Answer, Shared, base};
use crate::app::App;
use crate::input;
use crate::operations;
use crate::problem::{Problem, fhir_body, respond};

pub mod codes;
pub mod resource;

/// `Patient/id/$kommunale-tjenester`.
pub async fn overview(
    State(app): Shared,
    Path((kommune, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    let person = tenant.person_of_patient(&id)?;
    let overview = tenant.overview(&caller, person).await?;
    Ok(respond(StatusCode::OK, &print::overview(&overview)))
}

/// `Patient/id/$news2`.
pub async fn news2(
    State(app): Shared,
    Path((kommune, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    let person = tenant.person_of_patient(&id)?;
    let news2 = tenant.news2(&caller, person).await?;
    Ok(respond(StatusCode::OK, &print::news2(&news2)))
}

/// `Patient/id/$everything`.
pub async fn everything(
    State(app): Shared,
    Path((kommune, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    let given = given(query, &headers, body, "resource").await?;
    let base = base(&app, &kommune, "fhir");
    let page = tenant.everything(&caller, &id, &given, &base).await?;
    Ok(fhir_body(StatusCode::OK, page))
}

/// `Observation/$lastn`.
pub async fn lastn(
    State(app): Shared,
    Path(kommune): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    let given = given(query, &headers, body, "resource").await?;
    let found = tenant.lastn(&caller, &given, &base(&app, &kommune, "fhir")).await?;
    Ok(fhir_body(StatusCode::OK, found))
}

/// `Observation/$stats`.
pub async fn stats(
    State(app): Shared,
    Path(kommune): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    let given = given(query, &headers, body, "resource").await?;
    Ok(respond(StatusCode::OK, &tenant.stats(&caller, &given).await?))
}

/// `OperationDefinition/kommunale-tjenester`. Open, as the CapabilityStatement that names it.
pub async fn definition_of_overview(State(app): Shared, Path(kommune): Path<String>) -> Answer {
    definition(&app, &kommune, "kommunale-tjenester")
}

/// `OperationDefinition/news2`. Open as well.
pub async fn definition_of_news2(State(app): Shared, Path(kommune): Path<String>) -> Answer {
    definition(&app, &kommune, "news2")
}

fn definition(app: &App, kommune: &str, code: &str) -> Answer {
    app.hosted(kommune)?;
    let definition = operations::definition(code).ok_or_else(Problem::not_found)?;
    Ok(respond(StatusCode::OK, &definition))
}

/// What a call is given: in its address, and in a form, a `Parameters` resource, or another
/// resource, which is the parameter of this name.
async fn given(
    query: Option<String>,
    headers: &HeaderMap,
    body: Body,
    resource: &str,
) -> Result<Parameters, Problem> {
    let mut pairs = input::pairs(query.unwrap_or_default().as_bytes());
    if input::is_form(headers) {
        pairs.extend(input::pairs(&input::bytes(headers, body).await?));
        return Ok(Parameters::of_pairs(pairs));
    }
    let mut given = Parameters::of_pairs(pairs);
    if let Some(body) = input::any_json(headers, body).await? {
        given.add_body(body, resource)?;
    }
    Ok(given)
}
