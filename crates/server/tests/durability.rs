//! What was acknowledged is there after `kill -9` and after a power cut, once and whole; the chain shows what
//! was tampered with; the view can be thrown away.
//!
//! A real server works under load on one folder and is ended again and again: at a chance moment, at named
//! points of its writing (`support/faulty_disk.c`), and with the power cut, where what was not synced is lost
//! or torn. After each start it is asked for what it had acknowledged; now and then, everything is compared.
//! `cargo xtask crash` runs the same at length: `FKJ_CRASH_KILLS` and `FKJ_CRASH_SEED` say how.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "durability/check.rs"]
mod check;
#[path = "durability/load.rs"]
mod load;
mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use load::{Known, Ward};
use serde_json::{Value, json};
use support::content::{person, pulse};
use support::disk::{Chance, Disk};
use support::{Folder, Server, fkj, text};

/// Kills of the short form.
const KILLS: u64 = 20;
/// Kills on one folder before the next begins: a small folder is soon checked.
const ON_ONE_FOLDER: u64 = 100;
/// Between two comparisons of everything.
const WHOLE: u64 = 25;
/// Answers after which a server is ended that has not come to the point where it should have ended.
const ENOUGH: usize = 90;
/// Answers by which the view's write-ahead file has been copied into the view.
const MANY: usize = 900;

/// Where a server ends of itself: before and after each kind of call on each file. The first are passed
/// often, the last only while files are emptied, at opening or after much.
const POINTS: [(&str, &str, u64); 16] = [
    ("kill write", "ledger.db-wal", 120),
    ("tear write", "ledger.db-wal", 120),
    ("kill written", "ledger.db-wal", 120),
    ("kill sync", "ledger.db-wal", 30),
    ("kill synced", "ledger.db-wal", 30),
    ("tear write", "audit.db-wal", 120),
    ("kill sync", "audit.db-wal", 60),
    ("kill synced", "audit.db-wal", 60),
    ("tear write", "view.db-wal", 200),
    ("kill written", "view.db-wal", 200),
    ("kill write", "keys.db-wal", 12),
    ("kill synced", "keys.db-wal", 4),
    ("kill written", "keys.db", 6),
    ("kill synced", "keys.db", 2),
    ("kill shortened", "keys.db-wal", 1),
    ("tear write", "view.db", 6),
];

/// How a server ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// Killed from outside, after so many answers.
    Chance,
    /// Killed where it stands in its writing.
    Point,
    /// As one of the others, and the power is cut.
    Power,
    /// The same after much work, when files have been copied into one another.
    LatePower,
    /// Stopped as an operator does, and then the power is cut.
    Stop,
}

/// Of so many kills, how many are of which kind.
const ENDS: [(End, u64); 5] =
    [(End::Chance, 8), (End::Point, 14), (End::Power, 7), (End::LatePower, 1), (End::Stop, 2)];

impl End {
    fn cuts_power(self) -> bool {
        matches!(self, End::Power | End::LatePower | End::Stop)
    }

    fn by(chance: &mut Chance) -> Self {
        let mut at = chance.below(ENDS.iter().map(|(_, of)| of).sum());
        for (end, of) in ENDS {
            if at < of {
                return end;
            }
            at -= of;
        }
        End::Chance
    }
}

/// What happened, for the report.
#[derive(Default)]
struct Report {
    kills: u64,
    ends: BTreeMap<String, u64>,
    points: BTreeMap<String, u64>,
    bytes_lost: u64,
    starts: u64,
    start_seconds: f64,
    compared: u64,
    entries: u64,
    acknowledged: usize,
    sent: usize,
    looks: usize,
}

/// One folder with its disk, and what the outside knows of it.
struct Run {
    dir: Arc<Folder>,
    disk: Disk,
    known: Mutex<Known>,
    wards: Vec<Ward>,
    chance: Chance,
}

impl Run {
    /// A folder of its own, as `template` is.
    fn new(template: &Path, chance: Chance) -> Self {
        let dir = Folder::new();
        copy_folder(template, dir.path());
        let (known, wards) = (Mutex::default(), Vec::new());
        Self { dir, disk: Disk::new(true), known, wards, chance }
    }

