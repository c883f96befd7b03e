//! Norsk helsenett's PMD contract, Pasientens måledata (conventions §3.2–3.3).

use axum::body::Body;
use exchange::searchset::Place;
use exchange::submission::Channel;

use super::call::Call;
use super::fhir::look::search_pairs;
use super::fhir::{Answer, bundle};

/// `POST /`: a batch or collection of Observations; the answer echoes each `fullUrl`.
pub async fn submit(call: Call, body: Body) -> Answer {
    bundle::submit(&call, body, Channel::Pmd).await
}

/// `POST Observation/_search`: the identity number stands in the form and never in an address.
pub async fn search(call: Call, body: Body) -> Answer {
    let pairs = call.with_form(body).await?;
    search_pairs(&call, "pmd", Place::Type("Observation"), pairs).await
}
