//! The NEWS2 chart: the seven parameters and the total over time.

mod axis;
mod difference;
pub(crate) mod figure;
mod panel;
mod readings;

use askama::Template;
use exchange::answer::News2;

use crate::address;
use crate::layout::{Alert, Frame, Session, html};
use crate::news2::summary::{self, Summary};
use crate::patient::Patient;
use crate::text::{self, filters};

use self::figure::Figure;

/// How far back a chart reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Period {
    /// 24 hours.
    Day,
    /// 7 days.
    #[default]
    Week,
    /// 30 days.
    Month,
    /// Everything.
    All,
}

impl Period {
    /// Every period, the shortest first.
    pub const ALL: [Period; 4] = [Period::Day, Period::Week, Period::Month, Period::All];

    /// The value of the query parameter `periode`.
    pub fn key(self) -> &'static str {
        match self {
            Period::Day => "24t",
            Period::Week => "7d",
            Period::Month => "30d",
            Period::All => "alt",
        }
    }

    /// The period with this key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|period| period.key() == key)
    }

    /// Name in links.
    pub(crate) fn title(self) -> String {
        text::get(&format!("period-{}", self.key()))
    }

    /// Milliseconds back; `None` for everything.
    fn length_ms(self) -> Option<i64> {
        const HOUR_MS: i64 = 60 * 60 * 1000;
        match self {
            Period::Day => Some(24 * HOUR_MS),
            Period::Week => Some(7 * 24 * HOUR_MS),
            Period::Month => Some(30 * 24 * HOUR_MS),
            Period::All => None,
        }
    }
}

#[derive(Template)]
#[template(path = "chart.html")]
struct Page<'a> {
    frame: Frame<'a>,
    patient: Patient,
    incomplete: Option<Alert>,
    summary: Option<Summary>,
    figure: Figure,
}

/// The chart page of a patient, as seen at `now_ms`.
pub fn render(session: &Session, news2: &News2, period: Period, now_ms: i64) -> String {
    let patient = Patient::new(&news2.patient, now_ms);
    let person = news2.patient.person;
    let link = |each| address::chart(&session.number, person, each);
    let title = text::with("chart-title", &[("name", patient.name.as_str().into())]);
    html(&Page {
        frame: Frame::signed_in(title, session, None),
        incomplete: Alert::incomplete(&news2.incomplete),
        summary: summary::summary(&news2.course, now_ms),
        figure: Figure::new(&news2.course, period, now_ms, link),
        patient,
    })
}
