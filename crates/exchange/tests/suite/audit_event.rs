//! The log as FHIR, and proofs about it.

use std::collections::BTreeSet;

use access::caller::{Caller, Party};
use exchange::audit::AuditRecord;
use exchange::audit_event::{PROFILE, print};
use exchange::error::Failure;
use exchange::proof::Log;
use exchange::rules::rules;
use exchange::searchset::Pairs;
use exchange::submission::Channel;
use fhir::issue::Issue;
use fhir::json;
use fhir::query::Query;
use fhir::resource::Resource;
use fhir::value::Value;
use ledger::merkle::is_consistent;
use ledger::note::{Checkpoint, Proof, VerifierKey};
use record::entry::{Entry, Kind};
use record::identity::{PersonId, contains_number};

use crate::town::{
    FNR, NOW, Town, case_worker, fnr, nurse, officer, patient, pulse, resident, system,
};

const GOLDEN: &str = include_str!("../../../../cases/formats/v1/audit-record.txt");

fn pairs(of: &[(&str, &str)]) -> Pairs {
    of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Everything that refuses, by R4 and the profiles it declares.
fn faults(event: &Value) -> Vec<String> {
    let resource = Resource::from_value(event.clone()).unwrap();
    let issues = rules().judge(&resource, Channel::Fhir, &[]);
    let told = |issue: &Issue| format!("{} {}", issue.location, issue.message);
    issues.iter().filter(|issue| issue.refuses()).map(told).collect()
}

fn is_by_profile(event: &Value) -> bool {
    event.all_at("meta.profile").iter().any(|it| it.as_str() == Some(PROFILE))
}

/// A search of the log; the events, and the link to go on.
async fn search(town: &Town, caller: &Caller, of: &[(&str, &str)]) -> (Vec<Value>, Option<Pairs>) {
    let bundle = town.tenant.audit_events(caller, &pairs(of), true, "http://log").await.unwrap();
    let bundle = json::parse(&bundle).unwrap();
    let events: Vec<Value> =
        bundle.items("entry").iter().filter_map(|entry| entry.get("resource").cloned()).collect();
    let links = bundle.items("link");
    for link in links {
        assert!(!contains_number(link.text("url").unwrap()));
    }
    let next = links.iter().find(|link| link.text("relation") == Some("next"));
    let next = next.map(|link| {
        let query = link.text("url").unwrap().split_once('?').unwrap().1;
        form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    });
    (events, next)
}

fn action(event: &Value) -> &str {
    let own = |coding: &&Value| coding.text("system").is_some_and(|it| it.contains("fkj.no"));
    event.items("subtype").iter().find(own).unwrap().text("code").unwrap()
}

/// A town where every sort of caller has done what they do.
async fn busy() -> Town {
    let town = Town::new();
    let plo = system("plo");
    for n in 0..2 {
        town.create(&plo, patient(&[(FNR, &fnr(n))], "Ås")).await;
        town.create(&plo, pulse(&fnr(n), None, 70)).await;
    }
    let person = town.tenant.person(&fnr(0)).unwrap();
    town.tenant.overview(&case_worker(), person).await.unwrap();
    town.tenant.news2(&resident(&fnr(0)), person).await.unwrap();
    let of = [("patient.identifier".to_owned(), fnr(0))];
    let observations = || Query::parse("Observation", &of).unwrap();
    town.tenant.search(&case_worker(), observations(), None).await.unwrap();
    town.tenant.overview(&nurse(), person).await.unwrap_err();
    town.tenant.overview(&resident(&fnr(1)), person).await.unwrap_err();
    let all = Query::parse("Observation", &[]).unwrap();
    town.tenant.search(&plo, all, None).await.unwrap();
    town
}

#[tokio::test]
async fn every_event_is_valid_and_a_look_at_work_follows_the_norwegian_profile() {
    let town = busy().await;
    let mut nurse = nurse();
    if let Party::Practitioner(practitioner) = &mut nurse.party {
        practitioner.hpr = Some("222900029".to_owned());
        let attest = practitioner.attest.as_mut().unwrap();
        attest.department = Some("kad-1".into());
        attest.healthcare_service = Some("urn:oid:2.16.578.1.12.4.1.1.8663|KP02".into());
        attest.purpose_details = Some("25".to_owned());
    }
    let person = town.tenant.person(&fnr(0)).unwrap();
    town.tenant.news2(&nurse, person).await.unwrap();
    let (events, _) = search(&town, &officer(), &[("_count", "1000")]).await;
    assert!(events.len() >= 12, "{}", events.len());
    let mut kinds = BTreeSet::new();
    for event in &events {
        assert_eq!(faults(event), [""; 0], "{}", json::print(event));
        assert!(!contains_number(&json::print(event)), "no identity number");
        let at_work = event.all_at("contained.resourceType").len() > 1;
        kinds.insert((at_work, is_by_profile(event), event.text("outcome").unwrap().to_owned()));
    }
    let zero = || "0".to_owned();
    assert!(kinds.contains(&(true, true, zero())) && kinds.contains(&(true, true, "4".to_owned())));
    assert!(kinds.contains(&(false, false, zero())));
    let full = &events[0];
    assert_eq!(action(full), "news2");
    let kinds: Vec<_> =
        full.all_at("contained.resourceType").into_iter().filter_map(Value::as_str).collect();
    assert_eq!(
        kinds,
        [
            "Practitioner",
            "Organization",
            "Organization",
            "Location",
            "PractitionerRole",
            "Encounter"
        ]
    );
    let urls: Vec<_> = full.items("extension").iter().filter_map(|it| it.text("url")).collect();
    assert_eq!(urls.len(), 3, "{urls:?}");
    let position = town.tenant.visible().to_string();
    let details = full.all_at("entity.detail");
    let told = |name: &str| {
        let detail = details.iter().find(|it| it.text("type") == Some(name));
        detail.and_then(|it| it.text("valueString"))
    };
    assert_eq!(told("position"), Some(position.as_str()));
    // A profile that is not followed is seen: nobody at a place.
    let mut bent = full.clone();
    let role = bent.as_object_mut().unwrap().get_mut("agent").unwrap();
    *role = json!([{ "who": { "display": "somebody" }, "requestor": true }]);
    let demanded =
        rules().judge(&Resource::from_value(full.clone()).unwrap(), Channel::Fhir, &[PROFILE]);
    assert!(!demanded.iter().any(Issue::refuses));
    bent.as_object_mut().unwrap().remove("extension");
    assert!(!faults(&bent).is_empty());
}

#[test]
fn what_earlier_versions_wrote_reads_and_prints() {
    let entry = |n: u64| Entry {
        position: n,
        recorded_at: NOW,
        kind: Kind::Audit,
        source: "x".to_owned(),
        source_event_id: None,
        owner: "310070001".to_owned(),
        person: Some(PersonId([7; 16])),
        category: "access".to_owned(),
        content_mac: [0; 16],
        body_hash: [0; 32],
        prev_hash: [0; 32],
    };
    let mut seen = Vec::new();
    for (n, line) in (1..).zip(GOLDEN.lines().filter(|line| line.starts_with('{'))) {
        let record: AuditRecord = serde_json::from_str(line).unwrap();
        if record.v == 2 {
            assert_eq!(serde_json::to_string(&record).unwrap(), line);
        }
        let event = print(&entry(n), &record, |_| Some("Legevakta".to_owned()));
        assert_eq!(faults(&event), [""; 0], "{line}");
        seen.push((record.party().to_owned(), is_by_profile(&event)));
    }
    let expected =
        ["practitioner", "system", "resident", "practitioner", "practitioner", "practitioner"];
    let parties: Vec<&str> = seen.iter().map(|(party, _)| party.as_str()).collect();
    assert_eq!(parties, expected);
    // Without a number or subject, version 1's refusal does not say who well enough.
    let by_profile: Vec<bool> = seen.iter().map(|(_, by_profile)| *by_profile).collect();
    assert_eq!(by_profile, [true, false, false, false, true, true]);
}

#[tokio::test]
async fn the_log_is_the_residents_own_and_the_officers_and_nobody_elses() {
    let town = busy().await;
    let (own, _) = search(&town, &resident(&fnr(0)), &[("_count", "1000")]).await;
    let person = town.tenant.person(&fnr(0)).unwrap();
    let about = format!("Patient/{person}");
    for event in &own {
        let patients = event.all_at("extension.valueReference.reference");
        assert!(patients.iter().any(|it| it.as_str() == Some(about.as_str())));
    }
    assert!(own.iter().any(|event| event.text("outcome") == Some("4")));
    let (all, _) = search(&town, &officer(), &[("_count", "1000")]).await;
    assert!(all.len() > own.len());
    let refused = |result: Result<Vec<u8>, Failure>| match result {
        Err(Failure::Refused(refusal)) => refusal.rule.code(),
        other => panic!("not refused: {:?}", other.map(|_| ())),
    };
    let ask = |caller: Caller, of: &'static [(&str, &str)]| {
        let town = &town;
        async move { refused(town.tenant.audit_events(&caller, &pairs(of), true, "").await) }
    };
    // `app` has an agreement for every category, this one too.
    assert_eq!(ask(system("app"), &[]).await, "not-shared");
    assert_eq!(ask(nurse(), &[]).await, "category-not-for-role");
    let mut weak = officer();
    let mut foreign = officer();
    if let Party::Practitioner(practitioner) = &mut weak.party {
        practitioner.security_level = 3;
    }
    foreign.organisation = Some("993467049".to_owned());
    assert_eq!(ask(weak, &[]).await, "weak-login");
    assert_eq!(ask(foreign, &[]).await, "other-municipality");
    let mut of = pairs(&[]);
    of.push(("patient".to_owned(), about.clone()));
    let other = town.tenant.audit_events(&resident(&fnr(1)), &of, true, "").await;
    assert_eq!(refused(other), "not-self");
    // Each of these looks and refusals is in the log itself.
    let (looks, _) =
        search(&town, &officer(), &[("subtype", "audit-events"), ("_count", "1000")]).await;
    let outcomes: Vec<&str> = looks.iter().filter_map(|it| it.text("outcome")).collect();
    assert_eq!(outcomes.iter().filter(|it| **it == "4").count(), 5);
    let (residents, _) = search(&town, &resident(&fnr(0)), &[("agent-name", "personvern")]).await;
    assert!(!residents.is_empty(), "a resident sees that the officer looked");
    // One event, by its id.
    let mine = own[0].text("id").unwrap();
    let read = town.tenant.audit_event_at(&resident(&fnr(0)), mine).await.unwrap();
    assert_eq!(read, own[0]);
    let is_anothers = |event: &&Value| {
        event
            .all_at("extension.valueReference.reference")
            .iter()
            .all(|it| it.as_str() != Some(&about))
    };
    let theirs = all.iter().find(is_anothers).unwrap().text("id").unwrap();
    let hidden = town.tenant.audit_event_at(&resident(&fnr(0)), theirs).await;
    assert!(matches!(hidden, Err(Failure::NotFound)));
    assert!(town.tenant.audit_event_at(&officer(), theirs).await.is_ok());
}