    /// Starts, compares what the last end should have left, works, and ends.
    fn round(&mut self, end: End, report: &mut Report) {
        let mut point = String::new();
        if end == End::Point || (end == End::Power && self.chance.below(2) == 0) {
            let (operation, file, most) = POINTS[index(&mut self.chance, POINTS.len())];
            point = format!("{operation} {file}");
            let after = self.chance.below(most);
            self.disk.order(&format!("{operation} 9901/{file} {after}"));
        } else {
            self.disk.order("");
        }
        let begun = Instant::now();
        if let Ok(server) = Server::try_serve(&self.dir, &self.disk.variables()) {
            report.starts += 1;
            report.start_seconds += begun.elapsed().as_secs_f64();
            if load::compare(&server, &mut self.wards, &self.known).is_some() {
                let limit = match end {
                    End::LatePower => MANY,
                    _ if point.is_empty() => 1 + index(&mut self.chance, 60),
                    _ => ENOUGH,
                };
                let stop = if end == End::Stop { Server::stop } else { Server::kill };
                self.wards = load::work(&server, &self.known, limit, stop);
            }
            server.kill();
        } else {
            assert!(self.disk.has_reached(), "the server did not start: {point}");
        }
        report.kills += 1;
        *report.ends.entry(format!("{end:?}").to_lowercase()).or_default() += 1;
        if self.disk.has_reached() {
            *report.points.entry(point).or_default() += 1;
        }
        if end.cuts_power() {
            report.bytes_lost += self.disk.cut_power(&mut self.chance);
            start_another_machine(self.dir.path());
        }
    }

    /// Compares everything, with no server running.
    fn compare_whole(&mut self, report: &mut Report) {
        self.disk.order("");
        let entries = check::check(&self.dir.path().join("9901"), &self.known.lock().unwrap());
        self.disk.settle();
        report.compared += 1;
        report.entries = report.entries.max(entries);
    }

    fn end(mut self, report: &mut Report) {
        self.compare_whole(report);
        let known = self.known.into_inner().unwrap();
        report.acknowledged += known.acknowledged.len();
        report.sent += known.sent.len();
        report.looks += known.answered.len();
    }
}

fn index(chance: &mut Chance, end: usize) -> usize {
    usize::try_from(chance.below(end as u64)).unwrap()
}

/// After a power cut memory is empty: what processes share is gone, and the machine has started anew.
fn start_another_machine(dir: &Path) {
    for number in ["9901", "9902"] {
        let folder = dir.join(number);
        for entry in std::fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            if entry.file_name().to_string_lossy().ends_with("-shm") {
                std::fs::remove_file(entry.path()).unwrap();
            }
        }
        let mark = folder.join("view.boot");
        if mark.exists() {
            std::fs::write(mark, "another start of the machine").unwrap();
        }
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|it| it.parse().expect("a number"))
}

