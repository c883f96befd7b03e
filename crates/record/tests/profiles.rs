//! The list of profiles is the folder of profiles, and what is demanded is among them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use record::profile::{Strictness, demanded, demands, structure_definitions};
use serde_json::Value;

fn profiles() -> BTreeMap<String, Value> {
    let parsed = structure_definitions().iter().map(|text| {
        let profile: Value = serde_json::from_str(text).unwrap();
        (profile["url"].as_str().unwrap().to_owned(), profile)
    });
    parsed.collect()
}

#[test]
fn the_list_is_the_folder_and_every_address_differs() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/data/profiles"));
    let mut there = BTreeSet::new();
    for group in std::fs::read_dir(folder).unwrap() {
        for file in std::fs::read_dir(group.unwrap().path()).unwrap() {
            there.insert(std::fs::read_to_string(file.unwrap().path()).unwrap());
        }
    }
    let listed: BTreeSet<String> =
        structure_definitions().iter().map(|text| (*text).to_owned()).collect();
    assert_eq!(listed, there);
    assert_eq!(profiles().len(), structure_definitions().len());
}

#[test]
fn a_profile_builds_on_hl7_or_on_another_and_says_where_it_is_from() {
    let profiles = profiles();
    let known = |url: &str| {
        url.starts_with("http://hl7.org/fhir/StructureDefinition/") || profiles.contains_key(url)
    };
    for (url, profile) in &profiles {
        assert_eq!(profile["resourceType"], "StructureDefinition", "{url}");
        assert_eq!(profile["derivation"], "constraint", "{url}");
        assert!(profile["snapshot"].is_null(), "{url}");
        assert!(profile["description"].as_str().unwrap().contains("(conventions §"), "{url}");
        assert!(known(profile["baseDefinition"].as_str().unwrap()), "{url}");
        let id = profile["id"].as_str().unwrap();
        assert!(url.ends_with(&format!("/{id}")) && id.len() <= 64, "{url}");
        for element in profile["differential"]["element"].as_array().unwrap() {
            for kind in element["type"].as_array().into_iter().flatten() {
                let named = [&kind["profile"], &kind["targetProfile"]];
                for other in named.into_iter().filter_map(Value::as_array).flatten() {
                    assert!(known(other.as_str().unwrap()), "{url} names {other}");
                }
            }
        }
    }
}

#[test]
fn what_a_door_demands_goes_by_the_code() {
    let profiles = profiles();
    for demand in demands() {
        let profile = &profiles[&demand.profile];
        assert_eq!(profile["type"], demand.kind.as_str(), "{}", demand.profile);
        for door in &demand.doors {
            assert!(["fhir", "okt", "pmd", "events"].contains(&door.as_str()), "{door}");
        }
    }
    let names = |door: &str, kind: &str, codings: &[(&str, &str)]| -> Vec<(String, Strictness)> {
        let name = |url: &str| url.rsplit('/').next().unwrap().to_owned();
        demanded(door, kind, codings).iter().map(|it| (name(&it.profile), it.strictness)).collect()
    };
    let one = |name: &str, strictness| vec![(name.to_owned(), strictness)];
    let (loinc, snomed) = ("http://loinc.org", "http://snomed.info/sct");
    let pulse = [("urn:local", "P"), (loinc, "8867-4"), (snomed, "364075005")];
    let heart = "vkp-Observation-Heartrate";
    assert_eq!(names("pmd", "Observation", &pulse), one(heart, Strictness::Error));
    assert_eq!(names("fhir", "Observation", &pulse), one(heart, Strictness::Warning));
    let glucose = [(loinc, "15074-8")];
    assert_eq!(names("pmd", "Observation", &glucose), one("vkp-Observation", Strictness::Error));
    assert_eq!(names("fhir", "Observation", &glucose), []);
    assert_eq!(names("okt", "EpisodeOfCare", &[]), one("OktEpisodeOfCare", Strictness::Error));
    assert_eq!(names("okt", "Observation", &pulse), []);
}
