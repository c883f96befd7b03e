//! A resident's copy and requests, and the privacy officer's list of requests.

use std::sync::Arc;

use access::caller::Party;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use exchange::error::Failure;
use exchange::operation::parameters::Parameters;
use exchange::rights::Said;
use fhir::issue::IssueCode;
use pages::address;
use pages::cases::{self, Obstacle};
use pages::layout::Area;
use pages::notice::Notice;
use pages::requests::{self, Told};
use record::identity::PersonId;
use record::rights::Step;

use crate::app::App;
use crate::routes::fhir::operation::rights::{bundle, document};
use crate::web::form::{Form, told, words};
use crate::web::session::{SignedIn, signed_in};
use crate::web::{Stop, page};

type Shared = State<Arc<App>>;
type Shown = Result<Response, Stop>;

/// A resident's copy, to read.
pub async fn copy_pdf(
    State(app): Shared,
    Path(kommune): Path<String>,
    headers: HeaderMap,
) -> Shown {
    let (who, person) = resident(&app, &kommune, &headers)?;
    let given = Parameters::of_pairs(Vec::new());
    let made = async {
        let copy = who.tenant.readable_copy(&who.caller, &person.to_string(), &given).await?;
        document(&who.tenant, copy).await
    };
    made.await.map_err(|failure| who.stop(failure))
}

/// A resident's copy, for other systems.
pub async fn copy_json(
    State(app): Shared,
    Path(kommune): Path<String>,
    headers: HeaderMap,
) -> Shown {
    let (who, person) = resident(&app, &kommune, &headers)?;
    let given = Parameters::of_pairs(Vec::new());
    let door = |name: &str| format!("{}/{kommune}/{name}", app.public_url);
    let doors = (door("fhir"), door("log"));
    let id = person.to_string();
    let copy = who.tenant.clone().copy(&who.caller, &id, &given, doors).await;
    copy.and_then(bundle).map_err(|failure| who.stop(failure))
}

/// A resident asks for something, and is shown the page with it.
pub async fn ask(
    State(app): Shared,
    Path(kommune): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Shown {
    let (who, person) = resident(&app, &kommune, &headers)?;
    let form = Form::of(&headers, body).await;
    let field = |name| form.field(name);
    let (right, item) = (field(requests::RIGHT_FIELD), field(requests::ITEM_FIELD));
    let asked = match requests::wanted(right, item, field(requests::TEXT_FIELD)) {
        Some(wanted) => who.tenant.ask(&who.caller, &person.to_string(), wanted).await,
        None => Err(Failure::malformed(IssueCode::Value, "", "the form is not filled in")),
    };
    after(who, &kommune, asked.map(drop), Told::Sent)
}

/// A resident takes a request back.
pub async fn withdraw(
    State(app): Shared,
    Path(kommune): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Shown {
    let (who, _) = resident(&app, &kommune, &headers)?;
    let form = Form::of(&headers, body).await;
    let id = form.field(requests::ID_FIELD);
    let taken = who.tenant.advance(&who.caller, id, Step::Withdraw, Said::default()).await;
    after(who, &kommune, taken.map(drop), Told::Withdrawn)
}

fn after(who: SignedIn, kommune: &str, done: Result<(), Failure>, told: Told) -> Shown {
    match done {
        Ok(()) => Ok(Redirect::to(&address::innbygger_asked(kommune, told)).into_response()),
        Err(failure) => Err(who.stop(failure)),
    }
}

/// A resident who is signed in, and who that is.
fn resident(app: &App, kommune: &str, headers: &HeaderMap) -> Result<(SignedIn, PersonId), Stop> {
    let who = signed_in(app, kommune, headers)?.using(Area::Innbygger)?;
    let Party::Resident { number, .. } = &who.caller.party else { return Err(Stop::SignIn) };
    match who.tenant.person(number) {
        Ok(person) => Ok((who, person)),
        Err(failure) => Err(who.stop(failure)),
    }
}

/// `GET admin/krav`.
pub async fn cases(State(app): Shared, Path(kommune): Path<String>, headers: HeaderMap) -> Shown {
    let who = signed_in(&app, &kommune, &headers)?.using(Area::Cases)?;
    shown(who, StatusCode::OK, None).await
}

/// `POST admin/krav`: takes the step that the form says and shows the list as it is then.
pub async fn step(
    State(app): Shared,
    Path(kommune): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Shown {
    let who = signed_in(&app, &kommune, &headers)?.using(Area::Cases)?;
    let form = Form::of(&headers, body).await;
    let taken = match Step::from_code(form.field(cases::STEP)) {
        Some(step) => {
            let reason = Some(form.field(cases::WHY).to_owned()).filter(|why| !why.is_empty());
            let said = Said { reason, output: None };
            who.tenant.advance(&who.caller, form.field(requests::ID_FIELD), step, said).await
        }
        None => Err(Failure::NotFound),
    };
    let (who, status, notice) = told(who, taken.map(|_| Notice::Done), |failure| {
        let says = |location: &str| failure.issues().iter().any(|issue| issue.location == location);
        Notice::Refused(match () {
            () if says("reason") => Obstacle::NoReason.words(),
            () if says("output") => Obstacle::NotCorrected.words(),
            () => words(failure),
        })
    })?;
    shown(who, status, Some(notice)).await
}

async fn shown(who: SignedIn, status: StatusCode, notice: Option<Notice>) -> Shown {
    match who.tenant.open_requests(&who.caller).await {
        Ok(all) => {
            let now = who.tenant.now();
            Ok(page(status, cases::render(&who.session, &all, notice, now)))
        }
        Err(failure) => Err(who.stop(failure)),
    }
}
