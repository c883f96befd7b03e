//! What a resident withholds is withheld when the answer leaves, and open again when it is lifted.

use access::caller::Caller;
use access::refusal::Rule;
use access::restriction::{Against, Restriction, What};
use exchange::consent::{print, restriction};
use exchange::control::{Reader, Wish};
use exchange::error::{Category, Failure};
use exchange::operation::parameters::Parameters as Given;
use exchange::overview::Looks;
use exchange::pvk::{Named, Type, Wanted};
use exchange::tenant::{Environment, Tenant, rebuild_view};
use fhir::json;
use fhir::query::{Query, Scope};
use fhir::search::set::Parameters;
use fhir::value::Value;
use proptest::prelude::*;

use crate::town::{
    FNR, MUNICIPALITY, NOW, Town, WARD, create, fnr, in_emergency, nurse, pulse, put, resident,
    system,
};

pub const ALL: What =
    What { categories: Vec::new(), items: Vec::new(), owner: None, from: None, to: None };

pub fn wish(against: Against, what: What) -> Wish {
    Wish { reader: Reader::Named(against), what, in_emergency: false }
}

fn measurements() -> What {
    What { categories: vec!["measurements".to_owned()], ..ALL }
}

/// How many measurements of the first person the nurse finds.
pub async fn found(town: &Town) -> usize {
    found_by(town, &nurse()).await
}

async fn found_by(town: &Town, caller: &Caller) -> usize {
    let pairs = vec![("patient:identifier".to_owned(), format!("{FNR}|{}", fnr(0)))];
    let query = Query::read(Parameters::r4(), Scope::Type("Observation"), &pairs).unwrap();
    town.tenant.search(caller, query, None).await.unwrap().matches.len()
}

async fn town() -> Town {
    let town = Town::new();
    for beats in [60, 70] {
        town.create(&system("plo"), pulse(&fnr(0), None, beats)).await;
    }
    town
}

#[tokio::test]
async fn what_is_restricted_is_gone_at_once_and_back_when_lifted() {
    let town = town().await;
    assert_eq!(found(&town).await, 2);
    let me = resident(&fnr(0));
    let each = [
        wish(Against::Everyone, ALL),
        wish(Against::Everyone, measurements()),
        wish(Against::Organisation(WARD.to_owned()), ALL),
        wish(Against::Practitioner("subject-1".to_owned()), measurements()),
        wish(Against::Everyone, What { from: Some(0), to: Some(NOW), ..ALL }),
        wish(Against::Everyone, What { owner: Some(MUNICIPALITY.to_owned()), ..ALL }),
    ];
    for wish in each {
        let receipt = town.tenant.restrict(&me, &fnr(0), wish.clone()).await.unwrap();
        assert!(receipt.visible);
        assert_eq!(found(&town).await, 0, "{wish:?}");
        let person = town.tenant.person(&fnr(0)).unwrap();
        let told = town.tenant.restrictions(&me, person).await.unwrap();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].restriction.what, wish.what);
        assert!(told[0].can_lift);
        town.tenant.lift(&me, &receipt.id).await.unwrap();
        assert_eq!(found(&town).await, 2, "{wish:?}");
    }
    // Whoever is not meant goes on seeing.
    let other = wish(Against::Organisation("993467049".to_owned()), ALL);
    town.tenant.restrict(&me, &fnr(0), other).await.unwrap();
    assert_eq!(found(&town).await, 2);
}

#[tokio::test]
async fn one_measurement_is_withheld_and_the_others_are_not() {
    let town = town().await;
    let one = town.create(&system("plo"), pulse(&fnr(0), None, 80)).await;
    assert!(town.tenant.read(&nurse(), "Observation", &one.id).await.is_ok());
    let item = What { items: vec![("Observation".to_owned(), one.id.clone())], ..ALL };
    let me = resident(&fnr(0));
    town.tenant.restrict(&me, &fnr(0), wish(Against::Everyone, item)).await.unwrap();
    assert_eq!(found(&town).await, 2);
    let read = town.tenant.read(&nurse(), "Observation", &one.id).await;
    assert!(matches!(read, Err(Failure::NotFound)));
    let version = town.tenant.vread(&nurse(), "Observation", &one.id, one.version).await;
    assert!(matches!(version, Err(Failure::NotFound)));
    // The owner and the resident go on seeing it.
    assert!(town.tenant.read(&system("plo"), "Observation", &one.id).await.is_ok());
    assert!(town.tenant.read(&me, "Observation", &one.id).await.is_ok());
}

