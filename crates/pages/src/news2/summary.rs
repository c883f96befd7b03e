//! What a patient's NEWS2 says now: total, risk, normal level, deviation and trend.

use record::news2::assemble::{Set, Total};
use record::news2::course::Course;
use record::news2::normal::Measure;
use record::news2::parameter::Parameter;
use record::news2::score::{self, KnownRisk, Risk};

use super::words::{self, Tag};
use crate::text;
use crate::time::{self, Moment};

/// The view of one course.
pub(crate) struct Summary {
    /// The total, or a dash where none is known.
    pub total: String,
    pub risk: Tag,
    pub response: String,
    /// Orders patients, the highest first.
    pub rank: u32,
    pub measured: Moment,
    /// Said of the total: that it was received, or what is missing.
    pub remark: Option<String>,
    /// Single values that came after the total.
    pub later: Option<Later>,
    pub normal: String,
    pub normal_ground: String,
    pub deviation: Option<Tag>,
    pub trend: Option<Tag>,
}

/// Values measured after the latest total.
pub(crate) struct Later {
    pub at: Moment,
    pub values: String,
    /// Whether one of them scores three points.
    pub urgent: bool,
}

/// `None` where nothing is measured.
pub(crate) fn summary(course: &Course, now_ms: i64) -> Option<Summary> {
    let set = course.latest_with_total().or_else(|| course.latest())?;
    let known = risk(set);
    let line = course.line(Measure::Total);
    Some(Summary {
        total: set.total().map_or_else(|| "–".to_owned(), |total| total.value().to_string()),
        risk: words::risk(known),
        response: words::response(known),
        rank: rank(known, set),
        measured: time::moment(set.to_ms, now_ms),
        remark: remark(set),
        later: later(course, set, now_ms),
        normal: line.map(words::normal).unwrap_or_default(),
        normal_ground: line.map(|line| words::normal_ground(&line.normal)).unwrap_or_default(),
        deviation: line.and_then(|line| line.deviation.as_ref()).map(words::deviation),
        trend: line.map(|line| words::trend(&line.movement)),
    })
}

/// The risk of a set: by its measurements, or where the total was received by the received points.
pub(crate) fn risk(set: &Set) -> KnownRisk {
    let Some(Total::Received(total)) = set.total() else { return set.score().risk };
    let three = |score: &score::Score| score.parameters.iter().any(|(_, p)| *p == Some(3));
    let parts = set.received.iter().flat_map(|received| received.parameters.iter());
    let three_received =
        parts.filter_map(|(_, part)| part.as_ref()?.score).any(|points| points == 3);
    KnownRisk::Exactly(match total {
        0..=4 if three_received || three(&set.score()) => Risk::LowMedium,
        0..=4 => Risk::Low,
        5..=6 => Risk::Medium,
        _ => Risk::High,
    })
}

/// `Respirasjon 22 per minutt (2 poeng)`.
pub(crate) fn value_and_points(set: &Set, parameter: Parameter) -> Option<String> {
    let name = words::parameter(parameter);
    let value = words::value_with_unit(set.measurements.get(parameter)?);
    Some(match set.score().parameters.get(parameter) {
        Some(points) => format!("{name} {value} ({})", words::points(*points)),
        None => format!("{name} {value}"),
    })
}

fn rank(known: KnownRisk, set: &Set) -> u32 {
    let (KnownRisk::Exactly(risk) | KnownRisk::AtLeast(risk)) = known;
    let points = set.total().map_or(set.score().partial_sum, Total::value);
    let step = match risk {
        Risk::Low if matches!(known, KnownRisk::Exactly(_)) => 1,
        // An incomplete set goes before a low risk: somebody should finish it.
        Risk::Low => 2,
        Risk::LowMedium => 3,
        Risk::Medium => 4,
        Risk::High => 5,
    };
    step * 100 + u32::from(points)
}

fn remark(set: &Set) -> Option<String> {
    match set.total() {
        Some(Total::Computed(computed)) => {
            let received = set.received.iter().rev().find_map(|received| received.total)?;
            let arguments = [("received", received.into())];
            (received != computed).then(|| text::with("total-differs", &arguments))
        }
        Some(Total::Received(_)) => Some(text::get("total-received")),
        None => {
            let score = set.score();
            let missing: Vec<_> =
                score.missing.iter().map(|p| words::parameter(*p).to_lowercase()).collect();
            let points = words::points(score.partial_sum);
            let missing = missing.join(", ");
            let arguments = [("missing", missing.into()), ("points", points.into())];
            Some(text::with("total-incomplete", &arguments))
        }
    }
}

fn later(course: &Course, shown: &Set, now_ms: i64) -> Option<Later> {
    let latest = course.latest().filter(|latest| latest.to_ms > shown.to_ms)?;
    let values: Vec<_> =
        Parameter::ALL.into_iter().filter_map(|p| value_and_points(latest, p)).collect();
    (!values.is_empty()).then(|| Later {
        at: time::moment(latest.to_ms, now_ms),
        values: values.join(", "),
        urgent: latest.score().parameters.iter().any(|(_, points)| *points == Some(3)),
    })
}
