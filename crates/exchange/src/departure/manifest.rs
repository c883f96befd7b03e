//! The manifest of an export: what is in it.

use serde::{Deserialize, Serialize};

/// The format that is written.
pub const FORMAT: &str = "fkj-export-1";

/// What is in an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// The program that wrote it, with its version.
    pub software: String,
    /// The municipality's number.
    pub municipality: String,
    /// When it was made: an instant.
    pub made: String,
    /// The clinical ledger and the log of looks, as [`super::LEDGERS`] orders them.
    pub ledgers: Vec<Part>,
    /// Persons about whom something was recorded.
    pub persons: u64,
    /// Those of them, and of representatives, for whom no number stands in what is left: they were erased, or are
    /// known by the number's digest alone.
    pub without_number: u64,
    /// The other files.
    pub files: Vec<File>,
}

/// A ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Its name, such as `9901/ledger`.
    pub ledger: String,
    /// How many entries.
    pub entries: u64,
    /// How many of them are told as erased.
    pub erased: u64,
    /// The public key of its checkpoints, as C2SP writes it.
    pub key: String,
    /// The signed checkpoint of all entries, as C2SP writes it.
    pub checkpoint: String,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Its name within the folder.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// How many lines.
    pub lines: u64,
    /// Its SHA-256, hexadecimal.
    pub sha256: String,
}
