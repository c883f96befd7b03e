//! The one key under which `keys.db` is wrapped: bringing older files up to it, and exchanging it.

use crate::town::person;
use ledger::crypto::{DataKey, Secret};
use ledger::error::Error;
use ledger::key_service::{FileKey, KeyService};
use ledger::keys::rotate::{self, Step, rotate};
use ledger::keys::{Keys, PersonKey};
use ledger::random::{Random, SystemRandom};
use record::identity::PersonId;
use rusqlite::{Connection, params};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::tempdir;

const FNR: &str = "urn:oid:2.16.578.1.12.4.1.4.1";
const PERSONS: usize = 300;

fn random() -> Arc<dyn Random> {
    Arc::new(SystemRandom)
}

fn file_key(dir: &Path, name: &str) -> FileKey {
    FileKey::open(&dir.join(name), random()).unwrap()
}

fn open(dir: &Path, service: impl KeyService + 'static) -> Result<Keys, Error> {
    Keys::open(&dir.join("keys.db"), Arc::new(service), random())
}

fn number(nth: usize) -> String {
    format!("0181{nth:07}")
}

/// What tells keys apart without showing them.
fn mark(key: &DataKey) -> [u8; 16] {
    key.content_mac(&[1; 32])
}

fn marks(keys: &Keys) -> Vec<Option<[u8; 16]>> {
    let persons = (0..PERSONS).map(|nth| person(keys, &number(nth)));
    persons.map(|person| keys.data_key(person).ok().map(|key| mark(&key))).collect()
}

/// Everything that is wrapped in the file.
fn wrapped(dir: &Path) -> Vec<Vec<u8>> {
    let connection = Connection::open(dir.join("keys.db")).unwrap();
    let mut select = connection
        .prepare(
            "SELECT wrapped FROM person WHERE wrapped IS NOT NULL UNION ALL
                  SELECT value FROM meta WHERE length(value) = 60",
        )
        .unwrap();
    select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// Which of these stand in the files.
fn found(dir: &Path, needles: &[Vec<u8>]) -> usize {
    let files =
        ["keys.db", "keys.db-wal"].map(|it| std::fs::read(dir.join(it)).unwrap_or_default());
    let stands = |needle: &&Vec<u8>| {
        files.iter().any(|file| file.windows(needle.len()).any(|it| it == needle.as_slice()))
    };
    needles.iter().filter(stands).count()
}

/// Counts how often it is asked.
struct Counting<S>(S, Arc<AtomicUsize>);

impl<S: KeyService> KeyService for Counting<S> {
    fn wrap(&self, key: &Secret, context: &[u8]) -> Result<Vec<u8>, Error> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.wrap(key, context)
    }

    fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Result<Secret, Error> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.unwrap(wrapped, context)
    }
}

/// A person and the mark of the key.
type Known = (PersonId, [u8; 16]);

/// A `keys.db` as it was written before there was one key for all: the service wrapped each.
fn older(dir: &Path) -> (Vec<Known>, Vec<Vec<u8>>) {
    let service = file_key(dir, "municipality.key");
    let connection = Connection::open(dir.join("keys.db")).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA secure_delete = ON;
             CREATE TABLE person(id BLOB PRIMARY KEY, wrapped BLOB) WITHOUT ROWID, STRICT;
             CREATE TABLE number(hash BLOB PRIMARY KEY, person BLOB NOT NULL) WITHOUT ROWID, STRICT;
             CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID, STRICT;
             PRAGMA application_id = 0x666b6a4b; PRAGMA user_version = 1;
             INSERT INTO meta VALUES ('made:9999/ledger', x'01');",
        )
        .unwrap();
    let mut persons = Vec::new();
    let mut all = Vec::new();
    let index = service.wrap(&Secret::new([9; 32]), b"index").unwrap();
    connection.execute("INSERT INTO meta VALUES ('index', ?1)", [&index]).unwrap();
    all.push(index);
    for nth in 0..PERSONS {
        let person = PersonId((nth as u128).to_be_bytes());
        let key = Secret::new([u8::try_from(nth % 251).unwrap(); 32]);
        let wrapped = service.wrap(&key, &person.0).unwrap();
        let insert = "INSERT INTO person(id, wrapped) VALUES (?1, ?2)";
        connection.execute(insert, params![person.0, wrapped]).unwrap();
        persons.push((person, mark(&DataKey::new(&key))));
        all.push(wrapped);
    }
    (persons, all)
}

