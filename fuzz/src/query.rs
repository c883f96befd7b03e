//! Fuzzes search queries: see `doors::query`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| doors::query(bytes));
