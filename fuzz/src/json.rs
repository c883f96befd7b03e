//! JSON: nothing panics, what is printed parses to the same, and a check of whatever is there ends.
#![no_main]

use fhir::check::check;
use fhir::json;
use fhir::resource::Resource;
use fhir::search;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = json::parse(bytes) else { return };
    let printed = json::print(&value);
    assert_eq!(json::parse(printed.as_bytes()).as_ref(), Ok(&value));
    if let Ok(resource) = Resource::from_value(value) {
        drop(check(&resource));
        drop(search::index(&resource));
    }
});
