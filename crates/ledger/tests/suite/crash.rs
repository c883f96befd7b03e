//! Killing the process: whatever the moment, what was acknowledged is there, the chain verifies, and
//! no group is there by half.
//!
//! The child is this test binary run again for one test, with a folder in `FKJ_CRASH_CHILD`.

use crate::town::{draft, keys, open, options, person, wait};
use ledger::append::{Body, Draft};
use ledger::condition::Writing;
use ledger::error::Error;
use ledger::faults::{Faults, Point};
use ledger::ledger::LedgerOptions;
use ledger::verify::{PublicKeys, verify};
use record::entry::Kind;
use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::tempdir;

/// The nth group of appender `who`: one to three drafts with contents known to parent and child.
fn group(who: usize, n: usize, a: record::identity::PersonId) -> Vec<Draft> {
    (0..=n % 3)
        .map(|part| {
            let content = format!("{who}/{n}/{part} {}", "x".repeat(n % 7 * 100));
            draft(&format!("{who}-{n}-{part}"), (part == 0).then_some(a), &content)
        })
        .collect()
}

/// The points at which the batch is on disk.
pub trait Kept {
    fn kept(self) -> bool;
}

impl Kept for Point {
    fn kept(self) -> bool {
        matches!(self, Point::Committed | Point::Destroyed | Point::Handed | Point::Answered)
    }
}

/// Ends the process, as kill -9 would, when a point is passed for the nth time.
pub struct AbortAt {
    pub point: Option<Point>,
    pub left: AtomicUsize,
}

impl Faults for AbortAt {
    fn at(&self, point: Point) {
        if Some(point) == self.point && self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            std::process::abort();
        }
    }
}

/// Appends for ever from `appenders` threads, and says on stdout what was acknowledged. Where it
/// `signs`, a checkpoint follows each group, and the sixth time at a point is within the third.
fn child(dir: &Path, point: Option<Point>, appenders: usize, signs: bool) {
    let keys = keys(dir);
    let a = person(&keys, "01810112345");
    let faults = Arc::new(AbortAt { point, left: AtomicUsize::new(if signs { 6 } else { 5 }) });
    let ledger = open(dir, LedgerOptions { faults, ..options(&keys) });
    std::thread::scope(|scope| {
        for who in 0..appenders {
            let ledger = &ledger;
            scope.spawn(move || {
                let start = std::process::id() as usize * 10_000;
                for n in start.. {
                    ledger.append_blocking(group(who, n, a)).unwrap();
                    if signs {
                        wait(ledger.sign_checkpoint()).unwrap();
                    }
                    // One write call, so that a kill cannot leave half a line.
                    std::io::stderr().write_all(format!("ack {who} {n}\n").as_bytes()).unwrap();
                }
            });
        }
    });
}

