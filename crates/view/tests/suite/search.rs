//! Any question in the supported grammar gets the answer that going through everything gives.

use std::collections::BTreeSet;

use access::permit::ReadPermit;
use fhir::query::{Query, Scope, Summary};
use fhir::search::set::Parameters;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::model::Model;
use crate::naive::Naive;
use crate::permits::{NOW, keys, of_person, of_source, of_source_on, of_ward};
use crate::story::{NUMBERS, Put, Step, plain_steps, put, take};
use crate::town::Town;

const OBSERVATION: &[&str] = &[
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
    "value-quantity=gt69.9",
    "value-quantity=70",
    "value-quantity=70.0",
    "value-quantity=70|http://unitsofmeasure.org|kg",
    "value-quantity=ge65000|http://unitsofmeasure.org|g",
    "value-quantity=lt70.2|http://unitsofmeasure.org|kg",
    "value-quantity=le98|http://unitsofmeasure.org|/min",
    "value-quantity=5|urn:units|stk",
    "value-quantity=70||kg",
    "value-quantity=ap68",
    "value-quantity=ne70",
    "value-quantity=lt6,sa90",
    "value-quantity=eb80",
    "value-quantity:missing=true",
    "code-value-quantity=8867-4$gt60",
    "code-value-quantity=http://loinc.org|9279-1$70|http://unitsofmeasure.org|kg",
    "component-code-value-quantity=http://loinc.org|8480-6$gt125",
    "component-code-value-quantity=8462-4$lt100,8480-6$lt200",
    "combo-code-value-quantity=8462-4$ge100",
    "code:text=puls",
    "code:text=vek,pu",
    "_profile=http://example.org/a",
    "_profile:below=http://example.org/a",
    "_profile:above=http://example.org/a/b",
    "_tag=urn:tag|x",
    "_tag:not=x",
    "_text=natt",
    "_content=puls",
    "_content=natt rolig",
    "patient.name=kar",
    "patient.family:contains=s",
    "patient.birthdate=1924",
    "subject:Patient.identifier:of-type=urn:type|MR|7",
    "subject:Location.name=rom",
    "performer:Organization.name=dalheim",
    "performer:Organization.partof.name:contains=a",
    "has-member.code=02",
    "has-member.value-quantity=gt69.9",
    "has-member.component-code-value-quantity=8480-6$gt120",
    "_has:Observation:has-member:code=8867-4",
    "_has:Observation:has-member:status:not=final",
    "_filter=code eq 8867-4 or status eq amended",
    "_filter=date ge 2026-02-10 and not (status eq final)",
];
const EPISODE: &[&str] = &[
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
    "organization.name:exact=Dalheim",
    "organization.partof=org-0",
    "patient._has:Observation:patient:code=02",
];
const PATIENT: &[&str] = &[
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
    "identifier:of-type=urn:type|MR|7",
    "_has:Observation:patient:code=8867-4",
    "_has:Observation:subject:status=amended",
    "_has:Observation:patient:date=ge2026-02",
    "_has:Observation:patient:component-code-value-quantity=8480-6$gt125",
    "_has:EpisodeOfCare:patient:organization.name=dalheim",
    "_has:EpisodeOfCare:patient:status:not=active",
    "_has:Observation:patient:_has:Observation:has-member:code=02",
];
const RISK: &[&str] = &[
    "probability=0.5",
    "probability=gt0.3",
    "probability=le1",
    "probability=ap0.26",
    "probability=ne1",
    "probability:missing=false",
    "date=ge2026-02",
    "patient.name=kar",
    "subject:Patient.family=aas,ødegård",
];
const ANY: &[&str] = &[
    "_lastUpdated=ge2026-03-02T12:00:10Z",
    "_id=observation-0-0,org-1,patient-1-1",
    "_tag=x",
    "_profile:missing=true",
    "_content=kari",
    "_type=Observation,EpisodeOfCare",
    "_type=Patient,Organization,Location",
];
const ORGANIZATION: &[&str] = &[
    "name=dalheim",
    "name:exact=Dalheim",
    "identifier=urn:oid:2.16.578.1.12.4.1.4.101|810000025",
    "identifier:missing=true",
    "partof=org-0",
    "partof:missing=false",
    "_id=org-1",
    "_lastUpdated=lt2026-03-02T12:00:20Z",
];
/// Orders of each type; the empty one is the view's own.
fn sorts(kind: &str) -> Vec<&'static str> {
    let mut sorts = vec!["", "_lastUpdated", "-_lastUpdated", "_id"];
    sorts.extend(match kind {
        "Observation" => [
            "date",
            "-date",
            "-date,_lastUpdated",
            "code,-date",
            "-status",
            "value-quantity",
            "-value-quantity,date",
            "subject",
        ]
        .as_slice(),
        "EpisodeOfCare" => ["date", "-date", "status,date", "-type"].as_slice(),
        "Patient" => {
            ["family", "-name", "family,given,birthdate", "-birthdate", "identifier"].as_slice()
        }
        "RiskAssessment" => ["probability", "-probability,date"].as_slice(),
        _ => [].as_slice(),
    });
    sorts
}

const INCLUDES: &[&str] = &[
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
    "_include=*",
    "_include=Observation:*",
    "_include:iterate=Observation:has-member",
    "_include:iterate=Organization:partof",
    "_revinclude:iterate=Observation:has-member",
    "_revinclude=RiskAssessment:*",
    "_revinclude:iterate=EpisodeOfCare:patient",
];

