//! The public keys of a municipality's ledgers, in the clear beside its keys: whoever copies or verifies
//! ledgers needs no secret for it.
//!
//! They are for convenience and are no root of trust: whoever can write there can exchange them.
//! Compare with what was kept elsewhere.

use super::table::postgres::KeysSchema;
use super::table::sqlite::KeysFile;
use super::table::{Table, change};
use super::{CHECKPOINTS, Keys};
use crate::database::Database;
use crate::error::Error;
use crate::note::{VerifierKey, origin};
use crate::verify::PublicKeys;
use std::path::Path;
use std::sync::Arc;

const CHECKPOINT_KEY: &str = "public:checkpoints";

fn head_key(ledger: &str) -> String {
    format!("public:sign:{ledger}")
}

/// The public keys of `ledger` as they stand in the `keys.db` at `path`. Works beside a running server.
///
/// # Errors
/// [`Error::Storage`]; [`Error::Key`] where no version that writes them has opened the ledger yet.
pub fn published(path: &Path, ledger: &str) -> Result<PublicKeys, Error> {
    told(&mut KeysFile::read(path)?, ledger)
}

/// The public keys of `ledger` as they stand with the keys named `name` in `database` ([`Keys::open_in`]).
///
/// # Errors
/// [`Error::Database`]; [`Error::Key`] where no ledger was made with these keys yet.
pub fn published_in(
    database: &Arc<Database>,
    name: &str,
    ledger: &str,
) -> Result<PublicKeys, Error> {
    told(&mut KeysSchema::of(database.clone(), name)?, ledger)
}

fn told(table: &mut dyn Table, ledger: &str) -> Result<PublicKeys, Error> {
    let mut key = |name: &str| -> Result<[u8; 32], Error> {
        let key = table.meta(name)?.and_then(|key| key.try_into().ok());
        key.ok_or(Error::Key {
            what: "no public key stands beside the keys; start the server once with this version",
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
        change(&mut **self.table.lock(), |table| {
            table.put(&head_key(ledger), &keys.head)?;
            table.put(CHECKPOINT_KEY, &keys.checkpoints.key)
        })
    }
}
