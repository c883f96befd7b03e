//! Norsk helsenett's OKT contract (conventions §2.2). Its addresses carry the identity number, so
//! nothing here is ever logged but the route.

use axum::body::Body;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use exchange::cloud_event::okt_event;
use exchange::submission::{Channel, Done};
use serde_json::json;

use super::call::Call;
use crate::problem::Problem;

type Answer = Result<Response, Problem>;

/// `POST okt-events`: the whole list of a person's services.
pub async fn submit(call: Call, body: Body) -> Answer {
    let event = okt_event(&call.json(body).await?)?;
    let id = call.header("nhn-event-id");
    let receipts = call.tenant.submit_okt(&call.caller, &event, id, Channel::Okt).await?;
    let count = |done| receipts.iter().filter(|receipt| receipt.result == done).count();
    let message = format!(
        "{} new, {} changed, {} unchanged, {} removed",
        count(Done::Created),
        count(Done::Updated),
        count(Done::Unchanged),
        count(Done::Removed)
    );
    Ok(plain(&json!({ "status": "OK", "message": message })))
}

/// `GET okt-events/{pid}`.
pub async fn events(call: Call) -> Answer {
    let event = call.tenant.okt_events(&call.caller, number(&call)).await?;
    Ok(plain(&json!(event)))
}

/// `GET okt-status/{pid}`: how many services are active and not paused.
pub async fn status(call: Call) -> Answer {
    let active = call.tenant.okt_status(&call.caller, number(&call)).await?;
    Ok(plain(&json!({ "personIdentifier": number(&call), "oktStatus": active })))
}

/// The identity number in the address.
fn number(call: &Call) -> &str {
    call.part("pid").unwrap_or_default()
}

fn plain(value: &serde_json::Value) -> Response {
    let headers = [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (StatusCode::OK, headers, axum::Json(value)).into_response()
}
