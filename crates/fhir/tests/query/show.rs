//! Searches, each with what it is read as, for people.

use expect_test::Expect;
use fhir::instant::format_instant;
use fhir::query::{
    Compartment, Condition, Filter, Include, Near, NumberMatch, Query, Scope, SystemMatch, Target,
    TokenMatch, UnitMatch,
};
use fhir::search::set::Parameters;

fn pairs(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn target(target: &Target) -> String {
    match target {
        Target::Id => "_id".to_owned(),
        Target::LastUpdated => "_lastUpdated".to_owned(),
        Target::Resource => "resource".to_owned(),
        Target::Parameter(parameter) => parameter.code.clone(),
    }
}

fn token(token: &TokenMatch) -> String {
    let system = match &token.system {
        SystemMatch::Any => "any",
        SystemMatch::Absent => "no system",
        SystemMatch::Is(system) => system,
    };
    format!("<{system}> <{}>", token.code.as_deref().unwrap_or("any"))
}

fn number(number: &NumberMatch) -> String {
    let NumberMatch { prefix, value, low, high } = number;
    format!("{prefix:?} {} [{} .. {})", value.get(), low.get(), high.get())
}

fn condition(condition: &Condition) -> String {
    match condition {
        Condition::Token(of) => format!("token {}", token(of)),
        Condition::OfType { of, value } => format!("{} of type {}", value, token(of)),
        Condition::Subsumed { token: of, below } => {
            format!("{} {}", if *below { "below" } else { "above" }, token(of))
        }
        Condition::Logical { identifier, chained } => {
            format!("logical {} chained={chained:?}", token(identifier))
        }
        Condition::Date { prefix, low, high } => {
            format!("{prefix:?} {} .. {}", format_instant(*low), format_instant(*high))
        }
        Condition::Chain { kind, filter: of } => format!("{kind} with ({})", filter(of)),
        Condition::OfKind { kind, filter: of } => format!("{kind} where ({})", filter(of)),
        Condition::Has { kind, parameter, filter: of } => {
            format!("{kind} that refers here by {} with ({})", parameter.code, filter(of))
        }
        Condition::All(all) => {
            let all: Vec<String> = all.iter().map(|of| format!("({})", filter(of))).collect();
            all.join(" and ")
        }
        Condition::Number(of) => number(of),
        Condition::Quantity { number: of, unit: UnitMatch::Canonical { number: base, unit } } => {
            format!("{} = {} {unit}", number(of), number(base))
        }
        Condition::Quantity { number: of, unit } => format!("{} {unit:?}", number(of)),
        Condition::Near(near) => {
            let Near { latitude, longitude, distance } = near;
            format!("{} m from {} {}", distance.get(), latitude.get(), longitude.get())
        }
        Condition::Composite(parts) => {
            parts.iter().map(condition_of_part).collect::<Vec<_>>().join(" with ")
        }
        other => format!("{other:?}"),
    }
}

fn condition_of_part(part: &Condition) -> String {
    format!("[{}]", condition(part))
}

/// What a filter asks.
pub fn filter(filter: &Filter) -> String {
    let any: Vec<String> = filter.any.iter().map(condition).collect();
    let not = if filter.negated { "not " } else { "" };
    format!("{}: {not}{}", target(&filter.on), any.join(" or "))
}

fn include(include: &Include) -> String {
    let parameter = include.parameter.as_ref().map_or("*", |parameter| &parameter.code);
    let iterate = if include.iterate { " again and again" } else { "" };
    let (source, target) = (include.source.unwrap_or("any"), include.target.unwrap_or("any"));
    format!("{source}:{parameter} -> {target}{iterate}")
}

/// A search of one type.
pub fn show(kind: &str, text: &str) -> String {
    show_in(Scope::Type(kind), text)
}

/// A search anywhere.
pub fn show_in(scope: Scope, text: &str) -> String {
    let query = match Query::read(Parameters::r4(), scope, &pairs(text)) {
        Ok(query) => query,
        Err(issues) => {
            return issues.iter().map(|issue| format!("- refused: {}\n", issue.message)).collect();
        }
    };
    let mut out = String::new();
    if let Some(Compartment { kind, id }) = &query.compartment {
        out.push_str(&format!("- in {kind}/{id}\n"));
    }
    if query.kind().is_none() {
        let kinds = query.kinds.len();
        out.push_str(&if kinds > 5 {
            format!("- {kinds} types\n")
        } else {
            format!("- {:?}\n", query.kinds)
        });
    }
    for of in &query.filters {
        out.push_str(&format!("- {}\n", filter(of)));
    }
    for sort in &query.sort {
        out.push_str(&format!("- sort {} descending={}\n", target(&sort.by), sort.descending));
    }
    for (name, list) in [("include", &query.includes), ("revinclude", &query.revincludes)] {
        for item in list {
            out.push_str(&format!("- {name} {}\n", include(item)));
        }
    }
    if let Some(count) = query.count {
        out.push_str(&format!("- count {count}\n"));
    }
    if query.summary.is_some() || query.total.is_some() || !query.elements.is_empty() {
        let (summary, total) = (query.summary, query.total);
        out.push_str(&format!("- {summary:?} {total:?} {:?}\n", query.elements));
    }
    for unsupported in &query.unsupported {
        let (name, reason) = (&unsupported.parameter, unsupported.reason.as_str());
        out.push_str(&format!("- unsupported {name}: {reason}\n"));
    }
    out
}

/// Each search with what it is read as.
pub fn check(kind: &str, searches: &[&str], expected: Expect) {
    let report = searches.iter().map(|search| format!("{search}\n{}", show(kind, search)));
    expected.assert_eq(&report.collect::<String>());
}
