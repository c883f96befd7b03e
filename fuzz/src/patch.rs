//! Fuzzes patches: see `doors::patch`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| doors::patch(bytes));
