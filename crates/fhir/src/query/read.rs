//! From the pairs of a request to a [`Query`].

use super::filter::{Name, Reader};
use super::{
    Compartment, Condition, Filter, Query, Reason, Scope, Sort, Summary, Target, Total,
    Unsupported, include, limit, value,
};
use crate::issue::{Issue, IssueCode};
use crate::resource::is_id;
use crate::search::set::Parameters;
use crate::{compartment, definitions};

/// As much of a name as a message repeats.
const LONGEST_NAME: usize = 80;

/// What becomes of one pair that does not end up in the query.
#[derive(Debug)]
pub(super) enum Fault {
    /// Its value is malformed: what to send.
    Malformed(String),
    /// It asks for more than a limit allows.
    TooMuch(String),
    /// It is not supported.
    Unsupported(Reason),
}

/// Reads a search whose types are settled.
struct Request<'a> {
    parameters: &'a Parameters,
    query: Query,
    /// Conditions so far, each type of a chain counted.
    conditions: usize,
}

pub(super) fn query(
    parameters: &Parameters,
    scope: Scope,
    pairs: &[(String, String)],
) -> Result<Query, Vec<Issue>> {
    let refuse = |issue| Err(vec![issue]);
    let length: usize = pairs.iter().map(|(name, text)| name.len() + text.len()).sum();
    if pairs.len() > limit::PARAMETERS || length > limit::LENGTH {
        let (count, length) = (limit::PARAMETERS, limit::LENGTH);
        let message = format!("a search has at most {count} parameters and {length} bytes");
        return refuse(Issue::error(IssueCode::TooCostly, "", message));
    }
    let (kinds, compartment) = match searched(scope) {
        Ok(found) => found,
        Err(issue) => return refuse(issue),
    };
    let mut request = Request { parameters, query: Query::of(kinds, compartment), conditions: 0 };
    let mut issues = Vec::new();
    // What is searched is settled before what it is searched for.
    let (first, rest): (Vec<_>, Vec<_>) = pairs.iter().partition(|(name, _)| name == "_type");
    for (written, text) in first.into_iter().chain(rest) {
        if let Err(fault) = request.pair(scope, written, text) {
            issues.extend(request.query.note(written, fault));
        }
    }
    if issues.is_empty() { Ok(request.query) } else { Err(issues) }
}

