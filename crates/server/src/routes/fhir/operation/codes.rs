//! Operations on code systems, value sets and concept maps.

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};

use super::super::{Answer, Shared};
use super::given;
use crate::problem::respond;

/// `ValueSet/$expand`.
pub async fn expand(
    State(app): Shared,
    Path(kommune): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    let given = given(query, &headers, body, "valueSet").await?;
    Ok(respond(StatusCode::OK, &tenant.expand(&caller, None, &given).await?))
}

/// `ValueSet/id/$expand`.
pub async fn expand_one(
    State(app): Shared,
    Path((kommune, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    let given = given(query, &headers, body, "valueSet").await?;
    Ok(respond(StatusCode::OK, &tenant.expand(&caller, Some(&id), &given).await?))
}

/// `ValueSet/$validate-code`.
pub async fn validate_in_set(
    State(app): Shared,
    Path(kommune): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    let given = given(query, &headers, body, "valueSet").await?;
    Ok(respond(StatusCode::OK, &tenant.validate_code_in_set(&caller, None, &given).await?))
}

/// `ValueSet/id/$validate-code`.
pub async fn validate_in_one_set(
    State(app): Shared,
    Path((kommune, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    let given = given(query, &headers, body, "valueSet").await?;
    Ok(respond(StatusCode::OK, &tenant.validate_code_in_set(&caller, Some(&id), &given).await?))
}

/// `CodeSystem/$validate-code`.
pub async fn validate_in_system(
    State(app): Shared,
    Path(kommune): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    let given = given(query, &headers, body, "codeSystem").await?;
    Ok(respond(StatusCode::OK, &tenant.validate_code_in_system(&caller, None, &given).await?))
}

/// `CodeSystem/id/$validate-code`.
pub async fn validate_in_one_system(
    State(app): Shared,
    Path((kommune, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    let given = given(query, &headers, body, "codeSystem").await?;
    let answer = tenant.validate_code_in_system(&caller, Some(&id), &given).await?;
    Ok(respond(StatusCode::OK, &answer))
}

/// `CodeSystem/$lookup`.
pub async fn lookup(
    State(app): Shared,
    Path(kommune): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    let given = given(query, &headers, body, "codeSystem").await?;
    Ok(respond(StatusCode::OK, &tenant.lookup(&caller, &given).await?))
}

/// `CodeSystem/$subsumes`.
pub async fn subsumes(
    State(app): Shared,
    Path(kommune): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    let given = given(query, &headers, body, "codeSystem").await?;
    Ok(respond(StatusCode::OK, &tenant.subsumes(&caller, &given).await?))
}

/// `ConceptMap/$translate`.
pub async fn translate(
    State(app): Shared,
    Path(kommune): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    let given = given(query, &headers, body, "conceptMap").await?;
    Ok(respond(StatusCode::OK, &tenant.translate(&caller, None, &given).await?))
}

/// `ConceptMap/id/$translate`.
pub async fn translate_by_one(
    State(app): Shared,
    Path((kommune, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    let given = given(query, &headers, body, "conceptMap").await?;
    Ok(respond(StatusCode::OK, &tenant.translate(&caller, Some(&id), &given).await?))
}