pub fn pairs(texts: &[String]) -> Vec<(String, String)> {
    let pair = |text: &String| text.split_once('=').map(|(name, it)| (name.into(), it.into()));
    texts.iter().map(|text| pair(text).unwrap()).collect()
}

/// A query of up to three conditions, perhaps sorted, perhaps with includes.
pub fn queries() -> impl Strategy<Value = Vec<(String, String)>> {
    let of = |place: &'static str, conditions: &[&'static str]| {
        let kind = place.split('/').next_back().unwrap_or_default();
        (
            Just(place),
            subsequence(conditions.to_vec(), 0..=3.min(conditions.len())),
            select(sorts(kind)),
        )
    };
    let location = ["name=rom", "name:exact=Rom 1", "_id=location-0"];
    let conditions = prop_oneof![
        6 => of("Observation", OBSERVATION),
        2 => of("EpisodeOfCare", EPISODE),
        2 => of("Patient", PATIENT),
        1 => of("Organization", ORGANIZATION),
        1 => of("RiskAssessment", RISK),
        1 => of("Location", &location),
        1 => of("", ANY),
        1 => of("Patient/patient-0-1/Observation", OBSERVATION),
        1 => of("Patient/patient-0-1/*", &ANY[..5]),
    ];
    let includes = subsequence(INCLUDES.to_vec(), 0..=3);
    (conditions, includes).prop_map(|((place, conditions, sort), includes)| {
        let mut texts: Vec<String> = vec![format!("place={place}")];
        // Types are asked for once, and not of a search that has one.
        let types = conditions.iter().filter(|it| it.starts_with("_type")).count();
        let wanted = |it: &&str| types < 2 || !it.starts_with("_type=Patient");
        let conditions = conditions.into_iter().filter(wanted);
        texts.extend(conditions.chain(includes).map(str::to_owned));
        if !sort.is_empty() {
            texts.push(format!("_sort={sort}"));
        }
        pairs(&texts)
    })
}

/// Reads what [`queries`] made: the first pair is the place.
pub fn parse(pairs: &[(String, String)]) -> Query {
    parse_with(Parameters::r4(), pairs)
}

/// The same with other search parameters.
pub fn parse_with(parameters: &Parameters, pairs: &[(String, String)]) -> Query {
    let (kind, pairs) = (&pairs[0].1, &pairs[1..]);
    let scope = match kind.split('/').collect::<Vec<_>>().as_slice() {
        [""] => Scope::System,
        [kind] => Scope::Type(kind),
        [kind, id, "*"] => Scope::Compartment { kind, id, of: None },
        [kind, id, rest @ ..] => Scope::Compartment { kind, id, of: rest.first().copied() },
        [] => Scope::System,
    };
    let query = Query::read(parameters, scope, pairs).expect("the grammar is supported");
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

/// Every condition alone, on a story long enough that nearly each of them finds something.
#[test]
fn each_condition_alone_finds_what_it_should() {
    let mut runner = TestRunner::deterministic();
    let steps = prop::collection::vec(put(), 400).new_tree(&mut runner).unwrap().current();
    let (mut town, mut model) = (Town::new(), Model::default());
    for (i, put) in steps.into_iter().enumerate() {
        // More of each type than a story usually has.
        let n = if i % 2 == 0 { put.n } else { i % 40 };
        take(&town, &mut model, &Step::Put(Put { n, ..put }));
    }
    town.project_all();
    let view = town.view();
    // Both sources together are everything, and each may see its own only.
    let permits = [of_source("plo-epj", &keys()), of_source("tavle", &keys())];
    let all = [
        ("Observation", OBSERVATION),
        ("EpisodeOfCare", EPISODE),
        ("Patient", PATIENT),
        ("Organization", ORGANIZATION),
        ("RiskAssessment", RISK),
        ("", ANY),
    ];
    let by_id = pairs(&["place=Observation", "_sort=_id"].map(str::to_owned));
    let (mut asked, mut answered) = (0, 0);
    for (place, conditions) in all {
        for condition in conditions {
            let mut query = parse(&pairs(&[format!("place={place}"), (*condition).to_owned()]));
            query.count = Some(1_000);
            let mut found = 0;
            for permit in &permits {
                let naive = Naive { model: &model, permit, now: NOW };
                let wanted: Vec<_> = naive.search(&query).iter().map(|row| row.key()).collect();
                let page = view.search(permit, &query, None, NOW).unwrap();
                let matches: Vec<_> =
                    page.matches.iter().map(|it| (it.kind, it.id.clone())).collect();
                assert_eq!(matches, wanted, "{condition}");
                // And begun elsewhere than in the order of time, and only counted.
                let by_id = Query { sort: parse(&by_id).sort, ..query.clone() };
                let page = view.search(permit, &by_id, None, NOW).unwrap();
                let ids = page.matches.iter().map(|it| (it.kind, it.id.clone()));
                assert_eq!(ids.collect::<BTreeSet<_>>(), wanted.iter().cloned().collect());
                let counted = Query { summary: Some(Summary::Count), ..query.clone() };
                let page = view.search(permit, &counted, None, NOW).unwrap();
                assert_eq!(page.total, Some(wanted.len() as u64), "{condition}, counted");
                found += wanted.len();
            }
            asked += 1;
            answered += usize::from(found > 0);
        }
    }
    assert!(asked > 100 && answered * 8 > asked * 7, "{answered} of {asked} find something");
}
