//! The tree of a ledger: checkpoints, proofs, and ledgers from before there was one.

use crate::town::{NAME, draft, keys, open, options, wait};
use ledger::chain::entry_hash;
use ledger::merkle::{Hash, is_consistent, leaf, node};
use ledger::note::{Checkpoint, Invalid, Proof, VerifierKey, origin, several};
use ledger::tree::NOTE_EVERY;
use ledger::verify::{Fault, PublicKeys, Trust, What, verify};
use rusqlite::Connection;
use std::path::Path;
use tempfile::tempdir;

/// Entries from `from` on, in groups as large as those of a busy day.
fn fill(ledger: &ledger::ledger::Ledger, from: usize, count: usize) {
    let all: Vec<_> = (from..from + count).map(|n| draft(&format!("{n}"), None, "body")).collect();
    for group in all.chunks(173) {
        ledger.append_blocking(group.to_vec()).unwrap();
    }
}

/// The root as RFC 6962 §2.1 defines it.
fn mth(leaves: &[Hash]) -> Hash {
    match leaves {
        [one] => *one,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node(&mth(left), &mth(right))
        }
    }
}

fn leaves(ledger: &ledger::ledger::Ledger) -> Vec<Hash> {
    let records = ledger.read(1, usize::MAX).unwrap();
    records.iter().map(|record| leaf(&entry_hash(&record.entry))).collect()
}

fn opened(note: &str, key: &VerifierKey) -> Checkpoint {
    Checkpoint::open(note, key).unwrap()
}

#[test]
fn checkpoints_are_signed_in_time_and_say_the_root() {
    let dir = tempdir().unwrap();
    let keys = keys(dir.path());
    let ledger = open(dir.path(), options(&keys));
    let key = ledger.verifier_key().unwrap();
    assert_eq!(wait(ledger.sign_checkpoint()).unwrap(), None);
    fill(&ledger, 0, 2_200);
    let kept = ledger.checkpoints_after(0, 99).unwrap();
    let sizes: Vec<u64> = kept.iter().map(|(size, _)| *size).collect();
    assert_eq!(sizes.len(), 2, "{sizes:?}");
    assert!(sizes.windows(2).all(|pair| (NOTE_EVERY..1_300).contains(&(pair[1] - pair[0]))));
    let latest = wait(ledger.sign_checkpoint()).unwrap().unwrap();
    // Nothing new, nothing signed anew.
    assert_eq!(wait(ledger.sign_checkpoint()).unwrap(), Some(latest.clone()));
    assert_eq!(ledger.checkpoints_after(0, 99).unwrap().len(), 3);
    let leaves = leaves(&ledger);
    for (size, note) in ledger.checkpoints_after(0, 99).unwrap() {
        let root = mth(&leaves[..usize::try_from(size).unwrap()]);
        assert_eq!(opened(&note, &key), Checkpoint { origin: origin(NAME), size, root });
        assert_eq!(ledger.checkpoint(Some(size)).unwrap(), Some(note));
    }
    drop(ledger);
    let ledger = open(dir.path(), options(&keys));
    assert_eq!(ledger.checkpoint(None).unwrap(), Some(latest));
    assert_eq!(ledger.verifier_key().unwrap(), key);
    fill(&ledger, 2_200, 1);
    let longer = wait(ledger.sign_checkpoint()).unwrap().unwrap();
    assert_eq!(opened(&longer, &key).size, 2_201);
}

#[test]
fn any_entry_is_proven_against_any_checkpoint_and_any_two_sizes_fit() {
    let dir = tempdir().unwrap();
    let keys = keys(dir.path());
    let ledger = open(dir.path(), options(&keys));
    let key = ledger.verifier_key().unwrap();
    let mut notes = Vec::new();
    for (from, count) in [(0, 1), (1, 255), (256, 1), (257, 300), (557, 1_000)] {
        fill(&ledger, from, count);
        notes.push(opened(&wait(ledger.sign_checkpoint()).unwrap().unwrap(), &key));
    }
    for note in &notes {
        for position in (1..=note.size).step_by(37).chain([256, 257, 513, note.size]) {
            let Some(proof) = ledger.proof(position, Some(note.size)).unwrap() else {
                assert!(position > note.size);
                continue;
            };
            let text = proof.to_string();
            let (read, proven) = Proof::verify(&text, &key).unwrap();
            assert_eq!((read.entry.position, &proven), (position, note));
            assert_eq!(read.entry, ledger.record(position).unwrap().unwrap().entry);
        }
    }
    for from in &notes {
        for to in notes.iter().filter(|to| to.size >= from.size) {
            let path = ledger.consistency(from.size, to.size).unwrap().unwrap();
            assert!(is_consistent((from.size, &from.root), (to.size, &to.root), &path));
        }
    }
    assert_eq!(ledger.consistency(5, 1_558).unwrap(), None);
    assert_eq!(ledger.consistency(5, 4).unwrap(), None);
    assert_eq!(ledger.proof(0, None).unwrap(), None);
    assert_eq!(ledger.proof(1_558, None).unwrap(), None);
    assert_eq!(ledger.proof(1, Some(2)).unwrap(), None);
}

