//! Stand-ins for HelseID, ID-porten and Maskinporten, and for the authorization server that launches SMART
//! apps: each speaks its own protocol as the real one does, so that the platform and a vendor's system have
//! one path for both.
//!
//! ```text
//! request (values) → desk → authorize   what is asked: PAR (RFC 9126), PKCE (RFC 7636)     scope, details
//!                         → token       code, refresh, client credentials, exchange, jwt-bearer → mint
//!                   jwt: private_key_jwt (RFC 7523), DPoP with nonce (RFC 9449)
//! ```
//!
//! Invariants: time and randomness are given; what is remembered is bounded, short and in memory; a code, a
//! launch, an assertion and a proof are good once; nobody is sent to an address that a client has not
//! registered, letter by letter; nobody is logged in: whoever comes can be anybody in the sandbox.

pub mod authorize;
pub mod client;
pub mod desk;
pub mod provider;
pub mod refused;

mod details;
mod jwt;
mod memory;
mod mint;
mod register;
mod scope;
mod token;
