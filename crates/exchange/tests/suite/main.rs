//! The flows of one municipality through their public doors, on a real folder.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod audit;
mod board;
mod conditions;
mod incomplete;
mod okt;
mod overview;
mod patients;
mod submit;
mod town;
