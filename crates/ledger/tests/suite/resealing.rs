//! Erasing single records: nothing of them opens any more, whichever copy of the files somebody has, and
//! everything else about the person does.

use crate::crash::{AbortAt, Kept, acknowledged, child_folder, start, this_binary};
use crate::town::{
    Gate, NAME, draft, keys, open, options, person, queued, resealing, try_open, wait,
};
use ledger::append::{Appended, Body, Draft};
use ledger::body::{self, Belonging};
use ledger::error::{Category, Error};
use ledger::faults::Point;
use ledger::keys::Keys;
use ledger::ledger::{Ledger, LedgerOptions};
use proptest::prelude::*;
use record::entry::{Kind, Position};
use record::identity::PersonId;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tempfile::{TempDir, tempdir};

const A: &str = "01810112345";
const B: &str = "02810112345";

fn plain(text: &str) -> Body {
    Body::Plain(text.as_bytes().to_vec())
}

fn bodies(ledger: &Ledger) -> Vec<Body> {
    ledger.read(1, usize::MAX).unwrap().into_iter().map(|record| record.body).collect()
}

/// The body of a resealing as it was sent.
fn told(person: PersonId, erased: &[Position]) -> Body {
    Body::Plain(resealing(person, erased).body)
}

/// The files whose names begin so, into another folder.
fn copy(from: &Path, to: &Path, names: &[&str]) {
    for file in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let name = file.file_name().into_string().unwrap();
        if names.iter().any(|it| name.starts_with(it)) && !name.ends_with(".lock") {
            std::fs::copy(file.path(), to.join(name)).unwrap();
        }
    }
}

fn copied(from: &Path, names: &[&str]) -> TempDir {
    let to = tempdir().unwrap();
    copy(from, to.path(), names);
    to
}

const ALL: [&str; 3] = ["ledger.db", "keys.db", "municipality.key"];

/// What lies sealed at a position, whatever the ledger says of it.
fn sealed(dir: &Path, position: Position) -> Option<Vec<u8>> {
    let connection = rusqlite::Connection::open(dir.join("ledger.db")).unwrap();
    connection
        .query_row("SELECT bytes FROM body WHERE position = ?1", [position], |row| row.get(0))
        .ok()
}

/// Whether bytes that once lay in a ledger open with a person's key of now.
fn opens(keys: &Keys, person: PersonId, sealed: &[u8]) -> bool {
    let belonging = Belonging { ledger: NAME, person: Some(person) };
    keys.data_key(person).is_ok_and(|key| body::open(&key, belonging, sealed).is_some())
}

fn contains(file: &Path, bytes: &[u8]) -> bool {
    std::fs::read(file).unwrap_or_default().windows(bytes.len()).any(|window| window == bytes)
}

/// Five entries, of which those at 1, 3 and 5 are about the first person.
fn filled(ledger: &Ledger, a: PersonId, b: PersonId) {
    let about = [a, b, a, b, a].into_iter().zip(["one", "two", "three", "four", "five"]);
    let group = about.map(|(person, text)| draft(text, Some(person), text)).collect();
    ledger.append_blocking(group).unwrap();
}

