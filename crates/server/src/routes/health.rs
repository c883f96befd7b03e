//! Whether the process answers, and whether its municipalities are open.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::app::App;

/// Answers.
pub async fn alive() -> &'static str {
    "ok"
}

/// Ready when every municipality is open; says which are, and how far their readers see.
pub async fn ready(State(app): State<Arc<App>>) -> Response {
    let open = app.tenants.iter();
    let open = open.map(|(number, hosted)| format!("{number} at {}", hosted.tenant.visible()));
    let closed = app.closed.iter().map(|number| format!("{number} is closed"));
    let lines: Vec<String> = open.chain(closed).collect();
    let all = app.closed.is_empty();
    let status = if all { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, lines.join("\n")).into_response()
}