#[tokio::test]
async fn parameters_find_what_they_say() {
    let town = busy().await;
    let ids = |events: &[Value]| -> BTreeSet<String> {
        events.iter().map(|event| event.text("id").unwrap().to_owned()).collect()
    };
    let (all, _) = search(&town, &officer(), &[("_count", "1000")]).await;
    let person = town.tenant.person(&fnr(0)).unwrap();
    let about = format!("Patient/{person}");
    let number = format!("{FNR}|{}", fnr(0));
    let has = |event: &Value, path: &str, text: &str| {
        event.all_at(path).iter().any(|it| it.as_str() == Some(text))
    };
    type Fits<'a> = Box<dyn Fn(&Value) -> bool + 'a>;
    let tests: Vec<(&str, &str, Fits<'_>)> = vec![
        ("patient", &about, Box::new(|it| has(it, "extension.valueReference.reference", &about))),
        (
            "patient.identifier",
            &number,
            Box::new(|it| has(it, "extension.valueReference.reference", &about)),
        ),
        ("action", "C", Box::new(|it| it.text("action") == Some("C"))),
        ("outcome", "4", Box::new(|it| it.text("outcome") == Some("4"))),
        ("subtype", "overview,news2", Box::new(|it| ["overview", "news2"].contains(&action(it)))),
        ("purpose", "COC", Box::new(|it| has(it, "purposeOfEvent.coding.code", "COC"))),
        ("agent", "plo", Box::new(|it| has(it, "agent.altId", "plo"))),
        ("agent-name", "vedtak", Box::new(|it| has(it, "agent.name", "Saksbehandler Vedtaksen"))),
        ("agent-role", "saksbehandler", Box::new(|it| has(it, "agent.role.text", "saksbehandler"))),
        ("entity-type", "Observation", Box::new(|it| has(it, "entity.type.code", "Observation"))),
        ("date", "2026-03-02", Box::new(|_| true)),
        ("date", "gt2026-03-02", Box::new(|_| false)),
        ("date", "lt2026-03-02", Box::new(|_| false)),
    ];
    let last = ids(&all).into_iter().filter_map(|id| id.parse::<u64>().ok()).max().unwrap();
    for (name, value, fits) in tests {
        // Looks into the log come to it while it is asked.
        let (found, _) = search(&town, &officer(), &[(name, value), ("_count", "1000")]).await;
        let found: BTreeSet<String> =
            ids(&found).into_iter().filter(|id| id.parse::<u64>().unwrap() <= last).collect();
        let expected: BTreeSet<String> =
            all.iter().filter(|it| fits(it)).map(|it| it.text("id").unwrap().to_owned()).collect();
        assert_eq!(found, expected, "{name}={value}");
    }
    let one = all[3].text("id").unwrap();
    let (found, _) = search(&town, &officer(), &[("_id", one)]).await;
    assert_eq!(found, all[3..4]);
    for (name, value) in
        [("date", "yesterday"), ("_count", "many"), ("colour", "red"), ("_sort", "date")]
    {
        let of = pairs(&[(name, value)]);
        let answer = town.tenant.audit_events(&officer(), &of, true, "").await;
        assert!(matches!(answer, Err(Failure::Malformed(_))), "{name}");
    }
}

