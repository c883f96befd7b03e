//! The municipality's own register: what it has decided, changes of it, kill switches, questions to a second
//! person, and emergency accesses to look into. In JSON; refusals are `OperationOutcome`s, as everywhere.

use access::register::control::Off;
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use exchange::error::Failure;
use exchange::register::answer;
use exchange::register::change::Done;
use exchange::register::explain::Described;
use exchange::register::part::switch_key;
use fhir::issue::{Issue, IssueCode};
use record::decision::{Change, Outcome, Part};
use record::entry::Position;
use record::purpose::Purpose;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::call::Call;
use super::fhir::{Answer, put};
use crate::input;
use crate::problem::Problem;

/// Largest body taken: a policy has at most 64 kB, and a proposed change several members.
const MAX_BODY: usize = 1024 * 1024;

/// A member as it shall be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Put {
    value: Value,
    why: String,
}

/// A reason.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Why {
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rollback {
    to: Position,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Throw {
    #[serde(default)]
    stop: Option<Off>,
    #[serde(default)]
    resume: Option<Off>,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Review {
    outcome: Outcome,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Proposed {
    changes: Vec<One>,
}

/// A member as it would be; ended where there is no value.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct One {
    part: String,
    key: String,
    #[serde(default)]
    value: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Explain {
    #[serde(default)]
    who: Option<Someone>,
    /// Id of the person's `Patient`.
    #[serde(default)]
    patient: Option<String>,
    /// Identity number, which stands in no address.
    #[serde(default)]
    number: Option<String>,
}

/// Somebody at work.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Someone {
    unit: String,
    purpose: String,
    #[serde(default)]
    authorization: Option<String>,
    #[serde(default)]
    hpr: Option<String>,
    #[serde(default)]
    subject: Option<String>,
    #[serde(default)]
    organisation: Option<String>,
    #[serde(default)]
    details: Option<String>,
    #[serde(default)]
    client: Option<String>,
}

/// `GET register`.
pub async fn register(call: Call) -> Answer {
    let folded = call.tenant.register_told(&call.caller).await?;
    Ok(tagged(folded.version, told(StatusCode::OK, &answer::register(&folded))))
}

/// `GET register/history`.
pub async fn history(call: Call) -> Answer {
    let pairs = call.pairs();
    let number = |name: &str, otherwise: u64| match pairs.iter().find(|(known, _)| known == name) {
        None => Ok(otherwise),
        Some((_, text)) => {
            text.parse().map_err(|_| malformed(name, "a whole number, not negative"))
        }
    };
    let most = usize::try_from(number("_count", 20)?).unwrap_or(usize::MAX);
    let before = number("before", Position::MAX)?;
    let decisions = call.tenant.register_history(&call.caller, before, most).await?;
    Ok(told(StatusCode::OK, &answer::history(&decisions)))
}

/// `PUT register/{part}/{key}`.
pub async fn put_member(call: Call, body: Body) -> Answer {
    let (part, key) = place(&call)?;
    let version = if_match(&call)?;
    let Put { value, why } = sent(&call, body).await?;
    let change = Change::Put { part, key, value };
    changed(&call, "admin-put", change, why, Some(version)).await
}

/// `DELETE register/{part}/{key}`; why stands in the query.
pub async fn end_member(call: Call) -> Answer {
    let (part, key) = place(&call)?;
    let version = if_match(&call)?;
    let pairs = call.pairs();
    let why = pairs.into_iter().find(|(name, _)| name == "why").map(|(_, why)| why);
    let change = Change::End { part, key };
    changed(&call, "admin-end", change, why.unwrap_or_default(), Some(version)).await
}

/// `POST register/rollback`.
pub async fn roll_back(call: Call, body: Body) -> Answer {
    let version = if_match(&call)?;
    let Rollback { to, why } = sent(&call, body).await?;
    let done = call.tenant.roll_back(&call.caller, to, why, Some(version)).await?;
    Ok(became(&call, done))
}

/// `POST switches`: stops or resumes something at once, whatever the register's version.
pub async fn throw_switch(call: Call, body: Body) -> Answer {
    let Throw { stop, resume, why } = sent(&call, body).await?;
    let change = match (stop, resume) {
        (Some(off), None) => {
            let key = switch_key(&off);
            let value = json!({ "off": off, "reason": why });
            Change::Put { part: Part::Switch, key, value }
        }
        (None, Some(off)) => Change::End { part: Part::Switch, key: switch_key(&off) },
        _ => return Err(malformed("stop", "send either `stop` or `resume`")),
    };
    changed(&call, "admin-switch", change, why, None).await
}

/// `GET proposals`.
pub async fn proposals(call: Call) -> Answer {
    let proposals = call.tenant.proposals(&call.caller, all(&call)).await?;
    Ok(told(StatusCode::OK, &answer::proposals(&proposals, call.tenant.now())))
}

/// `POST proposals/{id}/approve`.
pub async fn approve(call: Call, body: Body) -> Answer {
    let (id, Why { why }) = (position(&call)?, sent(&call, body).await?);
    let version = call.tenant.approve(&call.caller, id, why).await?;
    Ok(became(&call, Done::Decided(version)))
}

/// `POST proposals/{id}/reject`.
pub async fn reject(call: Call, body: Body) -> Answer {
    let (id, Why { why }) = (position(&call)?, sent(&call, body).await?);
    call.tenant.reject(&call.caller, id, why).await?;
    Ok(told(StatusCode::OK, &json!({ "outcome": "rejected", "proposal": id })))
}

/// `GET emergency`.
pub async fn emergencies(call: Call) -> Answer {
    let opened = call.tenant.emergencies(&call.caller, all(&call)).await?;
    Ok(told(StatusCode::OK, &answer::emergencies(&opened)))
}

/// `POST emergency/{id}/review`.
pub async fn review(call: Call, body: Body) -> Answer {
    let Review { outcome, why } = sent(&call, body).await?;
    let id = call.own_id()?;
    let position = call.tenant.review_emergency(&call.caller, id, outcome, why).await?;
    let body = json!({ "outcome": outcome, "version": position });
    Ok(told(StatusCode::OK, &body))
}

/// `POST register/what-if`.
pub async fn what_if(call: Call, body: Body) -> Answer {
    let Proposed { changes } = sent(&call, body).await?;
    let changes = changes.into_iter().map(One::change).collect::<Result<_, _>>()?;
    let change = Change::Several { changes, restores: None };
    let outlook = call.tenant.what_if(&call.caller, &change).await?;
    Ok(told(StatusCode::OK, &answer::outlook(&outlook)))
}

/// `POST explain`.
pub async fn explain(call: Call, body: Body) -> Answer {
    let Explain { who, patient, number } = sent(&call, body).await?;
    let person = match (patient, number) {
        (Some(id), None) => call.tenant.person_of_patient(&id)?,
        (None, Some(number)) => call.tenant.person(&number)?,
        _ => return Err(malformed("patient", "send either `patient` or `number`")),
    };
    let described = who.map(Someone::described).transpose()?;
    let explained = call.tenant.explain(&call.caller, described.as_ref(), person).await?;
    Ok(told(StatusCode::OK, &answer::explanation(&explained)))
}

impl One {
    fn change(self) -> Result<Change, Problem> {
        let part = known_part(&self.part)?;
        Ok(match self.value {
            Some(value) => Change::Put { part, key: self.key, value },
            None => Change::End { part, key: self.key },
        })
    }
}

impl Someone {
    fn described(self) -> Result<Described, Problem> {
        let purpose = Purpose::from_code(&self.purpose)
            .ok_or_else(|| malformed("who.purpose", "no such purpose of use"))?;
        Ok(Described {
            subject: self.subject,
            hpr: self.hpr,
            authorization: self.authorization,
            organisation: self.organisation,
            unit: self.unit,
            purpose,
            details: self.details,
            client: self.client,
        })
    }
}

async fn changed(
    call: &Call,
    action: &str,
    change: Change,
    why: String,
    version: Option<Position>,
) -> Answer {
    let done = call.tenant.change_register(&call.caller, action, change, why, version).await?;
    Ok(became(call, done))
}

/// What became of a change: 200 with the version that holds, or 202 where a second person is asked.
pub(super) fn became(call: &Call, done: Done) -> Response {
    let body = answer::done(done);
    match done {
        Done::Already(version) | Done::Decided(version) => {
            tagged(version, told(StatusCode::OK, &body))
        }
        Done::Proposed(id) => {
            let mut response = told(StatusCode::ACCEPTED, &body);
            put(&mut response, LOCATION, &call.door(&format!("admin/proposals/{id}")));
            response
        }
    }
}

fn known_part(name: &str) -> Result<Part, Problem> {
    Part::from_name(name).ok_or_else(|| {
        let names: Vec<&str> = Part::ALL.into_iter().map(Part::name).collect();
        let message = format!("no such part of the register; the parts are {}", names.join(", "));
        Problem::Failure(Failure::Unknown(Issue::error(IssueCode::NotFound, "part", message)))
    })
}

fn place(call: &Call) -> Result<(Part, String), Problem> {
    let part = known_part(call.part("part").unwrap_or_default())?;
    let key = call.part("key").unwrap_or_default();
    if key.is_empty() || key.len() > MAX_KEY || key.chars().any(char::is_control) {
        return Err(malformed("key", "1 to 128 bytes of text"));
    }
    Ok((part, key.to_owned()))
}

/// Most bytes of a member's key.
const MAX_KEY: usize = 128;

pub(super) fn position(call: &Call) -> Result<Position, Problem> {
    call.own_id()?.parse().map_err(|_| Problem::not_found())
}

/// Whether the query asks for what is done as well.
pub(super) fn all(call: &Call) -> bool {
    call.pairs().iter().any(|(name, value)| name == "all" && value == "true")
}

/// The version of the register that the caller has seen.
fn if_match(call: &Call) -> Result<Position, Problem> {
    let Some(text) = call.header("if-match") else {
        let message = "send `If-Match` with the version that `GET register` gave";
        let status = StatusCode::PRECONDITION_REQUIRED;
        return Err(Problem::edge(status, IssueCode::Required, message));
    };
    let version = text.strip_prefix("W/").unwrap_or(text).trim_matches('"').parse();
    version.map_err(|_| malformed("If-Match", "one version, such as `W/\"12\"`"))
}

/// The body, which is JSON of a known shape.
pub(super) async fn sent<T: DeserializeOwned>(call: &Call, body: Body) -> Result<T, Problem> {
    let bytes = input::bytes(&call.headers, body).await?;
    if bytes.len() > MAX_BODY {
        let message = "the request is larger than 1 MB";
        return Err(Problem::edge(StatusCode::PAYLOAD_TOO_LARGE, IssueCode::TooLong, message));
    }
    serde_json::from_slice(&bytes).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        malformed("", &format!("{place}: not the JSON that this address takes: {error}"))
    })
}

fn malformed(place: &str, message: &str) -> Problem {
    Failure::malformed(IssueCode::Structure, place, message).into()
}

pub(super) fn told(status: StatusCode, body: &Value) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, body.to_string()).into_response()
}

fn tagged(version: Position, mut response: Response) -> Response {
    put(&mut response, ETAG, &format!("W/\"{version}\""));
    response
}
