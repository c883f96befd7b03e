//! Log analysis: whether what was looked at was needed. `decide` asks before a look who may; this asks
//! afterwards, from the log of looks and from facts about residents, staff and units, which looks
//! somebody should ask about.
//!
//! A *sign* is one observation with points and the facts behind it. The signs about one employee and one
//! person on one day, or about an employee's whole day, add up to a *finding*; from a set number of
//! points on it is put on the privacy officer's work list. A finding accuses nobody: it is a question.
//!
//! Invariants:
//! - Pure: looks, facts and settings in, findings and the next memory out. No IO, no clock. The same input
//!   gives the same findings.
//! - A finding's score is the sum of its signs' points, 100 at most. There is nothing else in it.
//! - A finding holds no identity number and nothing of what was seen.
//! - Memory grows with employees and days remembered, never with the length of the log.

pub mod analysis;
mod conduct;
pub mod day;
pub mod facts;
pub mod finding;
pub mod memory;
pub mod settings;
mod visit;
pub mod words;
