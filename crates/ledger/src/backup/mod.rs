//! Backups of one municipality's files: taken beside a running server, each a small addition to the
//! ones before, and verifiable without any secret.
//!
//! A ledger only grows, so a backup of it is *segments*: files of entries, and files of sealed bodies
//! apart, each for a range of positions, written once. Beside them lie whole copies of `keys.db`,
//! few and for a short time, since an older one opens whom a newer one has forgotten; and the municipality's
//! small files, by their hash. What belongs together is told by a *manifest* per backup, with the hash
//! of each piece, the signed head, and the hash of the manifest before.
//!
//! ```text
//! backup-001795453262123-9f….json    manifest; by time in milliseconds and its own hash
//! ledger/000000000001.entries        segment: entries from position 1
//! ledger/000000000001.bodies         and their sealed bodies
//! ledger/000000002049.replaced       what bodies before that position were replaced by
//! audit/000000000001.entries …
//! keys/001795453262123.db            copy of keys.db
//! files/<sha256>                     register.toml and the like
//! ```
//!
//! Invariants:
//! - A manifest is written last, after all that it names is on disk. A backup that was ended in its middle leaves the
//!   ones before whole, and its own pieces are taken away by the next.
//! - No piece that a manifest names is written again.
//! - The clinical ledger is read first, then the audit ledger, then `keys.db`: no content without its
//!   keys, and none without the log that tells of it.
//! - Reading holds no writer back: short reads, each of one consistent state, up to the head as it
//!   stood at the beginning.
//! - Where single records were erased, the next backup brings what earlier bodies were replaced by, and which are
//!   gone. Bodies and `keys.db` are of one time: a restore to before such an erasure is refused.

mod bodies;
pub mod check;
pub mod manifest;
pub mod place;
pub mod restore;
mod segment;
pub mod take;