#[tokio::test]
async fn pages_are_stable_while_the_log_grows() {
    let town = busy().await;
    let (all, _) = search(&town, &officer(), &[("_count", "1000")]).await;
    let mut seen: Vec<Value> = Vec::new();
    let mut next = Some(pairs(&[("_count", "3"), ("_id", "")]));
    next.as_mut().unwrap().pop();
    let first = town.tenant.audit().head().unwrap().position;
    while let Some(of) = next {
        let of: Vec<(&str, &str)> = of.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let (page, more) = search(&town, &officer(), &of).await;
        assert!(page.len() <= 3);
        seen.extend(page);
        next = more;
    }
    let from_then: Vec<Value> = seen
        .iter()
        .filter(|it| it.text("id").unwrap().parse::<u64>().unwrap() <= first)
        .cloned()
        .collect();
    // The first look at all is itself in the log by then, once for each person it showed.
    let known = from_then.len() - all.len();
    assert!(known > 0 && from_then[known..] == all[..], "{known}");
    let distinct: BTreeSet<_> = seen.iter().map(|it| it.text("id").unwrap()).collect();
    assert_eq!(distinct.len(), seen.len());
    let bent = town.tenant.audit_events(&officer(), &pairs(&[("_cursor", "5")]), true, "").await;
    assert!(matches!(bent, Err(Failure::Malformed(_))));
}

