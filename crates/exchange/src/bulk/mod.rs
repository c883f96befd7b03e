//! Much at once: export of everything a caller may read, and import of NDJSON.
//!
//! Both are jobs that outlive a restart. What is kept of a job is how far it is, never content.

mod batch;
pub mod export;
pub mod import;
pub mod job;
