//! Operations on code systems, value sets and concept maps, of one that is kept here where the address
//! has its id.

use axum::body::Body;
use axum::http::StatusCode;

use super::super::Answer;
use crate::problem::respond;
use crate::routes::call::Call;

/// `ValueSet/$expand` and `ValueSet/id/$expand`.
pub async fn expand(call: Call, body: Body) -> Answer {
    let given = call.given(body, "valueSet").await?;
    Ok(respond(StatusCode::OK, &call.tenant.expand(&call.caller, call.id(), &given).await?))
}

/// `ValueSet/$validate-code` and `ValueSet/id/$validate-code`.
pub async fn validate_in_set(call: Call, body: Body) -> Answer {
    let given = call.given(body, "valueSet").await?;
    let answer = call.tenant.validate_code_in_set(&call.caller, call.id(), &given).await?;
    Ok(respond(StatusCode::OK, &answer))
}

/// `CodeSystem/$validate-code` and `CodeSystem/id/$validate-code`.
pub async fn validate_in_system(call: Call, body: Body) -> Answer {
    let given = call.given(body, "codeSystem").await?;
    let answer = call.tenant.validate_code_in_system(&call.caller, call.id(), &given).await?;
    Ok(respond(StatusCode::OK, &answer))
}

/// `CodeSystem/$lookup`.
pub async fn lookup(call: Call, body: Body) -> Answer {
    let given = call.given(body, "codeSystem").await?;
    Ok(respond(StatusCode::OK, &call.tenant.lookup(&call.caller, &given).await?))
}

/// `CodeSystem/$subsumes`.
pub async fn subsumes(call: Call, body: Body) -> Answer {
    let given = call.given(body, "codeSystem").await?;
    Ok(respond(StatusCode::OK, &call.tenant.subsumes(&call.caller, &given).await?))
}

/// `ConceptMap/$translate` and `ConceptMap/id/$translate`.
pub async fn translate(call: Call, body: Body) -> Answer {
    let given = call.given(body, "conceptMap").await?;
    Ok(respond(StatusCode::OK, &call.tenant.translate(&call.caller, call.id(), &given).await?))
}