#[tokio::test]
async fn an_entry_is_proven_to_whoever_may_see_it() {
    let town = busy().await;
    let tenant = &town.tenant;
    let key = VerifierKey::parse(&tenant.checkpoint_key(Log::Audit).unwrap()).unwrap();
    let own = search(&town, &resident(&fnr(0)), &[("subtype", "overview")]).await.0;
    let position = own[0].text("id").unwrap().parse().unwrap();
    let proof = tenant.prove(&resident(&fnr(0)), Log::Audit, position, None).await.unwrap();
    let (proof, checkpoint) = Proof::verify(&proof, &key).unwrap();
    assert_eq!(proof.entry.position, position);
    assert_eq!(proof.entry.person, Some(tenant.person(&fnr(0)).unwrap()));
    for caller in [resident(&fnr(1)), nurse(), system("app")] {
        assert!(tenant.prove(&caller, Log::Audit, position, None).await.is_err());
    }
    let later = tenant.prove(&officer(), Log::Audit, position + 1, None).await.unwrap();
    let (_, later) = Proof::verify(&later, &key).unwrap();
    assert!(later.size > checkpoint.size);
    let path = tenant.consistency(Log::Audit, checkpoint.size, later.size).unwrap();
    assert!(is_consistent((checkpoint.size, &checkpoint.root), (later.size, &later.root), &path));
    let earlier =
        tenant.prove(&officer(), Log::Audit, position, Some(checkpoint.size)).await.unwrap();
    assert_eq!(Proof::verify(&earlier, &key).unwrap().1, checkpoint);
    let none = tenant.prove(&officer(), Log::Audit, 99_999, None).await;
    assert!(matches!(none, Err(Failure::NotFound)));
    // The clinical ledger has its own log under the same key.
    let clinical = VerifierKey::parse(&tenant.checkpoint_key(Log::Clinical).unwrap()).unwrap();
    assert_eq!((clinical.key, clinical.origin == key.origin), (key.key, false));
    let proof = tenant.prove(&officer(), Log::Clinical, 1, None).await.unwrap();
    assert!(Proof::verify(&proof, &clinical).is_ok());
    let note = tenant.checkpoint(Log::Clinical, None).unwrap();
    assert!(Checkpoint::open(&note, &clinical).is_ok() && Checkpoint::open(&note, &key).is_err());
}