#[test]
fn an_erased_record_opens_nowhere_and_all_else_does() {
    let dir = tempdir().unwrap();
    let home = keys(dir.path());
    let (a, b) = (person(&home, A), person(&home, B));
    let ledger = open(dir.path(), options(&home));
    filled(&ledger, a, b);
    let old = copied(dir.path(), &ALL);
    let before: Vec<Vec<u8>> = [1, 3, 5].map(|at| sealed(dir.path(), at).unwrap()).into();
    assert!(before.iter().all(|it| opens(&home, a, it)));

    let answer = ledger.append_blocking(vec![resealing(a, &[1, 5])]).unwrap();
    assert_eq!(answer[0].entry().position, 6);
    ledger.append_blocking(vec![draft("seven", Some(a), "seven")]).unwrap();
    let all = [
        Body::Erased,
        plain("two"),
        plain("three"),
        plain("four"),
        Body::Erased,
        told(a, &[1, 5]),
        plain("seven"),
    ];
    assert_eq!(bodies(&ledger), all);
    assert!(ledger.verify(|_, _| {}).unwrap().is_sound());
    // Not in this ledger, not in an old copy of it, not in what is left of its file.
    for sealed in &before {
        assert!(!opens(&home, a, sealed));
        for file in ["ledger.db", "ledger.db-wal"] {
            assert!(!contains(&dir.path().join(file), sealed));
        }
    }
    drop(ledger);
    drop(home);
    copy(dir.path(), old.path(), &["keys.db"]);
    let (there, fits) = (keys(old.path()), "keys.db has a key that the ledger has not come to");
    let refused = try_open(old.path(), options(&there)).err().unwrap();
    assert!(refused.to_string().contains(fits), "{refused}");

    // After a restart all is the same, and it is done once more.
    let home = keys(dir.path());
    let ledger = open(dir.path(), options(&home));
    assert_eq!(bodies(&ledger), all);
    let answer = ledger.append_blocking(vec![resealing(a, &[3])]).unwrap();
    assert_eq!(answer[0].entry().position, 8);
    let now = bodies(&ledger);
    assert_eq!((&now[2], &now[6]), (&Body::Erased, &plain("seven")));
    assert!(ledger.verify(|_, _| {}).unwrap().is_sound());
    // And in the end the person goes.
    ledger
        .append_blocking(vec![Draft { kind: Kind::Erasure, ..draft("9", Some(a), "x") }])
        .unwrap();
    drop(ledger);
    let ledger = open(dir.path(), options(&home));
    let now = bodies(&ledger);
    assert_eq!((&now[5], &now[6], &now[8]), (&told(a, &[1, 5]), &Body::Erased, &plain("x")));
    assert!(ledger.verify(|_, _| {}).unwrap().is_sound());
}

#[test]
fn a_repeat_of_what_was_erased_is_refused_and_of_the_rest_is_a_repeat() {
    let dir = tempdir().unwrap();
    let mut home = keys(dir.path());
    let (a, b) = (person(&home, A), person(&home, B));
    let ledger = open(dir.path(), options(&home));
    filled(&ledger, a, b);
    ledger.append_blocking(vec![resealing(a, &[1])]).unwrap();
    let mut ledger = Some(ledger);
    for _ in 0..2 {
        let open_ledger = ledger.take().unwrap();
        let send =
            |id: &str, text: &str| open_ledger.append_blocking(vec![draft(id, Some(a), text)]);
        assert_eq!(send("one", "one").unwrap_err().category(), Category::Erased);
        assert_eq!(send("one", "another one").unwrap_err().category(), Category::Erased);
        let group = vec![draft("new", Some(a), "new"), draft("one", Some(a), "one")];
        assert!(matches!(open_ledger.append_blocking(group), Err(Error::Erased)));
        // The digests of the rest are compared as before, though their key is another's.
        let again = send("three", "three").unwrap();
        assert!(matches!(&again[0], Appended::Duplicate(entry) if entry.position == 3));
        assert!(matches!(send("three", "other"), Err(Error::Conflict { .. })));
        assert_eq!(open_ledger.head().unwrap().position, 6);
        drop(open_ledger);
        drop(home);
        home = keys(dir.path());
        ledger = Some(open(dir.path(), options(&home)));
    }
}

#[test]
fn what_cannot_be_erased_is_refused_and_nothing_is_changed() {
    let dir = tempdir().unwrap();
    let home = keys(dir.path());
    let (a, b) = (person(&home, A), person(&home, B));
    let ledger = open(dir.path(), options(&home));
    filled(&ledger, a, b);
    let before = bodies(&ledger);
    let refused = |group: Vec<Draft>| {
        let error = ledger.append_blocking(group).unwrap_err();
        assert_eq!(ledger.head().unwrap().position, 5);
        assert_eq!(bodies(&ledger), before);
        error
    };
    for positions in [vec![], vec![2], vec![1, 2], vec![6], vec![0]] {
        let error = refused(vec![resealing(a, &positions)]);
        assert_eq!(error.category(), Category::Invalid, "{positions:?}");
    }
    refused(vec![resealing(a, &[1]), draft("6", Some(a), "six")]);
    refused(vec![Draft { person: None, ..resealing(a, &[1]) }]);
    refused(vec![Draft { body: b"anything".to_vec(), ..resealing(a, &[1]) }]);
    let stranger = PersonId([9; 16]);
    assert!(matches!(refused(vec![resealing(stranger, &[1])]), Error::UnknownPerson));
    // What does not open stands in the way: it would be lost with the key.
    let beside = rusqlite::Connection::open(dir.path().join("ledger.db")).unwrap();
    let damage = "UPDATE body SET bytes = zeroblob(40) WHERE position = 5";
    let whole = sealed(dir.path(), 5).unwrap();
    beside.execute_batch(damage).unwrap();
    let error = ledger.append_blocking(vec![resealing(a, &[1])]).unwrap_err();
    assert!(matches!(error, Error::Corrupt { position: 5, .. }), "{error}");
    beside.execute("UPDATE body SET bytes = ?1 WHERE position = 5", [whole]).unwrap();
    assert_eq!(bodies(&ledger), before);
    ledger.append_blocking(vec![resealing(a, &[1])]).unwrap();
    let again = ledger.append_blocking(vec![resealing(a, &[1])]).unwrap_err();
    assert_eq!(again.category(), Category::Invalid);
    ledger
        .append_blocking(vec![Draft { kind: Kind::Erasure, ..draft("e", Some(b), "x") }])
        .unwrap();
    let gone = ledger.append_blocking(vec![resealing(b, &[2])]).unwrap_err();
    assert!(matches!(gone, Error::Erased));
}

