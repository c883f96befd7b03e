//! A search that would take too much work is refused and disturbs nobody else; and what applications
//! ask most does not walk through everything.

use std::sync::atomic::{AtomicBool, Ordering};

use record::entry::Kind;
use view::error::Error;
use view::store::View;

use crate::added::parameters;
use crate::permits::{MUNICIPALITY, NOW, keys, of_source};
use crate::search::{parse, parse_with};
use crate::story::{OWN, definition};
use crate::town::{About, START, Town};

/// Observations of one patient, a minute apart, with a rare code now and then.
fn town(count: usize) -> Town {
    let mut town = Town::new();
    let person = Some(town.person("18812400011"));
    let about = About {
        kind: Kind::Version,
        person,
        category: "measurements",
        owner: MUNICIPALITY,
        source: "plo-epj",
    };
    for n in 0..count {
        let at = i64::try_from(n).unwrap() * 60_000;
        let at = fhir::instant::format_instant(START + at);
        let code = if n % 100 == 7 { "rare" } else { "common" };
        let status = if n == 3 { "amended" } else { "final" };
        let id = format!("o-{n}");
        let json = format!(
            r#"{{"resourceType":"Observation","id":"{id}","status":"{status}","code":{{"coding":[{{"code":"{code}"}}],"text":"Puls"}},"subject":{{"reference":"Patient/p"}},"valueQuantity":{{"value":{n}}},"effectiveDateTime":"{at}"}}"#
        );
        town.record(&about, "Observation", &id, &json);
    }
    let about = About { person: None, category: "organisation", ..about };
    for (n, (id, ..)) in OWN.iter().enumerate() {
        let json = fhir::json::print(&definition(id, n, "active"));
        town.record(&about, "SearchParameter", id, &json);
    }
    town.project_all();
    town.walk(usize::MAX);
    town
}

fn pairs(text: &str) -> Vec<(String, String)> {
    let pair = |text: &str| text.split_once('=').map(|(a, b)| (a.to_owned(), b.to_owned()));
    [Some(("place".to_owned(), "Observation".to_owned()))]
        .into_iter()
        .chain(text.split('&').map(pair))
        .map(Option::unwrap)
        .collect()
}

fn limited(town: &Town, instructions: i64) -> View {
    town.view().limited_to(instructions)
}

/// The least budget, in steps of a factor of two, that a question is answered within.
fn cost(town: &Town, text: &str) -> i64 {
    let permit = of_source("plo-epj", &keys());
    let query = parse_with(&parameters(&town.view()), &pairs(text));
    let within = |budget: &i64| limited(town, *budget).search(&permit, &query, None, NOW).is_ok();
    (0..40).map(|power| 500 << power).find(within).unwrap()
}

#[test]
fn a_costly_search_is_refused_and_disturbs_nobody() {
    let town = town(1_000);
    let view = limited(&town, 40_000);
    let permit = of_source("plo-epj", &keys());
    let costly = parse(&pairs("_content=puls,nothing&_sort=code"));
    let cheap = parse(&pairs("code=rare&_count=3"));
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..20 {
                let refused = view.search(&permit, &costly, None, NOW);
                assert!(matches!(refused, Err(Error::TooCostly)));
            }
            ended.store(true, Ordering::Relaxed);
        });
        let mut answers = 0;
        while !ended.load(Ordering::Relaxed) || answers == 0 {
            let page = view.search(&permit, &cheap, None, NOW).unwrap();
            assert_eq!(page.matches.len(), 3);
            answers += 1;
        }
    });
    // The connection that was interrupted serves on.
    assert!(view.search(&permit, &cheap, None, NOW).is_ok());
    assert_eq!(
        Error::TooCostly.to_string(),
        "the search is too costly: narrow it by a patient, a code or a period, or sort by `date` \
         or `_lastUpdated`"
    );
}

#[test]
fn what_is_asked_most_costs_the_same_of_little_and_of_much() {
    let (little, much) = (town(250), town(2_500));
    let questions = [
        "_id=o-9",
        "code=common&_count=5",
        "code=common&_sort=-date&_count=1",
        "code=common&date=ge2026-03-02T12:10:00Z&date=lt2026-03-02T12:20:00Z",
        "date=ge2026-03-02T12:10:00Z&date=lt2026-03-02T12:20:00Z&_count=5",
        "_sort=date&_count=5",
        "_sort=-_lastUpdated&_count=5",
        "status:not=final",
        "code:missing=true",
        "subject:missing=true&status=final",
        "code=common&status=amended",
        "code:text=puls&_count=5",
        "subject:Patient.name=nobody",
        "code=rare&value-quantity=ge0&_count=2",
        "value-date:missing=true&date=gt2026&_count=5",
        "subject=Patient/p&date=ge2026-03&_sort=date&_count=5",
        "own-code=rare&_count=2",
        "own-amount=7&_sort=own-date",
        "own-amount=lt3",
        "own-date=2026-03-02T12:10:00Z",
        "own-text=puls&_sort=own-text&_count=5",
        "_sort=-own-text&_count=5",
        "own-subject:Patient.name=nobody",
        "code=rare&status=amended",
        "code=common&value-quantity=gt9000",
        "code=common&value-quantity=lt0&_sort=_lastUpdated",
        "code=common,rare&value-quantity=eb0",
        "code-value-quantity=common$gt9000",
        "code-value-quantity=common$lt0",
        "combo-code-value-quantity=rare$1.5",
        "_summary=count",
        "code=common&status=final&_summary=count",
        "code:not=common&_summary=count",
        "category:missing=false&_summary=count",
    ];
    for question in questions {
        let (least, most) = (cost(&little, question), cost(&much, question));
        assert!(most <= 2 * least.max(4_000), "{question}: {least} and {most} instructions");
    }
}

/// Whether a number fits.
type Fits = fn(usize) -> bool;

/// What a code and a number together lead to is what each of them says, wherever the search begins.
#[test]
fn numbers_of_a_code_are_found_from_every_side() {
    let count = 2_500;
    let town = town(count);
    let view = town.view();
    let permit = of_source("plo-epj", &keys());
    let is_rare = |n: &usize| n % 100 == 7;
    let fits: [(&str, Fits); 7] = [
        ("gt2407", |n| n > 2_407),
        ("ge2407", |n| n >= 2_407),
        ("lt107", |n| n < 107),
        ("le107", |n| n <= 107),
        ("207", |n| n == 207),
        ("ap1000", |n| (900..=1_100).contains(&n)),
        ("ne207", |n| n != 207),
    ];
    for (number, fits) in fits {
        let of = |code: &str| {
            let rare = code == "rare";
            (0..count).filter(|n| is_rare(n) == rare && fits(*n)).count()
        };
        for code in ["rare", "common"] {
            for sort in ["_id", "-date", "_lastUpdated", "code"] {
                for asked in [
                    format!("code={code}&value-quantity={number}"),
                    format!("code-value-quantity={code}${number}"),
                    format!("combo-code-value-quantity={code}${number}"),
                ] {
                    let asked = format!("{asked}&_sort={sort}&_count=1000&_total=accurate");
                    let page = view.search(&permit, &parse(&pairs(&asked)), None, NOW).unwrap();
                    assert_eq!(page.total, Some(of(code) as u64), "{asked}");
                    assert_eq!(page.matches.len(), of(code).min(1_000), "{asked}");
                }
            }
        }
    }
}
