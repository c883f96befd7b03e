//! Where a vital sign has been heading over the last two days.
//!
//! The slope is that of Theil and Sen: the median of the slopes between all pairs of points, which
//! a single mistaken value does not tilt. What decides is the fitted change from the first point to
//! the last, not the steepness, so that a slow rise over two days counts as much as a quick one.
//! Longer developments are what the patient's normal ([`super::normal`]) is for.

use super::normal::{Measure, Point};

/// How far back from the latest point: two days, which at two rounds a day gives four or five.
pub const WINDOW_MS: i64 = 48 * 60 * 60 * 1000;
/// Fewest points that make a trend.
pub const MIN_POINTS: usize = 3;
/// Most points used, the latest: pairs grow with the square, and monitors send a point a minute.
pub const MAX_POINTS: usize = 48;
/// Shortest time between the first and the last point.
pub const MIN_SPAN_MS: i64 = HOUR_MS;

const HOUR_MS: i64 = 60 * 60 * 1000;
const ON_THE_LIMIT: f64 = 1e-6;

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trend {
    /// Up by at least the threshold of the measure.
    Rising,
    /// Down by at least the threshold of the measure.
    Falling,
    /// Neither.
    Stable,
    /// Too few points, too close together, or too old.
    Unknown,
}

/// How a movement stands to the values that give no points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bearing {
    /// Closer to them.
    Toward,
    /// Away from them.
    Away,
    /// From within them to within them.
    Inside,
    /// Out of them on one side and now on the other.
    Across,
}

/// A trend with its figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Movement {
    /// Which way.
    pub trend: Trend,
    /// Fitted change from the first point to the last, in the unit of the measure; zero if unknown.
    pub change: f64,
    /// The same per hour.
    pub per_hour: f64,
    /// How it stands to the values without points; only for a rising or falling trend.
    pub bearing: Option<Bearing>,
    /// Points used.
    pub points: usize,
}

/// The change that counts as rising or falling: about twice what repeated measurement of an
/// unchanged patient gives ([`Measure::uncertainty`]), by judgement, and about one step of the table.
pub fn threshold(measure: Measure) -> f64 {
    match measure {
        Measure::Respiration => 3.0,
        Measure::OxygenSaturation | Measure::Total => 2.0,
        Measure::SystolicBloodPressure => 15.0,
        Measure::Pulse => 10.0,
        Measure::Temperature => 0.5,
    }
}

/// The trend up to the latest point not after `now_ms`. It is unknown when that point is itself
/// older than the window: an old rise says nothing of now.
///
/// `zero` is the range of values without points ([`super::table::Row::zero_range`]).
pub fn movement(
    measure: Measure,
    points: &[Point],
    zero: Option<(f64, f64)>,
    now_ms: i64,
) -> Movement {
    let points = recent(points, now_ms);
    let span_ms = match (points.first(), points.last()) {
        (Some(first), Some(last)) => last.at_ms.saturating_sub(first.at_ms),
        _ => 0,
    };
    let count = points.len();
    if count < MIN_POINTS || span_ms < MIN_SPAN_MS {
        let trend = Trend::Unknown;
        return Movement { trend, change: 0.0, per_hour: 0.0, bearing: None, points: count };
    }
    let start_ms = points.first().map_or(0, |first| first.at_ms);
    let placed: Vec<(f64, f64)> =
        points.iter().map(|p| (hours(p.at_ms.saturating_sub(start_ms)), p.value)).collect();
    let per_hour = median(pair_slopes(&placed));
    let change = per_hour * hours(span_ms);
    let trend = match change {
        up if up >= threshold(measure) => Trend::Rising,
        down if down <= -threshold(measure) => Trend::Falling,
        _ => Trend::Stable,
    };
    let start = median(placed.iter().map(|(x, y)| y - per_hour * x).collect());
    let moves = matches!(trend, Trend::Rising | Trend::Falling);
    let bearing = zero.filter(|_| moves).map(|zero| bearing(start, start + change, zero));
    Movement { trend, change, per_hour, bearing, points: count }
}

fn recent(points: &[Point], now_ms: i64) -> Vec<Point> {
    let known = |p: &&Point| p.value.is_finite() && p.at_ms <= now_ms;
    let Some(latest) = points.iter().filter(known).map(|p| p.at_ms).max() else {
        return Vec::new();
    };
    if now_ms.saturating_sub(latest) > WINDOW_MS {
        return Vec::new();
    }
    let mut recent: Vec<Point> = points
        .iter()
        .filter(known)
        .filter(|p| latest.saturating_sub(p.at_ms) <= WINDOW_MS)
        .copied()
        .collect();
    recent.sort_by(|a, b| a.at_ms.cmp(&b.at_ms).then(a.value.total_cmp(&b.value)));
    let surplus = recent.len().saturating_sub(MAX_POINTS);
    recent.split_off(surplus)
}

fn pair_slopes(points: &[(f64, f64)]) -> Vec<f64> {
    let mut slopes = Vec::new();
    let mut rest = points;
    while let Some(((x, y), later)) = rest.split_first() {
        let apart = later.iter().filter(|(later_x, _)| later_x > x);
        slopes.extend(apart.map(|(later_x, later_y)| (later_y - y) / (later_x - x)));
        rest = later;
    }
    slopes
}

fn bearing(start: f64, end: f64, (low, high): (f64, f64)) -> Bearing {
    // How far outside, negative below; a fitted value on the limit itself is inside.
    let outside = |value: f64| match value {
        below if below < low - ON_THE_LIMIT => below - low,
        above if above > high + ON_THE_LIMIT => above - high,
        _ => 0.0,
    };
    match (outside(start), outside(end)) {
        (0.0, 0.0) => Bearing::Inside,
        (before, after) if before * after < 0.0 => Bearing::Across,
        (before, after) if after.abs() < before.abs() => Bearing::Toward,
        _ => Bearing::Away,
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let upper = values.get(values.len() / 2).copied().unwrap_or_default();
    let lower = values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or_default();
    f64::midpoint(lower, upper)
}

/// At most two days of milliseconds, which an f64 holds exactly.
fn hours(ms: i64) -> f64 {
    ms as f64 / HOUR_MS as f64
}