#[tokio::test]
async fn it_holds_after_a_restart_and_in_a_view_made_anew() {
    let town = town().await;
    let me = resident(&fnr(0));
    town.tenant.restrict(&me, &fnr(0), wish(Against::Everyone, measurements())).await.unwrap();
    let person = town.tenant.person(&fnr(0)).unwrap();
    let own = |tenant: &Tenant| tenant.standing().person(person).map(|it| (**it).clone());
    let before = own(&town.tenant).unwrap();
    assert_eq!(before.restrictions.len(), 1);
    let register = (*town.tenant.register()).clone();
    let Town { tenant, random, clock, dir } = town;
    drop(tenant);
    let environment = Environment { clock, random };
    let open = || Tenant::open(dir.path(), register.clone(), environment.clone()).unwrap();
    assert_eq!(own(&open()), Some(before.clone()));
    rebuild_view(dir.path(), register.clone(), environment.clone()).unwrap();
    assert_eq!(own(&open()), Some(before));
}

#[tokio::test]
async fn nobody_restricts_for_another_and_no_resident_records_anything_else() {
    let town = town().await;
    let rule = |result: Result<_, Failure>| match result.map(drop) {
        Err(failure) => failure.refusal().map(|refusal| refusal.rule),
        Ok(()) => None,
    };
    let me = resident(&fnr(1));
    let (first, number) = (resident(&fnr(0)), fnr(0));
    let all = wish(Against::Everyone, ALL);
    let id = town.tenant.restrict(&first, &number, all).await.unwrap().id;
    let given = |number: &str| {
        let restriction = Restriction {
            id: String::new(),
            against: Against::Everyone,
            what: ALL,
            valid_from: None,
            valid_to: None,
            in_emergency: true,
        };
        let number = number.to_owned();
        print::consent(
            &restriction,
            &print::Given { system: FNR, number: &number, at: NOW, display: None },
        )
    };
    let others = town.one(&me, create(given(&fnr(0)))).await;
    assert_eq!(rule(others), Some(Rule::NotSelf));
    let taken = town.one(&me, put(&id, given(&fnr(1)), None)).await;
    assert_eq!(rule(taken), Some(Rule::NotSelf));
    let lifted = town.tenant.lift(&me, &id).await;
    assert_eq!(rule(lifted), Some(Rule::NotSelf));
    let removed = exchange::submission::Operation::delete("Consent", id.clone());
    assert_eq!(rule(town.one(&me, removed).await), Some(Rule::NotSelf));
    assert_eq!(rule(town.one(&me, create(pulse(&fnr(1), None, 60))).await), Some(Rule::NotASystem));
    assert_eq!(found(&town).await, 0);
    // What a system has delivered is the system's to take back.
    let delivered = town.create(&system("app"), given(&fnr(1))).await;
    assert_eq!(rule(town.tenant.lift(&me, &delivered.id).await), Some(Rule::NotOwner));
    assert!(town.one(&me, create(given(&fnr(1)))).await.is_ok());
}

/// A Consent by which everything is denied, with something more said of it.
fn with(name: &str, value: Value) -> Value {
    let mut consent = json!({
        "resourceType": "Consent",
        "status": "active",
        "scope": { "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/consentscope",
            "code": "patient-privacy",
        }] },
        "category": [{ "coding": [{ "system": "http://loinc.org", "code": "59284-0" }] }],
        "patient": { "identifier": { "system": FNR, "value": fnr(0) } },
        "policyRule": { "coding": [{
            "system": "http://hl7.no/fhir/CodeSystem/no-basis-legal-formality-or-basis",
            "code": "PBRL5-3",
        }] },
        "provision": { "type": "deny" },
    });
    let object = consent.as_object_mut().unwrap();
    match name.strip_prefix("provision.") {
        Some(name) => {
            object.get_mut("provision").unwrap().as_object_mut().unwrap().set(name, value)
        }
        None => object.set(name, value),
    }
    consent
}

