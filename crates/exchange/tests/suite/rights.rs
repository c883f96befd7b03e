//! Requests about residents' rights, and copies: who may, what goes with it, and that a copy is whole.

use std::collections::BTreeSet;

use access::caller::Caller;
use access::refusal::Rule;
use exchange::copy::bundle::BASIS;
use exchange::error::Failure;
use exchange::operation::parameters::Parameters as Given;
use exchange::rights::{Said, Wanted, task};
use exchange::submission::Receipt;
use fhir::json;
use fhir::query::{Query, Scope};
use fhir::search::set::Parameters;
use fhir::value::Value;
use proptest::prelude::*;
use record::catalogue::Catalogue;
use record::rights::{Right, Status, Step};

use crate::town::{
    FNR, MUNICIPALITY, NOW, Town, create, fnr, nurse, officer, patient, pulse, put, resident,
    system,
};

const DAY: i64 = 24 * 60 * 60 * 1000;

fn wanted(right: Right, item: Option<&Receipt>) -> Wanted {
    let item = item.map(|receipt| (receipt.kind.to_owned(), receipt.id.clone()));
    Wanted { right, item, text: "Pulsen er skrevet på feil person".to_owned() }
}

fn because(reason: &str) -> Said {
    Said { reason: Some(reason.to_owned()), output: None }
}

fn id_of(town: &Town, n: u32) -> String {
    town.tenant.person(&fnr(n)).unwrap().to_string()
}

async fn ask(town: &Town, caller: &Caller, wanted: Wanted) -> Receipt {
    town.tenant.ask(caller, &id_of(town, 0), wanted).await.unwrap()
}

async fn case(town: &Town, id: &str) -> task::Case {
    let stored = town.tenant.read(&resident(&fnr(0)), "Task", id).await.unwrap();
    task::read(&json::parse(&stored.body).unwrap()).unwrap()
}

fn rule<T>(result: Result<T, Failure>) -> Option<Rule> {
    result.err().and_then(|failure| failure.refusal().map(|refusal| refusal.rule))
}

#[tokio::test]
async fn a_rectification_goes_to_the_owner_and_ends_with_a_new_version() {
    let town = Town::new();
    let (owner, other, me) = (system("app"), system("plo"), resident(&fnr(0)));
    let item = town.create(&owner, pulse(&fnr(0), None, 61)).await;
    let asked = ask(&town, &me, wanted(Right::Rectification, Some(&item))).await;
    let due = case(&town, &asked.id).await;
    assert_eq!((due.status, due.due.as_str()), (Status::Requested, "2026-04-02"));
    // The owner's system finds it by an ordinary search, and the others do not.
    let pairs = vec![
        ("owner:identifier".to_owned(), MUNICIPALITY.to_owned()),
        ("status".to_owned(), "requested".to_owned()),
    ];
    let query = || Query::read(Parameters::r4(), Scope::Type("Task"), &pairs).unwrap();
    let found = town.tenant.search(&owner, query(), None).await.unwrap();
    assert_eq!(found.matches.iter().map(|it| &it.id).collect::<Vec<_>>(), [&asked.id]);
    assert_eq!(
        rule(town.tenant.search(&other, query(), None).await),
        Some(Rule::CategoryNotAgreed)
    );
    let step = async |caller: &Caller, step, said| {
        town.tenant.advance(caller, &asked.id, step, said).await
    };
    assert_eq!(
        rule(step(&other, Step::Receive, Said::default()).await),
        Some(Rule::CategoryNotAgreed)
    );
    assert_eq!(rule(step(&nurse(), Step::Receive, Said::default()).await), Some(Rule::NoDuty));
    assert_eq!(rule(step(&me, Step::Receive, Said::default()).await), Some(Rule::NotASystem));
    // No step is passed over.
    assert!(matches!(
        step(&owner, Step::Complete, Said::default()).await,
        Err(Failure::Invalid(_))
    ));
    step(&owner, Step::Receive, Said::default()).await.unwrap();
    step(&owner, Step::Start, Said::default()).await.unwrap();
    // Nothing has been corrected yet.
    assert!(matches!(
        step(&owner, Step::Complete, Said::default()).await,
        Err(Failure::Invalid(_))
    ));
    town.clock.set(NOW + DAY);
    let corrected = town.one(&owner, put(&item.id, pulse(&fnr(0), None, 71), None)).await.unwrap();
    step(&owner, Step::Complete, Said::default()).await.unwrap();
    let stored = town.tenant.read(&me, "Task", &asked.id).await.unwrap();
    let done = json::parse(&stored.body).unwrap();
    let output = done.at("output").unwrap().as_array().unwrap()[0].clone();
    let version = format!("Observation/{}/_history/{}", item.id, corrected.version);
    assert_eq!(output.at("valueReference.reference").unwrap().as_str(), Some(version.as_str()));
    let steps = task::read(&done).unwrap().steps;
    let said: Vec<&str> = steps.iter().map(|(_, _, said)| said.as_str()).collect();
    assert_eq!(said, ["receive", "start", "complete"]);
    assert!(matches!(
        step(&owner, Step::Reject, because("for sent")).await,
        Err(Failure::Invalid(_))
    ));
}

