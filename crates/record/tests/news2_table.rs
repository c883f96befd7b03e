//! The scoring table, the door for quantities, codes, and received scores beside computed ones.

use expect_test::{Expect, expect};
use proptest::prelude::*;
use record::news2::codes::{Answer, Code, Codes, Question, SNOMED};
use record::news2::parameter::{ByParameter, Consciousness, Parameter, SpO2Scale, Supply, Value};
use record::news2::quantity::from_quantity;
use record::news2::received::{Basis, Difference, Part, Received, Subject, compare, named_band};
use record::news2::score::{KnownRisk, Measurements, Risk, from_points, score};
use record::news2::table::{TABLE, printed, row_of};

/// The table written a second time, as plain conditions on what the chart prints.
fn chart(parameter: Parameter, scale: SpO2Scale, supply: Supply, tenths: i32) -> u8 {
    let n = tenths / 10;
    let on_oxygen = supply == Supply::Oxygen;
    match (parameter, scale) {
        (Parameter::Respiration, _) if n >= 25 || n <= 8 => 3,
        (Parameter::Respiration, _) if n >= 21 => 2,
        (Parameter::Respiration, _) if n <= 11 => 1,
        (Parameter::OxygenSaturation, SpO2Scale::One) if n >= 96 => 0,
        (Parameter::OxygenSaturation, SpO2Scale::One) if n >= 94 => 1,
        (Parameter::OxygenSaturation, SpO2Scale::One) if n >= 92 => 2,
        (Parameter::OxygenSaturation, SpO2Scale::One) => 3,
        (Parameter::OxygenSaturation, SpO2Scale::Two) if on_oxygen && n >= 97 => 3,
        (Parameter::OxygenSaturation, SpO2Scale::Two) if on_oxygen && n >= 95 => 2,
        (Parameter::OxygenSaturation, SpO2Scale::Two) if on_oxygen && n >= 93 => 1,
        (Parameter::OxygenSaturation, SpO2Scale::Two) if n >= 88 => 0,
        (Parameter::OxygenSaturation, SpO2Scale::Two) if n >= 86 => 1,
        (Parameter::OxygenSaturation, SpO2Scale::Two) if n >= 84 => 2,
        (Parameter::OxygenSaturation, SpO2Scale::Two) => 3,
        (Parameter::SystolicBloodPressure, _) if n >= 220 || n <= 90 => 3,
        (Parameter::SystolicBloodPressure, _) if n <= 100 => 2,
        (Parameter::SystolicBloodPressure, _) if n <= 110 => 1,
        (Parameter::Pulse, _) if n >= 131 || n <= 40 => 3,
        (Parameter::Pulse, _) if n >= 111 => 2,
        (Parameter::Pulse, _) if n >= 91 || n <= 50 => 1,
        (Parameter::Temperature, _) if tenths <= 350 => 3,
        (Parameter::Temperature, _) if tenths >= 391 => 2,
        (Parameter::Temperature, _) if tenths >= 381 || tenths <= 360 => 1,
        _ => 0,
    }
}

