//! What leaves for others: signed checkpoints to a place outside, entries of the log to a SIEM, this server's looks to
//! the audit ledger that it shares, and events to a message broker, which say that something happened and never what; and to the subscribers that
//! systems have set up, what their access allows at the moment it is sent.
//!
//! Invariants: nothing here is waited for by a request. What could not be sent is sent later, from a
//! position that is kept, at least once. No identity number and nothing of what was seen leaves.

mod checkpoints;
mod event;
mod feed;
mod jetstream;
mod line;
mod looks;
mod otlp;
mod siem;
pub mod subscribers;
mod syslog;
mod thin;

use std::sync::Arc;
use std::time::Duration;

use crate::app::App;
use crate::command::Failed;
use crate::config::Config;

use self::feed::Feed;
use self::jetstream::JetStream;
use self::line::Target;
use self::looks::Looks;
use self::siem::Siem;

/// Begins all of it, beside the serving.
///
/// # Errors
/// Where the configuration names what cannot be: nothing is begun.
pub fn start(app: &Arc<App>, config: &Config) -> Result<(), Failed> {
    let (mut logs, mut events, mut looks) = (Vec::new(), Vec::new(), Vec::new());
    for hosted in app.tenants.values() {
        let tenant = &hosted.tenant;
        if tenant.keeps_looks() {
            looks.push(Feed::new(tenant, "audit", Looks { tenant: tenant.clone() })?);
        }
        for export in &config.log.export {
            let siem = Siem { tenant: tenant.clone(), target: Target::of(export)? };
            logs.push(Feed::new(tenant, &export.name, siem)?);
        }
        for broker in &config.events {
            let outlet = JetStream::new(tenant.clone(), broker, &app.public_url)?;
            events.push(Feed::new(tenant, &broker.name, outlet)?);
        }
    }
    let every = Duration::from_secs(config.log.checkpoint_seconds.max(1));
    let place = config.log.checkpoints.clone().map(checkpoints::Outside::open).transpose()?;
    for hosted in app.tenants.values() {
        let base = format!("{}/{}/fhir", app.public_url, hosted.tenant.register().number);
        tokio::spawn(subscribers::run(hosted.tenant.clone(), base));
    }
    tokio::spawn(checkpoints::run(app.clone(), every, place));
    logs.into_iter().for_each(|feed| drop(tokio::spawn(feed.run())));
    looks.into_iter().for_each(|feed| drop(tokio::spawn(feed.run())));
    events.into_iter().for_each(|feed| drop(tokio::spawn(feed.run())));
    Ok(())
}
