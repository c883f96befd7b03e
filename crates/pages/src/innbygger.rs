//! The resident's own page: my services, my measurements, who has looked, who may not, and what this
//! is.

use askama::Template;
use exchange::answer::{AccessLine, News2, Overview};
use record::news2::course::Course;
use record::news2::normal::{Measure, Place};

use crate::access_log::Look;
use crate::address;
use crate::chart::Period;
use crate::chart::figure::Figure;
use crate::layout::{Alert, Area, Frame, Session, html};
use crate::news2::summary::{self, Summary};
use crate::requests::{self, Asked};
use crate::restrictions::{Own, Section};
use crate::services::Service;
use crate::text::{self, filters};

/// Anchor of the measurements.
pub const MEASUREMENTS: &str = "malinger";

/// What the page shows.
#[derive(Clone, Copy, Debug)]
pub struct Mine<'a> {
    /// Services.
    pub overview: &'a Overview,
    /// Measurements.
    pub news2: &'a News2,
    /// Who has looked, the latest first.
    pub looks: &'a [AccessLine],
    /// What the resident withholds.
    pub own: Own<'a>,
    /// What the resident has asked for, the newest first.
    pub asked: Asked<'a>,
    /// Which part of the log that is.
    pub shown: Shown<'a>,
}

/// Which part of the log is shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shown<'a> {
    /// First day, `YYYY-MM-DD`; empty for all.
    pub from: &'a str,
    /// Last day; empty for all.
    pub to: &'a str,
    /// Where older looks begin, if there are more.
    pub older: Option<u64>,
}

/// Names of the fields that choose the part of the log.
pub const FROM_FIELD: &str = "innsyn-fra";
/// See [`FROM_FIELD`].
pub const TO_FIELD: &str = "innsyn-til";
/// See [`FROM_FIELD`].
pub const OLDER_FIELD: &str = "innsyn-eldre";

#[derive(Template)]
#[template(path = "innbygger.html")]
struct Page<'a> {
    frame: Frame<'a>,
    name: &'a str,
    municipality: &'a str,
    incomplete: Option<Alert>,
    active: Vec<Service>,
    ended: Vec<Service>,
    summary: Option<Summary>,
    plain: Vec<String>,
    news2_incomplete: Option<Alert>,
    figure: Figure,
    looks: Vec<Look>,
    restrictions: Section,
    requests: requests::Section,
    copy_pdf: String,
    copy_json: String,
    restrict: String,
    lift: String,
    from: &'a str,
    to: &'a str,
    older: Option<String>,
    own: String,
    period: &'static str,
}

/// The page at `now_ms`, with the measurements of a period.
pub fn render(session: &Session, mine: Mine<'_>, period: Period, now_ms: i64) -> String {
    let link = |each| address::innbygger_in(&session.number, each);
    let course = &mine.news2.course;
    let services = |lines: &[exchange::answer::ServiceLine]| {
        lines.iter().map(|line| Service::new(line, now_ms, 3)).collect()
    };
    let summary = summary::summary(course, now_ms);
    let lines = [mine.overview.active.as_slice(), mine.overview.ended.as_slice()].concat();
    html(&Page {
        frame: Frame::signed_in(text::get("mine-title"), session, Some(Area::Innbygger)),
        name: mine.overview.patient.name.as_deref().unwrap_or(&session.name),
        municipality: &session.municipality,
        incomplete: Alert::incomplete(&mine.overview.incomplete),
        active: services(&mine.overview.active),
        ended: services(&mine.overview.ended),
        plain: summary.as_ref().map(|summary| plain(summary, course)).unwrap_or_default(),
        summary,
        news2_incomplete: Alert::incomplete(&mine.news2.incomplete),
        figure: Figure::new(course, period, now_ms, link).folded(),
        looks: mine.looks.iter().map(|line| Look::new(line, now_ms)).collect(),
        restrictions: Section::new(mine.own, &lines, now_ms),
        requests: requests::Section::new(mine.asked, &lines, &session.number, now_ms),
        copy_pdf: address::copy_pdf(&session.number),
        copy_json: address::copy_json(&session.number),
        restrict: address::restrict(&session.number),
        lift: address::lift(&session.number),
        from: mine.shown.from,
        to: mine.shown.to,
        older: mine.shown.older.map(|older| {
            let Shown { from, to, .. } = mine.shown;
            let fields = format!("{FROM_FIELD}={from}&{TO_FIELD}={to}&{OLDER_FIELD}={older}");
            format!("{}&{fields}#innsyn", address::innbygger_at(&session.number, period))
        }),
        own: address::innbygger(&session.number),
        period: period.key(),
    })
}

/// What the latest measurements mean, in everyday words.
fn plain(summary: &Summary, course: &Course) -> Vec<String> {
    let total = text::with(
        "plain-total",
        &[
            ("total", summary.total.as_str().into()),
            ("when", summary.measured.full.as_str().into()),
        ],
    );
    let place = course.line(Measure::Total).and_then(|line| line.deviation).map(|d| d.place);
    let against_normal = text::get(match place {
        Some(Place::Above) => "plain-above",
        Some(Place::Within) => "plain-within",
        Some(Place::Below) => "plain-below",
        None => "plain-no-normal",
    });
    vec![total, text::get(&format!("plain-{}", summary.risk.class)), against_normal]
}
