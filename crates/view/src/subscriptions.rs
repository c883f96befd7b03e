//! The current Subscriptions, for whoever sends what they ask for.
//!
//! They are about nobody and no permit is asked for: they go to the sender of notifications, which decides
//! about access at each one.

use record::entry::Position;
use rusqlite::params;

use crate::content::Content;
use crate::error::Error;
use crate::kinds;
use crate::project::state;
use crate::store::{View, position};

/// A Subscription as it is now.
pub struct Subscribed {
    /// Its logical id.
    pub id: String,
    /// Its version.
    pub version: Position,
    /// Organisation number of its owner.
    pub owner: String,
    /// The source that sent it.
    pub source: String,
    /// The resource as JSON.
    pub body: Vec<u8>,
}

impl View {
    /// The Subscriptions, in the order they were first recorded.
    pub fn subscriptions(&self) -> Result<Vec<Subscribed>, Error> {
        self.with(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT r.id, r.version, s.owner, s.source, c.body FROM resource r
                 CROSS JOIN scope s ON s.scope = r.scope CROSS JOIN content c ON c.rid = r.rid
                 WHERE r.kind = ?1 AND +r.state = ?2 ORDER BY r.rid",
            )?;
            let of = params![kinds::number("Subscription"), state::LIVE];
            let rows = select.query_map(of, |row| {
                let Content(body) = row.get(4)?;
                Ok(Subscribed {
                    id: row.get(0)?,
                    version: position(row, 1)?,
                    owner: row.get(2)?,
                    source: row.get(3)?,
                    body,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}
