//! Preservation and disposal, for the privacy officer: whose time has run, holds, what the depot has, and the
//! erasure of a person or of one record. In JSON. A person is named by number, or by the id that lists give.

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use exchange::disposal::answer;
use exchange::disposal::record::Asked;
use exchange::error::Failure;
use fhir::issue::IssueCode;
use record::decision::Ground;
use record::entry::Position;
use record::identity::PersonId;
use serde::Deserialize;
use serde_json::json;

use super::admin::{all, became, position, sent, told};
use super::call::Call;
use super::fhir::Answer;
use crate::problem::Problem;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Erase {
    #[serde(default)]
    person: Option<String>,
    #[serde(default)]
    number: Option<String>,
    #[serde(default)]
    record: Option<String>,
    #[serde(default)]
    request: Option<String>,
    basis: Ground,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hold {
    #[serde(default)]
    person: Option<String>,
    #[serde(default)]
    number: Option<String>,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HandOver {
    #[serde(default)]
    person: Option<String>,
    #[serde(default)]
    number: Option<String>,
    reference: String,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Why {
    why: String,
}

/// `GET retention`.
pub async fn retention(call: Call) -> Answer {
    let (due, whole) = call.tenant.retention(&call.caller).await?;
    Ok(told(StatusCode::OK, &answer::due(&due, whole)))
}

/// `GET erasures`.
pub async fn erasures(call: Call) -> Answer {
    let erased = call.tenant.erasures(&call.caller).await?;
    let records = call.tenant.erased_records(&call.caller).await?;
    Ok(told(StatusCode::OK, &answer::erasures(&erased, &records)))
}

/// `POST erasures`: asks a second officer.
pub async fn propose(call: Call, body: Body) -> Answer {
    let Erase { person, number, record, request, basis, why } = sent(&call, body).await?;
    let done = match (record, &person, &number, &request) {
        (Some(record), None, None, _) => {
            let asked = Asked { record, basis, request };
            call.tenant.propose_record_erasure(&call.caller, asked, why).await?
        }
        (None, _, _, None) => {
            let person = whom(&call, person, number)?;
            call.tenant.propose_erasure(&call.caller, person, basis, why).await?
        }
        _ => {
            let message =
                "send either `person`, `number`, or `record`, the last perhaps with `request`";
            return Err(Failure::malformed(IssueCode::Structure, "record", message).into());
        }
    };
    Ok(became(&call, done))
}

/// `GET holds`.
pub async fn holds(call: Call) -> Answer {
    let holds = call.tenant.holds(&call.caller, all(&call)).await?;
    Ok(told(StatusCode::OK, &answer::holds(&holds)))
}

/// `POST holds`.
pub async fn hold(call: Call, body: Body) -> Answer {
    let Hold { person, number, why } = sent(&call, body).await?;
    let person = whom(&call, person, number)?;
    let id = call.tenant.hold(&call.caller, person, why).await?;
    Ok(told(StatusCode::OK, &json!({ "outcome": "decided", "hold": id, "version": id })))
}

/// `POST holds/{id}/lift`.
pub async fn lift(call: Call, body: Body) -> Answer {
    let (id, Why { why }) = (position(&call)?, sent(&call, body).await?);
    Ok(decided(call.tenant.release(&call.caller, id, why).await?))
}

/// `POST hand-overs`.
pub async fn hand_over(call: Call, body: Body) -> Answer {
    let HandOver { person, number, reference, why } = sent(&call, body).await?;
    let person = whom(&call, person, number)?;
    Ok(decided(call.tenant.hand_over(&call.caller, person, reference, why).await?))
}

fn decided(version: Position) -> Response {
    told(StatusCode::OK, &json!({ "outcome": "decided", "version": version }))
}

/// Whom it is about: told by one of the two.
fn whom(call: &Call, person: Option<String>, number: Option<String>) -> Result<PersonId, Problem> {
    match (person, number) {
        (Some(id), None) => PersonId::parse(&id).ok_or_else(Problem::not_found),
        (None, Some(number)) => Ok(call.tenant.person(&number)?),
        _ => {
            let message = "send either `person` or `number`";
            Err(Failure::malformed(IssueCode::Structure, "person", message).into())
        }
    }
}
