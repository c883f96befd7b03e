//! Operations on a Patient: the two information services.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use exchange::print;

use super::{Answer, Shared};
use crate::problem::respond;

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
