//! Founding a municipality from an export: its ledgers are followed entry by entry into new ones, by the
//! ledger's own rules.
//!
//! Invariants: positions, times, sources, events, owners, persons and categories are what they were, and so are
//! versions of resources and persons' ids; what was erased is an entry whose content opens for nobody. Keys,
//! chain and signatures are new: the decision after the last entry that came along holds the signed checkpoints of the
//! ledgers that were left. The folder has its name only when all of it is there and on disk, and in a
//! database all schemas get theirs at once; until then it is called unfinished, and is begun anew.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use access::register::Register;
use ledger::append::{Appended, Draft, Sealing};
use ledger::clock::Clock;
use ledger::database::Database;
use ledger::database::unfinished::Unfinished;
use ledger::key_service::KeyService;
use ledger::keys::adopt::Known;
use ledger::keys::{Keys, PersonKey};
use ledger::ledger::{Ledger, LedgerOptions};
use parking_lot::RwLock;
use record::decision::{Change, Decision};
use record::entry::{Entry, Kind, Position};
use record::identity::PersonId;

use super::read::{Export, Item};
use super::write::sync_folder;
use super::{FILES, LEDGERS, UNFINISHED, failed, flaw, persons};
use crate::custody::{KEYS_FILE, make_private};
use crate::error::Failure;
use crate::tenant::{Environment, Tenant};

/// Action of a founding in the audit ledger.
const FOUND: &str = "admin-found";

/// Entries in a batch.
const AT_ONCE: usize = 1_000;
/// Bytes of bodies in a batch.
const BYTES_AT_ONCE: usize = 4 << 20;
/// Persons taken over in one transaction.
const PERSONS_AT_ONCE: usize = 1_000;

/// What a municipality is founded with, beside its export.
pub struct Founding<'a> {
    /// Its folder, which must not be there yet, or be empty.
    pub directory: &'a Path,
    /// The database that its keys and ledgers are to be in; in the folder where there is none.
    pub database: Option<&'a Database>,
    /// The register that the export's [`super::REGISTER`] holds.
    pub register: Register,
    /// Clock and randomness.
    pub environment: Environment,
    /// Who founds it: an administrator as the register knows them; where it knows nobody, any name.
    pub who: &'a str,
    /// Why.
    pub why: &'a str,
}

/// What was founded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Founded {
    /// Entries of the clinical ledger that came along.
    pub entries: u64,
    /// Entries of the log that came along.
    pub looks: u64,
    /// Persons who came along.
    pub persons: u64,
}

/// What keeps the key of the municipality in this folder.
pub type Custody<'a> = &'a dyn Fn(&Path) -> Result<Arc<dyn KeyService>, Failure>;

/// Founds a municipality from an export that was opened with its key. All of it is verified before anything is
/// made, and again as it is taken. `custody` is asked for the key of the folder in which it is made.
///
/// # Errors
/// The first flaw of the export, a folder that holds something, and whatever keeps ledgers from being made: then
/// there is no municipality, and what was begun is called unfinished.
pub async fn found(
    export: &Export,
    founding: Founding<'_>,
    custody: Custody<'_>,
) -> Result<Founded, Failure> {
    let to = founding.directory;
    if std::fs::read_dir(to).is_ok_and(|mut there| there.next().is_some()) {
        let path = to.display();
        return Err(Failure::Unavailable(format!(
            "`{path}` holds something already: a municipality is founded in a folder of its own"
        )));
    }
    export.check()?;
    let root = to.with_added_extension(UNFINISHED);
    if root.exists() {
        std::fs::remove_dir_all(&root).map_err(failed("taking away", &root))?;
    }
    let number = &export.manifest.municipality;
    let unfinished = founding.database.map(|it| begin(it, number)).transpose()?;
    make_private(&root)?;
    let place = Place { root: &root, database: unfinished.as_ref().map(Unfinished::database) };
    let founded = in_place(export, &founding, place, custody).await?;
    // First: a folder with its name beside a database without it would be taken for one that is new.
    unfinished.map_or(Ok(()), Unfinished::finish)?;
    std::fs::rename(&root, to).map_err(failed("naming the folder", to))?;
    sync_folder(to.parent().unwrap_or(Path::new("."))).map_err(failed("naming the folder", to))?;
    Ok(founded)
}

