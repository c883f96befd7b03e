//! Any question in the supported grammar gets the answer that going through everything gives.

use std::collections::BTreeSet;

use access::permit::ReadPermit;
use fhir::query::{Query, Scope};
use fhir::search::set::Parameters;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::model::Model;
use crate::naive::Naive;
use crate::permits::{NOW, keys, of_person, of_source, of_source_on, of_ward};
use crate::story::{NUMBERS, plain_steps, take};
use crate::town::Town;

const OBSERVATION: [&str; 34] = [
    "code=02",
    "code=|02",
    "code=http://loinc.org|02",
    "code=http://loinc.org|",
    "code=8867-4,02",
    "code:not=8867-4",
    "code:missing=true",
    "status=final",
    "status:not=final,amended",
    "date=2026-02-10",
    "date=ne2026-02-10",
    "date=gt2026-02-10",
    "date=lt2026-02-10T08:30:00Z",
    "date=ge2026-01,2025",
    "date=le2026-02-10",
    "date=sa2026-01-15",
    "date=eb2026-02",
    "date=ap2026-02-10",
    "date:missing=false",
    "subject=Patient/patient-0-1",
    "patient=patient-1-2",
    "subject:Patient=patient-0-2",
    "subject:identifier=urn:oid:2.16.578.1.12.4.1.4.1|18812400011",
    "subject:identifier=http://hl7.no/fhir/NamingSystem/FNR|",
    "subject:identifier=18812400022",
    "subject:identifier=|18812400022",
    "patient.identifier=18812400011",
    "patient.identifier=urn:local|7,urn:local|007",
    "subject:Patient.identifier=urn:local|",
    "patient:missing=true",
    "performer=Organization/org-0",
    "performer:missing=true",
    "_id=observation-0-0,observation-1-1",
    "_lastUpdated=ge2026-03-02T12:00:10Z",
];
const EPISODE: [&str; 16] = [
    "type=2",
    "type=02",
    "type=urn:oid:2.16.578.1.12.4.1.1.9151|02",
    "type=https://finnkode.helsedirektoratet.no/adm/collections/9151|2",
    "type=http://ehelse.no/fhir/CodeSystem/no-kodeverk-9151|",
    "type=|2",
    "type:not=15",
    "status=active",
    "status=finished",
    "date=ge2026",
    "date=lt2026-02",
    "date=eb2026-02-11",
    "organization=Organization/org-1",
    "organization=org-0,org-2",
    "patient.identifier=18812400033",
    "organization.identifier=810000025",
];
const PATIENT: [&str; 18] = [
    "identifier=7",
    "identifier=007",
    "identifier=urn:local|7",
    "identifier=urn:local|",
    "identifier=urn:oid:2.16.578.1.12.4.1.4.1|18812400011",
    "identifier=18812400011,18812400022",
    "name=kar",
    "name:contains=a_",
    "given:contains=l%",
    "family=aas",
    "family=ås",
    "family:exact=Ås",
    "family:contains=DE",
    "birthdate=1924",
    "birthdate=1924-01-18",
    "birthdate:missing=true",
    "name:missing=true",
    "identifier:not=urn:local|7",
];
const ORGANIZATION: [&str; 8] = [
    "name=dalheim",
    "name:exact=Dalheim",
    "identifier=urn:oid:2.16.578.1.12.4.1.4.101|810000025",
    "identifier:missing=true",
    "partof=org-0",
    "partof:missing=false",
    "_id=org-1",
    "_lastUpdated=lt2026-03-02T12:00:20Z",
];
const SORTS: [&str; 6] =
    ["", "_lastUpdated", "-_lastUpdated", "date", "-date", "-date,_lastUpdated"];
const INCLUDES: [&str; 10] = [
    "_include=Observation:patient",
    "_include=Observation:subject",
    "_include=Observation:patient:Patient",
    "_include=Observation:performer",
    "_include=EpisodeOfCare:organization",
    "_include=Observation:performer:Patient",
    "_revinclude=Observation:patient",
    "_revinclude=EpisodeOfCare:organization",
    "_revinclude=Observation:performer",
    "_revinclude=Observation:performer:Patient",
];

