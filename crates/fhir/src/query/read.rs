//! From the pairs of a request to a [`Query`].

use super::value::{self, Modifier};
use super::{Filter, Query, Reason, Scope, Sort, Summary, Target, Total, Unsupported, include};
use crate::definitions;
use crate::issue::{Issue, IssueCode};
use crate::search;
use crate::search::set::Parameters;

/// What becomes of one pair that does not end up in the query.
pub(super) enum Fault {
    /// Its value is malformed: what to send.
    Malformed(String),
    /// It is not supported.
    Unsupported(Reason),
}

/// A parameter's name in its parts: `name:modifier.chain`.
#[derive(Clone, Copy)]
struct Name<'a> {
    name: &'a str,
    modifier: Option<&'a str>,
    chain: Option<&'a str>,
}

pub(super) fn query(
    _: &Parameters,
    scope: Scope,
    pairs: &[(String, String)],
) -> Result<Query, Vec<Issue>> {
    let Scope::Type(kind) = scope else { return Err(Vec::new()) };
    let Some(kind) = definitions::resource_kind(kind) else {
        return Err(vec![Issue::error(
            IssueCode::NotSupported,
            "",
            "not a resource type of FHIR R4",
        )]);
    };
    let mut query = Query {
        kinds: vec![kind],
        compartment: None,
        filters: Vec::new(),
        sort: Vec::new(),
        count: None,
        includes: Vec::new(),
        revincludes: Vec::new(),
        summary: None,
        total: None,
        elements: Vec::new(),
        unsupported: Vec::new(),
    };
    let mut issues = Vec::new();
    for (written, text) in pairs {
        match read(&mut query, written, text) {
            Ok(()) => {}
            Err(Fault::Malformed(message)) => {
                let message = format!("search parameter `{written}`: {message}");
                issues.push(Issue::error(IssueCode::Value, "", message));
            }
            Err(Fault::Unsupported(reason)) => {
                query.unsupported.push(Unsupported { parameter: written.clone(), reason });
            }
        }
    }
    if issues.is_empty() { Ok(query) } else { Err(issues) }
}

fn read(query: &mut Query, written: &str, text: &str) -> Result<(), Fault> {
    let name = Name::parse(written);
    if text.is_empty() {
        return Err(malformed("empty: give a value or leave the parameter out"));
    }
    let is_result = matches!(
        name.name,
        "_count" | "_sort" | "_include" | "_revinclude" | "_summary" | "_total" | "_elements"
    );
    if is_result && (name.modifier.is_some() || name.chain.is_some()) {
        return Err(Fault::Unsupported(Reason::Modifier));
    }
    match name.name {
        "_format" | "_pretty" => Ok(()),
        "_count" => once(&mut query.count, value::count(text)?),
        "_summary" => once(&mut query.summary, summary(text)?),
        "_total" => once(&mut query.total, total(text)?),
        "_include" => include::read(text).map(|include| query.includes.push(include)),
        "_revinclude" => include::read(text).map(|include| query.revincludes.push(include)),
        "_sort" => {
            let keys = text.split(',').map(|key| sort(query.kind().unwrap_or_default(), key));
            query.sort = keys.collect::<Result<_, _>>()?;
            Ok(())
        }
        "_elements" => {
            query.elements.extend(text.split(',').map(Into::into));
            Ok(())
        }
        _ => {
            query.filters.push(filter(query.kind().unwrap_or_default(), name, text)?);
            Ok(())
        }
    }
}

/// Sets a result parameter that may stand once.
fn once<T>(place: &mut Option<T>, value: T) -> Result<(), Fault> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(malformed("given twice: keep one")),
    }
}

pub(super) fn malformed(message: &str) -> Fault {
    Fault::Malformed(message.to_owned())
}

fn filter(kind: &str, name: Name, text: &str) -> Result<Filter, Fault> {
    let on = target(kind, name.name).ok_or(Fault::Unsupported(Reason::Parameter))?;
    let modifier = modifier(&on, name)?;
    let negated = modifier == Some(Modifier::Not);
    let values = value::split(text, ',').into_iter();
    let any = values.map(|value| value::condition(&on, modifier, value));
    let any = any.collect::<Result<_, _>>()?;
    Ok(Filter { on, negated, any })
}

fn target(kind: &str, code: &str) -> Option<Target> {
    match code {
        "_id" => Some(Target::Id),
        "_lastUpdated" => Some(Target::LastUpdated),
        _ => search::parameter(kind, code).cloned().map(Target::Parameter),
    }
}

/// The modifier, or the chain that means the same.
fn modifier(on: &Target, name: Name) -> Result<Option<Modifier>, Fault> {
    let of_reference = match on {
        Target::Parameter(parameter) => parameter.kind == search::ParamKind::Reference,
        Target::Id | Target::LastUpdated | Target::Resource => false,
    };
    match (name.modifier, name.chain) {
        (modifier, Some("identifier")) if of_reference => {
            // `subject:Patient.identifier` says the type that is followed.
            match modifier.map(definitions::resource_kind) {
                Some(None) => Err(Fault::Unsupported(Reason::Modifier)),
                _ => Ok(Some(Modifier::ChainedIdentifier)),
            }
        }
        (_, Some(_)) => Err(Fault::Unsupported(Reason::Chain)),
        (None, None) => Ok(None),
        (Some(text), None) => {
            let known = Modifier::parse(on, text);
            known.map(Some).ok_or(Fault::Unsupported(Reason::Modifier))
        }
    }
}

fn sort(kind: &str, key: &str) -> Result<Sort, Fault> {
    let (code, descending) = key.strip_prefix('-').map_or((key, false), |code| (code, true));
    let by = target(kind, code).ok_or(Fault::Unsupported(Reason::Value))?;
    Ok(Sort { by, descending })
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

impl<'a> Name<'a> {
    fn parse(written: &'a str) -> Name<'a> {
        let (head, chain) = match written.split_once('.') {
            Some((head, chain)) => (head, Some(chain)),
            None => (written, None),
        };
        let (name, modifier) = match head.split_once(':') {
            Some((name, modifier)) => (name, Some(modifier)),
            None => (head, None),
        };
        Name { name, modifier, chain }
    }
}
