//! How access was used, over HTTP and on the command line: who is told, and what an operator tries out.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use serde_json::{Value, json};
use support::content::person;
use support::{FNR, Folder, Server, fkj};
use ureq::http::Method;

fn page(server: &Server, role: &str, path: &str, form: Option<&str>) -> support::Answer {
    let cookie = format!("fkj_session={}", server.token("9901", role, None));
    let headers =
        [("cookie", cookie.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    let method = if form.is_some() { Method::POST } else { Method::GET };
    let body = form.map(|form| form.to_owned().into());
    server.client(None).send(method, path, &headers, body)
}

#[test]
fn only_those_with_the_duty_are_told() {
    let server = Server::demo(&Folder::new(), 0);
    let officer = server.role("sikkerhetsleder");
    assert_eq!(officer.get("/9901/admin/findings").expect(200)["findings"], json!([]));
    assert_eq!(officer.get("/9901/admin/accesses").expect(200)["accesses"], json!([]));
    for role in ["forvalter", "legevaktslege", "plo-epj"] {
        for path in ["/9901/admin/findings", "/9901/admin/accesses"] {
            assert_eq!(server.role(role).get(path).status, 403, "{role} {path}");
        }
    }
    let settle = json!({ "outcome": "explained", "why": "vikar" });
    assert_eq!(officer.post("/9901/admin/findings/1", &settle).status, 404);
    assert_eq!(officer.post("/9901/admin/findings/1", &json!({ "outcome": "x" })).status, 400);
    let certify = json!({ "needed": true, "why": "sett" });
    assert_eq!(officer.post("/9901/admin/accesses/1", &certify).status, 404);
    let pages = [
        ("/9901/admin/logganalyse", "Det er ingen funn å spørre om."),
        ("/9901/admin/tilganger", "Ingen tilganger er brukt."),
    ];
    for (path, said) in pages {
        let shown = page(&server, "sikkerhetsleder", path, None);
        assert_eq!(shown.status, 200);
        assert!(shown.text.contains(said), "{path}");
        assert_eq!(page(&server, "forvalter", path, None).status, 403);
        assert_eq!(page(&server, "sikkerhetsleder", path, Some("id=1&why=x")).status, 404);
    }
}

#[test]
fn an_operator_tries_the_analysis_out() {
    let dir = Folder::new();
    let server = Server::demo(&dir, 0);
    let (number, date) = (person(), today());
    let patient =
        json!({ "resourceType": "Patient", "identifier": [{ "system": FNR, "value": number }] });
    let id = server.role("plo-epj").post("/9901/fhir/Patient", &patient).expect(201)["id"].clone();
    let doctor = server.role("legevaktslege");
    for _ in 0..8 {
        doctor.get(&format!("/9901/fhir/Patient/{}", id.as_str().unwrap())).expect(200);
    }
    drop(server);
    std::fs::write(dir.path().join("9901/vigilance.toml"), "line = 50").unwrap();
    let analyse = |further: &[&str]| {
        let command = ["audit", "analyse", "--kommune", "9901", "--from", &date, "--to", &date];
        let done = fkj(&[&command[..], further].concat(), dir.path());
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    };
    let found: Value = serde_json::from_str(&analyse(&["--json"])).unwrap();
    assert_eq!(found.as_array().unwrap().len(), 1, "{found}");
    let rules: Vec<&str> = found[0]["signs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["rule"].as_str().unwrap())
        .collect();
    assert_eq!(rules, ["no-relation", "thorough"]);
    let table = analyse(&[]);
    assert!(table.contains("9901: 1 findings") && table.contains("Maja Fjellstad"), "{table}");
    std::fs::write(dir.path().join("9901/vigilance.toml"), "line = 0").unwrap();
    let command = ["audit", "analyse", "--kommune", "9901", "--from", &date, "--to", &date];
    let wrong = fkj(&command, dir.path());
    assert!(!wrong.status.success());
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("`line` is from 1 to 100"));
}

/// Today in Norway.
fn today() -> String {
    fhir::instant::local_date(support::now_s() * 1000)
}
