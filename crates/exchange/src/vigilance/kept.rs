//! What is kept of the analysis between runs: how far it has come, habits, findings, and accesses in use.
//! One sealed file, replaced whole; without it everything is made again from the log.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use access::vigilance::day::Day;
use access::vigilance::finding::Finding;
use access::vigilance::memory::Memory;
use parking_lot::{Mutex, RwLock};
use record::entry::Position;
use record::identity::PersonId;
use serde::{Deserialize, Serialize};
use view::store::View;

use crate::error::Failure;

/// Name of the file.
const FILE: &str = "vigilance";

/// Format of the file; another is thrown away.
const VERSION: u8 = 1;

/// What is kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    v: u8,
    /// The last entry of the audit ledger that is analysed.
    pub position: Position,
    /// The last day that is analysed.
    pub day: Day,
    /// Habits.
    pub memory: Memory,
    /// Findings by id.
    pub findings: BTreeMap<String, Finding>,
    /// Accesses in use, by what makes them one.
    pub accesses: BTreeMap<String, Access>,
}

/// Somebody has used an access: at a unit, in a role, with a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// Id: the first entry of the log in which it was used.
    pub id: Position,
    /// Who, as in the log.
    pub who: String,
    /// The employee's name.
    pub name: String,
    /// Profession, kodeverk 9060, as attested.
    pub profession: Option<String>,
    /// Organisation number of the unit, as attested.
    pub unit: String,
    /// Key of the role.
    pub role: String,
    /// Client of the token.
    pub client: String,
    /// When it was first used.
    pub first: Day,
    /// When it was last used.
    pub last: Day,
    /// How many looks.
    pub looks: u64,
}

impl Kept {
    /// Lets go of looks at these persons; `true` where there were any.
    pub(super) fn forget(&mut self, erased: &BTreeSet<PersonId>) -> bool {
        let before = self.findings.len();
        self.findings.retain(|_, it| it.person.is_none_or(|person| !erased.contains(&person)));
        let habits = erased.iter().filter(|it| self.memory.let_go(&it.to_string())).count();
        habits > 0 || self.findings.len() < before
    }
}

/// What the analysis has found so far, and whose turn it is to go on.
#[derive(Default)]
pub struct Vigilance {
    kept: RwLock<Option<Arc<Kept>>>,
    /// Held by the one run that goes on.
    pub(super) running: Mutex<()>,
}

impl Vigilance {
    /// What is kept, read from its file the first time.
    pub(super) fn get(&self, directory: &Path, view: &View) -> Arc<Kept> {
        if let Some(kept) = self.kept.read().clone() {
            return kept;
        }
        let mut held = self.kept.write();
        held.get_or_insert_with(|| Arc::new(read(directory, view).unwrap_or_default())).clone()
    }

    /// Keeps what a run has come to, on disk first.
    pub(super) fn set(&self, directory: &Path, view: &View, kept: Kept) -> Result<(), Failure> {
        let kept = Kept { v: VERSION, ..kept };
        let json = serde_json::to_string(&kept)
            .map_err(|error| Failure::Unavailable(error.to_string()))?;
        let sealed = view.seal_place(FILE, &json)?;
        write(&directory.join(FILE), &sealed).map_err(|error| {
            Failure::Unavailable(format!("cannot write in `{}`: {error}", directory.display()))
        })?;
        *self.kept.write() = Some(Arc::new(kept));
        Ok(())
    }
}

/// What the file holds; nothing where it is not there, or is not one of these.
fn read(directory: &Path, view: &View) -> Option<Kept> {
    let path = directory.join(FILE);
    let sealed = fs::read_to_string(&path).ok()?;
    let opened = view.open_place(FILE, &sealed).ok();
    let kept = opened.and_then(|json| serde_json::from_str::<Kept>(&json).ok());
    let kept = kept.filter(|kept| kept.v == VERSION);
    if kept.is_none() {
        tracing::warn!(file = %path.display(), "the log is analysed anew: the file cannot be read");
    }
    kept
}

/// Writes beside and renames, so that a crash leaves the old or the new.
pub(super) fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    let mut new = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    new.write_all(text.as_bytes())?;
    new.sync_data()?;
    fs::rename(beside, path)
}
