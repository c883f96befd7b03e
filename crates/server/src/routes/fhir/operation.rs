//! Operations, by room: here those on a person; [`codes`] for terminology, [`resource`] for what is
//! asked of one resource, [`rights`] for what a resident has a right to.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use exchange::print;

use super::{Answer, Shared};
use crate::app::App;
use crate::operations;
use crate::problem::{Problem, fhir_body, respond};
use crate::routes::call::Call;

pub mod codes;
pub mod resource;
pub mod rights;
pub mod subscriptions;

/// `Patient/id/$kommunale-tjenester`.
pub async fn overview(call: Call) -> Answer {
    let person = call.tenant.person_of_patient(call.own_id()?)?;
    let overview = call.tenant.overview(&call.caller, person).await?;
    Ok(respond(StatusCode::OK, &print::overview(&overview)))
}

/// `Patient/id/$news2`.
pub async fn news2(call: Call) -> Answer {
    let person = call.tenant.person_of_patient(call.own_id()?)?;
    let news2 = call.tenant.news2(&call.caller, person).await?;
    Ok(respond(StatusCode::OK, &print::news2(&news2)))
}

/// `Patient/id/$oversikt`.
pub async fn oversikt(call: Call, body: Body) -> Answer {
    let given = call.given(body, "resource").await?;
    let person = call.tenant.person_of_patient(call.own_id()?)?;
    let seen = call.tenant.oversikt(&call.caller, person, &given, &call.base()).await?;
    Ok(respond(StatusCode::OK, &seen))
}

/// `Patient/id/$everything`.
pub async fn everything(call: Call, body: Body) -> Answer {
    let given = call.given(body, "resource").await?;
    let page = call.tenant.everything(&call.caller, call.own_id()?, &given, &call.base()).await?;
    Ok(fhir_body(StatusCode::OK, page))
}

/// `Patient/id/$emergency-access`.
pub async fn emergency_access(call: Call, body: Body) -> Answer {
    let given = call.given(body, "resource").await?;
    let opened = call.tenant.open_emergency(&call.caller, call.own_id()?, &given).await?;
    Ok(respond(StatusCode::OK, &opened))
}

/// `Observation/$lastn`.
pub async fn lastn(call: Call, body: Body) -> Answer {
    let given = call.given(body, "resource").await?;
    let found = call.tenant.lastn(&call.caller, &given, &call.base()).await?;
    Ok(fhir_body(StatusCode::OK, found))
}

/// `Observation/$stats`.
pub async fn stats(call: Call, body: Body) -> Answer {
    let given = call.given(body, "resource").await?;
    Ok(respond(StatusCode::OK, &call.tenant.stats(&call.caller, &given).await?))
}

/// `OperationDefinition/kommunale-tjenester`. Open, as the CapabilityStatement that names it.
pub async fn definition_of_overview(State(app): Shared, Path(kommune): Path<String>) -> Answer {
    definition(&app, &kommune, "kommunale-tjenester")
}

/// `OperationDefinition/news2`. Open as well.
pub async fn definition_of_news2(State(app): Shared, Path(kommune): Path<String>) -> Answer {
    definition(&app, &kommune, "news2")
}

/// `OperationDefinition/oversikt`. Open as well.
pub async fn definition_of_oversikt(State(app): Shared, Path(kommune): Path<String>) -> Answer {
    definition(&app, &kommune, "oversikt")
}

/// `OperationDefinition/emergency-access`. Open as well.
pub async fn definition_of_emergency_access(
    State(app): Shared,
    Path(kommune): Path<String>,
) -> Answer {
    definition(&app, &kommune, "emergency-access")
}

pub(super) fn definition(app: &App, kommune: &str, code: &str) -> Answer {
    app.hosted(kommune)?;
    let definition = operations::definition(code).ok_or_else(Problem::not_found)?;
    Ok(respond(StatusCode::OK, &definition))
}
