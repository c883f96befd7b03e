//! Where search parameters are defined. R4 calls the definition of one type's parameter
//! `<type>-<code>`; those that several types share are listed in `definitions.txt`.

use std::collections::HashMap;
use std::sync::LazyLock;

const SHARED: &str = include_str!("definitions.txt");

/// By type and code.
static BY_NAME: LazyLock<HashMap<(&str, &str), &str>> = LazyLock::new(|| {
    let lines = SHARED.lines().filter(|line| !line.starts_with('#'));
    let parts = lines.filter_map(|line| {
        let (definition, rest) = line.split_once(' ')?;
        let (code, kinds) = rest.split_once(' ')?;
        Some((definition, code, kinds))
    });
    let of_type = |(definition, code, kinds): (&'static str, &'static str, &'static str)| {
        kinds.split(',').map(move |kind| ((kind, code), definition))
    };
    parts.flat_map(of_type).collect()
});

/// Canonical address of the definition of a type's parameter; the type is `Resource` for those of
/// every type.
pub fn url(kind: &str, code: &str) -> String {
    let definition = match (BY_NAME.get(&(kind, code)), code) {
        (Some(definition), _) => (*definition).to_owned(),
        (None, "_text") => "DomainResource-text".to_owned(),
        (None, code) => format!("{kind}-{}", code.trim_start_matches('_')),
    };
    format!("http://hl7.org/fhir/SearchParameter/{definition}")
}
