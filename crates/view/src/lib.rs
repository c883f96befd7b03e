//! The view of one municipality: the current resources and what can be searched, projected from
//! the ledger.
//!
//! A local SQLite file, written by one [`project::Projector`] and read through a pool of read
//! connections, each query on one snapshot. It is never synced and holds no fact of its own: it
//! may be deleted at any time and is rebuilt from the ledger to the same content.
//!
//! Nothing is read without a [`access::permit::ReadPermit`]: its limits are part of the query
//! itself, so that totals, paging and includes leak nothing; so is what it withholds.
//! [`store::View::locate`], which says who owns a record and whom it is about, [`decided`], which is what
//! the municipality has decided, and [`consents`], what persons have restricted, are the exceptions: the
//! decision itself needs them.
//!
//! | Table | Holds |
//! |---|---|
//! | `resource` | one row per resource: its current version, whose it is, when it is about |
//! | `content` | the resource as it is sent, packed |
//! | `version` | positions of earlier versions (their bodies are in the ledger) |
//! | `term` | tokens, references and URIs, as keyed hashes, in the order of time |
//! | `link` | what each resource refers to |
//! | `span`, `word`, `measure` | dates as ranges of milliseconds, strings folded, numbers as ranges |
//! | `point` | the ends of those ranges of numbers, to find rows by; also by code and number in one |
//! | `shape`, `trait` | what many rows have in common, and how many they are |
//! | `extent` | how long rows last |
//! | `added` | numbers of search parameters that sources have added, and how far their index is |
//! | `scope` | category, owner and source, numbered |
//! | `decision` | what the municipality has decided, in its order |
//! | `skipped` | positions of entries that could not be read, and whose they are |
//! | `meta` | the ledger position the view has reached, and how many parameters were ever added |
//!
//! Identity numbers and codes stand in `term` only as SipHash values under a secret key, which
//! keeps the index small and keeps numbers out of it.

pub mod added;
pub mod bond;
pub mod consents;
pub mod content;
pub mod decided;
pub mod error;
pub mod everything;
pub mod history;
pub mod load;
pub mod project;
pub mod scan;
pub mod search;
pub mod store;
pub mod subscriptions;
pub mod trace;

mod addition;
mod begin;
mod condition;
mod current;
mod derived;
mod drive;
mod erase;
mod granted;
mod include;
mod kinds;
mod order;
mod plan;
mod race;
mod ready;
mod retained;
mod rows;
mod schema;
mod scope;
mod seal;
mod shapes;
mod sql;
mod term;
mod unit;
mod verify;
mod withheld;
