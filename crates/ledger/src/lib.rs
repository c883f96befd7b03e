//! One municipality's log: append-only, hash-chained, encrypted, in a SQLite file or in
//! PostgreSQL ([`database`]). It never knows what an event means.
//!
//! A municipality has two: `ledger.db`, the clinical facts, each person's sealed with that person's
//! key; and `audit.db`, the same mechanism with its own chain, sealed with the ledger's key. Beside
//! them lies `keys.db`. All three are synced at every commit; everything else a municipality has on
//! disk can be made again from them.
//!
//! # Flow
//!
//! A caller resolves numbers to persons ([`keys::Keys::resolve`]), makes [`append::Draft`]s and calls
//! [`ledger::Ledger::append`]. On the caller's thread each draft is packed, sealed and digested. The
//! group then waits in a bounded queue for the one writer thread, which takes all that waits (up to a
//! limit), judges each group by the source event ids, and in one transaction keeps the new bodies,
//! then their entries with the parts of the [`tree`] they complete, then the signed head, and where
//! one is due a checkpoint. After the commit it hands the batch to the projector
//! ([`ledger::Sink`]) and then answers the appenders. Readers use connections of their own.
//!
//! # What holds always
//!
//! - Positions run from 1 without gaps; `recorded_at` never goes backwards; an entry never changes.
//! - Each entry carries the SHA-256 of the one before, and of its sealed body as it was first recorded; what binds
//!   a body is that, or the last entry of kind `Resealing` that names it. The head, and a
//!   checkpoint at every 1 024th position, are signed with Ed25519. [`verify`] finds and places any
//!   flipped byte.
//! - A Merkle tree stands over the entries ([`merkle`], RFC 9162), and signed checkpoints of it
//!   ([`note`]) leave the ledger: whoever keeps one can tell whether an entry is in it and whether
//!   anything before it was changed, without seeing anything else.
//! - A group is kept whole or not at all. A refused group leaves nothing.
//! - `(source, source event id)` is there once. A repeat gets the same answer; the same id with other
//!   content is refused. What is compared is a digest with a key of the person's, so that it too is
//!   worthless after the person's erasure. What was erased alone is not taken again, whatever it says.
//! - An acknowledged append is on disk.
//! - An entry of kind `Erasure` about a person is the erasure: once its batch is on disk the writer
//!   destroys the person's key, before the projector or the appender hears of it. Nothing of the person
//!   is taken after it, not even what was already in the queue, and it is itself sealed with the
//!   ledger's key. What a crash left undone, the next opening does, also with an older `keys.db`.
//! - An entry of kind `Resealing` about a person is the erasure of the bodies it names: they are taken out, all
//!   others of the person sealed anew with a next key, and once that is on disk the key they all were sealed with
//!   is destroyed, so that they open in no older copy of the file either. The entry holds the next key sealed for
//!   whoever has the one before, so that the next opening goes on, also with an older `keys.db`. What waited in
//!   the queue sealed with the key of before is sealed anew; readers meanwhile meet one or the other.
//! - Formats once written decode for ever: the golden files are in `cases/formats/v1`.
//!
//! # Crash points
//!
//! What is visible after the process, or the machine, ends at each point. The points of an append are
//! [`faults::Point`]; a test ends the process at each of them, kills it under load, and tears the
//! write-ahead file at many lengths.
//!
//! | The process ends | In the ledger afterwards | The appender | The projector |
//! |---|---|---|---|
//! | before the queue: while sealing | nothing | no answer | nothing |
//! | [`Taken`](faults::Point::Taken): the batch is out of the queue | nothing | no answer | nothing |
//! | [`Bodies`](faults::Point::Bodies), [`Entries`](faults::Point::Entries), [`Head`](faults::Point::Head), [`Checkpoint`](faults::Point::Checkpoint): within the transaction | nothing: SQLite ignores an uncommitted transaction | no answer | nothing |
//! | during the commit | the whole batch or nothing of it: the write-ahead file's commit record decides | no answer | nothing |
//! | [`Committed`](faults::Point::Committed): on disk | the whole batch | no answer: a repeat with the same ids is a duplicate | not told: it reads on from its own position |
//! | [`Destroyed`](faults::Point::Destroyed): keys of those erased are gone, and of a resealing the key of before | the whole batch | no answer, as above | as above |
//! | [`Handed`](faults::Point::Handed): the projector was told | the whole batch | no answer, as above | as far as its own commit came |
//! | [`Answered`](faults::Point::Answered) | the whole batch | has the answer | as above |
//! | while the write-ahead file is copied into the database | everything: it is copied again | | |
//!
//! And around appends:
//!
//! | The process ends | Afterwards |
//! |---|---|
//! | making the municipality's key file | no key file, or a whole one: it is written beside and linked into place |
//! | bringing an older `keys.db` under one key, or exchanging the municipality's key | all of it under the old key or all under the new; what is left of the old in the files, the next opening clears |
//! | taking a backup | those before are whole; what it had written, the next one takes away |
//! | restoring | a folder without a head in its ledger, which no opening takes for a new one: restore anew |
//! | resolving new persons | all of the call's new persons, or none; a person without entries is harmless |
//! | between a person's creation and the entry | the person is there, the same number finds it again |
//! | making a ledger, before its first head | it is made again at the next opening |
//! | making a ledger, after its first head | it is there; from then on `keys.db` knows it, and a missing file is an error, never a new ledger |
//! | erasing, the entry on disk and the key still there | the key is destroyed by the next opening of the ledger |
//! | sealing anew, the entry on disk and the key of before still there | the next opening puts the next key in its place |
//! | destroying a key, before its commit | the key is there: do it again |
//! | destroying a key, after its commit | the key is gone for every use; an earlier copy may remain in the write-ahead file until it is destroyed again or the next opening |
//!
//! # When the disk fails
//!
//! A failed commit whose outcome is unknown stops the writer: appenders get
//! [`error::Error::Stopped`], and opening again tells what is kept. A full disk is refused cleanly and
//! the writer goes on; so is less room than is to be kept free ([`ledger::Ledger::keep_free`]). Readers
//! go on in any case, and a damaged page is an error to whoever needs it. The state is
//! [`condition::Condition`], and each change of it is in the log once.
//!
//! # In PostgreSQL
//!
//! The same tables in a schema for each ledger, and one for the municipality's keys ([`keys::Keys::open_in`]); all of
//! the above but what is said of files. The points within the transaction come before anything is sent, since a batch
//! and its commit are one message. Several servers may have them open:
//!
//! - Each batch holds the head's row while it is judged and kept, and each change of the keys a lock of their schema.
//! - A writer meets what others have appended before it judges: it carries out their erasures and resealings, and
//!   refuses a draft that they have overtaken ([`append::Draft::seen`]). [`ledger::Ledger::wait_beyond`] tells
//!   of them, with the same carried out; [`ledger::Sink`] hears of its own writer's commits alone.
//! - A writer whose connection breaks connects again, for [`ledger::LedgerOptions::patience`], and what waits, waits. A
//!   commit that was not answered is looked for: the chain's hash says whether it is kept. Then it is
//!   acknowledged, or tried again. Before it goes on at a server, one write is acknowledged there, so that nothing is built on
//!   what that server alone has.
//! - Readers, also of the keys, go to a standby where no server takes what is written; whoever waits for news is told
//!   that nobody knows.
//!
//! | A server or the way to it ends | In the ledger afterwards | The appender |
//! |---|---|---|
//! | before the commit was sent | nothing, until it is tried again | waits |
//! | during the commit | the whole batch or nothing of it | waits until the database says which |
//! | and nothing answers within the patience | one of the two | [`error::Error::Unsettled`]: a repeat with the same ids is kept once |
//! | after the commit, before keys were destroyed | the whole batch | waits; after the patience as above, and the next batch, the next opening, or another server destroys them |
//!
//! # What is not here
//!
//! No update, no deletion but of keys and of what was sealed with them, no meaning, no access decision. The digest of
//! what was erased alone stays in its entry, and its key with the person: whoever has the municipality's key and
//! guesses the content to the last byte can tell that the guess is right. Overwriting a key on a solid-state disk
//! does not clean the cells it lay in: put the data folder on an encrypted volume. A copy of
//! `keys.db` keeps destroyed keys for as long as it is kept, and with them what was erased by destroying them;
//! [`backup`] tells of such copies and takes them away in time.
//! A ledger older than a resealing does not open with a newer `keys.db`: the two are restored of one time.

mod absence;
pub mod append;
pub mod backup;
pub mod body;
pub mod chain;
pub mod clock;
pub mod condition;
pub mod crypto;
pub mod database;
mod endings;
pub mod error;
pub mod faults;
mod follow;
mod foreign;
pub mod key_service;
pub mod keys;
pub mod ledger;
pub mod manifest;
pub mod merkle;
pub mod note;
pub mod random;
mod read;
mod reseal;
pub mod sealed_key;
mod storage;
mod store;
pub mod tree;
pub mod verify;
mod writer;
