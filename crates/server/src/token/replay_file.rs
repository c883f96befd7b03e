//! Proofs seen lately in an SQLite file that the servers of one machine share.
//!
//! A proof is one row, and whether it was inserted is the answer: SQLite lets one writer in at a time, so
//! nothing lies between looking and remembering. A commit does not wait for the disk: what a power cut takes
//! away is too old to be let in again when the machine is up.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use parking_lot::Mutex;
use rusqlite::{Connection, params};

use crate::token::replay::{Proof, Replay, ReplayError};

/// Longest wait for another server that writes.
const PATIENCE: Duration = Duration::from_millis(500);

/// Seconds between two removals of what has expired.
const SWEEP: i64 = 5;

/// The file.
pub struct Shared {
    database: Arc<Mutex<Database>>,
}

struct Database {
    connection: Connection,
    swept: i64,
}

impl Shared {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// Where it cannot be opened or is something else.
    pub fn open(path: &Path) -> Result<Self, ReplayError> {
        let open = || {
            let connection = Connection::open(path)?;
            connection.busy_timeout(PATIENCE)?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "NORMAL")?;
            connection.execute_batch(
                "CREATE TABLE IF NOT EXISTS proof (
                     id BLOB PRIMARY KEY, until INTEGER NOT NULL
                 ) STRICT, WITHOUT ROWID;
                 CREATE INDEX IF NOT EXISTS proof_until ON proof (until);
                 CREATE TABLE IF NOT EXISTS secret (
                     only INTEGER PRIMARY KEY CHECK (only = 1), value BLOB NOT NULL
                 ) STRICT;",
            )?;
            Ok(connection)
        };
        let connection = open().map_err(failed)?;
        let database = Database { connection, swept: 0 };
        Ok(Self { database: Arc::new(Mutex::new(database)) })
    }

    /// The secret behind nonces that the servers share: `fresh`, where none has brought one before.
    ///
    /// # Errors
    /// Where the file cannot be read or written.
    pub fn secret(&self, fresh: &[u8; 32]) -> Result<[u8; 32], ReplayError> {
        let connection = &self.database.lock().connection;
        let insert = "INSERT INTO secret VALUES (1, ?1) ON CONFLICT DO NOTHING";
        connection.execute(insert, [fresh]).map_err(failed)?;
        connection.query_row("SELECT value FROM secret", [], |row| row.get(0)).map_err(failed)
    }
}

impl Replay for Shared {
    fn is_first(&self, proof: Proof, now: i64) -> BoxFuture<'_, Result<bool, ReplayError>> {
        let database = self.database.clone();
        async move {
            // The file may be locked by another server, and a thread that serves must not wait for it.
            let inserted = tokio::task::spawn_blocking(move || database.lock().insert(proof, now));
            inserted.await.map_err(|error| ReplayError(error.to_string()))?.map_err(failed)
        }
        .boxed()
    }
}

impl Database {
    fn insert(&mut self, proof: Proof, now: i64) -> rusqlite::Result<bool> {
        if now >= self.swept.saturating_add(SWEEP) {
            self.connection
                .prepare_cached("DELETE FROM proof WHERE until < ?1")?
                .execute(params![now - SWEEP])?;
            self.swept = now;
        }
        let inserted = self
            .connection
            .prepare_cached("INSERT INTO proof (id, until) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
            .execute(params![proof.id, proof.until])?;
        Ok(inserted == 1)
    }
}

fn failed(error: rusqlite::Error) -> ReplayError {
    ReplayError(error.to_string())
}
