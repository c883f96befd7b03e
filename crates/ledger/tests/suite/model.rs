//! The ledger beside a model simple enough to be right: a list.

use crate::server::Server;
use crate::town::{Town, draft, options, person, wait};
use ledger::append::{Appended, Body, Draft};
use ledger::error::Error;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use record::entry::Position;
use std::collections::HashSet;

#[derive(Clone, Debug, PartialEq)]
struct Fact {
    source: u8,
    id: Option<u8>,
    person: Option<u8>,
    content: u8,
}

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<Fact>),
    Erase(u8),
    Sign,
    Reopen,
}

#[derive(Debug, PartialEq)]
enum Answer {
    Kept(Vec<(Position, bool)>),
    Conflict(usize, Option<Position>),
    Erased,
}

#[derive(Default)]
struct Model {
    kept: Vec<Fact>,
    erased: HashSet<u8>,
}

impl Model {
    fn append(&mut self, group: &[Fact]) -> Answer {
        if group.iter().any(|fact| fact.person.is_some_and(|p| self.erased.contains(&p))) {
            return Answer::Erased;
        }
        let before = self.kept.len();
        let mut answer = Vec::new();
        for (index, fact) in group.iter().enumerate() {
            let same = |kept: &Fact| kept.source == fact.source && kept.id == fact.id;
            match self.kept.iter().position(|kept| fact.id.is_some() && same(kept)) {
                Some(at) if self.kept[at] == *fact => answer.push((at as u64 + 1, false)),
                Some(at) => {
                    self.kept.truncate(before);
                    return Answer::Conflict(index, (at < before).then_some(at as u64 + 1));
                }
                None => {
                    self.kept.push(fact.clone());
                    answer.push((self.kept.len() as u64, true));
                }
            }
        }
        Answer::Kept(answer)
    }
}

fn fact() -> impl Strategy<Value = Fact> {
    (0..2_u8, prop::option::weighted(0.8, 0..8_u8), prop::option::weighted(0.7, 0..3_u8), 0..2_u8)
        .prop_map(|(source, id, person, content)| Fact { source, id, person, content })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        10 => prop::collection::vec(fact(), 1..5).prop_map(Step::Append),
        1 => (0..3_u8).prop_map(Step::Erase),
        1 => Just(Step::Sign),
        1 => Just(Step::Reopen),
    ]
}

fn check(town: &Town, steps: Vec<Step>) {
    let keys = town.keys();
    let persons: Vec<_> = ["01", "02", "03"].map(|number| person(&keys, number)).into();
    let make = |fact: &Fact| Draft {
        source: format!("source-{}", fact.source),
        source_event_id: fact.id.map(|id| format!("event-{id}")),
        ..draft("", fact.person.map(|p| persons[usize::from(p)]), &format!("c{}", fact.content))
    };
    let mut ledger = Some(town.open(options(&keys)));
    let mut model = Model::default();
    for step in steps {
        match step {
            Step::Append(group) => {
                let drafts = group.iter().map(make).collect();
                let answer = match ledger.as_ref().unwrap().append_blocking(drafts) {
                    Ok(answer) => Answer::Kept(
                        answer
                            .iter()
                            .map(|a| (a.entry().position, matches!(a, Appended::New(_))))
                            .collect(),
                    ),
                    Err(Error::Conflict { index, position }) => Answer::Conflict(index, position),
                    Err(Error::Erased) => Answer::Erased,
                    Err(error) => panic!("{error}"),
                };
                assert_eq!(answer, model.append(&group), "{group:?}");
            }
            Step::Erase(person) => {
                keys.destroy(persons[usize::from(person)]).unwrap();
                model.erased.insert(person);
            }
            Step::Sign => {
                let note = wait(ledger.as_ref().unwrap().sign_checkpoint()).unwrap();
                let size = note.as_deref().map(|note| note.lines().nth(1).unwrap().to_owned());
                let kept = model.kept.len();
                assert_eq!(size, (kept > 0).then(|| kept.to_string()));
            }
            Step::Reopen => {
                ledger = None;
                ledger = ledger.or_else(|| Some(town.open(options(&keys))));
            }
        }
    }
    let ledger = ledger.unwrap();
    let read = ledger.read(1, usize::MAX).unwrap();
    assert_eq!(read.len(), model.kept.len());
    for (record, fact) in read.iter().zip(&model.kept) {
        let expected = make(fact);
        assert_eq!(record.entry.source, expected.source);
        assert_eq!(record.entry.source_event_id, expected.source_event_id);
        assert_eq!(record.entry.person, expected.person);
        let erased = fact.person.is_some_and(|p| model.erased.contains(&p));
        let body = if erased { Body::Erased } else { Body::Plain(expected.body) };
        assert_eq!(record.body, body);
    }
    assert!(ledger.verify(|_, _| {}).unwrap().is_sound());
}

fn tries(cases: u32, town: impl Fn() -> Town) {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let steps = prop::collection::vec(step(), 1..30);
    let run = |steps| {
        check(&town(), steps);
        Ok(())
    };
    TestRunner::new(config).run(&steps, run).unwrap();
}

#[test]
fn a_ledger_in_a_file_is_a_list() {
    tries(64, Town::in_files);
}

#[test]
fn a_ledger_in_postgresql_is_a_list() {
    if let Some(server) = Server::shared() {
        tries(12, || Town::on(server.clone()));
    }
}
