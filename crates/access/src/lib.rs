//! Who may see or write what, and why.
//!
//! A decision is a value: a [`permit::ReadPermit`] or [`permit::WritePermit`], which nothing but
//! [`decide`], [`control`] and [`rights`] can build and without which no data can be read or appended, or a
//! [`refusal::Refusal`] that names the rule and the way on. Deny by default: an unknown role,
//! purpose, organisation or category is a refusal.
//!
//! This crate does no IO and reads no clock: the caller, what the decision rests on ([`standing`])
//! and the time are arguments.

pub mod administer;
pub mod caller;
pub mod control;
pub mod decide;
pub mod explain;
pub mod law;
pub mod officer;
pub mod opening;
pub mod permit;
pub mod policy;
pub mod refusal;
pub mod register;
pub mod representation;
pub mod restriction;
pub mod rights;
pub mod scopes;
pub mod standing;
pub mod vigilance;
pub mod whatif;

mod facts;
mod said;
