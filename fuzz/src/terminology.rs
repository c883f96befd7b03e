//! Fuzzes value sets: see `doors::terminology`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| doors::terminology(bytes));
