//! Where a municipality's keys and ledgers lie: in its folder, for one server alone, or in a database that several
//! servers share.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use ledger::append::Sealing;
use ledger::database::Database;
use ledger::key_service::KeyService;
use ledger::keys::Keys;
use ledger::ledger::{Ledger, LedgerOptions};

use crate::custody::KEYS_FILE;
use crate::error::Failure;
use crate::looks::Looks;
use crate::projection::Arrived;
use crate::tenant::Environment;

/// The file with the clinical ledger, in the folder of a municipality that has it there.
const LEDGER_FILE: &str = "ledger.db";

/// What is true of a municipality, open.
pub(crate) struct Stores {
    pub(crate) keys: Arc<Keys>,
    pub(crate) ledger: Ledger,
    pub(crate) audit: Ledger,
    /// Where the others are shared.
    pub(crate) looks: Option<Looks>,
}

/// What every store of a municipality is opened with.
pub(crate) struct Opening<'a> {
    pub(crate) directory: &'a Path,
    pub(crate) number: &'a str,
    pub(crate) environment: &'a Environment,
    pub(crate) service: Arc<dyn KeyService>,
}

impl Opening<'_> {
    /// Those in the folder. What is committed is sent on.
    pub fn in_folder(self, commits: Sender<Arrived>) -> Result<Stores, Failure> {
        let random = self.environment.random.clone();
        let path = self.directory.join(KEYS_FILE);
        let keys = Arc::new(Keys::open(&path, self.service.clone(), random)?);
        let clinical = LedgerOptions {
            // The projection outlives the ledger; a closed channel means that it has ended.
            on_commit: Some(Box::new(move |batch| drop(commits.send(Arrived::Committed(batch))))),
            ..self.options(&keys, "ledger", Sealing::PerPerson)
        };
        let ledger = Ledger::open(&self.directory.join(LEDGER_FILE), clinical)?;
        let audit = self.options(&keys, "audit", Sealing::Ledger);
        let audit = Ledger::open(&self.directory.join("audit.db"), audit)?;
        Ok(Stores { keys, ledger, audit, looks: None })
    }

    /// Those in a database. What is committed, here or by others, is read back from it.
    pub fn in_database(self, database: &Arc<Database>) -> Result<Stores, Failure> {
        if self.directory.join(LEDGER_FILE).exists() {
            return Err(Failure::Unavailable(format!(
                "`{}` has a ledger of its own; give a municipality that is in a database another folder",
                self.directory.display()
            )));
        }
        let random = &self.environment.random;
        let (service, name) = (self.service.clone(), format!("{}/keys", self.number));
        let keys = database
            .open_when_there(|| Keys::open_in(database, &name, service.clone(), random.clone()))?;
        let keys = Arc::new(keys);
        let open = |name: &str, sealing: Sealing| {
            database
                .open_when_there(|| Ledger::open_in(database, self.options(&keys, name, sealing)))
        };
        let ledger = open("ledger", Sealing::PerPerson)?;
        let audit = open("audit", Sealing::Ledger)?;
        let looks =
            Looks::open(self.directory, random, |name| self.options(&keys, name, Sealing::Ledger))?;
        Ok(Stores { keys, ledger, audit, looks: Some(looks) })
    }

    fn options(&self, keys: &Arc<Keys>, name: &str, sealing: Sealing) -> LedgerOptions {
        LedgerOptions {
            clock: self.environment.clock.clone(),
            random: self.environment.random.clone(),
            ..LedgerOptions::new(format!("{}/{name}", self.number), keys.clone(), sealing)
        }
    }
}