type Searched = (Vec<&'static str>, Option<Compartment>);

/// The types that the address names, and the compartment.
fn searched(scope: Scope) -> Result<Searched, Issue> {
    let known = |kind| {
        let kind = definitions::resource_kind(kind);
        let unknown = || not_supported("not a resource type of FHIR R4");
        kind.ok_or_else(unknown)
    };
    match scope {
        Scope::System => Ok((Vec::new(), None)),
        Scope::Type(kind) => Ok((vec![known(kind)?], None)),
        Scope::Compartment { kind, id, of } => {
            let Some(kind) = compartment::KINDS.into_iter().find(|known| *known == kind) else {
                let known = compartment::KINDS.join(", ");
                let message = format!("only these types have a compartment: {known}");
                return Err(not_supported(&message));
            };
            if !is_id(id) {
                return Err(Issue::error(IssueCode::Value, "", "the compartment has no valid id"));
            }
            let kinds = match of {
                Some(of) => vec![known(of)?],
                None => compartment::kinds(kind),
            };
            Ok((kinds, Some(Compartment { kind, id: id.into() })))
        }
    }
}

fn not_supported(message: &str) -> Issue {
    Issue::error(IssueCode::NotSupported, "", message)
}

pub(super) fn malformed(message: &str) -> Fault {
    Fault::Malformed(message.to_owned())
}

impl Query {
    fn of(kinds: Vec<&'static str>, compartment: Option<Compartment>) -> Query {
        Query {
            kinds,
            compartment,
            filters: Vec::new(),
            sort: Vec::new(),
            count: None,
            includes: Vec::new(),
            revincludes: Vec::new(),
            summary: None,
            total: None,
            elements: Vec::new(),
            unsupported: Vec::new(),
        }
    }

    /// Keeps what is unsupported; what is wrong becomes an issue.
    fn note(&mut self, written: &str, fault: Fault) -> Option<Issue> {
        let (code, message) = match fault {
            Fault::Malformed(message) => (IssueCode::Value, message),
            Fault::TooMuch(message) => (IssueCode::TooCostly, message),
            Fault::Unsupported(reason) => {
                let parameter = written.to_owned();
                self.unsupported.push(Unsupported { parameter, reason });
                return None;
            }
        };
        let name: String = written.chars().take(LONGEST_NAME).collect();
        Some(Issue::error(code, "", format!("search parameter `{name}`: {message}")))
    }
}

impl Request<'_> {
    fn pair(&mut self, scope: Scope, written: &str, text: &str) -> Result<(), Fault> {
        if text.is_empty() {
            return Err(malformed("empty: give a value or leave the parameter out"));
        }
        let query = &mut self.query;
        match written {
            "_format" | "_pretty" => Ok(()),
            "_count" => once(&mut query.count, value::count(text)?),
            "_summary" => once(&mut query.summary, summary(text)?),
            "_total" => once(&mut query.total, total(text)?),
            "_include" | "_revinclude" => self.include(written, false, text),
            "_include:iterate" | "_revinclude:iterate" => self.include(written, true, text),
            // The name before R4.
            "_include:recurse" | "_revinclude:recurse" => self.include(written, true, text),
            "_sort" => self.sort(text),
            "_elements" => {
                query.elements.extend(text.split(',').map(Into::into));
                Ok(())
            }
            // Only what stands for itself is found, which is what R4 does unless asked.
            "_contained" if text == "false" => Ok(()),
            "_contained" | "_containedType" | "_query" => {
                Err(Fault::Unsupported(Reason::Parameter))
            }
            "_type" => self.types(scope, text),
            _ if is_result(written) => Err(Fault::Unsupported(Reason::Modifier)),
            _ => self.filter(written, text),
        }
    }

    fn filter(&mut self, written: &str, text: &str) -> Result<(), Fault> {
        let mut reader = Reader::new(self.parameters, &mut self.conditions);
        let name = Name(written);
        let filter = match *self.query.kinds.as_slice() {
            [kind] => reader.filter(kind, name, text)?,
            [] => shared(&mut reader, &definitions::resource_kinds(), name, text)?,
            ref kinds => shared(&mut reader, kinds, name, text)?,
        };
        self.query.filters.push(filter);
        Ok(())
    }

    fn include(&mut self, written: &str, iterate: bool, text: &str) -> Result<(), Fault> {
        let query = &mut self.query;
        if query.includes.len() + query.revincludes.len() >= limit::INCLUDES {
            return Err(too_much(limit::INCLUDES, "includes"));
        }
        let include = include::read(self.parameters, text, iterate)?;
        match written.starts_with("_include") {
            true => query.includes.push(include),
            false => query.revincludes.push(include),
        }
        Ok(())
    }

    fn sort(&mut self, text: &str) -> Result<(), Fault> {
        let keys: Vec<&str> = text.split(',').collect();
        if keys.len() > limit::SORTS {
            return Err(too_much(limit::SORTS, "keys"));
        }
        let mut sort = Vec::with_capacity(keys.len());
        for key in keys {
            let (code, descending) =
                key.strip_prefix('-').map_or((key, false), |code| (code, true));
            let by = match (code, self.query.kinds.as_slice()) {
                ("_id", _) => Some(Target::Id),
                ("_lastUpdated", _) => Some(Target::LastUpdated),
                (_, [kind]) => self.parameters.get(kind, code).cloned().map(Target::Parameter),
                // Of several types only what all have under one number.
                _ => None,
            };
            sort.push(Sort { by: by.ok_or(Fault::Unsupported(Reason::Value))?, descending });
        }
        once_list(&mut self.query.sort, sort)
    }

    /// `_type`, on the system and in a compartment.
    fn types(&mut self, scope: Scope, text: &str) -> Result<(), Fault> {
        let mut kinds = Vec::new();
        for kind in text.split(',') {
            let known = definitions::resource_kind(kind);
            kinds.push(known.ok_or_else(|| malformed("name resource types of FHIR R4"))?);
        }
        kinds.sort_unstable();
        kinds.dedup();
        match scope {
            Scope::Type(_) | Scope::Compartment { of: Some(_), .. } => {
                Err(Fault::Unsupported(Reason::Parameter))
            }
            Scope::System => once_list(&mut self.query.kinds, kinds),
            Scope::Compartment { of: None, .. } => {
                kinds.retain(|kind| self.query.kinds.contains(kind));
                if kinds.is_empty() {
                    return Err(malformed("none of these types can be in the compartment"));
                }
                self.query.kinds = kinds;
                Ok(())
            }
        }
    }
}

