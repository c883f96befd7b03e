//! One person, whatever numbers, sources and orders of arrival.

use exchange::error::Failure;
use fhir::query::Query;
use fhir::value::Value;
use record::identity::PersonId;

use crate::town::{
    DNR, FNR, FOUNDED, Town, case_worker, create, dnr, fnr, patient, pulse, put, system,
};

/// Ids of the Patients that a search by number finds.
async fn patients(town: &Town, number: &str) -> Vec<String> {
    let pairs = [("identifier".to_owned(), format!("{FNR}|{number}"))];
    let query = Query::parse("Patient", &pairs).unwrap();
    let page = town.tenant.search(&case_worker(), query, None).await.unwrap();
    page.matches.into_iter().map(|stored| stored.id).collect()
}

async fn pulses(town: &Town, number: &str) -> usize {
    let pairs = [("patient.identifier".to_owned(), number.to_owned())];
    let query = Query::parse("Observation", &pairs).unwrap();
    town.tenant.search(&case_worker(), query, None).await.unwrap().matches.len()
}

fn person(town: &Town, number: &str) -> PersonId {
    town.tenant.person(number).unwrap()
}

#[tokio::test]
async fn a_new_number_keeps_the_person() {
    let town = Town::new();
    let plo = system("plo");
    let (old, new) = (dnr(0), fnr(0));
    let made = town.create(&plo, patient(&[(DNR, &old)], "Ås")).await;
    town.create(&plo, pulse(&old, None, 70)).await;
    let before = person(&town, &old);
    town.one(&plo, put(&made.id, patient(&[(FNR, &new)], "Ås"), None)).await.unwrap();
    assert_eq!(person(&town, &new), before);
    town.create(&plo, pulse(&new, None, 71)).await;
    assert_eq!((pulses(&town, &old).await, pulses(&town, &new).await), (2, 2));
}

#[tokio::test]
async fn a_patient_with_both_numbers_joins_them_whichever_comes_first() {
    for numbers in [[0, 1], [1, 0]] {
        let town = Town::new();
        let plo = system("plo");
        let (old, new) = (dnr(0), fnr(0));
        town.create(&plo, pulse(&old, None, 70)).await;
        let before = person(&town, &old);
        let both = [(DNR, old.as_str()), (FNR, new.as_str())];
        let both = numbers.map(|n| both[n]);
        // In one transaction, the observation before the Patient it refers to.
        let mut observation = pulse(&new, None, 71);
        let subject = fhir::json!({ "reference": "urn:uuid:kari" });
        observation.as_object_mut().unwrap().set("subject", subject);
        let mut kari = create(patient(&both, "Ås"));
        kari.full_url = Some("urn:uuid:kari".to_owned());
        town.submit(&plo, true, vec![create(observation), kari]).await.unwrap();
        assert_eq!((person(&town, &new), person(&town, &old)), (before, before));
        assert_eq!((pulses(&town, &old).await, pulses(&town, &new).await), (2, 2));
        assert_eq!(patients(&town, &new).await, [before.to_string()]);
    }
}

#[tokio::test]
async fn a_new_number_and_what_it_is_used_for_may_come_together() {
    let town = Town::new();
    let plo = system("plo");
    let (old, new) = (dnr(0), fnr(0));
    town.one(&plo, put("kari", patient(&[(DNR, &old)], "Ås"), None)).await.unwrap();
    let before = person(&town, &old);
    let mut observation = pulse(&new, None, 70);
    let subject = fhir::json!({ "reference": "Patient/kari" });
    observation.as_object_mut().unwrap().set("subject", subject);
    let renamed = put("kari", patient(&[(FNR, &new)], "Ås"), None);
    town.submit(&plo, true, vec![create(observation), renamed]).await.unwrap();
    assert_eq!((person(&town, &new), pulses(&town, &new).await), (before, 1));
}

