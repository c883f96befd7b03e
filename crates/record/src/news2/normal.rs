//! The patient's own normal level, and how far a measurement lies from it.
//!
//! Many patients, with COPD or heart failure for example, live with a NEWS2 of 4 or 5. Read without
//! that knowledge, each round looks like a deterioration, and a real one drowns among them.
//!
//! **Method.** Over the last [`WINDOW_DAYS`] days:
//!
//! 1. Each day with measurements becomes one value, the median of that day (UTC).
//! 2. Each such day weighs by the time it stands for: half the distance to the measured days on
//!    either side, at most [`REACH_DAYS`] each way, and half a day at the ends.
//! 3. The centre is the weighted median of the days: the level above and below which the patient
//!    spends equal time.
//! 4. The spread is the weighted median distance to the centre × 1.4826 (the standard deviation,
//!    were the days normally distributed), but never less than the uncertainty of measurement
//!    ([`Measure::uncertainty`]).
//! 5. The band goes from the 10th to the 90th weighted percentile of the days within three spreads
//!    of the centre; the others are counted as unusual.
//!
//! **Why.** An acute episode distorts an average in two ways: its values are extreme, and there
//! are many of them, since a sick patient is measured several times a day and a well one perhaps
//! monthly. Step 1 and 2 remove the second: what counts is how long the patient was in a state, not
//! how often somebody looked. A median removes the first: as long as an episode fills less than
//! half of the observed time, the centre stays among the patient's other days, whatever the
//! episode's values. A lasting change, on the other hand, becomes the normal once it has filled
//! more than half; that is slow on purpose, and `from`, `to`, `days` and `unusual_days` let the
//! reader judge. Values are not trimmed before the centre is found, so raising a measurement never
//! lowers the centre; only the band leaves the unusual days out, since a percentile would otherwise
//! let an episode widen it.
//!
//! A normal needs [`MIN_DAYS`] measured days over at least [`MIN_SPAN_DAYS`] days. A patient known
//! only from one acute stay has no known normal, and saying so is better than showing the illness
//! as normal.

use super::parameter::Parameter;

/// Days looked back: half a year, since home care may measure as seldom as monthly.
pub const WINDOW_DAYS: i64 = 180;
/// How far to either side a measured day can stand for the days without measurements.
pub const REACH_DAYS: i64 = 7;
/// Fewest measured days.
pub const MIN_DAYS: usize = 5;
/// Shortest time from the first measured day to the last: longer than most acute illness.
pub const MIN_SPAN_DAYS: i64 = 21;

/// Milliseconds of a day.
pub const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Spreads from the centre beyond which a day is unusual.
const UNUSUAL: f64 = 3.0;
/// Spreads from the centre within which a measurement is never called a deviation.
const TOLERATED: f64 = 2.0;
const SD_PER_MEDIAN_DISTANCE: f64 = 1.4826;

/// What can have a normal level and a trend: the parameters that are numbers, and the total.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// [`Parameter::Respiration`].
    Respiration,
    /// [`Parameter::OxygenSaturation`].
    OxygenSaturation,
    /// [`Parameter::SystolicBloodPressure`].
    SystolicBloodPressure,
    /// [`Parameter::Pulse`].
    Pulse,
    /// [`Parameter::Temperature`].
    Temperature,
    /// The NEWS2 total.
    Total,
}

impl Measure {
    /// All, in the order of the chart, the total last.
    pub const ALL: [Self; 6] = [
        Self::Respiration,
        Self::OxygenSaturation,
        Self::SystolicBloodPressure,
        Self::Pulse,
        Self::Temperature,
        Self::Total,
    ];

    /// The parameter, unless it is the total.
    pub fn parameter(self) -> Option<Parameter> {
        match self {
            Self::Respiration => Some(Parameter::Respiration),
            Self::OxygenSaturation => Some(Parameter::OxygenSaturation),
            Self::SystolicBloodPressure => Some(Parameter::SystolicBloodPressure),
            Self::Pulse => Some(Parameter::Pulse),
            Self::Temperature => Some(Parameter::Temperature),
            Self::Total => None,
        }
    }

    /// [`Parameter::key`], or `total`.
    pub fn key(self) -> &'static str {
        self.parameter().map_or("total", Parameter::key)
    }

    /// What two measurements of an unchanged patient differ by, as a standard deviation. Chosen by
    /// judgement: about what counting, cuff and thermometer allow.
    pub fn uncertainty(self) -> f64 {
        match self {
            Self::Respiration | Self::OxygenSaturation => 1.0,
            Self::SystolicBloodPressure => 5.0,
            Self::Pulse => 4.0,
            Self::Temperature => 0.2,
            Self::Total => 0.5,
        }
    }
}

/// A number at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// In the unit of the measure.
    pub value: f64,
}

/// A patient's normal level of one measure, in its unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normal {
    /// The middle.
    pub centre: f64,
    /// Lower end of the band; never above `centre`.
    pub low: f64,
    /// Upper end of the band; never below `centre`.
    pub high: f64,
    /// One robust standard deviation.
    pub spread: f64,
    /// Measured days it rests on.
    pub days: usize,
    /// How many of them lie outside the usual.
    pub unusual_days: usize,
    /// Time of the first measurement it rests on.
    pub from_ms: i64,
    /// Time of the last one.
    pub to_ms: i64,
}

/// Why no normal is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TooLittle {
    /// Fewer measured days than [`MIN_DAYS`].
    Days {
        /// How many there are.
        measured: usize,
    },
    /// The measured days lie closer together than [`MIN_SPAN_DAYS`].
    Span {
        /// Days from the first to the last.
        days: i64,
    },
}

