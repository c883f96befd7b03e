//! The pages about how access was used: the work list of the log analysis, and the review of accesses.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use exchange::error::{Category, Failure};
use pages::layout::Area;
use pages::notice::Notice;
use pages::{accesses, log_analysis};
use record::decision::Inquiry;

use crate::app::App;
use crate::input;
use crate::web::form::{Form, told, words};
use crate::web::session::{SignedIn, signed_in};
use crate::web::{Stop, page};

type Shared = State<Arc<App>>;
type Shown = Result<Response, Stop>;

/// `GET admin/logganalyse`.
pub async fn list(
    State(app): Shared,
    Path(kommune): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Shown {
    let who = signed_in(&app, &kommune, &headers)?.using(Area::LogAnalysis)?;
    let pairs = input::pairs(query.unwrap_or_default().as_bytes());
    let all = pairs.iter().any(|(name, value)| name == log_analysis::ALL && value == "ja");
    listed(who, StatusCode::OK, all, None).await
}

/// `POST admin/logganalyse`: records what came of a finding.
pub async fn settle(
    State(app): Shared,
    Path(kommune): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Shown {
    let who = signed_in(&app, &kommune, &headers)?.using(Area::LogAnalysis)?;
    let form = Form::of(&headers, body).await;
    let (id, why) = (form.field(log_analysis::ID), form.field(log_analysis::WHY).to_owned());
    let key = form.field(log_analysis::OUTCOME);
    let done = match Inquiry::ALL.into_iter().find(|outcome| outcome.key() == key) {
        Some(outcome) => who.tenant.settle_finding(&who.caller, id, outcome, why).await,
        None => Err(Failure::NotFound),
    };
    let (who, status, notice) = told(who, done.map(|_| Notice::Done), refused)?;
    listed(who, status, false, Some(notice)).await
}

/// `GET admin/tilganger`.
pub async fn review(State(app): Shared, Path(kommune): Path<String>, headers: HeaderMap) -> Shown {
    let who = signed_in(&app, &kommune, &headers)?.using(Area::Accesses)?;
    reviewed(who, StatusCode::OK, None).await
}

/// `POST admin/tilganger`: records whether an access is needed.
pub async fn certify(
    State(app): Shared,
    Path(kommune): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Shown {
    let who = signed_in(&app, &kommune, &headers)?.using(Area::Accesses)?;
    let form = Form::of(&headers, body).await;
    let (id, why) = (form.field(accesses::ID), form.field(accesses::WHY).to_owned());
    let done = match form.field(accesses::NEEDED) {
        needed @ (accesses::YES | accesses::NO) => {
            who.tenant.certify_access(&who.caller, id, needed == accesses::YES, why).await
        }
        _ => Err(Failure::NotFound),
    };
    let (who, status, notice) = told(who, done.map(|_| Notice::Done), refused)?;
    reviewed(who, status, Some(notice)).await
}

async fn listed(who: SignedIn, status: StatusCode, all: bool, notice: Option<Notice>) -> Shown {
    match who.tenant.work_list(&who.caller, all).await {
        Ok(listed) => {
            let now = who.tenant.now();
            Ok(page(status, log_analysis::render(&who.session, &listed, all, notice, now)))
        }
        Err(failure) => Err(who.stop(failure)),
    }
}

async fn reviewed(who: SignedIn, status: StatusCode, notice: Option<Notice>) -> Shown {
    match who.tenant.accesses(&who.caller).await {
        Ok(reviewed) => {
            let (now, as_of) = (who.tenant.now(), who.tenant.analysed_to());
            let as_of = as_of.map(|day| day.to_string());
            Ok(page(status, accesses::render(&who.session, &reviewed, as_of, notice, now)))
        }
        Err(failure) => Err(who.stop(failure)),
    }
}

/// Why not, for a person.
fn refused(failure: &Failure) -> Notice {
    let of_why = failure.issues().iter().any(|issue| issue.location == "why");
    let own = failure.category() == Category::Invalid && !of_why;
    Notice::Refused(if own { log_analysis::own() } else { words(failure) })
}