/// Runs the child part of `test`, in this binary however `command` starts it.
pub fn start(mut command: Command, test: &str, dir: &Path, point: Option<Point>) -> Child {
    command
        .args(["--exact", test, "--nocapture"])
        .env("FKJ_CRASH_CHILD", dir)
        .env("FKJ_CRASH_POINT", format!("{point:?}"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

pub fn this_binary() -> Command {
    Command::new(std::env::current_exe().unwrap())
}

pub fn child_folder() -> Option<(PathBuf, Option<Point>)> {
    let dir = std::env::var_os("FKJ_CRASH_CHILD")?.into();
    let point = std::env::var("FKJ_CRASH_POINT").unwrap();
    Some((dir, Point::ALL.into_iter().find(|p| format!("{:?}", Some(*p)) == point)))
}

/// The acknowledgements up to the end of the child, which is killed after `limit` of them.
pub fn acknowledged(child: &mut Child, limit: usize) -> HashSet<(usize, usize)> {
    let mut acks = HashSet::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        let mut words = line.split(' ');
        if words.next() == Some("ack") {
            let mut number = || words.next().unwrap().parse().unwrap();
            acks.insert((number(), number()));
            if acks.len() == limit {
                child.kill().unwrap();
            }
        }
    }
    assert!(!child.wait().unwrap().success());
    acks
}

/// Opens after the crash and compares; answers how many groups there are.
fn check(dir: &Path, acks: &HashSet<(usize, usize)>) -> usize {
    let keys = keys(dir);
    let a = person(&keys, "01810112345");
    let ledger = open(dir, options(&keys));
    let report = ledger.verify(|_, _| {}).unwrap();
    assert!(report.is_sound(), "{:?}", report.faults);
    let mut groups: BTreeMap<(usize, usize), Vec<Body>> = BTreeMap::new();
    for record in ledger.read(1, usize::MAX).unwrap() {
        let id = record.entry.source_event_id.unwrap();
        let mut parts = id.split('-').map(|part| part.parse().unwrap());
        let group = groups.entry((parts.next().unwrap(), parts.next().unwrap())).or_default();
        assert_eq!(parts.next(), Some(group.len()), "parts of a group stand in order");
        group.push(record.body);
    }
    for ((who, n), bodies) in &groups {
        let whole: Vec<_> = group(*who, *n, a).into_iter().map(|d| Body::Plain(d.body)).collect();
        assert_eq!(*bodies, whole, "a group is whole");
    }
    assert!(acks.iter().all(|ack| groups.contains_key(ack)), "what was acknowledged is there");
    groups.len()
}

#[test]
fn a_crash_at_each_point_leaves_what_the_documentation_says() {
    if let Some((dir, point)) = child_folder() {
        return child(&dir, point, 1, false);
    }
    let name = "crash::a_crash_at_each_point_leaves_what_the_documentation_says";
    for point in Point::ALL {
        let dir = tempdir().unwrap();
        let acks =
            acknowledged(&mut start(this_binary(), name, dir.path(), Some(point)), usize::MAX);
        // The fifth group was under way. Up to the commit it is gone; from the commit it is there,
        // though nobody was told before the answer.
        let there = check(dir.path(), &acks);
        let kept = point.kept();
        assert_eq!(there, if kept { 5 } else { 4 }, "{point:?}");
        assert!(acks.len() == 4 || (point == Point::Answered && acks.len() == 5), "{point:?}");
    }
}

#[test]
fn a_crash_at_each_point_of_a_checkpoint_leaves_tree_and_entries_as_one() {
    if let Some((dir, point)) = child_folder() {
        return child(&dir, point, 1, true);
    }
    let name = "crash::a_crash_at_each_point_of_a_checkpoint_leaves_tree_and_entries_as_one";
    for point in Point::ALL {
        let dir = tempdir().unwrap();
        let acks =
            acknowledged(&mut start(this_binary(), name, dir.path(), Some(point)), usize::MAX);
        assert!(acks.len() == 2 || (point == Point::Answered && acks.len() == 3), "{point:?}");
        // That the tree fits, `check` verifies; the third group was there before its checkpoint.
        assert_eq!(check(dir.path(), &acks), 3, "{point:?}");
        let ledger = open(dir.path(), options(&keys(dir.path())));
        let kept = point.kept();
        let signed = ledger.checkpoints_after(0, 9).unwrap();
        assert_eq!(signed.len(), if kept { 3 } else { 2 }, "{point:?}");
        let end = ledger.head().unwrap().position;
        let last = signed.last().unwrap().0;
        assert!(if kept { last == end } else { last < end }, "{point:?}");
        assert!(wait(ledger.sign_checkpoint()).unwrap().is_some());
        assert!(ledger.proof(end, None).unwrap().is_some());
    }
}

/// One erasure, which ends the process at a point. The person's content is either all there, with a key
/// that works, or gone for good and nothing more is taken.
#[test]
fn a_crash_at_each_point_of_an_erasure_leaves_all_or_nothing_of_the_person() {
    if let Some((dir, point)) = child_folder() {
        let keys = keys(&dir);
        let a = person(&keys, "01810112345");
        let faults = Arc::new(AbortAt { point, left: AtomicUsize::new(2) });
        let ledger = open(&dir, LedgerOptions { faults, ..options(&keys) });
        ledger.append_blocking(vec![draft("1", Some(a), "one")]).unwrap();
        let erasure = Draft { kind: Kind::Erasure, ..draft("2", Some(a), "decided") };
        drop(ledger.append_blocking(vec![erasure]));
        return;
    }
    let name = "crash::a_crash_at_each_point_of_an_erasure_leaves_all_or_nothing_of_the_person";
    for point in Point::ALL {
        let dir = tempdir().unwrap();
        acknowledged(&mut start(this_binary(), name, dir.path(), Some(point)), usize::MAX);
        // What a thief of the disk would have beside the ledger of after: the key of before.
        let stolen = tempdir().unwrap();
        for file in ["keys.db", "keys.db-wal", "municipality.key"] {
            if dir.path().join(file).exists() {
                std::fs::copy(dir.path().join(file), stolen.path().join(file)).unwrap();
            }
        }
        for _ in 0..2 {
            let keys = keys(dir.path());
            let a = person(&keys, "01810112345");
            let ledger = open(dir.path(), options(&keys));
            assert!(ledger.verify(|_, _| {}).unwrap().is_sound());
            let bodies: Vec<Body> =
                ledger.read(1, 9).unwrap().into_iter().map(|it| it.body).collect();
            assert_eq!(keys.is_erased(a), point.kept(), "{point:?}");
            if point.kept() {
                assert_eq!(bodies, [Body::Erased, Body::Plain(b"decided".to_vec())], "{point:?}");
                let more = ledger.append_blocking(vec![draft("3", Some(a), "more")]);
                assert!(matches!(more, Err(Error::Erased)), "{point:?}");
            } else {
                assert_eq!(bodies, [Body::Plain(b"one".to_vec())], "{point:?}");
            }
        }
        // An older copy of the keys beside the ledger: the opening erases in it as well.
        for file in ["keys.db", "keys.db-wal"] {
            drop(std::fs::remove_file(dir.path().join(file)));
            drop(std::fs::copy(stolen.path().join(file), dir.path().join(file)));
        }
        let keys = keys(dir.path());
        drop(open(dir.path(), options(&keys)));
        let a = person(&keys, "01810112345");
        assert_eq!(keys.is_erased(a), point.kept(), "{point:?}");
    }
}

#[test]
fn kills_under_load_lose_nothing_acknowledged() {
    if let Some((dir, point)) = child_folder() {
        return child(&dir, point, 8, true);
    }
    let dir = tempdir().unwrap();
    let mut acks = HashSet::new();
    for limit in [1, 40, 7, 150, 23] {
        let name = "crash::kills_under_load_lose_nothing_acknowledged";
        acks.extend(acknowledged(&mut start(this_binary(), name, dir.path(), None), limit));
        assert!(check(dir.path(), &acks) >= acks.len());
    }
    assert!(acks.len() >= 221);
}

/// The system refuses to write on: the appender is told, the writer stops, nothing acknowledged is
/// lost, and with room again the ledger goes on.
#[test]
fn a_disk_that_refuses_stops_the_writer_and_loses_nothing() {
    if let Some((dir, _)) = child_folder() {
        return child_until_refused(&dir);
    }
    let dir = tempdir().unwrap();
    let name = "crash::a_disk_that_refuses_stops_the_writer_and_loses_nothing";
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 600; exec \"$0\" \"$@\""]);
    limited.arg(std::env::current_exe().unwrap());
    let acks = acknowledged(&mut start(limited, name, dir.path(), None), usize::MAX);
    assert!(acks.len() > 3);
    check(dir.path(), &acks);
}

