//! What somebody with the file and a plan can do, and what verification says of it.

use crate::town::{NAME, draft, keys, open, options};
use expect_test::{Expect, expect};
use ledger::chain::{Head, entry_hash};
use ledger::verify::{PublicKeys, Trust, verify};
use record::entry::Entry;
use rusqlite::{Connection, params};
use std::path::Path;
use tempfile::tempdir;

/// A ledger of 1 026 entries, changed by `tamper`; the report as text.
fn check(tamper: impl FnOnce(&Connection, &Path), known: bool, expected: Expect) {
    let dir = tempdir().unwrap();
    let keys = keys(dir.path());
    let file = dir.path().join("ledger.db");
    let ledger = open(dir.path(), options(&keys));
    let early = (0..1_020).map(|n| draft(&format!("{n}"), None, "body")).collect();
    ledger.append_blocking(early).unwrap();
    drop(ledger);
    std::fs::copy(&file, dir.path().join("older.db")).unwrap();
    let ledger = open(dir.path(), options(&keys));
    let late = (1_020..1_026).map(|n| draft(&format!("{n}"), None, "body")).collect();
    ledger.append_blocking(late).unwrap();
    let head = ledger.head().unwrap();
    drop(ledger);

    let connection = Connection::open(&file).unwrap();
    tamper(&connection, dir.path());
    drop(connection);
    let heads: &[Head] = if known { &[head] } else { &[] };
    let keys = PublicKeys::of(&keys, NAME).unwrap();
    let report = verify(&file, &Trust { heads, ..keys.trust(NAME) }, |_, _| {}).unwrap();
    let lines: Vec<_> =
        report.faults.iter().map(|fault| format!("{}: {}\n", fault.position, fault.what)).collect();
    expected.assert_eq(&lines.concat());
}

fn sql(batch: &str, expected: Expect) {
    check(|connection, _| connection.execute_batch(batch).unwrap(), false, expected);
}

#[test]
fn rows_taken_away() {
    sql("", expect![""]);
    sql(
        "DELETE FROM entry WHERE position = 7",
        expect![[r#"
        7: entries are missing from here through position 7
        7: there is a body without an entry
    "#]],
    );
    sql(
        "DELETE FROM body WHERE position = 7",
        expect![[r#"
        7: the body is missing
    "#]],
    );
    sql(
        "DELETE FROM entry WHERE position > 1022; DELETE FROM body WHERE position > 1022",
        expect![[r#"
            1023: entries are missing from here through position 1026
        "#]],
    );
    sql(
        "DELETE FROM checkpoint",
        expect![[r#"
        1024: the checkpoint is missing
    "#]],
    );
    sql(
        "DELETE FROM head",
        expect![[r#"
        1026: the signed head is missing
    "#]],
    );
    sql(
        "UPDATE head SET position = 1020",
        expect![[r#"
        1026: the head is not the one that was signed
    "#]],
    );
}

#[test]
fn rows_moved_or_added() {
    sql(
        "DROP INDEX entry_event;
         UPDATE entry SET position = -8 WHERE position = 8;
         UPDATE entry SET position = 8 WHERE position = 9;
         UPDATE entry SET position = 9 WHERE position = -8;
         CREATE UNIQUE INDEX entry_event ON entry(event) WHERE event IS NOT NULL;",
        expect![[r#"
            0: the tables and indexes are not those of this format
            7: the entry was changed after it was chained
            8: the entry belongs at position 9
            8: the body is not the one the ledger names
            9: the entry belongs at position 8
            9: the body is not the one the ledger names
        "#]],
    );
    sql(
        "INSERT INTO entry SELECT 1027, x'00', person, bytes FROM entry WHERE position = 1026",
        expect![[r#"
            1026: the entry was changed after it was chained
            1027: the entry belongs at position 1026
            1027: the index columns differ from the entry
            1027: entries stand after the signed head, through position 1027
            1027: the body is missing
        "#]],
    );
}

#[test]
fn a_log_cut_back_to_its_checkpoint_is_found() {
    sql(
        "DELETE FROM entry WHERE position > 1024; DELETE FROM body WHERE position > 1024;
         UPDATE head SET (position, hash, signature) =
             (SELECT position, hash, signature FROM checkpoint)",
        expect![[r#"
            1024: the head is not the one that was signed
            1025: entries are missing from here through position 1026
        "#]],
    );
}

#[test]
fn a_log_rewritten_consistently_does_not_fit_the_signatures() {
    let rewrite = |connection: &Connection, _: &Path| {
        let mut prev_hash = [0; 32];
        for position in 1..=1_026_i64 {
            let sql = "SELECT bytes FROM entry WHERE position = ?1";
            let bytes: Vec<u8> = connection.query_row(sql, [position], |row| row.get(0)).unwrap();
            let mut entry = Entry::from_canonical(&bytes).unwrap();
            if position == 500 {
                entry.owner = "964338531".to_owned();
            }
            entry.prev_hash = prev_hash;
            prev_hash = entry_hash(&entry);
            let sql = "UPDATE entry SET bytes = ?1 WHERE position = ?2";
            connection.execute(sql, params![entry.canonical(), position]).unwrap();
        }
        connection.execute("UPDATE head SET hash = ?1", [prev_hash]).unwrap();
    };
    check(
        rewrite,
        false,
        expect![[r#"
        512: a kept hash of the tree is not that of the entries up to here
        768: a kept hash of the tree is not that of the entries up to here
        1024: the chain up to here is not the one that was signed
        1026: the head is not the one that was signed
    "#]],
    );
}

#[test]
fn an_older_copy_is_found_by_a_head_kept_elsewhere() {
    let restore = |_: &Connection, dir: &Path| {
        std::fs::copy(dir.join("older.db"), dir.join("ledger.db")).unwrap();
    };
    check(restore, false, expect![""]);
    check(
        restore,
        true,
        expect![[r#"
        1021: entries are missing from here through position 1026
    "#]],
    );
}
