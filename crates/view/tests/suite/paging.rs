//! Pages of any size give each match once, in order, while resources are added between them.

use access::permit::ReadPermit;
use fhir::query::{Query, Summary, Total};
use proptest::prelude::*;
use view::error::Error;

use crate::model::Model;
use crate::permits::{NOW, keys, of_person, of_source};
use crate::search::{all_permits, parse, queries};
use crate::story::{NUMBERS, Put, Step, plain_steps, put, take};
use crate::town::Town;

/// Follows the pages to their end; between two pages, one more resource comes.
fn walk(
    town: &mut Town,
    model: &mut Model,
    permit: &ReadPermit,
    query: &Query,
    mut added: impl Iterator<Item = Step>,
) -> Result<Vec<String>, TestCaseError> {
    let view = town.view();
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = view.search(permit, query, cursor.as_deref(), NOW).unwrap();
        prop_assert!(page.matches.len() <= query.count.unwrap() as usize);
        prop_assert!(!page.matches.is_empty() || cursor.is_none());
        if let Some(total) = page.total {
            prop_assert_eq!(total, model.search(permit, query, NOW).len() as u64);
        }
        found.extend(page.matches.into_iter().map(|stored| stored.id));
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(found),
        }
        if let Some(step) = added.next() {
            take(town, model, &step);
            town.project_all();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn each_match_comes_once_and_in_order(
        steps in plain_steps(20..60),
        added in prop::collection::vec(put(), 0..12),
        queries in prop::collection::vec(queries(), 4),
        count in 1..12_u32,
    ) {
        let (mut town, mut model) = (Town::new(), Model::default());
        for step in &steps {
            take(&town, &mut model, step);
        }
        town.project_all();
        // New resources only: a correction may move a match to where the pages have been.
        let mut n = 10;
        let mut fresh = || {
            n += 1;
            let put = added.get(n % added.len().max(1))?;
            Some(Step::Put(Put { n, ..put.clone() }))
        };
        for pairs in &queries {
            let mut query = parse(pairs);
            query.count = Some(count);
            for permit in all_permits(&town) {
                let before = model.search(&permit, &query, NOW);
                let before: Vec<String> = before.iter().map(|row| row.id.clone()).collect();
                let added = std::iter::from_fn(&mut fresh).take(3);
                let found = walk(&mut town, &mut model, &permit, &query, added)?;
                let mut sorted = found.clone();
                sorted.sort();
                sorted.dedup();
                prop_assert_eq!(sorted.len(), found.len(), "no match comes twice");
                let old: Vec<String> =
                    found.into_iter().filter(|id| before.contains(id)).collect();
                // A derived Patient makes way for the one a source has sent meanwhile.
                let kept = |id: &&String| model.find(query.kind, id).is_some();
                let before: Vec<&String> = before.iter().filter(kept).collect();
                let old: Vec<&String> = old.iter().filter(kept).collect();
                prop_assert_eq!(old, before, "{:?} by {}", pairs, count);
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
fn a_cursor_of_another_search_is_refused() {
    let town = town();
    let view = town.view();
    let permit = of_source("plo-epj", &keys());
    let sorted = query(&[("_sort", "-date"), ("_count", "2")]);
    let next = view.search(&permit, &sorted, None, NOW).unwrap().next.unwrap();
    assert!(view.search(&permit, &sorted, Some(&next), NOW).is_ok());
    let plain = query(&[("_count", "2")]);
    for cursor in [next.as_str(), "", "x", "1_", "1; DROP TABLE resource", "99999999999999999999"] {
        let refused = view.search(&permit, &plain, Some(cursor), NOW);
        assert!(matches!(refused, Err(Error::Cursor)), "`{cursor}`");
    }
}
