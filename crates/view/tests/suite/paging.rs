//! Pages of any size give each match once, in order, whatever is written between them.

use std::collections::BTreeMap;

use access::permit::{Reach, ReadPermit};
use fhir::query::{Query, Summary, Total};
use proptest::prelude::*;
use record::entry::Position;
use view::error::Error;

use crate::model::{Key, Model};
use crate::naive::Naive;
use crate::permits::{NOW, keys, of_person, of_source};
use crate::search::{all_permits, parse, queries};
use crate::story::{NUMBERS, Put, Step, plain_steps, step, take};
use crate::town::Town;

/// The matches and their versions.
fn matches(model: &Model, permit: &ReadPermit, query: &Query) -> Vec<(Key, Vec<Position>)> {
    let naive = Naive { model, permit, now: NOW };
    naive.search(query).iter().map(|row| (row.key(), row.versions.clone())).collect()
}

/// Follows the pages to their end; between two pages, something happens.
fn walk(
    town: &mut Town,
    model: &mut Model,
    permit: &ReadPermit,
    query: &Query,
    mut happens: impl Iterator<Item = Step>,
) -> Result<(), TestCaseError> {
    let view = town.view();
    let first = town.projector.position();
    let before = matches(model, permit, query);
    let mut steady: BTreeMap<_, _> = before.iter().cloned().collect();
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = view.search(permit, query, cursor.as_deref(), NOW).unwrap();
        prop_assert!(page.matches.len() <= query.count.unwrap() as usize);
        if let Some(total) = page.total {
            let now = matches(model, permit, query).into_iter();
            let unchanged = now.filter(|(_, versions)| *versions.last().unwrap() <= first);
            prop_assert_eq!(total, unchanged.count() as u64);
        }
        found.extend(page.matches.into_iter().map(|stored| (stored.kind, stored.id)));
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
        if let Some(step) = happens.next() {
            take(town, model, &step);
            town.project_all();
            let now: BTreeMap<_, _> = matches(model, permit, query).into_iter().collect();
            steady.retain(|key, versions| now.get(key) == Some(versions));
        }
    }
    // Somebody who comes to a unit on the way comes with what was recorded before.
    let is_unit = matches!(permit.reach(), Reach::Unit { .. });
    let came = |key: &Key| is_unit && !before.iter().any(|(known, _)| known == key);
    let mut rest = before.iter().map(|(key, _)| key);
    for key in found.iter().filter(|key| !came(key)) {
        prop_assert!(rest.any(|it| it == key), "{:?} comes twice, late or out of order", key);
    }
    for key in steady.keys() {
        prop_assert!(found.contains(key), "{:?} is left out", key);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn each_match_comes_once_and_in_order(
        steps in plain_steps(20..60),
        happens in prop::collection::vec(step(), 30),
        queries in prop::collection::vec(queries(), 4),
        count in 1..12_u32,
    ) {
        let (mut town, mut model) = (Town::new(), Model::default());
        for step in &steps {
            take(&town, &mut model, step);
        }
        town.project_all();
        let mut happens = happens.into_iter();
        for pairs in &queries {
            let mut query = parse(pairs);
            query.count = Some(count);
            query.includes.clear();
            query.revincludes.clear();
            for permit in all_permits(&town) {
                walk(&mut town, &mut model, &permit, &query, happens.by_ref().take(3))?;
            }
        }
    }
}

fn town() -> Town {
    let (mut town, mut model) = (Town::new(), Model::default());
    for n in 0..5 {
        let put = Put { kind: "Observation", person: 0, n, source: 0, choice: [0, 0, 0, n, 0] };
        take(&town, &mut model, &Step::Put(put));
    }
    town.project_all();
    town
}

fn query(texts: &[(&str, &str)]) -> Query {
    let pairs: Vec<_> = texts.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    Query::parse("Observation", &pairs).unwrap()
}

#[test]
fn a_total_comes_when_asked_for_or_when_it_is_cheap() {
    let town = town();
    let view = town.view();
    let (anybody, person) =
        (of_source("plo-epj", &keys()), of_person(town.person(NUMBERS[0]), &keys()));
    let total = |permit: &ReadPermit, texts: &[(&str, &str)]| {
        let page = view.search(permit, &query(texts), None, NOW).unwrap();
        (page.total, page.matches.len())
    };
    assert_eq!(total(&anybody, &[("_count", "2")]), (None, 2));
    assert_eq!(total(&anybody, &[("_count", "9")]), (Some(5), 5));
    assert_eq!(total(&anybody, &[("_count", "2"), ("_total", "accurate")]), (Some(5), 2));
    assert_eq!(total(&anybody, &[("_summary", "count")]), (Some(5), 0));
    assert_eq!(total(&person, &[("_count", "2")]), (Some(5), 2));
    assert_eq!(total(&person, &[("_count", "2"), ("_total", "none")]), (None, 2));
    assert_eq!(total(&person, &[("_count", "0")]), (Some(5), 0));
    assert_eq!(query(&[("_summary", "count")]).summary, Some(Summary::Count));
    assert_eq!(query(&[("_total", "none")]).total, Some(Total::None));
}

#[test]
fn what_comes_after_a_row_that_changed_meanwhile_is_not_left_out() {
    for (sort, last, then) in [("_lastUpdated", 1, vec![2, 3]), ("-_lastUpdated", 3, vec![2, 1])] {
        let mut town = town();
        let permit = of_source("plo-epj", &keys());
        let sorted = query(&[("_sort", sort), ("_count", "2")]);
        let first = town.view().search(&permit, &sorted, None, NOW).unwrap();
        let put =
            Put { kind: "Observation", person: 0, n: last, source: 0, choice: [9, 9, 9, 9, 9] };
        take(&town, &mut Model::default(), &Step::Put(put));
        town.project_all();
        let next = town.view().search(&permit, &sorted, first.next.as_deref(), NOW).unwrap();
        let ids: Vec<&str> = next.matches.iter().map(|stored| stored.id.as_str()).collect();
        let expected: Vec<String> = then.iter().map(|n| format!("observation-0-{n}")).collect();
        assert_eq!(ids, expected, "{sort}");
    }
}

#[test]
fn a_cursor_of_another_search_is_refused() {
    let town = town();
    let view = town.view();
    let permit = of_source("plo-epj", &keys());
    let sorted = query(&[("_sort", "-date"), ("_count", "2")]);
    let next = view.search(&permit, &sorted, None, NOW).unwrap().next.unwrap();
    assert!(view.search(&permit, &sorted, Some(&next), NOW).is_ok());
    let plain = query(&[("_count", "2")]);
    // A client that changes any digit of a link is told so.
    for place in 0..next.len() {
        let mut edited = next.clone();
        let other = if edited.as_bytes()[place] == b'0' { "1" } else { "0" };
        edited.replace_range(place..=place, other);
        let refused = view.search(&permit, &sorted, Some(&edited), NOW);
        assert!(matches!(refused, Err(Error::Cursor)), "digit {place}");
    }
    for cursor in
        [next.as_str(), "", "x", "å", "0å", "1_", "1; DROP TABLE resource", "99999999999999999999"]
    {
        let refused = view.search(&permit, &plain, Some(cursor), NOW);
        assert!(matches!(refused, Err(Error::Cursor)), "`{cursor}`");
    }
}
