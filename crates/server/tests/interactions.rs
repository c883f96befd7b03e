//! The R4 interactions on one resource: patch, conditions, preferences, history, parts.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use serde_json::{Value, json};
use support::content::{count, person, pulse};
use support::{Answer, Client, FNR, entries, shared, text};
use ureq::http::Method;

const AT: &str = "2026-01-05T10:00:00+01:00";
const OBSERVATION: &str = "/9901/fhir/Observation";

fn send(
    client: &Client,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> Answer {
    let mut all = headers.to_vec();
    if !headers.iter().any(|(name, _)| *name == "content-type") {
        all.push(("content-type", "application/fhir+json"));
    }
    client.send(method, path, &all, Some(body.to_string().into_bytes()))
}

/// A pulse that is there; its address and content.
fn there(source: &Client) -> (String, Value) {
    let made = source.post(OBSERVATION, &pulse(&person(), AT, 72)).expect(201);
    (format!("{OBSERVATION}/{}", text(&made["id"])), made)
}

#[test]
fn a_patch_is_a_version_of_its_owner_or_nothing() {
    let server = shared();
    let source = server.role("tavle");
    let (path, made) = there(&source);
    let json_patch = [("content-type", "application/json-patch+json")];
    let patch =
        |headers: &[(&str, &str)], body: Value| send(&source, Method::PATCH, &path, headers, &body);
    let amended = json!([{ "op": "replace", "path": "/status", "value": "amended" }]);
    let answer = patch(&json_patch, amended.clone());
    let version = text(&answer.expect(200)["meta"]["versionId"]);
    assert_eq!(answer.header("etag"), format!("W/\"{version}\""));
    let by_path = json!({ "resourceType": "Parameters", "parameter": [{ "name": "operation", "part": [
        { "name": "type", "valueCode": "replace" },
        { "name": "path", "valueString": "Observation.value.ofType(Quantity).value" },
        { "name": "value", "valueDecimal": 73 },
    ] }] });
    let patched = patch(&[], by_path).expect(200);
    assert_eq!(
        (&patched["status"], &patched["valueQuantity"]["value"]),
        (&json!("amended"), &json!(73))
    );
    let current = format!("W/\"{}\"", text(&patched["meta"]["versionId"]));
    let (json_type, fhir_type) = ("application/json-patch+json", "application/fhir+json");
    let test = |value: &str| json!([{ "op": "test", "path": "/status", "value": value }]);
    let cases: [(&str, &str, Value, u16, &str); 8] = [
        (json_type, "*", test("final"), 422, "conflict|patch[0].value|"),
        (json_type, "W/\"1\"", test("amended"), 412, "conflict|"),
        (json_type, "*", json!([{ "op": "swap", "path": "" }]), 400, "value|patch[0].op|"),
        (
            json_type,
            "*",
            json!([{ "op": "remove", "path": "/status" }]),
            422,
            "required|Observation.status|",
        ),
        (
            json_type,
            "*",
            json!([{ "op": "remove", "path": "/id" }]),
            422,
            "business-rule|patch[0].path|",
        ),
        (fhir_type, "*", json!({ "resourceType": "Patient" }), 400, "structure|resourceType|"),
        ("application/xml-patch+xml", "*", json!([]), 415, "not-supported|"),
        ("application/json-patch+json", current.as_str(), test("amended"), 200, ""),
    ];
    for (kind, if_match, body, status, says) in cases {
        let answer = patch(&[("content-type", kind), ("if-match", if_match)], body);
        if status == 200 {
            assert_eq!(answer.expect(200)["meta"]["versionId"], patched["meta"]["versionId"]);
        } else {
            assert!(answer.issue(status).starts_with(says), "{says}: {}", answer.text);
        }
    }
    for (role, rule) in [("plo-epj", "not-owner"), ("sykepleier", "not-a-system")] {
        let other = send(&server.role(role), Method::PATCH, &path, &json_patch, &amended);
        assert_eq!(other.rule(), rule);
    }
    let nowhere = format!("{OBSERVATION}/nowhere-{}", count());
    send(&source, Method::PATCH, &nowhere, &json_patch, &amended).issue(404);
    assert_eq!(source.get(&path).expect(200)["id"], made["id"]);
}

#[test]
fn a_condition_stands_for_an_id() {
    let server = shared();
    let source = server.role("tavle");
    let pid = person();
    let name = format!("condition-{}", count());
    let query = format!("identifier=urn:test%7C{name}");
    let address = format!("{OBSERVATION}?{query}");
    let mut sent = pulse(&pid, AT, 72);
    sent["identifier"][0]["value"] = json!(name);
    // Nothing matches: conditional writes make it, find it, change it and remove it.
    let json_patch = [("content-type", "application/json-patch+json")];
    let amended = json!([{ "op": "replace", "path": "/status", "value": "amended" }]);
    send(&source, Method::PATCH, &address, &json_patch, &amended).issue(404);
    assert_eq!(source.send(Method::DELETE, &address, &[], None).status, 204);
    let none_exist = [("if-none-exist", query.as_str())];
    let made = send(&source, Method::POST, OBSERVATION, &none_exist, &sent).expect(201);
    sent["valueQuantity"]["value"] = json!(99);
    let again = send(&source, Method::POST, OBSERVATION, &none_exist, &sent).expect(200);
    assert_eq!(again, made, "what was there, and not what was sent");
    let updated = source.put(&address, &sent).expect(200);
    assert_eq!((&updated["id"], &updated["valueQuantity"]["value"]), (&made["id"], &json!(99)));
    let mut other = sent.clone();
    other["id"] = json!("another");
    assert!(source.put(&address, &other).issue(400).contains("|Observation.id|"));
    let patched = send(&source, Method::PATCH, &address, &json_patch, &amended).expect(200);
    assert_eq!(patched["id"], made["id"]);
    // Another source's condition does not find it, a person's may not look for it.
    let elsewhere = server.role("plo-epj");
    assert_eq!(elsewhere.send(Method::DELETE, &address, &[], None).status, 204);
    source.get(&format!("{OBSERVATION}/{}", text(&made["id"]))).expect(200);
    let nurse = server.role("sykepleier");
    assert_eq!(nurse.send(Method::DELETE, &address, &[], None).rule(), "not-a-system");
    // Two match.
    let mut second = pulse(&pid, AT, 60);
    second["identifier"].as_array_mut().unwrap().push(sent["identifier"][0].clone());
    source.post(OBSERVATION, &second).expect(201);
    for (method, path, headers) in
        [(Method::POST, OBSERVATION, &none_exist[..]), (Method::PUT, address.as_str(), &[][..])]
    {
        let issue = send(&source, method, path, headers, &sent).issue(412);
        assert!(issue.starts_with("multiple-matches|"), "{issue}");
    }
    // A national number may stand in a header, and in no address.
    let number = format!("patient.identifier={FNR}%7C{pid}");
    let issue = source.put(&format!("{OBSERVATION}?{number}"), &sent).issue(400);
    assert!(issue.starts_with("security|") && !issue.contains(&pid), "{issue}");
    let header = [("if-none-exist", number.as_str())];
    let third = send(&source, Method::POST, OBSERVATION, &header, &sent).issue(412);
    assert!(third.starts_with("multiple-matches|"), "{third}");
    assert!(!server.log().contains(&pid));
}

#[test]
fn versions_guard_and_spare() {
    let server = shared();
    let source = server.role("tavle");
    let (path, made) = there(&source);
    let read = source.get(&path);
    let (etag, modified) = (read.header("etag"), read.header("last-modified"));
    for (name, value, status) in [
        ("if-none-match", etag, 304),
        ("if-none-match", "W/\"1\", *", 304),
        ("if-none-match", "W/\"999999\"", 200),
        ("if-modified-since", modified, 304),
        ("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT", 200),
        ("if-modified-since", "yesterday", 200),
    ] {
        let answer = source.send(Method::GET, &path, &[(name, value)], None);
        assert_eq!((answer.status, answer.header("etag")), (status, etag), "{name}: {value}");
        assert_eq!(answer.text.is_empty(), status == 304);
    }
    let absent = [("if-none-match", "*")];
    assert!(send(&source, Method::PUT, &path, &absent, &made).issue(412).starts_with("conflict|"));
    let id = format!("new-{}", count());
    let mut new = made.clone();
    new["id"] = json!(id);
    let place = format!("{OBSERVATION}/{id}");
    send(&source, Method::PUT, &place, &[("if-match", "*")], &new).issue(412);
    send(&source, Method::PUT, &place, &absent, &new).expect(201);
    let stale = source.send(Method::DELETE, &path, &[("if-match", "W/\"999999\"")], None);
    assert!(stale.issue(412).starts_with("conflict|"));
    let removed = source.send(Method::DELETE, &path, &[("if-match", etag)], None);
    assert_eq!(removed.status, 204);
    // What is removed says when, and its versions stay.
    let gone = source.get(&path);
    assert!(gone.issue(410).starts_with("deleted|"));
    assert_eq!(gone.header("etag"), removed.header("etag"));
    assert!(gone.header("location").contains("/_history/"));
    source.get(&format!("{path}/_history/{}", text(&made["meta"]["versionId"]))).expect(200);
    source.get(gone.header("location")).issue(410);
    source.put(&path, &made).expect(201);
    let history = source.get(&format!("{path}/_history")).expect(200);
    let told: Vec<String> = history["entry"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| format!("{} {}", text(&it["request"]["method"]), text(&it["response"]["status"])))
        .collect();
    assert_eq!(told, ["PUT 200", "DELETE 204", "PUT 201"]);
}

#[test]
fn an_answer_is_as_long_as_preferred() {
    let server = shared();
    let source = server.role("tavle");
    let create = |prefer: &str| {
        send(&source, Method::POST, OBSERVATION, &[("prefer", prefer)], &pulse(&person(), AT, 72))
    };
    let minimal = create("handling=lenient; return=minimal");
    assert_eq!((minimal.status, minimal.text.as_str()), (201, ""));
    assert!(minimal.header("location").contains("/_history/"));
    assert_eq!(create("return=OperationOutcome").expect(201)["resourceType"], "OperationOutcome");
    let whole = create("return=representation").expect(201);
    assert_eq!(whole, source.get(&format!("{OBSERVATION}/{}", text(&whole["id"]))).expect(200));
    let summary = format!("{OBSERVATION}/{}?_summary=true", text(&whole["id"]));
    assert_eq!(source.get(&summary).expect(200)["meta"]["tag"][0]["code"], "SUBSETTED");
    let elements = format!("{OBSERVATION}/{}?_elements=subject", text(&whole["id"]));
    let part = source.get(&elements).expect(200);
    assert_eq!((&part["subject"], &part["effectiveDateTime"]), (&whole["subject"], &Value::Null));
    let data = format!(
        "{OBSERVATION}?identifier=urn:test%7C{}&_summary=data",
        text(&whole["identifier"][0]["value"])
    );
    let found = source.get(&data).matches();
    assert_eq!((found.len(), &found[0]["code"]), (1, &whole["code"]));
    let strict = [("prefer", "return=minimal, handling=strict")];
    source.send(Method::GET, &format!("{OBSERVATION}?unheard=of"), &strict, None).issue(400);
}

#[test]
fn a_history_of_a_type_is_paged_and_holds_the_callers_own() {
    let server = shared();
    let (source, other) = (server.role("tavle"), server.role("plo-epj"));
    let since = {
        let (path, made) = there(&source);
        let id = text(&made["id"]);
        other.post(OBSERVATION, &pulse(&person(), AT, 50)).expect(201);
        let mut sent = made.clone();
        sent["status"] = json!("amended");
        source.put(&path, &sent).expect(200);
        source.send(Method::DELETE, &path, &[], None);
        (id, text(&made["meta"]["lastUpdated"]))
    };
    let mut told = Vec::new();
    let mut next =
        format!("{OBSERVATION}/_history?_count=2&_since={}", since.1.replace('+', "%2B"));
    loop {
        let page = source.get(&next).expect(200);
        assert_eq!(page["type"], "history");
        for entry in page["entry"].as_array().into_iter().flatten() {
            if entry["request"]["url"] == format!("Observation/{}", since.0) {
                told.push(text(&entry["response"]["status"]));
            }
            // Only what the caller delivered itself.
            assert_ne!(entry["resource"]["valueQuantity"]["value"], 50);
        }
        // What arrives meanwhile moves nothing.
        there(&source);
        let links = page["link"].as_array().unwrap();
        let Some(link) = links.iter().find(|it| it["relation"] == "next") else { break };
        next = text(&link["url"]);
    }
    assert_eq!(told, ["204", "200", "201"]);
    let all = source.get("/9901/fhir/_history?_count=1").expect(200);
    assert_eq!(all["entry"].as_array().unwrap().len(), 1);
    assert_eq!(server.role("sykepleier").get("/9901/fhir/_history").rule(), "patient-not-named");
    source.get(&format!("{OBSERVATION}/_history?_list=x")).issue(400);
    source.get(&format!("{OBSERVATION}/_history?_count=many")).issue(400);
}

/// A Bundle of every method about a new person, and about a measurement that is there.
fn all_methods(kind: &str, pid: &str, name: &str, old_url: &str, etag: &str) -> Value {
    let patient =
        json!({ "resourceType": "Patient", "identifier": [{ "system": FNR, "value": pid }] });
    let mut by_search = pulse(pid, AT, 61);
    by_search["subject"] = json!({ "reference": format!("Patient?identifier={FNR}|{pid}") });
    by_search["identifier"][0]["value"] = json!(name);
    let mut linked = pulse(pid, AT, 62);
    linked["subject"] = json!({ "reference": "Patient/1" });
    linked["derivedFrom"] = json!([{ "reference": "urn:uuid:m" }]);
    linked["meta"] = json!({ "source": "urn:uuid:m" });
    linked["text"] = json!({ "status": "generated",
        "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">urn:uuid:m</div>" });
    let patch = "W3sib3AiOiJyZXBsYWNlIiwicGF0aCI6Ii9zdGF0dXMiLCJ2YWx1ZSI6ImFtZW5kZWQifV0=";
    let patch = json!({ "resourceType": "Binary", "contentType": "application/json-patch+json", "data": patch });
    let base = "http://vendor.example/fhir";
    let none_exist = format!("identifier={FNR}|{pid}");
    json!({ "resourceType": "Bundle", "type": kind, "entry": [
            { "request": { "method": "GET", "url": format!("Observation?identifier=urn:test|{name}") } },
            { "fullUrl": format!("{base}/Observation/3"), "resource": linked,
              "request": { "method": "POST", "url": "Observation" } },
            { "fullUrl": "urn:uuid:m", "resource": by_search, "request": { "method": "POST",
              "url": "Observation", "ifNoneExist": format!("identifier=urn:test|{name}") } },
            { "fullUrl": format!("{base}/Patient/1"), "resource": patient, "request": {
              "method": "POST", "url": "Patient", "ifNoneExist": none_exist } },
            { "resource": patch, "request": { "method": "PATCH", "url": old_url, "ifMatch": etag } },
            { "request": { "method": "GET", "url": old_url, "ifNoneMatch": etag } },
            { "request": { "method": "HEAD", "url": old_url } },
            { "request": { "method": "GET", "url": format!("{old_url}/_history") } },
            { "request": { "method": "GET", "url": "Observation/nowhere" } },
        ] })
}

#[test]
fn a_bundle_reads_and_writes_in_one() {
    let server = shared();
    let source = server.role("plo-epj");
    let (pid, name) = (person(), format!("b{}", count()));
    let (path, old) = there(&source);
    let old_url = path.trim_start_matches("/9901/fhir/");
    let etag = format!("W/\"{}\"", text(&old["meta"]["versionId"]));
    let bundle = |kind: &str| all_methods(kind, &pid, &name, old_url, &etag);
    let answer = source.post("/9901/fhir", &bundle("transaction")).expect(200);
    assert_eq!(answer["type"], "transaction-response");
    let told = |answer: &Value| -> Vec<String> {
        let all = answer["entry"].as_array().unwrap().iter();
        all.map(|it| text(&it["response"]["status"]).chars().take(3).collect()).collect()
    };
    let expected = ["200", "201", "201", "201", "200", "200", "200", "200", "404"];
    assert_eq!(told(&answer), expected);
    let entry = |at: usize| &answer["entry"][at];
    let place = |at: usize| {
        text(&entry(at)["response"]["location"]).split("/_history").next().unwrap().to_owned()
    };
    // The search saw what the same transaction wrote, and references lead to it.
    let found = entries(&entry(0)["resource"], "match");
    assert_eq!(format!("Observation/{}", text(&found[0]["id"])), place(2));
    assert_eq!(found[0]["subject"]["reference"], place(3));
    let linked = source.get(&format!("/9901/fhir/{}", place(1))).expect(200);
    assert_eq!(linked["subject"]["reference"], place(3));
    assert_eq!(linked["derivedFrom"][0]["reference"], place(2));
    assert_eq!(linked["meta"]["source"], place(2));
    assert!(text(&linked["text"]["div"]).contains("urn:uuid:m"), "a narrative is the author's");
    assert_eq!(entry(5)["resource"]["status"], "amended");
    assert_eq!((&entry(6)["resource"], &entry(8)["resource"]), (&Value::Null, &Value::Null));
    assert_eq!(entry(7)["resource"]["type"], "history");
    // Again as a batch: what is there is found, and the stale version stops its own entry only.
    let mut again = bundle("batch");
    again["entry"].as_array_mut().unwrap().remove(1);
    again["entry"][1]["resource"]["subject"] = linked["subject"].clone();
    let answer = source.post("/9901/fhir", &again).expect(200);
    assert_eq!(told(&answer), ["200", "200", "200", "412", "200", "200", "200", "404"]);
    // Each read is decided about by itself.
    let nurse = server.role("sykepleier");
    let asked = json!({ "resourceType": "Bundle", "type": "batch", "entry": [
        { "request": { "method": "GET", "url": place(2) } },
        { "request": { "method": "GET", "url": "Observation" } },
    ] });
    let answer = nurse.post("/9901/fhir", &asked).expect(200);
    assert_eq!(told(&answer), ["200", "403"]);
}
