//! The municipality's own register over HTTP: who may change it, that a change is in force at once and
//! outlives the server, and the page by which people do it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use serde_json::{Value, json};
use support::content::{person, pulse};
use support::{Answer, Client, Folder, Server, fkj, text};
use ureq::http::Method;

const REGISTER: &str = "/9901/admin/register";
const AT: &str = "2026-01-05T10:00:00+01:00";

fn version(admin: &Client) -> String {
    let answer = admin.get(REGISTER);
    answer.expect(200);
    answer.header("etag").to_owned()
}

fn put(admin: &Client, path: &str, body: &Value) -> Answer {
    let version = version(admin);
    let headers = [("content-type", "application/json"), ("if-match", version.as_str())];
    admin.send(Method::PUT, &format!("{REGISTER}/{path}"), &headers, Some(body.to_string().into()))
}

fn end(admin: &Client, path: &str) -> Answer {
    let version = version(admin);
    let path = format!("{REGISTER}/{path}?why=sagt+opp");
    admin.send(Method::DELETE, &path, &[("if-match", &version)], None)
}

fn act(admin: &Client, path: &str, body: &Value) -> Answer {
    admin.post_as(&format!("/9901/admin/{path}"), "application/json", body.to_string())
}

fn page(server: &Server, role: &str, form: Option<&str>) -> Answer {
    let cookie = format!("fkj_session={}", server.token("9901", role, None));
    let headers =
        [("cookie", cookie.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    let method = if form.is_some() { Method::POST } else { Method::GET };
    let body = form.map(|form| form.as_bytes().to_vec());
    server.client(None).send(method, "/9901/admin", &headers, body)
}

#[test]
fn only_those_with_a_duty_administer_and_every_refusal_is_worded() {
    let server = Server::demo(&Folder::new(), 0);
    for role in ["legevaktslege", "saksbehandler", "plo-epj", "utvikler"] {
        let client = server.role(role);
        assert_eq!(client.get(REGISTER).rule(), "no-duty", "{role}");
        let switch = json!({ "stop": "municipality", "why": "x" });
        assert_eq!(act(&client, "switches", &switch).rule(), "no-duty", "{role}");
    }
    let elsewhere = server.client(Some(server.token("9902", "forvalter", None)));
    elsewhere.get(REGISTER).issue(401);
    // Whoever administers reads nothing about anybody by it.
    let (forvalter, pid) = (server.role("forvalter"), person());
    let made = server.role("plo-epj").post("/9901/fhir/Observation", &pulse(&pid, AT, 61));
    let id = text(&made.expect(201)["id"]);
    assert_eq!(forvalter.get(&format!("/9901/fhir/Observation/{id}")).rule(), "no-attest");
    // What is not understood changes nothing.
    let unit = json!({ "value": {}, "why": "x" }).to_string();
    let path = format!("{REGISTER}/unit/810000099");
    let json = ("content-type", "application/json");
    let sent = |headers: &[(&str, &str)], body: &str| {
        forvalter.send(Method::PUT, &path, headers, Some(body.as_bytes().to_vec()))
    };
    assert!(sent(&[json], &unit).issue(428).contains("If-Match"));
    assert!(sent(&[json, ("if-match", "W/\"x\"")], &unit).issue(400).contains("If-Match"));
    sent(&[json, ("if-match", "W/\"99\"")], &unit).issue(412);
    assert!(put(&forvalter, "unit/810000099", &json!({ "why": "x" })).issue(400).contains("value"));
    let told = put(&forvalter, "unit/810000099", &json!({ "value": {}, "why": "x" })).issue(422);
    assert!(told.contains("unit/810000099"), "{told}");
    put(&forvalter, "spaceship/1", &json!({ "value": {}, "why": "x" })).issue(404);
    let policy = json!({ "key": "egen", "title": "Egen", "text": "forbid (principal, action, resource)\nwhen { context. };" });
    let told = put(&forvalter, "policy/egen", &json!({ "value": policy, "why": "x" })).issue(422);
    assert!(told.contains("egen") && told.contains("line 2"), "{told}");
    assert_eq!(version(&forvalter), "W/\"1\"");
}

#[test]
fn a_decision_is_in_force_at_the_next_request_and_outlives_the_server() {
    let dir = Folder::new();
    let server = Server::demo(&dir, 0);
    let (forvalter, leder) = (server.role("forvalter"), server.role("sikkerhetsleder"));
    let (vkp, plo, pid) = (server.role("vkp"), server.role("plo-epj"), person());
    let send =
        |client: &Client, value| client.post("/9901/fhir/Observation", &pulse(&pid, AT, value));
    send(&vkp, 61).expect(201);
    let stop = json!({ "stop": { "client": "vkp-9901" }, "why": "feil i målinger" });
    act(&forvalter, "switches", &stop).expect(200);
    assert_eq!(send(&vkp, 62).rule(), "switched-off");
    send(&plo, 63).expect(201);
    // Something arrives by it, so one person does not end it alone.
    let proposal = end(&forvalter, "agreement/plo-epj-9901");
    let id = proposal.expect(202)["proposal"].as_u64().unwrap();
    assert!(proposal.header("location").ends_with(&format!("/admin/proposals/{id}")));
    let approve = format!("proposals/{id}/approve");
    let why = json!({ "why": "enig" });
    assert_eq!(act(&forvalter, &approve, &why).rule(), "second-person");
    send(&plo, 64).expect(201);
    act(&leder, &approve, &why).expect(200);
    assert_eq!(send(&plo, 65).rule(), "no-agreement");
    server.kill();
    assert!(fkj(&["view", "rebuild"], dir.path()).status.success());
    let shown = fkj(&["register", "show", "--kommune", "9901"], dir.path());
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(shown["parts"]["switch"][0]["decided"]["why"], "feil i målinger");
    let server = Server::serve(&dir);
    let (vkp, plo) = (server.role("vkp"), server.role("plo-epj"));
    assert_eq!(vkp.post("/9901/fhir/Observation", &pulse(&pid, AT, 66)).rule(), "switched-off");
    assert_eq!(plo.post("/9901/fhir/Observation", &pulse(&pid, AT, 67)).rule(), "no-agreement");
    let forvalter = server.role("forvalter");
    let back = json!({ "to": 1, "why": "tilbake" }).to_string();
    let etag = version(&forvalter);
    let headers = [("content-type", "application/json"), ("if-match", etag.as_str())];
    let path = format!("{REGISTER}/rollback");
    forvalter.send(Method::POST, &path, &headers, Some(back.into())).expect(200);
    plo.post("/9901/fhir/Observation", &pulse(&pid, AT, 68)).expect(201);
    vkp.post("/9901/fhir/Observation", &pulse(&pid, AT, 69)).expect(201);
    let history = forvalter.get(&format!("{REGISTER}/history?_count=2")).expect(200);
    assert_eq!(history["decisions"][0]["change"]["restores"], 1);
    assert_eq!(history["decisions"][0]["decided"]["by"]["name"], "Torbjørg Aune");
}

#[test]
fn why_somebody_may_is_explained_to_them_and_to_those_who_administer() {
    let server = Server::demo(&Folder::new(), 0);
    let pid = person();
    server.role("plo-epj").post("/9901/fhir/Observation", &pulse(&pid, AT, 61)).expect(201);
    let own = act(&server.role("saksbehandler"), "explain", &json!({ "number": pid })).expect(200);
    let category = |told: &Value, key: &str| {
        let all = told["categories"].as_array().unwrap();
        all.iter().find(|it| it["category"] == key).unwrap().clone()
    };
    assert_eq!(category(&own, "services")["open"], true);
    assert_eq!(category(&own, "measurements")["rule"], "category-not-for-role");
    let office = server.role("saksbehandler");
    let register = server.role("forvalter").get(REGISTER).expect(200);
    let units = register["parts"]["unit"].as_array().unwrap();
    let clinic = units.iter().find(|it| it["value"]["kind"] == "legevakt").unwrap();
    let someone = json!({ "unit": clinic["key"], "purpose": "TREAT", "hpr": "222900011" });
    let who = json!({ "who": someone, "number": pid });
    assert_eq!(act(&office, "explain", &who).rule(), "no-duty");
    let told = act(&server.role("sikkerhetsleder"), "explain", &who).expect(200);
    assert_eq!((&told["open"], &told["rule"]), (&Value::Null, &json!("no-role")));
    let changes = told["changes"].as_array().unwrap();
    assert!(changes.iter().any(|it| it["what"]["profession"] == "LE"), "{changes:?}");
    // The log of the last week tells who loses.
    let change = json!({ "changes": [{ "part": "agreement", "key": "plo-epj-9901" }] });
    let outlook = act(&server.role("forvalter"), "register/what-if", &change).expect(200);
    let clients: Vec<String> = outlook["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| text(&it["who"]["client"]))
        .collect();
    // It delivered as itself and for its unit.
    assert!(!clients.is_empty() && clients.iter().all(|it| it == "plo-epj-9901"), "{outlook}");
    assert!(!outlook.to_string().contains(&pid));
}

#[test]
fn the_page_stops_and_resumes_and_takes_two_to_agree() {
    let server = Server::demo(&Folder::new(), 0);
    let shown = page(&server, "forvalter", None);
    shown.expect(200);
    for seen in ["Forvaltning", "Torbjørg Aune", "Avtaler om levering", "register.toml"] {
        assert!(shown.text.contains(seen), "{seen}");
    }
    assert_eq!(page(&server, "legevaktslege", None).status, 403);
    let (vkp, pid) = (server.role("vkp"), person());
    let send = |value| vkp.post("/9901/fhir/Observation", &pulse(&pid, AT, value));
    send(61).expect(201);
    let refused = page(&server, "forvalter", Some("act=stop&what=client-vkp-9901&why="));
    assert_eq!(refused.status, 422);
    assert_eq!(
        page(&server, "forvalter", Some("act=stop&what=client-vkp-9901&why=feil")).status,
        200
    );
    assert_eq!(send(62).rule(), "switched-off");
    assert_eq!(
        page(&server, "forvalter", Some("act=resume&what=client-vkp-9901&why=ok")).status,
        200
    );
    send(62).expect(201);
    let id = end(&server.role("forvalter"), "agreement/vkp-9901").expect(202)["proposal"].clone();
    let form = format!("act=approve&id={id}&why=enig");
    assert_eq!(page(&server, "forvalter", Some(&form)).status, 403);
    assert_eq!(page(&server, "sikkerhetsleder", Some(&form)).status, 200);
    assert_eq!(send(63).rule(), "no-agreement");
    assert_eq!(page(&server, "sikkerhetsleder", Some(&form)).status, 410);
}

#[test]
fn a_file_is_applied_by_somebody_the_register_knows() {
    let dir = Folder::new();
    drop(Server::demo(&dir, 0));
    let path = dir.path().join("9901/register.toml");
    let file = std::fs::read_to_string(&path).unwrap().replace("Dalfjord", "Nye Dalfjord");
    std::fs::write(&path, &file).unwrap();
    let apply = |who: &str| {
        let file = path.display().to_string();
        fkj(&["register", "apply", &file, "--who", who, "--why", "nytt navn"], dir.path())
    };
    assert!(!apply("Noen Andre").status.success());
    let applied = apply("Torbjørg Aune");
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
    let history = fkj(&["register", "history", "--kommune", "9901"], dir.path());
    let history: Value = serde_json::from_slice(&history.stdout).unwrap();
    assert_eq!(history["decisions"].as_array().unwrap().len(), 2);
    assert_eq!(history["decisions"][0]["decided"]["why"], "nytt navn");
}
