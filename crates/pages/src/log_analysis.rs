//! The privacy officer's work list: what the analysis of the log asks about, why, and what came of it.
//!
//! Each form posts to [`address::LOG_ANALYSIS`] with a finding's id, an outcome and a reason. No script is
//! needed.

use askama::Template;
use exchange::vigilance::list::Listed;
use record::decision::Inquiry;

use crate::address;
use crate::layout::{Area, Frame, Session, html};
use crate::notice::Notice;
use crate::text::{self, filters};
use crate::time::{self, Moment};

/// Field: the finding.
pub const ID: &str = "id";
/// Field: what came of it; a [`Inquiry::key`].
pub const OUTCOME: &str = "outcome";
/// Field: the reason.
pub const WHY: &str = "why";
/// Query: whether what is concluded is shown too, `ja`.
pub const ALL: &str = "alle";

/// A finding as it is shown.
struct Card {
    id: String,
    heading: String,
    who: String,
    person: Option<String>,
    score: u32,
    heavy: bool,
    signs: Vec<Shown>,
    looks: String,
    outcome: Inquiry,
    concluded: Option<(String, Moment, String)>,
}

struct Shown {
    title: &'static str,
    points: u32,
    sentence: String,
}

#[derive(Template)]
#[template(path = "log_analysis.html")]
struct Page<'a> {
    frame: Frame<'a>,
    action: String,
    notice: Option<Notice>,
    all: bool,
    cards: Vec<Card>,
    more: usize,
    outcomes: [Inquiry; 4],
}

/// Most findings on the page.
const SHOWN: usize = 100;

/// From so many points on a finding is marked.
const HEAVY: u32 = 80;

/// The page at `now_ms`; `all` where what is concluded is among the findings.
pub fn render(
    session: &Session,
    listed: &[Listed],
    all: bool,
    notice: Option<Notice>,
    now_ms: i64,
) -> String {
    html(&Page {
        frame: Frame::signed_in(text::get("log-title"), session, Some(Area::LogAnalysis)),
        action: address::log_analysis(&session.number),
        notice,
        all,
        cards: listed.iter().take(SHOWN).map(|it| card(it, now_ms)).collect(),
        more: listed.len().saturating_sub(SHOWN),
        outcomes: Inquiry::ALL,
    })
}

/// What is said to those who would conclude about themselves.
pub fn own() -> String {
    text::get("log-own")
}

fn card(listed: &Listed, now_ms: i64) -> Card {
    let finding = &listed.finding;
    let signs = finding.signs.iter().map(|sign| Shown {
        title: sign.of.rule().title(),
        points: sign.points,
        sentence: sign.of.sentence(),
    });
    let looks: Vec<String> = finding.looks.iter().map(u64::to_string).collect();
    let concluded = listed.settled.as_ref().map(|settled| {
        let act = &settled.act;
        (act.who.name.clone(), time::moment(act.at, now_ms), act.why.clone())
    });
    Card {
        id: finding.id(),
        heading: finding.heading(),
        who: format!("{}, {}", finding.name, listed.unit),
        person: finding.person.map(|person| person.to_string()),
        score: finding.score(),
        heavy: finding.score() >= HEAVY,
        signs: signs.collect(),
        looks: looks.join(", "),
        outcome: listed.outcome(),
        concluded,
    }
}
