//! Much at once: export of everything a caller may read, and import of NDJSON.
//!
//! Both are jobs that outlive a restart. What is kept of a job is how far it is, never content. A request
//! that is answered later is a job as well, and lives as long as the process.

mod batch;
pub mod export;
pub mod filter;
pub mod import;
pub mod job;
pub mod later;
