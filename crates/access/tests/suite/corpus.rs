//! Every case of `cases/decisions` is decided as it says, and every rule is in the corpus.

use std::collections::BTreeSet;

use access::administer::decide_admin;
use access::decide::{About, decide_read, decide_write};
use access::explain::{Explanation, What, explain};
use access::permit::{Part, Reach, ReadPermit, Withheld, WritePermit};
use access::refusal::{Refusal, Rule};
use access::scopes::{Interaction, narrowed};
use record::catalogue::Catalogue;
use serde_json::{Map, Value, json};

use crate::cases::{Belongs, Case, Limits, corpus, person};

/// What is decided, as a case says it.
fn decided(case: &Case) -> Result<Limits, Refusal> {
    let (caller, standing, now) = (case.caller(), case.standing(), case.now());
    match (&case.reads, &case.writes, &case.administers) {
        (Some(reads), None, None) => {
            let (categories, bound_to) = (reads.categories(), case.bound_to());
            let request = reads.request(&categories, bound_to.as_deref());
            let decision = decide_read(&caller, case.resident(), &standing, &request, now);
            let explained = explain(&caller, case.resident(), &standing, &request, now);
            let told = decision.as_ref().map(|permit| permit.categories().to_vec());
            assert_eq!(explained.decision.as_ref(), told.as_ref().map_err(|it| *it));
            would_open(case, &explained);
            decision
                .and_then(|permit| narrowed(&caller, permit, Interaction::Search))
                .map(|permit| read_limits(&permit, request.about, case))
        }
        (None, Some(writes), None) => {
            let category = Catalogue::get().category(&writes.category).unwrap();
            let existing = writes.existing.as_ref();
            let existing = existing.map(|it| (it.owner.as_str(), it.source.as_str()));
            decide_write(&caller, &standing, category, existing, now).map(|permit| {
                assert_eq!(permit.category(), category.key);
                write_limits(&permit)
            })
        }
        (None, None, Some(administers)) => decide_admin(&caller, &standing, administers.deed())
            .map(|permit| Limits {
                who: Some(permit.who().to_owned()),
                duty: Some(permit.duty()),
                ..Limits::default()
            }),
        _ => panic!("{}: a case either reads, writes or administers", case.title),
    }
}

/// What the case says would open more is what the explanation says.
fn would_open(case: &Case, explained: &Explanation) {
    let told: Vec<Value> = explained.changes.iter().map(|it| change(&it.what)).collect();
    for wanted in &case.would_open {
        assert!(told.contains(wanted), "{}: {wanted} is not among {told:?}", case.title);
    }
}

/// A change as cases write it.
fn change(what: &What) -> Value {
    match what {
        What::Purpose(code) => json!({ "purpose": code }),
        What::FreshAttest => json!("fresh attest"),
        What::Unit(number) => json!({ "unit": number }),
        What::Profession(code) => json!({ "profession": code }),
        What::Emergency(code) => json!({ "emergency": code }),
        What::Without(id) => json!({ "without": id }),
        What::SwitchedOn(_) => json!("switched on"),
        What::Assessed(_) => json!("assessed"),
        What::WithoutPolicy(key) => json!({ "without policy": key }),
        What::Sharing { unit_kind } => json!({ "sharing": unit_kind }),
    }
}

fn read_limits(permit: &ReadPermit, about: About, case: &Case) -> Limits {
    let reach = match permit.reach() {
        Reach::Person(person) => format!("patient {}", char::from(person.0[0])),
        Reach::Unit { unit, .. } => format!("unit {unit}"),
        Reach::Any => "any".to_owned(),
    };
    let belongs =
        |(owner, source): (&str, &str)| Belongs { owner: owner.into(), source: source.into() };
    // Of a list, what patient A withholds is told.
    let asked = match about {
        About::Person(person) => person,
        About::OwnUnit | About::Unnamed => person("patient A"),
    };
    let says_labels = case.decision.permit.as_ref().is_some_and(|it| it.labels.is_some());
    let labels = format!("{:?}", permit.labels()).to_lowercase();
    Limits {
        reach: Some(reach),
        categories: Some(permit.categories().iter().map(|key| (*key).to_owned()).collect()),
        role: Some(permit.basis().role.clone()),
        purpose: Some(permit.basis().purpose.code().to_owned()),
        only_of: permit.owned_by().map(belongs),
        withheld: withheld(permit.withheld(asked)),
        labels: says_labels.then_some(labels),
        ..Limits::default()
    }
}

fn withheld(withheld: Withheld) -> Option<Value> {
    let part = |part: Part| {
        let mut members = Map::new();
        let mut say = |key: &str, value: Value| members.insert(key.to_owned(), value);
        if !part.categories.is_empty() {
            say("categories", json!(part.categories));
        }
        if !part.items.is_empty() {
            say("items", json!(part.items));
        }
        part.owner.map(|owner| say("owner", json!(owner)));
        part.from.map(|from| say("from", json!(from)));
        part.to.map(|to| say("to", json!(to)));
        Value::Object(members)
    };
    match withheld {
        Withheld::Nothing => None,
        Withheld::Everything => Some(json!("everything")),
        Withheld::Parts(parts) => Some(parts.into_iter().map(part).collect()),
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
    assert!(cases.len() >= 150, "{} cases", cases.len());
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
    assert_eq!(refused, rules);
    for rule in Rule::ALL {
        let told = Refusal { rule }.to_string();
        assert!(told.contains(rule.explanation()) && told.ends_with(rule.way_on()));
    }
}