fn pairs(texts: &[String]) -> Vec<(String, String)> {
    let pair = |text: &String| text.split_once('=').map(|(name, it)| (name.into(), it.into()));
    texts.iter().map(|text| pair(text).unwrap()).collect()
}

/// A query of up to three conditions, perhaps sorted, perhaps with includes.
pub fn queries() -> impl Strategy<Value = Vec<(String, String)>> {
    let of = |kind: &'static str, conditions: Vec<&'static str>| {
        (Just(kind), subsequence(conditions, 0..=3))
    };
    let conditions = prop_oneof![
        4 => of("Observation", OBSERVATION.to_vec()),
        2 => of("EpisodeOfCare", EPISODE.to_vec()),
        2 => of("Patient", PATIENT.to_vec()),
        1 => of("Organization", ORGANIZATION.to_vec()),
        1 => of("Location", vec!["name=rom", "name:exact=Rom 1", "_id=location-0"]),
    ];
    let includes = subsequence(INCLUDES.to_vec(), 0..=3);
    (conditions, select(SORTS.to_vec()), includes).prop_map(
        |((kind, conditions), sort, includes)| {
            let mut texts: Vec<String> = vec![format!("kind={kind}")];
            texts.extend(conditions.into_iter().chain(includes).map(str::to_owned));
            let dated = matches!(kind, "Observation" | "EpisodeOfCare");
            if !sort.is_empty() && (dated || !sort.contains("date")) {
                texts.push(format!("_sort={sort}"));
            }
            pairs(&texts)
        },
    )
}

/// Reads what [`queries`] made: the first pair is the type.
pub fn parse(pairs: &[(String, String)]) -> Query {
    let (kind, pairs) = (&pairs[0].1, &pairs[1..]);
    let scope = match kind.split('/').collect::<Vec<_>>().as_slice() {
        [""] => Scope::System,
        [kind] => Scope::Type(kind),
        [kind, id, "*"] => Scope::Compartment { kind, id, of: None },
        [kind, id, of] => Scope::Compartment { kind, id, of: Some(of) },
        _ => panic!("no such place"),
    };
    let query = Query::read(Parameters::r4(), scope, pairs).expect("the grammar is supported");
    assert!(query.unsupported.is_empty(), "{:?}", query.unsupported);
    query
}

/// Permits of every reach over the same resources.
pub fn all_permits(town: &Town) -> Vec<ReadPermit> {
    let all = keys();
    let narrow = ["measurements", "organisation"];
    let mut permits = vec![
        of_source("plo-epj", &all),
        of_source("tavle", &narrow),
        of_ward(&all),
        of_ward(&["services", "demographics"]),
    ];
    permits.extend(NUMBERS.iter().map(|number| of_person(town.person(number), &all)));
    let first = town.person(NUMBERS[0]);
    permits.extend([
        of_person(first, &narrow),
        of_person(first, &["demographics"]),
        of_source_on("plo-epj", first, &all),
    ]);
    permits
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_search_finds_what_going_through_everything_finds(
        steps in plain_steps(10..60),
        queries in prop::collection::vec(queries(), 30),
    ) {
        let (mut town, mut model) = (Town::new(), Model::default());
        for step in &steps {
            take(&town, &mut model, step);
        }
        town.project_all();
        let view = town.view();
        for permit in all_permits(&town) {
            for pairs in &queries {
                let query = parse(pairs);
                let page = view.search(&permit, &query, None, NOW).unwrap();
                let naive = Naive { model: &model, permit: &permit, now: NOW };
                let wanted: Vec<_> = naive.search(&query).iter().map(|row| row.key()).collect();
                let found: Vec<_> =
                    page.matches.iter().map(|it| (it.kind, it.id.clone())).collect();
                prop_assert_eq!(&found, &wanted, "{:?} under {:?}", pairs, permit);
                prop_assert_eq!(page.total, Some(wanted.len() as u64));
                prop_assert_eq!(page.next, None);
                let brought: Vec<_> =
                    page.included.iter().map(|(kind, it)| (*kind, it.id.clone())).collect();
                let set: BTreeSet<_> = brought.iter().cloned().collect();
                prop_assert_eq!(set.len(), brought.len(), "each once");
                let included = naive.included(&query, &wanted);
                prop_assert_eq!(set, included, "{:?} under {:?}", pairs, permit);
            }
        }
    }
}
