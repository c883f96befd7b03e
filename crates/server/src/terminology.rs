//! The TerminologyCapabilities, made from the terminology itself.

use access::register::Register;
use exchange::rules::rules;
use fhir::json;
use fhir::value::Value;

/// What the server at `base` knows of codes.
pub fn capabilities(base: &str, register: &Register) -> Value {
    let system = |(url, version): (&str, &str)| {
        let versions = Some(version).filter(|version| !version.is_empty());
        json!({
            "uri": url,
            "version": versions.map(|version| json!([{ "code": version }])),
            "subsumption": true,
        })
    };
    let systems: Vec<Value> = rules().terminology().systems().into_iter().map(system).collect();
    let given = ["url", "valueSet", "filter", "offset", "count", "activeOnly"];
    let given: Vec<Value> = given.iter().map(|name| json!({ "name": *name })).collect();
    json!({
        "resourceType": "TerminologyCapabilities",
        "status": "active",
        "date": "2026-11-23",
        "kind": "instance",
        "software": { "name": "fkj", "version": env!("CARGO_PKG_VERSION") },
        "implementation": { "description": register.name.as_str(), "url": base },
        "codeSystem": systems,
        "expansion": {
            "hierarchical": false,
            "paging": true,
            "incomplete": false,
            "parameter": given,
            "textFilter": "Words, or beginnings of words, that a code or its text must all hold",
        },
        "codeSearch": "explicit",
        "validateCode": { "translations": false },
        "translation": { "needsMap": false },
        "closure": { "translation": false },
    })
}