#[test]
fn an_older_file_comes_under_one_key_and_the_service_is_asked_once() {
    let dir = tempdir().unwrap();
    let (persons, before) = older(dir.path());
    assert_eq!(found(dir.path(), &before), before.len());
    drop(open(dir.path(), file_key(dir.path(), "municipality.key")).unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let service = Counting(file_key(dir.path(), "municipality.key"), asked.clone());
    let keys = open(dir.path(), service).unwrap();
    for (person, mark_before) in persons {
        assert_eq!(mark(&keys.data_key(person).unwrap()), mark_before);
    }
    // Persons, old and new, and ledgers' keys are no matter of the service.
    let new: Vec<String> = (0..1_000).map(number).collect();
    let new: Vec<PersonKey<'_>> =
        new.iter().map(|value| PersonKey { system: FNR, value }).collect();
    keys.resolve(&new).unwrap();
    keys.ledger_key("9999/ledger").unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    drop(keys);
    assert_eq!(found(dir.path(), &before), 0);
    let other = open(dir.path(), file_key(dir.path(), "other.key"));
    assert!(matches!(other, Err(Error::Key { .. })));
}

/// The older service and the newer one: what an operator names while a key is being exchanged.
struct Either(FileKey, FileKey);

impl KeyService for Either {
    fn wrap(&self, key: &Secret, context: &[u8]) -> Result<Vec<u8>, Error> {
        self.1.wrap(key, context)
    }

    fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Result<Secret, Error> {
        self.1.unwrap(wrapped, context).or_else(|_| self.0.unwrap(wrapped, context))
    }
}

fn either(dir: &Path) -> Either {
    Either(file_key(dir, "municipality.key"), file_key(dir, "next.key"))
}

/// The child ends itself, as `kill -9` would, at one step of an exchange.
const CHILD: &str = "FKJ_EXCHANGE_CHILD";

fn child(dir: &Path, ends_at: &str) {
    let path = dir.join("keys.db");
    let (from, to) = (either(dir), file_key(dir, "next.key"));
    let done = rotate(&path, (&from, &to), &random(), 1, &mut |step| {
        if format!("{step:?}") == ends_at {
            std::process::abort();
        }
    });
    done.unwrap();
}

#[test]
fn an_exchange_that_is_killed_anywhere_loses_no_key_and_leaves_no_old_one_when_done_again() {
    if let Ok(asked) = std::env::var(CHILD) {
        let (step, dir) = asked.split_once(' ').unwrap();
        return child(Path::new(dir), step);
    }
    let name = "custody::an_exchange_that_is_killed_anywhere_loses_no_key_and_leaves_no_old_one_when_done_again";
    for step in Step::ALL {
        let dir = tempdir().unwrap();
        let keys = open(dir.path(), file_key(dir.path(), "municipality.key")).unwrap();
        let known = marks(&keys);
        let gone = person(&keys, &number(7));
        keys.destroy(gone).unwrap();
        let ledger_key = mark(&keys.ledger_key("9999/ledger").unwrap());
        drop(keys);
        let before = wrapped(dir.path());
        assert!(before.len() > PERSONS);
        let asked = format!("{step:?} {}", dir.path().display());
        let ended = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name])
            .env(CHILD, asked)
            .output()
            .unwrap();
        assert!(!ended.status.success(), "{step:?}");
        // Whichever key it is under, the server starts, with everything there.
        let all_there = || {
            let keys = open(dir.path(), either(dir.path())).unwrap();
            assert!(keys.is_erased(gone));
            let mut expected = known.clone();
            expected[7] = None;
            assert_eq!(marks(&keys), expected, "{step:?}");
            assert_eq!(mark(&keys.ledger_key("9999/ledger").unwrap()), ledger_key);
        };
        all_there();
        let committed = !matches!(step, Step::Begun | Step::Wrapped);
        let path = dir.path().join("keys.db");
        let next = file_key(dir.path(), "next.key");
        assert_eq!(rotate::opens(&path, &next).is_ok(), committed, "{step:?}");
        let left = if committed { 0 } else { before.len() };
        assert_eq!(found(dir.path(), &before), left, "{step:?}");
        let done = rotate(&path, (&either(dir.path()), &next), &random(), 2, &mut |_| {}).unwrap();
        assert_eq!((done.persons, done.erased), (PERSONS as u64 - 1, 1));
        assert_eq!(rotate::status(&path).unwrap(), done);
        assert_eq!(found(dir.path(), &before), 0, "{step:?}");
        all_there();
        let old = file_key(dir.path(), "municipality.key");
        assert!(rotate::opens(&path, &old).is_err() && open(dir.path(), old).is_err());
        open(dir.path(), next).unwrap();
    }
}

#[test]
fn a_service_that_cannot_be_used_changes_nothing() {
    /// Wraps, but gives something else back.
    struct Liar(FileKey);
    impl KeyService for Liar {
        fn wrap(&self, key: &Secret, context: &[u8]) -> Result<Vec<u8>, Error> {
            self.0.wrap(key, context)
        }
        fn unwrap(&self, _: &[u8], _: &[u8]) -> Result<Secret, Error> {
            Ok(Secret::new([0; 32]))
        }
    }
    let dir = tempdir().unwrap();
    let keys = open(dir.path(), file_key(dir.path(), "municipality.key")).unwrap();
    let known = marks(&keys);
    let path = dir.path().join("keys.db");
    let (old, next) = (file_key(dir.path(), "municipality.key"), file_key(dir.path(), "next.key"));
    let locked = rotate(&path, (&old, &next), &random(), 1, &mut |_| {});
    assert!(matches!(locked, Err(Error::Locked { .. })));
    drop(keys);
    let liar = Liar(file_key(dir.path(), "next.key"));
    assert!(rotate(&path, (&old, &liar), &random(), 1, &mut |_| {}).is_err());
    assert!(rotate(&path, (&next, &next), &random(), 1, &mut |_| {}).is_err());
    assert_eq!(marks(&open(dir.path(), old).unwrap()), known);
    let nothing = rotate(&dir.path().join("none.db"), (&next, &next), &random(), 1, &mut |_| {});
    assert!(nothing.is_err() && !dir.path().join("none.db").exists());
}
