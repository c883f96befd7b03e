//! Scales: values to heights, times to widths.
//!
//! Heights are pixels; widths are per cent of whatever room there is, so that the drawing follows
//! the page while its text keeps its size.

use jiff::{Span, ToSpan, Zoned};
use record::news2::normal::Measure;

use crate::time;

const HOUR_MS: i64 = 60 * 60 * 1000;

/// A scale of values, straight between its knots.
///
/// The printed NEWS2 chart gives high blood pressures and the outer ends less room than the values
/// where points change; so do these.
pub(crate) struct Scale {
    /// Value and pixels from the bottom, rising.
    knots: &'static [(f64, f64)],
}

impl Scale {
    /// The scale of a measure.
    pub fn of(measure: Measure) -> Self {
        Self {
            knots: match measure {
                Measure::Respiration => &[(0.0, 0.0), (4.0, 10.0), (30.0, 114.0), (60.0, 128.0)],
                Measure::OxygenSaturation => {
                    &[(50.0, 0.0), (80.0, 10.0), (83.0, 18.0), (97.5, 126.0), (100.5, 140.0)]
                }
                Measure::SystolicBloodPressure => {
                    &[(40.0, 0.0), (70.0, 18.0), (120.0, 88.0), (225.0, 140.0), (280.0, 156.0)]
                }
                Measure::Pulse => &[(20.0, 0.0), (35.0, 14.0), (140.0, 140.0), (220.0, 154.0)],
                Measure::Temperature => &[(28.0, 0.0), (34.0, 12.0), (40.0, 108.0), (43.0, 122.0)],
                Measure::Total => &[(0.0, 6.0), (10.0, 96.0), (20.0, 134.0)],
            },
        }
    }

    /// Height of the whole scale.
    pub fn height(&self) -> f64 {
        self.knots.last().map_or(0.0, |(_, top)| *top)
    }

    /// Pixels from the top; a value outside the scale stands at its end.
    pub fn y(&self, value: f64) -> f64 {
        let mut low = self.knots.first().copied().unwrap_or((0.0, 0.0));
        if value <= low.0 {
            return self.height() - low.1;
        }
        for &high in self.knots {
            if value <= high.0 && high.0 > low.0 {
                let part = (value - low.0) / (high.0 - low.0);
                return self.height() - low.1 - part * (high.1 - low.1);
            }
            low = high;
        }
        0.0
    }
}

/// A stretch of time.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    pub from_ms: i64,
    pub to_ms: i64,
}

/// A mark on the time axis.
pub(crate) struct Tick {
    pub x: String,
    pub label: String,
    /// Whether it gives way where there is little room.
    pub odd: bool,
    /// Class that keeps the label inside the drawing.
    pub anchor: &'static str,
}

impl Window {
    /// Whether a time is inside.
    pub fn holds(&self, at_ms: i64) -> bool {
        (self.from_ms..=self.to_ms).contains(&at_ms)
    }

    /// Per cent from the left.
    pub fn x(&self, at_ms: i64) -> String {
        format!("{:.2}%", self.part(at_ms))
    }

    #[expect(clippy::cast_precision_loss, reason = "milliseconds of some years fit an f64 exactly")]
    fn part(&self, at_ms: i64) -> f64 {
        let length = self.to_ms.saturating_sub(self.from_ms).max(1) as f64;
        // Room at either end for the marks themselves.
        1.5 + 97.0 * at_ms.saturating_sub(self.from_ms) as f64 / length
    }

    /// Marks at whole hours or midnights, at most nine.
    pub fn ticks(&self) -> Vec<Tick> {
        let hours = self.to_ms.saturating_sub(self.from_ms) / HOUR_MS;
        let (step, hourly): (Span, bool) = match hours {
            ..=8 => (1.hours(), true),
            9..=30 => (4.hours(), true),
            31..=192 => (1.days(), false),
            193..=800 => (5.days(), false),
            _ => ((hours / 24 / 6).max(1).days(), false),
        };
        let mut ticks = Vec::new();
        let mut at = time::oslo(self.from_ms).start_of_day().ok();
        while let Some(zoned) = at.filter(|zoned| zoned.timestamp().as_millisecond() <= self.to_ms)
        {
            let at_ms = zoned.timestamp().as_millisecond();
            if self.holds(at_ms) {
                let odd = ticks.len() % 2 == 1;
                ticks.push(self.tick(&zoned, at_ms, hourly, odd));
            }
            at = zoned.checked_add(step).ok();
        }
        ticks
    }

    fn tick(&self, zoned: &Zoned, at_ms: i64, hourly: bool, odd: bool) -> Tick {
        let label = if hourly && zoned.hour() != 0 {
            format!("{:02}", zoned.hour())
        } else {
            time::day_month(zoned)
        };
        let anchor = match self.part(at_ms) {
            ..5.0 => "start",
            95.0.. => "end",
            _ => "middle",
        };
        Tick { x: self.x(at_ms), label, odd, anchor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_rise_and_end_at_their_edges() {
        for measure in Measure::ALL {
            let scale = Scale::of(measure);
            let heights: Vec<f64> = (0..3000).map(|v| scale.y(f64::from(v) / 10.0)).collect();
            assert!(heights.windows(2).all(|pair| pair[0] >= pair[1]), "{measure:?}");
            assert!(heights.iter().all(|y| (0.0..=scale.height()).contains(y)), "{measure:?}");
        }
    }

    #[test]
    fn every_length_of_time_has_a_few_ticks() {
        let now = 1_763_890_920_000;
        for days in [1, 7, 30, 90, 400, 4000] {
            let window = Window { from_ms: now - days * 24 * HOUR_MS, to_ms: now };
            let count = window.ticks().len();
            assert!((4..=9).contains(&count), "{days} days have {count} ticks");
        }
    }
}
