//! Functions of text (FHIRPath 2.0.0 §5.6, and those of 2.1). Positions count characters.

use super::collection::count;
use super::{Evaluator, Frame, Result, string, whole};
use crate::fhirpath::EvaluationError;
use crate::fhirpath::item::{Item, Items, Node};
use crate::fhirpath::parse;
use crate::fhirpath::syntax::{Call, Function};
use regex::Regex;
use std::borrow::Cow;

mod code;

impl<'a> Evaluator<'_, 'a> {
    pub(super) fn text(
        &self,
        call: &'a Call,
        input: &Items<'a>,
        frame: Frame<'_, 'a>,
    ) -> Result<Items<'a>> {
        if call.function == Function::Join {
            return self.join(call, input, frame);
        }
        let name = call.function.name();
        let Some(text) = string(input, name)? else {
            return Ok(Items::None);
        };
        self.spend(text.len() / 64)?;
        match call.function {
            Function::Upper => self.owned(text.to_uppercase()),
            Function::Lower => self.owned(text.to_lowercase()),
            Function::Trim => self.owned(text.trim().to_owned()),
            Function::Length => Ok(count(text.chars().count())),
            Function::ToChars => {
                self.spend(text.len())?;
                Ok(text.chars().map(|letter| owned(letter.to_string())).collect())
            }
            Function::Substring => self.substring(call, text, frame),
            Function::Replace | Function::ReplaceMatches => self.replace(call, text, frame),
            Function::Matches | Function::MatchesFull => {
                let argument = self.argument(call, 0, frame)?;
                let Some(pattern) = string(&argument, name)? else {
                    return Ok(Items::None);
                };
                Ok(self.pattern(call, pattern)?.is_match(text).into())
            }
            _ => self.with_text(call, text, frame),
        }
    }

    /// Functions with one argument that is a text.
    fn with_text(&self, call: &'a Call, text: &str, frame: Frame<'_, 'a>) -> Result<Items<'a>> {
        let argument = self.argument(call, 0, frame)?;
        let Some(other) = string(&argument, call.function.name())? else {
            return Ok(Items::None);
        };
        let place = |found: Option<usize>| match found.and_then(|at| text.get(..at)) {
            Some(before) => count(before.chars().count()),
            None => Item::Integer(-1).into(),
        };
        Ok(match call.function {
            Function::IndexOf => place(text.find(other)),
            Function::LastIndexOf => place(text.rfind(other)),
            Function::StartsWith => text.starts_with(other).into(),
            Function::EndsWith => text.ends_with(other).into(),
            Function::Contains => text.contains(other).into(),
            Function::Split => {
                let parts = text.split(other).filter(|part| !other.is_empty() || !part.is_empty());
                let parts: Items<'a> = parts.map(|part| owned(part.to_owned())).collect();
                self.spend(parts.len())?;
                parts
            }
            Function::Encode => code::encode(text, other).map(owned).into(),
            Function::Decode => code::decode(text, other).map(owned).into(),
            Function::Escape => code::escape(text, other).map(owned).into(),
            _ => code::unescape(text, other).map(owned).into(),
        })
    }

    fn owned(&self, text: String) -> Result<Items<'a>> {
        self.spend(text.len() / 64)?;
        Ok(owned(text).into())
    }

    fn substring(&self, call: &'a Call, text: &str, frame: Frame<'_, 'a>) -> Result<Items<'a>> {
        let start = whole(&self.argument(call, 0, frame)?, "substring")?;
        let length = match call.arguments.get(1) {
            Some(_) => whole(&self.argument(call, 1, frame)?, "substring")?,
            None => None,
        };
        let Some(start) = start.and_then(|start| usize::try_from(start).ok()) else {
            return Ok(Items::None);
        };
        let letters = text.chars().skip(start);
        if letters.clone().next().is_none() {
            return Ok(Items::None);
        }
        let length = length.map_or(usize::MAX, |length| usize::try_from(length).unwrap_or(0));
        self.owned(letters.take(length).collect())
    }

    fn replace(&self, call: &'a Call, text: &str, frame: Frame<'_, 'a>) -> Result<Items<'a>> {
        let name = call.function.name();
        let (first, second) = (self.argument(call, 0, frame)?, self.argument(call, 1, frame)?);
        let (Some(wanted), Some(with)) = (string(&first, name)?, string(&second, name)?) else {
            return Ok(Items::None);
        };
        // What it may grow to is paid for before it is made.
        self.spend((text.len() + 1).saturating_mul(with.len() + 1) / 64)?;
        if call.function == Function::Replace {
            return self.owned(text.replace(wanted, with));
        }
        if wanted.is_empty() {
            return self.owned(text.to_owned());
        }
        let pattern = self.pattern(call, wanted)?;
        self.owned(pattern.replace_all(text, groups(with).as_str()).into_owned())
    }

    /// The regular expression of the first argument: compiled before, if it is a literal.
    fn pattern(&self, call: &'a Call, text: &str) -> Result<Cow<'a, Regex>> {
        if let Some(pattern) = &call.pattern {
            return Ok(Cow::Borrowed(pattern));
        }
        self.spend(1000 + text.len())?;
        let full = call.function == Function::MatchesFull;
        parse::pattern(text, full).map(Cow::Owned).ok_or(EvaluationError::BadPattern)
    }

    fn join(&self, call: &'a Call, input: &Items<'a>, frame: Frame<'_, 'a>) -> Result<Items<'a>> {
        let argument = self.argument(call, 0, frame)?;
        let between = string(&argument, "join")?.unwrap_or_default();
        let mut joined = String::new();
        let mut valued =
            input.iter().filter(|item| item.node().is_none_or(Node::has_value)).peekable();
        if valued.peek().is_none() {
            return Ok(Items::None);
        }
        for (index, item) in valued.enumerate() {
            let text = item.as_str().ok_or(EvaluationError::WrongType("join"))?;
            self.spend((text.len() + between.len()) / 64)?;
            joined.push_str(if index == 0 { "" } else { between });
            joined.push_str(text);
        }
        Ok(owned(joined).into())
    }
}

fn owned<'a>(text: String) -> Item<'a> {
    Item::String(Cow::Owned(text))
}

/// The replacement with the numbers of its groups in braces: `$1a` is group 1 and an `a`.
fn groups(with: &str) -> String {
    let mut out = String::new();
    let mut parts = with.split('$');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        match part.split_at_checked(digits) {
            Some((number, rest)) if digits > 0 => out.push_str(&format!("${{{number}}}{rest}")),
            _ => {
                out.push('$');
                out.push_str(part);
            }
        }
    }
    out
}
