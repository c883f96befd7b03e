//! The patient's own normal level, trends, and the course that gathers them.

use proptest::prelude::*;
use record::news2::assemble::{Reading, WINDOW_MS, assemble};
use record::news2::course::Course;
use record::news2::normal::{
    DAY_MS, Measure, Place, Point, TooLittle, WINDOW_DAYS, deviation, normal,
};
use record::news2::parameter::{Consciousness, SpO2Scale, Supply, Value};
use record::news2::received::Received;
use record::news2::trend::{Bearing, Trend, movement};

const HOUR: i64 = 60 * 60 * 1000;
const NOW: i64 = 20_833 * DAY_MS;

fn days_ago(days: i64, value: f64) -> Point {
    Point { at_ms: NOW - days * DAY_MS, value }
}

/// Each third day for five months, going up and down between two levels.
fn steady(low: f64, high: f64) -> Vec<Point> {
    (0..50).map(|n| days_ago(10 + 3 * n, if n % 2 == 0 { low } else { high })).collect()
}

/// Six measurements a day.
fn episode(first_day: i64, days: i64, value: f64) -> Vec<Point> {
    (0..days * 6).map(|n| Point { at_ms: NOW - first_day * DAY_MS + n * 4 * HOUR, value }).collect()
}

#[test]
fn copd_lives_at_four_to_five_and_eight_is_above() {
    let normal = normal(Measure::Total, &steady(4.0, 5.0), NOW).unwrap();
    assert_eq!((normal.low, normal.high), (4.0, 5.0));
    assert!((4.0..=5.0).contains(&normal.centre));
    assert_eq!(deviation(5.0, &normal).place, Place::Within);
    let risen = deviation(8.0, &normal);
    assert_eq!(risen.place, Place::Above);
    assert!(risen.amount >= 3.0 && risen.spreads > 4.0, "{risen:?}");
    assert_eq!(deviation(0.0, &normal).place, Place::Below);
}

#[test]
fn a_week_of_sepsis_leaves_the_normal_alone() {
    let points = [steady(0.0, 1.0), episode(60, 7, 8.0), episode(8, 3, 9.0)].concat();
    let normal = normal(Measure::Total, &points, NOW).unwrap();
    assert_eq!((normal.low, normal.high), (0.0, 1.0));
    assert!(normal.unusual_days >= 9, "{normal:?}");
    assert_eq!(deviation(8.0, &normal).place, Place::Above);
}

/// Four measurements in four months, then ten days of illness with sixty: by count the illness
/// is nearly all there is.
#[test]
fn seldom_measured_when_well_and_often_when_ill() {
    let well: Vec<_> = (1..=5).map(|month| days_ago(30 * month, 1.0)).collect();
    let normal = normal(Measure::Total, &[well, episode(10, 10, 9.0)].concat(), NOW).unwrap();
    assert_eq!((normal.centre, normal.low, normal.high), (1.0, 1.0, 1.0));
}

#[test]
fn a_lasting_change_becomes_the_normal() {
    let before = (91..170).map(|day| days_ago(day, 1.0));
    let after = (0..91).map(|day| days_ago(day, 5.0));
    let points: Vec<_> = before.chain(after).collect();
    assert_eq!(normal(Measure::Total, &points, NOW).unwrap().centre, 5.0);
}

#[test]
fn what_measuring_itself_may_cause_is_no_deviation() {
    let place = |points: &[Point], value| {
        deviation(value, &normal(Measure::Pulse, points, NOW).unwrap()).place
    };
    let constant = steady(72.0, 72.0);
    assert_eq!(place(&constant, 79.0), Place::Within);
    assert_eq!(place(&constant, 81.0), Place::Above);
    assert_eq!(place(&constant, 63.0), Place::Below);
    let varying = steady(70.0, 74.0);
    assert_eq!(place(&varying, 76.0), Place::Within, "outside the band, but barely");
}

#[test]
fn what_comes_after_does_not_count() {
    let points = steady(1.0, 1.0);
    let with_later = [points.clone(), (-90..0).map(|day| days_ago(day, 9.0)).collect()].concat();
    assert_eq!(normal(Measure::Total, &points, NOW), normal(Measure::Total, &with_later, NOW));
}

#[test]
fn too_little_is_said_and_not_guessed() {
    assert_eq!(normal(Measure::Pulse, &[], NOW), Err(TooLittle::Days { measured: 0 }));
    let few: Vec<_> = (0..4).map(|n| days_ago(10 * n, 70.0)).collect();
    assert_eq!(normal(Measure::Pulse, &few, NOW), Err(TooLittle::Days { measured: 4 }));
    let stay = episode(14, 14, 120.0);
    assert_eq!(normal(Measure::Pulse, &stay, NOW), Err(TooLittle::Span { days: 13 }));
    let old: Vec<_> = (0..90).map(|n| days_ago(WINDOW_DAYS + n, 70.0)).collect();
    assert_eq!(normal(Measure::Pulse, &old, NOW), Err(TooLittle::Days { measured: 0 }));
}

