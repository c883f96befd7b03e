//! *Oversikt over kommunale tjenester*: every line with state, sites, decision, owner and age.

use exchange::answer::{Overview, ServiceLine, ServiceStatus, Site};
use exchange::submission::Channel;
use fhir::json;
use fhir::value::Value;
use record::okt::{IplosCode, OktEvent, OktMessage};
use record::{extension, system as systems};

use crate::town::{FNR, MUNICIPALITY, NOW, Town, case_worker, fnr, patient, put, system};

fn service(code: &str, status: &str, start: &str, end: Option<&str>) -> Value {
    json!({
        "resourceType": "EpisodeOfCare",
        "status": status,
        "type": [{ "coding": [{ "system": systems::SERVICE_TYPE_OSLO, "code": code }] }],
        "patient": { "identifier": { "system": FNR, "value": fnr(0) } },
        "period": { "start": start, "end": end },
    })
}

async fn overview(town: &Town) -> Overview {
    let person = town.tenant.person(&fnr(0)).unwrap();
    town.tenant.overview(&case_worker(), person).await.unwrap()
}

fn summary(lines: &[ServiceLine]) -> Vec<(&str, ServiceStatus)> {
    lines.iter().map(|line| (line.id.as_str(), line.status)).collect()
}

#[tokio::test]
async fn the_state_is_what_the_dates_say_today() {
    use ServiceStatus::{Active, Cancelled, Finished, OnHold, Planned};
    let town = Town::new();
    let plo = system("plo");
    let sent = [
        ("goes-on", service("2", "active", "2026-01-01", None)),
        ("newest", service("15", "active", "2026-02-01", None)),
        ("last-day", service("6", "active", "2025-01-01", Some("2026-03-02"))),
        ("ended-by-date", service("5", "active", "2025-01-01", Some("2026-03-01"))),
        ("paused", service("9", "onhold", "2025-01-01", None)),
        ("paused-and-ended", service("9", "onhold", "2025-01-01", Some("2026-02-01"))),
        ("planned", service("21", "planned", "2026-04-01", None)),
        ("not-begun", service("21", "active", "2026-03-03", None)),
        ("begun", service("18", "planned", "2025-03-02", None)),
        ("finished", service("20", "finished", "2024-01-01", Some("2026-02-15"))),
        ("cancelled", service("4", "cancelled", "2026-04-01", None)),
        ("mistaken", service("4", "entered-in-error", "2026-01-01", None)),
    ];
    for (id, resource) in sent {
        town.one(&plo, put(id, resource, None)).await.unwrap();
    }
    let told = overview(&town).await;
    assert_eq!(
        summary(&told.active),
        [
            ("begun", Active),
            ("newest", Active),
            ("goes-on", Active),
            ("last-day", Active),
            ("paused", OnHold),
            ("planned", Planned),
            ("not-begun", Planned),
        ]
    );
    assert_eq!(
        summary(&told.ended),
        [
            ("ended-by-date", Finished),
            ("finished", Finished),
            ("paused-and-ended", Finished),
            ("cancelled", Cancelled),
        ]
    );
    assert_eq!(town.tenant.okt_status(&case_worker(), &fnr(0)).await.unwrap(), 4);
}

#[tokio::test]
async fn the_most_help_comes_first() {
    let town = Town::new();
    let message = |code: &str, extent: Option<&str>| OktMessage {
        start_date: "2026-01-01".to_owned(),
        iplos_code: Some(IplosCode { iplos_code_value: code.to_owned(), ..IplosCode::default() }),
        weekly_extent: extent.map(str::to_owned),
        ..OktMessage::default()
    };
    let event = OktEvent {
        person_identifier: fnr(0),
        okt_messages: vec![
            message("06", None),
            message("01", Some("45 minutter")),
            message("15", Some("12,5 timer")),
            message("25", None),
        ],
    };
    town.tenant.submit_okt(&system("plo"), &event, None, Channel::Okt).await.unwrap();
    let told = overview(&town).await;
    let codes: Vec<_> = told.active.iter().map(|line| line.code.as_deref()).collect();
    assert_eq!(codes, [Some("25"), Some("15"), Some("1"), Some("6")]);
}

