//! Two synthetic municipalities with people, services, measurements and source systems that
//! deliver, and a stand-in for the issuers of tokens: what a demonstration, a vendor's trial and
//! the project's own tests run on.
//!
//! Invariants:
//! - Nobody here is real: every identity number is of Skatteetaten's Tenor series (month + 80), and
//!   telephone numbers begin with 1, which no Norwegian subscriber number does.
//! - Everything but [`issuer`], [`holder`] and what [`idp`] remembers is a pure function of its arguments: the same seed, municipality,
//!   number of patients and time give the same bytes on every machine and in every version.
//! - Nothing that has happened is dated after the given time; only planned starts, reassessments
//!   and ends of decisions are.
//! - Production never needs this crate.

pub mod calendar;
pub mod claims;
pub mod delivery;
pub mod holder;
pub mod idp;
pub mod infection;
pub mod issuer;
pub mod looks;
pub mod names;
pub mod national;
pub mod observation;
pub mod offers;
pub mod people;
pub mod random;
pub mod register;
pub mod resource;
pub mod services;
pub mod staff;
pub mod stories;
pub mod tree;
pub mod vitals;
pub mod world;