#[tokio::test]
async fn no_other_door_makes_or_changes_a_request() {
    let town = Town::new();
    let me = resident(&fnr(0));
    let asked = ask(&town, &me, wanted(Right::Erasure, None)).await;
    let stored = town.tenant.read(&me, "Task", &asked.id).await.unwrap();
    let mut forged = json::parse(&stored.body).unwrap();
    forged.as_object_mut().unwrap().remove("meta");
    forged.as_object_mut().unwrap().set("status", "completed");
    let plain = json!({
        "resourceType": "Task", "status": "requested", "intent": "order",
        "for": { "identifier": { "system": FNR, "value": fnr(0) } },
    });
    let before = town.end();
    for caller in [&me, &system("app"), &officer(), &nurse()] {
        let delete = exchange::submission::Operation::delete("Task", asked.id.clone());
        let all =
            [put(&asked.id, forged.clone(), None), put(&asked.id, plain.clone(), None), delete];
        for operation in all {
            assert!(town.one(caller, operation).await.is_err());
        }
        let mut new = forged.clone();
        new.as_object_mut().unwrap().remove("id");
        assert!(town.one(caller, create(new)).await.is_err());
    }
    assert_eq!(town.end(), before);
    // A system's own tasks are its own.
    town.create(&system("app"), plain).await;
}

#[tokio::test]
async fn an_answer_is_put_off_once_and_refused_with_a_reason() {
    let town = Town::new();
    let (me, officer) = (resident(&fnr(0)), officer());
    let asked = ask(&town, &me, wanted(Right::Erasure, None)).await;
    let step = async |caller: &Caller, step, said| {
        town.tenant.advance(caller, &asked.id, step, said).await
    };
    assert!(matches!(
        step(&officer, Step::Extend, Said::default()).await,
        Err(Failure::Invalid(_))
    ));
    assert!(matches!(step(&officer, Step::Extend, because("  ")).await, Err(Failure::Invalid(_))));
    step(&officer, Step::Extend, because("Mange journaler må leses")).await.unwrap();
    let put_off = case(&town, &asked.id).await;
    assert_eq!((put_off.due.as_str(), put_off.extended), ("2026-06-02", true));
    assert_eq!(put_off.reason.as_deref(), Some("Mange journaler må leses"));
    assert!(step(&officer, Step::Extend, because("igjen")).await.is_err());
    let list = town.tenant.open_requests(&officer).await.unwrap();
    assert_eq!(list.iter().map(|it| it.is_overdue).collect::<Vec<_>>(), [false]);
    let second = ask(&town, &me, wanted(Right::Information, None)).await;
    town.clock.set(NOW + 40 * DAY);
    // The one that is late comes first, though it was asked last.
    let list = town.tenant.open_requests(&officer).await.unwrap();
    let told: Vec<_> = list.iter().map(|it| (it.id.clone(), it.is_overdue)).collect();
    assert_eq!(told, [(second.id, true), (asked.id.clone(), false)]);
    assert!(step(&officer, Step::Reject, Said::default()).await.is_err());
    step(&officer, Step::Reject, because("Trengs for videre hjelp")).await.unwrap();
    assert_eq!(case(&town, &asked.id).await.status, Status::Rejected);
    assert_eq!(rule(town.tenant.open_requests(&nurse()).await), Some(Rule::NoDuty));
    assert_eq!(rule(town.tenant.open_requests(&me).await), Some(Rule::NotSelf));
}

