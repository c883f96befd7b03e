//! The access decision through its public doors.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod cases;
mod corpus;
mod restrictions;
mod scopes;
