//! The access decision through its public doors.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod barriers;
mod cases;
mod corpus;
mod persons;
mod policies;
mod restrictions;
mod scopes;
