//! The pages of those who read: the doctor on call, the ward and the resident.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use access::caller::Party;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use exchange::answer::Stretch;
use exchange::error::Failure;
use exchange::overview::Looks;
use fhir::instant::range;
use futures_util::stream;
use pages::chart::Period;
use pages::innbygger::{self, Mine};
use pages::layout::{Area, Session};
use pages::{chart, legevakt, tavle};
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

impl SignedIn {
    fn stop(self, failure: Failure) -> Stop {
        Stop::Failed(Some(Box::new(self.session)), failure)
    }
}

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
    let day = |name| field(name).filter(|day| fhir::instant::is_date(day)).unwrap_or_default();
    let (from, to) = (day(innbygger::FROM_FIELD), day(innbygger::TO_FIELD));
    let stretch = Stretch {
        from: range(from).map(|(start, _)| start),
        to: range(to).map(|(_, end)| end),
        before: field(innbygger::OLDER_FIELD).and_then(|it| it.parse().ok()),
    };
    let period = period(query.clone());
    let person = who.tenant.person(number)?;
    let overview = who.tenant.overview(&who.caller, person).await?;
    let news2 = who.tenant.news2(&who.caller, person).await?;
    // What systems record and what residents see themselves would crowd out who else has looked.
    let shown = Looks::OfOthers;
    let (looks, older) =
        who.tenant.access_log_in(&who.caller, person, shown, stretch, LOOKS).await?;
    let shown = innbygger::Shown { from, to, older };
    let mine = Mine { overview: &overview, news2: &news2, looks: &looks, shown };
    // ID-porten gives no name.
    let name = overview.patient.name.clone().unwrap_or_default();
    let session = Session { name, ..who.session.clone() };
    Ok(innbygger::render(&session, mine, period, who.tenant.now()))
}

fn period(query: Option<String>) -> Period {
    input::pairs(query.unwrap_or_default().as_bytes())
        .iter()
        .find(|(name, _)| name == "periode")
        .and_then(|(_, key)| Period::from_key(key))
        .unwrap_or(Period::Week)
}
