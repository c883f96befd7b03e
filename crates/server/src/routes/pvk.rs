//! Settings of privacy in the shape of Helsenorge's PVK (conventions §9). Identity numbers stand in
//! what is sent, never in an address.

use axum::body::Body;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use exchange::error::Failure;
use exchange::pvk::{Named, Wanted};
use fhir::issue::IssueCode;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::call::Call;
use crate::input;
use crate::problem::Problem;

type Answer = Result<Response, Problem>;

/// `POST SjekkInnbyggersPiStatus/v2`.
pub async fn check(call: Call, body: Body) -> Answer {
    let named: Named = sent(&call, body).await?;
    Ok(plain(&json!(call.tenant.pvk_check(&call.caller, &named).await?)))
}

/// `POST HentInnbyggersPiForPart/v2`.
pub async fn of_part(call: Call, body: Body) -> Answer {
    let named: Named = sent(&call, body).await?;
    let settings = call.tenant.pvk_of_part(&call.caller, &named).await?;
    Ok(plain(&json!({ "personvernInnstillinger": settings })))
}

/// `GET HentInnbyggereAktivePiForDefinisjon/v2`.
pub async fn active(call: Call) -> Answer {
    let pairs = call.pairs();
    let text = |name: &str| {
        let found = pairs.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let named = Named {
        innbygger_fnr: String::new(),
        definisjon_guid: text("definisjonGuid"),
        part_kode: text("partKode"),
    };
    let from = match text("pagingReference").as_str() {
        "" => 0,
        reference => reference.parse().map_err(|_| wrong("`pagingReference` is a whole number"))?,
    };
    Ok(plain(&json!(call.tenant.pvk_active(&call.caller, &named, from).await?)))
}

/// `POST SettInnbyggersPersonvernInnstilling/v2`.
pub async fn set(call: Call, body: Body) -> Answer {
    let wanted: Wanted = sent(&call, body).await?;
    let changed = call.tenant.pvk_set(&call.caller, &wanted).await?;
    let changed = if changed { "endret" } else { "ikkeEndret" };
    Ok(plain(&json!({ "returKode": "ok", "instansEndret": changed })))
}

/// What was sent. What is wrong is told by element and never by value.
async fn sent<T: DeserializeOwned>(call: &Call, body: Body) -> Result<T, Problem> {
    let bytes = input::bytes(&call.headers, body).await?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        wrong(&format!("line {line}, column {column}: not what this address takes"))
    })
}

fn wrong(text: &str) -> Problem {
    Problem::Failure(Failure::malformed(IssueCode::Structure, "", text))
}

fn plain(value: &serde_json::Value) -> Response {
    let headers = [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (StatusCode::OK, headers, axum::Json(value)).into_response()
}
