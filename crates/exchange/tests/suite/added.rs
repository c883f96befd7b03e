//! Search parameters that sources add: what they find, when they are followed, and what they never open.

use std::sync::Arc;

use access::caller::Caller;
use access::register::Register;
use exchange::error::Failure;
use exchange::submission::Operation;
use exchange::tenant::{Environment, Tenant, rebuild_view};
use fhir::json;
use fhir::value::Value;

use crate::places::{found, kinds, rule, two};
use crate::town::{
    FNR, Town, case_worker, create, fnr, nurse, patient, pulse, put, resident, system,
};

fn definition(code: &str, status: &str, kind: &str, expression: &str) -> Value {
    let base = expression.split('.').next();
    json!({
        "resourceType": "SearchParameter",
        "url": "http://example.org/SearchParameter/own",
        "name": "Own",
        "status": status,
        "description": "Our own",
        "code": code,
        "base": [base],
        "type": kind,
        "expression": expression,
    })
}

#[tokio::test]
async fn an_added_parameter_counts_for_everybody_and_opens_nothing() {
    let town = Town::new();
    let [one, _] = two(&town).await;
    let app = system("app");
    let own = definition("own-code", "active", "token", "Observation.code");
    town.one(&app, put("own", own.clone(), None)).await.unwrap();
    let about = definition("own-subject", "active", "reference", "Observation.subject");
    town.one(&app, put("own-subject", about, None)).await.unwrap();
    let cases = [
        (nurse(), format!("Observation?patient={one}&own-code=8867-4"), kinds(&["Observation"])),
        (nurse(), format!("Observation?patient={one}&own-code:not=8867-4"), kinds(&[])),
        (nurse(), "Observation?own-code=8867-4".to_owned(), rule("patient-not-named")),
        (nurse(), format!("Observation?own-subject={one}"), rule("patient-not-named")),
        (resident(&fnr(0)), "Observation?own-code=8867-4".to_owned(), kinds(&["Observation"])),
        (system("lab"), "Observation?own-code=8867-4".to_owned(), kinds(&[])),
    ];
    for (caller, url, expected) in cases {
        assert_eq!(found(&town, &caller, &url).await, expected, "{} {url}", caller.client_id);
    }
    // Nobody takes another's name, and its own may be written anew.
    let other = town.one(&app, put("other", own.clone(), None)).await;
    assert!(matches!(other, Err(Failure::Invalid(_))));
    let mut renewed = own;
    renewed.as_object_mut().unwrap().set("description", "Our own, again");
    town.one(&app, put("own", renewed, None)).await.unwrap();
    town.one(&app, Operation::delete("SearchParameter", "own".to_owned())).await.unwrap();
    let url = format!("Observation?patient={one}&own-code=8867-4");
    assert!(found(&town, &nurse(), &url).await.is_err(), "it is no parameter any more");
}

/// What a search finds that follows an added parameter, as soon as it has its index.
async fn followed(town: &Town, caller: &Caller, url: &str) -> Result<Vec<String>, String> {
    loop {
        match found(town, caller, url).await {
            Err(text) if text.contains("not indexed yet") => tokio::task::yield_now().await,
            found => return found,
        }
    }
}

#[tokio::test]
async fn an_added_parameter_is_followed_and_opens_nothing() {
    let town = Town::new();
    let [one, other] = two(&town).await;
    for id in [&one, &other] {
        let service = json!({
            "resourceType": "EpisodeOfCare",
            "status": "planned",
            "patient": { "reference": format!("Patient/{id}") },
        });
        town.create(&system("plo"), service).await;
    }
    let own = definition("own-patient", "active", "reference", "EpisodeOfCare.patient");
    town.one(&system("app"), put("own", own.clone(), None)).await.unwrap();
    let (chain, has) = (
        format!("EpisodeOfCare?patient={one}&own-patient:Patient.family=ås"),
        format!("Patient?_id={one}&_has:EpisodeOfCare:own-patient:status=planned"),
    );
    let include =
        format!("EpisodeOfCare?patient={one}&status=planned&_include=EpisodeOfCare:own-patient");
    let revinclude = format!("Patient?_id={one}&_revinclude=EpisodeOfCare:own-patient");
    let both = || kinds(&["EpisodeOfCare", "Patient"]);
    let all = "EpisodeOfCare?own-patient:Patient.family=ås";
    let cases = [
        (case_worker(), chain.as_str(), kinds(&["EpisodeOfCare"])),
        (case_worker(), &has, kinds(&["Patient"])),
        (case_worker(), &include, both()),
        (case_worker(), &revinclude, both()),
        // The ward does not see services, nor who has one.
        (nurse(), &chain, rule("category-not-for-role")),
        (nurse(), &has, kinds(&[])),
        (nurse(), &revinclude, kinds(&["Patient"])),
        (nurse(), all, rule("category-not-for-role")),
        (resident(&fnr(0)), all, kinds(&["EpisodeOfCare"])),
        (system("plo"), all, kinds(&["EpisodeOfCare", "EpisodeOfCare"])),
        (system("lab"), all, kinds(&[])),
    ];
    for (caller, url, expected) in cases {
        assert_eq!(followed(&town, &caller, url).await, expected, "{} {url}", caller.client_id);
    }
    // Another definition is another parameter, and a retired one is none.
    let mut renewed = own.clone();
    renewed.as_object_mut().unwrap().set("expression", "EpisodeOfCare.careManager");
    town.one(&system("app"), put("own", renewed, None)).await.unwrap();
    assert_eq!(followed(&town, &system("plo"), all).await, kinds(&[]));
    let mut retired = own;
    retired.as_object_mut().unwrap().set("status", "retired");
    town.one(&system("app"), put("own", retired, None)).await.unwrap();
    assert!(found(&town, &system("plo"), all).await.is_err());
}

#[tokio::test]
async fn old_data_is_indexed_through_a_restart_and_a_rebuild() {
    let mut town = Town::new();
    let number = fnr(0);
    let pulses = 700;
    town.create(&system("plo"), patient(&[(FNR, &number)], "Ås")).await;
    let id = town.create(&system("plo"), patient(&[(FNR, &fnr(1))], "Berg")).await.id;
    let subject = json!({ "reference": format!("Patient/{id}") });
    let operations = (0..pulses).map(|beats| {
        let mut pulse = pulse(&fnr(1), None, beats);
        pulse.as_object_mut().unwrap().set("subject", subject.clone());
        create(pulse)
    });
    town.submit(&system("plo"), true, operations.collect()).await.unwrap();
    let own = definition("own-subject", "active", "reference", "Observation.subject");
    town.one(&system("app"), put("own", own, None)).await.unwrap();
    let url = "Observation?own-subject:Patient.family=berg&_count=1000";
    let expected = kinds(&vec!["Observation"; pulses as usize]);
    let (directory, register) =
        (town.dir.path().to_owned(), Register::clone(&town.tenant.register()));
    let environment = Environment { clock: town.clock.clone(), random: town.random.clone() };
    let open = || Tenant::open(&directory, register.clone(), environment.clone());
    // Ended in the middle of it, in all likelihood.
    drop(town.tenant);
    town.tenant = Arc::new(open().unwrap());
    assert_eq!(followed(&town, &system("plo"), url).await, expected);
    drop(town.tenant);
    rebuild_view(&directory, register.clone(), environment.clone()).unwrap();
    town.tenant = Arc::new(open().unwrap());
    assert_eq!(found(&town, &system("plo"), url).await, expected, "without waiting");
}
