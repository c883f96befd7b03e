//! Whom a resource is about, through the door: who reads it back tells whose it became.

use access::caller::Caller;
use exchange::error::Failure;
use fhir::json;
use fhir::query::Query;
use fhir::value::Value;

use crate::town::{FNR, Town, case_worker, create, fnr, nurse, patient, resident, system};

/// A reference by number, as senders without our ids write it.
fn by_number(number: &str, kind: Option<&str>) -> Value {
    json!({ "type": kind, "identifier": { "system": FNR, "value": number } })
}

fn to(reference: &str) -> Value {
    json!({ "reference": reference })
}

fn appointment(actors: Vec<Value>) -> Value {
    let participant = |actor: Value| json!({ "actor": actor, "status": "accepted" });
    json!({
        "resourceType": "Appointment",
        "status": "booked",
        "start": "2026-06-01T08:00:00Z",
        "end": "2026-06-01T08:30:00Z",
        "created": "2026-03-01",
        "participant": actors.into_iter().map(participant).collect::<Vec<_>>(),
    })
}

fn task(reference: Value) -> Value {
    json!({ "resourceType": "Task", "status": "requested", "intent": "order", "for": reference })
}

fn provenance(targets: Vec<Value>) -> Value {
    json!({
        "resourceType": "Provenance",
        "target": targets,
        "recorded": "2026-03-02T10:00:00Z",
        "agent": [{ "who": { "display": "Journalsystemet" } }],
    })
}

/// Whether somebody reads a resource.
async fn reads(town: &Town, caller: &Caller, kind: &str, id: &str) -> bool {
    town.tenant.read(caller, kind, id).await.is_ok()
}

/// The first issue of a refusal: place and what to do; nothing where it was not for its content.
fn issue(result: Result<exchange::submission::Receipt, Failure>) -> (String, String) {
    let Err(Failure::Invalid(issues)) = result else { return Default::default() };
    issues.first().map(|it| (it.location.clone(), it.message.clone())).unwrap_or_default()
}

#[tokio::test]
async fn a_resource_becomes_that_persons_whichever_element_names_them() {
    let town = Town::new();
    let app = system("app");
    let (kari, ola) = (fnr(0), fnr(1));
    let made = town.create(&app, patient(&[(FNR, &kari)], "Fjell")).await;
    let known = to(&format!("Patient/{}", made.id));
    let observation = json!({
        "resourceType": "Observation",
        "status": "final",
        "code": { "text": "Hudfarge" },
        "subject": by_number(&kari, None),
    });
    let observed = town.create(&app, observation).await;
    let target = to(&format!("Observation/{}", observed.id));
    let all = [
        appointment(vec![to("Practitioner/1"), known.clone()]),
        appointment(vec![by_number(&kari, Some("Patient"))]),
        task(known.clone()),
        provenance(vec![target.clone(), known.clone()]),
        json!({
            "resourceType": "Coverage",
            "status": "active",
            "beneficiary": by_number(&kari, None),
            "payor": [{ "display": "Kommunen" }],
        }),
        json!({
            "resourceType": "Communication",
            "status": "completed",
            "recipient": [{ "display": "Avdelingen" }, by_number(&kari, Some("Patient"))],
        }),
        json!({ "resourceType": "Person", "link": [{ "target": known.clone() }] }),
        json!({
            "resourceType": "Binary",
            "contentType": "text/plain",
            "securityContext": target,
            "data": "aGVp",
        }),
        json!({
            "resourceType": "Condition",
            "contained": [patient(&[(FNR, &kari)], "Fjell")],
            "subject": { "reference": "#p" },
        }),
    ];
    for mut resource in all {
        if let Some(contained) = resource.as_object_mut().unwrap().get_mut("contained")
            && let Value::Array(items) = contained
        {
            items[0].as_object_mut().unwrap().set("id", "p");
        }
        let kind = resource.text("resourceType").unwrap().to_owned();
        let kept = town.create(&app, resource).await;
        assert!(reads(&town, &resident(&kari), &kind, &kept.id).await, "{kind}");
        assert!(!reads(&town, &resident(&ola), &kind, &kept.id).await, "{kind}");
    }
}

#[tokio::test]
async fn what_is_about_nobody_is_read_by_its_own_source_alone() {
    let town = Town::new();
    let app = system("app");
    let on_device = json!({
        "resourceType": "Observation",
        "status": "final",
        "code": { "text": "Batteri" },
        "subject": to("Device/pumpe"),
    });
    let all = [
        on_device,
        json!({ "resourceType": "Device", "status": "active" }),
        appointment(vec![to("Practitioner/1")]),
        task(Value::Null),
        provenance(vec![to("Organization/1")]),
        json!({ "resourceType": "DeviceMetric", "type": { "text": "Batteri" },
                "category": "setting",
                "source": { "identifier": { "system": "urn:serial", "value": "7" } } }),
        json!({ "resourceType": "DocumentReference", "status": "current",
                "content": [{ "attachment": { "title": "Rutine" } }] }),
        json!({ "resourceType": "Group", "type": "person", "actual": true,
                "member": [{ "entity": to("Patient/1") }] }),
    ];
    for resource in all {
        let kind = resource.text("resourceType").unwrap().to_owned();
        let kept = town.create(&app, resource).await;
        assert!(reads(&town, &app, &kind, &kept.id).await, "{kind}");
        let others = [nurse(), case_worker(), resident(&fnr(0)), system("plo")];
        for other in &others {
            assert!(!reads(&town, other, &kind, &kept.id).await, "{kind}: {:?}", other.party);
        }
    }
}

