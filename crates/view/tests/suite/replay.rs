//! The view is what the ledger says: however entries are batched, whenever the process ends,
//! whatever is erased, the live view and one made anew are the same, byte for byte.

use proptest::prelude::*;

use crate::model::{Model, State};
use crate::permits::{keys, of_person};
use crate::story::{Step, steps, take};
use crate::town::Town;

/// How the live view follows: after so many steps, so many entries, and so many steps through old data
/// for added search parameters.
fn follow() -> impl Strategy<Value = Vec<(usize, usize, usize)>> {
    prop::collection::vec((1..6_usize, 0..5_usize, 0..9_usize), 1..20)
}

fn live(steps: &[Step], follow: &[(usize, usize, usize)]) -> (Town, Model) {
    let (mut town, mut model) = (Town::new(), Model::default());
    let mut steps = steps.iter();
    for (taken, applied, walked) in follow.iter().cycle() {
        for step in steps.by_ref().take(*taken) {
            take(&town, &mut model, step);
        }
        town.project(*applied);
        town.walk(*walked);
        if steps.len() == 0 {
            break;
        }
    }
    (town, model)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_view_made_anew_is_the_live_view(
        steps in steps(1..60),
        follow in follow(),
        step in 1..30_usize,
    ) {
        let (mut town, model) = live(&steps, &follow);
        town.project_all();
        town.walk(usize::MAX);
        prop_assert_eq!(town.dump(), town.rebuilt(step));
        prop_assert_eq!(town.projector.position(), town.ledger.head().unwrap().position);
        let view = town.view();
        let decided = view.decisions(0, usize::MAX).unwrap();
        prop_assert_eq!(&decided, &model.decisions);
        let after = decided.first().map_or(0, |first| first.position);
        let rest = view.decisions(after, 1).unwrap();
        prop_assert_eq!(rest.as_slice(), decided.get(1..2).unwrap_or_default());
        for row in &model.rows {
            let located = view.locate(row.kind, &row.id).unwrap().unwrap();
            prop_assert_eq!(located.version, *row.versions.last().unwrap());
            prop_assert_eq!(located.person, row.person);
            prop_assert_eq!(located.category, row.category);
            prop_assert_eq!(located.derived, row.state == State::Derived);
            prop_assert_eq!(located.removed, row.state == State::Removed);
        }
    }

    #[test]
    fn a_view_resumes_wherever_the_process_ended(
        steps in steps(1..40),
        follow in follow(),
        step in 1..10_usize,
        again in 1..10_usize,
    ) {
        let (mut town, _) = live(&steps, &follow);
        // Committed to the ledger, not yet in the view: the process ends here.
        let waiting = town.waiting();
        town.restart(step);
        town.walk(usize::MAX);
        let caught_up = town.dump();
        prop_assert_eq!(&caught_up, &town.rebuilt(again));
        // What came too late is passed over.
        town.deliver_again(&waiting);
        prop_assert_eq!(&caught_up, &town.dump());
    }

    #[test]
    fn nothing_of_an_erased_person_is_left(steps in steps(20..60), step in 1..30_usize) {
        let (mut town, model) = live(&steps, &[(1, 1, 1)]);
        town.project_all();
        let rows = town.dump();
        for person in &model.erased {
            prop_assert!(town.view().records(&of_person(*person, &keys()), "Patient").unwrap().is_empty());
            let bytes = person.0.escape_ascii().to_string();
            let texts = [bytes, person.to_string()];
            let holds = |row: &&String| texts.iter().any(|text| row.contains(text));
            prop_assert_eq!(rows.iter().find(holds), None);
            let rids: Vec<&String> = rows.iter().filter(|row| row.starts_with("resource")).collect();
            prop_assert_eq!(rids.len(), model.rows.len());
        }
        town.walk(usize::MAX);
        prop_assert_eq!(town.dump(), town.rebuilt(step));
    }
}