/// Days before now, each with a value in tenths so that sums are exact enough to compare.
fn any_points(
    days: std::ops::Range<i64>,
    tenths: std::ops::Range<i32>,
) -> impl Strategy<Value = Vec<Point>> {
    let point = (days, 0i64..24, tenths).prop_map(|(day, hour, tenths)| Point {
        at_ms: NOW - day * DAY_MS - hour * HOUR,
        value: f64::from(tenths) / 10.0,
    });
    proptest::collection::vec(point, 20..120)
}

fn centre(points: &[Point]) -> Option<f64> {
    normal(Measure::Pulse, points, NOW).ok().map(|normal| normal.centre)
}

proptest! {
    #[test]
    fn order_does_not_matter(
        (points, shuffled) in any_points(0..170, 500..900)
            .prop_flat_map(|p| (Just(p.clone()), Just(p).prop_shuffle())),
    ) {
        prop_assert_eq!(normal(Measure::Pulse, &points, NOW), normal(Measure::Pulse, &shuffled, NOW));
        let trend = |points: &[Point]| movement(Measure::Pulse, points, None, NOW - 30 * DAY_MS);
        prop_assert_eq!(trend(&points), trend(&shuffled));
    }

    #[test]
    fn a_constant_series_has_that_constant_for_normal(
        mut points in any_points(0..170, 500..900),
        constant in 30.0f64..200.0,
    ) {
        points.iter_mut().for_each(|p| p.value = constant);
        if let Ok(normal) = normal(Measure::Pulse, &points, NOW) {
            prop_assert_eq!((normal.centre, normal.low, normal.high), (constant, constant, constant));
            prop_assert_eq!(deviation(constant, &normal).place, Place::Within);
        }
    }

    #[test]
    fn the_band_holds_the_centre_and_lies_within_the_values(points in any_points(0..170, 500..900)) {
        if let Ok(normal) = normal(Measure::Pulse, &points, NOW) {
            prop_assert!(normal.low <= normal.centre && normal.centre <= normal.high);
            prop_assert!(50.0 <= normal.low && normal.high <= 90.0);
            prop_assert!(normal.from_ms <= normal.to_ms && normal.to_ms <= NOW);
        }
    }

    /// Raising measurements never lowers the centre.
    #[test]
    fn the_centre_is_monotone(
        points in any_points(0..170, 500..900),
        raises in proptest::collection::vec(0.0f64..40.0, 120),
    ) {
        let raised: Vec<_> = points.iter().zip(raises)
            .map(|(p, by)| Point { value: p.value + by, ..*p })
            .collect();
        prop_assert!(centre(&points) <= centre(&raised));
    }

    #[test]
    fn moving_every_value_moves_the_normal_as_much(points in any_points(0..170, 500..900), by in -20.0f64..20.0) {
        let moved: Vec<_> = points.iter().map(|p| Point { value: p.value + by, ..*p }).collect();
        if let (Some(a), Some(b)) = (centre(&points), centre(&moved)) {
            prop_assert!((a + by - b).abs() < 1e-9);
        }
    }

    /// An episode of up to thirty days, a fifth of the time, measured as often as one likes and
    /// with any values: the centre stays among the patient's ordinary days, which vary by ± 3.
    #[test]
    fn an_acute_episode_does_not_drag_the_normal(
        jitter in proptest::collection::vec(-30i32..=30, 50),
        start in 31i64..150,
        length in 1i64..=30,
        value in prop_oneof![20.0f64..60.0, 90.0f64..200.0],
    ) {
        let well: Vec<_> = (0i64..).zip(&jitter)
            .map(|(n, tenths)| days_ago(10 + 3 * n, 75.0 + f64::from(*tenths) / 10.0))
            .collect();
        let before = centre(&well).unwrap();
        let ill = [well, episode(start, length, value)].concat();
        let normal = normal(Measure::Pulse, &ill, NOW).unwrap();
        prop_assert!((72.0..=78.0).contains(&normal.centre), "{normal:?}");
        prop_assert!((normal.centre - before).abs() <= 3.0, "{before} {normal:?}");
        prop_assert!(deviation(200.0, &normal).place == Place::Above);
    }
}

fn hourly(values: &[f64]) -> Vec<Point> {
    (0i64..)
        .zip(values.iter().rev())
        .map(|(n, value)| Point { at_ms: NOW - n * 4 * HOUR, value: *value })
        .collect()
}

