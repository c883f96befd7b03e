//! What a ledger holds, to somebody outside, in order, from a position that is kept.
//!
//! Invariants: an entry is passed over only when it was sent, or is of no concern to the receiver; the kept
//! position is never ahead of that. What is sent twice has the same position. Nobody waits for the receiver but
//! this.

use std::path::PathBuf;
use std::time::Duration;

use exchange::tenant::Tenant;
use record::entry::Position;

use crate::command::Failed;

/// Wait after the first failure; each further one doubles it.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// Longest wait between tries.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// A receiver, and what it gets.
pub trait Outlet: Send + Sized + 'static {
    /// What goes out, for the server's log.
    const WHAT: &'static str;
    /// Start of the name of the file that keeps how far it is.
    const FILE: &'static str;

    /// How far to go back after a restart, since what was sent last may not have arrived.
    fn unsure(&self) -> u64 {
        0
    }

    /// Sends what is next after a position, and says how far that was; nothing where there is nothing.
    fn send(
        &mut self,
        after: Position,
    ) -> impl Future<Output = Result<Option<Position>, Broken>> + Send;

    /// Waits until there may be something after a position.
    fn wait(&mut self, after: Position) -> impl Future<Output = ()> + Send;
}

/// Why a batch did not get through.
pub struct Broken {
    /// What happened.
    pub error: Failed,
    /// How many entries before it may be lost as well.
    pub rewind: u64,
}

impl<E: Into<Failed>> From<E> for Broken {
    fn from(error: E) -> Self {
        Self { error: error.into(), rewind: 0 }
    }
}

/// A ledger's entries on their way to a receiver.
pub struct Feed<O> {
    outlet: O,
    name: String,
    file: PathBuf,
    position: Position,
}

impl<O: Outlet> Feed<O> {
    /// The feed called `name` of a municipality, from where it had come.
    ///
    /// # Errors
    /// Where its place cannot be read.
    pub fn new(tenant: &Tenant, name: &str, outlet: O) -> Result<Self, Failed> {
        let file = tenant.directory().join(format!("{}-{name}.position", O::FILE));
        let position: Position = match std::fs::read_to_string(&file) {
            Ok(text) => text
                .trim()
                .parse()
                .map_err(|_| format!("`{}` holds no position; delete it", file.display()))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
            Err(error) => return Err(format!("`{}`: {error}", file.display()).into()),
        };
        let position = position.saturating_sub(outlet.unsure());
        Ok(Self { outlet, name: name.to_owned(), file, position })
    }

    /// Sends for as long as the server runs.
    pub async fn run(mut self) {
        let (mut wait, mut told) = (FIRST_WAIT, false);
        loop {
            match self.step().await {
                Ok(true) => {
                    if told {
                        tracing::info!(name = self.name, "{} go out again", O::WHAT);
                    }
                    (wait, told) = (FIRST_WAIT, false);
                }
                Ok(false) => self.outlet.wait(self.position).await,
                Err(Broken { error, rewind }) => {
                    self.position = self.position.saturating_sub(rewind);
                    if !told {
                        let (name, position) = (&self.name, self.position);
                        tracing::warn!(name, position, "{} do not go out: {error}", O::WHAT);
                        told = true;
                    }
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
            }
        }
    }

    /// Sends what is next; `false` where there is nothing.
    async fn step(&mut self) -> Result<bool, Broken> {
        let Some(reached) = self.outlet.send(self.position).await? else { return Ok(false) };
        self.position = reached;
        self.keep()?;
        Ok(true)
    }

    /// Keeps how far it is. Replaced whole; lost in a crash it is only older.
    fn keep(&self) -> Result<(), Failed> {
        let beside = self.file.with_extension("new");
        std::fs::write(&beside, self.position.to_string())?;
        std::fs::rename(&beside, &self.file)?;
        Ok(())
    }
}
