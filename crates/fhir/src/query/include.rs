//! `_include=Type:parameter[:Target]`, `_include=Type:*`, `_include=*`.

use super::read::{Fault, malformed};
use super::{Include, Reason};
use crate::definitions::resource_kind;
use crate::search::ParamKind;
use crate::search::set::Parameters;

const FORM: &str = "send `Type:parameter`, `Type:parameter:Target`, `Type:*` or `*`";

pub(super) fn read(parameters: &Parameters, text: &str, iterate: bool) -> Result<Include, Fault> {
    let every = Include { source: None, parameter: None, target: None, iterate };
    if text == "*" {
        return Ok(every);
    }
    let mut parts = text.split(':');
    let (Some(source), Some(code), target, None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(malformed(FORM));
    };
    let source = resource_kind(source).ok_or_else(|| malformed(FORM))?;
    let target = match target {
        Some(target) => Some(resource_kind(target).ok_or_else(|| malformed(FORM))?),
        None => None,
    };
    let every = Include { source: Some(source), target, ..every };
    if code == "*" {
        return Ok(every);
    }
    let parameter = parameters
        .get(source, code)
        .filter(|parameter| parameter.kind == ParamKind::Reference)
        .filter(|parameter| target.is_none_or(|target| parameter.may_name(target)))
        .ok_or(Fault::Unsupported(Reason::Value))?;
    Ok(Include { parameter: Some(parameter.clone()), ..every })
}
