//! Norsk helsenett's OKT contract (conventions §2.2). Its addresses carry the identity number, so
//! nothing here is ever logged but the route.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use exchange::cloud_event::okt_event;
use exchange::submission::{Channel, Done};
use serde_json::json;

use crate::app::App;
use crate::input::{self, header};
use crate::problem::Problem;

type Shared = State<Arc<App>>;
type Answer = Result<Response, Problem>;

/// `POST okt-events`: the whole list of a person's services.
pub async fn submit(
    State(app): Shared,
    Path(kommune): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    let event = okt_event(&input::json(&headers, body).await?)?;
    let id = header(&headers, "nhn-event-id");
    let receipts = tenant.submit_okt(&caller, &event, id, Channel::Okt).await?;
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
pub async fn events(
    State(app): Shared,
    Path((kommune, pid)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    let event = tenant.okt_events(&caller, &pid).await?;
    Ok(plain(&json!(event)))
}

/// `GET okt-status/{pid}`: how many services are active and not paused.
pub async fn status(
    State(app): Shared,
    Path((kommune, pid)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    let active = tenant.okt_status(&caller, &pid).await?;
    Ok(plain(&json!({ "personIdentifier": pid, "oktStatus": active })))
}

fn plain(value: &serde_json::Value) -> Response {
    let headers = [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (StatusCode::OK, headers, axum::Json(value)).into_response()
}
