//! What a power cut leaves of the view. It is never synced, so that can be anything, and it need not show.
//! So a file beside it names the start of the machine in which it is being written: one that was written in
//! another start, and not closed since, is thrown away and made anew.
//!
//! Invariant: a view is opened only where everything written to it is in this machine's memory or on disk.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use crate::error::Failure;

/// The file beside the view.
const MARK: &str = "view.boot";

/// What it says of a view that was closed and synced.
const CLOSED: &str = "closed";

/// What it says where the system does not tell one start from another: never what it is compared with.
const UNKNOWN: &str = "unknown";

/// Files of a view.
const VIEW: [&str; 3] = ["view.db", "view.db-wal", "view.db-shm"];

/// Before the view is opened: removes what a power cut may have torn, and says that it is being written.
pub(crate) fn begin(directory: &Path) -> Result<(), Failure> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
    let boot = boot.as_deref().map_or(UNKNOWN, str::trim);
    let said = std::fs::read_to_string(directory.join(MARK)).unwrap_or_default();
    let is_whole = said == CLOSED || (said == boot && said != UNKNOWN);
    if !is_whole && directory.join("view.db").exists() {
        tracing::warn!(
            folder = %directory.display(),
            "the machine has started anew since the view was written; it is made anew from the ledger"
        );
        remove(directory)?;
    }
    if said == boot {
        return Ok(());
    }
    mark(directory, boot).map_err(|error| failed("begin", directory, &error))
}

/// After the view was closed: what was written is now on disk, and the file says so.
pub(crate) fn end(directory: &Path) -> io::Result<()> {
    for name in VIEW {
        match File::open(directory.join(name)) {
            Ok(file) => file.sync_all()?,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    mark(directory, CLOSED)
}

/// Throws the view away: the next opening makes it anew from the ledger.
///
/// # Errors
/// A file that cannot be removed.
pub fn remove(directory: &Path) -> Result<(), Failure> {
    for name in VIEW {
        match std::fs::remove_file(directory.join(name)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(failed("remove", directory, &error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Written beside and moved into place, so that it is never read by half; on disk before it returns.
fn mark(directory: &Path, says: &str) -> io::Result<()> {
    let beside = directory.join("view.boot.new");
    let mut file = File::create(&beside)?;
    file.write_all(says.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(beside, directory.join(MARK))?;
    File::open(directory)?.sync_all()
}

fn failed(what: &str, directory: &Path, error: &io::Error) -> Failure {
    Failure::Unavailable(format!("cannot {what} the view in `{}`: {error}", directory.display()))
}
