//! The pages of those who read: the doctor on call, the ward and the resident.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use access::caller::Party;
use access::restriction::What;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Redirect, Response};
use exchange::answer::Stretch;
use exchange::control::{Reader, Wish};
use exchange::error::Failure;
use exchange::overview::Looks;
use fhir::instant;
use fhir::instant::range;
use fhir::issue::IssueCode;
use futures_util::stream;
use pages::chart::Period;
use pages::innbygger::{self, Mine};
use pages::layout::{Area, Session};
use pages::requests::{Asked, Told};
use pages::restrictions::{Done, Own};
use pages::{address, chart, legevakt, restrictions, tavle};
use record::identity::{PersonId, accept_number};

use crate::app::App;
use crate::input;
use crate::web::session::{SignedIn, signed_in};
use crate::web::{Stop, page};

type Shared = State<Arc<App>>;
type Shown = Result<Response, Stop>;

/// How often a comment is sent on a quiet line, so that it is not taken for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Longest life of a line of events; the browser comes again, and its token is looked at again.
const LINE_LIFE: Duration = Duration::from_secs(15 * 60);

/// Lines of the access log on the resident's page.
const LOOKS: usize = 100;

/// The form for an identity number.
pub async fn find(State(app): Shared, Path(kommune): Path<String>, headers: HeaderMap) -> Shown {
    let who = signed_in(&app, &kommune, &headers)?.using(Area::Legevakt)?;
    Ok(page(StatusCode::OK, legevakt::find(&who.session, None)))
}

/// The patient with the number in the form: services at a glance, and NEWS2 for those who may.
pub async fn patient(
    State(app): Shared,
    Path(kommune): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Shown {
    let who = signed_in(&app, &kommune, &headers)?.using(Area::Legevakt)?;
    let form = input::bytes(&headers, body).await.unwrap_or_default();
    let pairs = input::pairs(&form);
    let typed = pairs.iter().find(|(name, _)| name == legevakt::NUMBER_FIELD);
    let number: String = typed
        .map(|(_, value)| value.chars().filter(|c| !c.is_whitespace()).collect())
        .unwrap_or_default();
    let strictness = who.tenant.register().identity_numbers.into();
    if let Err(error) = accept_number(&number, strictness) {
        let html = legevakt::find(&who.session, Some(error));
        return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, html));
    }
    let person = match who.tenant.person(&number) {
        Ok(person) => person,
        Err(failure) => return Err(who.stop(failure)),
    };
    let mut overview = match who.tenant.overview(&who.caller, person).await {
        Ok(overview) => overview,
        Err(failure) => return Err(who.stop(failure)),
    };
    let news2 = match who.tenant.news2(&who.caller, person).await {
        Ok(news2) => Some(news2),
        // A role that needs no measurements sees the services without them.
        Err(Failure::Refused(_)) => None,
        Err(failure) => return Err(who.stop(failure)),
    };
    // Where no source knows the person, whom the answer is about must still be seen.
    overview.patient.number.get_or_insert(number);
    let now = who.tenant.now();
    let html = legevakt::patient(&who.session, &overview, news2.as_ref(), now);
    Ok(page(StatusCode::OK, html))
}

/// The ward's board.
pub async fn board(State(app): Shared, Path(kommune): Path<String>, headers: HeaderMap) -> Shown {
    let who = signed_in(&app, &kommune, &headers)?;
    match who.tenant.board(&who.caller).await {
        Ok(board) => {
            let now = who.tenant.now();
            Ok(page(StatusCode::OK, tavle::render(&who.session, &board, now)))
        }
        Err(failure) => Err(who.stop(failure)),
    }
}

/// One line of the board.
pub async fn board_line(
    State(app): Shared,
    Path((kommune, person)): Path<(String, String)>,
    headers: HeaderMap,
) -> Shown {
    let who = signed_in(&app, &kommune, &headers)?;
    let Some(person) = PersonId::parse(&person) else { return Err(who.stop(Failure::NotFound)) };
    match who.tenant.board_line(&who.caller, person).await {
        Ok(news2) => {
            let now = who.tenant.now();
            Ok(page(StatusCode::OK, tavle::row(&who.session, &news2, now)))
        }
        Err(failure) => Err(who.stop(failure)),
    }
}