/// Where it is made until it is finished.
#[derive(Clone, Copy)]
struct Place<'a> {
    root: &'a Path,
    database: Option<&'a Arc<Database>>,
}

fn begin(database: &Database, number: &str) -> Result<Unfinished, Failure> {
    let names = ["keys", "ledger", "audit"].map(|kind| format!("{number}/{kind}"));
    Unfinished::begin(database, &names)?.ok_or_else(|| {
        Failure::Unavailable(format!(
            "the database has a municipality {number}, or a part of it, already: a municipality is founded where it is \
             not; where a founding was ended as it was finished, take `.{UNFINISHED}` off the name of its folder"
        ))
    })
}

async fn in_place(
    export: &Export,
    founding: &Founding<'_>,
    place: Place<'_>,
    custody: Custody<'_>,
) -> Result<Founded, Failure> {
    let root = place.root;
    let manifest = &export.manifest;
    for name in FILES {
        if manifest.files.iter().any(|it| it.name == name) {
            let path = root.join(name);
            std::fs::write(&path, export.file(name)?).map_err(failed("writing", &path))?;
        }
    }
    let service = custody(root)?;
    // A thread of its own, since it waits for the ledgers' writers.
    let followed = std::thread::scope(|scope| {
        scope.spawn(|| follow(export, founding, place, service.clone())).join()
    });
    let persons =
        followed.map_err(|_| Failure::Unavailable("the founding has ended".to_owned()))??;
    let Environment { clock, random } = founding.environment.clone();
    let environment = Environment { clock, random };
    let register = founding.register.clone();
    let tenant = match place.database {
        None => Tenant::open_with(root, register, environment, service)?,
        Some(database) => Tenant::open_in(root, register, environment, service, database)?,
    };
    let who = tenant.operator(founding.who)?;
    let change = Change::Continues {
        export: export.digest.clone(),
        keys: manifest.ledgers.iter().map(|it| it.key.clone()).collect(),
        checkpoints: manifest.ledgers.iter().map(|it| it.checkpoint.clone()).collect(),
    };
    tenant.operator_acts(FOUND, founding.who, founding.why).await?;
    tenant.record_decision(Decision::new(who, founding.why, change), None).await?;
    drop(tenant);
    let entries = |at: usize| manifest.ledgers.get(at).map_or(0, |it| it.entries);
    Ok(Founded { entries: entries(0), looks: entries(1), persons })
}

/// Follows both ledgers; the answer is how many persons there are.
fn follow(
    export: &Export,
    founding: &Founding<'_>,
    place: Place<'_>,
    service: Arc<dyn KeyService>,
) -> Result<u64, Failure> {
    let random = founding.environment.random.clone();
    let number = &export.manifest.municipality;
    let keys = Arc::new(match place.database {
        None => Keys::open(&place.root.join(KEYS_FILE), service, random.clone())?,
        Some(database) => {
            Keys::open_in(database, &format!("{number}/keys"), service, random.clone())?
        }
    });
    let persons = adopt(export, &keys)?;
    let times = Arc::new(Times::default());
    let open = |kind: &str| {
        let sealing = if kind == "ledger" { Sealing::PerPerson } else { Sealing::Ledger };
        let name = format!("{number}/{kind}");
        let options = LedgerOptions {
            clock: times.clone(),
            random: random.clone(),
            batch_drafts: AT_ONCE,
            ..LedgerOptions::new(name, keys.clone(), sealing)
        };
        match place.database {
            None => Ledger::open(&place.root.join(format!("{kind}.db")), options),
            Some(database) => Ledger::open_in(database, options),
        }
    };
    let mut following = BTreeMap::new();
    for (kind, lines) in LEDGERS {
        let ledger = open(kind)?;
        following
            .insert(kind, Following { ledger, lines, times: &times, drafts: Vec::new(), bytes: 0 });
    }
    export.walk(&mut |kind, item| match following.get_mut(kind) {
        Some(following) => following.take(item),
        None => Ok(()),
    })?;
    following.values_mut().try_for_each(Following::commit)?;
    Ok(persons)
}

