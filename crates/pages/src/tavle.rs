//! A ward's board: every patient with total, risk, trend and normal level.
//!
//! The list carries `data-` attributes from which `assets/tavle.js` learns where to listen and
//! where to fetch a changed line ([`row`]); without the script the page is read anew.

use askama::Template;
use exchange::answer::{Board, News2};

use crate::address;
use crate::chart::Period;
use crate::layout::{Area, Frame, Session, html};
use crate::news2::sparkline::{self, Sparkline};
use crate::news2::summary::{self, Summary};
use crate::patient;
use crate::text::{self, filters};
use crate::time::{self, Moment};
use record::news2::normal::Measure;

#[derive(Template)]
#[template(path = "tavle.html")]
struct Page<'a> {
    frame: Frame<'a>,
    unit: &'a str,
    rows: Vec<Row>,
    events: String,
    fragments: String,
    shown: Moment,
    withheld: bool,
}

#[derive(Template)]
#[template(path = "tavle_row.html")]
struct Row {
    person: String,
    name: String,
    age: Option<String>,
    chart: String,
    summary: Option<Summary>,
    spark: Option<Sparkline>,
    incomplete: bool,
    rank: u32,
    announcement: String,
}

/// The board as it is at `now_ms`.
pub fn render(session: &Session, board: &Board, now_ms: i64) -> String {
    let row = |patient| Row::new(&session.number, patient, now_ms);
    let mut rows: Vec<Row> = board.patients.iter().map(row).collect();
    // The script places a changed line by the same rank.
    rows.sort_by_key(|row| std::cmp::Reverse(row.rank));
    html(&Page {
        frame: Frame::signed_in(text::get("board-title"), session, Some(Area::Tavle)),
        unit: &board.unit,
        rows,
        events: address::tavle_events(&session.number),
        fragments: address::tavle_rows(&session.number),
        shown: time::moment(now_ms, now_ms),
        withheld: board.withheld,
    })
}

/// One line of the board, as the script fetches it: an `<li>`.
pub fn row(session: &Session, patient: &News2, now_ms: i64) -> String {
    html(&Row::new(&session.number, patient, now_ms))
}

impl Row {
    fn new(municipality: &str, patient: &News2, now_ms: i64) -> Self {
        let summary = summary::summary(&patient.course, now_ms);
        let name = patient::name(&patient.patient);
        let person = patient.patient.person;
        Self {
            announcement: announcement(&name, summary.as_ref()),
            age: patient::age(&patient.patient, now_ms),
            chart: address::chart(municipality, person, Period::Week),
            spark: patient.course.line(Measure::Total).and_then(sparkline::sparkline),
            incomplete: !patient.incomplete.is_empty(),
            rank: summary.as_ref().map_or(0, |summary| summary.rank),
            person: person.to_string(),
            summary,
            name,
        }
    }
}

fn announcement(name: &str, summary: Option<&Summary>) -> String {
    match summary {
        Some(summary) => text::with(
            "board-announce",
            &[
                ("name", name.into()),
                ("total", summary.total.as_str().into()),
                ("risk", summary.risk.text.as_str().into()),
            ],
        ),
        None => text::with("board-announce-none", &[("name", name.into())]),
    }
}
