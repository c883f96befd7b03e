//! A patient's course: everything a NEWS2 page shows, gathered in one value.

use super::assemble::{Set, Total};
use super::normal::{self, DAY_MS, Deviation, Measure, Normal, Point, TooLittle};
use super::parameter::SpO2Scale;
use super::score::Measurements;
use super::table;
use super::trend::{self, Movement};

/// The course up to a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    /// The sets, in order of time; none later than now.
    pub sets: Vec<Set>,
    /// One for each measure, in the order of [`Measure::ALL`].
    pub lines: Vec<Line>,
}

/// One measure over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What is measured.
    pub measure: Measure,
    /// Every value, in order of time: single readings, and totals of sets.
    pub points: Vec<Point>,
    /// Points the table gives the latest value (for the total: the total itself).
    pub score: Option<u8>,
    /// Where it is heading.
    pub movement: Movement,
    /// The patient's normal, from what was measured more than a day before the latest value: no
    /// measurement is its own yardstick.
    pub normal: Result<Normal, TooLittle>,
    /// The latest value against that normal.
    pub deviation: Option<Deviation>,
}

impl Course {
    /// Gathers the course from sets made by [`super::assemble::assemble`]. What is dated after
    /// `now_ms` is left out: a clock was wrong.
    pub fn build(mut sets: Vec<Set>, now_ms: i64) -> Self {
        sets.retain(|set| set.to_ms <= now_ms);
        sets.sort_by_key(|set| (set.from_ms, set.to_ms));
        let lines = Measure::ALL.into_iter().map(|measure| line(measure, &sets, now_ms)).collect();
        Self { sets, lines }
    }

    /// The latest set.
    pub fn latest(&self) -> Option<&Set> {
        self.sets.last()
    }

    /// The latest set that has a total: a lone temperature taken afterwards does not hide it.
    pub fn latest_with_total(&self) -> Option<&Set> {
        self.sets.iter().rev().find(|set| set.total().is_some())
    }

    /// The line of a measure.
    pub fn line(&self, measure: Measure) -> Option<&Line> {
        self.lines.iter().find(|line| line.measure == measure)
    }
}

fn line(measure: Measure, sets: &[Set], now_ms: i64) -> Line {
    let points: Vec<Point> = sets.iter().flat_map(|set| points_of(measure, set)).collect();
    let latest = points.last().copied();
    let holder = sets.iter().rev().find(|set| !points_of(measure, set).is_empty());
    let until_ms = latest.map_or(now_ms, |latest| latest.at_ms).saturating_sub(DAY_MS);
    let normal = normal::normal(measure, &points, until_ms);
    Line {
        score: holder.and_then(|set| score_of(measure, set)),
        movement: trend::movement(measure, &points, zero_range(measure, holder), now_ms),
        deviation: match (latest, &normal) {
            (Some(latest), Ok(normal)) => Some(normal::deviation(latest.value, normal)),
            _ => None,
        },
        normal,
        measure,
        points,
    }
}

fn points_of(measure: Measure, set: &Set) -> Vec<Point> {
    let Some(parameter) = measure.parameter() else {
        let total = set.total().map(|total| f64::from(total.value()));
        return total.map(|value| Point { at_ms: set.to_ms, value }).into_iter().collect();
    };
    set.readings
        .iter()
        .filter(|reading| reading.value.parameter() == parameter)
        .filter_map(|reading| Some(Point { at_ms: reading.at_ms, value: reading.value.number()? }))
        .collect()
}

fn score_of(measure: Measure, set: &Set) -> Option<u8> {
    match measure.parameter() {
        Some(parameter) => *set.score().parameters.get(parameter),
        None => set.total().map(Total::value),
    }
}

fn zero_range(measure: Measure, set: Option<&Set>) -> Option<(f64, f64)> {
    let Some(parameter) = measure.parameter() else { return Some((0.0, 0.0)) };
    let measurements: Option<&Measurements> = set.map(|set| &set.measurements);
    let scale = measurements.map_or(SpO2Scale::One, |m| m.scale);
    let supply = measurements.and_then(|m| m.oxygen);
    table::row_of(parameter, scale)?.zero_range(supply)
}