/// Persons with their ids and numbers.
fn adopt(export: &Export, keys: &Keys) -> Result<u64, Failure> {
    let mut count = 0;
    let mut waiting: Vec<(PersonId, persons::Line)> = Vec::new();
    let mut take = |waiting: &mut Vec<(PersonId, persons::Line)>| {
        let persons: Vec<Known<'_>> = waiting.iter().map(known).collect();
        count += persons.len() as u64;
        keys.adopt(&persons)?;
        waiting.clear();
        Ok::<(), Failure>(())
    };
    export.persons(&mut |person, line| {
        waiting.push((person, line));
        if waiting.len() >= PERSONS_AT_ONCE { take(&mut waiting) } else { Ok(()) }
    })?;
    take(&mut waiting)?;
    Ok(count)
}

fn known((person, line): &(PersonId, persons::Line)) -> Known<'_> {
    let numbers = line.identifiers.iter();
    let numbers = numbers.map(|it| PersonKey { system: &it.system, value: &it.value });
    Known { person: *person, numbers: numbers.collect() }
}

/// When the entries that are on their way were recorded.
#[derive(Default)]
struct Times(RwLock<BTreeMap<Position, i64>>);

impl Clock for Times {
    fn now_ms(&self) -> i64 {
        i64::MIN
    }

    fn recorded(&self, position: Position, now: i64) -> i64 {
        self.0.read().get(&position).copied().unwrap_or(now)
    }
}

/// A ledger that follows another.
struct Following<'a> {
    ledger: Ledger,
    lines: &'static str,
    times: &'a Times,
    drafts: Vec<(Entry, Draft)>,
    bytes: usize,
}

impl Following<'_> {
    fn take(&mut self, item: Item) -> Result<(), Failure> {
        let Item { entry, body, fingerprint } = item;
        // A resealing is appended alone; what comes after an erasure is judged by it.
        let is_alone = entry.kind == Kind::Resealing;
        if is_alone {
            self.commit()?;
        }
        let draft = Draft {
            kind: entry.kind,
            source: entry.source.clone(),
            source_event_id: entry.source_event_id.clone(),
            owner: entry.owner.clone(),
            person: entry.person,
            category: entry.category.clone(),
            fingerprint,
            // What was erased is nothing until the entry comes that takes its key away, or takes it out.
            body: body.unwrap_or_default(),
            seen: None,
        };
        self.bytes += draft.body.len();
        let ends = is_alone || entry.kind == Kind::Erasure;
        self.drafts.push((entry, draft));
        if ends || self.drafts.len() >= AT_ONCE || self.bytes >= BYTES_AT_ONCE {
            self.commit()?;
        }
        Ok(())
    }

    /// Appends what waits, and sees to that each got the place and the time it had.
    fn commit(&mut self) -> Result<(), Failure> {
        self.bytes = 0;
        let (entries, drafts): (Vec<Entry>, Vec<Draft>) =
            std::mem::take(&mut self.drafts).into_iter().unzip();
        *self.times.0.write() = entries.iter().map(|it| (it.position, it.recorded_at)).collect();
        let appended = self.ledger.append_blocking(drafts)?;
        for (entry, appended) in entries.iter().zip(&appended) {
            let is_same = matches!(appended, Appended::New(new)
                if (new.position, new.recorded_at) == (entry.position, entry.recorded_at));
            if !is_same {
                return Err(flaw(
                    self.lines,
                    entry.position,
                    "the entry does not follow the one before",
                ));
            }
        }
        Ok(())
    }
}
