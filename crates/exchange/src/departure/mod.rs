//! A municipality's whole content in open formats, so that it can leave with its data; and a municipality
//! founded from such a folder. `docs/export.md` tells the format to whoever receives one.
//!
//! - [`write`](mod@write) makes the folder, from ledger and log, with what [`line`](mod@line) and [`manifest`] say.
//! - [`read`] verifies it as it goes through it, with a public key and nothing else.
//! - [`found`] follows it entry by entry into new ledgers, with keys of their own.
//!
//! Invariants: everything that is in the two ledgers is in the folder once, in their order, or told as erased;
//! nothing in it is believed before the municipality's signature of its manifest is verified; a folder without
//! that signature is unfinished, and so is one that is still called so.

pub mod found;
pub mod line;
pub mod manifest;
mod persons;
pub mod read;
mod resource;
pub mod write;

use std::path::Path;

use crate::error::Failure;

/// The manifest, written last but one.
pub const MANIFEST: &str = "manifest.json";
/// The municipality's signature of the manifest, written last.
pub const SIGNATURE: &str = "manifest.note";
/// What the municipality was founded with, as the configuration names it.
pub const REGISTER: &str = "register.toml";
/// What holds of the register, with who, when and why.
pub const DECIDED: &str = "register.json";
/// The persons, with their numbers.
pub const PERSONS: &str = "persons.ndjson";
/// What was decided, a line each.
pub const DECISIONS: &str = "decisions.ndjson";
/// What owners removed, as history Bundles.
pub const DELETED: &str = "deleted.ndjson";
/// The log of looks, as FHIR.
pub const AUDIT_EVENTS: &str = "audit/AuditEvent.ndjson";
/// Folder of resources as they are.
pub const CURRENT: &str = "current";
/// Folder of earlier versions.
pub const HISTORY: &str = "history";
/// The entries of each ledger, by its kind.
pub const LEDGERS: [(&str, &str); 2] =
    [("ledger", "ledger/clinical.ndjson"), ("audit", "ledger/audit.ndjson")];

/// Small files of the municipality's folder that go along as they are, where they are there.
const FILES: [&str; 2] = [REGISTER, "vigilance.toml"];

/// What a folder is called while it is being made, after its name.
const UNFINISHED: &str = "unfinished";

/// Name of the statement that the manifest is signed as.
fn statement(municipality: &str) -> String {
    format!("{municipality}/export")
}

/// What is wrong with an export, and where: names of files and members only.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Flaw {
    /// The file in the folder.
    pub file: String,
    /// The line, from 1, where it is about one.
    pub line: Option<u64>,
    /// What, and what to do.
    pub what: &'static str,
}

impl std::fmt::Display for Flaw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "`{}`, line {line}: {}", self.file, self.what),
            None => write!(f, "`{}`: {}", self.file, self.what),
        }
    }
}

impl From<Flaw> for Failure {
    fn from(flaw: Flaw) -> Self {
        Failure::Export(flaw)
    }
}

fn flaw(file: &str, line: impl Into<Option<u64>>, what: &'static str) -> Failure {
    Flaw { file: file.to_owned(), line: line.into(), what }.into()
}

fn failed<'a>(doing: &'a str, path: &'a Path) -> impl Fn(std::io::Error) -> Failure + 'a {
    move |error| Failure::Unavailable(format!("{doing} `{}`: {error}", path.display()))
}

/// Bytes as hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
