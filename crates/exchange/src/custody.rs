//! Who keeps the municipality's key, and the log of its being exchanged.
//!
//! Invariant: an exchange is in the audit ledger, with who and why, before it is begun.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use access::caller::{Caller, Party};
use ledger::key_service::{FileKey, KeyService};
use ledger::random::Random;
use record::decision::ADMINISTRATION;

use crate::audit::{AuditRecord, Deed};
use crate::error::Failure;
use crate::register::change::{SOURCE, check_reason};
use crate::tenant::Tenant;

/// Name of the file with the municipality's keys, in its folder.
pub const KEYS_FILE: &str = "keys.db";

/// Name of the file with the municipality's own key, in its folder, where nothing else is configured.
pub const KEY_FILE: &str = "municipality.key";

/// Action of an exchange in the audit ledger.
const EXCHANGE: &str = "admin-keys-rotate";

/// The municipality's key in a file in its folder; made with the folder, and never beside keys that are
/// there.
///
/// # Errors
/// A file that is missing or no key.
pub fn own_key(directory: &Path, random: &Arc<dyn Random>) -> Result<Arc<dyn KeyService>, Failure> {
    make_private(directory)?;
    let path = directory.join(KEY_FILE);
    let key = match directory.join(KEYS_FILE).exists() {
        true => FileKey::read(&path, random.clone())?,
        false => FileKey::open(&path, random.clone())?,
    };
    Ok(Arc::new(key))
}

/// The folder, open to the server's own user only.
pub(crate) fn make_private(directory: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(directory)
        .and_then(|()| std::fs::set_permissions(directory, Permissions::from_mode(0o700)))
        .map_err(|error| {
            Failure::Unavailable(format!("cannot make `{}`: {error}", directory.display()))
        })
}

impl Tenant {
    /// Writes down that an operator is about to exchange the municipality's key, and why. `who` is an
    /// administrator as the register knows them, by login or name; where it knows nobody who may change it, any
    /// name.
    ///
    /// # Errors
    /// Somebody whom the register does not know, no reason, and whatever keeps the log from being written.
    pub async fn exchanging_key(&self, who: &str, why: &str) -> Result<(), Failure> {
        self.operator_acts(EXCHANGE, who, why).await
    }

    /// Writes down what an operator is about to do with the municipality's files in hand, and why.
    pub(crate) async fn operator_acts(
        &self,
        action: &str,
        who: &str,
        why: &str,
    ) -> Result<(), Failure> {
        check_reason(why)?;
        let who = self.operator(who)?;
        let caller = Caller {
            client_id: SOURCE.to_owned(),
            organisation: Some(self.register().organisation.clone()),
            unit: None,
            supplier: None,
            token_id: String::new(),
            scopes: None,
            party: Party::System,
        };
        let deed = Deed { action, categories: &[ADMINISTRATION], ..Deed::default() };
        let record = AuditRecord::of_operator(&caller, &deed, &who, why);
        self.record_audit(&caller, vec![(None, record)]).await
    }
}
