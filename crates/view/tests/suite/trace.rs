//! What is left of erased persons in the bytes of the view's files.

use crate::story::about;
use crate::town::Town;
use proptest::prelude::*;
use record::entry::Kind;
use std::collections::BTreeSet;
use view::trace::Traces;

/// A name that no other text holds.
fn name(person: usize) -> String {
    format!("Kjennetegn{person:04}x")
}

fn record(town: &Town, person: usize, n: usize) {
    let number = format!("{person:011}");
    let of = town.person(&number);
    let note = name(person).repeat(1 + (person * 7 + n * 13) % 20);
    let family = name(person);
    let json = format!(
        "{{\"resourceType\":\"Patient\",\"id\":\"p{person}\",\"identifier\":[{{\"system\":\
         \"urn:oid:2.16.578.1.12.4.1.4.1\",\"value\":\"{number}\"}}],\
         \"name\":[{{\"family\":\"{family}\",\"text\":\"{note}\"}}]}}"
    );
    let about = about(Kind::Version, Some(of), "demographics", n % 2);
    town.record(&about, "Patient", &format!("p{person}"), &json);
}

/// Whose names stand in any file of the folder.
fn left(town: &Town, persons: &BTreeSet<usize>) -> Vec<usize> {
    let files = std::fs::read_dir(town.dir.path()).unwrap().map(|entry| entry.unwrap().path());
    let view = files.filter(|path| path.to_string_lossy().contains("view.db"));
    let bytes: Vec<u8> =
        view.flat_map(|path| std::fs::read(path).unwrap().to_ascii_lowercase()).collect();
    let holds = |person: &&usize| {
        let name = name(**person).to_ascii_lowercase();
        bytes.windows(name.len()).any(|window| window == name.as_bytes())
    };
    persons.iter().filter(holds).copied().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, ..ProptestConfig::default() })]

    #[test]
    fn no_file_of_the_view_holds_a_byte_of_an_erased_person(
        order in prop::collection::vec((0..150_usize, 0..3_usize), 400),
        erased in prop::collection::btree_set(0..150_usize, 1..6),
        step in 1..50_usize,
    ) {
        let mut town = Town::new();
        for (person, n) in &order {
            record(&town, *person, *n);
        }
        erased.iter().for_each(|person| record(&town, *person, 0));
        while !town.waiting().is_empty() {
            prop_assert_eq!(town.project(step), Vec::<u64>::new());
        }
        prop_assert_eq!(left(&town, &erased), erased.iter().copied().collect::<Vec<_>>());
        for person in &erased {
            let of = town.person(&format!("{person:011}"));
            town.erase(of, &about(Kind::Erasure, None, "demographics", 0));
            town.project(usize::MAX);
        }
        // Too large to be written anew: the write-ahead file is cut all the same, and it stays owed.
        prop_assert_eq!(town.projector.clear_traces(0).unwrap(), Traces::Moved);
        prop_assert_eq!(town.projector.clear_traces(u64::MAX).unwrap(), Traces::None);
        prop_assert_eq!(left(&town, &erased), Vec::<usize>::new());
        let kept: BTreeSet<usize> = order.iter().map(|(person, _)| *person).filter(|it| !erased.contains(it)).collect();
        prop_assert_eq!(left(&town, &kept).len(), kept.len());
    }
}
