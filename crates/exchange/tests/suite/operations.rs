//! What operations compute, against the plainest way of computing it.

use std::collections::BTreeSet;

use exchange::operation::lastn::{Name, Newest};
use exchange::operation::statistic::{STATISTICS, Statistic, calculate};
use exchange::rules::rules;
use fhir::fhirpath::decimal::Decimal;
use proptest::prelude::*;

/// Everything that is called the same, directly or through others; of each group the newest.
fn naive(met: &[(Vec<u8>, i64)], most: usize) -> BTreeSet<usize> {
    let mut group: Vec<usize> = (0..met.len()).collect();
    for _ in 0..met.len() {
        for a in 0..met.len() {
            for b in 0..met.len() {
                if met[a].0.iter().any(|name| met[b].0.contains(name)) {
                    let lower = group[a].min(group[b]);
                    (group[a], group[b]) = (lower, lower);
                }
            }
        }
    }
    let newer = |one: usize| {
        let rivals = (0..met.len()).filter(|other| group[*other] == group[one]);
        rivals.filter(|other| met[*other].1 > met[one].1).count()
    };
    (0..met.len()).filter(|one| newer(*one) < most).collect()
}

proptest! {
    #[test]
    fn the_newest_of_each_code_are_those_of_the_plain_way(
        met in prop::collection::vec((prop::collection::vec(0_u8..6, 1..3), 0_i64..8), 0..14),
        most in 1_usize..4,
    ) {
        let mut newest = Newest::new(most);
        for (i, (names, when)) in met.iter().enumerate() {
            let names = names.iter().map(|name| Name::Code(None, name.to_string())).collect();
            newest.add(names, *when, i);
        }
        let found = newest.finish();
        let times: Vec<i64> = found.iter().map(|i| met[*i].1).collect();
        prop_assert!(times.windows(2).all(|pair| pair[0] >= pair[1]), "the newest first");
        prop_assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), naive(&met, most));
    }

    #[test]
    fn statistics_are_those_of_the_plain_way(
        hundredths in prop::collection::vec(-100_000_i64..100_000, 2..40),
    ) {
        let mut exact: Vec<Decimal> = hundredths
            .iter()
            .map(|it| Decimal::parse(&format!("{it}e-2")).unwrap())
            .collect();
        exact.sort();
        let mut plain: Vec<f64> = hundredths.iter().map(|it| *it as f64 / 100.0).collect();
        plain.sort_by(f64::total_cmp);
        let n = plain.len() as f64;
        let mean = plain.iter().sum::<f64>() / n;
        let variance = plain.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let percentile = |hundredths: f64| {
            let at = (n - 1.0) * hundredths / 100.0;
            let (low, high) = (plain[at.floor() as usize], plain[at.ceil() as usize]);
            low + (high - low) * at.fract()
        };
        for (code, _, statistic) in STATISTICS {
            let expected = match statistic {
                Statistic::Average => mean,
                Statistic::Maximum => plain[plain.len() - 1],
                Statistic::Minimum => plain[0],
                Statistic::Count | Statistic::TotalCount => n,
                Statistic::Sum => mean * n,
                Statistic::Variance => variance,
                Statistic::Deviation => variance.sqrt(),
                Statistic::Percentile(it) => percentile(f64::from(it)),
                Statistic::QuartileDeviation => (percentile(75.0) - percentile(25.0)) / 2.0,
            };
            let found = calculate(statistic, &exact).unwrap().to_f64();
            prop_assert!((found - expected).abs() < 1e-5, "{code}: {found}, not {expected}");
        }
    }
}

#[test]
fn decimals_are_exact() {
    let decimals = |texts: &[&str]| -> Vec<Decimal> {
        texts.iter().map(|text| Decimal::parse(text).unwrap()).collect()
    };
    let tenths = decimals(&["0.1", "0.2", "0.30"]);
    let shown = |statistic| calculate(statistic, &tenths).unwrap().to_string();
    assert_eq!(shown(Statistic::Sum), "0.60");
    assert_eq!(shown(Statistic::Average), "0.2");
    assert_eq!(shown(Statistic::Variance), "0.01");
    assert_eq!(shown(Statistic::Deviation), "0.100000");
    assert_eq!(calculate(Statistic::Average, &[]), None);
    assert_eq!(calculate(Statistic::Variance, &decimals(&["5"])), None, "one value varies not");
}

#[test]
fn every_profile_and_code_of_the_platform_is_in_the_rules() {
    for demand in record::profile::demands() {
        assert!(rules().profiles().get(&demand.profile).is_some(), "{}", demand.profile);
    }
    let terminology = rules().terminology();
    let norwegian = "https://fkj.no/fhir/ValueSet/acvpu";
    let whole = "http://hl7.org/fhir/ValueSet/administrative-gender";
    assert!(terminology.codes(norwegian).is_some() && terminology.codes(whole).is_some());
}