#[tokio::test]
async fn a_resident_asks_for_themself_and_takes_it_back() {
    let town = Town::new();
    let (me, stranger) = (resident(&fnr(0)), resident(&fnr(1)));
    let theirs = town.create(&system("app"), pulse(&fnr(1), None, 61)).await;
    let patient = id_of(&town, 0);
    let by = async |caller: &Caller, wanted| town.tenant.ask(caller, &patient, wanted).await;
    assert_eq!(rule(by(&stranger, wanted(Right::Copy, None)).await), Some(Rule::NotSelf));
    let others = by(&me, wanted(Right::Rectification, Some(&theirs))).await;
    assert!(matches!(others, Err(Failure::NotFound)));
    let empty = Wanted { text: " ".to_owned(), ..wanted(Right::Copy, None) };
    assert!(matches!(by(&me, empty).await, Err(Failure::Invalid(_))));
    let asked = by(&me, wanted(Right::Copy, None)).await.unwrap();
    let back = town.tenant.advance(&stranger, &asked.id, Step::Withdraw, Said::default()).await;
    assert_eq!(rule(back), Some(Rule::NotSelf));
    let back = town.tenant.advance(&officer(), &asked.id, Step::Withdraw, Said::default()).await;
    assert_eq!(rule(back), Some(Rule::NotSelf));
    town.tenant.advance(&me, &asked.id, Step::Withdraw, Said::default()).await.unwrap();
    assert_eq!(case(&town, &asked.id).await.status, Status::Withdrawn);
}

/// What a copy holds, as `Type/id`.
async fn copied(town: &Town, caller: &Caller, given: &[(&str, &str)]) -> Result<Value, Failure> {
    let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let given = Given::of_pairs(given.collect());
    let base = ("https://x/9901/fhir".to_owned(), "https://x/9901/log".to_owned());
    let id = id_of(town, 0);
    let mut copy = town.tenant.clone().copy(caller, &id, &given, base).await?;
    let mut all = Vec::new();
    while let Some(chunk) = copy.next_chunk()? {
        all.extend(chunk);
    }
    Ok(json::parse(&all).unwrap())
}

fn names(bundle: &Value) -> BTreeSet<String> {
    let name = |entry: &Value| {
        let resource = entry.get("resource").unwrap();
        format!("{}/{}", resource.text("resourceType").unwrap(), resource.text("id").unwrap())
    };
    bundle.items("entry").iter().map(name).collect()
}

fn labelled(number: &str, label: &str, beats: u32) -> Value {
    let mut value = pulse(number, None, beats);
    let security = json!([{ "system": "urn:oid:2.16.578.1.12.4.1.1.9603", "code": label }]);
    value.as_object_mut().unwrap().set("meta", json!({ "security": security }));
    value
}

