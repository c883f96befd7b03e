//! Preservation and disposal (bevaring og kassasjon): what keeps information, whose time has run, and the
//! erasure of a person, or of one record, which two officers decide.
//!
//! Invariants: nothing is erased by itself; what is held is neither proposed nor erased; an erasure is one
//! entry of the ledger, which the ledger itself carries out, so that it is never half.

pub mod answer;
pub mod due;
pub mod erase;
pub mod fold;
pub mod hold;
pub mod overview;
pub mod record;
