//! Backups: small additions, verified without a secret, restored to any position.

use crate::town::{draft, keys, open, options, person, resealing, wait};
use ledger::append::{Body, Sealing};
use ledger::backup::check::{Checked, Fault, check};
use ledger::backup::place::{Folder, Place};
use ledger::backup::restore::{Until, restore};
use ledger::backup::take::{Source, Taken, Terms, take};
use ledger::error::Error;
use ledger::key_service::{FileKey, KeyService};
use ledger::keys::Keys;
use ledger::ledger::{Ledger, LedgerOptions};
use ledger::random::{Random, SystemRandom};
use proptest::prelude::*;
use record::entry::Kind;
use std::path::Path;
use std::sync::Arc;
use tempfile::{TempDir, tempdir};

/// An open municipality: clinical ledger, audit ledger, keys.
struct Town {
    dir: TempDir,
    keys: Arc<Keys>,
    ledger: Ledger,
    audit: Ledger,
    backups: TempDir,
}

const DAY: i64 = 24 * 60 * 60 * 1000;

fn audit_options(keys: &Arc<Keys>) -> LedgerOptions {
    LedgerOptions::new("9999/audit", keys.clone(), Sealing::Ledger)
}

impl Town {
    fn new() -> Self {
        let dir = tempdir().unwrap();
        let keys = keys(dir.path());
        let ledger = open(dir.path(), options(&keys));
        let audit = Ledger::open(&dir.path().join("audit.db"), audit_options(&keys)).unwrap();
        Town { dir, keys, ledger, audit, backups: tempdir().unwrap() }
    }

    /// Appends entries about person `nth` from here to there.
    fn write(&self, nth: u32, range: std::ops::Range<u32>) {
        let person = person(&self.keys, &format!("0181{nth:07}"));
        for n in range {
            let id = format!("{nth}-{n}");
            let content = format!("{id} {}", "innhold ".repeat(n as usize % 9));
            self.ledger.append_blocking(vec![draft(&id, Some(person), &content)]).unwrap();
            self.audit.append_blocking(vec![draft(&id, Some(person), &id)]).unwrap();
        }
    }

    fn erase(&self, nth: u32) {
        let person = person(&self.keys, &format!("0181{nth:07}"));
        let erasure = draft(&format!("erase-{nth}"), Some(person), "erased");
        let erasure = ledger::append::Draft { kind: Kind::Erasure, ..erasure };
        self.ledger.append_blocking(vec![erasure]).unwrap();
    }

    fn erase_records(&self, nth: u32, positions: &[u64]) {
        let person = person(&self.keys, &format!("0181{nth:07}"));
        self.ledger.append_blocking(vec![resealing(person, positions)]).unwrap();
    }

    fn take(&self, now: i64) -> Result<Taken, Error> {
        let files = [("register.toml".to_owned(), b"number = 9999".to_vec())];
        let source = Source { directory: self.dir.path(), municipality: "9999", files: &files };
        let place = Folder::writing(self.backups.path()).unwrap();
        take(&source, &place, Terms { segment_bytes: 600, ..Terms::new(now) })
    }

    fn place(&self) -> Folder {
        Folder::reading(self.backups.path()).unwrap()
    }

    fn check(&self) -> Checked {
        check(&self.place(), &[]).unwrap()
    }

    fn restore(&self, until: Until, to: &Path) -> Result<ledger::backup::restore::Restored, Error> {
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        let key = self.dir.path().join("municipality.key");
        let service =
            || Ok(Arc::new(FileKey::read(&key, Arc::new(SystemRandom))?) as Arc<dyn KeyService>);
        restore(&self.place(), until, to, &service, &random)
    }
}

/// Everything a ledger says.
fn contents(ledger: &Ledger) -> Vec<(u64, Option<Vec<u8>>)> {
    let told = ledger.read(1, usize::MAX).unwrap().into_iter().map(|it| match it.body {
        Body::Plain(body) => (it.entry.position, Some(body)),
        Body::Erased => (it.entry.position, None),
    });
    told.collect()
}

