//! Every case of `cases/decisions` is decided as it says, and every rule is in the corpus.

use std::collections::BTreeSet;

use crate::cases::{Belongs, Case, Limits, corpus};
use access::decide::{decide_read, decide_write};
use access::permit::{Reach, ReadPermit, WritePermit};
use access::refusal::{Refusal, Rule};
use record::catalogue::Catalogue;

/// What is decided, as a case says it.
fn decided(case: &Case) -> Result<Limits, Refusal> {
    let (caller, register, now) = (case.caller(), case.register(), case.now());
    match (&case.reads, &case.writes) {
        (Some(reads), None) => {
            let categories = reads.categories();
            let request = reads.request(&categories);
            decide_read(&caller, case.resident(), &register, &request, now).map(read_limits)
        }
        (None, Some(writes)) => {
            let category = Catalogue::get().category(&writes.category).unwrap();
            let existing = writes.existing.as_ref();
            let existing = existing.map(|it| (it.owner.as_str(), it.source.as_str()));
            decide_write(&caller, &register, category, existing, now).map(|permit| {
                assert_eq!(permit.category(), category.key);
                write_limits(&permit)
            })
        }
        _ => panic!("{}: a case either reads or writes", case.title),
    }
}

fn read_limits(permit: ReadPermit) -> Limits {
    let reach = match permit.reach() {
        Reach::Person(person) => format!("patient {}", char::from(person.0[0])),
        Reach::Unit { unit, .. } => format!("unit {unit}"),
        Reach::Any => "any".to_owned(),
    };
    let belongs =
        |(owner, source): (&str, &str)| Belongs { owner: owner.into(), source: source.into() };
    Limits {
        reach: Some(reach),
        categories: Some(permit.categories().iter().map(|key| (*key).to_owned()).collect()),
        role: Some(permit.basis().role.clone()),
        purpose: Some(permit.basis().purpose.code().to_owned()),
        only_of: permit.owned_by().map(belongs),
        ..Limits::default()
    }
}

fn write_limits(permit: &WritePermit) -> Limits {
    Limits {
        owner: Some(permit.owner().to_owned()),
        source: Some(permit.source().to_owned()),
        ..Limits::default()
    }
}

#[test]
fn every_case_is_decided_as_it_says() {
    let cases = corpus();
    assert!(cases.len() >= 30, "{} cases", cases.len());
    let mut titles = BTreeSet::new();
    for (name, case) in cases {
        assert!(titles.insert(case.title.clone()), "{name}: the title stands twice");
        assert!(!case.why.is_empty(), "{name}: say why");
        match (decided(&case), &case.decision.permit, &case.decision.refused) {
            (Ok(limits), Some(wanted), None) => assert_eq!(&limits, wanted, "{name}"),
            (Err(refusal), None, Some(rule)) => assert_eq!(refusal.rule.code(), rule, "{name}"),
            (Ok(limits), ..) => panic!("{name}: permitted with {limits:?}"),
            (Err(refusal), ..) => panic!("{name}: refused by {}", refusal.rule.code()),
        }
    }
}

#[test]
fn every_rule_is_in_the_corpus_and_says_the_way_on() {
    let cases = corpus();
    let refused: BTreeSet<&str> =
        cases.iter().filter_map(|(_, case)| case.decision.refused.as_deref()).collect();
    let rules: BTreeSet<&str> = Rule::ALL.into_iter().map(Rule::code).collect();
    assert_eq!(rules.len(), Rule::ALL.len(), "two rules share a code");
    // Scopes narrow what was decided; `scopes` has their cases.
    let decided = rules.into_iter().filter(|rule| *rule != Rule::InsufficientScope.code());
    assert_eq!(refused, decided.collect());
    for rule in Rule::ALL {
        let told = Refusal { rule }.to_string();
        assert!(told.contains(rule.explanation()) && told.ends_with(rule.way_on()));
    }
}