#[tokio::test]
async fn two_persons_are_never_made_one() {
    let town = Town::new();
    let plo = system("plo");
    let (one, other, unused) = (fnr(0), dnr(0), dnr(1));
    town.create(&plo, pulse(&one, None, 70)).await;
    town.create(&plo, pulse(&other, None, 80)).await;
    let end = town.end();
    let merged = patient(&[(FNR, &one), (DNR, &unused), (DNR, &other)], "Ås");
    assert!(matches!(town.one(&plo, create(merged)).await, Err(Failure::Conflict(_))));
    assert_eq!(town.end(), end);
    assert_eq!(pulses(&town, &one).await, 1);
    assert_ne!(person(&town, &unused), person(&town, &one), "nothing was joined on the way");
    let wrong = patient(&[(FNR, &one), (DNR, "12345678901")], "Ås");
    assert!(matches!(town.one(&plo, create(wrong)).await, Err(Failure::Invalid(_))));
}

#[tokio::test]
async fn the_derived_patient_makes_way() {
    let town = Town::new();
    let plo = system("plo");
    let number = fnr(0);
    town.create(&plo, pulse(&number, None, 70)).await;
    let own = person(&town, &number).to_string();
    let found = patients(&town, &number).await;
    assert_eq!(found, std::slice::from_ref(&own), "found before any source sent one");
    let made = town.create(&plo, patient(&[(FNR, &number)], "Ås")).await;
    assert_eq!(made.id, own);
    let stored = town.tenant.read(&case_worker(), "Patient", &own).await.unwrap();
    let value = fhir::json::parse(&stored.body).unwrap();
    let family = value.items("name")[0].text("family");
    assert_eq!((family, stored.version), (Some("Ås"), made.version));
    assert_eq!(patients(&town, &number).await, [own]);
}

#[tokio::test]
async fn another_sources_patient_has_its_own_id_and_is_sent_again_without_doubles() {
    let town = Town::new();
    let (plo, lab) = (system("plo"), system("lab"));
    let number = fnr(0);
    let sent = |family| patient(&[(FNR, &number)], family);
    let first = town.create(&plo, sent("Ås")).await;
    let second = town.create(&lab, sent("Aas")).await;
    assert_ne!(first.id, second.id);
    let end = town.end();
    for (caller, id, family) in [(&plo, &first.id, "Ås"), (&lab, &second.id, "Aas")] {
        assert_eq!(&town.create(caller, sent(family)).await.id, id);
    }
    assert_eq!(town.end(), end, "the same content again is no new version");
    let corrected = town.create(&lab, sent("Åas")).await;
    assert_eq!((corrected.id, corrected.version), (second.id.clone(), FOUNDED + end + 1));
    assert_eq!(patients(&town, &number).await, [second.id.clone(), first.id], "the newest first");
    assert_eq!(town.tenant.person_of_patient(&second.id).unwrap(), person(&town, &number));
}

#[tokio::test]
async fn nobody_takes_the_place_of_another_persons_patient() {
    let town = Town::new();
    let plo = system("plo");
    town.create(&plo, pulse(&fnr(0), None, 70)).await;
    let own = person(&town, &fnr(0)).to_string();
    let other: Value = patient(&[(FNR, &fnr(1))], "Ås");
    let refused = town.one(&plo, put(&own, other, None)).await;
    assert!(matches!(refused, Err(Failure::Invalid(_))));
    assert_eq!(patients(&town, &fnr(0)).await, [own]);
    // Nor an id that will be the person's one day: then the person is known without a Patient.
    let later = person(&town, &fnr(2)).to_string();
    town.one(&plo, put(&later, patient(&[(FNR, &fnr(1))], "Ås"), None)).await.unwrap();
    town.create(&plo, pulse(&fnr(2), None, 70)).await;
    town.create(&plo, pulse(&fnr(3), None, 70)).await;
    assert_eq!((pulses(&town, &fnr(2)).await, pulses(&town, &fnr(3)).await), (1, 1));
}

#[tokio::test]
async fn a_system_finds_its_patients_by_its_own_identifiers() {
    let town = Town::new();
    let plo = system("plo");
    let number = fnr(0);
    let made = town.create(&plo, patient(&[("urn:plo", "17"), (FNR, &number)], "Ås")).await;
    let pairs = [("identifier".to_owned(), "urn:plo|17".to_owned())];
    let query = || Query::parse("Patient", &pairs).unwrap();
    let found = town.tenant.search(&plo, query(), None).await.unwrap().matches;
    assert_eq!(found.iter().map(|it| &it.id).collect::<Vec<_>>(), [&made.id]);
    assert!(town.tenant.search(&system("lab"), query(), None).await.unwrap().matches.is_empty());
}