#[test]
fn what_waited_in_the_queue_is_kept_under_the_key_that_stays() {
    let dir = tempdir().unwrap();
    let home = keys(dir.path());
    let (a, b) = (person(&home, A), person(&home, B));
    let (gate, at_gate, let_go) = Gate::new();
    let ledger = open(dir.path(), LedgerOptions { faults: gate, ..options(&home) });
    let first = queued(ledger.append(vec![draft("1", Some(a), "one")]));
    at_gate.recv().unwrap();
    let_go.send(()).unwrap();
    wait(first).unwrap();
    let key = home.data_key(a).unwrap();
    let blocked = queued(ledger.append(vec![draft("2", Some(b), "two")]));
    at_gate.recv().unwrap();
    // All of these are sealed with the first key. One comes before the resealing, two after it.
    let early = queued(ledger.append(vec![draft("3", Some(a), "three")]));
    let erasing = queued(ledger.append(vec![resealing(a, &[1])]));
    let twice = queued(ledger.append(vec![resealing(a, &[1])]));
    let late = queued(ledger.append(vec![draft("4", Some(a), "four"), draft("5", None, "five")]));
    let other = queued(ledger.append(vec![draft("6", Some(b), "six")]));
    drop(let_go);
    wait(async {
        for kept in [blocked.await, early.await, erasing.await] {
            kept.unwrap();
        }
        assert!(matches!(twice.await, Err(Error::Busy)), "prepared for a key that is gone");
        late.await.unwrap();
        other.await.unwrap();
    });
    let [two, three] = [plain("two"), plain("three")];
    let rest = [plain("four"), plain("five"), plain("six")];
    let all = [vec![Body::Erased, two, three, told(a, &[1])], rest.to_vec()].concat();
    assert_eq!(bodies(&ledger), all);
    assert!(ledger.verify(|_, _| {}).unwrap().is_sound());
    let belonging = Belonging { ledger: NAME, person: Some(a) };
    for position in [3, 5] {
        let sealed = sealed(dir.path(), position).unwrap();
        assert!(body::open(&key, belonging, &sealed).is_none(), "{position}");
        assert!(opens(&home, a, &sealed), "{position}");
    }
}

/// Readers go on meanwhile and meet, at any moment, what was there before or after.
#[test]
fn readers_do_not_notice() {
    let dir = tempdir().unwrap();
    let home = keys(dir.path());
    let a = person(&home, A);
    let ledger = open(dir.path(), options(&home));
    let texts: Vec<String> = (1..=40).map(|n| format!("text {n}")).collect();
    let group = texts.iter().map(|text| draft(text, Some(a), text)).collect();
    ledger.append_blocking(group).unwrap();
    let (done, reads) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    for (record, text) in ledger.read(1, 40).unwrap().iter().zip(&texts) {
                        assert!(record.body == Body::Erased || record.body == plain(text));
                    }
                    reads.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        for position in 1..=30 {
            let seen = reads.load(Ordering::SeqCst);
            ledger.append_blocking(vec![resealing(a, &[position])]).unwrap();
            while reads.load(Ordering::SeqCst) == seen {
                std::thread::yield_now();
            }
        }
        done.store(true, Ordering::SeqCst);
    });
    let erased = bodies(&ledger).iter().filter(|body| **body == Body::Erased).count();
    assert_eq!(erased, 30);
}

