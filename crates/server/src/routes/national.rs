//! A demo's stand-ins for national sources over HTTP, and the faults that can be asked of them. What they answer is
//! [`sandbox::national`]'s to say; when serving for real there are none.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use fhir::issue::IssueCode;
use fhir::json;
use ledger::clock::{Clock, SystemClock};
use sandbox::national::{Fault, National, withheld};

use crate::app::App;
use crate::input;
use crate::problem::{Problem, fhir_body};

type Shared = State<Arc<App>>;
type Answer = Result<Response, Problem>;

/// Slowest that a stand-in can be asked to be, in milliseconds.
const SLOWEST_MS: u64 = 60_000;

/// A made-up number, of nobody: whom a stand-in that answers wrong tells about.
const SOMEBODY_ELSE: &str = "13897099929";

/// `GET {type}`, as the critical information is asked for.
pub async fn list(
    State(app): Shared,
    Path((source, kind)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    answer(&app, &source, &kind, header(&headers, "nhn-patient-nin")).await
}

/// `POST {type}/_search`.
pub async fn search(
    State(app): Shared,
    Path((source, kind)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let form = input::pairs(&input::bytes(&headers, body).await?);
    let named = form.iter().find(|(name, _)| name == "patient.identifier");
    let of_form = named.map(|(_, value)| value.rsplit('|').next().unwrap_or_default().to_owned());
    let number = header(&headers, "person-id").or(of_form);
    answer(&app, &source, &format!("{kind}/_search"), number).await
}

/// `POST $feil`: from now on the stand-in fails so; without `slag` it is well again.
pub async fn fail(
    State(app): Shared,
    Path(source): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    let source = stand_in(&app, &source)?;
    let pairs = input::pairs(query.unwrap_or_default().as_bytes());
    let named = |name: &str| pairs.iter().find(|(known, _)| known == name).map(|(_, it)| it);
    let wrong = |what: &str| Problem::edge(StatusCode::BAD_REQUEST, IssueCode::Value, what);
    let ms = named("ms")
        .map_or(Ok(SLOWEST_MS), |it| it.parse().map_err(|_| wrong("`ms` is a number")))?;
    let mut faults = app.faults.lock();
    match named("slag") {
        None => faults.remove(&source),
        Some(kind) => {
            let fault = Fault::from_key(kind, ms.min(SLOWEST_MS)).ok_or_else(|| {
                wrong("`slag` is one of `nede`, `kuttet`, `feil`, `sperret` and `treg`")
            })?;
            faults.insert(source, fault)
        }
    };
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn answer(app: &App, source: &str, path: &str, number: Option<String>) -> Answer {
    let source = stand_in(app, source)?;
    let number = number.ok_or_else(|| {
        let what = "the question names no person";
        Problem::edge(StatusCode::BAD_REQUEST, IssueCode::Required, what)
    })?;
    let today = fhir::instant::local_date(SystemClock.now_ms());
    let print = |number: &str| json::print(&source.answer(path, number, &today)).into_bytes();
    let fault = app.faults.lock().get(&source).copied();
    let (status, body) = match fault {
        None => (StatusCode::OK, print(&number)),
        Some(Fault::Slow(ms)) => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            (StatusCode::OK, print(&number))
        }
        Some(Fault::Down) => (StatusCode::SERVICE_UNAVAILABLE, Vec::new()),
        Some(Fault::Truncated) => {
            let mut whole = print(&number);
            whole.truncate(whole.len() / 2);
            (StatusCode::OK, whole)
        }
        Some(Fault::Wrong) => (StatusCode::OK, print(SOMEBODY_ELSE)),
        Some(Fault::Withheld) => (StatusCode::FORBIDDEN, json::print(&withheld()).into_bytes()),
    };
    Ok(fhir_body(status, body))
}

/// The stand-in of this name, where this is a demo.
fn stand_in(app: &App, key: &str) -> Result<National, Problem> {
    let there = app.desk.is_some().then(|| National::from_key(key)).flatten();
    there.ok_or_else(Problem::not_found)
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    input::header(headers, name).map(str::to_owned)
}
