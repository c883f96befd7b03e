//! Search parameters that sources have added find the same before, while and after old data is indexed
//! for them; and then by the index.

use fhir::json;
use fhir::resource::Resource;
use fhir::search::set::Parameters;
use proptest::prelude::*;
use record::entry::Kind;
use view::added::{Definition, LAST, Mark};
use view::error::Error;
use view::store::View;

use crate::model::Model;
use crate::naive::Naive;
use crate::permits::{NOW, keys, of_source};
use crate::search::{all_permits, pairs, parse_with};
use crate::story::{OWN, Step, about, definition, plain_steps, take};
use crate::town::Town;

/// Place, conditions and orders.
const QUESTIONS: &[&str] = &[
    "place=Observation&own-text=pu",
    "place=Observation&own-text:contains=ek",
    "place=Observation&own-text:exact=Vekt&_sort=-own-date",
    "place=Observation&own-text:missing=true",
    "place=Observation&own-text=vekt&code:not=8867-4",
    "place=Observation&own-code=02",
    "place=Observation&own-code=8867-4&_sort=own-text,-date",
    "place=Observation&own-code:not=8867-4",
    "place=Observation&own-code:not=02,9279-1&_sort=-own-text",
    "place=Observation&own-code:text=puls",
    "place=Observation&own-code:missing=false&_sort=own-amount",
    "place=Observation&own-subject=Patient/patient-0-1",
    "place=Observation&own-subject:identifier=18812400022",
    "place=Observation&own-date=ge2026-02-10&_sort=own-date",
    "place=Observation&own-date=ne2026-02-10&_sort=-own-date,own-code",
    "place=Observation&own-date=lt2026-02,ap2026-02-10",
    "place=Observation&own-amount=ge65000|http://unitsofmeasure.org|g",
    "place=Observation&own-amount=gt69.9&own-code=8867-4",
    "place=Observation&own-amount=ne70",
    "place=Observation&own-part=http://loinc.org|8867-4$gt60&_sort=status",
    "place=Observation&own-part=02$gt60&_sort=-status",
    "place=Observation&own-profile:below=http://example.org/a",
    "place=Observation&own-profile=http://example.org/a&_sort=own-profile",
    "place=Patient&own-name=aas&_sort=own-name",
    "place=Patient&own-name:contains=kar&own-date=1924-01-18",
    "place=Patient&_sort=-own-name",
    "place=Patient&_has:Observation:patient:own-code=8867-4",
    "place=Organization&own-name=dalheim",
    "place=EpisodeOfCare&own-code=2",
    "place=EpisodeOfCare&own-code:not=15",
    "place=RiskAssessment&own-share=gt0.3&_sort=-own-share",
    "place=RiskAssessment&own-share=ap0.26",
    "place=Patient/patient-0-1/Observation&own-code=02",
    "place=Observation&_filter=own-text sw pu or own-code eq 9279-1",
];

/// What goes from one resource to another.
const FOLLOWING: &[&str] = &[
    "place=Observation&own-subject:Patient.family=aas,ødegård",
    "place=Observation&own-subject:Patient.own-name=kar",
    "place=Observation&own-performer:Organization.name=dalheim&own-code=02",
    "place=Patient&_has:Observation:own-subject:status=final",
    "place=Organization&_has:Observation:own-performer:own-text=puls",
    "place=Observation&_include=Observation:own-subject&_sort=date",
    "place=Observation&code=02&_include=Observation:own-performer:Organization",
    "place=Organization&_revinclude=Observation:own-performer",
    "place=Patient&_revinclude=Observation:own-subject:Patient",
];

fn questions(of: &[&str]) -> Vec<Vec<(String, String)>> {
    of.iter().map(|it| pairs(&it.split('&').map(str::to_owned).collect::<Vec<_>>())).collect()
}

/// R4's parameters with the active ones that the view has.
pub fn parameters(view: &View) -> Parameters {
    let mut parameters = Parameters::r4().clone();
    for Definition { body, number, .. } in view.definitions(Mark::default()).unwrap().unwrap().1 {
        let resource = Resource::from_value(json::parse(&body).unwrap()).unwrap();
        if resource.value().text("status") == Some("active") {
            // What cannot be searched by has no number and is no parameter.
            let added = parameters.add(&resource, number.unwrap_or(LAST + 1));
            assert_eq!(added.is_ok(), number.is_some());
        }
    }
    parameters
}

