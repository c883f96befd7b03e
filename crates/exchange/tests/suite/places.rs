//! Searches of several types and in compartments show what the caller may see, and no more, and each
//! person shown is told of it.

use access::caller::Caller;
use exchange::error::Failure;
use exchange::look::{Look, Seen, Unless};
use exchange::overview::Looks;
use fhir::json;
use fhir::value::Value;

use crate::town::{FNR, Town, case_worker, fnr, nurse, patient, pulse, resident, system};

/// Two persons, each with a Patient, a pulse and a service. Returns the Patients' ids.
pub async fn two(town: &Town) -> [String; 2] {
    let plo = system("plo");
    let mut ids = [String::new(), String::new()];
    for (n, id) in ids.iter_mut().enumerate() {
        let number = fnr(u32::try_from(n).unwrap());
        *id = town.create(&plo, patient(&[(FNR, &number)], "Ås")).await.id;
        town.create(&plo, pulse(&number, None, 60)).await;
        let service = json!({
            "resourceType": "EpisodeOfCare",
            "status": "active",
            "patient": { "identifier": { "system": FNR, "value": number.as_str() } },
        });
        town.create(&plo, service).await;
    }
    ids
}

/// The types found, sorted, or the rule that refused.
pub async fn found(town: &Town, caller: &Caller, url: &str) -> Result<Vec<String>, String> {
    let seen = match Look::at(url, Unless::default(), true) {
        Ok(look) => town.tenant.look(caller, look, "http://x/fhir").await,
        Err(failure) => Err(failure),
    };
    let told = |failure: Failure| match failure.refusal() {
        Some(refusal) => refusal.rule.code().to_owned(),
        None => {
            let issues = failure.issues().into_iter().map(|issue| issue.message);
            issues.collect::<Vec<_>>().join("; ")
        }
    };
    let Seen::Bundle(body) = seen.map_err(told)? else { return Err("no Bundle".to_owned()) };
    let bundle = json::parse(&body).unwrap();
    let entries = bundle.items("entry").iter();
    let kinds = entries.filter_map(|entry| entry.get("resource")?.text("resourceType"));
    let mut kinds: Vec<String> = kinds.map(str::to_owned).collect();
    kinds.sort();
    Ok(kinds)
}

pub fn kinds(names: &[&str]) -> Result<Vec<String>, String> {
    Ok(names.iter().map(|name| (*name).to_owned()).collect())
}

pub fn rule(code: &str) -> Result<Vec<String>, String> {
    Err(code.to_owned())
}

#[tokio::test]
async fn each_caller_sees_its_own_categories_of_a_compartment() {
    let town = Town::new();
    let [one, other] = two(&town).await;
    let own = resident(&fnr(0));
    let cases = [
        (nurse(), format!("Patient/{one}/*"), kinds(&["Observation", "Patient"])),
        (
            case_worker(),
            format!("Patient/{one}/*"),
            kinds(&["EpisodeOfCare", "Observation", "Patient"]),
        ),
        (nurse(), format!("Patient/{one}/Observation?status=final"), kinds(&["Observation"])),
        (nurse(), format!("Patient/{one}/Observation?status:not=final"), kinds(&[])),
        (nurse(), format!("Patient/{one}/EpisodeOfCare"), rule("category-not-for-role")),
        (nurse(), "?_type=Observation,EpisodeOfCare".to_owned(), rule("patient-not-named")),
        (
            nurse(),
            format!("?_type=Observation,EpisodeOfCare&patient={one}"),
            kinds(&["Observation"]),
        ),
        // Two patients at once are none.
        (nurse(), format!("Patient/{one}/Observation?patient={other}"), rule("patient-not-named")),
        (nurse(), "Encounter/e1/Observation".to_owned(), rule("patient-not-named")),
        (
            own.clone(),
            format!("Patient/{one}/*"),
            kinds(&["EpisodeOfCare", "Observation", "Patient"]),
        ),
        (own.clone(), format!("Patient/{other}/*"), rule("not-self")),
        (own.clone(), "?_type=Observation".to_owned(), kinds(&["Observation"])),
        (own.clone(), format!("?_type=Observation&patient={other}"), rule("not-self")),
        (system("lab"), format!("Patient/{one}/*"), kinds(&[])),
        (
            system("plo"),
            "?_type=Observation,EpisodeOfCare".to_owned(),
            kinds(&["EpisodeOfCare", "EpisodeOfCare", "Observation", "Observation"]),
        ),
    ];
    for (caller, url, expected) in cases {
        assert_eq!(found(&town, &caller, &url).await, expected, "{} {url}", caller.client_id);
    }
}

#[tokio::test]
async fn whoever_is_shown_is_told() {
    let town = Town::new();
    let [one, _] = two(&town).await;
    found(&town, &nurse(), &format!("Patient/{one}/Observation")).await.unwrap();
    found(&town, &system("plo"), "?_type=Observation,EpisodeOfCare").await.unwrap();
    for (n, looks) in [(0, 2), (1, 1)] {
        let person = town.tenant.person(&fnr(n)).unwrap();
        let log =
            town.tenant.access_log(&resident(&fnr(n)), person, Looks::All, 500).await.unwrap();
        assert_eq!(log.iter().filter(|line| line.action == "search").count(), looks, "{n}");
    }
}

#[tokio::test]
async fn codes_of_value_sets_are_searched_in_every_spelling() {
    let town = Town::new();
    let number = fnr(0);
    let plo = system("plo");
    for (system, code) in [
        ("urn:oid:2.16.578.1.12.4.1.1.9151", "15"),
        ("https://finnkode.helsedirektoratet.no/adm/collections/9151", "15"),
        ("urn:oid:2.16.578.1.12.4.1.1.9999", "15"),
    ] {
        let service: Value = json!({
            "resourceType": "EpisodeOfCare",
            "status": "active",
            "type": [{ "coding": [{ "system": system, "code": code }] }],
            "patient": { "identifier": { "system": FNR, "value": number.as_str() } },
        });
        town.create(&plo, service).await;
    }
    let person = town.tenant.person(&number).unwrap();
    let count = async |search: &str| {
        let url = format!("EpisodeOfCare?patient={person}&{search}");
        found(&town, &case_worker(), &url).await.map(|found| found.len())
    };
    let set = "https://fkj.no/fhir/ValueSet/service-type";
    assert_eq!(count(&format!("type:in={set}")).await, Ok(2));
    assert_eq!(count(&format!("type:not-in={set}")).await, Ok(1));
    let below = "type:below=http://helsedir.no/fhir/CodeSystem/no-kodeverk-9151|15";
    assert_eq!(count(below).await, Ok(2));
    assert!(count("type:in=http://example.org/none").await.is_err());
}
