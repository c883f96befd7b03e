//! The commands around the server: `demo` twice, `serve` without the sandbox, `token`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use sandbox::stories::stories;
use support::{FNR, Folder, Server, fkj, ids, text};
use ureq::http::Method;

#[test]
fn a_second_demo_uses_the_folder_as_it_is_and_serve_needs_no_sandbox() {
    let dir = Folder::new();
    let story = stories().into_iter().find(|it| it.municipality == "9901").unwrap();
    let form = format!("patient.identifier={FNR}|{}&_count=1000", story.number);
    let seen = |server: &Server| {
        let found = server.role("legevaktslege").form("/9901/fhir/Observation/_search", &form);
        ids(&found.matches())
    };
    let first = Server::demo(&dir, 4);
    let observations = seen(&first);
    assert!(observations.len() > 10, "{}", observations.len());
    assert_eq!(first.client(None).get("/").status, 200);
    drop(first);
    let second = Server::demo(&dir, 4);
    assert!(second.log().contains("is used as it is"), "{}", second.log());
    assert_eq!(seen(&second), observations);
    drop(second);
    let serving = Server::serve(&dir);
    assert_eq!(seen(&serving), observations);
    // Nobody chooses here who to be.
    assert_eq!(serving.client(None).get("/").status, 401);
    assert_eq!(serving.client(None).get("/healthz").text, "ok");
    assert!(serving.client(None).get("/readyz").text.contains("9901 at "));
    let links = serving.role("plo-epj").get("/9901/fhir/Organization?_count=1").expect(200);
    assert!(text(&links["link"][1]["url"]).starts_with(&serving.role("plo-epj").at("/9901/fhir/")));
}

#[test]
fn a_token_from_the_command_line_opens_and_an_unknown_role_is_told() {
    let dir = Folder::new();
    let server = Server::demo(&dir, 0);
    let printed = fkj(&["token", "--kommune", "9901", "--as", "plo-epj"], dir.path());
    let token = String::from_utf8(printed.stdout).unwrap().trim().to_owned();
    server.client(Some(token)).get("/9901/fhir/Organization").expect(200);
    let refused = fkj(&["token", "--as", "trollmann"], dir.path());
    assert!(!refused.status.success());
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("`trollmann`") && said.contains("legevaktslege"), "{said}");
}

#[test]
fn a_demo_that_was_never_finished_is_not_taken_for_whole() {
    let dir = Folder::new();
    std::fs::create_dir_all(dir.path().join("sandbox")).unwrap();
    let refused = fkj(&["demo", "--listen", "127.0.0.1:0", "--patients", "0"], dir.path());
    assert!(!refused.status.success());
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("never finished"), "{said}");
}

#[test]
fn a_municipality_that_cannot_be_opened_does_not_stop_the_other() {
    let dir = Folder::new();
    drop(Server::demo(&dir, 0));
    std::fs::write(dir.path().join("9902/municipality.key"), [7; 32]).unwrap();
    let server = Server::serve(&dir);
    server.role("plo-epj").get("/9901/fhir/Organization").expect(200);
    let ready = server.client(None).get("/readyz");
    assert_eq!(ready.status, 503);
    assert!(ready.text.contains("9901 at ") && ready.text.contains("9902 is closed"));
    let token = server.token("9902", "plo-epj", None);
    server.client(Some(token)).get("/9902/fhir/Organization").expect(503);
}

#[test]
fn a_demo_with_proofs_takes_the_headers_that_are_printed_for_a_request_once() {
    let dir = Folder::new();
    let server = Server::demo_with(&dir, 0, &["--tokens", "dpop"]);
    let url = server.client(None).at("/9901/fhir/Observation");
    let printed = fkj(&["token", "--as", "utvikler", "--dpop", "GET", &url], dir.path());
    let printed = String::from_utf8(printed.stdout).unwrap();
    let headers: Vec<(&str, &str)> =
        printed.lines().map(|line| line.split_once(": ").unwrap()).collect();
    assert_eq!(
        headers.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        ["Authorization", "DPoP"]
    );
    let send = || server.client(None).send(Method::GET, &url, &headers, None);
    send().expect(200);
    assert!(send().issue(401).contains("used before"));
    // A token alone is not enough, and the page to try calls gives none.
    assert_eq!(server.role("utvikler").get("/9901/fhir/Observation").status, 401);
    let form = server.client(None).form("/9901/docs/token", "role=utvikler");
    assert_eq!(form.status, 404);
    // People sign in as before.
    let signed_in = server.client(None).form("/", "municipality=9901&role=legevaktslege");
    assert_eq!(signed_in.status, 303, "{}", signed_in.text);
}

#[test]
fn a_configuration_in_which_who_is_who_is_not_clear_is_not_served() {
    let dir = Folder::new();
    drop(Server::demo(&dir, 0));
    let path = dir.path().join("fkj.toml");
    let good = std::fs::read_to_string(&path).unwrap();
    let twice = good.split("[[issuers]]").nth(1).unwrap().replace("\"helseid\"", "\"idporten\"");
    let far = "[[issuers]]\nname = \"http://issuer.example\"\nkind = \"helseid\"\n";
    for (config, why) in [
        (format!("{good}\n[[issuers]]{twice}"), "stands twice"),
        (good.replace("fkj:9902", "fkj:9901"), "stands twice"),
        (good.replacen("kind = \"helseid\"\n", "", 1), "kind"),
        (good.replacen("tokens = \"bearer\"", "tokens = \"both\"", 1), "tokens"),
        (good.replace("public_url = \"http", "public_url = \"ftp"), "public_url"),
        (format!("{good}\n{far}"), "https"),
    ] {
        std::fs::write(&path, config).unwrap();
        let mut command = std::process::Command::new(support::FKJ);
        let ended = command.args(["serve", "--config"]).arg(&path).output().unwrap();
        let told = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(!ended.status.success() && told.contains(why), "{why}: {told}");
    }
}
