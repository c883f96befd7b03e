//! The view through its public doors: a real ledger, the projector and searches under permits.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod added;
mod costs;
mod erased;
mod limits;
mod model;
mod naive;
mod paging;
mod permits;
mod replay;
mod search;
mod skipped;
mod story;
mod town;
mod trace;
mod withheld;