/// What somebody finds of the first person by searches of every type.
async fn searched(town: &Town, caller: &Caller) -> BTreeSet<String> {
    let pairs = vec![("_count".to_owned(), "1000".to_owned())];
    let patient = id_of(town, 0);
    let scope = Scope::Compartment { kind: "Patient", id: &patient, of: None };
    let query = Query::read(Parameters::r4(), scope, &pairs).unwrap();
    let page = town.tenant.search(caller, query, None).await.unwrap();
    page.matches.iter().map(|it| format!("{}/{}", it.kind, it.id)).collect()
}

#[tokio::test]
async fn a_copy_tells_whose_each_item_is_and_why_it_is_kept() {
    let town = Town::new();
    let me = resident(&fnr(0));
    town.create(&system("plo"), patient(&[(FNR, &fnr(0))], "Nordmann")).await;
    town.create(&system("plo"), pulse(&fnr(0), None, 61)).await;
    let basic = json!({
        "resourceType": "Basic",
        "code": { "text": "Søvn" },
        "subject": { "identifier": { "system": FNR, "value": fnr(0) } },
    });
    town.create(&system("app"), basic).await;
    let whole = copied(&town, &me, &[]).await.unwrap();
    assert_eq!(whole.text("type"), Some("collection"));
    for entry in whole.items("entry") {
        let basis = &entry.items("extension")[0];
        assert_eq!(basis.text("url"), Some(BASIS));
        let parts: BTreeSet<&str> =
            basis.items("extension").iter().filter_map(|part| part.text("url")).collect();
        let all = ["category", "legalBasis", "owner", "portable", "recorded", "source"];
        assert_eq!(parts, BTreeSet::from(all));
    }
    let kinds = |bundle: &Value| -> Vec<String> {
        let kind =
            |entry: &Value| entry.at("resource.resourceType").unwrap().as_str().unwrap().to_owned();
        bundle.items("entry").iter().map(kind).collect()
    };
    assert_eq!(kinds(&whole)[..3], ["Patient", "Observation", "Basic"]);
    // The deliveries, and this copy: it was in the log before it left.
    assert_eq!(kinds(&whole).iter().filter(|kind| *kind == "AuditEvent").count(), 4);
    let portable = copied(&town, &me, &[("portable", "true")]).await.unwrap();
    assert_eq!(kinds(&portable), ["Basic"]);
    assert_eq!(rule(copied(&town, &resident(&fnr(1)), &[]).await), Some(Rule::NotSelf));
    assert_eq!(rule(copied(&town, &system("app"), &[]).await), Some(Rule::NotShared));
    assert_eq!(rule(copied(&town, &nurse(), &[]).await), Some(Rule::NoDuty));
}

#[tokio::test]
async fn a_privacy_officer_gives_a_copy_that_was_asked_for_and_no_other() {
    let town = Town::new();
    let (me, officer) = (resident(&fnr(0)), officer());
    town.create(&system("plo"), pulse(&fnr(0), None, 61)).await;
    town.create(&system("plo"), labelled(&fnr(0), "NORN_FFL", 62)).await;
    assert!(matches!(
        copied(&town, &officer, &[]).await,
        Err(Failure::Malformed(_) | Failure::Invalid(_))
    ));
    let other = ask(&town, &me, wanted(Right::Erasure, None)).await;
    assert!(copied(&town, &officer, &[("request", &other.id)]).await.is_err());
    let asked = ask(&town, &me, wanted(Right::Copy, None)).await;
    let given = copied(&town, &officer, &[("request", &asked.id)]).await.unwrap();
    let own = copied(&town, &me, &[]).await.unwrap();
    let clinical = |bundle: &Value| -> BTreeSet<String> {
        names(bundle).into_iter().filter(|name| !name.starts_with("AuditEvent/")).collect()
    };
    assert_eq!(clinical(&given), clinical(&own));
    town.tenant.advance(&me, &asked.id, Step::Withdraw, Said::default()).await.unwrap();
    assert!(copied(&town, &officer, &[("request", &asked.id)]).await.is_err());
    // The resident sees who got it.
    let person = town.tenant.person(&fnr(0)).unwrap();
    let looks =
        town.tenant.access_log(&me, person, exchange::overview::Looks::OfOthers, 50).await.unwrap();
    assert!(looks.iter().any(|it| it.action == "copy" && it.role == "privacy-officer"));
}