fn reopened(town: &Town, dir: &Path) -> (Arc<Keys>, Ledger, Ledger) {
    std::fs::copy(town.dir.path().join("municipality.key"), dir.join("municipality.key")).unwrap();
    let keys = keys(dir);
    let ledger = open(dir, options(&keys));
    let audit = Ledger::open(&dir.join("audit.db"), audit_options(&keys)).unwrap();
    (keys, ledger, audit)
}

#[test]
fn a_second_backup_writes_what_is_new_and_all_of_it_comes_back() {
    let town = Town::new();
    town.write(1, 0..1030);
    wait(town.ledger.sign_checkpoint()).unwrap();
    let first = town.take(1_000).unwrap();
    assert!(first.manifest.ledgers[0].segments.len() > 10);
    let same = town.take(1_000).unwrap();
    assert_eq!((same.written, same.manifest.at), (0, 1_001));
    town.write(2, 0..3);
    let second = town.take(2_000).unwrap();
    assert!(second.written < first.written / 2, "{} {}", second.written, first.written);
    assert_eq!(second.manifest.ledgers[0].segments[0].first, 1031);
    let checked = town.check();
    assert_eq!((checked.backups, checked.faults.clone()), (3, vec![]));
    assert_eq!(checked.ledgers[0].entries, 1033);
    // A key that was had elsewhere.
    let key = town.ledger.verifier_key().unwrap();
    assert_eq!(check(&town.place(), std::slice::from_ref(&key)).unwrap().faults, []);
    let other = ledger::note::VerifierKey { key: [7; 32], ..key };
    assert_ne!(check(&town.place(), &[other]).unwrap().faults, []);

    let to = tempdir().unwrap();
    let restored = town.restore(Until::Newest, to.path()).unwrap();
    assert_eq!((restored.ledger, restored.audit), (1033, 1033));
    assert_eq!(std::fs::read(to.path().join("register.toml")).unwrap(), b"number = 9999");
    let (_keys, ledger, audit) = reopened(&town, to.path());
    assert_eq!(contents(&ledger), contents(&town.ledger));
    assert_eq!(contents(&audit), contents(&town.audit));
    assert_eq!(ledger.head().unwrap(), town.ledger.head().unwrap());
    assert_eq!(ledger.checkpoint(None).unwrap(), town.ledger.checkpoint(None).unwrap());
    assert!(ledger.proof(5, None).unwrap().is_some());
    // What is there is not written over.
    assert!(town.restore(Until::Newest, to.path()).is_err());
}

#[test]
fn any_position_and_time_comes_back_with_a_signed_end() {
    let town = Town::new();
    town.write(1, 0..12);
    town.take(1).unwrap();
    town.write(2, 0..12);
    town.take(2).unwrap();
    let all = contents(&town.ledger);
    for position in [1, 11, 12, 13, 24] {
        let to = tempdir().unwrap();
        let restored = town.restore(Until::Position(position), to.path()).unwrap();
        assert_eq!((restored.ledger, restored.audit), (position, 24), "{position}");
        let (keys, ledger, audit) = reopened(&town, to.path());
        assert_eq!(contents(&ledger), all[..position as usize], "{position}");
        assert_eq!(contents(&audit).len(), 24);
        // It goes on from there, and is no longer the ledger whose backups those are.
        let somebody = person(&keys, "01810000001");
        ledger.append_blocking(vec![draft("new", Some(somebody), "new")]).unwrap();
        drop((ledger, audit));
        let source = Source { directory: to.path(), municipality: "9999", files: &[] };
        let again = take(&source, &Folder::writing(town.backups.path()).unwrap(), Terms::new(3));
        // The newest position goes on as it was.
        assert_eq!(again.is_ok(), position == 24, "{position}: {again:?}");
    }
    for until in [Until::Position(0), Until::Position(26), Until::Time(0)] {
        assert!(town.restore(until, tempdir().unwrap().path()).is_err(), "{until:?}");
    }
    let last = town.ledger.record(12).unwrap().unwrap().entry.recorded_at;
    let to = tempdir().unwrap();
    let restored = town.restore(Until::Time(last), to.path()).unwrap();
    let later = town.ledger.first_recorded(last + 1).unwrap();
    assert_eq!(restored.ledger, later - 1);
}

