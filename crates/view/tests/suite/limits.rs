//! A permit's limits hold wherever the view is asked: one resource, its history, a person's
//! records, the persons of a unit.

use std::collections::BTreeSet;

use access::permit::Reach;
use proptest::prelude::*;
use record::identity::PersonId;
use view::store::Found;

use crate::model::{Model, Row, State};
use crate::permits::{NOW, WARD, of_ward};
use crate::search::all_permits;
use crate::story::{steps, take};
use crate::town::Town;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn nothing_is_told_beyond_the_permit(steps in steps(10..70)) {
        let (mut town, mut model) = (Town::new(), Model::default());
        for step in &steps {
            take(&town, &mut model, step);
        }
        town.project_all();
        let view = town.view();
        for permit in all_permits(&town) {
            for row in &model.rows {
                let open = model.permitted(&permit, row);
                match (view.read(&permit, row.kind, &row.id).unwrap(), row.state) {
                    (Found::Current(stored), State::Live | State::Derived) => {
                        prop_assert!(open);
                        prop_assert_eq!(stored.version, *row.versions.last().unwrap());
                        prop_assert_eq!((stored.person, stored.updated), (row.person, row.updated));
                        let mut resource = row.resource.clone();
                        let updated = fhir::instant::format_instant(row.updated);
                        resource.set_meta(&stored.version.to_string(), &updated);
                        prop_assert_eq!(stored.body, fhir::json::print(resource.value()).into_bytes());
                    }
                    (Found::Removed, State::Removed) => prop_assert!(open),
                    (Found::Nothing, _) => prop_assert!(!open),
                    (_, state) => prop_assert!(false, "{:?} is read as something else", state),
                }
                let history = view.versions(&permit, row.kind, &row.id).unwrap();
                let told = if open && row.state != State::Derived {
                    row.versions.iter().rev().copied().collect()
                } else {
                    Vec::new()
                };
                prop_assert_eq!(history, told);
            }
            for kind in ["Observation", "EpisodeOfCare", "Patient", "Organization"] {
                let wanted = |row: &&Row| {
                    row.kind == kind && row.state != State::Removed && model.permitted(&permit, row)
                };
                let wanted: Vec<_> = model.rows.iter().filter(wanted).map(|row| &row.id).collect();
                let found = view.records(&permit, kind).unwrap();
                prop_assert_eq!(found.iter().map(|it| &it.id).collect::<Vec<_>>(), wanted);
            }
            let persons: BTreeSet<PersonId> = view.persons(&permit).unwrap().into_iter().collect();
            prop_assert_eq!(persons, match permit.reach() {
                Reach::Person(person) => BTreeSet::from([*person]),
                Reach::Unit { unit, at } => model.at_unit(unit, *at),
                Reach::Any => BTreeSet::new(),
            });
            prop_assert_eq!(view.skipped(&permit).unwrap(), model.missing(&permit));
        }
    }
}

#[test]
fn a_service_that_has_ended_opens_nothing_at_the_ward() {
    use crate::permits::MUNICIPALITY;
    use crate::town::About;
    use record::entry::Kind;

    let mut town = Town::new();
    let about = |person, category| About {
        kind: Kind::Version,
        person,
        category,
        owner: MUNICIPALITY,
        source: "plo-epj",
    };
    let ward = format!(
        r#"{{"resourceType":"Organization","id":"ward","identifier":[{{"system":"urn:oid:2.16.578.1.12.4.1.4.101","value":"{WARD}"}}]}}"#
    );
    town.record(&about(None, "organisation"), "Organization", "ward", &ward);
    let yesterday = fhir::instant::local_date(NOW - 86_400_000);
    let today = fhir::instant::local_date(NOW);
    let stays = [("1", Some(&yesterday)), ("2", Some(&today)), ("3", None)];
    for (number, end) in stays {
        let end = end.map(|end| format!(r#","end":"{end}""#)).unwrap_or_default();
        let json = format!(
            r#"{{"resourceType":"EpisodeOfCare","id":"stay-{number}","status":"active","managingOrganization":{{"reference":"Organization/ward"}},"period":{{"start":"2026-01-01"{end}}}}}"#
        );
        let person = Some(town.person(number));
        town.record(&about(person, "services"), "EpisodeOfCare", &format!("stay-{number}"), &json);
    }
    town.project_all();
    let there: BTreeSet<PersonId> =
        town.view().persons(&of_ward(&["services"])).unwrap().into_iter().collect();
    assert_eq!(there, BTreeSet::from([town.person("2"), town.person("3")]));
}