#[tokio::test]
async fn a_resource_that_does_not_say_whom_is_told_where_to_say_it() {
    let town = Town::new();
    let app = system("app");
    let one = town.create(&app, patient(&[(FNR, &fnr(0))], "Fjell")).await;
    let two = town.create(&app, patient(&[(FNR, &fnr(1))], "Vik")).await;
    let (one, two) = (format!("Patient/{}", one.id), format!("Patient/{}", two.id));
    let condition = |subject: Value| json!({ "resourceType": "Condition", "subject": subject });
    let statement = json!({
        "resourceType": "Observation", "status": "final", "code": { "text": "Puls" },
    });
    let schedule = json!({ "resourceType": "Schedule", "actor": [to(&one)] });
    let table = [
        (statement, "Observation.subject", "say whom"),
        (condition(json!({ "display": "Kari" })), "Condition.subject", "can be found"),
        (condition(to("Patient/nobody")), "Condition.subject.reference", "not known"),
        (task(json!({ "display": "Kari" })), "Task.for", "can be found"),
        (
            appointment(vec![by_number(&fnr(0), None)]),
            "Appointment.participant.actor.type",
            "whose identifier",
        ),
        (
            provenance(vec![json!({ "identifier": { "system": "urn:journal", "value": "7" } })]),
            "Provenance.target.type",
            "whose identifier",
        ),
        (
            appointment(vec![to(&one), to(&two)]),
            "Appointment.participant.actor",
            "more than one patient",
        ),
        (provenance(vec![to(&one), to(&two)]), "Provenance.target", "more than one patient"),
        (
            appointment(vec![to("Patient/nobody")]),
            "Appointment.participant.actor.reference",
            "not known",
        ),
        (schedule, "Schedule.actor", "about nobody"),
    ];
    for (resource, place, message) in table {
        let (location, said) = issue(town.one(&app, create(resource)).await);
        assert_eq!(location, place, "{said}");
        assert!(said.contains(message), "{place}: {said}");
    }
}

#[tokio::test]
async fn in_a_transaction_a_record_is_about_the_person_of_the_record_it_points_to() {
    let town = Town::new();
    let app = system("app");
    let kari = fnr(0);
    let url = "urn:uuid:00000000-0000-4000-8000-000000000001";
    let mut observation = create(json!({
        "resourceType": "Observation",
        "status": "final",
        "code": { "text": "Hudfarge" },
        "subject": by_number(&kari, None),
    }));
    observation.full_url = Some(url.to_owned());
    let operations = vec![create(provenance(vec![to(url)])), observation];
    let kept = town.submit(&app, true, operations).await.unwrap();
    let provenance = kept[0].as_ref().unwrap();
    assert!(reads(&town, &resident(&kari), "Provenance", &provenance.id).await);
}

#[tokio::test]
async fn a_person_named_in_any_element_is_found_as_a_patient() {
    let town = Town::new();
    let app = system("app");
    let kari = fnr(0);
    town.create(&app, appointment(vec![by_number(&kari, Some("Patient"))])).await;
    let parameters = [("identifier".to_owned(), format!("{FNR}|{kari}"))];
    let query = Query::parse("Patient", &parameters).unwrap();
    let page = town.tenant.search(&resident(&kari), query, None).await.unwrap();
    assert_eq!(page.matches.len(), 1);
}

#[tokio::test]
async fn what_has_not_happened_is_refused_and_what_is_planned_is_taken() {
    let town = Town::new();
    let app = system("app");
    let subject = by_number(&fnr(0), None);
    let procedure = |at: &str| {
        json!({ "resourceType": "Procedure", "status": "completed",
                "subject": subject.clone(), "performedDateTime": at })
    };
    town.create(&app, procedure("2026-03-01")).await;
    let (location, _) = issue(town.one(&app, create(procedure("2026-06-01"))).await);
    assert_eq!(location, "Procedure.performedDateTime");
    let mut born = patient(&[(FNR, &fnr(2))], "Ung");
    born.as_object_mut().unwrap().set("birthDate", "2027-01-01");
    let (location, _) = issue(town.one(&app, create(born)).await);
    assert_eq!(location, "Patient.birthDate");
    town.create(&app, appointment(vec![by_number(&fnr(0), Some("Patient"))])).await;
}
