//! The frozen wire format of a clinical body, version 1: one line of JSON about the resource, a
//! line feed, and the resource's own JSON.
//!
//! The envelope is what the ledger seals. It holds what is needed to project the event again
//! without asking anybody: the resource's type and id, when it happened, through which door it
//! came, and the warnings of the check at that time.

use serde::{Deserialize, Serialize};

/// What stands beside a stored resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Format version.
    pub v: u8,
    /// FHIR resource type.
    #[serde(rename = "type")]
    pub kind: String,
    /// FHIR logical id.
    pub id: String,
    /// When it happened, by the source: milliseconds since 1970-01-01T00:00:00Z.
    pub occurred: i64,
    /// The door: `fhir`, `okt`, `pmd` or `events`.
    pub channel: String,
    /// Warnings of the check, each `location: text`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// Bytes that are not a body of any known format.
#[derive(Debug, thiserror::Error)]
#[error("the bytes are not a body of a known format")]
pub struct NotABody;

impl Envelope {
    /// The current format version.
    pub const VERSION: u8 = 1;

    /// Joins the envelope and the resource's JSON (empty for a removal).
    pub fn seal(&self, resource: &[u8]) -> Vec<u8> {
        let mut out = serde_json::to_vec(self).unwrap_or_default();
        out.push(b'\n');
        out.extend_from_slice(resource);
        out
    }

    /// Splits what [`Envelope::seal`] joined.
    pub fn open(body: &[u8]) -> Result<(Self, &[u8]), NotABody> {
        let end = body.iter().position(|b| *b == b'\n').ok_or(NotABody)?;
        let (head, rest) = body.split_at_checked(end).ok_or(NotABody)?;
        let envelope: Self = serde_json::from_slice(head).map_err(|_| NotABody)?;
        if envelope.v != Self::VERSION {
            return Err(NotABody);
        }
        Ok((envelope, rest.get(1..).unwrap_or_default()))
    }
}
