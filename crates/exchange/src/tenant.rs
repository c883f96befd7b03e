//! One municipality: its ledgers, keys, view and register. Everything below takes no municipality
//! number, so that a read across municipalities cannot be written.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvError, Sender, TryRecvError};
use std::thread::JoinHandle;
use std::time::Duration;

use access::register::Register;
use access::standing::Standing;
use ledger::append::{Committed, Record, Sealing};
use ledger::clock::Clock;
use ledger::key_service::KeyService;
use ledger::keys::Keys;
use ledger::ledger::{Ledger, LedgerOptions};
use ledger::random::Random;
use record::entry::{Kind, Position};
use record::identity::PersonId;
use tokio::sync::{broadcast, watch};
use view::added::Walked;
use view::project::Projector;
use view::store::View;
use view::trace::Traces;

use crate::added::Added;
use crate::bulk::job::Jobs;
use crate::consent::fold::Restrictions;
use crate::custody::{KEYS_FILE, make_private, own_key};
use crate::error::Failure;
use crate::locks::Locks;
use crate::power;
use crate::register::fold::Folded;
use crate::register::follow::{Decided, Follower, founding, tell_difference};
use crate::standing::Holder;
use crate::vigilance::kept::Vigilance;

/// How long a submission waits for the view before it answers that it is not visible yet.
const VISIBLE_WITHIN: Duration = Duration::from_secs(5);

/// Entries read from the ledger at a time while the view catches up.
const CATCH_UP: usize = 1_000;

/// Resources read at a time for added search parameters, while nothing is waiting to be projected: some
/// milliseconds, which what arrives meanwhile waits.
const STEP: usize = 200;

/// The largest view, in bytes, that is written anew while it is in use: a second or two, which what arrives
/// meanwhile waits.
const LARGE: u64 = 256 << 20;

/// Where time and randomness come from.
#[derive(Clone)]
pub struct Environment {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness for ids, keys and nonces.
    pub random: Arc<dyn Random>,
}

/// Told to those who watch: something about this person is now visible.
#[derive(Clone, Debug)]
pub struct Change {
    /// Whom it is about.
    pub person: Option<PersonId>,
    /// Key of the category.
    pub category: String,
    /// Ledger position.
    pub position: Position,
}

/// One municipality, open.
pub struct Tenant {
    pub(crate) standing: Arc<Holder>,
    decided: Decided,
    /// Held from judging an administrative decision until it is in force.
    pub(crate) deciding: tokio::sync::Mutex<()>,
    pub(crate) ledger: Ledger,
    pub(crate) audit: Ledger,
    pub(crate) keys: Arc<Keys>,
    pub(crate) view: View,
    pub(crate) environment: Environment,
    /// On resources.
    pub(crate) locks: Locks,
    /// On a person's OKT list; always taken before the others.
    pub(crate) lists: Locks,
    /// Search parameters beside R4's.
    pub(crate) added: Added,
    /// Exports and imports.
    pub(crate) jobs: Jobs,
    /// On search criteria of conditional writes; always taken before those on resources.
    pub(crate) conditions: Locks,
    /// What the analysis of the log has found.
    pub(crate) vigilance: Vigilance,
    changes: broadcast::Sender<Change>,
    visible: watch::Receiver<Position>,
    directory: PathBuf,
    // Keeps the projection, and so the reading, where the ledger's writer has stopped.
    _commits: Sender<Arc<[Committed]>>,
    // Dropped after the ledger and the sender, whose end closes the channel that the projection reads.
    _projection: Projection,
}

/// The projection thread; dropping waits for its end, and sees to that what it wrote is on disk.
struct Projection {
    thread: Option<JoinHandle<()>>,
    directory: PathBuf,
}

impl Tenant {
    /// As [`Tenant::open_with`], with the municipality's key in a file in the folder.
    pub fn open(
        directory: &Path,
        register: Register,
        environment: Environment,
    ) -> Result<Self, Failure> {
        let service = own_key(directory, &environment.random)?;
        Self::open_with(directory, register, environment, service)
    }

