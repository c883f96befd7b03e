//! The vocabulary of the municipal record: identities, parties, purposes, the information
//! catalogue, municipal services, NEWS2, the Norwegian code systems, and the frozen wire format of
//! events.
//!
//! Pure values and rules. This crate does no IO, reads no clock and draws no random number, and it
//! knows nothing of HTTP or storage, and of FHIR only the texts in [`terminology`]. The conflicts between Norwegian conventions (several
//! identifier systems for one thing, `2` against `02`, …) are decided here and nowhere else.

pub mod about;
pub mod basis;
pub mod catalogue;
pub mod decision;
pub mod entry;
pub mod envelope;
pub mod extension;
pub mod identity;
pub mod label;
pub mod news2;
pub mod okt;
pub mod profile;
pub mod purpose;
pub mod resealing;
pub mod retention;
pub mod rights;
pub mod service;
pub mod system;
pub mod terminology;
