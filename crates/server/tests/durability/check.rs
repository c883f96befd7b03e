//! The whole folder, with the server ended: every event against what the outside knows, the chain, the log
//! of looks, and the view against one made anew.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use access::register::Register;
use exchange::tenant::{Environment, Tenant, rebuild_view};
use ledger::append::Body;
use ledger::clock::SystemClock;
use ledger::random::SystemRandom;
use record::entry::Kind;
use record::envelope::Envelope;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde_json::Value;

use crate::load::{Known, Sent};

/// Entries read at a time.
const STEP: usize = 1_000;

fn environment() -> Environment {
    Environment { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom) }
}

fn register(folder: &Path) -> Register {
    toml::from_str(&std::fs::read_to_string(folder.join("register.toml")).unwrap()).unwrap()
}

/// Checks the folder of a municipality; answers how many entries its two ledgers have.
pub fn check(folder: &Path, known: &Known) -> u64 {
    let tenant = Tenant::open(folder, register(folder), environment()).unwrap();
    let mut entries = 0;
    for (name, ledger) in [("ledger", tenant.ledger()), ("audit", tenant.audit())] {
        let report = ledger.verify(|_, _| {}).unwrap();
        assert!(report.is_sound(), "{name}: {:?}", report.faults);
        entries += report.entries;
    }
    events(&tenant, known);
    looks(&tenant, known);
    drop(tenant);
    let live = dump(&folder.join("view.db")).unwrap();
    rebuild_view(folder, register(folder), environment()).unwrap();
    let anew = dump(&folder.join("view.db")).unwrap();
    if live != anew {
        let only = |one: &[String], other: &[String]| -> Vec<String> {
            let other: BTreeSet<&String> = other.iter().collect();
            one.iter().filter(|row| !other.contains(row)).take(5).cloned().collect()
        };
        let (live, anew) = (only(&live, &anew), only(&anew, &live));
        assert_eq!(live, anew, "the live view (left) is not the one made anew");
    }
    entries
}

/// Whether the view of a folder, once it is opened, is another than one made anew, or cannot be opened at all.
pub fn is_torn(folder: &Path) -> bool {
    let path = folder.join("view.db");
    if Tenant::open(folder, register(folder), environment()).is_err() {
        return true;
    }
    let Ok(live) = dump(&path) else { return true };
    rebuild_view(folder, register(folder), environment()).unwrap();
    live != dump(&path).unwrap()
}

/// Every event that was acknowledged once, no transaction by half, nothing that nobody sent.
fn events(tenant: &Tenant, known: &Known) {
    let mut places: BTreeMap<String, u64> = BTreeMap::new();
    let mut groups: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    let mut from = 1;
    loop {
        let records = tenant.ledger().read(from, STEP).unwrap();
        let Some(last) = records.last() else { break };
        from = last.entry.position + 1;
        for record in records {
            let Body::Plain(body) = record.body else { continue };
            if record.entry.kind != Kind::Version {
                continue;
            }
            let resource: Value = serde_json::from_slice(Envelope::open(&body).unwrap().1).unwrap();
            let identifier = &resource["identifier"][0];
            if identifier["system"] != "urn:test" {
                continue;
            }
            let tag = identifier["value"].as_str().unwrap().to_owned();
            let Sent { group, value } = known.sent[&tag].clone();
            assert_eq!(resource["valueQuantity"]["value"], value, "{tag}");
            if let Some(group) = group {
                groups.entry(group).or_default().push(record.entry.position);
            }
            let earlier = places.insert(tag.clone(), record.entry.position);
            assert_eq!(earlier, None, "{tag} is there twice");
        }
    }
    for (group, positions) in groups {
        let is_whole = matches!(positions[..], [a, b, c] if b == a + 1 && c == b + 1);
        assert!(is_whole, "transaction {group}: {positions:?}");
    }
    let lost: Vec<_> = known.acknowledged.iter().filter(|tag| !places.contains_key(*tag)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
}

/// Every look that was answered is in the log.
fn looks(tenant: &Tenant, known: &Known) {
    let mut logged = BTreeSet::new();
    let mut from = 1;
    loop {
        let records = tenant.audit_records(from, STEP).unwrap();
        let Some((last, _)) = records.last() else { break };
        from = last.position + 1;
        logged.extend(records.into_iter().filter_map(|(_, record)| record.request));
    }
    let missing: Vec<_> = known.answered.difference(&logged).collect();
    assert!(missing.is_empty(), "answered and not logged: {missing:?}");
}

/// Every row of every table, as text, in order.
fn dump(path: &Path) -> rusqlite::Result<Vec<String>> {
    let connection = Connection::open(path)?;
    let mut select = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
    let names: Vec<String> = select.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut rows = Vec::new();
    for name in names {
        let mut select = connection.prepare(&format!("SELECT * FROM {name}"))?;
        let columns = select.column_count();
        let mut found = select.query([])?;
        while let Some(row) = found.next()? {
            let cells = (0..columns).map(|column| match row.get_ref(column).unwrap() {
                ValueRef::Null => "-".to_owned(),
                ValueRef::Integer(number) => number.to_string(),
                ValueRef::Real(number) => number.to_string(),
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.escape_ascii().to_string(),
            });
            rows.push(format!("{name}: {}", cells.collect::<Vec<_>>().join(" | ")));
        }
    }
    rows.sort();
    Ok(rows)
}
