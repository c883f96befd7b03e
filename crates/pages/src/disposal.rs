//! Preservation and disposal, for the privacy officers: whose time has run, holds, erasures that wait for a
//! second officer, and those that were made.
//!
//! Every form posts to [`address::DISPOSAL`] with [`ACT`], which says what is done. No script is needed.
//! Persons stand by the pseudonymous id: what they are called is nobody's need here.

use askama::Template;
use exchange::disposal::overview::Disposing;
use exchange::register::fold::Act;
use record::decision::{Ground, Who};
use record::identity::PersonId;
use record::retention::{Clock, Due, Retention, Verdict};

use crate::address;
use crate::layout::{Area, Frame, Session, html};
use crate::notice::Notice;
use crate::text::{self, filters};
use crate::time::{self, Moment};

/// Field: what is done; one of the constants below.
pub const ACT: &str = "act";
/// Field: the reason.
pub const WHY: &str = "why";
/// Field: the hold or the proposal.
pub const ID: &str = "id";
/// Field: the person, by the id that the page shows.
pub const PERSON: &str = "person";
/// Field: the person, by number.
pub const NUMBER: &str = "number";
/// Field: the ground of an erasure, a [`Ground::key`].
pub const GROUND: &str = "ground";
/// Field: one record, as `type/id`.
pub const RECORD: &str = "record";
/// Field: the Task by which a resident asked for an erasure.
pub const REQUEST: &str = "request";
/// Field: the depot's reference.
pub const REFERENCE: &str = "reference";

/// Holds everything about a person.
pub const HOLD: &str = "hold";
/// Lifts a hold.
pub const LIFT: &str = "lift";
/// Says that the depot has it.
pub const HAND_OVER: &str = "hand-over";
/// Asks a second officer to erase.
pub const PROPOSE: &str = "propose";
/// Asks a second officer to erase one record.
pub const PROPOSE_RECORD: &str = "propose-record";
/// Agrees, and so erases.
pub const APPROVE: &str = "approve";
/// Says no.
pub const REJECT: &str = "reject";

/// Who decided something, when and why.
struct Decided {
    by: String,
    at: Moment,
    why: String,
}

/// A person whose time has run.
struct DueCard {
    person: String,
    title: String,
    law: String,
    since: String,
    depot: bool,
}

/// A hold or a proposal.
struct Card {
    id: u64,
    person: String,
    title: String,
    /// Which record; nothing where it is everything.
    record: Option<String>,
    decided: Decided,
    until: Option<Moment>,
    may: bool,
}

/// That somebody, or one record, was erased.
struct Fact {
    person: String,
    title: String,
    record: Option<String>,
    at: Moment,
    by: [String; 2],
}

#[derive(Template)]
#[template(path = "disposal.html")]
struct Page<'a> {
    frame: Frame<'a>,
    action: String,
    notice: Option<Notice>,
    due: Vec<DueCard>,
    more: bool,
    holds: Vec<Card>,
    waiting: Vec<Card>,
    facts: Vec<Fact>,
    grounds: [Ground; 3],
}

/// Most persons whose time has run, and most erasures, on the page.
const SHOWN: usize = 100;

/// The page at `now_ms`.
pub fn render(session: &Session, shown: &Disposing, notice: Option<Notice>, now_ms: i64) -> String {
    let holds = shown.holds.iter().map(|(id, it)| Card {
        id: *id,
        person: it.person.to_string(),
        title: String::new(),
        record: None,
        decided: decided(&it.act, now_ms),
        until: None,
        may: true,
    });
    let waiting = shown.waiting.iter().map(|it| Card {
        id: it.id,
        person: it.person.to_string(),
        title: ground(it.basis),
        record: it.record.as_deref().map(record),
        decided: decided(&it.proposal.act, now_ms),
        until: Some(time::moment(it.proposal.expires, now_ms)),
        may: it.may,
    });
    let fact = |person: PersonId, basis, record, (one, other): (&Who, &Act)| Fact {
        person: person.to_string(),
        title: ground(basis),
        record,
        at: time::moment(other.at, now_ms),
        by: [one.name.clone(), other.who.name.clone()],
    };
    let persons = shown.erased.iter().take(SHOWN);
    let persons = persons.map(|it| fact(it.person, it.basis, None, (&it.proposed_by, &it.act)));
    let records =
        shown.records.iter().take(SHOWN).map(|it| {
            fact(it.person, it.basis, Some(record(&it.record)), (&it.proposed_by, &it.act))
        });
    let facts = persons.chain(records);
    html(&Page {
        frame: Frame::signed_in(text::get("disposal-title"), session, Some(Area::Disposal)),
        action: address::disposal(&session.number),
        notice,
        due: shown.due.iter().take(SHOWN).filter_map(due).collect(),
        more: !shown.whole || shown.due.len() > SHOWN,
        holds: holds.collect(),
        waiting: waiting.collect(),
        facts: facts.collect(),
        grounds: Ground::ALL,
    })
}

/// Why something was refused, by the place of the refusal; nothing where no words are for it alone.
pub fn refusal(place: &str) -> Option<String> {
    text::find(&format!("disposal-refused-{place}"), &[])
}

fn due((person, verdict): &(PersonId, Verdict)) -> Option<DueCard> {
    let (Due { class, clock, since }, depot) = match verdict {
        Verdict::Depot(due) => (due, true),
        Verdict::Over(due) => (due, false),
        Verdict::Held | Verdict::Kept { .. } => return None,
    };
    let rule = Retention::get().and_then(|rules| rules.named(class));
    let key = match clock {
        Clock::LastEntry => "disposal-since-last-entry",
        Clock::Death => "disposal-since-death",
        Clock::Birth => "disposal-since-birth",
    };
    Some(DueCard {
        person: person.to_string(),
        title: rule.map_or_else(|| class.clone(), |rule| rule.title.clone()),
        law: rule.map(|rule| rule.law.clone()).unwrap_or_default(),
        since: text::with(key, &[("date", since.to_string().into())]),
        depot,
    })
}

fn record(record: &str) -> String {
    text::with("disposal-record-title", &[("record", record.into())])
}

fn ground(ground: Ground) -> String {
    text::get(&format!("disposal-ground-{}", ground.key()))
}

fn decided(act: &Act, now_ms: i64) -> Decided {
    Decided { by: act.who.name.clone(), at: time::moment(act.at, now_ms), why: act.why.clone() }
}
