//! Operations: what has a `$` in its address.
//!
//! - About codes: [`terminology`]. About a resource: [`validate`], [`meta`].
//! - About one person: [`everything`], [`lastn`], [`stats`], each under one permit and one entry in
//!   the audit ledger, written before the answer leaves.
//! - [`emergency`] opens what a patient has withheld.
//! - [`parameters`] is what an operation is given, from the address or a `Parameters` resource.

pub mod emergency;
pub mod everything;
pub mod lastn;
pub mod meta;
pub mod parameters;
pub mod statistic;
pub mod stats;
pub mod terminology;
pub mod validate;
