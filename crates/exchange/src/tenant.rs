//! One municipality: its ledgers, keys, view and register. Everything below takes no municipality
//! number, so that a read across municipalities cannot be written.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use access::register::Register;
use access::standing::Standing;
use ledger::clock::Clock;
use ledger::database::Database;
use ledger::key_service::KeyService;
use ledger::keys::Keys;
use ledger::ledger::Ledger;
use ledger::random::Random;
use record::entry::Position;
use record::identity::PersonId;
use sources::source::Sources;
use tokio::sync::{broadcast, watch};
use view::store::View;

use crate::added::Added;
use crate::bulk::job::Jobs;
use crate::consent::fold::Restrictions;
use crate::custody::{make_private, own_key};
use crate::error::Failure;
use crate::locks::Locks;
use crate::looks::Looks;
use crate::power;
use crate::projection::{Arrived, Followers, Line, Projection, Tell, follow, projected};
use crate::register::fold::Folded;
use crate::register::follow::Decided;
use crate::standing::Holder;
use crate::stores::{Opening, Stores};
use crate::tail::{Freshness, Tail};
use crate::vigilance::kept::Vigilance;

/// How long a submission waits for the view before it answers that it is not visible yet.
const VISIBLE_WITHIN: Duration = Duration::from_secs(5);

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
    // Dropped before the ledger that it reads.
    _tail: Option<Tail>,
    pub(crate) standing: Arc<Holder>,
    decided: Decided,
    /// Held from judging an administrative decision until it is in force.
    deciding: tokio::sync::Mutex<()>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) audit: Ledger,
    /// Where the ledgers are shared with other servers.
    pub(crate) looks: Option<Looks>,
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
    /// Who else holds something about its residents.
    pub(crate) sources: Sources,
    /// What the analysis of the log has found.
    pub(crate) vigilance: Vigilance,
    changes: broadcast::Sender<Change>,
    visible: watch::Receiver<Position>,
    /// Where the ledgers are shared with other servers.
    pub(crate) fresh: Option<Arc<Freshness>>,
    directory: PathBuf,
    // Keeps the projection, and so the reading, where the ledger's writer has stopped.
    _commits: Sender<Arrived>,
    // Dropped after the ledger and the sender, whose end closes the channel that the projection reads.
    _projection: Projection,
}

/// Held from judging an administrative decision until it is in force.
#[must_use]
pub(crate) struct Turn<'a> {
    _held: tokio::sync::MutexGuard<'a, ()>,
    /// What it is judged by.
    pub(crate) seen: Position,
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
        Self::open_from(directory, register, environment, service, None)
    }

    /// As [`Tenant::open_with`], with keys and ledgers in a database that other servers may share; what
    /// is in the folder is this server's own.
    pub fn open_in(
        directory: &Path,
        register: Register,
        environment: Environment,
        service: Arc<dyn KeyService>,
        database: &Arc<Database>,
    ) -> Result<Self, Failure> {
        Self::open_from(directory, register, environment, service, Some(database))
    }

    fn open_from(
        directory: &Path,
        register: Register,
        environment: Environment,
        service: Arc<dyn KeyService>,
        database: Option<&Arc<Database>>,
    ) -> Result<Self, Failure> {
        make_private(directory)?;
        let (commits, arrived) = std::sync::mpsc::channel();
        let opening =
            Opening { directory, number: &register.number, environment: &environment, service };
        let Stores { keys, ledger, audit, looks } = match database {
            None => opening.in_folder(commits.clone())?,
            Some(database) => opening.in_database(database)?,
        };
        power::begin(directory)?;
        let fresh = database.map(|_| Freshness::new(environment.clock.clone()));
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
        let line = Line::new(projector, followers, tell);
        let projection = Projection::start(directory, arrived, line)?;
        let ledger = Arc::new(ledger);
        let follow = |fresh: &Arc<Freshness>| {
            Tail::start(ledger.clone(), visible.clone(), commits.clone(), fresh.clone())
        };
        let tail = fresh.as_ref().map(follow).transpose()?;
        let tenant = Self {
            _tail: tail,
            standing,
            decided,
            deciding: tokio::sync::Mutex::default(),
            ledger,
            audit,
            looks,
            keys,
            view,
            environment,
            locks: Locks::default(),
            lists: Locks::default(),
            added: Added::new(),
            jobs: Jobs::open(&directory.join("jobs")),
            conditions: Locks::default(),
            sources: Sources::none(),
            vigilance: Vigilance::default(),
            changes,
            visible,
            fresh,
            directory: directory.to_owned(),
            _commits: commits,
            _projection: projection,
        };
        tenant.let_go_of_erased()?;
        Ok(tenant)
    }

    /// With others to ask what they hold about its residents.
    #[must_use]
    pub fn asking(mut self, sources: Sources) -> Self {
        self.sources = sources;
        self
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
    /// and versions wrong to judge by, so nothing is read or written until a restart; nor, where several
    /// servers share the ledger, while this one does not know what the others have recorded.
    pub(crate) fn check_view(&self) -> Result<(), Failure> {
        if !self.view_follows() {
            let what = "the view has stopped; see the log, and restart";
            return Err(Failure::Unavailable(what.to_owned()));
        }
        match &self.fresh {
            Some(fresh) if !fresh.is_fresh() => Err(Failure::Unavailable(format!(
                "this server has not known for {} s what the others have recorded; ask another",
                fresh.age() / 1_000
            ))),
            _ => Ok(()),
        }
    }

    /// The turn to make an administrative decision: one after the other.
    pub(crate) async fn turn(&self) -> Turn<'_> {
        let held = self.deciding.lock().await;
        Turn { seen: self.visible(), _held: held }
    }

    /// Whether the projection goes on.
    pub(crate) fn view_follows(&self) -> bool {
        self.visible.has_changed().is_ok()
    }

    /// Waits until readers see `position`; `false` if that takes too long.
    pub(crate) async fn wait_visible(&self, position: Position) -> bool {
        let mut visible = self.visible.clone();
        let reached = visible.wait_for(|seen| *seen >= position);
        matches!(tokio::time::timeout(VISIBLE_WITHIN, reached).await, Ok(Ok(_)))
    }

    /// Waits until readers see `position`.
    ///
    /// # Errors
    /// Where that takes too long.
    pub async fn reach(&self, position: Position) -> Result<(), Failure> {
        if self.visible() >= position || self.wait_visible(position).await {
            return Ok(());
        }
        let what = "this server has not come to the position that `Prefer` asks for; ask again";
        Err(Failure::Unavailable(what.to_owned()))
    }

    /// An id for a new resource.
    pub(crate) fn new_id(&self) -> Result<String, Failure> {
        let mut bytes = [0; 16];
        self.environment.random.fill(&mut bytes)?;
        Ok(time_ordered(self.now(), bytes))
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

/// An id that grows with time (UUIDv7's layout, RFC 9562 §5.7), which keeps indexes compact.
fn time_ordered(now: i64, random: [u8; 16]) -> String {
    let time = (u128::from_be_bytes((i128::from(now)).to_be_bytes()) & 0xffff_ffff_ffff) << 80;
    let rest = u128::from_be_bytes(random) & ((1 << 80) - 1);
    let versioned = (rest & !(0xf << 76) & !(0x3 << 62)) | (0x7 << 76) | (0x2 << 62);
    let hex = format!("{:032x}", time | versioned);
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default().to_owned();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}
