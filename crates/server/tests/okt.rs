//! Norsk helsenett's OKT contract: in, back without loss, and as `EpisodeOfCare`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use serde_json::{Value, json};
use support::content::{count, person};
use support::{FNR, shared, text};

/// Every field of the contract, and every way a field may be empty.
fn full(pid: &str) -> Value {
    json!({
        "personIdentifier": pid,
        "oktMessages": [
            {
                "startDate": "2025-09-01", "endDate": "",
                "iplosCode": {
                    "iplosCodeValue": "02", "iplosCodeLevel": "1", "iplosParentCode": "0",
                    "iplosCodeDescription": "Praktisk bistand - opplæring - daglige gjøremål",
                },
                "needsCaption": true, "temporaryCessation": false,
                "serviceDescription": "Hjemmetjeneste - praktisk bistand",
                "serviceLevel": "1.1.2.6 Dalfjord kommune - Hjemmeboende - Sone Vest",
                "stayType": "dagopphold", "weeklyExtent": "7.5",
            },
            {
                "startDate": "2025-01-01", "endDate": "2025-03-31",
                "iplosCode": { "iplosCodeValue": "15" },
                "serviceDescription": "", "serviceLevel": "Nivå 2", "stayType": "",
                "weeklyExtent": "15 minutter",
            },
            { "startDate": "2025-02-01", "temporaryCessation": true,
              "iplosCode": { "iplosCodeValue": "06", "iplosCodeLevel": "2" },
              "weeklyExtent": "etter behov" },
            { "startDate": "2025-02-02", "needsCaption": false, "weeklyExtent": "" },
        ],
    })
}

#[test]
fn every_field_of_an_okt_event_comes_back_as_it_was_sent() {
    let server = shared();
    let source = server.role("plo-epj");
    let pid = person();
    let sent = full(&pid);
    let result = source.post("/9901/okt/okt-events", &sent).expect(200);
    assert_eq!(result["message"], "4 new, 0 changed, 0 unchanged, 0 removed");
    let mut got = source.get(&format!("/9901/okt/okt-events/{pid}")).expect(200);
    // The contract lets the server fill in the title of a code that came without one.
    for (at, title) in [(1, "Helsetjenester i hjemmet"), (2, "Trygghetsalarm")] {
        let code = got["oktMessages"][at]["iplosCode"].as_object_mut().unwrap();
        assert_eq!(code.remove("iplosCodeDescription"), Some(json!(title)));
    }
    assert_eq!(got, sent);
    let status = source.get(&format!("/9901/okt/okt-status/{pid}")).expect(200);
    assert_eq!(status, json!({ "personIdentifier": pid, "oktStatus": 2 }));
}

#[test]
fn a_service_becomes_an_episode_of_care_as_hl7_norway_maps_it() {
    let server = shared();
    let source = server.role("plo-epj");
    let pid = person();
    source.post("/9901/okt/okt-events", &full(&pid)).expect(200);
    let form = format!("patient.identifier={FNR}|{pid}&_sort=-date");
    let episodes = source.form("/9901/fhir/EpisodeOfCare/_search", &form).matches();
    let first = episodes.iter().find(|it| it["period"]["start"] == "2025-09-01").unwrap();
    assert_eq!(first["status"], "active");
    assert_eq!(first["period"]["end"], Value::Null);
    let codings: Vec<String> = first["type"]
        .as_array()
        .unwrap()
        .iter()
        .map(|concept| &concept["coding"][0])
        .map(|coding| format!("{}#{}", text(&coding["system"]), text(&coding["code"])))
        .collect();
    let stay = "http://hl7.no/fhir/ig/okt/CodeSystem/OktStayTypeCs#dagopphold";
    assert_eq!(codings, ["urn:oid:2.16.578.1.12.4.1.1.9151#2", stay]);
    assert_eq!(first["patient"]["identifier"], json!({ "system": FNR, "value": pid }));
    let names: Vec<&Value> =
        first["contained"].as_array().unwrap().iter().map(|site| &site["name"]).collect();
    assert_eq!(names, ["Sone Vest", "Hjemmeboende", "Dalfjord kommune"]);
    let extension = |name: &str| {
        let url = format!("http://hl7.no/fhir/ig/okt/StructureDefinition/{name}");
        let all = first["extension"].as_array().unwrap();
        all.iter().find(|it| it["url"] == url.as_str()).unwrap().clone()
    };
    assert_eq!(extension("WeeklyExtentRatio")["valueRatio"]["numerator"]["value"], 7.5);
    let words = "Hjemmetjeneste - praktisk bistand";
    assert_eq!(extension("ServiceDescriptionMarkdown")["valueMarkdown"], words);
    let statuses: Vec<String> = episodes.iter().map(|it| text(&it["status"])).collect();
    assert_eq!(statuses, ["active", "active", "onhold", "finished"]);
}

