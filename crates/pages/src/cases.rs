//! What residents have asked for and wait for an answer to, for the privacy officer: the first that is due first.
//!
//! Every form posts to [`address::CASES`], with the step and what is said of it.

use askama::Template;
use exchange::rights::list::Listed;

use crate::address;
use crate::layout::{Area, Frame, Session, html};
use crate::notice::Notice;
use crate::requests::Shown;
use crate::text::{self, filters};

/// Field: the step.
pub const STEP: &str = "steg";
/// Field: why, or what was done.
pub const WHY: &str = "hvorfor";

/// Why a step was not taken, where no rule of access says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// No reason was given.
    NoReason,
    /// What was to be corrected has no newer version.
    NotCorrected,
}

impl Obstacle {
    /// What it says.
    pub fn words(self) -> String {
        text::get(match self {
            Obstacle::NoReason => "cases-no-reason",
            Obstacle::NotCorrected => "cases-not-corrected",
        })
    }
}

#[derive(Template)]
#[template(path = "cases.html")]
struct Page<'a> {
    frame: Frame<'a>,
    action: String,
    notice: Option<Notice>,
    all: Vec<Shown>,
}

/// The page at `now_ms`.
pub fn render(session: &Session, all: &[Listed], notice: Option<Notice>, now_ms: i64) -> String {
    html(&Page {
        frame: Frame::signed_in(text::get("cases-title"), session, Some(Area::Cases)),
        action: address::cases(&session.number),
        notice,
        all: all.iter().map(|it| Shown::new(it, now_ms)).collect(),
    })
}
