//! `keys.db` through its public doors.

use crate::town::{NAME, keys, person};
use ledger::error::{Category, Error};
use ledger::key_service::FileKey;
use ledger::keys::{Keys, PersonKey};
use ledger::random::SystemRandom;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use tempfile::tempdir;

const FNR: &str = "urn:oid:2.16.578.1.12.4.1.4.1";
const DNR: &str = "urn:oid:2.16.578.1.12.4.1.4.2";

fn contains(file: &Path, bytes: &[u8]) -> bool {
    std::fs::read(file).unwrap_or_default().windows(bytes.len()).any(|window| window == bytes)
}

everywhere! {

#[test]
fn the_same_number_is_the_same_person_here_and_nobody_elsewhere(town: &Town) {
    let there = tempdir().unwrap();
    let home = town.keys();
    let one = PersonKey { system: FNR, value: "01810112345" };
    let two = PersonKey { system: FNR, value: "02810112345" };
    let d = PersonKey { system: DNR, value: "41810112345" };
    assert_eq!(home.find(&one).unwrap(), None);
    let expected = home.expected(&one).unwrap();
    let found = home.resolve(&[one, two, one]).unwrap();
    assert_eq!((found[0], found[0]), (found[2], expected));
    assert_ne!(found[0], found[1]);
    assert_eq!(home.find(&one).unwrap(), Some(found[0]));

    home.link(found[0], &d).unwrap();
    home.link(found[0], &d).unwrap();
    assert_eq!(home.link(found[1], &d).unwrap_err().category(), Category::Conflict);
    let nobody = record::identity::PersonId([9; 16]);
    let other = PersonKey { system: DNR, value: "42810112345" };
    assert!(matches!(home.link(nobody, &other), Err(Error::UnknownPerson)));
    drop(home);

    let home = town.keys();
    assert_eq!(home.resolve(&[d, two, one]).unwrap(), [found[0], found[1], found[0]]);
    assert_ne!(person(&keys(there.path()), "01810112345"), found[0]);
}

#[test]
fn a_destroyed_key_stays_destroyed_and_its_person_known(town: &Town) {
    let home = town.keys();
    let (gone, stays) = (person(&home, "01810112345"), person(&home, "02810112345"));
    home.data_key(gone).unwrap();
    home.destroy(gone).unwrap();
    home.destroy(gone).unwrap();
    let nobody = record::identity::PersonId([9; 16]);
    assert!(matches!(home.destroy(nobody), Err(Error::UnknownPerson)));
    assert!(matches!(home.data_key(nobody), Err(Error::UnknownPerson)));
    assert!(home.is_erased(gone) && matches!(home.data_key(gone), Err(Error::Erased)));
    drop(home);
    let home = town.keys();
    assert!(home.is_erased(gone) && matches!(home.data_key(gone), Err(Error::Erased)));
    assert_eq!(person(&home, "01810112345"), gone);
    assert!(home.data_key(stays).is_ok());
}

#[test]
fn secrets_stay_and_another_municipality_s_key_does_not_open(town: &Town) {
    let secrets = |keys: &Keys| {
        let of = |ledger| keys.ledger_key(ledger).unwrap().content_mac(&[1; 32]);
        (keys.index_key(), keys.public_key(NAME).unwrap(), of("a"), of("b"))
    };
    let home = town.keys();
    let before = secrets(&home);
    assert_ne!(before.2, before.3);
    drop(home);
    assert_eq!(secrets(&town.keys()), before);
    assert!(matches!(town.try_keys("other.key"), Err(Error::Key { .. })));
}

}

#[test]
fn a_number_is_in_no_file() {
    let dir = tempdir().unwrap();
    person(&keys(dir.path()), "01810112345");
    for file in ["keys.db", "keys.db-wal"] {
        assert!(!contains(&dir.path().join(file), b"01810112345"));
    }
}

#[test]
fn a_destroyed_key_is_in_no_file() {
    let dir = tempdir().unwrap();
    let home = keys(dir.path());
    let (gone, stays) = (person(&home, "01810112345"), person(&home, "02810112345"));
    let wrapped: Vec<u8> = rusqlite::Connection::open(dir.path().join("keys.db"))
        .unwrap()
        .query_row("SELECT wrapped FROM person WHERE id = ?1", [gone.0], |row| row.get(0))
        .unwrap();
    let anywhere =
        || ["keys.db", "keys.db-wal"].iter().any(|file| contains(&dir.path().join(file), &wrapped));
    assert!(anywhere());
    home.data_key(gone).unwrap();
    home.destroy(gone).unwrap();
    home.destroy(gone).unwrap();
    assert!(!anywhere());
    assert!(home.is_erased(gone) && matches!(home.data_key(gone), Err(Error::Erased)));
    drop(home);

    let home = keys(dir.path());
    assert!(home.is_erased(gone) && matches!(home.data_key(gone), Err(Error::Erased)));
    assert_eq!(person(&home, "01810112345"), gone);
    assert!(home.data_key(stays).is_ok());
}

/// Among many, so that SQLite has moved rows from page to page.
#[test]
fn of_many_destroyed_keys_none_is_in_a_file() {
    let dir = tempdir().unwrap();
    let home = keys(dir.path());
    let numbers: Vec<String> = (0..900).map(|n| format!("{n:011}")).collect();
    let of: Vec<PersonKey<'_>> =
        numbers.iter().map(|value| PersonKey { system: FNR, value }).collect();
    let persons: Vec<_> = of.chunks(30).flat_map(|some| home.resolve(some).unwrap()).collect();
    let file = rusqlite::Connection::open(dir.path().join("keys.db")).unwrap();
    let wrapped: Vec<Vec<u8>> = persons
        .iter()
        .map(|person| {
            let select = "SELECT wrapped FROM person WHERE id = ?1";
            file.query_row(select, [person.0], |row| row.get(0)).unwrap()
        })
        .collect();
    drop(file);
    persons.iter().step_by(30).for_each(|person| home.destroy(*person).unwrap());
    for (n, wrapped) in wrapped.iter().enumerate() {
        let left =
            ["keys.db", "keys.db-wal"].iter().any(|it| contains(&dir.path().join(it), wrapped));
        assert_eq!(left, n % 30 != 0, "{n}");
    }
}

#[test]
fn the_municipality_key_is_kept_close() {
    let dir = tempdir().unwrap();
    let home = keys(dir.path());
    let mode = std::fs::metadata(dir.path().join("municipality.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let somebody = person(&home, "01810112345");
    let number = PersonKey { system: FNR, value: "01810112345" };
    let printed = format!("{number:?} {:?}", home.data_key(somebody).unwrap());
    assert!(!printed.contains("01810112345") && printed.contains("Secret(…)"), "{printed}");
    drop(home);

    let random = Arc::new(SystemRandom);
    let other = Arc::new(FileKey::open(&dir.path().join("other.key"), random.clone()).unwrap());
    let wrong = Keys::open(&dir.path().join("keys.db"), other, random.clone());
    assert!(matches!(wrong, Err(Error::Key { .. })));
    std::fs::write(dir.path().join("short.key"), "short").unwrap();
    assert!(matches!(FileKey::open(&dir.path().join("short.key"), random), Err(Error::Key { .. })));
}
