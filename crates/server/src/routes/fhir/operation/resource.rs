//! Operations on a resource of any type: `$validate`, `$meta`, `$meta-add`, `$meta-delete`.

use axum::body::Body;
use axum::http::StatusCode;
use exchange::operation::meta::Change;

use super::super::Answer;
use crate::problem::respond;
use crate::routes::call::Call;

/// `Type/$validate` and `Type/id/$validate`.
pub async fn validate(call: Call, body: Body) -> Answer {
    let given = call.given(body, "resource").await?;
    let outcome = call.tenant.validate(&call.caller, call.kind()?, call.id(), &given).await?;
    Ok(respond(StatusCode::OK, &outcome))
}

/// `Type/id/$meta`.
pub async fn meta(call: Call) -> Answer {
    let meta = call.tenant.meta(&call.caller, call.kind()?, call.own_id()?).await?;
    Ok(respond(StatusCode::OK, &meta))
}

/// `Type/$meta` and `$meta`.
pub async fn meta_in_use(call: Call) -> Answer {
    let kind = call.part("kind").map(|_| call.kind()).transpose()?;
    Ok(respond(StatusCode::OK, &call.tenant.meta_in_use(&call.caller, kind).await?))
}

/// `Type/id/$meta-add`.
pub async fn meta_add(call: Call, body: Body) -> Answer {
    change_meta(&call, body, Change::Add).await
}

/// `Type/id/$meta-delete`.
pub async fn meta_delete(call: Call, body: Body) -> Answer {
    change_meta(&call, body, Change::Delete).await
}

async fn change_meta(call: &Call, body: Body, change: Change) -> Answer {
    let given = call.given(body, "resource").await?;
    let (kind, id) = (call.kind()?, call.own_id()?);
    let meta = call.tenant.change_meta(&call.caller, kind, id, &given, change).await?;
    Ok(respond(StatusCode::OK, &meta))
}
