//! The server's own descriptions: what they promise is served, and their examples are taken.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::content::person;
use support::{FNR, Folder, Server, shared, text};
use ureq::http::Method;

/// What those who administer decide and ask.
const DECIDING: [&str; 5] =
    ["admin-put", "admin-rollback", "admin-what-if", "admin-explain", "admin-switch"];

/// What residents ask for about themselves.
const RIGHTS: [&str; 2] = ["copy", "rights-request"];

/// An example as it is sent.
fn sent(media: &str, example: &Value) -> String {
    match (media, example) {
        ("application/x-www-form-urlencoded", form) => form
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| format!("{name}={}", text(value)))
            .collect::<Vec<_>>()
            .join("&"),
        (_, Value::String(lines)) => lines.clone(),
        (_, example) => example.to_string(),
    }
}

#[test]
fn every_example_of_the_document_is_taken_as_it_is() {
    let server = shared();
    let document = server.client(None).get("/9901/openapi.json").expect(200);
    let source = server.role("utvikler");
    let pid = person();
    let own = json!({ "resourceType": "Patient", "identifier": [{ "system": FNR, "value": pid }] });
    let patient = text(&source.post("/9901/fhir/Patient", &own).expect(201)["id"]);
    let (admin, resident) = (server.role("forvalter"), server.resident(&pid));
    let mut taken = BTreeSet::new();
    // In the order of the methods, so that what is changed is there.
    for method in ["put", "post", "patch"] {
        for (path, item) in document["paths"].as_object().unwrap() {
            let contents = &item[method]["requestBody"]["content"];
            for (media, content) in contents.as_object().into_iter().flatten() {
                let Some(example) = content.get("example") else { continue };
                let body = sent(media, example);
                let kind = example["resourceType"].as_str().unwrap_or("Observation");
                let kind = if kind == "Parameters" { "Observation" } else { kind };
                let id = item[method]["operationId"].as_str().unwrap();
                // Of the others, what they answer is not there.
                let decides = DECIDING.contains(&id);
                if id.starts_with("admin-") && !decides {
                    continue;
                }
                // What belongs to a measurement is nothing; what belongs to its patient is.
                let is_right = RIGHTS.contains(&id);
                let (kind, of) = match is_right || id.starts_with("search-compartment") {
                    true => ("Patient", patient.as_str()),
                    false => (kind, "example-pulse"),
                };
                let mut address = path.replace("{kind}", kind).replace("{id}", of);
                address = address.replace("{of}", "Observation");
                address = address.replace("{part}", "unit").replace("{key}", "310312055");
                if id.ends_with("-matching") {
                    address += "?identifier=https://vendor.example/measurement%7Cexample-1";
                }
                if id == "import" {
                    address += "?job=example";
                }
                let verb = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                let mut headers = vec![("content-type", media.as_str())];
                let version = decides.then(|| admin.get("/9901/admin/register"));
                headers.extend(version.iter().map(|it| ("if-match", it.header("etag"))));
                let client = match (decides, is_right) {
                    (true, _) => &admin,
                    (_, true) => &resident,
                    _ => &source,
                };
                let answer =
                    client.send(verb, &format!("/9901{address}"), &headers, Some(body.into()));
                assert!((200..300).contains(&answer.status), "{id} {media}: {}", answer.text);
                taken.insert(id.to_owned());
            }
        }
    }
    for id in
        ["create", "update", "patch", "bundle", "okt-submit", "pmd-submit", "events", "import"]
            .into_iter()
            .chain(DECIDING)
            .chain(["rights-request"])
    {
        assert!(taken.contains(id), "{id} has an example");
    }
}

#[test]
fn the_statements_are_there_in_their_modes() {
    let server = shared();
    let anybody = server.client(None);
    for mode in ["", "?mode=full", "?mode=normative"] {
        let statement = anybody.get(&format!("/9901/fhir/metadata{mode}")).expect(200);
        assert_eq!(statement["resourceType"], "CapabilityStatement");
        assert_eq!(statement["implementation"]["description"], "Dalfjord kommune");
    }
    let known = anybody.get("/9901/fhir/metadata?mode=terminology").expect(200);
    assert_eq!(known["resourceType"], "TerminologyCapabilities");
    let systems = known["codeSystem"].as_array().unwrap();
    let norwegian = |it: &Value| text(&it["uri"]).contains("helsedirektoratet");
    assert!(systems.iter().any(norwegian), "the Norwegian code systems are among them");
    anybody.get("/9901/fhir/metadata?mode=other").expect(400);
}

#[test]
fn tokens_are_given_out_in_a_demo_alone() {
    let folder = Folder::new();
    let demo = Server::demo(&folder, 0);
    let ask = |server: &Server, role: &str| {
        server.client(None).form("/9901/docs/token", &format!("role={role}"))
    };
    let given = ask(&demo, "plo-epj").expect(200);
    let client = demo.client(Some(text(&given["access_token"])));
    client.get("/9901/fhir/Patient").expect(200);
    assert_eq!(ask(&demo, "nobody").status, 400);
    assert_eq!(ask(&demo, "innbygger:1").status, 400);
    demo.kill();
    let real = Server::serve(&folder);
    assert_eq!(ask(&real, "plo-epj").status, 404);
    let page = real.client(None).get("/9901/docs");
    assert!(page.status == 200 && !page.text.contains("id=\"rolle\""));
}

#[test]
fn the_information_catalogue_is_open_in_three_languages() {
    let catalogue = shared().client(None).get("/katalog.json").expect(200);
    let all = |name: &str| catalogue[name].as_array().unwrap().clone();
    assert_eq!((all("domains").len(), all("categories").len()), (6, 36));
    for it in ["domains", "categories", "elements"].into_iter().flat_map(all) {
        for language in ["nb", "nn", "en"] {
            assert!(!text(&it["texts"][language]["title"]).is_empty(), "{}", it["key"]);
        }
    }
    let blood_pressure =
        all("elements").into_iter().find(|it| it["key"] == "blood-pressure").unwrap();
    assert_eq!(blood_pressure["category"], "measurements");
    assert_eq!(
        blood_pressure["codes"],
        json!([{ "system": "http://loinc.org", "code": "85354-9" }])
    );
}
