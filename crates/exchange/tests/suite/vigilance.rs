//! The analysis of the log, from looks to conclusions.

use std::fs;

use access::caller::{Caller, Party};
use access::vigilance::day::Day;
use access::vigilance::finding::Rule;
use access::vigilance::settings::Settings;
use exchange::error::Failure;
use exchange::vigilance::list::Listed;
use exchange::vigilance::review::Standing;
use fhir::json;
use record::decision::Inquiry;

use crate::town::{FNR, NOW, Town, WARD, admin, fnr, nurse, patient, pulse, system};

const DAY: i64 = 24 * 60 * 60 * 1000;

/// A town where the nurse has looked a lot at one patient, a namesake, and once at another.
async fn looked() -> Town {
    let town = Town::new();
    let plo = system("plo");
    for (number, family) in [(0, "Vaktsen"), (1, "Ås")] {
        town.create(&plo, patient(&[(FNR, &fnr(number))], family)).await;
        town.create(&plo, pulse(&fnr(number), None, 70)).await;
    }
    let namesake = town.tenant.person(&fnr(0)).unwrap();
    for _ in 0..7 {
        town.tenant.news2(&nurse(), namesake).await.unwrap();
    }
    let other = town.tenant.person(&fnr(1)).unwrap();
    town.tenant.news2(&nurse(), other).await.unwrap();
    town
}

async fn listed(town: &Town, all: bool) -> Vec<Listed> {
    town.tenant.work_list(&admin("admin-2"), all).await.unwrap()
}

fn rules(listed: &Listed) -> Vec<&'static str> {
    listed.finding.signs.iter().map(|sign| sign.of.rule().code()).collect()
}

#[tokio::test]
async fn a_settled_day_is_asked_about_once_and_concluded() {
    let town = looked().await;
    assert_eq!(town.tenant.analyse_settled().unwrap().days, 0, "the day is not settled yet");
    town.clock.set(NOW + 5 * DAY);
    let ran = town.tenant.analyse_settled().unwrap();
    assert_eq!((ran.days, ran.findings), (1, 1));
    assert_eq!(town.tenant.analyse_settled().unwrap().days, 0, "a day is analysed once");

    let list = listed(&town, false).await;
    assert_eq!(list.len(), 1);
    assert_eq!(rules(&list[0]), ["no-relation", "thorough"]);
    assert_eq!((list[0].unit.as_str(), list[0].finding.count), ("Korttidsavdelingen", 7));
    assert_eq!(list[0].finding.person, Some(town.tenant.person(&fnr(0)).unwrap()));

    let (id, why) = (list[0].finding.id(), || "vikar for en syk kollega".to_owned());
    let officer = admin("admin-2");
    let settle = |who: Caller, outcome| {
        let (tenant, id) = (town.tenant.clone(), id.clone());
        async move { tenant.settle_finding(&who, &id, outcome, why()).await }
    };
    let refused = settle(admin("leader"), Inquiry::Explained).await;
    assert!(matches!(refused, Err(Failure::Refused(_))));
    let first = settle(officer.clone(), Inquiry::Explained).await.unwrap();
    assert_eq!(settle(officer.clone(), Inquiry::Explained).await.unwrap(), first);
    assert_eq!(listed(&town, false).await.len(), 0);
    let all = listed(&town, true).await;
    assert_eq!(all[0].outcome(), Inquiry::Explained);
    assert_eq!(all[0].settled.as_ref().unwrap().act.why, why());
    settle(officer, Inquiry::Open).await.unwrap();
    assert_eq!(listed(&town, false).await.len(), 1, "it can be taken up again");
    let officer = admin("admin-2");
    let missing = town.tenant.settle_finding(&officer, "99", Inquiry::Open, why()).await;
    assert!(matches!(missing, Err(Failure::NotFound)));
}

#[tokio::test]
async fn findings_can_be_made_again_and_are_forgotten() {
    let town = looked().await;
    town.clock.set(NOW + 5 * DAY);
    town.tenant.analyse_settled().unwrap();
    let before = listed(&town, true).await;
    let file = town.dir.path().join("vigilance");
    let kept = fs::read_to_string(&file).unwrap();
    assert!(!kept.contains("Vaktsen"), "the file is sealed");

    // Without the file, and with one that somebody has bent, everything is made again from the log.
    for broken in [None, Some(kept.replacen('a', "b", 1))] {
        let town = town.opened_again(|| match &broken {
            None => fs::remove_file(&file).unwrap(),
            Some(text) => fs::write(&file, text).unwrap(),
        });
        assert_eq!(listed(&town, true).await.len(), 0);
        town.tenant.analyse_settled().unwrap();
        let again = listed(&town, true).await;
        assert_eq!(again[0].finding, before[0].finding);
    }
}