fn child_until_refused(dir: &Path) {
    let keys = keys(dir);
    let a = person(&keys, "01810112345");
    let ledger = open(dir, options(&keys));
    for n in 0.. {
        if let Err(refused) = ledger.append_blocking(group(0, n, a)) {
            assert!(matches!(refused, Error::Stopped), "{refused}");
            assert_eq!(ledger.condition().writing, Writing::Stopped);
            let after = ledger.append_blocking(group(0, n + 1, a)).unwrap_err();
            assert!(matches!(after, Error::Stopped), "{after}");
            // What the parent takes for a crash.
            std::process::exit(3);
        }
        std::io::stderr().write_all(format!("ack 0 {n}\n").as_bytes()).unwrap();
    }
}

/// Power lost: the write-ahead file may end anywhere after what was synced. Whatever its length, the
/// ledger is a beginning of what was written and goes on.
#[test]
fn a_torn_write_ahead_file_leaves_a_whole_beginning() {
    if let Some((dir, point)) = child_folder() {
        return child(&dir, point, 1, false);
    }
    let dir = tempdir().unwrap();
    let name = "crash::a_torn_write_ahead_file_leaves_a_whole_beginning";
    let acks = acknowledged(
        &mut start(this_binary(), name, dir.path(), Some(Point::Answered)),
        usize::MAX,
    );
    let name = crate::town::NAME;
    let public_keys = PublicKeys::of(&keys(dir.path()), name).unwrap();
    let wal = std::fs::read(dir.path().join("ledger.db-wal")).unwrap();
    let mut seen = HashSet::new();
    for length in (0..=wal.len()).rev().step_by(1013) {
        let torn = tempdir().unwrap();
        for file in ["ledger.db", "keys.db", "keys.db-wal", "municipality.key"] {
            let from = dir.path().join(file);
            if from.exists() {
                std::fs::copy(from, torn.path().join(file)).unwrap();
            }
        }
        std::fs::write(torn.path().join("ledger.db-wal"), &wal[..length]).unwrap();
        let file = torn.path().join("ledger.db");
        let report = verify(&file, &public_keys.trust(name), |_, _| {}).unwrap();
        if report.is_sound() {
            seen.insert(check(torn.path(), &HashSet::new()));
        } else {
            // Cut so early that not even the tables are there: said, never taken for an empty ledger.
            assert!(crate::town::try_open(torn.path(), options(&keys(torn.path()))).is_err());
        }
    }
    assert!(acks.len() >= 4 && (0..=5).all(|groups| seen.contains(&groups)), "{seen:?}");
}
