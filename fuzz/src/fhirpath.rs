//! Fuzzes FHIRPath expressions: see `doors::fhirpath`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| doors::fhirpath(bytes));
