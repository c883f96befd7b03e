//! Puts single readings taken near each other together into sets.
//!
//! Many systems send each vital sign as an observation of its own, so "the NEWS2 of ten o'clock"
//! has to be found again. Readings and received scores are taken in order of time, those of the same
//! instant together. A set opens with the first that belong to no set, and the next join it unless
//!
//! 1. they lie more than the window after the opening, so that a monitor's steady stream does not
//!    become one endless set; or
//! 2. they would replace something in a finished assessment: there is a reading among them and the
//!    set has all seven parameters, or there is a received score among them and the set has one. A
//!    patient who is reassessed after ten minutes thus gets two sets, and a finished assessment is
//!    never overwritten.
//!
//! Within a set the latest value of a parameter counts; the earlier ones stay in
//! [`Set::readings`]. Who measured and with what plays no part: one nurse takes the pulse while
//! another takes the temperature.
//!
//! Invariants: each reading and each received score is in exactly one set; the result does not
//! depend on the order of the input; a set never spans more than the window; what comes later
//! than the window after a set's opening never changes that set.

use super::parameter::{SpO2Scale, Supply, Value};
use super::received::Received;
use super::score::{self, Measurements, Score};

/// Half an hour: a round with all seven measurements takes minutes, and NEWS2 at its most frequent
/// short of continuous monitoring is hourly.
pub const WINDOW_MS: i64 = 30 * 60 * 1000;

/// One reading of one vital sign.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// When, in milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// What was measured.
    pub value: Value,
    /// Where it can be found again, such as a resource reference.
    pub source: String,
}

/// How the saturation scale of a set is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScaleBasis {
    /// A received score in the set was made on it.
    Stated,
    /// The latest earlier set that stated one.
    Earlier,
    /// Nobody stated one: scale 1, as the Royal College of Physicians demands.
    Assumed,
}

/// Readings and received scores that belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct Set {
    /// Time of the first of them.
    pub from_ms: i64,
    /// Time of the last of them.
    pub to_ms: i64,
    /// All readings, in order of time, also those that a later one replaced.
    pub readings: Vec<Reading>,
    /// Received scores, in order of time; more than one only when of the same instant.
    pub received: Vec<Received>,
    /// The latest value of each parameter, and the scale.
    pub measurements: Measurements,
    /// How the scale is known.
    pub scale_basis: ScaleBasis,
}

/// Where a total comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// Computed from all seven measurements.
    Computed(u8),
    /// Received; not all seven measurements are known.
    Received(u8),
}

impl Total {
    /// The total.
    pub fn value(self) -> u8 {
        match self {
            Self::Computed(total) | Self::Received(total) => total,
        }
    }
}

impl Set {
    /// What the table gives.
    pub fn score(&self) -> Score {
        score::score(&self.measurements)
    }

    /// The computed total if all seven are measured, otherwise the received one.
    pub fn total(&self) -> Option<Total> {
        let received = || self.received.iter().rev().find_map(|received| received.total);
        self.score().total.map(Total::Computed).or_else(|| received().map(Total::Received))
    }
}

#[derive(Clone, Copy)]
enum Item<'a> {
    Reading(&'a Reading),
    Received(&'a Received),
}

/// Makes sets, in order of time. `window_ms` is the longest span of a set, usually [`WINDOW_MS`].
pub fn assemble(readings: &[Reading], received: &[Received], window_ms: i64) -> Vec<Set> {
    let mut items: Vec<Item<'_>> = readings.iter().map(Item::Reading).collect();
    items.extend(received.iter().map(Item::Received));
    items.sort_by(|a, b| a.order(*b));
    let mut sets: Vec<Set> = Vec::new();
    for instant in items.chunk_by(|a, b| a.at_ms() == b.at_ms()) {
        match sets.last_mut() {
            Some(set) if joins(set, instant, window_ms) => set.add(instant),
            _ => sets.push(Set::open(instant)),
        }
    }
    state_scales(&mut sets);
    sets
}

fn joins(set: &Set, instant: &[Item<'_>], window_ms: i64) -> bool {
    let complete = set.measurements.is_complete();
    instant.iter().all(|item| {
        let replaces = match item {
            Item::Reading(_) => complete,
            Item::Received(_) => !set.received.is_empty(),
        };
        !replaces && item.at_ms().saturating_sub(set.from_ms) <= window_ms
    })
}

fn state_scales(sets: &mut [Set]) {
    let mut earlier = None;
    for set in sets {
        let stated = set.received.iter().rev().find_map(|received| received.scale);
        let (scale, basis) = match (stated, earlier) {
            (Some(scale), _) => (scale, ScaleBasis::Stated),
            (None, Some(scale)) => (scale, ScaleBasis::Earlier),
            (None, None) => (SpO2Scale::One, ScaleBasis::Assumed),
        };
        set.measurements.scale = scale;
        set.scale_basis = basis;
        earlier = stated.or(earlier);
    }
}

impl Set {
    fn open(instant: &[Item<'_>]) -> Self {
        let at_ms = instant.first().map_or(0, |item| item.at_ms());
        let mut set = Self {
            from_ms: at_ms,
            to_ms: at_ms,
            readings: Vec::new(),
            received: Vec::new(),
            measurements: Measurements::default(),
            scale_basis: ScaleBasis::Assumed,
        };
        set.add(instant);
        set
    }

    fn add(&mut self, instant: &[Item<'_>]) {
        for item in instant {
            self.to_ms = item.at_ms();
            match item {
                Item::Reading(reading) => {
                    self.measurements.put(reading.value);
                    self.readings.push((*reading).clone());
                }
                Item::Received(received) => self.received.push((*received).clone()),
            }
        }
    }
}

impl Item<'_> {
    fn at_ms(self) -> i64 {
        match self {
            Self::Reading(reading) => reading.at_ms,
            Self::Received(received) => received.at_ms,
        }
    }

    /// Time first; the rest only makes the order of simultaneous items certain.
    fn order(self, other: Item<'_>) -> std::cmp::Ordering {
        self.at_ms().cmp(&other.at_ms()).then_with(|| match (self, other) {
            (Item::Reading(a), Item::Reading(b)) => {
                let key = |r: &Reading| (r.value.parameter(), rank(r.value));
                let ((a_parameter, a_rank), (b_parameter, b_rank)) = (key(a), key(b));
                a_parameter
                    .cmp(&b_parameter)
                    .then_with(|| a_rank.total_cmp(&b_rank))
                    .then_with(|| a.source.cmp(&b.source))
            }
            (Item::Received(a), Item::Received(b)) => a.cmp(b),
            (Item::Reading(_), Item::Received(_)) => std::cmp::Ordering::Less,
            (Item::Received(_), Item::Reading(_)) => std::cmp::Ordering::Greater,
        })
    }
}

/// Orders values of one parameter; of simultaneous levels the worst comes last and so counts.
fn rank(value: Value) -> f64 {
    match value {
        Value::Consciousness(level) => f64::from(level as u8),
        Value::Oxygen(supply) => f64::from(u8::from(supply == Supply::Oxygen)),
        number => number.number().unwrap_or_default(),
    }
}
