//! Measures appends beside bare SQLite: `cargo run --release -p ledger --example append_speed [folder]`.
//!
//! Bare SQLite puts the same plain bytes into one table, with the same settings, in transactions of
//! the very sizes that the ledger's batches had. Drafts are made before the time starts; sealing is
//! within it.

use ledger::append::{Committed, Draft, Sealing};
use ledger::crypto::{Secret, sha256};
use ledger::key_service::FileKey;
use ledger::keys::{Keys, PersonKey};
use ledger::ledger::{Ledger, LedgerOptions};
use ledger::random::SystemRandom;
use record::entry::Kind;
use record::identity::PersonId;
use rusqlite::{Connection, params};
use std::error::Error;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Instant;

mod synthetic;

const PERSONS: u64 = 2000;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).map_or_else(std::env::temp_dir, Into::into);
    let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
    println!(
        "{:24} {:>9} {:>9} {:>6} {:>8} {:>8}",
        "", "ledger/s", "bare/s", "ratio", "batch", "B/entry"
    );
    for (name, appenders, group, count) in [
        ("1 appender, single", 1, 1, 1500),
        ("32 appenders, single", 32, 1, 30_000),
        ("512 appenders, single", 512, 1, 60_000),
        ("1 appender, groups 500", 1, 500, 60_000),
        ("4 appenders, groups 500", 4, 500, 60_000),
    ] {
        let dir = tempfile::tempdir_in(&folder)?;
        let (rate, batches) = ours(&runtime, dir.path(), appenders, group, count)?;
        let bytes = std::fs::metadata(dir.path().join("ledger.db"))?.len() / count;
        let bare = bare(dir.path(), &batches, "position INTEGER PRIMARY KEY", false)?;
        let batch = count as f64 / batches.len() as f64;
        let ratio = rate / bare;
        println!("{name:24} {rate:>9.0} {bare:>9.0} {ratio:>6.2} {batch:>8.1} {bytes:>8}");
    }
    let dir = tempfile::tempdir_in(&folder)?;
    let batches = vec![500; 400];
    let by_position = bare(dir.path(), &batches, "position INTEGER PRIMARY KEY", false)?;
    std::fs::remove_file(dir.path().join("bare.db"))?;
    let by_hash = bare(dir.path(), &batches, "hash BLOB PRIMARY KEY", true)?;
    println!("bodies by position {by_position:.0}/s, by hash {by_hash:.0}/s (200 000 rows, plain)");
    Ok(())
}

fn drafts(person: &[PersonId], from: u64, count: u64) -> Vec<Draft> {
    (from..from + count)
        .map(|n| {
            let body = synthetic::body(n);
            Draft {
                seen: None,
                kind: Kind::Version,
                source: "velferd-1".to_owned(),
                source_event_id: Some(synthetic::Draw(n).uuid()),
                owner: "974760673".to_owned(),
                person: person.get((n % PERSONS) as usize).copied(),
                category: "vital-signs".to_owned(),
                fingerprint: sha256(&[&body]),
                body,
            }
        })
        .collect()
}

/// Drafts per second, and the size of each batch.
fn ours(
    runtime: &tokio::runtime::Runtime,
    dir: &Path,
    appenders: u64,
    group: u64,
    count: u64,
) -> Result<(f64, Vec<usize>), Box<dyn Error>> {
    let random = Arc::new(SystemRandom);
    let service = Arc::new(FileKey::in_memory(Secret::new([7; 32]), random.clone()));
    let keys = Arc::new(Keys::open(&dir.join("keys.db"), service, random)?);
    let numbers: Vec<String> = (0..PERSONS).map(|n| format!("{n:011}")).collect();
    let numbers: Vec<PersonKey<'_>> =
        numbers.iter().map(|value| PersonKey { system: "test", value }).collect();
    let persons = keys.resolve(&numbers)?;
    let (sizes, sink) = mpsc::channel();
    let mut options = LedgerOptions::new("speed", keys, Sealing::PerPerson);
    options.on_commit = Some(Box::new(move |batch: Arc<[Committed]>| {
        let _ = sizes.send(batch.len());
    }));
    let ledger = Arc::new(Ledger::open(&dir.join("ledger.db"), options)?);
    let each = count / appenders;
    let work: Vec<Vec<Vec<Draft>>> = (0..appenders)
        .map(|n| {
            drafts(&persons, n * each, each).chunks(group as usize).map(<[Draft]>::to_vec).collect()
        })
        .collect();
    let start = Instant::now();
    runtime.block_on(async {
        let tasks: Vec<_> = work
            .into_iter()
            .map(|groups| {
                let ledger = ledger.clone();
                tokio::spawn(async move {
                    for group in groups {
                        ledger.append(group).await?;
                    }
                    Ok::<_, ledger::error::Error>(())
                })
            })
            .collect();
        for task in tasks {
            task.await??;
        }
        Ok::<_, Box<dyn Error>>(())
    })?;
    let seconds = start.elapsed().as_secs_f64();
    drop(ledger);
    Ok(((each * appenders) as f64 / seconds, sink.iter().collect()))
}

/// Rows per second into one table of plain bytes.
fn bare(dir: &Path, batches: &[usize], key: &str, by_hash: bool) -> Result<f64, Box<dyn Error>> {
    let mut connection = Connection::open(dir.join("bare.db"))?;
    connection.execute_batch(&format!(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;
         PRAGMA cache_size = -16384; CREATE TABLE body({key}, bytes BLOB NOT NULL);"
    ))?;
    let mut bodies = (0..20_000).map(synthetic::body).collect::<Vec<_>>().into_iter().cycle();
    let mut waiting: Vec<Vec<u8>> = Vec::new();
    let (mut position, mut seconds) = (0_i64, 0.0);
    for batch in batches {
        waiting.clear();
        waiting.extend(bodies.by_ref().take(*batch));
        let start = Instant::now();
        let tx = connection.transaction()?;
        {
            let mut insert = tx.prepare_cached("INSERT INTO body VALUES (?1, ?2)")?;
            for body in &waiting {
                position += 1;
                if by_hash {
                    insert.execute(params![sha256(&[&position.to_be_bytes()]), body])?;
                } else {
                    insert.execute(params![position, body])?;
                }
            }
        }
        tx.commit()?;
        seconds += start.elapsed().as_secs_f64();
    }
    Ok(position as f64 / seconds)
}
