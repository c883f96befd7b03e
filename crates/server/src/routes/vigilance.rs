//! The analysis of the log, for the privacy officer, and accesses, for those who lead. In JSON.

use axum::body::Body;
use axum::http::StatusCode;
use exchange::vigilance::answer;
use record::decision::Inquiry;
use serde::Deserialize;
use serde_json::json;

use super::admin::{all, sent, told};
use super::call::Call;
use super::fhir::Answer;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settle {
    outcome: Inquiry,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Certify {
    needed: bool,
    why: String,
}

/// `GET findings`.
pub async fn findings(call: Call) -> Answer {
    let listed = call.tenant.work_list(&call.caller, all(&call)).await?;
    Ok(told(StatusCode::OK, &answer::list(&listed)))
}

/// `POST findings/{id}`.
pub async fn settle(call: Call, body: Body) -> Answer {
    let Settle { outcome, why } = sent(&call, body).await?;
    let version = call.tenant.settle_finding(&call.caller, call.own_id()?, outcome, why).await?;
    Ok(told(StatusCode::OK, &json!({ "outcome": outcome, "version": version })))
}

/// `GET accesses`.
pub async fn accesses(call: Call) -> Answer {
    let reviewed = call.tenant.accesses(&call.caller).await?;
    Ok(told(StatusCode::OK, &answer::accesses(&reviewed)))
}

/// `POST accesses/{id}`.
pub async fn certify(call: Call, body: Body) -> Answer {
    let Certify { needed, why } = sent(&call, body).await?;
    let version = call.tenant.certify_access(&call.caller, call.own_id()?, needed, why).await?;
    Ok(told(StatusCode::OK, &json!({ "outcome": "decided", "version": version })))
}
