//! What a ledger must do wherever it is kept: each test runs in files, and in PostgreSQL where that is installed.

use crate::town::{Gate, NAME, draft, options, person, queued, wait};
use ledger::append::{Appended, Body, Committed, Draft, Sealing};
use ledger::body::MAX_BYTES;
use ledger::chain::entry_hash;
use ledger::clock::FixedClock;
use ledger::error::{Category, Error};
use ledger::faults::{Faults, Point};
use ledger::ledger::LedgerOptions;
use parking_lot::Mutex;
use record::entry::{Kind, Position};
use std::sync::Arc;

fn plain(body: &str) -> Body {
    Body::Plain(body.as_bytes().to_vec())
}

fn positions(answer: &[Appended]) -> Vec<(Position, bool)> {
    answer.iter().map(|a| (a.entry().position, matches!(a, Appended::New(_)))).collect()
}

everywhere! {

#[test]
fn entries_are_placed_chained_and_read_back(town: &Town) {
    let keys = town.keys();
    let (a, b) = (person(&keys, "01810112345"), person(&keys, "02810112345"));
    let clock = Arc::new(FixedClock::stepping(2_000, 10));
    let ledger = town.open(LedgerOptions { clock: clock.clone(), ..options(&keys) });
    assert_eq!(ledger.head().unwrap().position, 0);

    wait(ledger.append(vec![draft("1", Some(a), "one"), draft("2", Some(b), "two")])).unwrap();
    clock.set(500);
    wait(ledger.try_append(vec![draft("3", Some(a), "three")])).unwrap();
    ledger.append_blocking(vec![Draft { source_event_id: None, ..draft("", None, "") }]).unwrap();

    let all = ledger.read(1, 10).unwrap();
    let entries: Vec<_> = all.iter().map(|r| r.entry.clone()).collect();
    assert_eq!(entries.iter().map(|e| e.position).collect::<Vec<_>>(), [1, 2, 3, 4]);
    // The clock went backwards; recorded time did not.
    assert_eq!(entries.iter().map(|e| e.recorded_at).collect::<Vec<_>>(), [2000; 4]);
    assert_eq!(entries[0].prev_hash, [0; 32]);
    assert!(entries.windows(2).all(|pair| pair[1].prev_hash == entry_hash(&pair[0])));
    let head = ledger.head().unwrap();
    assert_eq!((head.position, head.hash), (4, entry_hash(&entries[3])));
    assert!(head.is_signed(&keys.public_key(NAME).unwrap(), NAME));
    assert!(!head.is_signed(&keys.public_key(NAME).unwrap(), "9998/ledger"));

    assert_eq!(
        all.iter().map(|r| r.body.clone()).collect::<Vec<_>>(),
        [plain("one"), plain("two"), plain("three"), plain("")]
    );
    assert_eq!(ledger.read(2, 1).unwrap(), all[1..2]);
    assert_eq!(ledger.record(3).unwrap().as_ref(), all.get(2));
    assert_eq!(ledger.body(2).unwrap(), Some(plain("two")));
    assert_eq!((ledger.record(5).unwrap(), ledger.record(0).unwrap()), (None, None));
    assert_eq!(ledger.by_person(a, None, 9).unwrap(), [all[2].clone(), all[0].clone()]);
    assert_eq!(ledger.by_person(a, Some(3), 9).unwrap(), all[..1]);
    assert_eq!(ledger.by_person(a, None, 1).unwrap(), all[2..3]);
    assert_eq!(ledger.find_event("velferd-1", "2").unwrap(), Some(entries[1].clone()));
    assert_eq!(ledger.find_event("velferd-2", "2").unwrap(), None);
    assert!(ledger.verify(|_, _| {}).unwrap().is_sound());
}

#[test]
fn a_repeat_is_kept_once_and_another_content_is_refused(town: &Town) {
    let keys = town.keys();
    let a = Some(person(&keys, "01810112345"));
    let ledger = town.open(options(&keys));
    let append = |group: Vec<Draft>| ledger.append_blocking(group);

    append(vec![draft("1", a, "one")]).unwrap();
    let again = append(vec![draft("2", a, "two"), draft("1", a, "one"), draft("2", a, "two")]);
    assert_eq!(positions(&again.unwrap()), [(2, true), (1, false), (2, false)]);

    let stored = append(vec![draft("3", a, "three"), draft("1", a, "other")]).unwrap_err();
    assert!(matches!(stored, Error::Conflict { index: 1, position: Some(1) }));
    let within = append(vec![draft("4", a, "four"), draft("4", a, "other")]).unwrap_err();
    assert!(matches!(within, Error::Conflict { index: 1, position: None }));
    assert_eq!(within.category(), Category::Conflict);
    // The same content about somebody else is another content.
    assert!(append(vec![draft("1", None, "one")]).is_err());
    assert_eq!(ledger.head().unwrap().position, 2);

    let other = Draft { source: "velferd-2".to_owned(), ..draft("1", a, "other") };
    let nameless = Draft { source_event_id: None, ..draft("", a, "same") };
    let answer = append(vec![other, nameless.clone(), nameless]).unwrap();
    assert_eq!(positions(&answer), [(3, true), (4, true), (5, true)]);
    assert_eq!(append(Vec::new()).unwrap(), []);
}

#[test]
fn groups_of_one_batch_do_not_touch_each_other(town: &Town) {
    let keys = town.keys();
    let (gate, at_gate, let_go) = Gate::new();
    let handed = Arc::new(Mutex::new(Vec::new()));
    let sink = handed.clone();
    let ledger = town.open(LedgerOptions {
        faults: gate,
        on_commit: Some(Box::new(move |batch: Arc<[Committed]>| sink.lock().push(batch))),
        ..options(&keys)
    });
    let first = queued(ledger.append(vec![draft("1", None, "one")]));
    at_gate.recv().unwrap();
    let refused = queued(ledger.append(vec![draft("2", None, "two"), draft("1", None, "other")]));
    let repeat = queued(ledger.append(vec![draft("1", None, "one"), draft("3", None, "three")]));
    let takes_2 = queued(ledger.append(vec![draft("2", None, "another two")]));
    let repeat_3 = queued(ledger.append(vec![draft("3", None, "three")]));
    drop(let_go);
    wait(async {
        assert_eq!(positions(&first.await.unwrap()), [(1, true)]);
        assert!(matches!(refused.await, Err(Error::Conflict { index: 1, position: Some(1) })));
        assert_eq!(positions(&repeat.await.unwrap()), [(1, false), (2, true)]);
        assert_eq!(positions(&takes_2.await.unwrap()), [(3, true)]);
        assert_eq!(positions(&repeat_3.await.unwrap()), [(2, false)]);
    });
    // Every commit was handed on in order, before its appenders were answered, and nothing else.
    let handed: Vec<Vec<_>> =
        handed.lock().iter().map(|b| b.iter().map(|c| c.body.clone()).collect()).collect();
    assert_eq!(handed, [vec![b"one".to_vec()], vec![b"three".to_vec(), b"another two".to_vec()]]);
    assert!(ledger.verify(|_, _| {}).unwrap().is_sound());
}

#[test]
fn a_full_queue_refuses_and_loses_nothing(town: &Town) {
    let keys = town.keys();
    let (gate, at_gate, let_go) = Gate::new();
    let ledger = town.open(LedgerOptions { faults: gate, queue: 1, ..options(&keys) });
    let taken = queued(ledger.try_append(vec![draft("1", None, "one")]));
    at_gate.recv().unwrap();
    let waits = queued(ledger.try_append(vec![draft("2", None, "two")]));
    let refused = wait(ledger.try_append(vec![draft("3", None, "three")])).unwrap_err();
    assert_eq!(refused.category(), Category::Busy);
    let patient = queued(ledger.append(vec![draft("4", None, "four")]));
    drop(let_go);
    wait(async {
        // The queue has one place, which `patient` waits for until the writer takes `waits`.
        let (one, two, four) = tokio::join!(taken, waits, patient);
        assert_eq!(positions(&one.unwrap()), [(1, true)]);
        assert_eq!(positions(&two.unwrap()), [(2, true)]);
        assert_eq!(positions(&four.unwrap()), [(3, true)]);
    });
}

#[test]
fn erased_content_is_gone_and_the_fact_of_it_stays(town: &Town) {
    let keys = town.keys();
    let (a, b) = (person(&keys, "01810112345"), person(&keys, "02810112345"));
    let (gate, at_gate, let_go) = Gate::new();
    let ledger = town.open(LedgerOptions { faults: gate, ..options(&keys) });
    let audit = town.open(LedgerOptions::new("9999/audit", keys.clone(), Sealing::Ledger));
    audit.append_blocking(vec![draft("1", Some(a), "who looked")]).unwrap();

    let before =
        queued(ledger.append(vec![draft("1", Some(a), "one"), draft("2", Some(b), "two")]));
    at_gate.recv().unwrap();
    let_go.send(()).unwrap();
    wait(before).unwrap();
    // A draft sealed before the erasure but placed after it must not slip in.
    let first = queued(ledger.append(vec![draft("3", Some(b), "three")]));
    at_gate.recv().unwrap();
    let late = queued(ledger.append(vec![draft("4", Some(a), "late")]));
    let erasure = Draft { kind: Kind::Erasure, ..draft("6", Some(a), "by decision 12/26") };
    let erasing = queued(ledger.append(vec![erasure]));
    let later = queued(ledger.append(vec![draft("7", Some(a), "later")]));
    drop(let_go);
    wait(first).unwrap();
    // What came before it in the queue has its place, and is erased with the rest.
    wait(late).unwrap();
    wait(erasing).unwrap();
    assert!(matches!(wait(later), Err(Error::Erased)) && keys.is_erased(a));

    let refused = ledger.append_blocking(vec![draft("5", Some(a), "more")]).unwrap_err();
    assert_eq!(refused.category(), Category::Erased);
    drop((ledger, audit));

    let ledger = town.open(options(&keys));
    let bodies: Vec<_> = ledger.read(1, 9).unwrap().into_iter().map(|r| r.body).collect();
    let told = plain("by decision 12/26");
    assert_eq!(bodies, [Body::Erased, plain("two"), plain("three"), Body::Erased, told]);
    assert_eq!(ledger.by_person(a, None, 9).unwrap().len(), 3);
    assert!(ledger.verify(|_, _| {}).unwrap().is_sound());
    let audit = town.open(LedgerOptions::new("9999/audit", keys, Sealing::Ledger));
    assert_eq!(audit.by_person(a, None, 9).unwrap()[0].body, plain("who looked"));
    assert!(audit.verify(|_, _| {}).unwrap().is_sound());
}

#[test]
fn opening_again_goes_on_and_opening_wrongly_is_refused(town: &Town) {
    let keys = town.keys();
    let ledger = town.open(options(&keys));
    ledger.append_blocking(vec![draft("1", None, "one")]).unwrap();
    // A file has one writer. A database has several, and a schema for each name.
    let second = town.try_open(options(&keys));
    assert_eq!(matches!(second, Err(Error::Locked { .. })), town.is_in_files());
    drop((ledger, second));
    if town.is_in_files() {
        let renamed = LedgerOptions::new("9998/ledger", keys.clone(), Sealing::PerPerson);
        assert!(matches!(town.try_open(renamed), Err(Error::Corrupt { position: 1, .. })));
    }
    let ledger = town.open(options(&keys));
    let answer = ledger.append_blocking(vec![draft("1", None, "one"), draft("2", None, "two")]);
    assert_eq!(positions(&answer.unwrap()), [(1, false), (2, true)]);
    drop(ledger);

    town.lose();
    let gone = town.try_open(options(&keys)).err().map(|error| error.category());
    assert_eq!(gone, Some(Category::Corrupt));
}

#[test]
fn what_cannot_be_kept_is_refused_and_the_next_group_is_kept(town: &Town) {
    let keys = town.keys();
    let ledger = town.open(options(&keys));
    let huge = Draft { body: vec![0; MAX_BYTES + 1], ..draft("1", None, "") };
    assert_eq!(ledger.append_blocking(vec![huge]).unwrap_err().category(), Category::Invalid);
    let stranger = draft("1", Some(record::identity::PersonId([1; 16])), "one");
    assert!(matches!(ledger.append_blocking(vec![stranger]), Err(Error::UnknownPerson)));

    town.meddle("ALTER TABLE body RENAME TO elsewhere");
    let refused = ledger.append_blocking(vec![draft("1", None, "one")]).unwrap_err();
    assert_eq!(refused.category(), Category::Unavailable);
    town.meddle("ALTER TABLE elsewhere RENAME TO body");
    let kept = ledger.append_blocking(vec![draft("1", None, "one")]).unwrap();
    assert_eq!(positions(&kept), [(1, true)]);
}

#[test]
fn damage_is_an_error_at_its_place_and_the_rest_stays_readable(town: &Town) {
    let keys = town.keys();
    let ledger = town.open(options(&keys));
    let group = ["1", "2", "3", "4"].map(|id| draft(id, None, id)).to_vec();
    ledger.append_blocking(group).unwrap();
    let place = |result: Result<Vec<_>, Error>| match result {
        Err(Error::Corrupt { position, .. }) => position,
        other => panic!("{other:?}"),
    };

    town.meddle(
        "UPDATE body SET bytes = (SELECT bytes FROM body WHERE position = 3) WHERE position = 2",
    );
    assert_eq!(place(ledger.read(1, 9)), 2);
    assert_eq!(ledger.read(3, 9).unwrap().len(), 2);
    town.meddle("DELETE FROM body WHERE position = 2");
    assert_eq!(place(ledger.read(1, 9)), 2);
    town.meddle("DELETE FROM entry WHERE position = 2");
    assert_eq!(place(ledger.read(1, 9)), 1);
    assert_eq!(ledger.verify(|_, _| {}).unwrap().faults[0].position, 2);
    drop(ledger);

    town.meddle(
        "UPDATE entry SET bytes = (SELECT bytes FROM body WHERE position = 4) WHERE position = 4",
    );
    assert!(matches!(town.try_open(options(&keys)), Err(Error::Corrupt { position: 4, .. })));
}

#[test]
fn a_writer_that_ends_says_so_and_opening_again_tells_what_is_kept(town: &Town) {
    struct PanicAfterCommit;
    impl Faults for PanicAfterCommit {
        fn at(&self, point: Point) {
            assert_ne!(point, Point::Committed, "the test ends the writer here");
        }
    }
    let keys = town.keys();
    let faults = Arc::new(PanicAfterCommit);
    let ledger = town.open(LedgerOptions { faults, ..options(&keys) });
    for id in ["1", "2"] {
        let unknown = ledger.append_blocking(vec![draft(id, None, "content")]).unwrap_err();
        assert!(matches!(unknown, Error::Stopped));
    }
    drop(ledger);
    let ledger = town.open(options(&keys));
    let group = vec![draft("1", None, "content"), draft("2", None, "content")];
    assert_eq!(positions(&ledger.append_blocking(group).unwrap()), [(1, false), (2, true)]);
}

}
