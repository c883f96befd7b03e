//! At least 97 of 100 single faults are found where they are, and nothing is found where there is none:
//! in own samples, and in HL7's examples where they are at hand.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use fhir::check::{BaseCodes, Validator};
use fhir::issue::Issue;
use fhir::json;
use fhir::profile::Profiles;
use fhir::resource::Resource;
use fhir::value::Value;
use mutation::kinds::{KINDS, VITAL_SIGNS};
use std::fmt::Write;

mod mutation;

const PACKAGE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../target/packages/hl7.fhir.r4.examples-4.0.1/package"
);

/// Conformance resources, of which there are thousands alike, and what is refused as it is.
const LEFT_OUT: &[&str] = &[
    "SearchParameter",
    "ValueSet",
    "CodeSystem",
    "StructureDefinition",
    "ConceptMap",
    "OperationDefinition",
    "ImplementationGuide",
    "CapabilityStatement",
    "CompartmentDefinition",
];

/// So many faults of a kind are enough.
const OF_A_KIND: usize = 60;

/// A larger example takes long and shows nothing more.
const LARGEST: u64 = 60_000;

fn errors(value: &Value) -> Vec<Issue> {
    let validator = Validator { profiles: Profiles::base(), terminology: &BaseCodes };
    let resource = Resource::from_value(value.clone()).unwrap();
    let issues = validator.validate(&resource, &[]);
    issues.into_iter().filter(Issue::refuses).collect()
}

/// What was made and found.
#[derive(Default)]
struct Tally {
    table: String,
    made: usize,
    found: usize,
    kinds: usize,
}

/// Puts each kind of fault into the resources, and counts what is found where it is.
fn tally(resources: &[Value]) -> Tally {
    let mut tally = Tally::default();
    let places: Vec<_> = resources.iter().map(mutation::sites).collect();
    for (number, (name, fault)) in KINDS.iter().enumerate() {
        let (mut made, mut found) = (0, 0);
        let mut missed = String::new();
        // Every resource gets its turn, at another place for each kind.
        'rounds: for round in 0..OF_A_KIND {
            let mut fits_some = false;
            let start = number * 37 % resources.len();
            for index in (start..resources.len()).chain(0..start) {
                let resource = resources.get(index).unwrap();
                let sites = places.get(index).unwrap();
                let fitting: Vec<_> = sites
                    .iter()
                    .filter_map(|site| fault(resource, site, mutation::at(resource, &site.way)))
                    .collect();
                let turn = (number * 7 + index * 3 + round * 11) % fitting.len().max(1);
                let Some((faulty, place)) = fitting.get(turn).filter(|_| round < fitting.len())
                else {
                    continue;
                };
                fits_some = true;
                made += 1;
                let errors = errors(faulty);
                if errors.iter().any(|issue| issue.location == *place) {
                    found += 1;
                } else {
                    let seen: Vec<&str> = errors.iter().map(|issue| &*issue.location).collect();
                    writeln!(missed, "    missed at {place}, found at {seen:?}").unwrap();
                }
                if made == OF_A_KIND {
                    break 'rounds;
                }
            }
            if !fits_some {
                break;
            }
        }
        writeln!(tally.table, "{found:>4}/{made:<4} {name}\n{missed}").unwrap();
        tally.made += made;
        tally.found += found;
        tally.kinds += usize::from(made > 0);
    }
    tally.table = tally.table.replace("\n\n", "\n");
    tally
}

/// HL7's examples of vital signs say only that they are; this one says which, by its code.
fn vital_sign(mut value: Value) -> Value {
    let code = value.at("code.coding").map(|codings| {
        let codes = codings.as_array().unwrap_or_default().iter();
        codes.filter_map(|coding| coding.text("code")).map(str::to_owned).collect::<Vec<_>>()
    });
    let known =
        VITAL_SIGNS.iter().find(|(_, known)| code.iter().flatten().any(|code| code == known));
    if value.at("meta.profile").is_some()
        && let Some((name, _)) = known
        && let Some(object) = value.as_object_mut()
    {
        let url = format!("http://hl7.org/fhir/StructureDefinition/{name}");
        object.set("meta", json!({ "profile": [url] }));
    }
    value
}

#[test]
fn faults_in_own_samples_are_found() {
    let samples = mutation::samples::all();
    for sample in &samples {
        assert_eq!(errors(sample), [], "{}", json::print(sample));
    }
    let tally = tally(&samples);
    println!("{}{} of {} found", tally.table, tally.found, tally.made);
    assert!(tally.kinds >= 40, "only {} kinds", tally.kinds);
    assert!(tally.made >= 500, "only {} faults", tally.made);
    assert!(tally.found * 100 >= tally.made * 97, "{}", tally.table);
}

#[test]
fn faults_in_published_examples_are_found() {
    let Ok(files) = std::fs::read_dir(PACKAGE) else {
        println!("skipped: no examples in {PACKAGE}");
        return;
    };
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    let refused = include_str!("examples-refused.txt");
    let mut resources = Vec::new();
    for path in files {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let kind = name.split('-').next().unwrap_or_default();
        let is_refused = refused.lines().any(|line| line.split(" | ").next() == Some(&name));
        let is_large = path.metadata().unwrap().len() > LARGEST;
        if LEFT_OUT.contains(&kind) || is_refused || is_large {
            continue;
        }
        let Ok(value) = json::parse(&std::fs::read(&path).unwrap()) else {
            continue;
        };
        let value = vital_sign(value);
        if Resource::from_value(value.clone()).is_ok() {
            assert_eq!(errors(&value), [], "{name}");
            resources.push(value);
        }
    }
    let tally = tally(&resources);
    println!("{}{} of {} found", tally.table, tally.found, tally.made);
    assert!(tally.kinds >= 40, "only {} kinds", tally.kinds);
    assert!(tally.made >= 1500, "only {} faults", tally.made);
    assert!(tally.found * 100 >= tally.made * 97, "{}", tally.table);
}