#[test]
fn a_proof_with_any_flipped_bit_is_not_believed() {
    let dir = tempdir().unwrap();
    let keys = keys(dir.path());
    let ledger = open(dir.path(), options(&keys));
    let key = ledger.verifier_key().unwrap();
    fill(&ledger, 0, 300);
    wait(ledger.sign_checkpoint()).unwrap();
    let text = ledger.proof(7, None).unwrap().unwrap().to_string();
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1 << (at % 7);
        let Ok(bent) = String::from_utf8(bytes) else { continue };
        assert!(Proof::verify(&bent, &key).is_err(), "byte {at}");
    }
    let other = VerifierKey { key: [7; 32], ..key.clone() };
    assert_eq!(Proof::verify(&text, &other).unwrap_err(), Invalid::Unsigned);
    let other = VerifierKey { origin: origin("9998/ledger"), ..key.clone() };
    assert_eq!(Proof::verify(&text, &other).unwrap_err(), Invalid::Unsigned);
    // A witness may sign beside us, and files hold many.
    let note = ledger.checkpoint(None).unwrap().unwrap();
    let witnessed = format!("{note}— witness.example AAAAAAAA\n");
    assert_eq!(Checkpoint::open(&witnessed, &key), Checkpoint::open(&note, &key));
    let all = several(&format!("{note}\n{witnessed}{note}"));
    assert_eq!(all, [note.clone(), witnessed, note]);
    assert_eq!(VerifierKey::parse(&key.to_string()), Ok(key.clone()));
    let bent = key.to_string().replacen("9999", "9998", 1);
    assert_eq!(VerifierKey::parse(&bent), Err(Invalid::Form("verifier key")));
}

/// The file as version 1 of the format left it.
fn made_old(file: &Path) {
    let connection = Connection::open(file).unwrap();
    connection
        .execute_batch(
            "DROP TABLE tree; DROP TABLE note; DROP TABLE erasure;
             DROP TABLE resealing; DROP TABLE resealed; PRAGMA user_version = 1;",
        )
        .unwrap();
}

#[test]
fn a_ledger_from_before_gets_its_tree_at_opening() {
    let dir = tempdir().unwrap();
    let keys = keys(dir.path());
    let file = dir.path().join("ledger.db");
    let ledger = open(dir.path(), options(&keys));
    fill(&ledger, 0, 700);
    let before = wait(ledger.sign_checkpoint()).unwrap();
    drop(ledger);
    made_old(&file);
    let public = PublicKeys::of(&keys, NAME).unwrap();
    assert!(verify(&file, &public.trust(NAME), |_, _| {}).unwrap().is_sound());
    let ledger = open(dir.path(), options(&keys));
    // The same tree: Ed25519 gives the same signature for the same text.
    assert_eq!(wait(ledger.sign_checkpoint()).unwrap(), before);
    fill(&ledger, 700, 400);
    assert!(ledger.verify(|_, _| {}).unwrap().is_sound());
}

/// Somebody who has all keys writes the log anew: only what was kept elsewhere tells.
#[test]
fn a_log_written_anew_with_its_own_keys_is_found_by_a_checkpoint_kept_elsewhere() {
    let (one, other) = (tempdir().unwrap(), tempdir().unwrap());
    let kept = {
        let ledger = open(one.path(), options(&keys(one.path())));
        fill(&ledger, 0, 300);
        let key = ledger.verifier_key().unwrap();
        opened(&wait(ledger.sign_checkpoint()).unwrap().unwrap(), &key)
    };
    std::fs::copy(one.path().join("municipality.key"), other.path().join("municipality.key"))
        .unwrap();
    std::fs::copy(one.path().join("keys.db"), other.path().join("keys.db")).unwrap();
    let connection = Connection::open(other.path().join("keys.db")).unwrap();
    connection.execute("DELETE FROM meta WHERE name LIKE 'made:%'", []).unwrap();
    drop(connection);
    let keys = keys(other.path());
    let ledger = open(other.path(), options(&keys));
    fill(&ledger, 1_000, 320);
    assert!(ledger.verify(|_, _| {}).unwrap().is_sound());
    let report = ledger.verify_against(std::slice::from_ref(&kept), |_, _| {}).unwrap();
    assert_eq!(report.faults, [Fault { position: 300, what: What::Rewritten }]);
    drop(ledger);
    // Offline, and cut short.
    let public = PublicKeys::of(&keys, NAME).unwrap();
    let longer = [Checkpoint { size: 400, ..kept }];
    let trust = Trust { checkpoints: &longer, ..public.trust(NAME) };
    let report = verify(&other.path().join("ledger.db"), &trust, |_, _| {}).unwrap();
    assert_eq!(report.faults, [Fault { position: 321, what: What::EntriesMissing(400) }]);
}

#[test]
fn a_time_finds_its_position() {
    let dir = tempdir().unwrap();
    let ledger = open(dir.path(), options(&keys(dir.path())));
    assert_eq!(ledger.first_recorded(0).unwrap(), 1);
    fill(&ledger, 0, 400);
    let records = ledger.read(1, usize::MAX).unwrap();
    for record in &records {
        let at = record.entry.recorded_at;
        let first = records.iter().find(|it| it.entry.recorded_at >= at).unwrap();
        assert_eq!(ledger.first_recorded(at).unwrap(), first.entry.position);
    }
    assert_eq!(ledger.first_recorded(i64::MAX).unwrap(), 401);
}