#[tokio::test]
async fn what_cannot_be_logged_is_not_given() {
    let town = Town::new();
    town.create(&system("plo"), pulse(&fnr(0), None, 61)).await;
    town.random.closed.store(true, std::sync::atomic::Ordering::SeqCst);
    let copy = copied(&town, &resident(&fnr(0)), &[]).await;
    assert!(matches!(copy, Err(Failure::Unavailable(_))));
    let given = Given::of_pairs(Vec::new());
    let readable = town.tenant.readable_copy(&resident(&fnr(0)), &id_of(&town, 0), &given).await;
    assert!(matches!(readable, Err(Failure::Unavailable(_))));
}

/// What a record may be made of.
#[derive(Clone, Debug)]
enum Kept {
    Pulse(u32),
    Labelled(&'static str),
    OfAnother(u32),
    Removed,
    Withheld,
}

fn kept() -> impl Strategy<Value = Kept> {
    prop_oneof![
        (40u32..120).prop_map(Kept::Pulse),
        prop_oneof![
            Just("NORS"),
            Just("NORU"),
            Just("NORN_FFL"),
            Just("NORN_ALL"),
            Just("NORN_UNGDOM")
        ]
        .prop_map(Kept::Labelled),
        (40u32..120).prop_map(Kept::OfAnother),
        Just(Kept::Removed),
        Just(Kept::Withheld),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// A copy, for programs and for people, holds what the resident finds by searching, and nothing else;
    /// so nothing that is labelled away, and all that the resident withholds from others.
    #[test]
    fn a_copy_is_what_the_resident_can_find(all in prop::collection::vec(kept(), 1..8)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        runtime.unwrap().block_on(async {
            let town = Town::new();
            let (source, me) = (system("plo"), resident(&fnr(0)));
            for kept in &all {
                match kept {
                    Kept::Pulse(beats) => drop(town.create(&source, pulse(&fnr(0), None, *beats)).await),
                    Kept::Labelled(label) => {
                        drop(town.create(&source, labelled(&fnr(0), label, 60)).await);
                    }
                    Kept::OfAnother(beats) => {
                        drop(town.create(&source, pulse(&fnr(1), None, *beats)).await);
                    }
                    Kept::Removed => {
                        let id = town.create(&source, pulse(&fnr(0), None, 60)).await.id;
                        let delete = exchange::submission::Operation::delete("Observation", id);
                        town.one(&source, delete).await.unwrap();
                    }
                    Kept::Withheld => {
                        let what = access::restriction::What::default();
                        let against = access::restriction::Against::Everyone;
                        let reader = exchange::control::Reader::Named(against);
                        let wish = exchange::control::Wish { reader, what, in_emergency: true };
                        town.tenant.restrict(&me, &fnr(0), wish).await.unwrap();
                    }
                }
            }
            let found = searched(&town, &me).await;
            let copy = names(&copied(&town, &me, &[]).await.unwrap());
            let copy: BTreeSet<String> =
                copy.into_iter().filter(|it| !it.starts_with("AuditEvent/")).collect();
            assert_eq!(copy, found);
            let given = Given::of_pairs(Vec::new());
            let readable =
                town.tenant.readable_copy(&me, &id_of(&town, 0), &given).await.unwrap();
            let lines: usize = readable.sections.iter().map(|it| it.lines.len()).sum();
            assert_eq!(lines, found.len());
            assert!(readable.incomplete.is_empty() && readable.left_out == 0);
            for section in &readable.sections {
                assert!(Catalogue::get().category(&section.category.key).is_some());
            }
        });
    }
}
