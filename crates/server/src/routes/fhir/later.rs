//! `Prefer: respond-async` (R4 async): the answer comes now, or is made in the background and fetched
//! through the job that `Content-Location` names.

use axum::http::StatusCode;
use axum::http::header::CONTENT_LOCATION;
use axum::response::IntoResponse;
use exchange::error::Failure;
use record::identity::contains_number;

use super::prefer::Prefer;
use super::{Answer, put};
use crate::problem::fhir_body;
use crate::routes::call::Call;

/// Header that says which preference was met (RFC 7240 §3).
const APPLIED: &str = "preference-applied";

/// Answers with a Bundle, at once or later as the caller prefers.
pub(super) async fn bundle(
    call: &Call,
    prefer: Prefer,
    work: impl Future<Output = Result<Vec<u8>, Failure>> + Send + 'static,
) -> Answer {
    if !prefer.later {
        return Ok(fhir_body(StatusCode::OK, work.await?));
    }
    let mut request = call.address();
    // A job shows its address again, and an identity number never stands in what is shown.
    let may_show = call.pairs().iter().all(|(_, value)| !contains_number(value));
    if may_show && !call.query.is_empty() {
        request.push('?');
        request.push_str(&call.query);
    }
    let id = call.tenant.answer_later(&call.caller, request, work)?;
    let mut response = (StatusCode::ACCEPTED, [(APPLIED, "respond-async")]).into_response();
    put(&mut response, CONTENT_LOCATION, &call.door(&format!("export/{id}")));
    Ok(response)
}