#[test]
fn whoever_was_erased_stays_erased_and_is_told_of_until_older_keys_are_gone() {
    let town = Town::new();
    town.write(1, 0..5);
    town.write(2, 0..5);
    let before = town.take(DAY).unwrap();
    assert_eq!(before.opening, []);
    town.erase(1);
    let after = town.take(2 * DAY).unwrap();
    let copy = &before.manifest.keys.piece.name;
    assert_eq!(after.opening.len(), 1);
    assert_eq!((&after.opening[0].name, after.opening[0].persons), (copy, 1));
    assert!(after.pruned.is_empty() && after.manifest.keys.erased_through == 11);
    // Restored to before the erasure, the person is erased all the same.
    let to = tempdir().unwrap();
    town.restore(Until::Position(10), to.path()).unwrap();
    let (_keys, ledger, _audit) = reopened(&town, to.path());
    let opened: Vec<bool> = contents(&ledger).iter().map(|(_, body)| body.is_some()).collect();
    assert_eq!(opened, [[false; 5], [true; 5]].concat());
    let late = town.take(40 * DAY).unwrap();
    assert_eq!((late.pruned, late.opening), (vec![copy.clone()], vec![]));
    let checked = town.check();
    assert_eq!(checked.faults, []);
    assert!(!town.place().list().unwrap().contains(copy));
}

#[test]
fn a_record_that_was_erased_is_gone_from_backups_and_the_rest_comes_back() {
    let town = Town::new();
    town.write(1, 0..20);
    town.write(2, 0..3);
    let before = town.take(DAY).unwrap();
    // One that was backed up, and one that comes and goes between two backups.
    town.erase_records(1, &[3]);
    town.write(1, 20..24);
    town.erase_records(1, &[26]);
    town.write(2, 3..5);
    let after = town.take(2 * DAY).unwrap();
    let part = &after.manifest.ledgers[0];
    assert_eq!(part.resealings, [24, 29]);
    assert_eq!(after.opening.len(), 1, "the keys of before still open what was erased");
    assert_eq!((town.check().faults, after.manifest.keys.erased_through), (vec![], 29));
    for until in [Until::Newest, Until::Position(30)] {
        let to = tempdir().unwrap();
        town.restore(until, to.path()).unwrap();
        let (keys, ledger, _audit) = reopened(&town, to.path());
        let end = ledger.head().unwrap().position as usize;
        let restored = contents(&ledger);
        assert_eq!(restored, contents(&town.ledger)[..end]);
        let gone: Vec<u64> = restored.iter().filter(|it| it.1.is_none()).map(|it| it.0).collect();
        assert_eq!(gone, [3, 26]);
        // What comes after is sealed with the key that is in force.
        let somebody = person(&keys, "01810000001");
        ledger.append_blocking(vec![draft("new", Some(somebody), "new")]).unwrap();
    }
    let told = town.restore(Until::Position(23), tempdir().unwrap().path()).unwrap_err();
    assert!(told.to_string().contains("a record was erased here"), "{told}");
    // Damage in what replaced bodies is found and placed, also where it is a resealing's own.
    let replaced = &part.replaced.as_ref().unwrap().name;
    let file = std::fs::read(town.backups.path().join(replaced)).unwrap();
    let faults = found(&town, replaced, file.len() - 1).unwrap();
    assert!(faults.iter().all(|it| it.piece == *replaced) && faults[0].position == Some(20));
    let bodies = &part.segments[0].bodies.name;
    let faults = found(&town, bodies, 8 + 12 + 40).unwrap();
    assert!(faults.iter().any(|it| (it.piece.as_str(), it.position) == (bodies, Some(24))));
    // The next backup has nothing more to bring, and the keys of before go in time.
    let late = town.take(40 * DAY).unwrap();
    assert_eq!(late.pruned, [before.manifest.keys.piece.name]);
    assert_eq!((late.written, late.manifest.ledgers[0].replaced.is_none()), (0, true));
    assert_eq!((late.opening, town.check().faults), (vec![], vec![]));
}

