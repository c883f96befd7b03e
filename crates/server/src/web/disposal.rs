//! The officers' page of preservation and disposal, and its forms.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use exchange::disposal::record::Asked;
use exchange::error::Failure;
use pages::disposal::{
    ACT, APPROVE, GROUND, HAND_OVER, HOLD, ID, LIFT, NUMBER, PERSON, PROPOSE, PROPOSE_RECORD,
    RECORD, REFERENCE, REJECT, REQUEST, WHY, refusal, render,
};
use pages::layout::Area;
use pages::notice::Notice;
use record::decision::Ground;
use record::entry::Position;
use record::identity::PersonId;

use crate::app::App;
use crate::web::form::{Form, told, words};
use crate::web::session::{SignedIn, signed_in};
use crate::web::{Stop, page};

type Shared = State<Arc<App>>;
type Shown = Result<Response, Stop>;

/// `GET admin/bevaring`.
pub async fn show(State(app): Shared, Path(kommune): Path<String>, headers: HeaderMap) -> Shown {
    let who = signed_in(&app, &kommune, &headers)?.using(Area::Disposal)?;
    shown(who, StatusCode::OK, None).await
}

/// `POST admin/bevaring`: does what the form says and shows what holds then.
pub async fn act(
    State(app): Shared,
    Path(kommune): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Shown {
    let who = signed_in(&app, &kommune, &headers)?.using(Area::Disposal)?;
    let form = Form::of(&headers, body).await;
    let done = done(&who, &form).await.map(|()| Notice::Done);
    let (who, status, notice) = told(who, done, |failure| {
        let own = failure.issues().iter().find_map(|issue| refusal(&issue.location));
        Notice::Refused(own.unwrap_or_else(|| words(failure)))
    })?;
    shown(who, status, Some(notice)).await
}

async fn shown(who: SignedIn, status: StatusCode, notice: Option<Notice>) -> Shown {
    match who.tenant.disposing(&who.caller).await {
        Ok(disposing) => {
            Ok(page(status, render(&who.session, &disposing, notice, who.tenant.now())))
        }
        Err(failure) => Err(who.stop(failure)),
    }
}

async fn done(who: &SignedIn, form: &Form) -> Result<(), Failure> {
    let (tenant, caller) = (&who.tenant, &who.caller);
    let why = form.field(WHY).to_owned();
    let id = || form.field(ID).parse::<Position>().map_err(|_| Failure::NotFound);
    let person = || match form.field(PERSON) {
        "" => tenant.person(form.field(NUMBER)),
        id => PersonId::parse(id).ok_or(Failure::NotFound),
    };
    match form.field(ACT) {
        HOLD => drop(tenant.hold(caller, person()?, why).await?),
        LIFT => drop(tenant.release(caller, id()?, why).await?),
        HAND_OVER => {
            let reference = form.field(REFERENCE).to_owned();
            tenant.hand_over(caller, person()?, reference, why).await?;
        }
        PROPOSE => {
            let ground = Ground::from_key(form.field(GROUND)).ok_or(Failure::NotFound)?;
            tenant.propose_erasure(caller, person()?, ground, why).await?;
        }
        PROPOSE_RECORD => {
            let basis = Ground::from_key(form.field(GROUND)).ok_or(Failure::NotFound)?;
            let record = form.field(RECORD).trim().to_owned();
            let request = Some(form.field(REQUEST).trim().to_owned()).filter(|it| !it.is_empty());
            let asked = Asked { record, basis, request };
            tenant.propose_record_erasure(caller, asked, why).await?;
        }
        APPROVE => drop(tenant.approve(caller, id()?, why).await?),
        REJECT => drop(tenant.reject(caller, id()?, why).await?),
        _ => return Err(Failure::NotFound),
    }
    Ok(())
}