#[tokio::test]
async fn a_consent_that_cannot_be_enforced_is_refused_and_not_kept() {
    let town = town().await;
    let actor = |role: Value, reference: Value| json!([{ "role": role, "reference": reference }]);
    let text = |text: &str| json!({ "text": text });
    let before = town.end();
    let refused = [
        ("provision.code", json!([{ "text": "diabetes" }])),
        ("provision.securityLabel", json!([{ "code": "R" }])),
        ("provision.provision", json!([{ "type": "permit" }])),
        (
            "provision.purpose",
            json!([{
                "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
                "code": "ETREAT",
            }]),
        ),
        (
            "provision.class",
            json!([{ "system": "http://hl7.org/fhir/resource-types", "code": "Observation" }]),
        ),
        (
            "provision.data",
            json!([{ "meaning": "related", "reference": { "reference": "Observation/1" } }]),
        ),
        ("provision.action", json!([{ "coding": [{ "code": "correct" }] }])),
        ("provision.actor", actor(text("lege"), json!({ "display": "Fastlegen min" }))),
        ("provision.actor", actor(text("lege"), json!({ "reference": "Practitioner/1" }))),
        ("provision.period", json!({ "start": "2026-02-01", "end": "2026-01-01" })),
        ("policyRule", json!({ "coding": [{ "code": "OPTOUT" }] })),
    ];
    for (name, value) in refused {
        let failure = town.one(&system("app"), create(with(name, value))).await.unwrap_err();
        assert_eq!(failure.category(), Category::Invalid, "{name}");
        let issue = &failure.issues()[0];
        assert!(issue.location.starts_with("Consent."), "{name}: {issue:?}");
    }
    assert_eq!(town.end(), before);
    assert_eq!(found(&town).await, 2);
    town.create(&system("app"), with("language", json!("nb"))).await;
    assert_eq!(found(&town).await, 0);
}

#[tokio::test]
async fn a_setting_of_pvk_is_a_consent_and_in_force() {
    let town = town().await;
    let named = |guid: &str| Named {
        innbygger_fnr: fnr(0),
        definisjon_guid: guid.to_owned(),
        part_kode: "fkj".to_owned(),
    };
    let guid = "4f0c7c1e-6a55-4a0b-9a6e-0d8f6e2b7a02";
    let set = |aktiv: bool| Wanted {
        named: named(guid),
        type_pi: Type::Reservasjon,
        aktiv,
        tidspunkt: None,
    };
    let app = system("app");
    for (round, aktiv) in [true, false, true].into_iter().enumerate() {
        assert!(town.tenant.pvk_set(&app, &set(aktiv)).await.unwrap());
        assert!(!town.tenant.pvk_set(&app, &set(aktiv)).await.unwrap());
        let setting = town.tenant.pvk_check(&app, &named(guid)).await.unwrap();
        assert_eq!((setting.aktiv, setting.sekvensnummer), (aktiv, round + 1));
        assert_eq!(found(&town).await, if aktiv { 0 } else { 2 });
        let active = town.tenant.pvk_active(&app, &named(guid), 0).await.unwrap();
        assert_eq!(active.personvern_innstillinger.len(), usize::from(aktiv));
    }
    assert_eq!(town.tenant.pvk_of_part(&app, &named("")).await.unwrap().len(), 4);
    let refused = town.tenant.pvk_set(&system("plo"), &set(false)).await.unwrap_err();
    assert_eq!(refused.refusal().map(|it| it.rule), Some(Rule::CategoryNotAgreed));
}

#[tokio::test]
async fn an_emergency_opens_with_a_reason_for_some_hours_and_is_seen() {
    let town = town().await;
    let me = resident(&fnr(0));
    let person = town.tenant.person(&fnr(0)).unwrap();
    let patient = person.to_string();
    let given = |pairs: &[(&str, &str)]| {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Given::of_pairs(pairs.iter().map(owned).collect())
    };
    let why = [("reason", "bevisstløs, ukjente medisiner"), ("hours", "2")];
    let restricted = wish(Against::Everyone, ALL);
    let id = town.tenant.restrict(&me, &fnr(0), restricted.clone()).await.unwrap().id;
    assert_eq!(found_by(&town, &in_emergency()).await, 0);
    // Only with an emergency, a reason, and not for longer than the law lets.
    for (caller, pairs) in [
        (nurse(), why.as_slice()),
        (in_emergency(), &[("hours", "2")]),
        (in_emergency(), &[("reason", "haster"), ("hours", "9")]),
        (in_emergency(), &[("reason", "haster"), ("hours", "0")]),
        (in_emergency(), &[("reason", " ")]),
    ] {
        let opened = town.tenant.open_emergency(&caller, &patient, &given(pairs)).await;
        assert!(opened.is_err(), "{pairs:?}");
    }
    assert_eq!(found_by(&town, &in_emergency()).await, 0);
    town.tenant.open_emergency(&in_emergency(), &patient, &given(&why)).await.unwrap();
    assert_eq!(found_by(&town, &in_emergency()).await, 2);
    assert_eq!(found(&town).await, 0, "the same nurse without an emergency");
    let log = town.tenant.access_log(&me, person, Looks::OfOthers, 100).await.unwrap();
    let opened = log.iter().filter(|line| line.action == "emergency-access");
    assert!(opened.clone().any(|line| line.refused.is_none()));
    let openings = town.tenant.decided().openings.clone();
    assert_eq!(openings.len(), 1);
    assert!(openings.values().all(|it| it.person == person && it.reviewed.is_none()));
    // What is withheld in emergencies too stays withheld.
    town.tenant.lift(&me, &id).await.unwrap();
    let always = Wish { in_emergency: true, ..restricted };
    town.tenant.restrict(&me, &fnr(0), always).await.unwrap();
    assert_eq!(found_by(&town, &in_emergency()).await, 0);
}