    /// Opens the municipality in `directory`, or makes it, and brings the view up to the ledger. A new one is
    /// founded from `register`; of one that is there the ledger says what holds. Its keys are wrapped by
    /// `service`.
    pub fn open_with(
        directory: &Path,
        register: Register,
        environment: Environment,
        service: Arc<dyn KeyService>,
    ) -> Result<Self, Failure> {
        let number = register.number.clone();
        make_private(directory)?;
        let random = environment.random.clone();
        let keys = Arc::new(Keys::open(&directory.join(KEYS_FILE), service, random)?);
        power::begin(directory)?;
        let (commits, arrived) = std::sync::mpsc::channel::<Arc<[Committed]>>();
        let to_projection = commits.clone();
        let options = |kind: &str, sealing| LedgerOptions {
            clock: environment.clock.clone(),
            random: environment.random.clone(),
            ..LedgerOptions::new(format!("{number}/{kind}"), keys.clone(), sealing)
        };
        let clinical = LedgerOptions {
            // The projection thread outlives the ledger; a closed channel means that it has ended.
            on_commit: Some(Box::new(move |batch| drop(to_projection.send(batch)))),
            ..options("ledger", Sealing::PerPerson)
        };
        let ledger = Ledger::open(&directory.join("ledger.db"), clinical)?;
        let audit = Ledger::open(&directory.join("audit.db"), options("audit", Sealing::Ledger))?;
        let index_key = keys.index_key();
        let view_path = directory.join("view.db");
        let mut projector = projected(&ledger, &view_path, index_key)?;
        let view = View::open(&view_path, index_key)?;
        let decisions = follow(directory, &register, &ledger, &view, &mut projector)?;
        let (standing, decided) = (decisions.standing(), decisions.decided());
        let restrictions =
            Restrictions::open(View::open(&view_path, index_key)?, standing.clone())?;
        let followers = Followers { decisions, restrictions };
        let (reached, visible) = watch::channel(projector.position());
        let (changes, _) = broadcast::channel(1024);
        let tell = Tell { reached, announce: changes.clone() };
        let projection = std::thread::Builder::new()
            .name("projection".to_owned())
            .spawn(move || project(&arrived, projector, followers, &tell))
            .map_err(|error| Failure::Unavailable(format!("cannot start a thread: {error}")))?;
        let tenant = Self {
            standing,
            decided,
            deciding: tokio::sync::Mutex::default(),
            ledger,
            audit,
            keys,
            view,
            environment,
            locks: Locks::default(),
            lists: Locks::default(),
            added: Added::new(),
            jobs: Jobs::open(&directory.join("jobs")),
            conditions: Locks::default(),
            vigilance: Vigilance::default(),
            changes,
            visible,
            directory: directory.to_owned(),
            _commits: commits,
            _projection: Projection { thread: Some(projection), directory: directory.to_owned() },
        };
        tenant.let_go_of_erased()?;
        Ok(tenant)
    }

    /// What decisions rest on now.
    pub fn standing(&self) -> Arc<Standing> {
        self.standing.get()
    }

    /// What the municipality has decided.
    pub fn register(&self) -> Arc<Register> {
        self.standing().register().clone()
    }

    /// What the municipality has decided, with who, when and why.
    pub fn decided(&self) -> Arc<Folded> {
        self.decided.read().clone()
    }

    /// Puts another standing in force at once, made from the one before.
    pub fn exchange_standing<E>(
        &self,
        change: impl FnOnce(&Standing) -> Result<Standing, E>,
    ) -> Result<(), E> {
        self.standing.exchange(change)
    }

    /// Where its files are.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The clinical ledger, for operators' commands.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The audit ledger, for operators' commands.
    pub fn audit(&self) -> &Ledger {
        &self.audit
    }

    /// The ledger position that readers see.
    pub fn visible(&self) -> Position {
        *self.visible.borrow()
    }

    /// That position, as it moves on.
    pub fn follow(&self) -> watch::Receiver<Position> {
        self.visible.clone()
    }

    /// Milliseconds since 1970.
    pub fn now(&self) -> i64 {
        self.environment.clock.now_ms()
    }

    /// Today in Norway, `YYYY-MM-DD`.
    pub fn today(&self) -> String {
        fhir::instant::local_date(self.now())
    }