#[test]
fn an_episode_that_came_by_fhir_is_read_as_okt() {
    let server = shared();
    let source = server.role("plo-epj");
    let pid = person();
    let episode = json!({
        "resourceType": "EpisodeOfCare",
        "status": "onhold",
        "type": [{ "coding": [{
            "system": "https://finnkode.helsedirektoratet.no/adm/collections/9151", "code": "15",
        }] }],
        "patient": { "identifier": { "system": FNR, "value": pid } },
        "managingOrganization": { "display": "Sone Vest" },
        "period": { "start": "2025-05-05" },
    });
    source.post("/9901/fhir/EpisodeOfCare", &episode).expect(201);
    let got = source.get(&format!("/9901/okt/okt-events/{pid}")).expect(200);
    assert_eq!(
        got["oktMessages"],
        json!([{
            "startDate": "2025-05-05",
            "iplosCode": {
                "iplosCodeValue": "15", "iplosCodeLevel": "1", "iplosParentCode": "0",
                "iplosCodeDescription": "Helsetjenester i hjemmet",
            },
            "temporaryCessation": true, "serviceLevel": "Sone Vest",
        }])
    );
    let status = source.get(&format!("/9901/okt/okt-status/{pid}")).expect(200);
    assert_eq!(status["oktStatus"], 0);
}

#[test]
fn an_event_is_the_whole_list_so_what_it_leaves_out_is_removed() {
    let server = shared();
    let source = server.role("plo-epj");
    let pid = person();
    let service =
        |start: &str| json!({ "startDate": start, "iplosCode": { "iplosCodeValue": "15" } });
    let event = |starts: &[&str]| {
        let services: Vec<Value> = starts.iter().map(|start| service(start)).collect();
        json!({ "personIdentifier": pid, "oktMessages": services })
    };
    let send = |id: &str, event: &Value| {
        let headers = [("content-type", "application/json"), ("nhn-event-id", id)];
        let body = Some(event.to_string().into_bytes());
        let path = "/9901/okt/okt-events";
        source.send(ureq::http::Method::POST, path, &headers, body)
    };
    let starts = || {
        let got = source.get(&format!("/9901/okt/okt-events/{pid}")).expect(200);
        let all = got["oktMessages"].as_array().unwrap().iter();
        all.map(|it| text(&it["startDate"])).collect::<Vec<_>>()
    };
    let (one, two) = (format!("e{}", count()), format!("e{}", count()));
    let first = event(&["2025-01-01", "2025-02-01"]);
    send(&one, &first).expect(200);
    let later = send(&two, &event(&["2025-02-01", "2025-03-01"])).expect(200);
    assert_eq!(later["message"], "1 new, 1 changed, 0 unchanged, 1 removed");
    assert_eq!(starts(), ["2025-02-01", "2025-03-01"]);
    // A late repeat of the first event is the same event, so it changes nothing.
    let repeat = send(&one, &first).expect(200);
    assert_eq!(repeat["message"], "0 new, 0 changed, 2 unchanged, 0 removed");
    assert_eq!(starts(), ["2025-02-01", "2025-03-01"]);
    // The same id with a shorter or longer list is other content.
    for other in [event(&["2025-01-01"]), event(&["2025-01-01", "2025-02-01", "2025-04-01"])] {
        let issue = send(&one, &other).issue(409);
        assert!(issue.starts_with("duplicate|"), "{issue}");
    }
    assert_eq!(starts(), ["2025-02-01", "2025-03-01"]);
}

#[test]
fn what_is_wrong_with_an_event_is_told_by_field_and_nothing_is_kept() {
    let server = shared();
    let source = server.role("plo-epj");
    let pid = person();
    let good = json!({ "startDate": "2025-01-01" });
    let wrong = [
        (json!({ "startDate": "1.1.2025" }), "OktEvent.oktMessages[1].startDate"),
        (json!({ "startDate": "2025-02-30" }), "OktEvent.oktMessages[1].startDate"),
        (
            json!({ "startDate": "2025-02-01", "endDate": "2025-01-01" }),
            "OktEvent.oktMessages[1].endDate",
        ),
        (
            json!({ "startDate": "2025-02-01", "iplosCode": { "iplosCodeValue": "99" } }),
            "OktEvent.oktMessages[1].iplosCode.iplosCodeValue",
        ),
        (
            json!({ "startDate": "2025-02-01", "stayType": "ukjent" }),
            "OktEvent.oktMessages[1].stayType",
        ),
        (
            json!({ "startDate": "2025-02-01", "needsCaption": "ja" }),
            "OktEvent.oktMessages[1].needsCaption",
        ),
        (json!({ "startDate": "2025-02-01", "unheardOf": 1 }), "OktEvent.oktMessages[1].unheardOf"),
    ];
    for (message, place) in wrong {
        let event = json!({ "personIdentifier": pid, "oktMessages": [good, message] });
        let issue = source.post("/9901/okt/okt-events", &event).issue(422);
        assert!(issue.contains(&format!("|{place}|")), "{place}: {issue}");
    }
    let nobody = json!({ "personIdentifier": "12345678901", "oktMessages": [good] });
    let issue = source.post("/9901/okt/okt-events", &nobody).issue(422);
    assert!(issue.starts_with("value|OktEvent.personIdentifier|"), "{issue}");
    assert!(!issue.contains("12345678901"), "{issue}");
    let got = source.get(&format!("/9901/okt/okt-events/{pid}")).expect(200);
    assert_eq!(got["oktMessages"], json!([]));
}

#[test]
fn many_lists_at_once_are_all_taken() {
    let server = shared();
    let source = server.role("plo-epj");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..40 {
                    source.post("/9901/okt/okt-events", &full(&person())).expect(200);
                }
            });
        }
    });
}
