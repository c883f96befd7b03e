//! The databases that ledgers are in: one connection to each, whichever municipalities it has.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::database::Database;

use crate::command::Failed;
use crate::config::{LedgerConfig, read_text};

/// Those that were asked for.
#[derive(Default)]
pub struct Databases(BTreeMap<LedgerConfig, Arc<Database>>);

impl Databases {
    /// The database that a configuration names. Nothing is connected yet.
    ///
    /// # Errors
    /// An address or a file that cannot be used.
    pub fn of(&mut self, config: &LedgerConfig) -> Result<Arc<Database>, Failed> {
        if let Some(known) = self.0.get(config) {
            return Ok(known.clone());
        }
        let password = config.password_file.as_deref().map(read_text).transpose()?;
        let roots = config.roots.as_deref().map(std::fs::read).transpose()?;
        let password = password.as_deref().map(str::trim_end);
        let database = Arc::new(Database::new(&config.url, password, roots.as_deref())?);
        self.0.insert(config.clone(), database.clone());
        Ok(database)
    }
}
