//! One drawing of the chart: bands, the patient's normal level, and the values of one parameter.

use record::news2::assemble::{Set, Total};
use record::news2::course::Course;
use record::news2::normal::Measure;
use record::news2::parameter::{Consciousness, Parameter, SpO2Scale, Supply, Value};
use record::news2::table::{self, Limits};

use super::axis::{Scale, Window};
use crate::news2::summary;
use crate::news2::words::{self, Tag};
use crate::text;
use crate::time;

/// What `chart_figure.html` draws; heights in pixels from the top.
pub(crate) struct Panel {
    pub name: String,
    pub unit: String,
    pub height: String,
    pub bands: Vec<Band>,
    pub rows: Vec<Label>,
    pub normal: Option<Normal>,
    pub marks: Vec<Mark>,
    pub latest: Option<String>,
    pub latest_points: Option<Tag>,
    pub trend: Option<Tag>,
    pub normal_text: Option<String>,
    /// For those who do not see the drawing.
    pub spoken: String,
}

/// Values that give the same points.
pub(crate) struct Band {
    pub y: String,
    pub height: String,
    /// 0–3, for class and pattern.
    pub score: u8,
    /// At the right edge: points or risk.
    pub label: Label,
}

/// A text at a height.
pub(crate) struct Label {
    pub y: String,
    pub text: String,
}

/// The patient's own level.
pub(crate) struct Normal {
    pub y: String,
    pub height: String,
}

/// A value.
pub(crate) struct Mark {
    pub x: String,
    pub y: String,
    /// Where the one before it is, for the line between them.
    pub before: Option<(String, String)>,
    pub class: String,
    pub title: String,
    /// Whether a received figure differs from the table's.
    pub differs: bool,
    /// Whether the total was received and not computed.
    pub received: bool,
}

/// Height of a line in the drawings of air or oxygen and of consciousness.
const LINE: f64 = 16.0;

/// The eight drawings, in the order of the chart, the total first.
pub(crate) fn panels(course: &Course, sets: &[&Set], window: Window, now_ms: i64) -> Vec<Panel> {
    let number = |measure| numeric(measure, course, sets, window, now_ms);
    vec![
        number(Measure::Total),
        number(Measure::Respiration),
        number(Measure::OxygenSaturation),
        listed(Parameter::Oxygen, sets, window, now_ms),
        number(Measure::SystolicBloodPressure),
        number(Measure::Pulse),
        listed(Parameter::Consciousness, sets, window, now_ms),
        number(Measure::Temperature),
    ]
}

fn numeric(measure: Measure, course: &Course, sets: &[&Set], window: Window, now_ms: i64) -> Panel {
    let scale = Scale::of(measure);
    let line = course.line(measure);
    let normal = line.and_then(|line| line.normal.as_ref().ok());
    let (bands, rows) = match measure.parameter() {
        Some(parameter) => bands(parameter, &scale, sets),
        None => total_bands(&scale),
    };
    let marks = match measure.parameter() {
        Some(parameter) => readings(sets, parameter, now_ms, window, |value| {
            value.number().map(|number| scale.y(number))
        }),
        None => totals(sets, &scale, window, now_ms),
    };
    let shown = line.and_then(|line| line.points.last()).map(|point| point.value);
    let decimals = measure.parameter().map_or(0, Parameter::decimals);
    let name = words::measure(measure);
    let latest = shown.map(|value| words::number(value, decimals));
    let points = match measure {
        Measure::Total => course.latest_with_total().map(|set| words::risk(summary::risk(set))),
        _ => line.and_then(|line| line.score).map(points_tag),
    };
    Panel {
        unit: measure.parameter().map(words::unit).unwrap_or_default(),
        height: px(scale.height()),
        bands,
        rows,
        normal: normal.map(|normal| Normal {
            y: px(scale.y(normal.high) - 1.0),
            height: px(scale.y(normal.low) - scale.y(normal.high) + 2.0),
        }),
        normal_text: normal.map(|normal| words::normal_range(measure, normal)),
        spoken: spoken(&name, latest.as_deref(), points.as_ref(), marks.len()),
        marks,
        latest_points: points,
        trend: line.map(|line| words::trend(&line.movement)).filter(|t| t.class != "unknown"),
        latest,
        name,
    }
}

fn listed(parameter: Parameter, sets: &[&Set], window: Window, now_ms: i64) -> Panel {
    let levels: Vec<(Value, String)> = match parameter {
        Parameter::Oxygen => [Supply::Oxygen, Supply::Air]
            .into_iter()
            .map(|supply| (Value::Oxygen(supply), words::supply(supply)))
            .collect(),
        _ => Consciousness::ALL
            .into_iter()
            .map(|level| (Value::Consciousness(level), level.letter().to_string()))
            .collect(),
    };
    let middle = |place: usize| (f64::from(u8::try_from(place).unwrap_or(0)) + 0.5) * LINE;
    let row = table::row_of(parameter, SpO2Scale::One);
    let score = |value| row.and_then(|row| row.band(value, None)).map_or(0, |band| band.score);
    let place = |value| levels.iter().position(|(level, _)| *level == value).map(middle);
    let marks = readings(sets, parameter, now_ms, window, place);
    let last = sets.iter().rev().find_map(|set| set.measurements.get(parameter));
    let name = words::parameter(parameter);
    let latest = last.map(words::value);
    let points = last.map(|value| points_tag(score(value)));
    Panel {
        unit: String::new(),
        height: px(middle(levels.len()) - LINE / 2.0),
        bands: levels
            .iter()
            .enumerate()
            .map(|(i, (value, _))| {
                band_view(middle(i) - LINE / 2.0, LINE, score(*value), score(*value).to_string())
            })
            .collect(),
        rows: (levels.iter().enumerate())
            .map(|(i, (_, text))| Label { y: px(middle(i)), text: text.clone() })
            .collect(),
        normal: None,
        normal_text: None,
        spoken: spoken(&name, latest.as_deref(), points.as_ref(), marks.len()),
        marks,
        latest_points: points,
        trend: None,
        latest,
        name,
    }
}

