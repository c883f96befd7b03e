//! Inbound access tokens and DPoP proofs, by HelseID's rules for APIs (conventions §5.2).
//!
//! ```text
//! request → gate → verify   the token: signature, issuer, audience, time, scope      (keys, claims)
//!                → proof    that the sender holds the key it is bound to             (address)
//!                → replay   that the proof is used for the first time
//!           handler → App::enter: the caller behind the token that the gate let in
//! ```
//!
//! Invariants: nothing behind the gate has an `Authorization` header that it did not check; what fails or
//! cannot be asked refuses; no error carries any part of a token.

pub mod address;
pub mod claims;
pub mod error;
pub mod fetch;
pub mod gate;
pub mod jws;
pub mod key;
pub mod keys;
pub mod nonce;
pub mod proof;
pub mod replay;
pub mod replay_file;
pub mod verify;

#[cfg(test)]
mod tests;
