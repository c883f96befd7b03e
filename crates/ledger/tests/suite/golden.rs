//! The frozen formats: what was ever written still decodes.
//!
//! The files are never regenerated. Entries, hashes and signatures must also encode to the same
//! bytes; a sealed body need not, since another version of zstd may pack it otherwise.

use ledger::body::{self, Belonging, DICTIONARY_V1};
use ledger::chain::{Head, entry_hash};
use ledger::crypto::{DataKey, Secret, sha256};
use ledger::key_service::{FileKey, KeyService};
use ledger::manifest::Manifest;
use ledger::merkle::{self, Frontier};
use ledger::note::{Checkpoint, VerifierKey, origin};
use ledger::random::SystemRandom;
use record::entry::{Entry, Kind};
use record::identity::PersonId;
use record::resealing::Resealing;
use std::collections::BTreeMap;
use std::sync::Arc;

const ENTRIES: &str = include_str!("../../../../cases/formats/v1/ledger-entry.txt");
const BODIES: &str = include_str!("../../../../cases/formats/v1/sealed-body.txt");
const RESEALINGS: &str = include_str!("../../../../cases/formats/v1/resealing.txt");
const HEADS: &str = include_str!("../../../../cases/formats/v1/signed-head.txt");
const SECRETS: &str = include_str!("../../../../cases/formats/v1/wrapped-secret.txt");
const TREES: &str = include_str!("../../../../cases/formats/v1/tree-note.txt");

/// `name: value` lines in blocks divided by empty lines; `#` begins a comment.
fn blocks(text: &str) -> Vec<BTreeMap<&str, &str>> {
    let without: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    without
        .split(|line| line.is_empty())
        .filter(|block| !block.is_empty())
        .map(|block| block.iter().map(|line| line.split_once(": ").unwrap()).collect())
        .collect()
}

pub fn bytes(hex: &str) -> Vec<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16).unwrap();
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::try_from(digit(pair[0]) * 16 + digit(pair[1])).unwrap())
        .collect()
}

