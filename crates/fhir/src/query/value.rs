//! One value of a search parameter, by the parameter's kind and modifier.

use super::read::{Fault, malformed};
use super::{Condition, Reason, SystemMatch, Target, TextMatch, TokenMatch, near, number};
use crate::definitions::{self, ElementType};
use crate::fhirpath::selector::Selector;
use crate::reference::Literal;
use crate::resource::is_id;
use crate::search::set::Parameters;
use crate::search::{Component, ParamKind, SearchParameter, fold};

/// Most steps of a URL's path that `:above` goes up.
const STEPS: usize = 30;

/// A modifier that its parameter has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Modifier {
    Missing,
    Not,
    Text,
    In,
    NotIn,
    OfType,
    Above,
    Below,
    Exact,
    Contains,
    Identifier,
    /// `:Patient`.
    Type(&'static str),
}

impl Modifier {
    /// The modifier, if the target has it.
    pub(super) fn parse(on: &Target, text: &str) -> Option<Modifier> {
        let parameter = match on {
            Target::Parameter(parameter) => parameter,
            Target::Id => return (text == "not").then_some(Modifier::Not),
            Target::LastUpdated | Target::Resource => return None,
        };
        match (parameter.kind, text) {
            (_, "missing") => Some(Modifier::Missing),
            (ParamKind::Token, "not") => Some(Modifier::Not),
            (ParamKind::Token, "text") => Some(Modifier::Text),
            (ParamKind::Token, "in") => Some(Modifier::In),
            (ParamKind::Token, "not-in") => Some(Modifier::NotIn),
            (ParamKind::Token, "of-type") => Some(Modifier::OfType),
            (ParamKind::Token | ParamKind::Uri, "above") => Some(Modifier::Above),
            (ParamKind::Token | ParamKind::Uri, "below") => Some(Modifier::Below),
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
pub(super) fn unescape(text: &str) -> String {
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

/// Adds what one alternative, still escaped, asks for: one condition, or several that are as good.
pub(super) fn conditions(
    parameters: &Parameters,
    on: &Target,
    modifier: Option<Modifier>,
    text: &str,
    any: &mut Vec<Condition>,
) -> Result<(), Fault> {
    if text.is_empty() {
        return Err(malformed("an alternative is empty: take the comma away"));
    }
    if modifier == Some(Modifier::Missing) {
        any.push(Condition::Missing(match text {
            "true" => true,
            "false" => false,
            _ => return Err(malformed("send `true` or `false` with `:missing`")),
        }));
        return Ok(());
    }
    any.push(match on {
        Target::Id if is_id(text) => Condition::Id(text.into()),
        Target::Id => return Err(malformed("send logical ids")),
        Target::LastUpdated => number::date(text)?,
        Target::Resource => return Err(Fault::Unsupported(Reason::Parameter)),
        Target::Parameter(parameter) => match parameter.kind {
            ParamKind::Token => coded(parameter, modifier, text)?,
            ParamKind::Reference => reference(parameters, parameter, modifier, text)?,
            ParamKind::Date => number::date(text)?,
            ParamKind::String => string(modifier, text)?,
            ParamKind::Uri => return uri(modifier, text, any),
            ParamKind::Number => Condition::Number(number::number(text)?),
            ParamKind::Quantity => number::quantity(text)?,
            ParamKind::Special => Condition::Near(near::read(text)?),
            ParamKind::Composite => composite(parameters, parameter, text)?,
        },
    });
    Ok(())
}

/// The parts of a composite, which `$` divides.
fn composite(
    parameters: &Parameters,
    parameter: &SearchParameter,
    text: &str,
) -> Result<Condition, Fault> {
    let parts = split(text, '$');
    let wanted = parameter.components.len();
    if parts.len() != wanted || parts.contains(&"") {
        return Err(Fault::Malformed(format!("send {wanted} values with `$` between them")));
    }
    let parts = parts.into_iter().zip(&parameter.components);
    let conditions = parts.map(|(text, component)| part(parameters, component, text));
    Ok(Condition::Composite(conditions.collect::<Result<_, _>>()?))
}

fn part(parameters: &Parameters, component: &Component, text: &str) -> Result<Condition, Fault> {
    Ok(match component.kind {
        ParamKind::Token => Condition::Token(without_implied(&component.expression, token(text)?)),
        ParamKind::Reference => literal(parameters, &component.targets, None, text)?,
        ParamKind::Date => number::date(text)?,
        ParamKind::String => string(None, text)?,
        ParamKind::Uri => Condition::Uri { uri: unescape(text).into(), below: false },
        ParamKind::Number => Condition::Number(number::number(text)?),
        ParamKind::Quantity => number::quantity(text)?,
        ParamKind::Special | ParamKind::Composite => {
            return Err(Fault::Unsupported(Reason::Parameter));
        }
    })
}

fn coded(
    parameter: &SearchParameter,
    modifier: Option<Modifier>,
    text: &str,
) -> Result<Condition, Fault> {
    match modifier {
        Some(Modifier::Text) => string(None, text),
        Some(Modifier::In | Modifier::NotIn) => Ok(Condition::InValueSet(unescape(text).into())),
        Some(Modifier::OfType) => of_type(text),
        Some(Modifier::Above | Modifier::Below) => {
            let below = modifier == Some(Modifier::Below);
            let token = token(text)?;
            if token.code.is_none() {
                return Err(malformed("send a code with `:above` and `:below`"));
            }
            Ok(Condition::Subsumed { token, below })
        }
        _ => Ok(Condition::Token(without_implied(&parameter.expression, token(text)?))),
    }
}

pub(super) fn token(text: &str) -> Result<TokenMatch, Fault> {
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

fn of_type(text: &str) -> Result<Condition, Fault> {
    let parts: Vec<String> = split(text, '|').into_iter().map(unescape).collect();
    match parts.as_slice() {
        [system, code, value] if !code.is_empty() && !value.is_empty() => {
            let system = match system.as_str() {
                "" => SystemMatch::Any,
                system => SystemMatch::Is(system.into()),
            };
            let of = TokenMatch { system, code: Some(code.as_str().into()) };
            Ok(Condition::OfType { of, value: value.as_str().into() })
        }
        _ => Err(malformed("send `system|code|value` with `:of-type`")),
    }
}

/// An element of type `code` holds no system, since its binding implies one. Asking for that one is
/// asking for any.
pub(super) fn without_implied(expression: &Selector, token: TokenMatch) -> TokenMatch {
    let SystemMatch::Is(system) = &token.system else {
        return token;
    };
    let implies = |of_type: &&ElementType| {
        of_type.codes.as_ref().is_some_and(|list| list.system == Some(&**system))
    };
    let elements = expression.elements().unwrap_or_default();
    let implied = !elements.is_empty() && elements.iter().all(implies);
    if implied && token.code.is_some() {
        TokenMatch { system: SystemMatch::Any, ..token }
    } else {
        token
    }
}

fn reference(
    parameters: &Parameters,
    parameter: &SearchParameter,
    modifier: Option<Modifier>,
    text: &str,
) -> Result<Condition, Fault> {
    match modifier {
        Some(Modifier::Identifier) => {
            Ok(Condition::Logical { identifier: token(text)?, chained: Vec::new() })
        }
        Some(Modifier::Type(kind)) => literal(parameters, &parameter.targets, Some(kind), text),
        _ => literal(parameters, &parameter.targets, None, text),
    }
}

fn literal(
    parameters: &Parameters,
    targets: &[&'static str],
    kind: Option<&'static str>,
    text: &str,
) -> Result<Condition, Fault> {
    let text = unescape(text);
    match Literal::parse(&text) {
        Literal::Resource { kind: named, id, base } => {
            if kind.is_some_and(|kind| kind != named) {
                return Err(malformed("the modifier and the value name different types"));
            }
            if !base.is_empty() && !parameters.is_own(base) {
                let uri = format!("{base}/{named}/{id}").into();
                return Ok(Condition::Uri { uri, below: false });
            }
            let kinds = among(targets, Some(named))?;
            Ok(Condition::Reference { kinds, id: id.into() })
        }
        Literal::Malformed if is_id(&text) => {
            Ok(Condition::Reference { kinds: among(targets, kind)?, id: text.into() })
        }
        Literal::Other(uri) => Ok(Condition::Uri { uri: uri.into(), below: false }),
        Literal::Malformed | Literal::Contained(_) | Literal::Search { .. } => {
            Err(malformed("send `Type/id`, an id or a URL"))
        }
    }
}

/// The types that a reference of this parameter may name: the one asked for, or all.
pub(super) fn narrowed(
    parameter: &SearchParameter,
    kind: Option<&'static str>,
) -> Result<Vec<&'static str>, Fault> {
    among(&parameter.targets, kind)
}

fn among(targets: &[&'static str], kind: Option<&'static str>) -> Result<Vec<&'static str>, Fault> {
    match kind {
        None => Ok(targets.to_vec()),
        Some(kind) if targets.is_empty() || targets.contains(&kind) => Ok(vec![kind]),
        Some(kind) => {
            let allowed = targets.join(", ");
            Err(Fault::Malformed(format!("{kind} cannot stand here: use one of {allowed}")))
        }
    }
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

fn uri(modifier: Option<Modifier>, text: &str, any: &mut Vec<Condition>) -> Result<(), Fault> {
    let uri = unescape(text);
    let below = modifier == Some(Modifier::Below);
    let above = modifier == Some(Modifier::Above);
    let path = uri.split_once("://").map(|(_, path)| path);
    if (above || below) && path.is_none() {
        return Err(malformed("send a URL: other URIs have nothing above or below them"));
    }
    if let (true, Some(path)) = (above, path) {
        let start = uri.len() - path.len();
        let steps = path.match_indices('/').map(|(at, _)| start + at);
        for at in steps.take(STEPS) {
            // What is above may be written with its last stroke or without.
            for end in [at, at + 1] {
                let uri = uri.get(..end).filter(|above| *above != uri);
                any.extend(uri.map(|uri| Condition::Uri { uri: uri.into(), below: false }));
            }
        }
    }
    any.push(Condition::Uri { uri: uri.into(), below });
    Ok(())
}