#[test]
fn trends() {
    let zero = Some((51.0, 90.0));
    let check = |values: &[f64]| {
        let movement = movement(Measure::Pulse, &hourly(values), zero, NOW);
        (movement.trend, movement.bearing)
    };
    assert_eq!(check(&[80.0, 95.0, 110.0]), (Trend::Rising, Some(Bearing::Away)));
    assert_eq!(check(&[120.0, 110.0, 100.0]), (Trend::Falling, Some(Bearing::Toward)));
    assert_eq!(check(&[60.0, 70.0, 80.0]), (Trend::Rising, Some(Bearing::Inside)));
    assert_eq!(check(&[45.0, 70.0, 96.0]), (Trend::Rising, Some(Bearing::Across)));
    assert_eq!(check(&[30.0, 40.0, 50.0]), (Trend::Rising, Some(Bearing::Toward)));
    assert_eq!(check(&[80.0, 82.0, 78.0]), (Trend::Stable, None));
    let one_slip = [80.0, 81.0, 80.0, 81.0, 80.0, 81.0, 140.0];
    assert_eq!(check(&one_slip), (Trend::Stable, None));
    assert_eq!(check(&[80.0, 120.0]), (Trend::Unknown, None));
    let old = movement(Measure::Pulse, &hourly(&[80.0, 95.0, 110.0]), zero, NOW + 3 * DAY_MS);
    assert_eq!(old.trend, Trend::Unknown);
}

proptest! {
    #[test]
    fn a_straight_line_is_followed_and_its_mirror_image_too(
        per_step in -20.0f64..20.0,
        length in 3usize..12,
    ) {
        let line: Vec<f64> = (0u32..).take(length).map(|n| 300.0 + per_step * f64::from(n)).collect();
        let mirrored: Vec<f64> = line.iter().map(|y| -y).collect();
        let up = movement(Measure::Pulse, &hourly(&line), None, NOW);
        let down = movement(Measure::Pulse, &hourly(&mirrored), None, NOW);
        prop_assert!((up.per_hour - per_step / 4.0).abs() < 1e-9);
        prop_assert_eq!(up.change, -down.change);
        let whole = per_step * (f64::from(u32::try_from(length).unwrap()) - 1.0);
        prop_assume!((whole.abs() - 10.0).abs() > 1e-6);
        prop_assert_eq!(up.trend != Trend::Stable, whole.abs() > 10.0);
    }
}

fn round(at_ms: i64, respiration: f64, saturation: f64) -> Vec<Reading> {
    [
        Value::Respiration(respiration),
        Value::OxygenSaturation(saturation),
        Value::Oxygen(Supply::Air),
        Value::SystolicBloodPressure(130.0),
        Value::Pulse(95.0),
        Value::Consciousness(Consciousness::Alert),
        Value::Temperature(36.8),
    ]
    .map(|value| Reading { at_ms, value, source: "Observation/x".to_owned() })
    .to_vec()
}

/// A person with COPD, known at 3 points on scale 2, who breathes faster and faster for a day.
#[test]
fn a_course_tells_table_and_own_normal_apart() {
    let mut readings: Vec<_> =
        (3..43).flat_map(|n| round(NOW - 4 * n * DAY_MS, 22.0, 89.0)).collect();
    for (hours, respiration, saturation) in [(16, 22.0, 88.0), (8, 27.0, 86.0), (0, 32.0, 83.0)] {
        readings.extend(round(NOW - hours * HOUR, respiration, saturation));
    }
    readings.extend(round(NOW + HOUR, 10.0, 99.0));
    let stated =
        Received { at_ms: NOW - 170 * DAY_MS, scale: Some(SpO2Scale::Two), ..Received::default() };
    let course = Course::build(assemble(&readings, &[stated], WINDOW_MS), NOW);
    assert_eq!(course.latest().map(|set| set.to_ms), Some(NOW), "the future is left out");
    assert_eq!(course.latest(), course.latest_with_total());

    let total = course.line(Measure::Total).unwrap();
    assert_eq!(total.score, Some(7));
    assert_eq!(total.normal.unwrap().centre, 3.0);
    assert!(total.normal.unwrap().to_ms <= NOW - DAY_MS, "no measurement is its own yardstick");
    assert_eq!(total.deviation.unwrap().place, Place::Above);
    assert_eq!(total.movement.trend, Trend::Rising);
    assert_eq!(total.movement.bearing, Some(Bearing::Away));

    let saturation = course.line(Measure::OxygenSaturation).unwrap();
    assert_eq!(saturation.score, Some(3));
    assert_eq!(saturation.deviation.unwrap().place, Place::Below);
    assert_eq!(saturation.movement.bearing, Some(Bearing::Away));

    let pulse = course.line(Measure::Pulse).unwrap();
    assert_eq!(pulse.score, Some(1), "one point by the table");
    assert_eq!(pulse.deviation.unwrap().place, Place::Within, "and quite normal for this person");
    assert!(pulse.points.windows(2).all(|pair| pair[0].at_ms <= pair[1].at_ms));
}

#[test]
fn an_empty_course_knows_nothing() {
    let course = Course::build(Vec::new(), NOW);
    assert_eq!(course.latest(), None);
    assert!(course.lines.iter().all(|l| l.normal.is_err() && l.movement.trend == Trend::Unknown));
}
