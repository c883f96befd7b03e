//! `_include=Type:parameter[:Target]`.

use super::read::{Fault, malformed};
use super::{Include, Reason};
use crate::definitions::resource_kind;
use crate::search::{ParamKind, parameter};

const FORM: &str = "send `Type:parameter` or `Type:parameter:Target`";

pub(super) fn read(text: &str) -> Result<Include, Fault> {
    if text == "*" || text.ends_with(":*") {
        return Err(Fault::Unsupported(Reason::Value));
    }
    let mut parts = text.split(':');
    let (Some(source), Some(code), target, None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(malformed(FORM));
    };
    let source = resource_kind(source).ok_or_else(|| malformed(FORM))?;
    let parameter = parameter(source, code)
        .filter(|parameter| parameter.kind == ParamKind::Reference)
        .ok_or(Fault::Unsupported(Reason::Value))?;
    let target = match target {
        Some(target) => Some(resource_kind(target).ok_or_else(|| malformed(FORM))?),
        None => None,
    };
    Ok(Include { source: Some(source), parameter: Some(parameter.clone()), target, iterate: false })
}
