//! What persons restrict, and what owners label, is not there: for no search, by no way.

use std::collections::BTreeSet;

use access::decide::About;
use access::permit::ReadPermit;
use access::restriction::{Against, Restriction, What};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use record::identity::PersonId;
use view::history::Span;

use crate::model::{Key, Model};
use crate::naive::Naive;
use crate::permits::{MUNICIPALITY, NOW, keys, of_nurse};
use crate::search::{parse, queries};
use crate::story::{NUMBERS, plain_steps, take};
use crate::town::Town;

/// Ids that the story uses, of persons whom the restriction may not be about as well.
const ITEMS: [(&str, &str); 6] = [
    ("Observation", "observation-0-0"),
    ("Observation", "observation-0-1"),
    ("Observation", "observation-1-2"),
    ("EpisodeOfCare", "episodeofcare-0-0"),
    ("Patient", "patient-0-1"),
    ("RiskAssessment", "riskassessment-1-1"),
];

/// 2026-01-15, 2026-02-10 and 2026-03-01 in Norway.
const DAYS: [i64; 3] = [1_768_431_600_000, 1_770_678_000_000, 1_772_319_600_000];

fn what() -> impl Strategy<Value = What> {
    let categories = ["measurements", "services", "demographics", "organisation"];
    (
        subsequence(categories.to_vec(), 0..=2),
        subsequence(ITEMS.to_vec(), 0..=3),
        prop::option::weighted(0.3, select(vec![MUNICIPALITY, "993467049"])),
        prop::option::of((0..3_usize, any::<bool>())),
    )
        .prop_map(|(categories, items, owner, time)| {
            let owned = |text: &str| text.to_owned();
            What {
                categories: categories.into_iter().map(owned).collect(),
                items: items.iter().map(|(kind, id)| (owned(kind), owned(id))).collect(),
                owner: owner.map(owned),
                from: time.map(|(day, _)| DAYS[day]),
                to: time.filter(|(_, ends)| *ends).map(|(day, _)| DAYS[day] + 30 * 86_400_000),
            }
        })
}

fn restriction() -> impl Strategy<Value = (usize, Restriction)> {
    (0..NUMBERS.len(), what()).prop_map(|(person, what)| {
        let restriction = Restriction {
            id: "consent".to_owned(),
            against: Against::Everyone,
            what,
            valid_from: None,
            valid_to: None,
            in_emergency: false,
        };
        (person, restriction)
    })
}

fn permits(town: &Town, restrictions: &[(usize, Restriction)]) -> Vec<ReadPermit> {
    let person = |n: usize| town.person(NUMBERS[n]);
    let of = |n: usize| {
        let its = restrictions.iter().filter(|(whose, _)| *whose == n);
        (person(n), its.map(|(_, restriction)| restriction.clone()).collect())
    };
    let all: Vec<(PersonId, Vec<Restriction>)> = (0..NUMBERS.len()).map(of).collect();
    let about = (0..NUMBERS.len()).map(|n| About::Person(person(n)));
    about.chain([About::OwnUnit]).map(|about| of_nurse(&all, about, &keys())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_withheld_is_not_there_and_one_more_restriction_never_adds_a_row(
        steps in plain_steps(10..60),
        queries in prop::collection::vec(queries(), 12),
        restrictions in prop::collection::vec(restriction(), 1..5),
    ) {
        let (mut town, mut model) = (Town::new(), Model::default());
        for step in &steps {
            take(&town, &mut model, step);
        }
        town.project_all();
        let view = town.view();
        let newest = town.ledger.head().unwrap().position;
        let span = Span { from: 1, before: newest + 1, lasting: 0 };
        let fewer = permits(&town, &restrictions[1..]);
        for (permit, before) in permits(&town, &restrictions).iter().zip(&fewer) {
            for pairs in &queries {
                let query = parse(pairs);
                let page = view.search(permit, &query, None, NOW).unwrap();
                let found: Vec<Key> =
                    page.matches.iter().map(|it| (it.kind, it.id.clone())).collect();
                let naive = Naive { model: &model, permit, now: NOW };
                let wanted: Vec<_> = naive.search(&query).iter().map(|row| row.key()).collect();
                prop_assert_eq!(&found, &wanted, "{:?} under {:?}", pairs, permit);
                prop_assert_eq!(page.total, Some(wanted.len() as u64));
                let brought: BTreeSet<Key> =
                    page.included.iter().map(|(kind, it)| (*kind, it.id.clone())).collect();
                prop_assert_eq!(brought, naive.included(&query, &wanted));
            }
            // Everything that can be seen at all, by name, by version and by change.
            let seen = |permit: &ReadPermit| -> BTreeSet<Key> {
                let open = |row: &&crate::model::Row| {
                    let versions = view.versions(permit, row.kind, &row.id).unwrap();
                    let read = view.read(permit, row.kind, &row.id).unwrap();
                    let is_there = !matches!(read, view::store::Found::Nothing);
                    assert!(versions.is_empty() || is_there);
                    is_there
                };
                model.rows.iter().filter(open).map(|row| row.key()).collect()
            };
            let now = seen(permit);
            prop_assert!(now.is_subset(&seen(before)));
            let permitted = model.rows.iter().filter(|row| model.permitted(permit, row));
            prop_assert_eq!(&now, &permitted.map(|row| row.key()).collect::<BTreeSet<Key>>());
            let changes = view.changes(permit, None, &span, 1_000).unwrap().changes;
            let changed: BTreeSet<Key> = changes.into_iter().map(|it| (it.kind, it.id)).collect();
            prop_assert!(changed.is_subset(&now));
        }
    }
}
