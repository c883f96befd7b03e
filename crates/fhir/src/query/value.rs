//! One value of a search parameter, by the parameter's kind and modifier.

use super::read::{Fault, malformed};
use super::{Condition, Prefix, SystemMatch, Target, TextMatch, TokenMatch};
use crate::definitions::{self, ElementType};
use crate::instant;
use crate::path::Path;
use crate::reference::Literal;
use crate::resource::is_id;
use crate::search::{ParamKind, SearchParameter, fold};

/// A modifier that its parameter has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Modifier {
    Missing,
    Not,
    Exact,
    Contains,
    Identifier,
    /// `.identifier` after the parameter.
    ChainedIdentifier,
    /// `:Patient`.
    Type(&'static str),
}

impl Modifier {
    /// The modifier, if the target has it.
    pub(super) fn parse(on: &Target, text: &str) -> Option<Modifier> {
        let Target::Parameter(parameter) = on else {
            return None;
        };
        match (parameter.kind, text) {
            (_, "missing") => Some(Modifier::Missing),
            (ParamKind::Token, "not") => Some(Modifier::Not),
            (ParamKind::String, "exact") => Some(Modifier::Exact),
            (ParamKind::String, "contains") => Some(Modifier::Contains),
            (ParamKind::Reference, "identifier") => Some(Modifier::Identifier),
            (ParamKind::Reference, kind) => definitions::resource_kind(kind).map(Modifier::Type),
            _ => None,
        }
    }
}

/// Splits at separators that no backslash stands before; the parts stay escaped.
pub(super) fn split(text: &str, separator: char) -> Vec<&str> {
    let mut escaped = false;
    text.split(|letter: char| {
        let splits = letter == separator && !escaped;
        escaped = letter == '\\' && !escaped;
        splits
    })
    .collect()
}

/// Takes the backslashes of R4's escapes away.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => out.extend(letters.next()),
            other => out.push(other),
        }
    }
    out
}

/// A whole number from 0.
pub(super) fn count(text: &str) -> Result<u32, Fault> {
    text.parse().map_err(|_| malformed("send a whole number from 0"))
}

/// One alternative, still escaped.
pub(super) fn condition(
    on: &Target,
    modifier: Option<Modifier>,
    text: &str,
) -> Result<Condition, Fault> {
    if text.is_empty() {
        return Err(malformed("an alternative is empty: take the comma away"));
    }
    match (on, modifier) {
        (_, Some(Modifier::Missing)) => match text {
            "true" => Ok(Condition::Missing(true)),
            "false" => Ok(Condition::Missing(false)),
            _ => Err(malformed("send `true` or `false` with `:missing`")),
        },
        (Target::Id, _) if is_id(text) => Ok(Condition::Id(text.into())),
        (Target::Id, _) => Err(malformed("send logical ids")),
        (Target::LastUpdated, _) => date(text),
        (Target::Resource, _) => Err(Fault::Unsupported(super::Reason::Parameter)),
        (Target::Parameter(parameter), modifier) => match parameter.kind {
            ParamKind::Token => Ok(Condition::Token(without_implied(parameter, token(text)?))),
            ParamKind::Reference => reference(parameter, modifier, text),
            ParamKind::Date => date(text),
            ParamKind::String => string(modifier, text),
            ParamKind::Uri => Ok(Condition::Uri { uri: unescape(text).into(), below: false }),
            _ => Err(Fault::Unsupported(super::Reason::Parameter)),
        },
    }
}

fn token(text: &str) -> Result<TokenMatch, Fault> {
    let parts: Vec<String> = split(text, '|').into_iter().map(unescape).collect();
    let (system, code) = match parts.as_slice() {
        [code] => (SystemMatch::Any, code),
        [system, code] if system.is_empty() => (SystemMatch::Absent, code),
        [system, code] => (SystemMatch::Is(system.as_str().into()), code),
        _ => return Err(malformed("send `code`, `system|code`, `|code` or `system|`")),
    };
    let code = Some(code.as_str()).filter(|code| !code.is_empty()).map(Into::into);
    if code.is_none() && !matches!(system, SystemMatch::Is(_)) {
        return Err(malformed("send `code`, `system|code`, `|code` or `system|`"));
    }
    Ok(TokenMatch { system, code })
}

