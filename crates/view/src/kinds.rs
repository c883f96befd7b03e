//! Resource types as small numbers, and the date that says when a resource of a type is about.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use fhir::definitions;
use fhir::search::{self, ParamKind, SearchParameter};

/// Names of date parameters that say when a resource is about, the first that a type has counts.
/// Each of them has at most one value.
const WHEN: [&str; 14] = [
    "date",
    "authored",
    "authoredon",
    "authored-on",
    "effective",
    "effective-time",
    "recorded-date",
    "recorded",
    "sent",
    "created",
    "collected",
    "start-date",
    "period",
    "issued",
];

static KINDS: LazyLock<Vec<&'static str>> = LazyLock::new(definitions::resource_kinds);

static NUMBERS: LazyLock<HashMap<&'static str, i64>> =
    LazyLock::new(|| KINDS.iter().copied().zip(1..).collect());

/// The number of a resource type; 0, which no row has, for an unknown one.
pub fn number(kind: &str) -> i64 {
    NUMBERS.get(kind).copied().unwrap_or(0)
}

/// The resource type with a number; empty for a number that no row has.
pub fn name(number: i64) -> &'static str {
    let place = usize::try_from(number - 1).ok();
    place.and_then(|place| KINDS.get(place)).copied().unwrap_or_default()
}

/// The parameter that says when a resource of this type is about, if it has one.
pub fn when(kind: &str) -> Option<&'static Arc<SearchParameter>> {
    let dated = |code: &&str| {
        search::parameter(kind, code).filter(|parameter| parameter.kind == ParamKind::Date)
    };
    WHEN.iter().find_map(dated)
}

/// Whether this is the parameter of [`when`].
pub fn is_when(kind: &str, parameter: &SearchParameter) -> bool {
    when(kind).is_some_and(|when| when.index_id == parameter.index_id)
}

/// Numbers of the standard token parameters.
static TOKENS: LazyLock<HashSet<i64>> = LazyLock::new(|| {
    let all = KINDS.iter().flat_map(|kind| search::parameters(kind));
    let tokens = all.filter(|parameter| parameter.kind == ParamKind::Token);
    tokens.map(|parameter| i64::from(parameter.index_id)).collect()
});

/// Whether this is the number of a standard token parameter.
pub fn is_token(param: i64) -> bool {
    TOKENS.contains(&param)
}