pub fn array<const N: usize>(hex: &str) -> [u8; N] {
    bytes(hex).try_into().unwrap()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn entry(block: &BTreeMap<&str, &str>) -> Entry {
    let text = |name: &str| block[name].to_owned();
    Entry {
        position: block["position"].parse().unwrap(),
        recorded_at: block["recorded_at"].parse().unwrap(),
        kind: Kind::from_wire(block["kind"].parse().unwrap()).unwrap(),
        source: text("source"),
        source_event_id: block.get("source_event_id").map(|id| (*id).to_owned()),
        owner: text("owner"),
        person: block.get("person").map(|person| PersonId::parse(person).unwrap()),
        category: text("category"),
        content_mac: array(block["content_mac"]),
        body_hash: array(block["body_hash"]),
        prev_hash: array(block["prev_hash"]),
    }
}

#[test]
fn entries_of_version_1_decode_and_encode() {
    let blocks = blocks(ENTRIES);
    let kinds: Vec<&str> = blocks.iter().map(|block| block["kind"]).collect();
    assert_eq!(kinds, Kind::ALL.map(|kind| (kind as u8).to_string()), "one of each kind");
    for block in blocks {
        let entry = entry(&block);
        assert_eq!(hex(&entry.canonical()), block["canonical"]);
        assert_eq!(hex(&entry_hash(&entry)), block["hash"]);
        assert_eq!(Entry::from_canonical(&bytes(block["canonical"])), Ok(entry));
    }
}

#[test]
fn bodies_of_version_1_open() {
    let blocks = blocks(BODIES);
    assert_eq!(blocks.len(), 5);
    for block in blocks {
        let key = DataKey::new(&Secret::new(array(block["key"])));
        let person = block.get("person").map(|person| PersonId::parse(person).unwrap());
        let belonging = Belonging { ledger: block["ledger"], person };
        let (sealed, plain) = (bytes(block["sealed"]), bytes(block["plain"]));
        assert_eq!(body::open(&key, belonging, &sealed), Some(plain.clone()));
        assert_eq!(hex(&key.content_mac(&sha256(&[&plain]))), block["content_mac"]);
        let again = body::seal(&key, array(block["nonce"]), belonging, &plain).unwrap();
        assert_eq!(body::open(&key, belonging, &again), Some(plain));

        let another = Belonging { person: Some(PersonId([7; 16])), ..belonging };
        assert_eq!(body::open(&key, another, &sealed), None);
        let another = Belonging { ledger: "9998/ledger", ..belonging };
        assert_eq!(body::open(&key, another, &sealed), None);
        assert_eq!(body::open(&key, belonging, &[&[2], &sealed[1..]].concat()), None);
    }
    assert_eq!(
        hex(&sha256(&[DICTIONARY_V1])),
        "7fe97e9eb0b5e4ecb3cf45f219c0e55fef5ed3afdad96d4e5493819bbb4c1450",
        "a dictionary in use is never replaced; add one with a new format byte"
    );
}

#[test]
fn resealings_of_version_1_decode_and_encode() {
    let blocks = blocks(RESEALINGS);
    let [entry_block, body_block, plain_block] = blocks.as_slice() else { panic!("{blocks:?}") };
    let entry = entry(entry_block);
    assert_eq!(entry.kind, Kind::Resealing);
    assert_eq!(hex(&entry.canonical()), entry_block["canonical"]);
    assert_eq!(hex(&entry_hash(&entry)), entry_block["hash"]);
    assert_eq!(Entry::from_canonical(&bytes(entry_block["canonical"])), Ok(entry.clone()));

    let positions = |text: &str| text.split(' ').map(|it| it.parse().unwrap()).collect::<Vec<_>>();
    let resealed = body_block["resealed"].split(' ').map(|it| it.split_once(':').unwrap());
    let manifest = Manifest {
        erased: positions(body_block["erased"]),
        resealed: resealed.map(|(at, hash)| (at.parse().unwrap(), array(hash))).collect(),
        handover: bytes(body_block["handover"]),
    };
    let body = bytes(body_block["body"]);
    assert_eq!(sha256(&[&body]), entry.body_hash);
    assert_eq!(Manifest::of(&body), Some(manifest));
    assert!((0..173).all(|length| Manifest::of(&body[..length]).is_none()));
    let sealed = &crate::golden::blocks(BODIES)[0];
    let person = Some(PersonId::parse(sealed["person"]).unwrap());
    let belonging = Belonging { ledger: sealed["ledger"], person };
    let key = DataKey::new(&Secret::new(array(sealed["key"])));
    assert_eq!(body::open(&key, belonging, &body), Some(bytes(sealed["plain"])));

    let plain = bytes(plain_block["plain"]);
    let (told, decision) = Resealing::open(&plain).unwrap();
    let text = |name: &str| plain_block[name].to_owned();
    let expected = Resealing {
        v: 1,
        kind: text("type"),
        id: text("id"),
        category: text("category"),
        owner: text("owner"),
        source: text("source"),
        erased: positions(plain_block["erased"]),
    };
    assert_eq!(told, expected);
    assert_eq!(hex(decision), plain_block["decision"]);
    assert_eq!(told.seal(decision), plain);
    let other = String::from_utf8(plain).unwrap().replacen("\"v\":1", "\"v\":2", 1);
    assert!(Resealing::open(other.as_bytes()).is_err());
}

#[test]
fn heads_of_version_1_are_signed() {
    for block in blocks(HEADS) {
        let (position, hash) = (block["position"].parse().unwrap(), array(block["hash"]));
        let head = Head { position, hash, signature: bytes(block["signature"]) };
        assert!(head.is_signed(&array(block["public_key"]), block["ledger"]));
        let other = Head { position: position + 1, ..head };
        assert!(!other.is_signed(&array(block["public_key"]), block["ledger"]));
    }
}

#[test]
fn wrapped_secrets_of_version_1_are_unwrapped() {
    let blocks = blocks(SECRETS);
    assert_eq!(blocks.len(), 3);
    for block in blocks {
        let key = Secret::new(array(block["municipality"]));
        let service = FileKey::in_memory(key, Arc::new(SystemRandom));
        let (wrapped, context) = (bytes(block["wrapped"]), bytes(block["context"]));
        let secret = service.unwrap(&wrapped, &context).unwrap();
        assert_eq!(*secret.bytes(), array(block["secret"]));
        assert!(service.unwrap(&wrapped, b"another").is_err());
    }
}

#[test]
fn trees_and_notes_of_version_1_fit_the_entries() {
    let entries = blocks(ENTRIES);
    let blocks = blocks(TREES);
    assert_eq!(blocks.len(), entries.len());
    let mut tree = Frontier::default();
    for (entry, block) in entries.iter().zip(blocks) {
        let leaf = merkle::leaf(&array::<32>(entry["hash"]));
        tree.push(leaf, |_, _| Ok::<_, ()>(())).unwrap();
        assert_eq!(hex(&tree.root()), block["root"]);
        let origin = origin("9999/ledger");
        let key = VerifierKey { origin: origin.clone(), key: array(block["public_key"]) };
        let note = String::from_utf8(bytes(block["note"])).unwrap();
        let checkpoint = Checkpoint { origin, size: tree.size(), root: tree.root() };
        assert_eq!(Checkpoint::open(&note, &key), Ok(checkpoint));
    }
}

/// A body like those of the platform shrinks to less than a quarter on disk, envelope, nonce and tag
/// included.
#[test]
fn small_bodies_shrink() {
    let key = DataKey::new(&Secret::new([1; 32]));
    let belonging = Belonging { ledger: "9999/ledger", person: None };
    let (_, largest) = blocks(BODIES)
        .iter()
        .map(|block| bytes(block["plain"]))
        .map(|plain| (plain.len(), plain))
        .max()
        .unwrap();
    let sealed = body::seal(&key, [0; 12], belonging, &largest).unwrap();
    assert!(sealed.len() * 4 < largest.len(), "{} of {}", sealed.len(), largest.len());
}