#[tokio::test]
async fn a_line_says_who_gives_it_who_decided_and_how_fresh_it_is() {
    let town = Town::new();
    let plo = system("plo");
    let organisation = |name: &str, phone: Option<&str>, parent: Option<&str>| {
        json!({
            "resourceType": "Organization",
            "name": name,
            "telecom": phone.map(|phone| json!([{ "system": "phone", "value": phone }])),
            "partOf": parent.map(|id| json!({ "reference": format!("Organization/{id}") })),
        })
    };
    let kommune = organisation("Dalfjord kommune", None, None);
    town.one(&plo, put("kommune", kommune, None)).await.unwrap();
    let sone = organisation("Sone vest", Some("55 00 00 01"), Some("kommune"));
    town.one(&plo, put("sone", sone, None)).await.unwrap();
    let decision = json!({
        "resourceType": "ServiceRequest",
        "extension": [{ "url": extension::REVISION_DATE, "valueDate": "2026-09-01" }],
        "status": "active",
        "intent": "order",
        "subject": { "identifier": { "system": FNR, "value": fnr(0) } },
        "occurrencePeriod": { "start": "2026-01-01", "end": "2026-12-31" },
        "authoredOn": "2025-12-20T09:00:00+01:00",
        "quantityRatio": {
            "numerator": { "value": 90, "unit": "min", "system": systems::UCUM, "code": "min" },
            "denominator": { "value": 1, "unit": "wk", "system": systems::UCUM, "code": "wk" },
        },
        "patientInstruction": "Hjelp til dusj",
    });
    town.one(&plo, put("vedtak", decision, None)).await.unwrap();
    let mut resource = service("02", "active", "2026-01-01", None);
    let object = resource.as_object_mut().unwrap();
    object.set("managingOrganization", json!({ "reference": "Organization/sone" }));
    object.set("referralRequest", json!([{ "reference": "ServiceRequest/vedtak" }]));
    town.one(&plo, put("hjelp", resource, None)).await.unwrap();
    town.create(&plo, patient(&[("urn:plo", "17"), (FNR, &fnr(0))], "Ås")).await;
    let told = overview(&town).await;
    let [line] = told.active.as_slice() else { panic!("one service") };
    assert_eq!(line.code.as_deref(), Some("2"));
    assert!(line.title.starts_with("Praktisk bistand"));
    let site = |name: &str, phone: Option<&str>| Site {
        name: name.to_owned(),
        phone: phone.map(str::to_owned),
    };
    let sites = [site("Sone vest", Some("55 00 00 01")), site("Dalfjord kommune", None)];
    assert_eq!(line.sites, sites);
    let decision = line.decision.as_ref().unwrap();
    assert_eq!(decision.decided.as_deref(), Some("2025-12-20"));
    assert_eq!(decision.text.as_deref(), Some("Hjelp til dusj"));
    assert_eq!(line.revision.as_deref(), Some("2026-09-01"));
    assert_eq!((line.hours_per_week, line.end.as_deref()), (Some(1.5), Some("2026-12-31")));
    assert_eq!((line.owner.as_str(), line.source.as_str()), (MUNICIPALITY, "plo"));
    assert_eq!(line.owner_name.as_deref(), Some("Dalfjord kommune"));
    assert_eq!(line.updated_at, NOW);
    let header = (told.patient.name.as_deref(), told.patient.number.as_deref());
    assert_eq!(header, (Some("Kari Ås"), Some(fnr(0).as_str())));
    assert!(told.incomplete.is_empty());
}

#[tokio::test]
async fn an_okt_line_has_its_sites_and_its_own_words() {
    let town = Town::new();
    let message = OktMessage {
        start_date: "2026-01-01".to_owned(),
        iplos_code: Some(IplosCode { iplos_code_value: "15".to_owned(), ..IplosCode::default() }),
        temporary_cessation: Some(true),
        service_description: Some("Sårstell".to_owned()),
        service_level: Some("1.1.2 Dalfjord kommune - Hjemmetjenesten - Sone vest".to_owned()),
        stay_type: Some("korttidsopphold".to_owned()),
        weekly_extent: Some("15 minutter".to_owned()),
        ..OktMessage::default()
    };
    let event = OktEvent { person_identifier: fnr(0), okt_messages: vec![message] };
    town.tenant.submit_okt(&system("plo"), &event, None, Channel::Okt).await.unwrap();
    let told = overview(&town).await;
    let [line] = told.active.as_slice() else { panic!("one service") };
    let names: Vec<&str> = line.sites.iter().map(|site| site.name.as_str()).collect();
    assert_eq!(names, ["Sone vest", "Hjemmetjenesten", "Dalfjord kommune"]);
    assert_eq!(
        (line.status, line.title.as_str()),
        (ServiceStatus::OnHold, "Helsetjenester i hjemmet")
    );
    assert_eq!(line.local_text.as_deref(), Some("Sårstell"));
    assert_eq!(line.stay.as_deref(), Some("Korttidsopphold"));
    assert_eq!(
        (line.hours_per_week, line.extent_text.as_deref()),
        (Some(0.25), Some("15 minutter"))
    );
}
