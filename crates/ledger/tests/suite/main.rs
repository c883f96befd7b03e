//! The ledger through its public doors.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod backup;
mod contract;
mod crash;
mod custody;
mod flip;
mod golden;
mod keys;
mod merkle;
mod model;
mod postgres;
mod resealing;
mod server;
mod tamper;
mod town;
mod tree;
