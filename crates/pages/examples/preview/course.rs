//! Made-up courses of NEWS2.

use exchange::answer::{Board, Incomplete, News2};
use record::news2::assemble::{self, Reading, WINDOW_MS};
use record::news2::course::Course;
use record::news2::parameter::{ByParameter, Consciousness, Parameter, SpO2Scale, Supply, Value};
use record::news2::received::{Part, Received};

use super::people;

const HOUR: i64 = 60 * 60 * 1000;
const DAY: i64 = 24 * HOUR;

/// How ill somebody is: respiration, saturation, systolic, pulse, temperature, oxygen, confusion.
struct State(f64, f64, f64, f64, f64, bool, bool);

fn round(at_ms: i64, state: &State) -> Vec<Reading> {
    let State(respiration, saturation, systolic, pulse, temperature, oxygen, confused) = *state;
    let values = [
        Value::Respiration(respiration),
        Value::OxygenSaturation(saturation),
        Value::Oxygen(if oxygen { Supply::Oxygen } else { Supply::Air }),
        Value::SystolicBloodPressure(systolic),
        Value::Pulse(pulse),
        Value::Consciousness(if confused {
            Consciousness::Confusion
        } else {
            Consciousness::Alert
        }),
        Value::Temperature(temperature),
    ];
    let reading = |(i, value): (i64, Value)| Reading {
        at_ms: at_ms + i * 60_000,
        value,
        source: String::new(),
    };
    (0..).zip(values).map(reading).collect()
}

/// A little unrest that is the same every time.
fn unrest(i: i64, size: f64) -> f64 {
    let step = u32::try_from((i * 7919 + 13) % 11).unwrap_or(0);
    (f64::from(step) / 5.0 - 1.0) * size
}

fn around(i: i64, s: &State) -> State {
    State(
        (s.0 + unrest(i, 1.5)).round(),
        (s.1 + unrest(i + 3, 1.2)).round().min(100.0),
        (s.2 + unrest(i + 5, 9.0)).round(),
        (s.3 + unrest(i + 7, 6.0)).round(),
        ((s.4 + unrest(i + 2, 0.2)) * 10.0).round() / 10.0,
        s.5,
        s.6,
    )
}

fn news2(
    id: u8,
    name: &str,
    born: &str,
    sets: &[Reading],
    received: &[Received],
    now: i64,
) -> News2 {
    News2 {
        patient: people::patient(id, name, born, "14834112345"),
        course: Course::build(assemble::assemble(sets, received, WINDOW_MS), now),
        incomplete: Vec::new(),
    }
}

fn steady(days: i64, per_day: i64, state: &State, until: i64) -> Vec<Reading> {
    let count = days * per_day;
    (0..count).flat_map(|i| round(until - (count - i) * DAY / per_day, &around(i, state))).collect()
}

/// COPD at home: high but usual, on scale 2, with some received totals.
pub fn copd(now: i64) -> News2 {
    let mut readings = steady(60, 1, &State(22.0, 90.0, 128.0, 88.0, 36.8, false, false), now);
    readings.retain(|reading| reading.at_ms < now - 4 * DAY || reading.at_ms > now - 2 * DAY);
    let received = |ago: i64, total| Received {
        at_ms: now - ago,
        source: String::new(),
        scale: Some(SpO2Scale::Two),
        total: Some(total),
        parameters: ByParameter::default(),
    };
    let received: Vec<_> = [(61 * DAY, 3), (3 * DAY + 5 * HOUR, 5), (3 * DAY, 4)]
        .into_iter()
        .map(|(ago, total)| received(ago, total))
        .collect();
    news2(1, "Astrid Lunde", "1941-03-14", &readings, &received, now)
}

/// A patient who gets worse, with a received score that differs and a later single value.
pub fn sick(now: i64) -> News2 {
    let well = State(15.0, 97.0, 134.0, 74.0, 36.9, false, false);
    let mut readings = steady(40, 1, &well, now - 7 * DAY);
    let course = [
        (160, State(16.0, 96.0, 130.0, 78.0, 37.0, false, false)),
        (136, State(16.0, 97.0, 128.0, 76.0, 37.1, false, false)),
        (112, State(17.0, 96.0, 126.0, 82.0, 37.3, false, false)),
        (88, State(18.0, 95.0, 124.0, 86.0, 37.6, false, false)),
        (64, State(20.0, 95.0, 120.0, 92.0, 38.1, false, false)),
        (48, State(21.0, 94.0, 116.0, 98.0, 38.4, false, false)),
        (32, State(22.0, 93.0, 108.0, 104.0, 38.7, false, false)),
        (20, State(23.0, 92.0, 104.0, 110.0, 38.9, true, false)),
        (12, State(24.0, 93.0, 99.0, 114.0, 39.2, true, false)),
        (3, State(26.0, 91.0, 94.0, 118.0, 39.4, true, true)),
    ];
    readings.extend(course.iter().flat_map(|(hours, state)| round(now - hours * HOUR, state)));
    readings.push(Reading {
        at_ms: now - HOUR / 2,
        value: Value::Respiration(28.0),
        source: String::new(),
    });
    let mut parameters = ByParameter::default();
    *parameters.get_mut(Parameter::Respiration) = Some(Part { score: Some(3), band: None });
    let received = Received {
        at_ms: now - 12 * HOUR + 420_000,
        source: String::new(),
        scale: None,
        total: Some(13),
        parameters,
    };
    news2(2, "Arne Moen", "1955-02-02", &readings, &[received], now)
}

/// Nothing measured.
pub fn nothing(now: i64) -> News2 {
    news2(7, "Berit Aas", "1950-08-19", &[], &[], now)
}

/// A ward, the highest risk first.
pub fn board(now: i64) -> Board {
    let medium = State(21.0, 95.0, 108.0, 93.0, 37.9, false, false);
    let single = State(15.0, 97.0, 89.0, 80.0, 36.9, false, false);
    let well = State(15.0, 97.0, 132.0, 72.0, 36.7, false, false);
    let brief = |id, name, born, state: &State| {
        news2(id, name, born, &steady(4, 2, state, now - 2 * HOUR), &[], now)
    };
    let mut partial = round(now - 5 * HOUR, &well);
    partial.truncate(3);
    Board {
        unit: "Dalfjord helsetun, korttidsavdelingen".to_owned(),
        patients: vec![
            sick(now),
            brief(3, "Ragnhild Sætre-Johannessen", "1938-12-24", &medium),
            brief(4, "Odd Vik", "1947-05-17", &single),
            copd(now),
            news2(5, "Gudrun Eide", "1944-01-30", &steady(50, 1, &well, now), &[], now),
            News2 {
                incomplete: vec![Incomplete::Measurements { count: 2 }],
                ..news2(6, "Per Ås", "1951-09-09", &partial, &[], now)
            },
            nothing(now),
        ],
        withheld: true,
    }
}
