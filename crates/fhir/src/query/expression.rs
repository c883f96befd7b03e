//! `_filter`: conditions with `and`, `or`, `not` and brackets (R4 search_filter).
//!
//! A comparison becomes the search that says the same, such as `birthdate ge 1950-01-01` the search
//! `birthdate=ge1950-01-01`. Chains and filtered paths are not known here.

use super::filter::{Name, Reader};
use super::read::{Fault, malformed};
use super::{Condition, Filter, Reason, Target, TextMatch};
use crate::search::ParamKind;
use crate::search::fold::fold;

/// How deep brackets may nest.
const DEEPEST: u32 = 10;

const FORM: &str =
    "send comparisons such as `code eq loinc|1` with `and`, `or`, `not (…)`, brackets";

pub(super) fn filter(reader: &mut Reader, kind: &'static str, text: &str) -> Result<Filter, Fault> {
    let mut parser = Parser { reader, kind, rest: text.trim(), depth: 0 };
    let filter = parser.any()?;
    if parser.rest.is_empty() { Ok(filter) } else { Err(malformed(FORM)) }
}

struct Parser<'r, 'p, 't> {
    reader: &'r mut Reader<'p>,
    kind: &'static str,
    rest: &'t str,
    depth: u32,
}

impl<'t> Parser<'_, '_, 't> {
    /// `a or b`; `and` binds tighter.
    fn any(&mut self) -> Result<Filter, Fault> {
        let mut any = vec![self.all()?];
        while self.word("or") {
            any.push(self.all()?);
        }
        Ok(one_of(any, |any| any.into_iter().map(|filter| Condition::All(vec![filter])).collect()))
    }

    fn all(&mut self) -> Result<Filter, Fault> {
        let mut all = vec![self.single()?];
        while self.word("and") {
            all.push(self.single()?);
        }
        Ok(one_of(all, |all| vec![Condition::All(all)]))
    }

    fn single(&mut self) -> Result<Filter, Fault> {
        let not = self.word("not");
        if let Some(rest) = self.rest.strip_prefix('(') {
            self.rest = rest.trim_start();
            self.depth += 1;
            if self.depth > DEEPEST {
                return Err(Fault::TooMuch(format!("at most {DEEPEST} brackets may nest")));
            }
            let inner = self.any()?;
            self.depth -= 1;
            let rest = self.rest.strip_prefix(')').ok_or_else(|| malformed(FORM))?;
            self.rest = rest.trim_start();
            return Ok(if not { negated(inner) } else { inner });
        }
        if not {
            return Err(malformed(FORM));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Filter, Fault> {
        let (name, operator) = (self.token()?, self.token()?);
        let value = self.value()?;
        if name.contains(['.', '[', ':']) {
            return Err(Fault::Unsupported(Reason::Value));
        }
        let of = match name {
            "_id" | "_lastUpdated" => None,
            _ => {
                let parameter = self.reader.parameters.get(self.kind, name);
                Some(parameter.ok_or(Fault::Unsupported(Reason::Parameter))?.kind)
            }
        };
        let mut search = |suffix: &str, prefix: &str| {
            let name = format!("{name}{suffix}");
            self.reader.filter(self.kind, Name(&name), &format!("{prefix}{value}"))
        };
        let ordered = matches!(of, Some(ParamKind::Date | ParamKind::Number | ParamKind::Quantity))
            || name == "_lastUpdated";
        match (operator, of) {
            ("pr", _) if matches!(value.as_str(), "true" | "false") => {
                let condition = Condition::Missing(value == "false");
                search(":missing", "").map(|filter| Filter { any: vec![condition], ..filter })
            }
            ("eq" | "ne" | "gt" | "lt" | "ge" | "le" | "ap" | "sa" | "eb", _) if ordered => {
                search("", operator)
            }
            ("eq", Some(ParamKind::String)) => search(":exact", ""),
            ("ne", Some(ParamKind::String)) => search(":exact", "").map(negated),
            ("sw", Some(ParamKind::String)) => search("", ""),
            ("co", Some(ParamKind::String)) => search(":contains", ""),
            ("ew", Some(ParamKind::String)) => search("", "").map(ending),
            ("eq", _) => search("", ""),
            ("ne", _) => search("", "").map(negated),
            ("re", Some(ParamKind::Reference)) => search("", ""),
            ("in", Some(ParamKind::Token)) => search(":in", ""),
            ("ss", Some(ParamKind::Token | ParamKind::Uri)) => search(":below", ""),
            ("sb", Some(ParamKind::Token | ParamKind::Uri)) => search(":above", ""),
            _ => Err(Fault::Unsupported(Reason::Value)),
        }
    }

    /// Takes a word of the grammar, if it is next.
    fn word(&mut self, word: &str) -> bool {
        let rest = self.rest.strip_prefix(word);
        let rest = rest.filter(|rest| rest.starts_with([' ', '(']));
        self.rest = rest.map_or(self.rest, str::trim_start);
        rest.is_some()
    }

    fn token(&mut self) -> Result<&'t str, Fault> {
        let (token, rest) = self.rest.split_once(' ').ok_or_else(|| malformed(FORM))?;
        self.rest = rest.trim_start();
        Ok(token)
    }

    /// A value, escaped as in other searches: one alternative, whatever is in it.
    fn value(&mut self) -> Result<String, Fault> {
        let Some(quoted) = self.rest.strip_prefix('"') else {
            let end = self.rest.find([' ', ')']).unwrap_or(self.rest.len());
            let (value, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
            self.rest = rest.trim_start();
            return if value.is_empty() {
                Err(malformed(FORM))
            } else {
                Ok(value.replace(',', "\\,"))
            };
        };
        let mut value = String::new();
        let mut letters = quoted.char_indices();
        while let Some((at, letter)) = letters.next() {
            let letter = match letter {
                '"' => {
                    self.rest = quoted.get(at + 1..).unwrap_or_default().trim_start();
                    return Ok(value);
                }
                '\\' => letters.next().map_or('\\', |(_, letter)| letter),
                other => other,
            };
            if matches!(letter, ',' | '$' | '|' | '\\') {
                value.push('\\');
            }
            value.push(letter);
        }
        Err(malformed(FORM))
    }
}

/// Itself if it is one; otherwise several as conditions on the resource.
fn one_of(mut filters: Vec<Filter>, combine: impl FnOnce(Vec<Filter>) -> Vec<Condition>) -> Filter {
    match (filters.pop(), filters.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            filters.extend(last);
            Filter { on: Target::Resource, negated: false, any: combine(filters) }
        }
    }
}

fn negated(filter: Filter) -> Filter {
    Filter { negated: !filter.negated, ..filter }
}

fn ending(filter: Filter) -> Filter {
    let any = filter.any.into_iter().map(|condition| match condition {
        Condition::Text { text, .. } => {
            Condition::Text { text: fold(&text).into(), how: TextMatch::Ends }
        }
        other => other,
    });
    Filter { any: any.collect(), ..filter }
}
