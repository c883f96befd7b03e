//! The municipality's own page: what it has decided, and the forms by which it decides.

use std::sync::Arc;

use access::register::control::Off;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use exchange::error::{Category, Failure};
use exchange::register::change::Done;
use exchange::register::part::switch_key;
use pages::admin::{
    ACT, APPROVE, ID, Notice, OUTCOME, Obstacle, REJECT, RESUME, REVIEW, STOP, WHAT, WHY, outcome,
    render, stoppable,
};
use pages::layout::Area;
use pages::text;
use record::decision::{Change, Part};
use serde_json::json;

use crate::app::App;
use crate::input;
use crate::problem::status;
use crate::web::session::{SignedIn, signed_in};
use crate::web::{Stop, page};

type Shared = State<Arc<App>>;
type Shown = Result<Response, Stop>;

/// `GET admin`.
pub async fn show(State(app): Shared, Path(kommune): Path<String>, headers: HeaderMap) -> Shown {
    let who = signed_in(&app, &kommune, &headers)?.using(Area::Admin)?;
    shown(who, StatusCode::OK, None).await
}

/// `POST admin`: does what the form says and shows what holds then.
pub async fn act(
    State(app): Shared,
    Path(kommune): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Shown {
    let who = signed_in(&app, &kommune, &headers)?.using(Area::Admin)?;
    let form = Form::of(&headers, body).await;
    match done(&who, &form).await {
        Ok(notice) => shown(who, StatusCode::OK, Some(notice)).await,
        Err(failure) => match failure.category() {
            Category::Unavailable | Category::Busy => Err(who.stop(failure)),
            category => {
                let notice = Notice::Refused(words(&failure));
                shown(who, status(category), Some(notice)).await
            }
        },
    }
}

async fn shown(who: SignedIn, status: StatusCode, notice: Option<Notice>) -> Shown {
    match who.tenant.admin_overview(&who.caller).await {
        Ok(overview) => Ok(page(status, render(&who.session, &overview, notice, who.tenant.now()))),
        Err(failure) => Err(who.stop(failure)),
    }
}

/// The fields of a form.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// The fields that were sent.
    pub(super) async fn of(headers: &HeaderMap, body: Body) -> Self {
        Self(input::pairs(&input::bytes(headers, body).await.unwrap_or_default()))
    }

    pub(super) fn field(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.trim()).unwrap_or_default()
    }
}

async fn done(who: &SignedIn, form: &Form) -> Result<Notice, Failure> {
    let (tenant, caller) = (&who.tenant, &who.caller);
    let why = form.field(WHY).to_owned();
    let proposal = || form.field(ID).parse().map_err(|_| Failure::NotFound);
    match form.field(ACT) {
        APPROVE => drop(tenant.approve(caller, proposal()?, why).await?),
        REJECT => drop(tenant.reject(caller, proposal()?, why).await?),
        REVIEW => {
            let outcome = outcome(form.field(OUTCOME)).ok_or(Failure::NotFound)?;
            tenant.review_emergency(caller, form.field(ID), outcome, why).await?;
        }
        act @ (STOP | RESUME) => {
            let off = stoppable(&tenant.decided());
            let off = off.into_iter().find(|off| switch_key(off) == form.field(WHAT));
            let change = switch(act == STOP, &off.ok_or(Failure::NotFound)?, &why);
            let done = tenant.change_register(caller, "admin-switch", change, why, None).await?;
            if let Done::Proposed(_) = done {
                return Ok(Notice::Proposed);
            }
        }
        _ => return Err(Failure::NotFound),
    }
    Ok(Notice::Done)
}

fn switch(stops: bool, off: &Off, why: &str) -> Change {
    let key = switch_key(off);
    if stops {
        let value = json!({ "off": off, "reason": why });
        return Change::Put { part: Part::Switch, key, value };
    }
    Change::End { part: Part::Switch, key }
}

/// Why not, for a person.
pub(super) fn words(failure: &Failure) -> String {
    if let Some(refusal) = failure.refusal() {
        return text::get(&format!("rule-{}", refusal.rule.code()));
    }
    match failure.category() {
        Category::Gone | Category::NotFound => Obstacle::Gone.words(),
        Category::Invalid => {
            let issues = failure.issues();
            if issues.iter().any(|issue| issue.location == "why") {
                return Obstacle::NoReason.words();
            }
            let own = issues.into_iter().map(|it| format!("{}: {}", it.location, it.message));
            own.collect::<Vec<_>>().join("; ")
        }
        _ => Obstacle::Meanwhile.words(),
    }
}
