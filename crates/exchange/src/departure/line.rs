//! One line of an export for each entry of a ledger: the entry, where its content stands, and what stands
//! nowhere else.
//!
//! Invariant: entry, content and this line give back the plain body of the entry, byte for byte.

use fhir::base64;
use fhir::instant::format_instant;
use record::entry::{Entry, Kind, Position};
use record::envelope::Envelope;
use record::resealing::Resealing;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// An entry of a ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// What the entry says, for whoever reads no bytes.
    #[serde(flatten)]
    pub told: Told,
    /// The entry's canonical bytes, base64.
    pub entry: String,
    /// Where its content stands; nowhere where it was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Place>,
    /// The JSON lines of the body beside a resource: an envelope, a decision, a record of the log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub body: Vec<Value>,
    /// The resource as it was taken, where what stands in its file does not give it back exactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<String>,
    /// SHA-256 of what the source sent, hexadecimal, where it can still be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

/// What an entry says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Its position, from 1.
    pub position: Position,
    /// When it was recorded: an instant.
    pub recorded: String,
    /// What it is: `version`, `removal`, `erasure`, `audit`, `decision` or `resealing`.
    pub kind: String,
    /// The system that sent it.
    pub source: String,
    /// The source's own id of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Organisation number of the owner.
    pub owner: String,
    /// The person it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// Key of the category.
    pub category: String,
}

/// A line of a file of the export: the next one of it that no entry before has named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The file.
    pub file: String,
    /// SHA-256 of the line without its line feed, hexadecimal.
    pub sha256: String,
}

impl Told {
    /// What an entry says.
    pub fn of(entry: &Entry) -> Self {
        Self {
            position: entry.position,
            recorded: format_instant(entry.recorded_at),
            kind: kind(entry.kind).to_owned(),
            source: entry.source.clone(),
            event: entry.source_event_id.clone(),
            owner: entry.owner.clone(),
            person: entry.person.map(|person| person.to_string()),
            category: entry.category.clone(),
        }
    }
}

impl Line {
    /// The line of an entry whose content was erased; more is added where there is more.
    pub fn of(entry: &Entry) -> Self {
        let (content, taken, fingerprint) = (None, None, None);
        let entry_bytes = base64::encode(&entry.canonical());
        Self {
            told: Told::of(entry),
            entry: entry_bytes,
            content,
            body: Vec::new(),
            taken,
            fingerprint,
        }
    }

    /// The entry; nothing where the bytes are none, or say otherwise than the line.
    pub fn entry(&self) -> Option<Entry> {
        let entry = Entry::from_canonical(&base64::decode(&self.entry)?).ok()?;
        (Told::of(&entry) == self.told).then_some(entry)
    }

    /// The plain body, with the resource of a version.
    pub fn plain(&self, resource: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        for (i, line) in self.body.iter().enumerate() {
            if i > 0 {
                out.push(b'\n');
            }
            out.extend_from_slice(line.to_string().as_bytes());
        }
        if [kind(Kind::Version), kind(Kind::Removal)].contains(&self.told.kind.as_str()) {
            out.push(b'\n');
            out.extend_from_slice(resource);
        }
        out
    }

    /// The envelope of a version or removal.
    pub fn envelope(&self) -> Option<Envelope> {
        let [envelope] = self.body.as_slice() else { return None };
        serde_json::from_value(envelope.clone()).ok()
    }

    /// Which entries are erased, by an entry that says so.
    pub fn resealing(&self) -> Option<Resealing> {
        let [resealing, _] = self.body.as_slice() else { return None };
        serde_json::from_value(resealing.clone()).ok()
    }

    /// The line that stands in [`super::DELETED`] for a removal.
    pub fn deleted(&self, envelope: &Envelope) -> String {
        let Envelope { kind, id, .. } = envelope;
        let Told { position, recorded, .. } = &self.told;
        json!({
            "resourceType": "Bundle",
            "type": "history",
            "entry": [{
                "fullUrl": format!("{kind}/{id}"),
                "request": { "method": "DELETE", "url": format!("{kind}/{id}") },
                "response": {
                    "status": "204",
                    "etag": format!("W/\"{position}\""),
                    "lastModified": recorded,
                },
            }],
        })
        .to_string()
    }

    /// The line that stands in [`super::DECISIONS`] for a decision.
    pub fn decided(&self) -> String {
        let Told { position, recorded, person, .. } = &self.told;
        let mut line = json!({ "position": position, "recorded": recorded });
        if let Some(members) = line.as_object_mut() {
            members.extend(person.iter().map(|it| ("person".to_owned(), json!(it))));
            if let [record, _] = self.body.as_slice() {
                members.insert("record".to_owned(), record.clone());
            }
            members.extend(self.body.last().map(|it| ("decision".to_owned(), it.clone())));
        }
        line.to_string()
    }
}

/// The name of a kind.
pub fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Version => "version",
        Kind::Removal => "removal",
        Kind::Erasure => "erasure",
        Kind::Audit => "audit",
        Kind::Decision => "decision",
        Kind::Resealing => "resealing",
    }
}