#[test]
fn whatever_was_acknowledged_survives_kills_and_power_cuts_and_the_view_is_made_anew() {
    let kills = number("FKJ_CRASH_KILLS").unwrap_or(KILLS);
    // When to kill differs from run to run, and is printed with a failure.
    let seed = number("FKJ_CRASH_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    eprintln!("seed {seed}");
    let template = Folder::new();
    drop(Server::demo(&template, 0));
    let (begun, mut report) = (Instant::now(), Report::default());
    let mut chance = Chance(seed);
    while report.kills < kills {
        let mut run = Run::new(template.path(), Chance(chance.below(u64::MAX)));
        let last = kills.min(report.kills + ON_ONE_FOLDER);
        while report.kills < last {
            run.round(End::by(&mut chance), &mut report);
            if report.kills.is_multiple_of(WHOLE) && report.kills < last {
                run.compare_whole(&mut report);
            }
        }
        run.end(&mut report);
    }
    let seconds = begun.elapsed().as_secs_f64();
    let told = json!({
        "seed": seed,
        "kills": report.kills,
        "ends": report.ends,
        "points": report.points,
        "bytes_lost_to_power_cuts": report.bytes_lost,
        "starts": report.starts,
        "mean_start_ms": (1000.0 * report.start_seconds / report.starts.max(1) as f64).round(),
        "measurements_sent": report.sent,
        "measurements_acknowledged": report.acknowledged,
        "looks_answered": report.looks,
        "whole_comparisons": report.compared,
        "most_entries_in_a_folder": report.entries,
        "seconds": seconds.round(),
    });
    eprintln!("{told:#}");
    if let Some(path) = std::env::var_os("FKJ_CRASH_REPORT") {
        std::fs::write(path, format!("{told:#}")).unwrap();
    }
    assert!(report.acknowledged > 0 && report.looks > 0 && report.points.len() > 1);
}

/// Much is written, so that the view's write-ahead file was copied into the view and begun anew, none of it
/// synced. What a power cut then leaves is no view; the start of another day makes it anew.
#[test]
fn a_view_that_a_power_cut_tore_is_made_anew_at_the_next_start() {
    let (dir, disk) = (Folder::new(), Disk::new(true));
    let server = Server::demo_on(&dir, 180, &disk.variables());
    server.kill();
    let lost = disk.cut_power(&mut Chance(1));
    eprintln!("{lost} bytes were lost");
    let folder = dir.path().join("9901");
    // As if nobody had noticed that the machine was started anew: the view is not to be used.
    let copy = Folder::new();
    copy_folder(&folder, copy.path());
    drop(std::fs::remove_file(copy.path().join("view.db-shm")));
    assert!(check::is_torn(copy.path()), "the cut did no harm, and shows nothing");
    start_another_machine(dir.path());
    assert!(!check::is_torn(&folder));
    check::check(&folder, &Known::default());
}

fn verify(dir: &Path) -> (bool, String) {
    let output = fkj(&["ledger", "verify", "--kommune", "9901"], dir);
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn one_flipped_byte_of_a_body_is_found_and_placed() {
    let dir = Folder::new();
    let server = Server::demo(&dir, 0);
    let source = server.role("plo-epj");
    let receipt = source.post("/9901/fhir/Observation", &large(&person())).expect(201);
    let position = text(&receipt["meta"]["versionId"]);
    drop(server);
    one_flipped_byte_is_found(dir.path(), &position);
}

/// A measurement with a note that does not get small when it is compressed.
fn large(pid: &str) -> Value {
    let mut state = 1_u64;
    let mut letter = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'a' + u8::try_from(state >> 59).unwrap() % 26)
    };
    let note: String = (0..100_000).map(|_| letter()).collect();
    let mut large = pulse(pid, "2026-01-06", 60);
    large["note"] = serde_json::json!([{ "text": note }]);
    large
}

/// In copies of the folder, one byte of the body at `position` is changed.
fn one_flipped_byte_is_found(dir: &Path, position: &str) {
    // Ends with everything in the one file, and nothing beside it that would mend the damage.
    assert!(verify(dir).0);
    let path = Path::new("9901").join("ledger.db");
    let whole = std::fs::read(dir.join(&path)).unwrap();
    // What is too large for one page of SQLite goes on in pages that begin with the number, counted
    // from 1, of the page that follows.
    let follows = |page: &usize| {
        let next = u32::try_from(*page + 2).unwrap();
        whole[page * 4096..][..4] == next.to_be_bytes()
    };
    let pages: Vec<usize> = (1..whole.len() / 4096).filter(follows).collect();
    assert!(pages.len() > 5, "{} pages go on", pages.len());
    for page in [pages[0], pages[pages.len() / 2]] {
        let copy = Folder::new();
        copy_folder(dir, copy.path());
        let mut bytes = whole.clone();
        bytes[page * 4096 + 2500] ^= 1;
        std::fs::write(copy.path().join(&path), bytes).unwrap();
        let (sound, said) = verify(copy.path());
        assert!(!sound, "{said}");
        assert!(said.contains(&format!("9901/ledger, position {position}: ")), "{said}");
    }
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let place = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&place).unwrap();
            copy_folder(&entry.path(), &place);
        } else {
            std::fs::copy(entry.path(), place).unwrap();
        }
    }
}
