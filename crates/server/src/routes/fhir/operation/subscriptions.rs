//! What a subscriber asks about its own subscription: `$status`, and `$events` for what it may have missed
//! (Subscriptions Backport 1.1).

use axum::http::StatusCode;
use axum::response::Response;
use exchange::error::Failure;
use exchange::subscription::Wanted;
use fhir::issue::IssueCode;

use super::super::Answer;
use crate::outside::subscribers::notification::{Said, bundle};
use crate::outside::subscribers::state::{Place, Places};
use crate::problem::{Problem, fhir_body};
use crate::routes::call::Call;

/// Most events in one answer.
const MOST: u32 = 1_000;

/// `Subscription/id/$status`.
pub async fn status(call: Call) -> Answer {
    let (wanted, places) = own(&call).await?;
    let place = place(&places, &wanted)?;
    Ok(answer(&call, &wanted, "query-status", place.as_ref(), Vec::new()))
}

/// `Subscription/id/$events`: those with numbers from `eventsSinceNumber` to `eventsUntilNumber`.
pub async fn events(call: Call) -> Answer {
    let (wanted, places) = own(&call).await?;
    let range =
        (number(&call, "eventsSinceNumber", 1)?, number(&call, "eventsUntilNumber", u64::MAX)?);
    let kept = places.events(&wanted.id, range, MOST).map_err(|error| broken(&error))?;
    let place = place(&places, &wanted)?;
    drop(places);
    let mut events = Vec::with_capacity(kept.len());
    for (number, position) in kept {
        let (event, _) = call.tenant.next_event(wanted.topic, position.saturating_sub(1), 1)?;
        let (mut at, mut focus) = (call.tenant.now(), None);
        if let Some(event) = event {
            at = event.at;
            if wanted.names && call.tenant.may_be_told(&call.caller, &event).await? {
                focus = Some(format!("{}/{}", event.resource.0, event.resource.1));
            }
        }
        events.push((number, at, focus));
    }
    Ok(answer(&call, &wanted, "query-event", place.as_ref(), events))
}

/// The caller's own subscription: whoever may read it.
async fn own(call: &Call) -> Result<(Wanted, Places), Problem> {
    let id = call.own_id()?;
    call.tenant.read(&call.caller, "Subscription", id).await?;
    let wanted = call.tenant.subscriptions()?.into_iter().find(|wanted| wanted.id == id);
    let wanted = wanted.ok_or_else(Problem::not_found)?;
    let places = Places::open(call.tenant.directory()).map_err(|error| broken(&error))?;
    Ok((wanted, places))
}

fn place(places: &Places, wanted: &Wanted) -> Result<Option<Place>, Problem> {
    places.of(&wanted.id).map_err(|error| broken(&error))
}

fn broken(error: &rusqlite::Error) -> Problem {
    Failure::Unavailable(format!("the state of subscriptions cannot be read: {error}")).into()
}

fn number(call: &Call, name: &str, unsaid: u64) -> Result<u64, Problem> {
    let pairs = call.pairs();
    let Some((_, text)) = pairs.iter().find(|(key, _)| key == name) else { return Ok(unsaid) };
    text.parse().map_err(|_| {
        let message = format!("`{name}` is the number of an event, such as 12");
        Failure::malformed(IssueCode::Value, name, &message).into()
    })
}

fn answer(
    call: &Call,
    wanted: &Wanted,
    kind: &str,
    place: Option<&Place>,
    events: Vec<(u64, i64, Option<String>)>,
) -> Response {
    let error = place.map_or("", |place| place.error.as_str());
    let status = match place {
        Some(place) if !place.error.is_empty() => "error",
        Some(place) if place.shaken == wanted.version => "active",
        _ => "requested",
    };
    let last = place.map_or(0, |place| place.number);
    let said = Said { kind, status, last, events, error };
    let text = bundle(&call.base(), wanted, &said, call.tenant.now()).to_string();
    fhir_body(StatusCode::OK, text.into_bytes())
}