#[tokio::test]
async fn every_change_stands_in_the_residents_log_as_their_own() {
    let town = town().await;
    let me = resident(&fnr(0));
    town.tenant.restrict(&me, &fnr(0), wish(Against::Everyone, ALL)).await.unwrap();
    let person = town.tenant.person(&fnr(0)).unwrap();
    let log = town.tenant.access_log(&me, person, Looks::All, 100).await.unwrap();
    let change = log.iter().find(|line| line.action == "submit-fhir" && line.role == "resident");
    assert_eq!(change.unwrap().categories, ["consents"]);
    let of_others = town.tenant.access_log(&me, person, Looks::OfOthers, 100).await.unwrap();
    assert!(of_others.is_empty());
    let standing = town.tenant.standing();
    assert_eq!(standing.person(person).unwrap().restrictions.len(), 1);
}

fn against() -> impl Strategy<Value = Against> {
    prop_oneof![
        Just(Against::Everyone),
        "[0-9]{7,9}".prop_map(Against::Practitioner),
        "[A-Za-z0-9+/]{10,40}=".prop_map(Against::Practitioner),
        "[A-Z]{2}".prop_map(Against::Profession),
        "[0-9]{9}".prop_map(Against::Organisation),
        (1..10_u8).prop_map(|code| Against::Service(code.to_string())),
    ]
}

fn times() -> impl Strategy<Value = (Option<i64>, Option<i64>)> {
    // From 1900 to 2100.
    let time = -2_208_988_800_000..4_102_444_800_000_i64;
    (prop::option::of(time.clone()), prop::option::of(time)).prop_map(|times| match times {
        (Some(a), Some(b)) => (Some(a.min(b)), Some(a.max(b) + 1)),
        times => times,
    })
}

proptest! {
    #[test]
    fn a_consent_says_what_the_restriction_says(
        against in against(),
        categories in prop::sample::subsequence(vec!["measurements", "services", "plans"], 0..=3),
        data in prop_oneof![
            prop::collection::vec("[a-zA-Z0-9.-]{1,64}", 0..4).prop_map(Ok),
            "[0-9]{9}".prop_map(Err),
        ],
        (from, to) in times(),
        (valid_from, valid_to) in times(),
        in_emergency: bool,
    ) {
        let items = data.clone().unwrap_or_default();
        let what = What {
            categories: categories.into_iter().map(str::to_owned).collect(),
            items: items.into_iter().map(|id| ("Observation".to_owned(), id)).collect(),
            owner: data.err(),
            from,
            to,
        };
        let id = "consent-1".to_owned();
        let said = Restriction { id, against, what, valid_from, valid_to, in_emergency };
        let number = fnr(0);
        let given =
            print::Given { system: FNR, number: &number, at: NOW, display: Some("Kari Vold") };
        let consent = print::consent(&said, &given);
        prop_assert_eq!(restriction("consent-1", &consent).unwrap(), Some(said));
        let issues = exchange::rules::rules().judge(
            &fhir::resource::Resource::from_value(consent).unwrap(),
            exchange::submission::Channel::Fhir,
            &[],
        );
        let refusing: Vec<_> = issues.iter().filter(|issue| issue.refuses()).collect();
        prop_assert!(refusing.is_empty(), "{:?}", refusing);
    }
}
