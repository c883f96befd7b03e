//! FHIR R4 (4.0.1) as values: parse, print, path, search values and check.
//!
//! Resources are a value tree and not a generated Rust model: what arrives is kept to the letter,
//! unknown elements and the digits of decimals included, and the base definitions are compact data
//! in `data/`. Nothing here may do IO, be async, read a clock or draw a random number, and nothing
//! here knows a Norwegian rule or another crate of ours.
//!
//! - [`value`], [`mod@json`], [`xml`], [`base64`]: the tree, and its texts. [`json!`] writes one in Rust.
//! - [`resource`], [`issue`]: an object with a known type; what may be wrong with it.
//! - [`instant`]: dates and times as half-open ranges of milliseconds.
//! - [`definitions`], [`primitive`], [`mod@reference`]: every element of every R4 type; the forms of
//!   primitive values and of references.
//! - [`profile`], [`rule`]: profiles and extensions, compiled; rules between elements.
//! - [`check`]: whether a resource is what R4 and its profiles say.
//! - [`fhirpath`]: expressions over resources, for invariants, search parameters and patches.
//! - [`search`]: the values a resource is found by.
//! - [`patch`], [`subset`]: a resource changed by operations; a part of a resource.
//! - [`compartment`]: what belongs to a patient and to four other types.
//! - [`ucum`]: units of measure.
//! - [`query`]: the grammar of a search request.
//! - [`terminology`]: code systems, value sets and concept maps, and what is asked of them.

pub mod base64;
pub mod check;
pub mod compartment;
pub mod definitions;
pub mod fhirpath;
pub mod instant;
pub mod issue;
pub mod json;
pub mod patch;
pub mod primitive;
pub mod profile;
pub mod query;
pub mod reference;
pub mod resource;
pub mod rule;
pub mod search;
pub mod subset;
pub mod terminology;
pub mod ucum;
pub mod value;
pub mod xml;
