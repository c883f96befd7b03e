//! Fuzzes XML: see `doors::xml`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| doors::xml(bytes));
