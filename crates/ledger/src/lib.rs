//! One municipality's log.

pub mod append;
pub mod body;
pub mod chain;
pub mod clock;
pub mod crypto;
pub mod error;
pub mod faults;
pub mod key_service;
pub mod keys;
pub mod ledger;
pub mod random;
mod read;
mod store;
pub mod verify;
mod writer;
