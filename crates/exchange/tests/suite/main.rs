//! The flows of one municipality through their public doors, on a real folder.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod added;
mod audit;
mod audit_event;
mod board;
mod catalogue;
mod conditions;
mod control;
mod departure;
mod disposal;
mod erased_record;
mod incomplete;
mod later;
mod norway;
mod okt;
mod operations;
mod overview;
mod patients;
mod places;
mod profiles;
mod register;
mod rights;
mod submit;
mod town;
mod vigilance;
mod whom;
