//! Any flipped byte is found, and placed.

use crate::town::{NAME, draft, keys, open, options, person, resealing, wait};
use ledger::append::Draft;
use ledger::verify::{Fault, PublicKeys, Report, What, verify};
use record::entry::Kind;
use rusqlite::{Connection, params};
use std::path::Path;
use tempfile::tempdir;

/// A closed ledger of `extra` plain entries and five of all shapes, with a checkpoint at its end; its
/// public keys.
fn ledger(dir: &Path, extra: usize) -> PublicKeys {
    let keys = keys(dir);
    let (a, b) = (person(&keys, "01810112345"), person(&keys, "02810112345"));
    let ledger = open(dir, options(&keys));
    let group = (0..extra).map(|n| draft(&format!("extra {n}"), None, "")).collect();
    ledger.append_blocking(group).unwrap();
    ledger.append_blocking(vec![draft("1", Some(a), "one"), draft("2", Some(b), "two")]).unwrap();
    let nameless = Draft { source_event_id: None, ..draft("", Some(a), "three") };
    let removal = Draft { kind: Kind::Removal, ..draft("4", None, "") };
    ledger.append_blocking(vec![nameless, removal]).unwrap();
    ledger.append_blocking(vec![draft("5", Some(b), "five")]).unwrap();
    assert!(wait(ledger.sign_checkpoint()).unwrap().is_some());
    PublicKeys::of(&keys, NAME).unwrap()
}

fn check(dir: &Path, keys: &PublicKeys) -> Report {
    verify(&dir.join("ledger.db"), &keys.trust(NAME), |_, _| {}).unwrap()
}

/// Flips one bit of every byte of every blob that `select` names with its row and its position, and
/// expects faults there and nowhere else. Answers how many bytes there were.
fn flip_all(dir: &Path, public_keys: &PublicKeys, table: &str, column: &str, place: &str) -> usize {
    let connection = Connection::open(dir.join("ledger.db")).unwrap();
    connection.execute_batch("PRAGMA synchronous = OFF").unwrap();
    let sql = format!("SELECT rowid, {place}, {column} FROM {table} WHERE {column} IS NOT NULL");
    let rows: Vec<(i64, u64, Vec<u8>)> = connection
        .prepare(&sql)
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let update = format!("UPDATE {table} SET {column} = ?1 WHERE rowid = ?2");
    let mut count = 0;
    for (row, position, original) in rows {
        for at in 0..original.len() {
            let mut flipped = original.clone();
            flipped[at] ^= 1 << (at % 8);
            connection.execute(&update, params![flipped, row]).unwrap();
            let faults = check(dir, public_keys).faults;
            assert!(
                !faults.is_empty() && faults.iter().all(|fault| fault.position == position),
                "byte {at} of {table}.{column} at {position}: {faults:?}"
            );
            count += 1;
        }
        connection.execute(&update, params![original, row]).unwrap();
    }
    assert!(check(dir, public_keys).is_sound());
    count
}

/// The same of a ledger in which records of one person were erased twice: bodies fit the later of the
/// resealings that name them, and one that is damaged is blamed alone.
#[test]
fn any_flipped_byte_of_what_was_sealed_anew_is_found_and_placed() {
    let dir = tempdir().unwrap();
    let public_keys = ledger(dir.path(), 0);
    {
        let keys = keys(dir.path());
        let a = person(&keys, "01810112345");
        let ledger = open(dir.path(), options(&keys));
        let group = ["6", "7", "8"].map(|id| draft(id, Some(a), id)).to_vec();
        ledger.append_blocking(group).unwrap();
        ledger.append_blocking(vec![resealing(a, &[1])]).unwrap();
        ledger.append_blocking(vec![draft("10", Some(a), "ten")]).unwrap();
        ledger.append_blocking(vec![resealing(a, &[6, 7])]).unwrap();
        ledger.append_blocking(vec![draft("12", Some(a), "twelve")]).unwrap();
    }
    let flipped: usize = [
        ("entry", "bytes", "position"),
        ("body", "bytes", "position"),
        ("resealed", "hash", "position"),
        ("resealing", "person", "position"),
    ]
    .map(|(table, column, place)| flip_all(dir.path(), &public_keys, table, column, place))
    .iter()
    .sum();
    assert!(flipped > 2_500, "{flipped}");
    let connection = Connection::open(dir.path().join("ledger.db")).unwrap();
    let faults = |change: &str, back: &str| {
        connection.execute_batch(change).unwrap();
        let faults = check(dir.path(), &public_keys).faults;
        connection.execute_batch(back).unwrap();
        assert!(check(dir.path(), &public_keys).is_sound());
        faults.into_iter().map(|fault| (fault.position, fault.what)).collect::<Vec<_>>()
    };
    // What was erased is there again; the table names another resealing, or none, or one too many.
    assert_eq!(
        faults("INSERT INTO body VALUES (6, x'01')", "DELETE FROM body WHERE position = 6"),
        [(6, What::BodyLeft)]
    );
    assert_eq!(
        faults(
            "UPDATE resealed SET resealing = 9 WHERE position = 3",
            "UPDATE resealed SET resealing = 11 WHERE position = 3"
        ),
        [(3, What::IndexColumns)]
    );
    assert_eq!(
        faults(
            "CREATE TEMP TABLE kept AS SELECT * FROM resealed WHERE position = 3;
             DELETE FROM resealed WHERE position = 3",
            "INSERT INTO resealed SELECT * FROM kept; DROP TABLE kept"
        ),
        [(3, What::IndexColumns)]
    );
    assert_eq!(
        faults(
            "INSERT INTO resealed VALUES (2, NULL, 11)",
            "DELETE FROM resealed WHERE position = 2"
        ),
        [(2, What::IndexColumns)]
    );
}

