//! NEWS2, the National Early Warning Score 2 of the Royal College of Physicians (2017), and what a
//! reader needs around it: single vital signs put together into sets, the patient's own normal
//! level, and where each vital sign is heading.
//!
//! Invariants:
//! - Pure: time is an argument (milliseconds since 1970, UTC), and the order of the input never
//!   matters.
//! - A received score is kept and compared, never corrected and never refused.
//! - Nothing missing is counted as normal: an incomplete set has no total, and its risk is a lower
//!   bound.

pub mod assemble;
pub mod codes;
pub mod course;
pub mod normal;
pub mod parameter;
pub mod quantity;
pub mod received;
pub mod score;
pub mod table;
pub mod trend;
