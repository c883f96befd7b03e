//! Fuzzes units: see `doors::ucum`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| doors::ucum(bytes));
