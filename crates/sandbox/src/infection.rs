//! Infections: how they build over one to three days and recede over four to eight.

use crate::calendar::{self, DAY, HOUR};
use crate::people::{self, Profile, Resident};
use crate::random::Topic;
use crate::services::{Care, Place};
use crate::stories::Plot;
use crate::world::Municipality;

/// One infection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Infection {
    /// When it begins to show: milliseconds since 1970 UTC.
    pub onset: i64,
    /// Milliseconds until it is at its worst.
    pub build: i64,
    /// Milliseconds from then until it is over.
    pub recede: i64,
    /// How bad it gets: 0 to 1.
    pub severity: f64,
}

impl Infection {
    /// How much of it shows at a time: 0 to [`Infection::severity`].
    pub fn strength(&self, at_ms: i64) -> f64 {
        let since = at_ms - self.onset;
        let share = if since < 0 {
            0.0
        } else if since < self.build {
            ratio(since, self.build)
        } else {
            1.0 - ratio(since - self.build, self.recede)
        };
        smooth(share.clamp(0.0, 1.0)) * self.severity
    }
}

/// Both are at most days, which a floating-point number holds exactly.
fn ratio(part: i64, whole: i64) -> f64 {
    let minutes = |ms: i64| i32::try_from(ms / calendar::MINUTE).map_or(0.0, f64::from);
    // Beyond some thousand years the answer is clamped anyway.
    if i32::try_from(part / calendar::MINUTE).is_err() {
        1.0
    } else {
        minutes(part) / minutes(whole)
    }
}

/// Slow at both ends: 3x² − 2x³.
fn smooth(x: f64) -> f64 {
    x * x * (3.0 - 2.0 * x)
}

/// The infections of a resident that matter up to a time.
pub fn infections(
    seed: u64,
    municipality: &Municipality,
    resident: &Resident,
    care: &Care,
    now_ms: i64,
) -> Vec<Infection> {
    if let Some(plan) = resident.story {
        return match plan.plot {
            Plot::CopdRising => vec![infection(now_ms - 49 * HOUR, 60, 6, 0.82)],
            Plot::InfectionReceded => vec![infection(now_ms - 11 * DAY, 52, 7, 0.85)],
            Plot::HomeToLegevakt | Plot::DementiaAtHome => Vec::new(),
        };
    }
    let mut chance = people::stream(seed, Topic::Infection, municipality, resident.index);
    let acute = care.admitted.filter(|_| matches!(care.place, Place::Kad | Place::ShortStay));
    let mut all: Vec<Infection> = acute
        .map(|day| {
            let before = chance.between(12, 40);
            let onset = calendar::at(day, 12 * 60) - before * HOUR;
            let severity = 0.3 + 0.55 * chance.unit();
            infection(onset, chance.between(30, 60), chance.between(4, 8), severity)
        })
        .into_iter()
        .collect();
    let every = match resident.profile {
        Profile::InfectionProne => 60,
        Profile::Copd => 150,
        _ => 400,
    };
    let mut onset = now_ms - chance.between(0, every) * DAY;
    while onset > now_ms - HISTORY {
        let severity = 0.25 + 0.5 * chance.unit();
        let (build, recede) = (chance.between(24, 72), chance.between(4, 8));
        all.push(infection(onset - chance.between(0, 23) * HOUR, build, recede, severity));
        onset -= (20 + chance.between(0, 2 * every)) * DAY;
    }
    all
}

/// Measurements older than this are not made up.
pub const HISTORY: i64 = 190 * DAY;

fn infection(onset: i64, build_hours: i64, recede_days: i64, severity: f64) -> Infection {
    Infection { onset, build: build_hours * HOUR, recede: recede_days * DAY, severity }
}
