//! The figure: eight drawings over one another on one time axis, what they mean, and the table.

use askama::Template;
use record::news2::assemble::Set;
use record::news2::course::Course;
use record::news2::normal::Measure;
use record::news2::parameter::{Parameter, SpO2Scale, Supply};

use super::Period;
use super::axis::{Tick, Window};
use super::difference::{self, Differing};
use super::panel::{self, Panel};
use super::readings::Readings;
use crate::news2::words;
use crate::text::{self, filters};
use crate::time;

/// Sets drawn at most: about one for each pixel of a phone.
const MOST: usize = 400;
/// Shortest time axis: six hours.
const SHORTEST_MS: i64 = 6 * 60 * 60 * 1000;

/// The figure with its period links.
#[derive(Template)]
#[template(path = "chart_figure.html")]
pub(crate) struct Figure {
    links: Vec<Link>,
    caption: String,
    ground: String,
    notes: Vec<String>,
    panels: Vec<Panel>,
    ticks: Vec<Tick>,
    differing: Vec<Differing>,
    readings: Readings,
    folded: bool,
}

struct Link {
    title: String,
    address: String,
    current: bool,
}

impl Figure {
    /// The figure of a period; `link` gives the address of another.
    pub fn new(
        course: &Course,
        period: Period,
        now_ms: i64,
        link: impl Fn(Period) -> String,
    ) -> Self {
        let window = window(course, period, now_ms);
        let sets: Vec<&Set> = course.sets.iter().filter(|set| window.holds(set.to_ms)).collect();
        let drawn = thinned(&sets, window);
        let mut notes = saturation_notes(&sets);
        if drawn.len() < sets.len() {
            let arguments = [("drawn", drawn.len().into()), ("all", sets.len().into())];
            notes.push(text::with("chart-thinned", &arguments));
        }
        let arguments = [
            ("from", time::moment(window.from_ms, now_ms).full.into()),
            ("to", time::moment(window.to_ms, now_ms).full.into()),
            ("count", sets.len().into()),
        ];
        Self {
            links: Period::ALL
                .into_iter()
                .map(|each| Link {
                    title: each.title(),
                    address: link(each),
                    current: each == period,
                })
                .collect(),
            caption: text::with("chart-caption", &arguments),
            ground: course
                .line(Measure::Total)
                .map(|line| words::normal_ground(&line.normal))
                .unwrap_or_default(),
            notes,
            panels: panel::panels(course, &drawn, window, now_ms),
            ticks: window.ticks(),
            differing: difference::differing(&sets, now_ms),
            readings: Readings::new(&sets, now_ms),
            folded: false,
        }
    }

    /// The same with its table folded until asked for.
    pub fn folded(self) -> Self {
        Self { folded: true, ..self }
    }
}

fn window(course: &Course, period: Period, now_ms: i64) -> Window {
    let first = course.sets.first().map_or(now_ms, |set| set.from_ms);
    let from_ms = match period.length_ms() {
        Some(length) => now_ms.saturating_sub(length),
        None => first.min(now_ms.saturating_sub(SHORTEST_MS)),
    };
    Window { from_ms, to_ms: now_ms }
}

/// Where there are more sets than can be told apart, the most serious of each equal stretch of time.
fn thinned<'a>(sets: &[&'a Set], window: Window) -> Vec<&'a Set> {
    if sets.len() <= MOST {
        return sets.to_vec();
    }
    let most = i64::try_from(MOST).unwrap_or(1);
    let stretch = (window.to_ms.saturating_sub(window.from_ms) / most).max(1);
    let place = |set: &Set| set.to_ms.saturating_sub(window.from_ms) / stretch;
    let points = |set: &Set| set.total().map_or(set.score().partial_sum, |total| total.value());
    sets.chunk_by(|a, b| place(a) == place(b))
        .filter_map(|chunk| chunk.iter().copied().max_by_key(|set| points(set)))
        .collect()
}

fn saturation_notes(sets: &[&Set]) -> Vec<String> {
    let last =
        sets.iter().rev().find(|set| set.measurements.get(Parameter::OxygenSaturation).is_some());
    let Some(measurements) = last.map(|set| &set.measurements) else { return Vec::new() };
    if measurements.scale == SpO2Scale::One {
        return vec![text::get("saturation-scale-1")];
    }
    vec![text::get(match measurements.oxygen {
        Some(Supply::Oxygen) => "saturation-scale-2-oxygen",
        Some(Supply::Air) => "saturation-scale-2-air",
        None => "saturation-scale-2-unknown",
    })]
}
