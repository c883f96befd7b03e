//! The frozen wire format of what an entry of [`crate::entry::Kind::Resealing`] says, version 1: one line
//! of JSON about the record that was erased for good, a line feed, and the
//! [decision](crate::decision::Decision) it was erased by.
//!
//! Of the record it holds what tells that there was one: where it stood, of which type and category, by
//! whom. Nothing of its content, since this outlives it.

use crate::entry::Position;
use serde::{Deserialize, Serialize};

/// A record that was erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resealing {
    /// Format version.
    pub v: u8,
    /// FHIR resource type.
    #[serde(rename = "type")]
    pub kind: String,
    /// FHIR logical id.
    pub id: String,
    /// Category in the information catalogue.
    pub category: String,
    /// Organisation number of the owner.
    pub owner: String,
    /// The system that sent it.
    pub source: String,
    /// Positions of all its versions, in their order: their bodies are erased.
    pub erased: Vec<Position>,
}

/// Bytes that do not tell of a resealing in any known format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bytes do not tell of a resealing in a known format")]
pub struct NotAResealing;

impl Resealing {
    /// The current format version.
    pub const VERSION: u8 = 1;

    /// The bytes that the ledger seals, with the decision's own.
    pub fn seal(&self, decision: &[u8]) -> Vec<u8> {
        let mut out = serde_json::to_vec(self).unwrap_or_default();
        out.push(b'\n');
        out.extend_from_slice(decision);
        out
    }

    /// Splits what [`Resealing::seal`] joined.
    ///
    /// # Errors
    /// Bytes of no known format.
    pub fn open(body: &[u8]) -> Result<(Self, &[u8]), NotAResealing> {
        let end = body.iter().position(|b| *b == b'\n').ok_or(NotAResealing)?;
        let (head, rest) = body.split_at_checked(end).ok_or(NotAResealing)?;
        let resealing: Self = serde_json::from_slice(head).map_err(|_| NotAResealing)?;
        if resealing.v != Self::VERSION {
            return Err(NotAResealing);
        }
        Ok((resealing, rest.get(1..).unwrap_or_default()))
    }
}
