//! What can go wrong, in one enum. No variant carries data about a person.

use record::entry::Position;
use std::sync::Arc;
use tokio_postgres::error::SqlState;

/// Why the ledger did not do as asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The source's event id was used before for other content. Nothing of the group was kept.
    #[error(
        "draft {index} of the group repeats a source event id with other content; send a correction as a new event with its own id"
    )]
    Conflict {
        /// Which draft of the group, from 0.
        index: usize,
        /// Where the earlier entry stands; none where the earlier one is in the same group.
        position: Option<Position>,
    },
    /// Another server has appended something that the draft may rest on. Nothing of the group was kept.
    #[error(
        "another server has appended at position {position} what this may rest on; read that, decide again, and send again"
    )]
    Overtaken {
        /// A position to have read before deciding again.
        position: Position,
    },
    /// The number already belongs to another person.
    #[error(
        "the number already belongs to another person in this municipality; two persons are never merged by linking"
    )]
    NumberTaken,
    /// The group is larger than a transaction should be.
    #[error(
        "the group holds {bytes} bytes, more than the limit of {limit}; send it in smaller groups"
    )]
    TooLarge {
        /// Bytes of all bodies together.
        bytes: usize,
        /// The most allowed.
        limit: usize,
    },
    /// There is less room on the disk than is to be kept free. Nothing was kept.
    #[error("the disk is nearly full, and nothing was kept; make room, then send again")]
    NoRoom,
    /// The queue is full. Nothing was kept; try again later.
    #[error("the ledger's queue is full; try again shortly")]
    Busy,
    /// The person's content was erased; nothing more can be sealed for the person or opened.
    #[error("the person's content was erased")]
    Erased,
    /// Records cannot be erased as asked.
    #[error("the records cannot be erased: {what}")]
    NotErasable {
        /// What is wrong with what was asked.
        what: &'static str,
    },
    /// No person has this id: the key file is older than the ledger, or the id was never resolved.
    #[error(
        "no such person in keys.db; resolve the person's number first, or restore keys.db from backup"
    )]
    UnknownPerson,
    /// What is stored is not what was written.
    #[error(
        "the ledger is damaged at position {position}: {what}; run verify and restore from backup"
    )]
    Corrupt {
        /// The nearest position; 0 where the damage has no place in the chain.
        position: Position,
        /// What was found.
        what: &'static str,
    },
    /// A key could not be made, read, wrapped or unwrapped.
    #[error("the municipality's key cannot be used: {what}")]
    Key {
        /// What failed.
        what: &'static str,
    },
    /// A backup is not what was written, or not of this ledger.
    #[error("`{piece}` in the backup: {what}")]
    Backup {
        /// Which piece; empty for the whole.
        piece: String,
        /// What is wrong, and what to do.
        what: &'static str,
    },
    /// Another process has the ledger open for writing.
    #[error("`{name}` is open in another process; stop that first")]
    Locked {
        /// The ledger's name.
        name: String,
    },
    /// The writer stopped after a failure. What was acknowledged is kept.
    #[error("the ledger's writer has stopped; reopen the ledger and send again with the same ids")]
    Stopped,
    /// The PostgreSQL database did not answer to a commit, nor since. The ledger goes on as soon as it does.
    #[error(
        "the database did not say whether it is kept; send again with the same ids, and it is kept once"
    )]
    Unsettled,
    /// The PostgreSQL database refused, or cannot be reached.
    #[error("{what}: {source}")]
    Database {
        /// What was being done.
        what: &'static str,
        /// The server's or the connection's own error.
        source: Arc<tokio_postgres::Error>,
    },
    /// No server of the PostgreSQL database answered in time.
    #[error("{what}: the database does not answer; look at its servers and the network to them")]
    Unreachable {
        /// What was being done.
        what: &'static str,
    },
    /// SQLite refused.
    #[error("{what}: {source}")]
    Storage {
        /// What was being done.
        what: &'static str,
        /// SQLite's own error.
        source: Arc<rusqlite::Error>,
    },
    /// The file system refused.
    #[error("{what}: {source}")]
    File {
        /// What was being done.
        what: &'static str,
        /// The operating system's own error.
        source: Arc<std::io::Error>,
    },
}

/// What the caller can do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Category {
    /// The request contradicts what is kept: change it.
    Conflict,
    /// The request can never be taken as it is: change it.
    Invalid,
    /// Try the same again shortly.
    Busy,
    /// Nothing is taken until an operator has made room on the disk: try the same again later.
    NoRoom,
    /// Nothing is taken until the ledger is opened anew.
    Stopped,
    /// The content is gone for good, by decision.
    Erased,
    /// An operator must verify and restore.
    Corrupt,
    /// Disk or key service is out of order: an operator must look, then try again.
    Unavailable,
}

impl Error {
    /// The category, which decides the answer at the edge.
    pub fn category(&self) -> Category {
        match self {
            Error::Conflict { .. } | Error::NumberTaken => Category::Conflict,
            Error::TooLarge { .. } | Error::NotErasable { .. } => Category::Invalid,
            Error::Busy | Error::Overtaken { .. } => Category::Busy,
            Error::NoRoom => Category::NoRoom,
            Error::Stopped => Category::Stopped,
            Error::Storage { source, .. } if is_full(source) => Category::NoRoom,
            Error::Database { source, .. } if source.code() == Some(&SqlState::DISK_FULL) => {
                Category::NoRoom
            }
            Error::Erased => Category::Erased,
            Error::UnknownPerson | Error::Corrupt { .. } | Error::Backup { .. } => {
                Category::Corrupt
            }
            Error::Key { .. }
            | Error::Locked { .. }
            | Error::Storage { .. }
            | Error::Database { .. }
            | Error::Unreachable { .. }
            | Error::Unsettled
            | Error::File { .. } => Category::Unavailable,
        }
    }

    /// Whether it is the way to the database that failed, or a server of it that is ending or beginning: the
    /// same may succeed shortly, perhaps at another server.
    pub(crate) fn is_away(&self) -> bool {
        let Error::Database { source, .. } = self else {
            return matches!(self, Error::Unreachable { .. });
        };
        // Without a code of the server's, it is the connection.
        source.code().is_none_or(|code| {
            [
                SqlState::ADMIN_SHUTDOWN,
                SqlState::CRASH_SHUTDOWN,
                SqlState::CANNOT_CONNECT_NOW,
                SqlState::READ_ONLY_SQL_TRANSACTION,
                SqlState::LOCK_NOT_AVAILABLE,
                SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
                SqlState::TOO_MANY_CONNECTIONS,
            ]
            .contains(code)
                || code.code().starts_with("08")
        })
    }

    /// Whether the disk had no room for it.
    pub(crate) fn is_no_room(&self) -> bool {
        self.category() == Category::NoRoom
    }

    pub(crate) fn storage(what: &'static str) -> impl FnOnce(rusqlite::Error) -> Self {
        move |source| Error::Storage { what, source: Arc::new(source) }
    }

    pub(crate) fn database(what: &'static str) -> impl FnOnce(tokio_postgres::Error) -> Self {
        move |source| Error::Database { what, source: Arc::new(source) }
    }

    pub(crate) fn file(what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Error::File { what, source: Arc::new(source) }
    }
}

fn is_full(source: &rusqlite::Error) -> bool {
    source.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull)
}
