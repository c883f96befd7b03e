//! Entries of one municipality's audit ledger to one target, in order, from a position that is kept.
//!
//! Invariants: an entry is passed over only when it was sent; the kept position is never ahead of that.
//! What is sent twice has the same position. Nobody waits for the target but this.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use exchange::tenant::Tenant;
use record::entry::Position;

use super::event::Event;
use super::line::{Broken, REWIND, Target};
use crate::command::Failed;

/// Entries sent at a time.
const BATCH: usize = 500;
/// How often new entries are looked for.
const LOOK: Duration = Duration::from_secs(1);
/// Wait after the first failure; each further one doubles it.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// Longest wait between tries.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Entries on their way to a target.
pub struct Feed {
    tenant: Arc<Tenant>,
    name: String,
    target: Target,
    file: PathBuf,
    position: Position,
}

impl Feed {
    /// The feed called `name`, from where it had come.
    ///
    /// # Errors
    /// Where its place cannot be read.
    pub fn new(tenant: Arc<Tenant>, name: &str, target: Target) -> Result<Self, Failed> {
        let file = tenant.directory().join(format!("export-{name}.position"));
        let position: Position = match std::fs::read_to_string(&file) {
            Ok(text) => text
                .trim()
                .parse()
                .map_err(|_| format!("`{}` holds no position; delete it", file.display()))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
            Err(error) => return Err(format!("`{}`: {error}", file.display()).into()),
        };
        let position = if target.is_unsure() { position.saturating_sub(REWIND) } else { position };
        Ok(Self { tenant, name: name.to_owned(), target, file, position })
    }

    /// Sends for as long as the server runs.
    pub async fn run(mut self) {
        let (mut wait, mut told) = (FIRST_WAIT, false);
        loop {
            match self.step().await {
                Ok(true) => {
                    if told {
                        tracing::info!(name = self.name, "the log goes out again");
                    }
                    (wait, told) = (FIRST_WAIT, false);
                }
                Ok(false) => tokio::time::sleep(LOOK).await,
                Err(Broken { error, rewind }) => {
                    if rewind {
                        self.position = self.position.saturating_sub(REWIND);
                    }
                    if !told {
                        let position = self.position;
                        tracing::warn!(
                            name = self.name,
                            position,
                            "the log does not go out: {error}"
                        );
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
        let (tenant, from) = (self.tenant.clone(), self.position + 1);
        let read = tokio::task::spawn_blocking(move || {
            let number = &tenant.register().number;
            let records = tenant.audit_records(from, BATCH)?;
            let events: Vec<Event> =
                records.iter().map(|(entry, record)| Event::new(number, entry, record)).collect();
            Ok::<_, Failed>(events)
        });
        let events = read.await??;
        let Some(last) = events.last().map(|event| event.position) else { return Ok(false) };
        let number = &self.tenant.register().number;
        self.target.send(&events, &format!("fkj-{number}")).await?;
        self.position = last;
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