#[tokio::test]
async fn who_asks_is_in_the_log_and_nobody_else_is_told() {
    let town = looked().await;
    let before = town.tenant.audit().head().unwrap().position;
    for who in ["leader", "somebody"] {
        let refused = town.tenant.work_list(&admin(who), false).await;
        assert!(matches!(refused, Err(Failure::Refused(_))), "{who}");
    }
    listed(&town, false).await;
    let refused = town.tenant.accesses(&admin("somebody")).await;
    assert!(matches!(refused, Err(Failure::Refused(_))));
    assert_eq!(town.tenant.audit().head().unwrap().position, before + 4);
}

#[tokio::test]
async fn a_relation_in_the_record_explains_and_a_bond_from_the_list_does_not() {
    let town = looked().await;
    let plo = system("plo");
    let organisation = json!({
        "resourceType": "Organization",
        "identifier": [{ "system": "urn:oid:2.16.578.1.12.4.1.4.101", "value": WARD }],
        "name": "Korttidsavdelingen",
    });
    let ward = town.create(&plo, organisation).await;
    let stay = json!({
        "resourceType": "EpisodeOfCare",
        "status": "active",
        "patient": { "identifier": { "system": FNR, "value": fnr(0) } },
        "managingOrganization": { "reference": format!("Organization/{}", ward.id) },
        "period": { "start": "2026-02-20" },
    });
    town.create(&plo, stay).await;
    let day = Day::parse("2026-03-02").unwrap();
    let settings = Settings::defaults().unwrap();
    let found = town.tenant.analyse_between(&settings, day, day).unwrap();
    assert_eq!(found.len(), 0, "{found:?}");

    // The personnel system tells that the nurse is the patient.
    let people = format!(r#"{{"staff":[{{"who":"Sykepleier Vaktsen","number":"{}"}}]}}"#, fnr(0));
    assert_eq!(town.tenant.bring_people(&people).unwrap(), 1);
    let kept = fs::read_to_string(town.dir.path().join("people")).unwrap();
    assert!(!kept.contains(&fnr(0)));
    let found = town.tenant.analyse_between(&settings, day, day).unwrap();
    assert!(found.iter().any(|finding| finding.has(Rule::OwnRecord)), "{found:?}");
    for wrong in ["{}x", r#"{"staff":[{"who":"a","number":"12345678901"}]}"#] {
        let refused = town.tenant.bring_people(wrong);
        assert!(matches!(refused, Err(Failure::Malformed(_))), "{wrong}");
    }
}

#[tokio::test]
async fn accesses_are_reviewed_leavers_first() {
    let town = looked().await;
    town.clock.set(NOW + 5 * DAY);
    town.tenant.analyse_settled().unwrap();
    let leader = admin("leader");
    let standing = |town: &Town| {
        let (tenant, leader) = (town.tenant.clone(), leader.clone());
        async move {
            let reviewed = tenant.accesses(&leader).await.unwrap();
            assert_eq!(reviewed.len(), 1);
            assert_eq!((reviewed[0].access.looks, reviewed[0].role.as_str()), (8, "sykepleier"));
            (reviewed[0].access.id.to_string(), reviewed[0].standing)
        }
    };
    let (id, first) = standing(&town).await;
    assert_eq!(first, Standing::Due);
    let say = |needed| {
        let (tenant, leader, id) = (town.tenant.clone(), leader.clone(), id.clone());
        async move { tenant.certify_access(&leader, &id, needed, "sett".to_owned()).await.unwrap() }
    };
    say(true).await;
    assert_eq!(standing(&town).await.1, Standing::Confirmed);
    town.clock.set(NOW + 40 * DAY);
    assert_eq!(standing(&town).await.1, Standing::Due, "a confirmation holds for a month");
    town.clock.set(NOW + 60 * DAY);
    assert_eq!(standing(&town).await.1, Standing::Idle);
    town.tenant
        .bring_people(r#"{"staff":[{"who":"Sykepleier Vaktsen","ended":"2026-03-10"}]}"#)
        .unwrap();
    assert_eq!(standing(&town).await.1, Standing::Left);
    say(false).await;
    assert_eq!(standing(&town).await.1, Standing::Revoked);
    // One's own access is for somebody else to review.
    let mut own = leader.clone();
    if let Party::Practitioner(practitioner) = &mut own.party {
        "Sykepleier Vaktsen".clone_into(&mut practitioner.name);
    }
    let refused = town.tenant.certify_access(&own, &id, true, "meg".to_owned()).await;
    assert!(matches!(refused, Err(Failure::Invalid(_))));
}