/// One filter for several types: the same for all, or an alternative for each.
fn shared(
    reader: &mut Reader,
    kinds: &[&'static str],
    name: Name,
    text: &str,
) -> Result<Filter, Fault> {
    let mut found: Vec<(&'static str, Filter)> = Vec::with_capacity(kinds.len());
    for kind in kinds {
        let filter = reader.filter(kind, name, text)?;
        // What every type has under one number needs no second look.
        if found.is_empty() && is_of_every_type(&filter) {
            return Ok(filter);
        }
        found.push((kind, filter));
    }
    let alternatives = found.into_iter();
    let any = alternatives.map(|(kind, filter)| Condition::OfKind { kind, filter: filter.into() });
    Ok(Filter { on: Target::Resource, negated: false, any: any.collect() })
}

/// Whether a filter says the same of a resource of any type.
fn is_of_every_type(filter: &Filter) -> bool {
    match &filter.on {
        Target::Id | Target::LastUpdated => true,
        Target::Parameter(parameter) => parameter.is_of_every_type(),
        Target::Resource => filter.any.iter().all(|condition| match condition {
            Condition::InList(_) | Condition::Words { .. } => true,
            // A reference may be limited to the type searched.
            Condition::Has { parameter, .. } => parameter.targets.is_empty(),
            Condition::All(filters) => filters.iter().all(is_of_every_type),
            _ => false,
        }),
    }
}

fn is_result(written: &str) -> bool {
    let name = written.split([':', '.']).next().unwrap_or_default();
    matches!(
        name,
        "_count"
            | "_sort"
            | "_include"
            | "_revinclude"
            | "_summary"
            | "_total"
            | "_elements"
            | "_contained"
            | "_containedType"
            | "_type"
    )
}

/// Sets a result parameter that may stand once.
fn once<T>(place: &mut Option<T>, value: T) -> Result<(), Fault> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(malformed("given twice: keep one")),
    }
}

fn once_list<T>(place: &mut Vec<T>, list: Vec<T>) -> Result<(), Fault> {
    if !place.is_empty() {
        return Err(malformed("given twice: keep one"));
    }
    *place = list;
    Ok(())
}

pub(super) fn too_much(most: usize, what: &str) -> Fault {
    Fault::TooMuch(format!("at most {most} {what} are allowed: ask for less"))
}

fn summary(text: &str) -> Result<Summary, Fault> {
    Ok(match text {
        "count" => Summary::Count,
        "true" => Summary::True,
        "false" => Summary::False,
        "data" => Summary::Data,
        "text" => Summary::Text,
        _ => return Err(malformed("send `true`, `false`, `count`, `data` or `text`")),
    })
}

fn total(text: &str) -> Result<Total, Fault> {
    Ok(match text {
        "none" => Total::None,
        "estimate" => Total::Estimate,
        "accurate" => Total::Accurate,
        _ => return Err(malformed("send `none`, `estimate` or `accurate`")),
    })
}