/// The bands of the table. Where they depend on oxygen, those of the latest set are drawn.
fn bands(parameter: Parameter, scale: &Scale, sets: &[&Set]) -> (Vec<Band>, Vec<Label>) {
    let last = sets.iter().rev().find(|set| set.measurements.get(parameter).is_some());
    let saturation = last.map_or(SpO2Scale::One, |set| set.measurements.scale);
    let given = last.and_then(|set| set.measurements.oxygen);
    let decimals = parameter.decimals();
    let half = if decimals == 0 { 0.5 } else { 0.05 };
    let number = |n: f64| words::number(n, decimals);
    let mut bands = Vec::new();
    let mut rows = Vec::new();
    for band in table::row_of(parameter, saturation).map(|row| row.bands).unwrap_or_default() {
        let Limits::Number { low, high, supply } = band.limits else { continue };
        if supply.is_some() && supply != given {
            continue;
        }
        let top = high.map_or(0.0, |high| scale.y(high + half));
        let bottom = low.map_or(scale.height(), |low| scale.y(low - half));
        rows.push(Label {
            y: px(f64::midpoint(top, bottom)),
            text: match (low, high) {
                (Some(low), Some(high)) => format!("{}–{}", number(low), number(high)),
                (Some(low), None) => format!("≥{}", number(low)),
                (None, Some(high)) => format!("≤{}", number(high)),
                (None, None) => String::new(),
            },
        });
        bands.push(band_view(top, bottom - top, band.score, band.score.to_string()));
    }
    (bands, rows)
}

/// Low, medium and high risk by total (Royal College of Physicians 2017).
fn total_bands(scale: &Scale) -> (Vec<Band>, Vec<Label>) {
    let limits = [
        ("0–4", "chart-low", None, Some(4.5), 0),
        ("5–6", "chart-medium", Some(4.5), Some(6.5), 2),
        ("≥7", "chart-high", Some(6.5), None, 3),
    ];
    limits
        .into_iter()
        .map(|(range, key, low, high, shade)| {
            let top = high.map_or(0.0, |high| scale.y(high));
            let bottom = low.map_or(scale.height(), |low| scale.y(low));
            let label = Label { y: px(f64::midpoint(top, bottom)), text: range.to_owned() };
            (band_view(top, bottom - top, shade, text::get(key)), label)
        })
        .unzip()
}

fn readings(
    sets: &[&Set],
    parameter: Parameter,
    now_ms: i64,
    window: Window,
    y: impl Fn(Value) -> Option<f64>,
) -> Vec<Mark> {
    let marks = sets.iter().flat_map(|set| {
        let row = table::row_of(parameter, set.measurements.scale);
        let own = set.readings.iter().filter(move |r| r.value.parameter() == parameter);
        let y = &y;
        own.filter_map(move |reading| {
            let band = row.and_then(|row| row.band(reading.value, set.measurements.oxygen));
            let at = time::moment(reading.at_ms, now_ms).short;
            Some(Mark {
                x: window.x(reading.at_ms),
                y: px(y(reading.value)?),
                before: None,
                class: band.map_or(String::new(), |band| format!("m{}", band.score)),
                title: format!("{at}: {}", words::value_with_unit(reading.value)),
                differs: false,
                received: false,
            })
        })
    });
    joined(marks.collect())
}

fn totals(sets: &[&Set], scale: &Scale, window: Window, now_ms: i64) -> Vec<Mark> {
    let marks = sets.iter().filter_map(|set| {
        let total = set.total()?;
        let at = time::moment(set.to_ms, now_ms).short;
        let risk = words::risk(summary::risk(set));
        Some(Mark {
            x: window.x(set.to_ms),
            y: px(scale.y(f64::from(total.value()))),
            before: None,
            class: risk.class.to_owned(),
            title: format!("{at}: {} – {}", total.value(), risk.text),
            differs: super::difference::differs(set),
            received: matches!(total, Total::Received(_)),
        })
    });
    joined(marks.collect())
}

fn joined(mut marks: Vec<Mark>) -> Vec<Mark> {
    let mut before = None;
    for mark in &mut marks {
        let here = (mark.x.clone(), mark.y.clone());
        mark.before = before.replace(here);
    }
    marks
}

fn band_view(top: f64, height: f64, score: u8, label: String) -> Band {
    let label = Label { y: px(top + height / 2.0), text: label };
    Band { y: px(top), height: px(height), score, label }
}

fn points_tag(score: u8) -> Tag {
    let class = match score {
        0 => "s0",
        1 => "s1",
        2 => "s2",
        _ => "s3",
    };
    Tag { class, text: words::points(score) }
}

fn spoken(name: &str, latest: Option<&str>, points: Option<&Tag>, count: usize) -> String {
    let latest = latest.map_or_else(|| text::get("chart-no-value"), str::to_owned);
    let points = points.map(|points| points.text.clone()).unwrap_or_default();
    let arguments = [
        ("name", name.into()),
        ("latest", latest.into()),
        ("points", points.into()),
        ("count", count.into()),
    ];
    text::with("chart-spoken", &arguments)
}

fn px(height: f64) -> String {
    format!("{height:.1}")
}