/// Server-sent events: the id of each patient whose line on the board changed.
pub async fn board_events(
    State(app): Shared,
    Path(kommune): Path<String>,
    headers: HeaderMap,
) -> Shown {
    let who = signed_in(&app, &kommune, &headers)?;
    let watch = match who.tenant.clone().watch_board(&who.caller).await {
        Ok(watch) => watch,
        Err(failure) => return Err(who.stop(failure)),
    };
    let ends = tokio::time::Instant::now() + LINE_LIFE;
    let events = stream::unfold(watch, move |mut watch| async move {
        let person = tokio::time::timeout_at(ends, watch.next()).await.ok()??;
        Some((Ok::<_, Infallible>(Event::default().data(person.to_string())), watch))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

/// The NEWS2 chart of one patient.
pub async fn chart(
    State(app): Shared,
    Path((kommune, person)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Shown {
    let who = signed_in(&app, &kommune, &headers)?;
    let Some(person) = PersonId::parse(&person) else { return Err(who.stop(Failure::NotFound)) };
    match who.tenant.news2(&who.caller, person).await {
        Ok(news2) => {
            let now = who.tenant.now();
            let html = chart::render(&who.session, &news2, period(query), now);
            Ok(page(StatusCode::OK, html))
        }
        Err(failure) => Err(who.stop(failure)),
    }
}

/// A resident's own page.
pub async fn own(
    State(app): Shared,
    Path(kommune): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Shown {
    let who = signed_in(&app, &kommune, &headers)?.using(Area::Innbygger)?;
    let Party::Resident { number, .. } = &who.caller.party else { return Err(Stop::SignIn) };
    match own_page(&who, number, query).await {
        Ok(html) => Ok(page(StatusCode::OK, html)),
        Err(failure) => Err(who.stop(failure)),
    }
}

async fn own_page(who: &SignedIn, number: &str, query: Option<String>) -> Result<String, Failure> {
    let pairs = input::pairs(query.as_deref().unwrap_or_default().as_bytes());
    let field = |name| pairs.iter().find(|(known, _)| known == name).map(|(_, it)| it.as_str());
    let day = |name| field(name).filter(|day| instant::is_date(day)).unwrap_or_default();
    let (from, to) = (day(innbygger::FROM_FIELD), day(innbygger::TO_FIELD));
    let stretch = Stretch {
        from: range(from).map(|(start, _)| start),
        to: range(to).map(|(_, end)| end),
        before: field(innbygger::OLDER_FIELD).and_then(|it| it.parse().ok()),
    };
    let done = field("melding").and_then(Done::from_key);
    let told = field("melding").and_then(Told::from_key);
    let period = period(query.clone());
    let person = who.tenant.person(number)?;
    let overview = who.tenant.overview(&who.caller, person).await?;
    let news2 = who.tenant.news2(&who.caller, person).await?;
    // What systems record and what residents see themselves would crowd out who else has looked.
    let shown = Looks::OfOthers;
    let (looks, older) =
        who.tenant.access_log_in(&who.caller, person, shown, stretch, LOOKS).await?;
    let restricted = who.tenant.restrictions(&who.caller, person).await?;
    let units = who.tenant.register().units.clone();
    let units: Vec<_> = units.into_iter().map(|unit| (unit.organisation, unit.name)).collect();
    let requests = who.tenant.requests(&who.caller, person).await?;
    let own = Own { restricted: &restricted, units: &units, done };
    let asked = Asked { all: &requests, told };
    let shown = innbygger::Shown { from, to, older };
    let mine = Mine { overview: &overview, news2: &news2, looks: &looks, own, asked, shown };
    // ID-porten gives no name.
    let name = overview.patient.name.clone().unwrap_or_default();
    let session = Session { name, ..who.session.clone() };
    Ok(innbygger::render(&session, mine, period, who.tenant.now()))
}

/// A resident withholds something, and is shown the page with it.
pub async fn restrict(
    State(app): Shared,
    Path(kommune): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Shown {
    let who = signed_in(&app, &kommune, &headers)?.using(Area::Innbygger)?;
    let Party::Resident { number, .. } = &who.caller.party else { return Err(Stop::SignIn) };
    let form = input::bytes(&headers, body).await.unwrap_or_default();
    let done = match wish(&input::pairs(&form)) {
        Some(wish) => who.tenant.restrict(&who.caller, number, wish).await,
        None => Err(Failure::malformed(IssueCode::Value, "", "the form is not filled in")),
    };
    match done {
        Ok(_) => Ok(after(&kommune, Done::Restricted)),
        Err(failure) => Err(who.stop(failure)),
    }
}

/// A resident withholds something no longer.
pub async fn lift(
    State(app): Shared,
    Path(kommune): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Shown {
    let who = signed_in(&app, &kommune, &headers)?.using(Area::Innbygger)?;
    let form = input::bytes(&headers, body).await.unwrap_or_default();
    let pairs = input::pairs(&form);
    let id = field(&pairs, restrictions::LIFT_FIELD);
    match who.tenant.lift(&who.caller, id).await {
        Ok(_) => Ok(after(&kommune, Done::Lifted)),
        Err(failure) => Err(who.stop(failure)),
    }
}

fn after(kommune: &str, done: Done) -> Response {
    Redirect::to(&address::innbygger_after(kommune, done)).into_response()
}

/// What the form says; nothing where it is not filled in.
fn wish(pairs: &[(String, String)]) -> Option<Wish> {
    let reader = match field(pairs, restrictions::LOOK_FIELD) {
        "" => Reader::Named(restrictions::against(field(pairs, restrictions::FROM_FIELD))?),
        position => Reader::Looked(position.parse().ok()?),
    };
    let day = |name: &str| match field(pairs, name) {
        "" => Some(None),
        day => instant::range(day).map(Some),
    };
    let from = day(restrictions::START_FIELD)?.map(|(begins, _)| begins);
    let to = day(restrictions::END_FIELD)?.map(|(_, ends)| ends);
    let is_empty = matches!((from, to), (Some(from), Some(to)) if from >= to);
    let what = restrictions::what(field(pairs, restrictions::WHAT_FIELD))?;
    let in_emergency = !field(pairs, restrictions::EMERGENCY_FIELD).is_empty();
    (!is_empty).then_some(Wish { reader, what: What { from, to, ..what }, in_emergency })
}

fn field<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    let found = pairs.iter().find(|(known, _)| known == name);
    found.map_or("", |(_, value)| value.as_str())
}

fn period(query: Option<String>) -> Period {
    input::pairs(query.unwrap_or_default().as_bytes())
        .iter()
        .find(|(name, _)| name == "periode")
        .and_then(|(_, key)| Period::from_key(key))
        .unwrap_or(Period::Week)
}
