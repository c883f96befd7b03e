//! Resource types as small numbers, and which of their parameters the tables treat in a way of their
//! own: the date that says when a resource is about, codes of which few are in use, and what is
//! measured together with a code.

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

/// Names of token parameters that have few values in use, so that many rows have the same of all of
/// them; the most telling first.
const TRAITS: [&str; 11] = [
    "code",
    "type",
    "class",
    "category",
    "priority",
    "intent",
    "verification-status",
    "clinical-status",
    "gender",
    "status",
    "active",
];

/// Names of a code and of the quantity that is measured under it.
const MEASURED: [(&str, ParamKind); 2] =
    [("code", ParamKind::Token), ("value-quantity", ParamKind::Quantity)];

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

/// Numbers of the types that never say when they are about.
static UNDATED: LazyLock<Vec<i64>> = LazyLock::new(|| {
    KINDS.iter().filter(|kind| when(kind).is_none()).map(|kind| number(kind)).collect()
});

/// Numbers of the types without a parameter of [`when`].
pub fn undated() -> &'static [i64] {
    &UNDATED
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

static TRAIT_RANKS: LazyLock<HashMap<u16, usize>> = LazyLock::new(|| {
    let all = KINDS.iter().flat_map(|kind| search::parameters(kind));
    let tokens = all.filter(|parameter| parameter.kind == ParamKind::Token);
    let ranked = tokens.filter_map(|parameter| {
        let rank = TRAITS.iter().position(|name| *name == parameter.code)?;
        Some((parameter.index_id, rank))
    });
    ranked.collect()
});

/// How telling a parameter is whose values are part of a row's shape, the least number the most;
/// nothing for any other.
pub fn trait_rank(param: u16) -> Option<usize> {
    TRAIT_RANKS.get(&param).copied()
}

static PAIRS: LazyLock<HashMap<&'static str, [u16; 2]>> = LazyLock::new(|| {
    let pair = |kind: &&'static str| {
        let [code, quantity] = MEASURED.map(|(name, of)| {
            search::parameter(kind, name)
                .filter(|parameter| parameter.kind == of)
                .map(|parameter| parameter.index_id)
        });
        Some((*kind, [code?, quantity?]))
    };
    KINDS.iter().filter_map(pair).collect()
});

/// What the names of composites of a code and what is measured under it end with, after the code's.
const OF_MEASURED: &str = "-value-quantity";

static POSTED: LazyLock<HashMap<u16, u16>> = LazyLock::new(|| {
    let all = KINDS.iter().filter(|kind| measured(kind).is_some());
    let all = all.flat_map(|kind| search::parameters(kind).iter().map(move |it| (*kind, it)));
    let first = |(kind, it): (&str, &Arc<SearchParameter>)| {
        let name = it.code.strip_suffix(OF_MEASURED)?;
        let first = search::parameter(kind, name)?;
        let both = (it.kind, first.kind) == (ParamKind::Composite, ParamKind::Token);
        both.then_some((it.index_id, first.index_id))
    };
    all.filter_map(first).collect()
});

/// The parameter whose terms lead to the rows of a parameter: of composites of a code and what is
/// measured under it that of the code, since `point` leads to both together; else its own.
pub fn posted(param: u16) -> u16 {
    POSTED.get(&param).copied().unwrap_or(param)
}

/// What the name of a parameter begins with that finds a resource by its own value or a component's.
const EITHER: &str = "combo-";

static OWN: LazyLock<HashMap<u16, u16>> = LazyLock::new(|| {
    let all = KINDS.iter();
    let all = all.flat_map(|kind| search::parameters(kind).iter().map(move |it| (*kind, it)));
    let own = |(kind, it): (&str, &Arc<SearchParameter>)| {
        let own = search::parameter(kind, it.code.strip_prefix(EITHER)?)?;
        let both = (it.kind, own.kind) == (ParamKind::Quantity, ParamKind::Quantity);
        both.then_some((it.index_id, own.index_id))
    };
    all.filter_map(own).collect()
});

/// The parameter of a resource's own quantity, of one that a component's is found by as well: what stands
/// under the first does not stand under the second again.
pub fn own(param: u16) -> Option<u16> {
    OWN.get(&param).copied()
}

/// The condition that a number stands under a parameter, after the name of a column.
pub fn under(param: u16) -> String {
    match own(param) {
        Some(own) => format!("IN ({param}, {own})"),
        None => format!("= {param}"),
    }
}

/// The parameters of a type's code and of the quantity that is measured under it, if it has both.
pub fn measured(kind: &str) -> Option<[u16; 2]> {
    PAIRS.get(kind).copied()
}