/// Records the nth definition.
pub fn define(town: &Town, model: &mut Model, n: usize, status: &str) {
    let id = OWN[n].0;
    let json = json::print(&definition(id, n, status));
    let about = about(Kind::Version, None, "organisation", 0);
    let entry = town.record(&about, "SearchParameter", id, &json);
    model.put(&entry, "SearchParameter", id, &json);
}

/// Asks all questions under all permits, and compares; `complete` where nothing may be refused.
fn compare(town: &Town, model: &Model, complete: bool) -> Result<(), TestCaseError> {
    let view = town.view();
    let parameters = parameters(&view);
    for permit in all_permits(town) {
        let plain = questions(QUESTIONS).into_iter().map(|it| (it, false));
        let following = questions(FOLLOWING).into_iter().map(|it| (it, true));
        for (pairs, follows) in plain.chain(following) {
            let query = parse_with(&parameters, &pairs);
            let page = match view.search(&permit, &query, None, NOW) {
                Err(Error::NoIndex) if follows && !complete => continue,
                page => page.unwrap(),
            };
            let naive = Naive { model, permit: &permit, now: NOW };
            let wanted: Vec<_> = naive.search(&query).iter().map(|row| row.key()).collect();
            let found: Vec<_> = page.matches.iter().map(|it| (it.kind, it.id.clone())).collect();
            prop_assert_eq!(&found, &wanted, "{:?} under {:?}", pairs, permit);
            let brought = page.included.iter().map(|(kind, it)| (*kind, it.id.clone())).collect();
            prop_assert_eq!(naive.included(&query, &wanted), brought, "{:?}", pairs);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn an_added_parameter_finds_the_same_at_every_step_of_its_index(
        before in plain_steps(10..50),
        after in plain_steps(1..20),
        walked in 0..60_usize,
    ) {
        let (mut town, mut model) = (Town::new(), Model::default());
        before.iter().for_each(|step| take(&town, &mut model, step));
        (0..OWN.len()).for_each(|n| define(&town, &mut model, n, "active"));
        town.project_all();
        compare(&town, &model, false)?;
        town.walk(walked);
        // Every definition stays, so that every question can be read.
        let stays = |step: &&Step| !matches!(step, Step::Remove(_));
        after.iter().filter(stays).for_each(|step| take(&town, &mut model, step));
        town.project_all();
        compare(&town, &model, false)?;
        town.walk(usize::MAX);
        compare(&town, &model, true)?;
    }
}

#[test]
fn a_number_is_of_one_definition_and_trusted_only_while_it_is_there() {
    let (mut town, mut model) = (Town::new(), Model::default());
    let permit = of_source("plo-epj", &keys());
    let number = |town: &Town| {
        let all = town.view().definitions(Mark::default()).unwrap().unwrap().1;
        all.iter().find(|it| it.id == "own-subject").unwrap().number
    };
    let n = OWN.iter().position(|it| it.0 == "own-subject").unwrap();
    define(&town, &mut model, n, "active");
    town.project_all();
    town.walk(usize::MAX);
    let first = number(&town).unwrap();
    let pairs = &questions(FOLLOWING)[0];
    let before = parse_with(&parameters(&town.view()), pairs);
    assert!(town.view().search(&permit, &before, None, NOW).is_ok());
    // The same again changes nothing; another state of it does.
    define(&town, &mut model, n, "active");
    town.project_all();
    assert_eq!((number(&town), town.projector.is_indexed()), (Some(first), true));
    define(&town, &mut model, n, "retired");
    town.project_all();
    assert_eq!(number(&town), None);
    // A search that was read before goes on with what it was read with.
    assert!(matches!(town.view().search(&permit, &before, None, NOW), Err(Error::NoIndex)));
    define(&town, &mut model, n, "active");
    town.project_all();
    assert_eq!(number(&town), Some(first + 1));
    town.walk(usize::MAX);
    assert!(matches!(town.view().search(&permit, &before, None, NOW), Err(Error::NoIndex)));
    let now = parse_with(&parameters(&town.view()), pairs);
    assert!(town.view().search(&permit, &now, None, NOW).is_ok());
}