#[test]
fn every_printable_value_scores_as_the_chart_says() {
    let mut compared = 0;
    for row in &TABLE {
        let step = if row.parameter == Parameter::Temperature { 1 } else { 10 };
        for tenths in (0..=4000).step_by(step) {
            let Some(value) = Value::from_number(row.parameter, f64::from(tenths) / 10.0) else {
                continue;
            };
            for supply in [Supply::Air, Supply::Oxygen] {
                let scale = row.scale.unwrap_or_default();
                let band = row.band(value, Some(supply)).expect("every value has a band");
                assert_eq!(
                    band.score,
                    chart(row.parameter, scale, supply, tenths),
                    "{value:?} {scale:?} {supply:?}"
                );
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 2 * (5 * 401 + 4001));
}

/// Where the points change, from the lowest whole number (tenths for temperature) to the highest.
fn runs(parameter: Parameter, scale: SpO2Scale, supply: Supply, range: [i32; 2]) -> String {
    let [first, last] = range;
    let step = if parameter == Parameter::Temperature { 10.0 } else { 1.0 };
    let mut points: Vec<_> = (first..=last)
        .filter_map(|n| {
            let number = f64::from(n) / step;
            let value = Value::from_number(parameter, number)?;
            Some((number, row_of(parameter, scale)?.band(value, Some(supply))?.score))
        })
        .collect();
    points.dedup_by_key(|(_, score)| *score);
    points.iter().map(|(from, score)| format!("{from}:{score}")).collect::<Vec<_>>().join(" ")
}

#[test]
fn thresholds() {
    let [one, two] = [SpO2Scale::One, SpO2Scale::Two];
    let [air, oxygen] = [Supply::Air, Supply::Oxygen];
    let lines = [
        runs(Parameter::Respiration, one, air, [0, 60]),
        runs(Parameter::OxygenSaturation, one, air, [50, 100]),
        runs(Parameter::OxygenSaturation, two, air, [50, 100]),
        runs(Parameter::OxygenSaturation, two, oxygen, [50, 100]),
        runs(Parameter::SystolicBloodPressure, one, air, [50, 300]),
        runs(Parameter::Pulse, one, air, [20, 250]),
        runs(Parameter::Temperature, one, air, [300, 430]),
    ];
    expect![[r#"
        0:3 9:1 12:0 21:2 25:3
        50:3 92:2 94:1 96:0
        50:3 84:2 86:1 88:0
        50:3 84:2 86:1 88:0 93:1 95:2 97:3
        50:3 91:2 101:1 111:0 220:3
        20:3 41:1 51:0 91:1 111:2 131:3
        30:3 35.1:1 36.1:0 38.1:1 39.1:2"#]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn values_between_printed_limits_are_rounded_half_up() {
    let points = |value: Value| {
        row_of(value.parameter(), SpO2Scale::One).unwrap().band(value, None).unwrap().score
    };
    for (value, expected) in [
        (Value::Temperature(38.04), 0),
        (Value::Temperature(38.05), 1),
        (Value::Temperature(35.04), 3),
        (Value::Temperature(35.05), 1),
        (Value::Temperature(39.05), 2),
        (Value::Respiration(20.49), 0),
        (Value::Respiration(20.5), 2),
        (Value::Respiration(8.5), 1),
        (Value::OxygenSaturation(95.5), 0),
        (Value::SystolicBloodPressure(90.4), 3),
        (Value::Pulse(130.5), 3),
    ] {
        assert_eq!(points(value), expected, "{value:?}");
    }
}

/// A half has no exact binary form, least of all when it comes out of a conversion.
#[test]
fn a_half_is_rounded_up_also_when_measured_in_fahrenheit() {
    for hundredths in (3005..4500_i32).step_by(10) {
        let expected = f64::from((hundredths + 5).div_euclid(10)) / 10.0;
        let fahrenheit = f64::from(hundredths * 18 + 32_000) / 1000.0;
        let converted = from_quantity(Parameter::Temperature, fahrenheit, "[degF]").unwrap();
        for celsius in [f64::from(hundredths) / 100.0, converted] {
            assert_eq!(printed(Parameter::Temperature, celsius), expected, "{celsius}");
        }
    }
}

#[test]
fn categories_and_unknown_supply() {
    let points = |value: Value, scale, supply| {
        row_of(value.parameter(), scale).unwrap().band(value, supply).map(|band| band.score)
    };
    assert_eq!(points(Value::Oxygen(Supply::Oxygen), SpO2Scale::One, None), Some(2));
    assert_eq!(points(Value::Oxygen(Supply::Air), SpO2Scale::One, None), Some(0));
    for level in Consciousness::ALL {
        let expected = if level == Consciousness::Alert { 0 } else { 3 };
        assert_eq!(points(Value::Consciousness(level), SpO2Scale::One, None), Some(expected));
    }
    let saturation = |n| Value::OxygenSaturation(n);
    assert_eq!(points(saturation(92.0), SpO2Scale::Two, None), Some(0));
    assert_eq!(points(saturation(93.0), SpO2Scale::Two, None), None);
    assert_eq!(points(saturation(f64::NAN), SpO2Scale::One, None), None);
    let zero = |supply| {
        row_of(Parameter::OxygenSaturation, SpO2Scale::Two).unwrap().zero_range(supply).unwrap()
    };
    assert_eq!(zero(Some(Supply::Air)), (88.0, f64::INFINITY));
    assert_eq!(zero(Some(Supply::Oxygen)), (88.0, 92.0));
}

fn well() -> Measurements {
    Measurements {
        respiration: Some(16.0),
        oxygen_saturation: Some(97.0),
        oxygen: Some(Supply::Air),
        systolic_blood_pressure: Some(125.0),
        pulse: Some(72.0),
        consciousness: Some(Consciousness::Alert),
        temperature: Some(37.0),
        scale: SpO2Scale::One,
    }
}

#[test]
fn totals_and_risk() {
    let well_score = score(&well());
    assert_eq!((well_score.total, well_score.risk), (Some(0), KnownRisk::Exactly(Risk::Low)));

    let confused = Measurements { consciousness: Some(Consciousness::Confusion), ..well() };
    assert_eq!(score(&confused).risk, KnownRisk::Exactly(Risk::LowMedium));

    let five = Measurements { oxygen: Some(Supply::Oxygen), ..confused };
    assert_eq!(score(&five).total, Some(5));
    assert_eq!(score(&five).risk, KnownRisk::Exactly(Risk::Medium));

    let seven = Measurements { respiration: Some(22.0), ..five.clone() };
    assert_eq!(score(&seven).risk, KnownRisk::Exactly(Risk::High));

    let no_temperature = Measurements { temperature: None, ..seven };
    let partial = score(&no_temperature);
    assert_eq!(partial.total, None);
    assert_eq!(partial.missing, [Parameter::Temperature]);
    assert_eq!(partial.risk, KnownRisk::Exactly(Risk::High));

    let nothing = score(&Measurements::default());
    assert_eq!((nothing.total, nothing.missing.len()), (None, 7));
    assert_eq!(nothing.risk, KnownRisk::AtLeast(Risk::Low));

    let unclear = Measurements { oxygen: None, scale: SpO2Scale::Two, ..well() };
    assert_eq!(score(&unclear).missing, [Parameter::OxygenSaturation, Parameter::Oxygen]);
}

proptest! {
    /// What is missing can only make it worse, and the bound holds.
    #[test]
    fn a_partial_score_is_a_lower_bound(
        points in proptest::array::uniform7(0u8..=3),
        known in proptest::array::uniform7(any::<bool>()),
    ) {
        let whole = from_points(ByParameter::from_fn(|p| Some(points[p as usize])));
        let part = from_points(ByParameter::from_fn(|p| known[p as usize].then_some(points[p as usize])));
        let (KnownRisk::Exactly(risk) | KnownRisk::AtLeast(risk)) = whole.risk;
        prop_assert_eq!(whole.total, Some(points.iter().sum()));
        prop_assert_eq!(part.total.is_some(), known.iter().all(|k| *k));
        prop_assert!(part.partial_sum <= whole.partial_sum);
        match part.risk {
            KnownRisk::Exactly(exact) => prop_assert_eq!(exact, risk),
            KnownRisk::AtLeast(bound) => prop_assert!(bound <= risk),
        }
    }
}

#[test]
fn quantities_at_the_door() {
    let check = |parameter, value, unit, expected: Expect| {
        let text = match from_quantity(parameter, value, unit) {
            Ok(value) => format!("{value:.2}"),
            Err(error) => error.to_string(),
        };
        expected.assert_eq(&text);
    };
    check(Parameter::Pulse, 72.0, "{beats}/min", expect!["72.00"]);
    check(Parameter::Pulse, 72.0, "1/min", expect!["72.00"]);
    check(Parameter::Respiration, 16.0, "/min", expect!["16.00"]);
    check(Parameter::Temperature, 98.6, "[degF]", expect!["37.00"]);
    check(
        Parameter::Temperature,
        98.6,
        "Cel",
        expect![
            "`temperature` is outside 13–47 Cel, which no patient can have; check the value and its unit"
        ],
    );
    check(
        Parameter::OxygenSaturation,
        0.97,
        "%",
        expect![
            "`oxygen-saturation` is outside 10–100 %, which no patient can have; check the value and its unit"
        ],
    );
    check(
        Parameter::SystolicBloodPressure,
        16.0,
        "kPa",
        expect!["`systolic-blood-pressure` has a unit it is not measured in; send UCUM `mm[Hg]`"],
    );
    check(
        Parameter::Respiration,
        f64::NAN,
        "/min",
        expect![
            "`respiration` is outside 0–120 /min, which no patient can have; check the value and its unit"
        ],
    );
    check(
        Parameter::Oxygen,
        2.0,
        "L/min",
        expect!["`oxygen` is not measured as a number; send it as a coded answer"],
    );
}

#[test]
fn keys_and_texts() {
    for parameter in Parameter::ALL {
        assert_eq!(Parameter::from_key(parameter.key()), Some(parameter));
    }
    assert_eq!(Consciousness::from_text(" Våken "), Some(Consciousness::Alert));
    assert_eq!(Consciousness::from_text("Reagerer på tiltale."), Some(Consciousness::Voice));
    assert_eq!(Consciousness::from_text("Ikke våken"), None);
}

#[test]
fn codes_say_what_they_mean_and_can_be_extended() {
    let codes = Codes::published();
    assert_eq!(codes.question(SNOMED, "1104051000000101"), Some(Question::Total));
    assert_eq!(
        codes.question(SNOMED, "1104321000000108"),
        Some(Question::Points(Parameter::OxygenSaturation, Some(SpO2Scale::Two)))
    );
    assert_eq!(codes.question("http://loinc.org", "1104051000000101"), None);
    for parameter in Parameter::ALL {
        assert!(codes.codes_of(Question::Reading(parameter)).next().is_some(), "{parameter:?}");
    }
    for level in Consciousness::ALL {
        let code = codes.codes_of_answer(Answer::Level(level)).next().unwrap();
        assert_eq!(codes.answer(&code.system, &code.code), Some(Answer::Level(level)));
    }
    let national = Code::new("urn:example:national", "news2-total");
    let codes = codes.with_question(national.clone(), Question::Total);
    assert_eq!(codes.codes_of(Question::Total).next(), Some(&national));
    assert_eq!(codes.question(SNOMED, "1104051000000101"), Some(Question::Total));
    let local = Code::new("http://dips.no/fhir/code", "5");
    let codes = codes.with_answer(local, Answer::Level(Consciousness::Alert));
    let alert = Some(Answer::Level(Consciousness::Alert));
    assert_eq!(codes.answer("http://dips.no/fhir/code", "5"), alert);
}

fn part(score: u8, band: &str) -> Option<Part> {
    Some(Part { score: Some(score), band: Some(band.to_owned()) })
}

/// The figures of the NEWS2 example that the Norwegian profile publishes.
fn published_example() -> Received {
    Received {
        scale: Some(SpO2Scale::Two),
        total: Some(20),
        parameters: ByParameter {
            respiration: part(3, "≥25"),
            oxygen_saturation: part(3, "93–94 med oksygentilførsel"),
            oxygen: part(2, "Oksygen"),
            systolic_blood_pressure: part(3, "≤90"),
            pulse: part(3, "≤40"),
            consciousness: part(3, "C, V, P eller U"),
            temperature: part(3, "≤35.0"),
        },
        ..Received::default()
    }
}

#[test]
fn the_published_example_differs_in_one_parameter_and_so_in_the_total() {
    let comparison = compare(&published_example(), &Measurements::default());
    let basis = Basis::NamedBand;
    let saturation = Subject::Parameter(Parameter::OxygenSaturation);
    assert!(comparison.differs());
    assert_eq!(
        comparison.differences,
        [
            Difference { subject: saturation, received: 3, expected: 1, basis },
            Difference { subject: Subject::Total, received: 20, expected: 18, basis },
        ]
    );
}

#[test]
fn a_measured_value_outweighs_the_named_band() {
    let measured = Measurements {
        oxygen_saturation: Some(98.0),
        oxygen: Some(Supply::Oxygen),
        ..Measurements::default()
    };
    assert!(!compare(&published_example(), &measured).differs(), "98 % on oxygen is 3 on scale 2");
}

#[test]
fn bands_named_in_words() {
    let named = |parameter, text| named_band(parameter, SpO2Scale::Two, text).map(|b| b.score);
    assert_eq!(named(Parameter::Temperature, "35,1–36,0"), Some(1));
    assert_eq!(named(Parameter::Pulse, "111-130 /min"), Some(2));
    assert_eq!(named(Parameter::Respiration, "<= 8"), Some(3));
    assert_eq!(named(Parameter::OxygenSaturation, "≥93 på luft"), Some(0));
    assert_eq!(named(Parameter::OxygenSaturation, "≥97 on oxygen"), Some(3));
    assert_eq!(named(Parameter::OxygenSaturation, "≥97 på luft"), None, "no such band");
    assert_eq!(named(Parameter::OxygenSaturation, "93–94"), None, "only on oxygen");
    assert_eq!(named(Parameter::Oxygen, "Romluft"), Some(0));
    assert_eq!(named(Parameter::Oxygen, "uten oksygen"), Some(0));
    assert_eq!(named(Parameter::Oxygen, "luft eller oksygen"), None);
    assert_eq!(named(Parameter::Consciousness, "Våken"), Some(0));
    assert_eq!(named(Parameter::Consciousness, "CVPU"), Some(3));
    assert_eq!(named(Parameter::Consciousness, "ikke vurdert"), None);
}

#[test]
fn what_cannot_be_compared_does_not_differ() {
    let mut received = Received { total: Some(9), ..Received::default() };
    assert!(!compare(&received, &Measurements::default()).differs());
    received.parameters.pulse = part(1, "litt rask");
    assert!(!compare(&received, &Measurements::default()).differs());
    let basis = Basis::Measured;
    assert_eq!(
        compare(&received, &well()).differences,
        [
            Difference {
                subject: Subject::Parameter(Parameter::Pulse),
                received: 1,
                expected: 0,
                basis
            },
            Difference { subject: Subject::Total, received: 9, expected: 0, basis },
        ]
    );
}
