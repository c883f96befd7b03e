//! The same bytes into bare SQLite: one table with key and body, WAL, synchronous=FULL. The key is
//! text, as the source's own identifier is.

use std::path::Path;
use std::time::Instant;

use rusqlite::{Connection, params};

/// Inserts the resources, so many in a transaction, and gives resources a second.
pub fn inserts(path: &Path, resources: &[String], batch: usize) -> Result<f64, String> {
    insert(path, resources, batch).map_err(|error| format!("bare SQLite: {error}"))
}

fn insert(path: &Path, resources: &[String], batch: usize) -> rusqlite::Result<f64> {
    let mut connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE resource (key TEXT PRIMARY KEY, body BLOB NOT NULL);",
    )?;
    let keys: Vec<String> = (0..resources.len()).map(|i| format!("Observation:{i:032x}")).collect();
    let rows: Vec<(&String, &String)> = keys.iter().zip(resources).collect();
    let begun = Instant::now();
    for batch in rows.chunks(batch.max(1)) {
        let transaction = connection.transaction()?;
        {
            let mut insert =
                transaction.prepare_cached("INSERT INTO resource (key, body) VALUES (?1, ?2)")?;
            for (key, body) in batch {
                insert.execute(params![key, body.as_bytes()])?;
            }
        }
        transaction.commit()?;
    }
    Ok(resources.len() as f64 / begun.elapsed().as_secs_f64())
}
