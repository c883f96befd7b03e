//! Single readings put together into sets.

use proptest::prelude::*;
use record::news2::assemble::{Reading, ScaleBasis, Set, Total, WINDOW_MS, assemble};
use record::news2::parameter::{Consciousness, SpO2Scale, Supply, Value};
use record::news2::received::Received;

const MINUTE: i64 = 60_000;

fn reading(minute: i64, value: Value) -> Reading {
    Reading { at_ms: minute * MINUTE, value, source: format!("Observation/{minute}") }
}

fn round(minute: i64, pulse: f64) -> Vec<Reading> {
    [
        Value::Respiration(16.0),
        Value::OxygenSaturation(97.0),
        Value::Oxygen(Supply::Air),
        Value::SystolicBloodPressure(125.0),
        Value::Pulse(pulse),
        Value::Consciousness(Consciousness::Alert),
        Value::Temperature(37.0),
    ]
    .into_iter()
    .zip(minute..)
    .map(|(value, minute)| reading(minute, value))
    .collect()
}

#[test]
fn a_round_becomes_one_set_and_the_latest_value_counts() {
    let mut readings = round(0, 72.0);
    readings.insert(0, reading(0, Value::Pulse(140.0)));
    let sets = assemble(&readings, &[], WINDOW_MS);
    assert_eq!(sets.len(), 1);
    assert_eq!(sets[0].readings.len(), 8, "the replaced value is still there");
    assert_eq!(sets[0].total(), Some(Total::Computed(0)));
}

#[test]
fn a_reassessment_within_the_window_keeps_the_first_assessment() {
    let readings = [round(0, 72.0), round(12, 140.0)].concat();
    let totals: Vec<_> = assemble(&readings, &[], WINDOW_MS).iter().map(Set::total).collect();
    assert_eq!(totals, [Some(Total::Computed(0)), Some(Total::Computed(3))]);
}

#[test]
fn the_same_round_sent_by_two_systems_is_one_set() {
    let mut copies = round(0, 72.0);
    for copy in &mut copies {
        copy.at_ms = 0;
    }
    assert_eq!(assemble(&[copies.clone(), copies].concat(), &[], WINDOW_MS).len(), 1);
}

#[test]
fn a_received_score_joins_its_readings_and_tells_the_scale_from_then_on() {
    let received = Received {
        at_ms: 8 * MINUTE,
        scale: Some(SpO2Scale::Two),
        total: Some(4),
        ..Received::default()
    };
    let readings = [
        vec![reading(-600, Value::Pulse(70.0))],
        round(0, 72.0),
        vec![reading(600, Value::Pulse(70.0))],
    ]
    .concat();
    let sets = assemble(&readings, std::slice::from_ref(&received), WINDOW_MS);
    let scales: Vec<_> = sets.iter().map(|s| (s.measurements.scale, s.scale_basis)).collect();
    assert_eq!(
        scales,
        [
            (SpO2Scale::One, ScaleBasis::Assumed),
            (SpO2Scale::Two, ScaleBasis::Stated),
            (SpO2Scale::Two, ScaleBasis::Earlier),
        ]
    );
    assert_eq!(sets[1].received.len(), 1);
    assert_eq!(sets[1].total(), Some(Total::Computed(0)), "measurements before what was received");
    let alone = assemble(&[], &[received], WINDOW_MS);
    assert_eq!(alone[0].total(), Some(Total::Received(4)));
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        (8.0..30.0).prop_map(Value::Respiration),
        (80.0..100.0).prop_map(Value::OxygenSaturation),
        any::<bool>().prop_map(|o| Value::Oxygen(if o { Supply::Oxygen } else { Supply::Air })),
        (80.0..220.0).prop_map(Value::SystolicBloodPressure),
        (40.0..140.0).prop_map(Value::Pulse),
        proptest::sample::select(Consciousness::ALL.to_vec()).prop_map(Value::Consciousness),
        (35.0..40.0).prop_map(Value::Temperature),
    ]
}

fn any_readings() -> impl Strategy<Value = Vec<Reading>> {
    let one = (0i64..240, any_value()).prop_map(|(minute, value)| reading(minute, value));
    proptest::collection::vec(one, 0..60)
}

fn any_scores() -> impl Strategy<Value = Vec<Received>> {
    let scale = proptest::option::of(prop_oneof![Just(SpO2Scale::One), Just(SpO2Scale::Two)]);
    let one = (0i64..240, scale, proptest::option::of(0u8..=20)).prop_map(|(at, scale, total)| {
        Received { at_ms: at * MINUTE, scale, total, ..Received::default() }
    });
    proptest::collection::vec(one, 0..6)
}

proptest! {
    #[test]
    fn order_of_input_does_not_matter(
        (readings, shuffled) in
            any_readings().prop_flat_map(|r| (Just(r.clone()), Just(r).prop_shuffle())),
        (scores, reshuffled) in
            any_scores().prop_flat_map(|s| (Just(s.clone()), Just(s).prop_shuffle())),
    ) {
        prop_assert_eq!(
            assemble(&readings, &scores, WINDOW_MS),
            assemble(&shuffled, &reshuffled, WINDOW_MS)
        );
    }

    /// No finished assessment is overwritten, and no received score is lost.
    #[test]
    fn received_scores_of_different_times_are_in_different_sets(
        readings in any_readings(),
        scores in any_scores(),
    ) {
        let sets = assemble(&readings, &scores, WINDOW_MS);
        prop_assert_eq!(sets.iter().map(|s| s.received.len()).sum::<usize>(), scores.len());
        for set in &sets {
            prop_assert!(set.received.windows(2).all(|pair| pair[0].at_ms == pair[1].at_ms));
        }
    }

    #[test]
    fn each_reading_is_in_exactly_one_set_and_sets_keep_within_the_window(
        readings in any_readings(),
        minutes in 0i64..60,
    ) {
        let sets = assemble(&readings, &[], minutes * MINUTE);
        let key = |r: &Reading| format!("{r:?}");
        let mut put_in: Vec<_> = readings.iter().map(key).collect();
        let mut got_out: Vec<_> = sets.iter().flat_map(|s| &s.readings).map(key).collect();
        put_in.sort();
        got_out.sort();
        prop_assert_eq!(put_in, got_out);
        for set in &sets {
            prop_assert!(set.to_ms - set.from_ms <= minutes * MINUTE);
            for reading in &set.readings {
                let value = set.measurements.get(reading.value.parameter());
                let latest = set.readings.iter().rev()
                    .find(|r| r.value.parameter() == reading.value.parameter());
                prop_assert_eq!(value, latest.map(|r| r.value));
            }
        }
        for pair in sets.windows(2) {
            prop_assert!(pair[0].to_ms < pair[1].from_ms);
        }
    }

    /// A set is settled once its window has passed.
    #[test]
    fn later_readings_leave_settled_sets_alone(before in any_readings(), after in any_readings()) {
        let sets = assemble(&before, &[], WINDOW_MS);
        let later = after.into_iter().map(|mut r| {
            r.at_ms += 270 * MINUTE + 1;
            r
        });
        let all: Vec<_> = before.into_iter().chain(later).collect();
        let more = assemble(&all, &[], WINDOW_MS);
        prop_assert_eq!(&more[..sets.len()], &sets[..]);
    }
}
