//! What leaves the log for others to keep: signed checkpoints to a place outside, and entries to a SIEM.
//!
//! Invariants: nothing here is waited for by a request. What could not be sent is sent later, from a
//! position that is kept, at least once. No identity number and nothing of what was seen leaves.

mod checkpoints;
mod event;
mod feed;
mod line;
mod otlp;
mod syslog;

use std::sync::Arc;
use std::time::Duration;

use crate::app::App;
use crate::command::Failed;
use crate::config::LogConfig;

use self::feed::Feed;
use self::line::Target;

/// Begins all of it, beside the serving.
///
/// # Errors
/// Where the configuration names what cannot be: nothing is begun.
pub fn start(app: &Arc<App>, config: &LogConfig) -> Result<(), Failed> {
    let mut feeds = Vec::new();
    for export in &config.export {
        for hosted in app.tenants.values() {
            let target = Target::of(export)?;
            feeds.push(Feed::new(hosted.tenant.clone(), &export.name, target)?);
        }
    }
    let every = Duration::from_secs(config.checkpoint_seconds.max(1));
    let place = config.checkpoints.clone().map(checkpoints::Outside::open).transpose()?;
    tokio::spawn(checkpoints::run(app.clone(), every, place));
    for feed in feeds {
        tokio::spawn(feed.run());
    }
    Ok(())
}
