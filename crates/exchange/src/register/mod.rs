//! The municipality's own register: what it has decided, kept as decisions in its clinical ledger and
//! folded into what access rests on.
//!
//! A decision is judged before it is recorded ([`change`]), recorded, and in force when its position is
//! visible ([`fold`]). Invariant: what holds is a function of the ledger alone, so that a view made anew,
//! a restart and another server all come to the same.

pub mod admin;
pub mod answer;
pub mod change;
pub mod check;
pub mod emergency;
pub mod fold;
pub mod follow;
pub mod part;
pub mod second;
