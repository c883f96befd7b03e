//! Operations on a resource of any type: `$validate`, `$meta`, `$meta-add`, `$meta-delete`.

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use exchange::operation::meta::Change;
use exchange::read::known_kind;

use super::super::{Answer, Shared};
use super::given;
use crate::app::App;
use crate::problem::respond;

/// `Type/$validate`.
pub async fn validate(
    State(app): Shared,
    Path((kommune, kind)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    let given = given(query, &headers, body, "resource").await?;
    let outcome = tenant.validate(&caller, known_kind(&kind)?, None, &given).await?;
    Ok(respond(StatusCode::OK, &outcome))
}

/// `Type/id/$validate`.
pub async fn validate_one(
    State(app): Shared,
    Path((kommune, kind, id)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    let given = given(query, &headers, body, "resource").await?;
    let outcome = tenant.validate(&caller, known_kind(&kind)?, Some(&id), &given).await?;
    Ok(respond(StatusCode::OK, &outcome))
}

/// `Type/id/$meta`.
pub async fn meta(
    State(app): Shared,
    Path((kommune, kind, id)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    Ok(respond(StatusCode::OK, &tenant.meta(&caller, known_kind(&kind)?, &id).await?))
}

/// `Type/id/$meta-add`.
pub async fn meta_add(
    State(app): Shared,
    Path((kommune, kind, id)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    change_meta(&app, &kommune, (&kind, &id), &headers, body, Change::Add).await
}

/// `Type/id/$meta-delete`.
pub async fn meta_delete(
    State(app): Shared,
    Path((kommune, kind, id)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    change_meta(&app, &kommune, (&kind, &id), &headers, body, Change::Delete).await
}

async fn change_meta(
    app: &App,
    kommune: &str,
    (kind, id): (&str, &str),
    headers: &HeaderMap,
    body: Body,
    change: Change,
) -> Answer {
    let (tenant, caller) = app.enter(kommune, headers)?;
    let given = given(None, headers, body, "resource").await?;
    let meta = tenant.change_meta(&caller, known_kind(kind)?, id, &given, change).await?;
    Ok(respond(StatusCode::OK, &meta))
}
