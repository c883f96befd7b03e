//! R4's terminology against HL7's own expansions (`hl7.fhir.r4.expansions` 4.0.1) and against the
//! code lists that elements are bound to.
//!
//! Where ours differs, `terminology_differences.txt` says so, each with the reason.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, a skip is told"
)]

use fhir::json;
use fhir::terminology::expand::Expand;
use fhir::terminology::{Set, Terminology};
use fhir::value::Value;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const EXPANSIONS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../target/packages/hl7.fhir.r4.expansions-4.0.1/package"
);
const REVIEWED: &str = include_str!("terminology_differences.txt");

const ALL: Expand =
    Expand { filter: None, offset: 0, count: None, active_only: false, at: Timestamp::UNIX_EPOCH };

type Codes = BTreeMap<(String, String), String>;

fn codes(expansion: &Value, found: &mut Codes) {
    for item in expansion.items("contains") {
        let text = |name| item.text(name).unwrap_or_default().to_owned();
        let display = text("display").split_whitespace().collect::<Vec<_>>().join(" ");
        found.insert((text("system"), text("code")), display);
        codes(item, found);
    }
}

/// How our expansion differs from HL7's, in one line; nothing if it does not.
fn difference(published: &Value) -> Option<String> {
    let url = published.text("url").unwrap();
    let ours = match Terminology::base().expand(Set::Url(url), &ALL) {
        Ok(ours) => ours,
        Err(issue) => return Some(format!("{url} refused {}", issue.code.as_str())),
    };
    let (mut theirs, mut own) = (Codes::new(), Codes::new());
    codes(published.get("expansion").unwrap(), &mut theirs);
    codes(ours.get("expansion").unwrap(), &mut own);
    let less = theirs.keys().filter(|code| !own.contains_key(*code)).count();
    let more = own.keys().filter(|code| !theirs.contains_key(*code)).count();
    let texts = own.iter().filter(|(code, text)| {
        !text.is_empty() && theirs.get(*code).is_some_and(|theirs| theirs != *text)
    });
    let texts = texts.count();
    if let Some(total) = ours.at("expansion.total").and_then(Value::as_number) {
        assert_eq!(total.as_i64().unwrap(), i64::try_from(own.len()).unwrap(), "{url}");
    }
    (less + more + texts > 0).then(|| format!("{url} -{less} +{more} ~{texts}"))
}

#[test]
fn expansions_are_hl7s_but_for_what_is_reviewed() {
    let Ok(folder) = fs::read_dir(EXPANSIONS) else {
        eprintln!("skipped: no HL7 expansions in {EXPANSIONS}");
        return;
    };
    let mut found = BTreeSet::new();
    let mut compared = 0;
    for path in folder.map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_str().unwrap();
        if !name.starts_with("ValueSet-") || path.extension().is_none() {
            continue;
        }
        compared += 1;
        found.extend(difference(&json::parse(&fs::read(&path).unwrap()).unwrap()));
    }
    assert!(compared > 540, "only {compared} expansions");
    let reviewed = REVIEWED.lines().filter(|line| line.starts_with("http"));
    let reviewed: BTreeSet<String> = reviewed.map(str::to_owned).collect();
    let news: Vec<_> = found.difference(&reviewed).collect();
    let gone: Vec<_> = reviewed.difference(&found).collect();
    assert!(news.is_empty() && gone.is_empty(), "new: {news:#?}\nno longer: {gone:#?}");
}

/// Codes that elements are bound to, but that only hold others and may not be used.
const ABSTRACT: &[(&str, &str)] = &[
    ("item-type", "question"),
    ("v3-EntityNameUseR2", "Assumed"),
    ("v3-EntityNameUseR2", "NameRepresentationUse"),
];

#[test]
fn bound_code_lists_agree() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/codes.txt");
    let text = fs::read_to_string(path).unwrap();
    let mut checked = 0;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        let system = Some(words[1]).filter(|system| *system != "-");
        let sets = ["http://hl7.org/fhir/ValueSet/", "http://terminology.hl7.org/ValueSet/"];
        let url = sets.iter().map(|start| format!("{start}{}", words[0]));
        let url = url.into_iter().find(|url| Terminology::base().codes(url).is_some());
        let url = url.unwrap_or_else(|| panic!("no value set for the code list {}", words[0]));
        for code in &words[2..] {
            let expected = !ABSTRACT.contains(&(words[0], code));
            let held = Terminology::base().contains(&url, system, code);
            assert_eq!(held, Some(expected), "{url} {code}");
            checked += 1;
        }
        let own = Terminology::base().codes(&url).unwrap();
        let listed = own.members().iter().filter(|it| !words[2..].contains(&it.code.as_ref()));
        assert_eq!(listed.count(), 0, "{url} has more codes than its list");
    }
    assert!(checked > 2000, "only {checked} codes");
}

const RESOURCES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../target/packages/hl7.fhir.r4.examples-4.0.1/package"
);

#[test]
fn all_of_hl7s_resources_can_be_taken_up() {
    let Ok(folder) = fs::read_dir(RESOURCES) else {
        eprintln!("skipped: no HL7 examples in {RESOURCES}");
        return;
    };
    let mut resources = Vec::new();
    for path in folder.map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_str().unwrap();
        if ["CodeSystem-", "ValueSet-", "ConceptMap-"].iter().any(|kind| name.starts_with(kind)) {
            resources.push(json::parse(&fs::read(&path).unwrap()).unwrap());
        }
    }
    assert!(resources.len() > 2400, "only {} resources", resources.len());
    let extended = Terminology::base().extended(&resources).unwrap();
    // An example, which is not among R4's own here.
    let system = "http://hl7.org/fhir/CodeSystem/example";
    assert_eq!(Terminology::base().has_code(system, "chol-mmol"), None);
    assert_eq!(extended.has_code(system, "chol-mmol"), Some(true));
    assert_eq!(extended.has_code(system, "chol-gram"), Some(false));
}
