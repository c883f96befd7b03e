//! Hearing of what other servers append: a session that is notified, and looks by itself where it is not.
//!
//! Invariant: only the server that takes what is written is asked. A standby may be behind and cannot tell that there
//! is nothing new.

use super::Schema;
use crate::database::session::Session;
use crate::error::Error;
use crate::storage::{Listening, Reading};
use std::time::Duration;

/// A server that does not answer in this time cannot be asked.
const ANSWER: Duration = Duration::from_secs(3);
/// Between two looks where nothing is notified.
const LOOK: Duration = Duration::from_millis(200);
/// And where it is: a notification may be lost with the server that was to send it.
const LOOK_ANYWAY: Duration = Duration::from_secs(1);

/// A session that hears of a ledger's commits.
pub(super) struct Listener {
    schema: Schema,
    session: Option<Session>,
    /// Whether it is notified.
    listens: bool,
}

impl Listener {
    pub(super) fn new(schema: Schema) -> Self {
        Self { schema, session: None, listens: false }
    }
}

impl Listening for Listener {
    fn reading(&mut self) -> Result<&dyn Reading, Error> {
        let session = match self.session.take().filter(Session::is_open) {
            Some(session) => session,
            None => {
                let session = self.schema.settled(ANSWER)?;
                let listen = format!("LISTEN {}", self.schema.name);
                let heard = session.run(&listen, "listening for new entries");
                self.listens = heard.is_ok();
                session
            }
        };
        Ok(self.session.insert(session))
    }

    fn pause(&mut self, time: Duration) {
        match &self.session {
            Some(session) if self.listens => session.signals.pause(time.min(LOOK_ANYWAY)),
            _ => std::thread::sleep(time.min(LOOK)),
        }
    }
}