    /// Every change from now on. Carries no content: a watcher asks again, with its own permit.
    pub fn watch(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    /// Whether the view still follows the ledger. If not, its answers would be old and its owners
    /// and versions wrong to judge by, so nothing is read or written until a restart.
    pub(crate) fn check_view(&self) -> Result<(), Failure> {
        self.visible.has_changed().map(drop).map_err(|_| {
            Failure::Unavailable("the view has stopped; see the log, and restart".to_owned())
        })
    }

    /// Waits until readers see `position`; `false` if that takes too long.
    pub(crate) async fn wait_visible(&self, position: Position) -> bool {
        let mut visible = self.visible.clone();
        let reached = visible.wait_for(|seen| *seen >= position);
        matches!(tokio::time::timeout(VISIBLE_WITHIN, reached).await, Ok(Ok(_)))
    }

    /// An id for a new resource.
    pub(crate) fn new_id(&self) -> Result<String, Failure> {
        let mut bytes = [0; 16];
        self.environment.random.fill(&mut bytes)?;
        Ok(time_ordered(self.now(), bytes))
    }
}

impl Drop for Projection {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
        if let Err(error) = power::end(&self.directory) {
            tracing::warn!(%error, "the view is not on disk, and is made anew after a power cut");
        }
    }
}

/// Throws the view away and makes it anew from the ledger. Returns the position reached.
pub fn rebuild_view(
    directory: &Path,
    register: Register,
    environment: Environment,
) -> Result<Position, Failure> {
    power::remove(directory)?;
    Tenant::open(directory, register, environment).map(|tenant| tenant.visible())
}

/// The view, brought up to the ledger.
fn projected(ledger: &Ledger, path: &Path, index_key: [u8; 16]) -> Result<Projector, Failure> {
    let is_new = Projector::is_missing(path)?;
    let mut projector = if is_new {
        let (projector, skipped) = Projector::make(path, index_key, |from| next_of(ledger, from))?;
        tell_skipped(&skipped);
        projector
    } else {
        Projector::open(path, index_key)?
    };
    catch_up(ledger, &mut projector)?;
    clear_traces(&mut projector, u64::MAX)?;
    // What is made anew is made whole; what was only behind is completed beside the reading.
    while is_new && index_further(&mut projector)? {}
    Ok(projector)
}

fn catch_up(ledger: &Ledger, projector: &mut Projector) -> Result<(), Failure> {
    tell_skipped(&projector.catch_up(|from| next_of(ledger, from))?);
    Ok(())
}

fn next_of(ledger: &Ledger, from: Position) -> Result<Vec<Record>, Failure> {
    Ok(ledger.read(from, CATCH_UP)?)
}

/// What decisions rest on; a municipality that has decided nothing is founded first.
fn follow(
    directory: &Path,
    register: &Register,
    ledger: &Ledger,
    view: &View,
    projector: &mut Projector,
) -> Result<Follower, Failure> {
    if let Some(follower) = Follower::open(view, projector.position())? {
        tell_difference(directory, register, &follower.decided().read());
        return Ok(follower);
    }
    Standing::new(register.clone()).map_err(|error| Failure::Unavailable(error.to_string()))?;
    let draft = founding(register)?;
    // A thread of its own: whoever opens a municipality may be serving others at the same time.
    let appended =
        std::thread::scope(|scope| scope.spawn(|| ledger.append_blocking(vec![draft])).join());
    appended.map_err(|_| Failure::Unavailable("the founding was not recorded".to_owned()))??;
    catch_up(ledger, projector)?;
    let founded = Follower::open(view, projector.position())?;
    founded.ok_or_else(|| Failure::Unavailable("the municipality was not founded".to_owned()))
}

/// Clears the view's files of what erased persons may have left in them.
fn clear_traces(projector: &mut Projector, most: u64) -> Result<Traces, view::error::Error> {
    let left = projector.clear_traces(most)?;
    match left {
        Traces::None => {}
        Traces::Moved => tracing::warn!(
            "the view is too large to be written anew while it is in use; bytes of erased persons may be left \
             in its file until the next start"
        ),
        Traces::Held => tracing::warn!(
            "a reader holds on to old pages of the view; bytes of erased persons are left in its files until \
             the next entry or start"
        ),
    }
    Ok(left)
}

/// Answers that an entry is missing from say so themselves; the operator is told where to look.
fn tell_skipped(skipped: &[Position]) {
    for position in skipped {
        tracing::error!(
            position,
            "an entry of the ledger cannot be read into the view; run `fkj ledger verify`, and if the \
             ledger is whole, the version of the platform that wrote it"
        );
    }
}

