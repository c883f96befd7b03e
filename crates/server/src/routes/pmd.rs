//! Norsk helsenett's PMD contract, Pasientens måledata (conventions §3.2–3.3).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use exchange::searchset::Place;
use exchange::submission::Channel;

use crate::app::App;
use crate::input;
use crate::problem::Problem;
use crate::routes::fhir::bundle;
use crate::routes::fhir::look::search_pairs;

type Shared = State<Arc<App>>;

/// `POST /`: a batch or collection of Observations; the answer echoes each `fullUrl`.
pub async fn submit(
    State(app): Shared,
    Path(kommune): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    bundle::submit(&app, &kommune, &headers, body, Channel::Pmd).await
}

/// `POST Observation/_search`: the identity number stands in the form and never in an address.
pub async fn search(
    State(app): Shared,
    Path(kommune): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let pairs = input::pairs(&input::bytes(&headers, body).await?);
    search_pairs(&app, &kommune, "pmd", Place::Type("Observation"), pairs, &headers).await
}
