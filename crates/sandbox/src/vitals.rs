//! Vital signs with a believable course: a normal of the person's own, the time of day, noise, and
//! infections on top.
//!
//! What is measured at a time does not depend on when it is asked for, but on the infections given.

use record::news2::parameter::{Consciousness, SpO2Scale, Supply};
use record::news2::score::{self, Measurements, Score};

use crate::calendar::{self, DAY, MINUTE};
use crate::infection::{HISTORY, Infection};
use crate::people::{self, Profile, Resident};
use crate::random::{Stream, Topic};
use crate::services::{Care, Place};
use crate::world::Municipality;

/// One round of measurements.
#[derive(Clone, Debug, PartialEq)]
pub struct Round {
    /// When: milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// The seven parameters, always all of them.
    pub measurements: Measurements,
    /// Diastolic blood pressure in mmHg.
    pub diastolic: f64,
    /// What the NEWS2 table gives.
    pub score: Score,
}

/// What is normal for a person, at rest and well.
#[derive(Clone, Copy, Debug)]
pub struct Normal {
    respiration: f64,
    saturation: f64,
    oxygen: bool,
    systolic: f64,
    pulse: f64,
    temperature: f64,
    scale: SpO2Scale,
    /// How far single measurements stray, as a factor.
    spread: f64,
}

/// The person's own normal.
pub fn normal(seed: u64, municipality: &Municipality, resident: &Resident) -> Normal {
    let mut chance = people::stream(seed, Topic::Normal, municipality, resident.index);
    let base = Normal {
        respiration: 14.0 + 2.5 * chance.unit(),
        saturation: 97.2 + 1.0 * chance.unit(),
        oxygen: false,
        systolic: 124.0 + 24.0 * chance.unit(),
        pulse: 64.0 + 12.0 * chance.unit(),
        temperature: 36.6 + 0.2 * chance.unit(),
        scale: SpO2Scale::One,
        spread: 1.0,
    };
    let told = resident.story.is_some();
    match resident.profile {
        Profile::Healthy => base,
        Profile::Copd => copd(base, &mut chance, told),
        Profile::HeartFailure => Normal {
            respiration: 18.0 + chance.unit(),
            saturation: 94.8 + chance.unit(),
            systolic: 106.0 + 12.0 * chance.unit(),
            pulse: 78.0 + 8.0 * chance.unit(),
            ..base
        },
        Profile::Frail | Profile::InfectionProne => Normal {
            respiration: 16.0 + 1.5 * chance.unit(),
            saturation: 95.6 + 1.5 * chance.unit(),
            pulse: 70.0 + 10.0 * chance.unit(),
            ..base
        },
        Profile::Dementia => Normal { saturation: 96.2 + chance.unit(), ..base },
    }
}

/// Breathes fast and is on scale 2; on oxygen, or else thin with a fast pulse and low pressure.
/// Either way the normal is four or five.
fn copd(base: Normal, chance: &mut Stream, told: bool) -> Normal {
    let oxygen = told || chance.chance(65);
    let copd = Normal {
        respiration: 22.2 + 0.8 * chance.unit(),
        saturation: 89.6 + 1.0 * chance.unit(),
        oxygen,
        scale: SpO2Scale::Two,
        // A story shows what it says at whatever hour it is started.
        spread: if told { 0.3 } else { 0.5 },
        ..base
    };
    match (oxygen, told) {
        (true, true) => Normal { pulse: 97.0, respiration: 22.4, systolic: 132.0, ..copd },
        (true, false) => Normal { pulse: 80.0 + 12.0 * chance.unit(), ..copd },
        (false, _) => Normal { pulse: 97.0, systolic: 105.5, ..copd },
    }
}

/// All rounds of a resident up to a time, the first first.
pub fn rounds(
    seed: u64,
    municipality: &Municipality,
    resident: &Resident,
    care: &Care,
    infections: &[Infection],
    now_ms: i64,
) -> Vec<Round> {
    let normal = normal(seed, municipality, resident);
    let noise = people::stream(seed, Topic::Noise, municipality, resident.index);
    times(resident, care, infections, now_ms)
        .into_iter()
        .map(|at_ms| {
            let strength = infections.iter().map(|i| i.strength(at_ms)).fold(0.0, f64::max);
            round(&normal, at_ms, strength, noise.branch(at_ms.unsigned_abs()))
        })
        .collect()
}

