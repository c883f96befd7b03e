//! The public keys of a municipality's ledgers, in the clear in `keys.db`: whoever copies or verifies
//! the files needs no secret for it.
//!
//! They are for convenience and are no root of trust: whoever can write the file can exchange them.
//! Compare with what was kept elsewhere.

use super::{CHECKPOINTS, Keys, meta};
use crate::error::Error;
use crate::note::{VerifierKey, origin};
use crate::store;
use crate::verify::PublicKeys;
use rusqlite::{Connection, params};
use std::path::Path;

const CHECKPOINT_KEY: &str = "public:checkpoints";

fn head_key(ledger: &str) -> String {
    format!("public:sign:{ledger}")
}

/// The public keys of `ledger` as they stand in the `keys.db` at `path`. Works beside a running server.
///
/// # Errors
/// [`Error::Storage`]; [`Error::Key`] where no version that writes them has opened the ledger yet.
pub fn published(path: &Path, ledger: &str) -> Result<PublicKeys, Error> {
    std::fs::metadata(path).map_err(Error::file("opening keys.db"))?;
    let connection = store::open_readable(path)?;
    let key = |name: &str| -> Result<[u8; 32], Error> {
        let key = meta(&connection, name)?.and_then(|key| key.try_into().ok());
        key.ok_or(Error::Key {
            what: "no public key stands in keys.db; start the server once with this version",
        })
    };
    Ok(PublicKeys {
        head: key(&head_key(ledger))?,
        checkpoints: VerifierKey { origin: origin(ledger), key: key(CHECKPOINT_KEY)? },
    })
}

impl Keys {
    /// Writes the public keys of `ledger` where [`published`] finds them.
    pub(crate) fn publish(&self, ledger: &str) -> Result<(), Error> {
        let keys = PublicKeys::of(self, ledger)?;
        debug_assert_eq!(CHECKPOINT_KEY, format!("public:{CHECKPOINTS}"));
        let connection = self.connection.lock();
        put(&connection, &head_key(ledger), &keys.head)?;
        put(&connection, CHECKPOINT_KEY, &keys.checkpoints.key)
    }
}

fn put(connection: &Connection, name: &str, key: &[u8; 32]) -> Result<(), Error> {
    connection
        .execute(
            "INSERT INTO meta(name, value) VALUES (?1, ?2)
             ON CONFLICT(name) DO UPDATE SET value = excluded.value WHERE value <> excluded.value",
            params![name, key],
        )
        .map(drop)
        .map_err(Error::storage("publishing a public key"))
}
