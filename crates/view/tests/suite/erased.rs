//! One record is erased: the live view, from which it was taken out, and one made anew, which never saw
//! it, are the same; nothing of it is left in the view's files, and that there was one is told.

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;

use proptest::prelude::*;
use record::decision::ADMINISTRATION;
use record::entry::{Entry, Kind};
use record::resealing::Resealing;
use view::history::Span;
use view::store::Found;
use view::trace::Traces;

use crate::model::{Key, Model, Row, State};
use crate::permits::{MUNICIPALITY, keys, of_person};
use crate::story::{NUMBERS, Step, about, steps, take};
use crate::town::Town;

#[derive(Clone, Debug)]
enum Act {
    Step(Step),
    /// The nth record about somebody is erased.
    EraseRecord(usize),
    /// So many entries are projected.
    Project(usize),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    (steps(10..60), prop::collection::vec((any::<usize>(), 0..9_usize), 60)).prop_map(
        |(steps, others)| {
            let acts = steps.into_iter().zip(others).flat_map(|(step, (n, count))| {
                let erases = (n % 4 == 0).then_some(Act::EraseRecord(n / 4));
                [Some(Act::Step(step)), erases, Some(Act::Project(count))]
            });
            acts.flatten().collect()
        },
    )
}

fn erase(town: &Town, row: &Row) -> Entry {
    let resealing = Resealing {
        v: Resealing::VERSION,
        kind: row.kind.to_owned(),
        id: row.id.clone(),
        category: row.category.to_owned(),
        owner: row.owner.clone(),
        source: row.source.to_owned(),
        erased: row.versions.clone(),
    };
    let about = about(Kind::Resealing, row.person, ADMINISTRATION, 0);
    town.append(&about, resealing.seal(b"{\"decided\":\"so\"}"))
}

/// Which resource a step writes.
fn written(town: &Town, model: &Model, step: &Step) -> Option<Key> {
    match step {
        Step::Put(put) => Some((put.kind, put.id(town.person(NUMBERS[put.person])))),
        Step::Remove(n) => model.removable(*n).map(Row::key),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_view_that_let_go_of_a_record_is_one_that_never_saw_it(
        acts in acts(),
        step in 1..30_usize,
    ) {
        let (mut town, mut model) = (Town::new(), Model::default());
        let mut gone: Vec<(Row, Entry)> = Vec::new();
        for act in &acts {
            match act {
                // What was erased is not written again.
                Act::Step(step) => match written(&town, &model, step) {
                    Some(key) if gone.iter().any(|(row, _)| row.key() == key) => {}
                    _ => take(&town, &mut model, step),
                },
                Act::EraseRecord(n) => {
                    let of_source = |row: &&Row| row.person.is_some() && row.state != State::Derived;
                    let all: Vec<&Row> = model.rows.iter().filter(of_source).collect();
                    let Some(row) = all.get(n % all.len().max(1)).copied().cloned() else { continue };
                    gone.push((row.clone(), erase(&town, &row)));
                    model.rows.retain(|it| it.key() != row.key());
                }
                Act::Project(count) => drop(town.project(*count)),
            }
        }
        town.project_all();
        town.walk(usize::MAX);
        prop_assert_eq!(town.dump(), town.rebuilt(step));
        let view = town.view();
        for (row, entry) in &gone {
            let person = row.person.unwrap();
            if model.erased.contains(&person) {
                continue;
            }
            let located = view.locate(row.kind, &row.id).unwrap().unwrap();
            prop_assert!(located.erased && located.removed);
            prop_assert_eq!((located.version, located.person), (entry.position, row.person));
            prop_assert_eq!(located.category, row.category);
            prop_assert_eq!(view.all_versions(row.kind, &row.id).unwrap(), vec![entry.position]);
            let permit = of_person(person, &keys());
            let found = view.read(&permit, row.kind, &row.id).unwrap();
            prop_assert!(matches!(found, Found::Removed));
            let records = view.records(&permit, row.kind).unwrap();
            prop_assert!(records.iter().all(|it| it.id != row.id));
            // The history says that there was one, and no more.
            let span = Span { from: 1, before: u64::MAX, lasting: 0 };
            let all = view.changes(&permit, Some(row.kind), &span, 1_000).unwrap().changes;
            let of: Vec<u64> =
                all.iter().filter(|it| it.id == row.id).map(|it| it.version).collect();
            prop_assert_eq!(of, vec![entry.position]);
        }
    }
}

fn note(town: &Town, n: usize, m: usize) -> String {
    let number = format!("{n:011}");
    let person = town.person(&number);
    let text = format!("Merkelig{n:04}x{m}x").repeat(1 + (n * 7 + m * 13) % 20);
    let json = format!(
        "{{\"resourceType\":\"Observation\",\"id\":\"o{n}-{m}\",\"status\":\"final\",\
         \"code\":{{\"text\":\"{text}\"}},\"valueString\":\"{text}\",\"subject\":{{\"identifier\":{{\"value\":\"{number}\"}}}}}}"
    );
    let about = about(Kind::Version, Some(person), "measurements", 0);
    town.record(&about, "Observation", &format!("o{n}-{m}"), &json);
    format!("merkelig{n:04}x{m}x")
}

/// What is sent of each resource, as the view has it packed.
fn packed(town: &Town) -> Vec<(String, Vec<u8>)> {
    let view = rusqlite::Connection::open(town.dir.path().join("view.db")).unwrap();
    let text = "SELECT id, body FROM resource JOIN content USING (rid)";
    let mut select = view.prepare(text).unwrap();
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

/// A piece of what is packed.
type Piece = [u8; 16];

fn pieces(bytes: &[u8]) -> impl Iterator<Item = Piece> + '_ {
    bytes.windows(size_of::<Piece>()).map(|piece| piece.try_into().unwrap())
}

/// The pieces of what was taken that nothing has which was kept.
fn own_pieces(taken: &[(String, Vec<u8>)], kept: &[(String, Vec<u8>)]) -> HashSet<Piece> {
    let of = |contents: &[(String, Vec<u8>)]| -> HashSet<Piece> {
        contents.iter().flat_map(|(_, content)| pieces(content)).collect()
    };
    of(taken).difference(&of(kept)).copied().collect()
}

/// The view's files.
fn files(town: &Town) -> impl Iterator<Item = PathBuf> {
    let files = std::fs::read_dir(town.dir.path()).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.to_string_lossy().contains("view.db"))
}