#[test]
fn a_backup_ended_in_its_middle_leaves_the_one_before_whole() {
    let town = Town::new();
    town.write(1, 0..20);
    town.take(1).unwrap();
    let whole = town.place().list().unwrap();
    town.write(1, 20..40);
    // Whatever a second one had written when it ended: each piece, whole or not, but no manifest.
    let second = town.take(2).unwrap().manifest.name;
    let manifest = town.backups.path().join(&second);
    std::fs::rename(&manifest, town.backups.path().join(second + ".part")).unwrap();
    std::fs::write(town.backups.path().join("ledger/000000000099.bodies.part"), "half").unwrap();
    assert_eq!(town.check().faults, []);
    assert_eq!(town.check().ledgers[0].entries, 20);
    let third = town.take(3).unwrap();
    assert_eq!(third.manifest.ledgers[0].segments[0].first, 21);
    assert_eq!((town.check().faults, town.check().ledgers[0].entries), (vec![], 40));
    let there = std::fs::read_dir(town.backups.path().join("ledger")).unwrap().count();
    let named = town.place().list().unwrap();
    assert_eq!(named.iter().filter(|it| it.starts_with("ledger/")).count(), there);
    assert!(whole.iter().all(|name| named.contains(name)));
}

#[test]
fn damage_is_not_taken_into_a_backup() {
    let town = Town::new();
    town.write(1, 0..20);
    let path = town.dir.path().join("ledger.db");
    let change = rusqlite::Connection::open(path).unwrap();
    change.execute("UPDATE body SET bytes = zeroblob(40) WHERE position = 7", []).unwrap();
    assert!(matches!(town.take(1), Err(Error::Corrupt { position: 7, .. })));
    assert!(!town.place().list().unwrap().iter().any(|it| it.starts_with("backup-")));
}

/// Which record of a segment's file a byte belongs to.
fn record_of(file: &[u8], byte: usize, first: u64) -> u64 {
    let (mut at, mut position) = (8, first);
    while at < file.len() {
        let length = u32::from_be_bytes(file[at + 8..at + 12].try_into().unwrap()) as usize;
        at += 12 + length;
        if byte < at {
            return position;
        }
        position += 1;
    }
    first
}

/// A flipped byte is found, in the piece and at the position where it is.
fn found(town: &Town, name: &str, byte: usize) -> Result<Vec<Fault>, String> {
    let path = town.backups.path().join(name);
    let whole = std::fs::read(&path).unwrap();
    let mut changed = whole.clone();
    changed[byte] ^= 0x20;
    std::fs::write(&path, &changed).unwrap();
    let told = check(&town.place(), &[]);
    std::fs::write(&path, &whole).unwrap();
    match told {
        Ok(checked) => Ok(checked.faults),
        Err(error) => Err(error.to_string()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2))]
    #[test]
    fn any_flipped_byte_is_found_and_placed(start in 0_usize..1 << 20) {
        let town = Town::new();
        town.write(1, 0..7);
        wait(town.ledger.sign_checkpoint()).unwrap();
        town.take(1).unwrap();
        town.write(2, 0..6);
        town.take(2).unwrap();
        let pieces = town.place().list().unwrap();
        for name in &pieces {
            let file = std::fs::read(town.backups.path().join(name)).unwrap();
            for nth in 0..24 {
                let byte = (start + nth * 7919) % file.len();
                let faults = match found(&town, name, byte) {
                    // A manifest that does not fit its successor, or is none.
                    Err(told) => {
                        prop_assert!(name.starts_with("backup-") && told.contains("manifest"), "{}", told);
                        continue;
                    }
                    Ok(faults) => faults,
                };
                prop_assert!(!faults.is_empty(), "{} at {}", name, byte);
                if let Some(first) = name.strip_suffix(".bodies").or(name.strip_suffix(".entries")) {
                    let first: u64 = first.split_once('/').unwrap().1.parse().unwrap();
                    let position = record_of(&file, byte, first);
                    let placed = faults.iter().any(|it| it.piece == *name && it.position == Some(position));
                    prop_assert!(placed, "{} at {}, position {}: {:?}", name, byte, position, faults);
                }
            }
        }
    }
}
