//! How a ledger is: whether it takes entries, and whether damage was met. For operators, who are told once
//! of each change, in the log, with what to do.
//!
//! Invariant: a writer that has stopped says so until the ledger is opened anew; damage, once met, is
//! told until then too.

use crate::error::Error;
use rusqlite::ErrorCode;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

/// Whether a ledger takes entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Writing {
    /// It does.
    Open = 0,
    /// There is less room on the disk than is to be kept free: nothing is taken until there is more.
    NoRoom = 1,
    /// The disk is full. The next batch tries again.
    Full = 2,
    /// The last batch met a failing disk or a damaged page before its commit, and was undone. The next one
    /// tries again.
    Failing = 3,
    /// A commit failed, and what is on disk is unknown. Nothing more is taken before the ledger is opened
    /// anew.
    Stopped = 4,
    /// The database that holds it does not answer. The writer tries again; what waits, waits.
    Away = 5,
}

impl Writing {
    /// Every state.
    pub const ALL: [Writing; 6] = [
        Writing::Open,
        Writing::NoRoom,
        Writing::Full,
        Writing::Failing,
        Writing::Stopped,
        Writing::Away,
    ];

    /// Its name in figures for operators.
    pub fn key(self) -> &'static str {
        match self {
            Writing::Open => "open",
            Writing::NoRoom => "no-room",
            Writing::Full => "full",
            Writing::Failing => "failing",
            Writing::Stopped => "stopped",
            Writing::Away => "away",
        }
    }

    /// What an operator should do.
    pub fn what_to_do(self) -> &'static str {
        match self {
            Writing::Open => "nothing",
            Writing::NoRoom => {
                "make room on the disk; it goes on by itself when more than `least_free_mb` is free"
            }
            Writing::Full => "make room on the disk; it goes on by itself",
            Writing::Failing => "look at the disk and the system's log; run `fkj ledger verify`",
            Writing::Stopped => {
                "look at the disk and the system's log, and restart; what was acknowledged is kept, and what \
                 was not is to be sent again"
            }
            Writing::Away => {
                "look at the database's servers and the network to them; it goes on by itself when one of \
                 them takes what is written"
            }
        }
    }
}

/// How a ledger is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Whether it takes entries.
    pub writing: Writing,
    /// Whether something read was not what was written.
    pub damaged: bool,
}

impl Condition {
    /// Whether there is nothing to do.
    pub fn is_well(self) -> bool {
        self.writing == Writing::Open && !self.damaged
    }
}

/// Keeps the condition of one ledger, and tells of changes.
#[derive(Debug)]
pub(crate) struct Watch {
    ledger: String,
    writing: AtomicU8,
    damaged: AtomicBool,
    least_free: AtomicU64,
}

impl Watch {
    pub(crate) fn new(ledger: String) -> Self {
        let (writing, damaged) = (AtomicU8::new(Writing::Open as u8), AtomicBool::new(false));
        Self { ledger, writing, damaged, least_free: AtomicU64::new(0) }
    }

    pub(crate) fn condition(&self) -> Condition {
        let at = usize::from(self.writing.load(Ordering::SeqCst));
        let writing = Writing::ALL.get(at).copied().unwrap_or(Writing::Stopped);
        Condition { writing, damaged: self.damaged.load(Ordering::SeqCst) }
    }

    pub(crate) fn keep_free(&self, bytes: u64) {
        self.least_free.store(bytes, Ordering::SeqCst);
    }

    /// Whether there is room for a batch. Where the system does not tell, there is: the batch itself will.
    pub(crate) fn has_room(&self, path: &Path) -> bool {
        let least = self.least_free.load(Ordering::SeqCst);
        if least == 0 || free(path).is_none_or(|free| free >= least) {
            return true;
        }
        self.is(Writing::NoRoom);
        false
    }

    /// A batch was committed.
    pub(crate) fn wrote(&self) {
        self.is(Writing::Open);
    }

    /// A batch was not; `stops` where the writer ends with it.
    pub(crate) fn failed(&self, error: &Error, stops: bool) {
        self.met(error);
        let away = error.is_away() || matches!(error, Error::Unsettled);
        self.is(match (stops, error.is_no_room(), away) {
            (true, ..) => Writing::Stopped,
            (false, true, _) => Writing::Full,
            (false, false, true) => Writing::Away,
            (false, false, false) => Writing::Failing,
        });
    }

    /// The database does not answer.
    pub(crate) fn away(&self) {
        self.is(Writing::Away);
    }

    /// Looks at what a reading or writing ended in.
    pub(crate) fn met(&self, error: &Error) {
        let damaged = match error {
            Error::Corrupt { .. } => true,
            Error::Storage { source, .. } => matches!(
                source.sqlite_error_code(),
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
            ),
            _ => false,
        };
        if damaged && !self.damaged.swap(true, Ordering::SeqCst) {
            tracing::error!(
                ledger = self.ledger,
                %error,
                "the ledger is damaged; what can be read is read; run `fkj ledger verify`, and restore from \
                 a backup that verifies"
            );
        }
    }

    fn is(&self, writing: Writing) {
        if self.writing.swap(writing as u8, Ordering::SeqCst) == writing as u8 {
            return;
        }
        match writing {
            Writing::Open => tracing::info!(ledger = self.ledger, "the ledger takes entries again"),
            _ => tracing::error!(
                ledger = self.ledger,
                state = writing.key(),
                "the ledger takes no entries: {}",
                writing.what_to_do()
            ),
        }
    }
}

/// Bytes that are free where `path` lies, for a program without special rights.
fn free(path: &Path) -> Option<u64> {
    let told = rustix::fs::statvfs(path).ok()?;
    told.f_bavail.checked_mul(told.f_frsize)
}