/// One resealing, which ends the process at a point: all is as before, or all is done; also with the
/// `keys.db` of before.
#[test]
fn a_crash_at_each_point_of_a_resealing_leaves_all_or_nothing_of_it() {
    if let Some((dir, point)) = child_folder() {
        let keys = keys(&dir);
        let (a, b) = (person(&keys, A), person(&keys, B));
        let faults = Arc::new(AbortAt { point, left: AtomicUsize::new(2) });
        let ledger = open(&dir, LedgerOptions { faults, ..options(&keys) });
        filled(&ledger, a, b);
        copy(&dir, &dir.join("before"), &["keys.db"]);
        drop(ledger.append_blocking(vec![resealing(a, &[1, 5])]));
        return;
    }
    let name = "resealing::a_crash_at_each_point_of_a_resealing_leaves_all_or_nothing_of_it";
    for point in Point::ALL {
        let dir = tempdir().unwrap();
        std::fs::create_dir(dir.path().join("before")).unwrap();
        acknowledged(&mut start(this_binary(), name, dir.path(), Some(point)), usize::MAX);
        let crashed = copied(dir.path(), &ALL);
        let old_keys = copied(dir.path(), &ALL);
        for suffix in ["", "-wal"] {
            drop(std::fs::remove_file(old_keys.path().join(format!("keys.db{suffix}"))));
        }
        copy(&dir.path().join("before"), old_keys.path(), &["keys.db"]);
        for dir in [crashed.path(), old_keys.path()] {
            for _ in 0..2 {
                let keys = keys(dir);
                let (a, b) = (person(&keys, A), person(&keys, B));
                let ledger = open(dir, options(&keys));
                let report = ledger.verify(|_, _| {}).unwrap();
                assert!(report.is_sound(), "{point:?}: {:?}", report.faults);
                let now = bodies(&ledger);
                let [two, three, four] = ["two", "three", "four"].map(plain);
                let expected = match point.kept() {
                    true => vec![Body::Erased, two, three, four, Body::Erased, told(a, &[1, 5])],
                    false => vec![plain("one"), two, three, four, plain("five")],
                };
                assert_eq!(now, expected, "{point:?}");
                let again = ledger.append_blocking(vec![draft("one", Some(a), "one")]);
                assert_eq!(again.is_err(), point.kept(), "{point:?}");
                assert!(ledger.append_blocking(vec![draft("two", Some(b), "two")]).is_ok());
            }
        }
    }
}

/// A reader of `keys.db` keeps the key of before in the write-ahead file: nobody is told that it is done,
/// and the next opening finishes.
#[test]
fn a_key_that_a_reader_holds_on_to_is_gone_at_the_next_opening() {
    let dir = tempdir().unwrap();
    let home = keys(dir.path());
    let (a, b) = (person(&home, A), person(&home, B));
    let ledger = open(dir.path(), options(&home));
    filled(&ledger, a, b);
    let file = dir.path().join("keys.db");
    let reader = rusqlite::Connection::open(&file).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let wrapped: Vec<u8> = reader
        .query_row("SELECT wrapped FROM person WHERE id = ?1", [a.0], |row| row.get(0))
        .unwrap();
    assert!(ledger.append_blocking(vec![resealing(a, &[1])]).is_err());
    assert!(matches!(ledger.append_blocking(vec![draft("6", None, "six")]), Err(Error::Stopped)));
    let anywhere =
        || ["keys.db", "keys.db-wal"].iter().any(|it| contains(&dir.path().join(it), &wrapped));
    assert!(anywhere());
    drop((ledger, home, reader));
    let home = keys(dir.path());
    assert!(!anywhere());
    let ledger = open(dir.path(), options(&home));
    assert_eq!(bodies(&ledger)[..3], [Body::Erased, plain("two"), plain("three")]);
    assert!(ledger.verify(|_, _| {}).unwrap().is_sound());
}

#[derive(Clone, Debug)]
enum Step {
    Append(u8, u8),
    Reseal(u8, u16),
    Erase(u8),
    Reopen,
    /// Reopened with `keys.db` as it was in the beginning.
    OldKeys,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        10 => (0..3_u8, 0..3_u8).prop_map(|(person, count)| Step::Append(person, count)),
        6 => (0..3_u8, any::<u16>()).prop_map(|(person, mask)| Step::Reseal(person, mask)),
        1 => (0..3_u8).prop_map(Step::Erase),
        2 => Just(Step::Reopen),
        1 => Just(Step::OldKeys),
    ]
}