/// The same of the hashes of the tree, which are told at the last entry they are about.
fn flip_tree(dir: &Path, public_keys: &PublicKeys) {
    let connection = Connection::open(dir.join("ledger.db")).unwrap();
    let update = "UPDATE tree SET hash = ?1 WHERE level = 1 AND number = ?2";
    for number in 0..4_u64 {
        let select = "SELECT hash FROM tree WHERE level = 1 AND number = ?1";
        let original: [u8; 32] = connection.query_row(select, [number], |row| row.get(0)).unwrap();
        for at in 0..32 {
            let mut flipped = original;
            flipped[at] ^= 1 << (at % 8);
            connection.execute(update, params![flipped, number]).unwrap();
            let faults = check(dir, public_keys).faults;
            let expected = Fault { position: (number + 1) * 256, what: What::TreeChanged };
            assert_eq!(faults, [expected], "byte {at} of {number}");
        }
        connection.execute(update, params![original, number]).unwrap();
    }
    assert!(check(dir, public_keys).is_sound());
}

#[test]
fn any_flipped_byte_in_a_row_is_found_and_placed() {
    let dir = tempdir().unwrap();
    let public_keys = ledger(dir.path(), 0);
    let last = "(SELECT max(position) FROM entry)";
    let flipped: usize = [
        ("entry", "bytes", "position"),
        ("entry", "event", "position"),
        ("entry", "person", "position"),
        ("body", "bytes", "position"),
        ("head", "hash", last),
        ("head", "signature", last),
        ("note", "bytes", "size"),
    ]
    .map(|(table, column, place)| flip_all(dir.path(), &public_keys, table, column, place))
    .iter()
    .sum();
    assert!(flipped > 1_200, "{flipped}");
}

#[test]
fn any_flipped_byte_around_a_checkpoint_is_found_and_placed() {
    let dir = tempdir().unwrap();
    let public_keys = ledger(dir.path(), 1_021);
    for column in ["hash", "signature"] {
        flip_all(dir.path(), &public_keys, "checkpoint", column, "position");
    }
    flip_tree(dir.path(), &public_keys);
    // Entries before, at and after the checkpoint: the checkpoint is not blamed for them.
    let around = "(SELECT position AS rowid, * FROM entry WHERE position IN (1, 1023, 1024, 1025))";
    let connection = Connection::open(dir.path().join("ledger.db")).unwrap();
    let rows: Vec<(u64, Vec<u8>)> = connection
        .prepare(&format!("SELECT rowid, bytes FROM {around}"))
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let update = "UPDATE entry SET bytes = ?1 WHERE position = ?2";
    for (position, original) in rows {
        for at in (0..original.len()).step_by(9) {
            let mut flipped = original.clone();
            flipped[at] ^= 0x80;
            connection.execute(update, params![flipped, position]).unwrap();
            let faults = check(dir.path(), &public_keys).faults;
            assert!(
                !faults.is_empty() && faults.iter().all(|fault| fault.position == position),
                "byte {at} at {position}: {faults:?}"
            );
        }
        connection.execute(update, params![original, position]).unwrap();
    }
}

/// Everything a reader could be given, in order.
fn content(file: &Path) -> rusqlite::Result<Vec<Vec<u8>>> {
    let connection = Connection::open(file)?;
    let mut all = Vec::new();
    for sql in [
        "SELECT bytes FROM entry ORDER BY position",
        "SELECT bytes FROM body ORDER BY position",
        "SELECT bytes FROM entry NOT INDEXED WHERE event IS NOT NULL ORDER BY event",
        "SELECT bytes FROM entry INDEXED BY entry_event WHERE event IS NOT NULL ORDER BY event",
        "SELECT bytes FROM entry WHERE person IS NOT NULL ORDER BY person, position",
        "SELECT hash FROM head",
        "SELECT signature FROM head",
    ] {
        let rows: Vec<Vec<u8>> =
            connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        all.extend(rows);
    }
    Ok(all)
}

/// Flips bytes of the file itself. Some lie in free space and change nothing; all others are found.
#[test]
fn no_flipped_byte_of_the_file_passes_silently() {
    let dir = tempdir().unwrap();
    let public_keys = ledger(dir.path(), 45);
    let file = dir.path().join("ledger.db");
    let original = std::fs::read(&file).unwrap();
    let before = content(&file).unwrap();
    let (mut found, mut harmless) = (0, 0);
    for at in (0..original.len()).step_by(11) {
        let copy = tempdir().unwrap();
        let mut flipped = original.clone();
        flipped[at] ^= 1 << (at % 8);
        std::fs::write(copy.path().join("ledger.db"), &flipped).unwrap();
        let sound = verify(&copy.path().join("ledger.db"), &public_keys.trust(NAME), |_, _| {})
            .is_ok_and(|report| report.is_sound());
        if sound {
            assert_eq!(content(&copy.path().join("ledger.db")).unwrap(), before, "byte {at}");
            harmless += 1;
        } else {
            found += 1;
        }
    }
    assert!(found > 1_000 && harmless > 0, "{found} found, {harmless} harmless");
}
