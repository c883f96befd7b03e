//! The last totals as a small line, with the patient's normal level behind it.

use record::news2::course::Line;

/// How many totals it shows.
const LAST: usize = 14;
const WIDTH: f64 = 140.0;
const HEIGHT: f64 = 40.0;
const MARGIN: f64 = 5.0;
/// Lowest total at the top of the drawing, so that 0 against 1 does not look like a cliff.
const LEAST_TOP: f64 = 8.0;

/// Coordinates in a box of 140 × 40.
pub(crate) struct Sparkline {
    /// The totals in words, for those who do not see it.
    pub totals: String,
    pub band: Option<Band>,
    /// `x,y x,y …`.
    pub line: String,
    pub last: (String, String),
}

pub(crate) struct Band {
    pub y: String,
    pub height: String,
}

/// `None` for fewer than two totals.
pub(crate) fn sparkline(line: &Line) -> Option<Sparkline> {
    let skip = line.points.len().saturating_sub(LAST);
    let totals: Vec<f64> = line.points.iter().skip(skip).map(|point| point.value).collect();
    let normal = line.normal.as_ref().ok();
    let top = totals.iter().copied().chain(normal.map(|n| n.high)).fold(LEAST_TOP, f64::max);
    let y = |value: f64| HEIGHT - MARGIN - value / top * (HEIGHT - 2.0 * MARGIN);
    let steps = u32::try_from(totals.len()).ok()?.checked_sub(1).filter(|steps| *steps > 0)?;
    let step = (WIDTH - 2.0 * MARGIN) / f64::from(steps);
    let places: Vec<(String, String)> = (0..)
        .zip(&totals)
        .map(|(i, total)| {
            (format!("{:.1}", MARGIN + f64::from(i) * step), format!("{:.1}", y(*total)))
        })
        .collect();
    Some(Sparkline {
        totals: totals.iter().map(|t| format!("{t:.0}")).collect::<Vec<_>>().join(", "),
        band: normal.map(|normal| Band {
            y: format!("{:.1}", y(normal.high) - 1.0),
            height: format!("{:.1}", y(normal.low) - y(normal.high) + 2.0),
        }),
        line: places.iter().map(|(x, y)| format!("{x},{y}")).collect::<Vec<_>>().join(" "),
        last: places.last()?.clone(),
    })
}
