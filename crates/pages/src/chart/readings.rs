//! The measurements as a table: the chart's equal for those who do not see it, and for print.

use record::news2::assemble::{Set, Total};
use record::news2::parameter::Parameter;

use super::difference;
use crate::news2::summary;
use crate::news2::words::{self, Tag};
use crate::text;
use crate::time::{self, Moment};

/// Lines shown at most, the latest.
const MOST: usize = 100;

/// The view of some sets.
pub(crate) struct Readings {
    pub columns: Vec<String>,
    pub lines: Vec<Line>,
    /// Said where not all sets are shown.
    pub cut: Option<String>,
}

/// One set.
pub(crate) struct Line {
    pub at: Moment,
    pub cells: Vec<Option<Cell>>,
    pub total: String,
    pub risk: Tag,
    pub remarks: Vec<String>,
}

/// One value.
pub(crate) struct Cell {
    pub value: String,
    /// Points, 0–3, unless unknown.
    pub points: Option<u8>,
}

impl Readings {
    /// The sets, the latest first.
    pub fn new(sets: &[&Set], now_ms: i64) -> Self {
        Self {
            columns: Parameter::ALL.into_iter().map(column).collect(),
            lines: sets.iter().rev().take(MOST).map(|set| line(set, now_ms)).collect(),
            cut: (sets.len() > MOST).then(|| {
                let arguments = [("shown", MOST.into()), ("all", sets.len().into())];
                text::with("table-cut", &arguments)
            }),
        }
    }
}

fn column(parameter: Parameter) -> String {
    let (name, unit) = (words::parameter(parameter), words::unit(parameter));
    if unit.is_empty() { name } else { format!("{name} ({unit})") }
}

fn line(set: &Set, now_ms: i64) -> Line {
    let score = set.score();
    let cell = |parameter| {
        let value = set.measurements.get(parameter)?;
        Some(Cell { value: words::value(value), points: *score.parameters.get(parameter) })
    };
    let mut remarks = Vec::new();
    match set.total() {
        Some(Total::Received(_)) => remarks.push(text::get("table-received")),
        Some(Total::Computed(_)) => {}
        None => remarks.push(text::get("table-incomplete")),
    }
    if difference::differs(set) {
        remarks.push(text::get("table-differs"));
    }
    Line {
        at: time::moment(set.to_ms, now_ms),
        cells: Parameter::ALL.into_iter().map(cell).collect(),
        total: set.total().map_or_else(|| "–".to_owned(), |total| total.value().to_string()),
        risk: words::risk(summary::risk(set)),
        remarks,
    }
}
