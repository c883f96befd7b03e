//! Entries of one municipality's audit ledger to one SIEM.

use std::sync::Arc;
use std::time::Duration;

use exchange::tenant::Tenant;
use record::entry::Position;

use super::event::Event;
use super::feed::{Broken, Outlet};
use super::line::{REWIND, Target};
use crate::command::Failed;

/// Entries sent at a time.
const BATCH: usize = 500;
/// How often new entries are looked for.
const LOOK: Duration = Duration::from_secs(1);

/// A SIEM, and the log it gets.
pub struct Siem {
    /// Whose log.
    pub tenant: Arc<Tenant>,
    /// Where to.
    pub target: Target,
}

impl Outlet for Siem {
    const WHAT: &'static str = "entries of the log";
    const FILE: &'static str = "export";

    fn unsure(&self) -> u64 {
        if self.target.is_unsure() { REWIND } else { 0 }
    }

    async fn send(&mut self, after: Position) -> Result<Option<Position>, Broken> {
        let tenant = self.tenant.clone();
        let read = tokio::task::spawn_blocking(move || {
            let number = &tenant.register().number;
            let records = tenant.audit_records(after + 1, BATCH)?;
            let events: Vec<Event> =
                records.iter().map(|(entry, record)| Event::new(number, entry, record)).collect();
            Ok::<_, Failed>(events)
        });
        let events = read.await??;
        let Some(last) = events.last().map(|event| event.position) else { return Ok(None) };
        let number = &self.tenant.register().number;
        self.target.send(&events, &format!("fkj-{number}")).await?;
        Ok(Some(last))
    }

    async fn wait(&mut self, _after: Position) {
        tokio::time::sleep(LOOK).await;
    }
}