/// Where a measurement lies against the patient's normal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Above it.
    Above,
    /// Within it.
    Within,
    /// Below it.
    Below,
}

/// A measurement against the patient's normal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Deviation {
    /// Where it lies.
    pub place: Place,
    /// Distance from the centre, in the unit of the measure, positive upwards.
    pub amount: f64,
    /// The same in robust standard deviations.
    pub spreads: f64,
}

struct Day {
    number: i64,
    value: f64,
    /// In half days, so that sums and comparisons are exact.
    weight: u64,
}

/// The normal level from the measurements of the [`WINDOW_DAYS`] before `until_ms`, itself included.
///
/// # Errors
/// [`TooLittle`] says what is missing; a page shows it in place of the normal.
pub fn normal(measure: Measure, points: &[Point], until_ms: i64) -> Result<Normal, TooLittle> {
    let start_ms = until_ms.saturating_sub(WINDOW_DAYS * DAY_MS);
    let points: Vec<Point> = points
        .iter()
        .copied()
        .filter(|p| p.value.is_finite() && p.at_ms > start_ms && p.at_ms <= until_ms)
        .collect();
    let days = weighted_days(&points);
    let (Some(first), Some(last)) = (days.first(), days.last()) else {
        return Err(TooLittle::Days { measured: 0 });
    };
    if days.len() < MIN_DAYS {
        return Err(TooLittle::Days { measured: days.len() });
    }
    let span = last.number.saturating_sub(first.number);
    if span < MIN_SPAN_DAYS {
        return Err(TooLittle::Span { days: span });
    }
    let centre = middle(days.iter().map(|day| (day.value, day.weight)));
    let distance = middle(days.iter().map(|day| ((day.value - centre).abs(), day.weight)));
    let spread = (distance * SD_PER_MEDIAN_DISTANCE).max(measure.uncertainty());
    let usual = || days.iter().filter(|day| (day.value - centre).abs() <= UNUSUAL * spread);
    // A tenth of the time lies beyond each end; the upper end is the lower one seen in a mirror.
    let low = lower_tenth(usual().map(|day| (day.value, day.weight)));
    let high = -lower_tenth(usual().map(|day| (-day.value, day.weight)));
    Ok(Normal {
        centre,
        low: low.min(centre),
        high: high.max(centre),
        spread,
        days: days.len(),
        unusual_days: days.len().saturating_sub(usual().count()),
        from_ms: points.iter().map(|p| p.at_ms).min().unwrap_or(start_ms),
        to_ms: points.iter().map(|p| p.at_ms).max().unwrap_or(until_ms),
    })
}

/// Compares a value with a normal. It deviates when it is outside the band and also further from
/// the centre than two robust standard deviations, so that a band narrowed by chance does not alarm.
pub fn deviation(value: f64, normal: &Normal) -> Deviation {
    let amount = value - normal.centre;
    let spreads = amount / normal.spread;
    let place = if value > normal.high && spreads > TOLERATED {
        Place::Above
    } else if value < normal.low && spreads < -TOLERATED {
        Place::Below
    } else {
        Place::Within
    };
    Deviation { place, amount, spreads }
}

fn weighted_days(points: &[Point]) -> Vec<Day> {
    let day = |point: &Point| point.at_ms.div_euclid(DAY_MS);
    let mut sorted = points.to_vec();
    sorted.sort_by_key(day);
    let mut days: Vec<Day> = sorted
        .chunk_by(|a, b| day(a) == day(b))
        .filter_map(|chunk| {
            let value = middle(chunk.iter().map(|p| (p.value, 1)));
            chunk.first().map(|p| Day { number: day(p), value, weight: 0 })
        })
        .collect();
    let numbers: Vec<i64> = days.iter().map(|day| day.number).collect();
    // Half the distance in days is the whole distance in half days.
    let reach = |from: i64, to: i64| to.saturating_sub(from).min(2 * REACH_DAYS).unsigned_abs();
    let gaps: Vec<u64> =
        numbers.iter().zip(numbers.iter().skip(1)).map(|(a, b)| reach(*a, *b)).collect();
    let before = std::iter::once(1).chain(gaps.iter().copied());
    let after = gaps.iter().copied().chain(std::iter::once(1));
    for (day, (before, after)) in days.iter_mut().zip(before.zip(after)) {
        day.weight = before.saturating_add(after);
    }
    days
}

/// The weighted median: where the halves meet exactly between two values, the mean of these.
/// Zero for nothing.
fn middle(values: impl Iterator<Item = (f64, u64)>) -> f64 {
    let (sorted, total) = sorted(values);
    let lower = reaching(&sorted, |sum| 2 * sum >= total);
    let upper = reaching(&sorted, |sum| 2 * sum > total);
    f64::midpoint(lower, upper)
}

/// The smallest value below or at which a tenth of the weight lies.
fn lower_tenth(values: impl Iterator<Item = (f64, u64)>) -> f64 {
    let (sorted, total) = sorted(values);
    reaching(&sorted, |sum| 10 * sum >= total)
}

fn sorted(values: impl Iterator<Item = (f64, u64)>) -> (Vec<(f64, u64)>, u64) {
    let mut values: Vec<(f64, u64)> = values.collect();
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total = values.iter().map(|(_, weight)| weight).sum();
    (values, total)
}

fn reaching(sorted: &[(f64, u64)], enough: impl Fn(u64) -> bool) -> f64 {
    let mut sum = 0;
    sorted
        .iter()
        .find(|(_, weight)| {
            sum += weight;
            enough(sum)
        })
        .map_or(0.0, |(value, _)| *value)
}
