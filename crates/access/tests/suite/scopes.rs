//! Scopes of SMART App Launch: which can be read, and that they only ever narrow.

use access::caller::Party;
use access::scopes::{Context, Interaction, Scope, Scopes};
use proptest::prelude::*;

const ALL: [Interaction; 5] = [
    Interaction::Create,
    Interaction::Read,
    Interaction::Update,
    Interaction::Delete,
    Interaction::Search,
];

fn letters(scope: &Scope, kind: &str) -> String {
    let letter = "cruds".chars();
    letter.zip(ALL).filter(|(_, it)| scope.covers(kind, *it)).map(|(letter, _)| letter).collect()
}

#[test]
fn a_scope_is_read_as_smart_writes_it_or_not_at_all() {
    for (text, context, kind, wanted) in [
        ("patient/Observation.rs", Context::Patient, "Observation", "rs"),
        ("user/*.cruds", Context::User, "Anything", "cruds"),
        ("system/Patient.c", Context::System, "Patient", "c"),
        ("patient/Observation.read", Context::Patient, "Observation", "rs"),
        ("user/Observation.write", Context::User, "Observation", "cud"),
        ("patient/*.*", Context::Patient, "Observation", "cruds"),
        ("patient/Observation.rs?category=laboratory", Context::Patient, "Observation", "rs"),
    ] {
        let scope = Scope::parse(text).unwrap();
        assert_eq!((scope.context, letters(&scope, kind).as_str()), (context, wanted), "{text}");
    }
    let granular = Scope::parse("user/Observation.rs?category=http://a|b&code=c%26d").unwrap();
    let wanted = [("category", "http://a|b"), ("code", "c&d")];
    assert_eq!(granular.conditions, wanted.map(|(name, it)| (name.to_owned(), it.to_owned())));
    for text in [
        "",
        "patient",
        "patient/",
        "patient/Observation",
        "patient/Observation.",
        "patient/Observation.x",
        "patient/Observation.sr",
        "patient/Observation.rr",
        "patient/Observation.RS",
        "patient/Observation.rs ",
        "patient/observation.rs",
        "patient/Obs-ervation.rs",
        "patient/.rs",
        "patient/**.rs",
        "patient/*.rs?category=a",
        "patient/Observation.read?category=a",
        "patient/Observation.rs?",
        "patient/Observation.rs?category",
        "patient/Observation.rs?=a",
        "Patient/Observation.rs",
        "practitioner/Observation.rs",
        "launch/patient",
    ] {
        assert_eq!(Scope::parse(text), None, "{text}");
    }
}

fn read(texts: &[&str], patient: Option<&str>) -> Option<Scopes> {
    let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
    Scopes::read(&texts, patient.map(str::to_owned))
}

#[test]
fn what_cannot_be_read_limits_all_the_same() {
    assert_eq!(read(&["openid", "fkj:9901/api", "launch/patient"], None), None);
    let none = read(&["fkj:9901/api", "user/observation.rs"], None).unwrap();
    for interaction in ALL {
        assert!(!none.allow(&Party::System, "Observation", interaction));
    }
}

#[test]
fn a_launch_alone_limits_to_its_patient_and_to_no_type() {
    let launched = read(&["fkj:9901/api"], Some("p")).unwrap();
    assert_eq!((launched.patient.as_deref(), launched.are_of_resources()), (Some("p"), false));
    let resident = Party::Resident { number: String::new(), name: String::new() };
    for interaction in ALL {
        assert!(launched.allow(&resident, "Observation", interaction));
    }
}

#[test]
fn each_context_is_for_its_own_party() {
    let resident = Party::Resident { number: String::new(), name: String::new() };
    let may = |scope: &str, party: &Party, patient: Option<&str>| {
        read(&[scope], patient).unwrap().allow(party, "Observation", Interaction::Read)
    };
    assert!(may("system/*.rs", &Party::System, None) && !may("system/*.rs", &resident, None));
    assert!(may("user/*.rs", &resident, None) && !may("user/*.rs", &Party::System, None));
    assert!(may("patient/*.rs", &resident, Some("p")) && !may("patient/*.rs", &resident, None));
    assert!(!may("patient/*.rs", &Party::System, Some("p")));
}

#[test]
fn a_condition_lets_nothing_be_written_or_composed() {
    let scopes = read(&["system/Observation.cruds?category=laboratory"], None).unwrap();
    let party = Party::System;
    for interaction in ALL {
        let reads = matches!(interaction, Interaction::Read | Interaction::Search);
        assert_eq!(scopes.allow(&party, "Observation", interaction), reads, "{interaction:?}");
    }
    assert!(!scopes.allow_whole(&party, "Observation"));
    assert!(read(&["system/*.s"], None).unwrap().allow_whole(&party, "Observation"));
}

fn a_scope() -> impl Strategy<Value = String> {
    let contexts = prop::sample::select(vec!["patient", "user", "system"]);
    let kinds = prop::sample::select(vec!["*", "Observation", "Patient"]);
    let letters = prop::sample::subsequence(vec!['c', 'r', 'u', 'd', 's'], 1..=5);
    let conditions = prop::sample::select(vec!["", "?category=laboratory"]);
    (contexts, kinds, letters, conditions).prop_map(|(context, kind, letters, condition)| {
        let letters: String = letters.into_iter().collect();
        format!("{context}/{kind}.{letters}{condition}")
    })
}

proptest! {
    #[test]
    fn a_scope_more_opens_more_and_never_less(
        scopes in prop::collection::vec(a_scope(), 1..5),
        more in a_scope(),
        system in any::<bool>(),
    ) {
        let resident = Party::Resident { number: String::new(), name: String::new() };
        let party = if system { Party::System } else { resident };
        let few = Scopes::read(&scopes, Some("p".to_owned())).unwrap();
        let all: Vec<String> = scopes.into_iter().chain([more]).collect();
        let many = Scopes::read(&all, Some("p".to_owned())).unwrap();
        for (kind, interaction) in ["Observation", "Patient"].into_iter().flat_map(|kind| ALL.map(|it| (kind, it))) {
            let (before, after) = (few.allow(&party, kind, interaction), many.allow(&party, kind, interaction));
            prop_assert!(after || !before, "{kind} {interaction:?}");
        }
    }

    #[test]
    fn no_text_makes_reading_fail(text in ".{0,60}") {
        let read = Scope::parse(&text);
        prop_assert!(read.is_none() || access::scopes::is_about_resources(&text));
    }
}
