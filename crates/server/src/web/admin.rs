//! The municipality's own page: what it has decided, and the forms by which it decides.

use std::sync::Arc;

use access::register::control::Off;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use exchange::error::Failure;
use exchange::register::change::Done;
use exchange::register::part::switch_key;
use pages::admin::{
    ACT, APPROVE, ID, Notice, OUTCOME, REJECT, RESUME, REVIEW, STOP, WHAT, WHY, outcome, render,
    stoppable,
};
use pages::layout::Area;
use record::decision::{Change, Part};
use serde_json::json;

use crate::app::App;
use crate::web::form::{Form, told, words};
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
    let done = done(&who, &form).await;
    let (who, status, notice) = told(who, done, |failure| Notice::Refused(words(failure)))?;
    shown(who, status, Some(notice)).await
}

async fn shown(who: SignedIn, status: StatusCode, notice: Option<Notice>) -> Shown {
    match who.tenant.admin_overview(&who.caller).await {
        Ok(overview) => Ok(page(status, render(&who.session, &overview, notice, who.tenant.now()))),
        Err(failure) => Err(who.stop(failure)),
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
