//! One filter: the name with its modifier and chain, and the values.

use super::read::{Fault, malformed, too_much};
use super::value::{self, Modifier};
use super::{Condition, Filter, Reason, Target, expression, limit};
use crate::definitions::{self, resource_kind};
use crate::resource::is_id;
use crate::search::set::Parameters;
use crate::search::text::{self, Part};
use crate::search::{ParamKind, SearchParameter};
use std::sync::Arc;

/// A parameter's name as written: `name:modifier`, `name:Type.rest`, `_has:Type:parameter:rest`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name<'a>(pub(super) &'a str);

/// Reads filters, following chains to a limit.
pub(super) struct Reader<'a> {
    pub(super) parameters: &'a Parameters,
    conditions: &'a mut usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(parameters: &'a Parameters, conditions: &'a mut usize) -> Reader<'a> {
        Reader { parameters, conditions, depth: 0 }
    }

    /// A filter on resources of one type.
    pub(super) fn filter(
        &mut self,
        kind: &'static str,
        name: Name,
        text: &str,
    ) -> Result<Filter, Fault> {
        if let Some(rest) = name.0.strip_prefix("_has:") {
            return self.deeper(|reader| reader.has(kind, rest, text));
        }
        if let Some((head, rest)) = name.0.split_once('.') {
            return self.deeper(|reader| reader.chain(kind, head, rest, text));
        }
        let (code, modifier) = split_modifier(name.0);
        match code {
            "_list" | "_text" | "_content" | "_filter" if modifier.is_some() => {
                return Err(Fault::Unsupported(Reason::Modifier));
            }
            "_list" => return self.list(text),
            "_text" => return self.words(Part::Narrative, text),
            "_content" => return self.words(Part::Content, text),
            "_filter" => return expression::filter(self, kind, text),
            _ => {}
        }
        let on = self.target(kind, code).ok_or(Fault::Unsupported(Reason::Parameter))?;
        let modifier = match modifier {
            None => None,
            Some(text) => {
                let known = Modifier::parse(&on, text);
                Some(known.ok_or(Fault::Unsupported(Reason::Modifier))?)
            }
        };
        let mut any = Vec::new();
        for text in self.alternatives(text)? {
            value::conditions(self.parameters, &on, modifier, text, &mut any)?;
        }
        let negated = matches!(modifier, Some(Modifier::Not | Modifier::NotIn));
        Ok(Filter { on, negated, any })
    }

    fn target(&self, kind: &str, code: &str) -> Option<Target> {
        match code {
            "_id" => Some(Target::Id),
            "_lastUpdated" => Some(Target::LastUpdated),
            _ => self.parameters.get(kind, code).cloned().map(Target::Parameter),
        }
    }

    /// The alternatives of a value, still escaped.
    fn alternatives<'t>(&mut self, text: &'t str) -> Result<Vec<&'t str>, Fault> {
        let values = value::split(text, ',');
        if values.len() > limit::ALTERNATIVES {
            return Err(too_much(limit::ALTERNATIVES, "alternatives"));
        }
        self.count(values.len())?;
        Ok(values)
    }

    /// Counts conditions of the whole search.
    pub(super) fn count(&mut self, more: usize) -> Result<(), Fault> {
        *self.conditions += more;
        if *self.conditions > limit::CONDITIONS {
            return Err(too_much(limit::CONDITIONS, "conditions, each type of a chain counted,"));
        }
        Ok(())
    }

    /// One reference further away.
    pub(super) fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        if self.depth >= limit::CHAIN {
            return Err(too_much(limit::CHAIN, "references in a chain"));
        }
        self.depth += 1;
        let found = read(self);
        self.depth -= 1;
        found
    }

    /// `subject:Patient.name`: an alternative for each type that has what comes after the dot.
    fn chain(
        &mut self,
        kind: &'static str,
        head: &str,
        rest: &str,
        text: &str,
    ) -> Result<Filter, Fault> {
        let (code, modifier) = split_modifier(head);
        let parameter = self.parameters.get(kind, code).cloned();
        let parameter = parameter.ok_or(Fault::Unsupported(Reason::Parameter))?;
        if parameter.kind != ParamKind::Reference {
            return Err(Fault::Unsupported(Reason::Chain));
        }
        let kinds = chained_kinds(&parameter, modifier)?;
        // Also those that turn out not to have it: looking costs as well.
        self.count(kinds.len())?;
        if rest == "identifier" {
            return self.identifier(parameter, kinds, text);
        }
        let mut any = Vec::new();
        let mut why = Fault::Unsupported(Reason::Chain);
        for kind in kinds {
            match self.filter(kind, Name(rest), text) {
                Ok(filter) => any.push(Condition::Chain { kind, filter: filter.into() }),
                Err(Fault::TooMuch(message)) => return Err(Fault::TooMuch(message)),
                Err(Fault::Unsupported(Reason::Parameter | Reason::Chain)) => {}
                // Told only if no other type makes sense of it.
                Err(other) => why = other,
            }
        }
        if any.is_empty() {
            return Err(why);
        }
        Ok(Filter { on: Target::Parameter(parameter), negated: false, any })
    }

    /// `patient.identifier`, which a reference by identifier answers, too.
    fn identifier(
        &mut self,
        parameter: Arc<SearchParameter>,
        kinds: Vec<&'static str>,
        text: &str,
    ) -> Result<Filter, Fault> {
        let mut any = Vec::new();
        for text in self.alternatives(text)? {
            let identifier = value::token(text)?;
            any.push(Condition::Logical { identifier, chained: kinds.clone() });
        }
        Ok(Filter { on: Target::Parameter(parameter), negated: false, any })
    }

    /// `_has:Observation:patient:code`, without the first word.
    fn has(&mut self, kind: &'static str, rest: &str, text: &str) -> Result<Filter, Fault> {
        let form = || malformed("send `_has:Type:reference:parameter`");
        let (source, rest) = rest.split_once(':').ok_or_else(form)?;
        let (code, rest) = rest.split_once(':').ok_or_else(form)?;
        let source = resource_kind(source).ok_or_else(form)?;
        let parameter = self.parameters.get(source, code).cloned();
        let parameter = parameter.filter(|parameter| parameter.may_name(kind));
        let parameter = parameter.ok_or(Fault::Unsupported(Reason::Parameter))?;
        let filter = Box::new(self.filter(source, Name(rest), text)?);
        let has = Condition::Has { kind: source, parameter, filter };
        Ok(Filter { on: Target::Resource, negated: false, any: vec![has] })
    }

    fn list(&mut self, text: &str) -> Result<Filter, Fault> {
        let mut any = Vec::new();
        for id in self.alternatives(text)? {
            if id.starts_with('$') {
                // Lists that a server works out, such as `$current-problems`.
                return Err(Fault::Unsupported(Reason::Value));
            }
            let id = id.strip_prefix("List/").unwrap_or(id);
            if !is_id(id) {
                return Err(malformed("send ids of Lists"));
            }
            any.push(Condition::InList(id.into()));
        }
        Ok(Filter { on: Target::Resource, negated: false, any })
    }

    fn words(&mut self, part: Part, text: &str) -> Result<Filter, Fault> {
        let mut any = Vec::new();
        for text in self.alternatives(text)? {
            let mut words = text::split(&value::unescape(text));
            words.sort_unstable();
            words.dedup();
            if words.is_empty() {
                return Err(malformed("no word: give some text"));
            }
            self.count(words.len())?;
            any.push(Condition::Words { part, words });
        }
        Ok(Filter { on: Target::Resource, negated: false, any })
    }
}

/// The types that a chain may lead to.
fn chained_kinds(
    parameter: &SearchParameter,
    modifier: Option<&str>,
) -> Result<Vec<&'static str>, Fault> {
    match modifier {
        None if parameter.targets.is_empty() => Ok(definitions::resource_kinds()),
        None => Ok(parameter.targets.clone()),
        Some(kind) => {
            let kind = resource_kind(kind).ok_or(Fault::Unsupported(Reason::Modifier))?;
            value::narrowed(parameter, Some(kind))
        }
    }
}

fn split_modifier(text: &str) -> (&str, Option<&str>) {
    text.split_once(':').map_or((text, None), |(name, modifier)| (name, Some(modifier)))
}