/// An element of type `code` holds no system, since its binding implies one. Asking for that one is
/// asking for any.
fn without_implied(parameter: &SearchParameter, token: TokenMatch) -> TokenMatch {
    let SystemMatch::Is(system) = &token.system else {
        return token;
    };
    let implies =
        |kind: &ElementType| kind.codes.as_ref().is_some_and(|list| list.system == Some(&**system));
    let implied = parameter.paths.iter().flat_map(Path::types).all(implies);
    if implied && token.code.is_some() {
        TokenMatch { system: SystemMatch::Any, ..token }
    } else {
        token
    }
}

fn reference(
    parameter: &SearchParameter,
    modifier: Option<Modifier>,
    text: &str,
) -> Result<Condition, Fault> {
    let kind = match modifier {
        Some(Modifier::Identifier) => {
            return Ok(Condition::Logical { identifier: token(text)?, chained: Vec::new() });
        }
        Some(Modifier::ChainedIdentifier) => {
            return Ok(Condition::Logical {
                identifier: token(text)?,
                chained: parameter.targets.clone(),
            });
        }
        Some(Modifier::Type(kind)) => Some(kind),
        _ => None,
    };
    let text = unescape(text);
    match Literal::parse(&text) {
        Literal::Resource { kind: named, id, .. } => {
            if kind.is_some_and(|kind| kind != named) {
                return Err(malformed("the modifier and the value name different types"));
            }
            let kinds = narrowed(parameter, Some(named))?;
            Ok(Condition::Reference { kinds, id: id.into() })
        }
        Literal::Malformed if is_id(&text) => {
            Ok(Condition::Reference { kinds: narrowed(parameter, kind)?, id: text.into() })
        }
        Literal::Other(uri) => Ok(Condition::Uri { uri: uri.into(), below: false }),
        Literal::Malformed | Literal::Contained(_) | Literal::Search { .. } => {
            Err(malformed("send `Type/id`, an id or a URL"))
        }
    }
}

/// The types that a reference may name: the one asked for, or all of the parameter's.
fn narrowed(
    parameter: &SearchParameter,
    kind: Option<&'static str>,
) -> Result<Vec<&'static str>, Fault> {
    match kind {
        None => Ok(parameter.targets.clone()),
        Some(kind) if parameter.targets.is_empty() || parameter.targets.contains(&kind) => {
            Ok(vec![kind])
        }
        Some(kind) => {
            let allowed = parameter.targets.join(", ");
            Err(Fault::Malformed(format!("{kind} cannot stand here: use one of {allowed}")))
        }
    }
}

fn date(text: &str) -> Result<Condition, Fault> {
    let letters = text.get(..2).unwrap_or_default();
    let prefix = match letters {
        "eq" => Some(Prefix::Equal),
        "ne" => Some(Prefix::NotEqual),
        "gt" => Some(Prefix::Greater),
        "lt" => Some(Prefix::Less),
        "ge" => Some(Prefix::GreaterOrEqual),
        "le" => Some(Prefix::LessOrEqual),
        "sa" => Some(Prefix::StartsAfter),
        "eb" => Some(Prefix::EndsBefore),
        "ap" => Some(Prefix::Approximate),
        _ => None,
    };
    let date = if prefix.is_some() { text.get(2..).unwrap_or_default() } else { text };
    let (low, high) = instant::search_range(date)
        .ok_or_else(|| malformed("send a date such as `2024-02-29` or `ge2024-02-29T12:00:00Z`"))?;
    Ok(Condition::Date { prefix: prefix.unwrap_or(Prefix::Equal), low, high })
}

fn string(modifier: Option<Modifier>, text: &str) -> Result<Condition, Fault> {
    let text = unescape(text);
    let (text, how) = match modifier {
        Some(Modifier::Exact) => (text, TextMatch::Exact),
        Some(Modifier::Contains) => (fold::fold(&text), TextMatch::Contains),
        _ => (fold::fold(&text), TextMatch::Starts),
    };
    if text.is_empty() {
        return Err(malformed("only white space: give some text"));
    }
    Ok(Condition::Text { text: text.into(), how })
}
