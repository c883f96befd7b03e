//! An entry that cannot be read stops nobody: it is put down with its position, told of to those
//! whom it concerns, and the rest of its batch is applied.

use record::entry::Kind;

use crate::permits::{MUNICIPALITY, keys, of_person, of_source};
use crate::story::unreadable;
use crate::town::{About, Town};

fn about(town: &Town, number: &str, category: &'static str) -> About {
    let person = Some(town.person(number));
    About { kind: Kind::Version, person, category, owner: MUNICIPALITY, source: "plo-epj" }
}

fn patient(town: &Town, number: &str, id: &str) {
    let json = format!("{{\"resourceType\":\"Patient\",\"id\":\"{id}\"}}");
    town.record(&about(town, number, "demographics"), "Patient", id, &json);
}

#[test]
fn an_unreadable_entry_is_told_of_and_passed_by() {
    let mut town = Town::new();
    patient(&town, "1", "before");
    for sort in 0..5 {
        town.append(&about(&town, "1", "measurements"), unreadable(sort));
    }
    let removal = About { kind: Kind::Removal, ..about(&town, "1", "measurements") };
    town.append(&removal, unreadable(5));
    patient(&town, "2", "after");
    assert_eq!(town.project_all(), [2, 3, 4, 5, 6, 7], "the positions, for the operator");
    assert_eq!(town.projector.position(), 8);
    let view = town.view();
    assert_eq!(view.locate("Patient", "after").unwrap().unwrap().version, 8);
    let told = |number: &str, keys: &[&'static str]| {
        view.skipped(&of_person(town.person(number), keys)).unwrap()
    };
    assert_eq!(told("1", &keys()), [2, 3, 4, 5, 6, 7]);
    assert_eq!(told("1", &["services"]), [0; 0], "not within what the permit opens");
    assert_eq!(told("2", &keys()), [0; 0], "not about this person");
    assert_eq!(view.skipped(&of_source("plo-epj", &keys())).unwrap().len(), 6);
    assert_eq!(view.skipped(&of_source("tavle", &keys())).unwrap(), [0; 0]);
}

#[test]
fn an_unreadable_correction_leaves_what_stood_there() {
    let mut town = Town::new();
    patient(&town, "1", "p");
    let correction = crate::town::envelope("Patient", "p").seal(b"{\"resourceType\":");
    town.append(&about(&town, "1", "demographics"), correction);
    town.project_all();
    let view = town.view();
    let permit = of_person(town.person("1"), &["demographics"]);
    assert_eq!(view.records(&permit, "Patient").unwrap()[0].version, 1);
    assert_eq!(view.skipped(&permit).unwrap(), [2], "the reader is told that it is not the latest");
    assert_eq!(town.dump(), town.rebuilt(1));
}