/// When rounds are made: every six hours on the acute ward, morning and evening on the short-stay
/// ward and in the nursing home while somebody is ill; otherwise weekly for those with heart or
/// lung disease and monthly for others who are nursed.
fn times(resident: &Resident, care: &Care, infections: &[Infection], now_ms: i64) -> Vec<i64> {
    if !care.is_nursed() {
        return Vec::new();
    }
    let told = resident.story.is_some();
    let weekly = matches!(resident.profile, Profile::Copd | Profile::HeartFailure);
    let (step, back) = match (weekly, told) {
        (true, true) => (3, 60),
        (true, false) => (7, 42),
        (false, true) => (7, 60),
        (false, false) => (30, 150),
    };
    let today = calendar::date_of(now_ms);
    let on_ward = matches!(care.place, Place::Kad | Place::ShortStay);
    let admitted = care.admitted.filter(|_| on_ward).map(|day| calendar::at(day, 10 * 60));
    let in_nursing_home = care.place == Place::NursingHome;
    let jitter = i64::from(resident.index % 25) * MINUTE;
    let hours: &[i64] = if care.place == Place::Kad { &[2, 8, 14, 20] } else { &[8, 20] };
    let mut times = Vec::new();
    for ago in (0..=HISTORY / DAY).rev() {
        let regular = ago <= back && (ago + i64::from(resident.index)) % step == 0;
        let watched = in_nursing_home || (on_ward && ago <= LONGEST_STAY);
        if !regular && !watched {
            continue;
        }
        let day = calendar::days_after(today, -ago);
        for hour in hours {
            let at_ms = calendar::at(day, hour * 60) + jitter;
            let due = match admitted {
                Some(admitted) if at_ms >= admitted => true,
                _ => {
                    (regular && *hour == 8)
                        || (in_nursing_home && infections.iter().any(|i| i.strength(at_ms) > 0.1))
                }
            };
            if due && at_ms <= now_ms {
                times.push(at_ms);
            }
        }
    }
    times
}

/// Days that a stay on one of the two wards has lasted at most.
const LONGEST_STAY: i64 = 14;

/// Measures once. `strength` is how ill the person is, from 0 to 1.
pub fn round(normal: &Normal, at_ms: i64, strength: f64, mut noise: Stream) -> Round {
    let day = daily(calendar::hour_of(at_ms));
    let mut stray = |size: f64| noise.noise() * size * normal.spread;
    let respiration = normal.respiration + 9.0 * strength + stray(0.7);
    let mut saturation = normal.saturation - 6.5 * strength + stray(0.6);
    let pulse = normal.pulse + 34.0 * strength + 2.0 * day + stray(3.0);
    let systolic = normal.systolic - 30.0 * strength + 3.0 * day + stray(5.0);
    let temperature = normal.temperature + 2.2 * strength + 0.2 * day + stray(0.12);
    let floor = if normal.scale == SpO2Scale::Two { 84.5 } else { 90.5 };
    let oxygen = normal.oxygen || saturation < floor;
    if oxygen && !normal.oxygen {
        saturation += 2.5;
    }
    let measurements = Measurements {
        respiration: Some(respiration.round()),
        oxygen_saturation: Some(saturation.round().min(99.0)),
        oxygen: Some(if oxygen { Supply::Oxygen } else { Supply::Air }),
        systolic_blood_pressure: Some(systolic.round()),
        pulse: Some(pulse.round()),
        consciousness: Some(if strength > 0.78 {
            Consciousness::Confusion
        } else {
            Consciousness::Alert
        }),
        temperature: Some((temperature * 10.0).round() / 10.0),
        scale: normal.scale,
    };
    let diastolic = (systolic * 0.58 + stray(3.0)).round();
    Round { at_ms, score: score::score(&measurements), measurements, diastolic }
}

/// −1 at four in the night, 1 at four in the afternoon, straight lines between.
fn daily(hour: f64) -> f64 {
    1.0 - (hour - 16.0).abs().min(24.0 - (hour - 16.0).abs()) / 6.0
}

/// The next round of a live demonstration: the patient gets worse for six rounds, then better for
/// ten, and so on.
pub fn live_round(normal: &Normal, step: u64, at_ms: i64, noise: Stream) -> Round {
    let place = u32::try_from(step % 16).map_or(0.0, f64::from);
    let strength = if place < 6.0 { 0.45 + 0.06 * place } else { 0.75 - 0.075 * (place - 6.0) };
    round(normal, at_ms, strength, noise)
}