/// One step towards the whole index of added search parameters; `false` where there is none to go.
fn index_further(projector: &mut Projector) -> Result<bool, view::error::Error> {
    let Some(Walked { number, leaving, first, last }) = projector.index_further(STEP)? else {
        return Ok(false);
    };
    if first {
        tracing::info!(number, leaving, "going through old data for an added search parameter");
    }
    if last {
        tracing::info!(number, leaving, "the index of an added search parameter is in order");
    }
    Ok(true)
}

/// What arrives next; nothing where nothing waits and there is something else to do meanwhile.
///
/// # Errors
/// When the ledger has ended.
fn next(
    arrived: &Receiver<Arc<[Committed]>>,
    idle: bool,
) -> Result<Option<Arc<[Committed]>>, RecvError> {
    if idle {
        return arrived.recv().map(Some);
    }
    match arrived.try_recv() {
        Ok(batch) => Ok(Some(batch)),
        Err(TryRecvError::Empty) => Ok(None),
        Err(TryRecvError::Disconnected) => Err(RecvError),
    }
}

/// What keeps the standing in step with the ledger.
struct Followers {
    decisions: Follower,
    restrictions: Restrictions,
}

impl Followers {
    fn take(&mut self, committed: &[&Committed]) -> Result<(), String> {
        self.decisions.take(committed)?;
        self.restrictions.take(committed).map_err(|failure| failure.to_string())
    }
}

/// Who is told of what has been projected.
struct Tell {
    /// Those who wait for a position.
    reached: watch::Sender<Position>,
    /// Those who watch for changes.
    announce: broadcast::Sender<Change>,
}

/// The projection thread: takes what waits, applies it in one transaction, puts in force what it changes
/// of access, tells the watchers. When nothing waits, it goes on with the index of added search
/// parameters.
fn project(
    arrived: &Receiver<Arc<[Committed]>>,
    mut projector: Projector,
    mut followers: Followers,
    tell: &Tell,
) {
    let (mut stuck, mut held) = (false, false);
    while let Ok(first) = next(arrived, stuck || projector.is_indexed()) {
        let Some(first) = first else {
            if let Err(error) = index_further(&mut projector) {
                // Searches go on reading instead.
                tracing::error!(%error, "old data cannot be indexed; restart to try again");
                stuck = true;
            }
            continue;
        };
        let mut batches = vec![first];
        batches.extend(arrived.try_iter().take(15));
        let committed: Vec<&Committed> = batches.iter().flat_map(|batch| batch.iter()).collect();
        match projector.apply(&committed) {
            Ok(skipped) => tell_skipped(&skipped),
            Err(error) => {
                // The view is behind and stays behind, so nothing more is answered from it and the
                // operator is told. The ledger has everything.
                tracing::error!(%error, "the view has stopped; restart to catch up");
                return;
            }
        }
        // Before its position is visible, so that whoever reads by a decision's position is judged by it.
        if let Err(error) = followers.take(&committed) {
            tracing::error!(
                error,
                "the register has stopped, and with it the view; nothing is answered"
            );
            return;
        }
        // Before whoever sent it is answered: who begins to watch after an answer has not missed it, and is
        // not told of it either.
        for Committed { entry, .. } in &committed {
            // Nobody watching is no fault.
            drop(tell.announce.send(Change {
                person: entry.person,
                category: entry.category.clone(),
                position: entry.position,
            }));
        }
        if held || committed.iter().any(leaves_traces) {
            match clear_traces(&mut projector, LARGE) {
                Ok(left) => held = left == Traces::Held,
                Err(error) => tracing::error!(%error, "the view's file cannot be written anew"),
            }
        }
        tell.reached.send_replace(projector.position());
    }
}

/// Whether the entry erases something that the view has had.
fn leaves_traces(committed: &&Committed) -> bool {
    matches!(committed.entry.kind, Kind::Erasure | Kind::Resealing)
}

/// An id that grows with time (UUIDv7's layout, RFC 9562 §5.7), which keeps indexes compact.
fn time_ordered(now: i64, random: [u8; 16]) -> String {
    let time = (u128::from_be_bytes((i128::from(now)).to_be_bytes()) & 0xffff_ffff_ffff) << 80;
    let rest = u128::from_be_bytes(random) & ((1 << 80) - 1);
    let versioned = (rest & !(0xf << 76) & !(0x3 << 62)) | (0x7 << 76) | (0x2 << 62);
    let hex = format!("{:032x}", time | versioned);
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default().to_owned();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}
