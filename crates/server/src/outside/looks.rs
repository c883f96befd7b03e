//! This server's looks, to the audit ledger that it shares with other servers.

use std::sync::Arc;

use exchange::tenant::Tenant;
use record::entry::Position;

use super::feed::{Broken, Outlet};

/// The looks of one municipality.
pub struct Looks {
    /// The municipality.
    pub tenant: Arc<Tenant>,
}

impl Outlet for Looks {
    const WHAT: &'static str = "looks";
    const FILE: &'static str = "looks";

    async fn send(&mut self, after: Position) -> Result<Option<Position>, Broken> {
        Ok(self.tenant.tell_over(after).await?)
    }

    async fn wait(&mut self, after: Position) {
        self.tenant.more_looks(after).await;
    }
}
