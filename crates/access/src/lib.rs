//! Who may see or write what, and why.
//!
//! A decision is a value: a [`permit::ReadPermit`] or [`permit::WritePermit`], which nothing but
//! [`decide`] can build and without which no data can be read or appended, or a
//! [`refusal::Refusal`] that names the rule and the way on. Deny by default: an unknown role,
//! purpose, organisation or category is a refusal.
//!
//! This crate does no IO and reads no clock: the caller, the register and the time are arguments.

pub mod caller;
pub mod decide;
pub mod permit;
pub mod refusal;
pub mod register;
pub mod scopes;
