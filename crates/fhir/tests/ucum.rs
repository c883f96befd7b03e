//! Units of measure.

use expect_test::expect;
use fhir::ucum::{self, Unit, canonical, convert};
use fhir::value::Value;
use proptest::prelude::*;
use std::collections::BTreeSet;

const DATA: &str = include_str!("../data/ucum.txt");

#[test]
fn every_unit_of_the_table_can_be_worked_out() {
    let lines = DATA.lines().filter(|line| !line.starts_with('#'));
    let codes: Vec<&str> = lines.map(|line| line.split(' ').next().unwrap()).collect();
    let unknown: Vec<_> = codes.iter().filter(|code| !ucum::is_valid(code)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    assert_eq!(codes.len(), codes.iter().collect::<BTreeSet<_>>().len(), "a code stands twice");
    assert!(codes.len() > 290, "{}", codes.len());
}

#[test]
fn units_in_base_units() {
    let units = "1 % mg kg mg/dL g.m-3 mm[Hg] kPa Cel [degF] mmol/L 10*3/uL 10*-6 /min \
        {beats}/min mL/min/{1.73_m2} kg/m2 ug/kg/h [iU]/L m[IU]/mL [pH] U/L mosm/kg \
        meq/L J/(kg.K) [lb_av] [in_i] [ft_i] [oz_av] h a mo wk min dB[SPL] [drp]/min kat \
        Ki 4.[pi].10*-7.N/A2 2.m cm[H2O] {score} mL{total} L/s Sv [diop] [Cal] \
        m2.s-1{x}/4";
    let lines = units.split(' ').map(|unit| match canonical(1.0, unit) {
        Some(it) => format!("{unit} = {} {}\n", it.value, it.unit),
        None => format!("{unit} is unknown\n"),
    });
    expect![[r#"
        1 = 1 1
        % = 0.01 1
        mg = 0.001 g
        kg = 1000 g
        mg/dL = 10 m-3.g
        g.m-3 = 1 m-3.g
        mm[Hg] = 133322 m-1.s-2.g
        kPa = 1000000 m-1.s-2.g
        Cel = 274.15 K
        [degF] = 255.927777778 K
        mmol/L = 602213670000000000000000 m-3
        10*3/uL = 1000000000000 m-3
        10*-6 = 0.000001 1
        /min = 0.0166666666667 s-1
        {beats}/min = 0.0166666666667 s-1
        mL/min/{1.73_m2} = 0.0000000166666666667 m3.s-1
        kg/m2 = 1000 m-2.g
        ug/kg/h = 0.000000000000277777777778 s-1
        [iU]/L = 1000 m-3.[iU]
        m[IU]/mL = 1000 m-3.[iU]
        [pH] = 1 [pH]
        U/L = 10036894500000000000 m-3.s-1
        mosm/kg = 602213670000000000 g-1
        meq/L = 602213670000000000000000 m-3
        J/(kg.K) = 1 m2.s-2.K-1
        [lb_av] = 453.59237 g
        [in_i] = 0.0254 m
        [ft_i] = 0.3048 m
        [oz_av] = 28.349523125 g
        h = 3600 s
        a = 31557600 s
        mo = 2629800 s
        wk = 604800 s
        min = 60 s
        dB[SPL] = 0.1 B[SPL]
        [drp]/min = 0.000000000833333333333 m3.s-1
        kat = 602213670000000000000000 s-1
        Ki is unknown
        4.[pi].10*-7.N/A2 = 0.00125663706144 m.g.C-2
        2.m = 2 m
        cm[H2O] = 98066.5 m-1.s-2.g
        {score} = 1 1
        mL{total} = 0.000001 m3
        L/s = 0.001 m3.s-1
        Sv = 1 m2.s-2
        [diop] = 1 m-1
        [Cal] = 4184000 m2.s-2.g
        m2.s-1{x}/4 = 0.25 m2.s-1
    "#]]
    .assert_eq(&lines.collect::<String>());
}

#[test]
fn what_is_no_unit() {
    let nested = format!("{}m{}", "(".repeat(9), ")".repeat(9));
    let long = "m.".repeat(100) + "m";
    let unknown = [
        "",
        " ",
        "mg dL",
        "milligram",
        "foo",
        "m//s",
        "m/",
        ".m",
        "m.",
        "(m",
        "m)",
        "()",
        "{",
        "{x",
        "m{{x}}",
        "m-",
        "m+-2",
        "0",
        "kmin",
        "k%",
        "k[lb_av]",
        "Cel/m",
        "Cel2",
        "m999",
        "m99.m99",
        "µg",
        "[",
        "[]",
        "10*999",
        "mMm",
        "dd",
        "kkg",
        "m2147483648",
        &nested,
        &long,
    ];
    for unit in unknown {
        assert!(!ucum::is_valid(unit), "{unit}");
        assert_eq!(convert(1.0, unit, unit), None);
    }
}

#[test]
fn conversions() {
    let check = |value: f64, from: &str, to: &str, expected: f64| {
        assert_eq!(convert(value, from, to), Some(expected), "{value} {from} in {to}");
    };
    check(37.0, "Cel", "[degF]", 98.6);
    check(-40.0, "[degF]", "Cel", -40.0);
    check(0.0, "Cel", "K", 273.15);
    check(37_000.0, "mCel", "Cel", 37.0);
    check(120.0, "mm[Hg]", "kPa", 15.99864);
    check(1.0, "[lb_av]", "g", 453.59237);
    check(6.0, "[ft_i]", "cm", 182.88);
    check(5.4, "mg/mL", "g/dL", 0.54);
    check(1.0, "g%", "g/L", 10.0);
    check(90.0, "min", "h", 1.5);
    check(1.0, "wk", "d", 7.0);
    check(1.0, "U/L", "ukat/L", 0.0166666666667);
    check(2.0, "mol/L", "mmol/mL", 2.0);
    check(1.0, "[IU]", "[iU]", 1.0);
    check(2000.0, "kcal", "[Cal]", 2000.0);
    for (from, to) in [("mg", "mL"), ("[iU]", "[arb'U]"), ("Cel", "J"), ("[pH]", "1"), ("x", "m")] {
        assert_eq!(convert(1.0, from, to), None, "{from} in {to}");
    }
    assert_eq!(convert(f64::MAX, "Ym", "ym"), None);
    assert_eq!(convert(f64::NAN, "m", "cm"), None);
}

/// The coded units of HL7's examples and of its set of common units.
#[test]
fn published_units_are_known() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/packages");
    let examples = format!("{folder}/hl7.fhir.r4.examples-4.0.1/package");
    let Ok(files) = std::fs::read_dir(&examples) else {
        return println!("skipped: {examples} is not there");
    };
    let mut units = BTreeSet::new();
    for file in files {
        let path = file.unwrap().path();
        let text = std::fs::read(&path).unwrap_or_default();
        if let Ok(value) = fhir::json::parse(&text) {
            collect(&value, &mut units);
        }
    }
    let unknown: Vec<_> = units.iter().filter(|unit| !ucum::is_valid(unit)).collect();
    expect![[r#"1372 units; unknown: ["TAB", "[lb_i]", "drop", "ea", "mEq", "mcg", "ml/hr", "month", "tbl"]"#]].assert_eq(&format!("{} units; unknown: {unknown:?}", units.len()));
}

fn collect(value: &Value, units: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, units)),
        Value::Object(object) => {
            if value.text("system") == Some(ucum::SYSTEM) {
                units.extend(value.text("code").map(str::to_owned));
                let concepts = value.items("concept").iter();
                units.extend(concepts.filter_map(|it| it.text("code")).map(str::to_owned));
            }
            object.iter().for_each(|(_, member)| collect(member, units));
        }
        _ => {}
    }
}

/// Expressions that are mostly right.
fn expressions() -> impl Strategy<Value = String> {
    let atom = prop::sample::select(vec![
        "m", "g", "mg", "kg", "L", "mL", "s", "min", "h", "mol", "mmol", "[iU]", "10*3", "%",
        "[lb_av]", "mm[Hg]", "J", "{x}", "4", "U", "Pa", "m2", "s-1",
    ]);
    let sign = prop::sample::select(vec![".", "/"]);
    (atom.clone(), prop::collection::vec((sign, atom), 0..4)).prop_map(|(first, rest)| {
        rest.into_iter().fold(first.to_owned(), |text, (sign, atom)| text + sign + atom)
    })
}

fn near(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-11 * one.abs().max(other.abs())
}

proptest! {
    #[test]
    fn any_text_is_a_unit_or_not(text in "[a-zA-Z0-9./(){}*\\[\\]'%+-]{0,24}", value in any::<f64>()) {
        if let Some(unit) = Unit::parse(&text) {
            prop_assert!(unit.canonical(value).is_none_or(f64::is_finite));
            prop_assert!(unit.is_comparable(&unit));
        }
        prop_assert_eq!(convert(1.0, &text, &text).is_some(), ucum::is_valid(&text));
    }

    #[test]
    fn the_canonical_unit_is_one_itself(text in expressions()) {
        let unit = Unit::parse(&text).unwrap();
        let base = Unit::parse(unit.canonical_unit()).unwrap();
        prop_assert_eq!(base.canonical_unit(), unit.canonical_unit());
        prop_assert_eq!(base.canonical(7.5), Some(7.5));
    }

    #[test]
    fn converting_first_changes_nothing(text in expressions(), value in 1e-3..1e6) {
        let unit = canonical(value, &text).unwrap();
        let other = format!("m.{text}/km");
        let converted = convert(value, &text, &other).unwrap();
        let again = canonical(converted, &other).unwrap();
        prop_assert!(near(unit.value, again.value), "{} {}", unit.value, again.value);
        prop_assert_eq!(unit.unit, again.unit);
        prop_assert!(near(convert(converted, &other, &text).unwrap(), value));
    }
}