/// A ledger, and beside it what should stand at each position: about whom, and what is read.
struct Town {
    dir: TempDir,
    /// None while it is reopened.
    open: Option<(Arc<Keys>, Ledger)>,
    persons: [PersonId; 3],
    /// `keys.db` as it was in the beginning.
    first: TempDir,
    model: Vec<(Option<usize>, Body)>,
    /// What lay sealed at positions that were erased.
    gone: Vec<(PersonId, Vec<u8>)>,
}

impl Town {
    fn new() -> Self {
        let dir = tempdir().unwrap();
        let home = keys(dir.path());
        let persons = [A, B, "03810112345"].map(|number| person(&home, number));
        let ledger = open(dir.path(), options(&home));
        let first = copied(dir.path(), &["keys.db"]);
        let open = Some((home, ledger));
        Self { dir, open, persons, first, model: Vec::new(), gone: Vec::new() }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Append(of, count) => (0..=*count).for_each(|n| self.append(usize::from(*of), n)),
            Step::Reseal(of, mask) => self.reseal(usize::from(*of), *mask),
            Step::Erase(of) => self.erase(usize::from(*of)),
            Step::Reopen => self.reopen(false),
            Step::OldKeys => self.reopen(true),
        }
    }

    fn append(&mut self, of: usize, n: u8) {
        let (home, ledger) = self.open.as_ref().unwrap();
        let text = format!("{} {n}", self.model.len());
        let sent = ledger.append_blocking(vec![draft(&text, Some(self.persons[of]), &text)]);
        match home.is_erased(self.persons[of]) {
            true => assert!(matches!(sent, Err(Error::Erased))),
            false => self.model.push((Some(of), plain(&text))),
        }
        assert_eq!(ledger.head().unwrap().position, self.model.len() as Position);
    }

    fn reseal(&mut self, of: usize, mask: u16) {
        let (home, ledger) = self.open.as_ref().unwrap();
        let there =
            |(whose, body): &(Option<usize>, Body)| *whose == Some(of) && *body != Body::Erased;
        let erased: Vec<Position> = (1..)
            .zip(&self.model)
            .filter(|(position, it)| there(it) && mask >> (position % 16) & 1 == 1)
            .map(|(position, _)| position)
            .collect();
        let old: Vec<Vec<u8>> =
            erased.iter().map(|at| sealed(self.dir.path(), *at).unwrap()).collect();
        let person = self.persons[of];
        let sent = ledger.append_blocking(vec![resealing(person, &erased)]);
        assert_eq!(sent.is_ok(), !erased.is_empty() && !home.is_erased(person));
        if sent.is_ok() {
            erased.iter().for_each(|at| self.model[*at as usize - 1].1 = Body::Erased);
            self.model.push((None, told(person, &erased)));
            self.gone.extend(old.into_iter().map(|bytes| (person, bytes)));
        }
    }

    fn erase(&mut self, of: usize) {
        let (_, ledger) = self.open.as_ref().unwrap();
        let about = draft("", Some(self.persons[of]), "decided");
        let erasure = Draft { kind: Kind::Erasure, source_event_id: None, ..about };
        ledger.append_blocking(vec![erasure]).unwrap();
        for (_, body) in self.model.iter_mut().filter(|(whose, _)| *whose == Some(of)) {
            *body = Body::Erased;
        }
        self.model.push((None, plain("decided")));
    }

    fn reopen(&mut self, with_old_keys: bool) {
        self.open = None;
        if with_old_keys {
            drop(std::fs::remove_file(self.dir.path().join("keys.db-wal")));
            copy(self.first.path(), self.dir.path(), &["keys.db"]);
        }
        let home = keys(self.dir.path());
        let ledger = open(self.dir.path(), options(&home));
        self.open = Some((home, ledger));
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 32, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn what_is_erased_is_gone_and_the_rest_is_as_it_was(
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let mut town = Town::new();
        steps.iter().for_each(|step| town.take(step));
        let (home, ledger) = town.open.as_ref().unwrap();
        let expected: Vec<Body> = town.model.into_iter().map(|(_, body)| body).collect();
        prop_assert_eq!(bodies(ledger), expected);
        let report = ledger.verify(|_, _| {}).unwrap();
        prop_assert!(report.is_sound(), "{:?}", report.faults);
        let opens = |(person, sealed): &(PersonId, Vec<u8>)| opens(home, *person, sealed);
        prop_assert!(!town.gone.iter().any(opens));
    }
}