/// Whether the view's files hold the bytes, in whatever case.
fn left(town: &Town, text: &[u8]) -> bool {
    let text = text.to_ascii_lowercase();
    files(town).any(|path| {
        let bytes = std::fs::read(path).unwrap().to_ascii_lowercase();
        bytes.windows(text.len()).any(|window| window == text)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, ..ProptestConfig::default() })]

    #[test]
    fn no_file_of_the_view_holds_a_byte_of_an_erased_record(
        order in prop::collection::vec((0..20_usize, 0..12_usize), 300),
        erased in prop::collection::btree_set((0..20_usize, 0..12_usize), 1..6),
        step in 1..50_usize,
    ) {
        let mut town = Town::new();
        let all: BTreeSet<(usize, usize)> = order.iter().chain(&erased).copied().collect();
        let texts: Vec<((usize, usize), String)> =
            order.iter().chain(&erased).map(|of| (*of, note(&town, of.0, of.1))).collect();
        while !town.waiting().is_empty() {
            town.project(step);
        }
        let before = packed(&town);
        prop_assert!(before.len() > all.len(), "every record, and the persons");
        prop_assert!(before.iter().all(|(_, content)| left(&town, content)));
        for (n, m) in &erased {
            let id = format!("o{n}-{m}");
            let versions = town.view().all_versions("Observation", &id).unwrap();
            let resealing = Resealing {
                v: Resealing::VERSION,
                kind: "Observation".to_owned(),
                id,
                category: "measurements".to_owned(),
                owner: MUNICIPALITY.to_owned(),
                source: crate::permits::SOURCES[0].to_owned(),
                erased: versions,
            };
            let person = town.person(&format!("{n:011}"));
            let about = about(Kind::Resealing, Some(person), ADMINISTRATION, 0);
            town.append(&about, resealing.seal(b"{}"));
            town.project_all();
        }
        prop_assert_eq!(town.projector.clear_traces(u64::MAX).unwrap(), Traces::None);
        for (of, text) in texts {
            prop_assert_eq!(left(&town, text.as_bytes()), !erased.contains(&of), "{}", text);
        }
        let gone: BTreeSet<String> = erased.iter().map(|(n, m)| format!("o{n}-{m}")).collect();
        let is_gone = |(id, _): &(String, Vec<u8>)| gone.contains(id);
        let (taken, _): (Vec<_>, Vec<_>) = before.into_iter().partition(is_gone);
        let (_, kept): (Vec<_>, Vec<_>) = packed(&town).into_iter().partition(is_gone);
        let own = own_pieces(&taken, &kept);
        prop_assert!(own.len() >= gone.len());
        for file in files(&town) {
            prop_assert!(!pieces(&std::fs::read(file).unwrap()).any(|piece| own.contains(&piece)));
        }
        prop_assert!(kept.iter().all(|(_, content)| left(&town, content)));
        let now = town.view();
        for (n, m) in &all {
            let located = now.locate("Observation", &format!("o{n}-{m}")).unwrap().unwrap();
            prop_assert_eq!(located.erased, erased.contains(&(*n, *m)));
        }
    }
}
