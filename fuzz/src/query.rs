//! Search queries: the first line names the type, the second is the query. Nothing panics.
#![no_main]

use fhir::query::Query;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let (kind, query) = text.split_once('\n').unwrap_or(("Observation", text));
    let pairs: Vec<(String, String)> =
        form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    drop(Query::parse(kind, &pairs));
});
