//! Compiles search parameters: those of `data/search.txt`, and `SearchParameter` resources.

use super::set::{FIRST_ADDED, Parameters};
use super::{Component, ComponentPath, ParamKind, SearchParameter};
use crate::definitions;
use crate::issue::{Issue, IssueCode};
use crate::path::Path;
use crate::resource::Resource;
use crate::value::Value;
use std::collections::HashMap;
use std::sync::Arc;

const SEARCH: &str = include_str!("../../data/search.txt");

/// The types whose parameters every resource has.
const EVERY: [&str; 2] = ["Resource", "DomainResource"];

/// Stands before the path of a component that starts at the resource.
const FROM_RESOURCE: &str = "%resource.";

/// What is known of one kind.
type ByKind = HashMap<&'static str, Vec<Arc<SearchParameter>>>;

/// A parameter as it stands in the data file.
#[derive(Clone, Copy)]
struct Line {
    of: &'static str,
    id: u16,
    index_id: u16,
    code: &'static str,
    kind: ParamKind,
    paths: &'static str,
    /// The targets of a reference, the components of a composite.
    rest: &'static str,
}

pub(super) fn parameters() -> ByKind {
    let lines = lines();
    let mut found = ByKind::new();
    for kind in definitions::resource_kinds() {
        found.insert(kind, Vec::new());
    }
    for line in &lines {
        for (kind, parameters) in &mut found {
            if line.of == *kind || EVERY.contains(&line.of) {
                parameters.extend(line.compile(kind));
            }
        }
    }
    for parameters in found.values_mut() {
        parameters.sort_by(|one, other| one.code.cmp(&other.code));
    }
    found
}

fn lines() -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut seen: HashMap<(&str, ParamKind, &str, &str), u16> = HashMap::new();
    let mut of = "";
    let mut id = 0;
    for line in definitions::data_lines(SEARCH) {
        let words: Vec<&'static str> = line.split(' ').collect();
        match *words.as_slice() {
            ["=", name] => of = name,
            [code, kind, paths, ref rest @ ..] => {
                let Some(kind) = ParamKind::from_name(kind) else {
                    continue;
                };
                let rest = rest.first().copied().unwrap_or_default();
                // What a reference may name is asked of each parameter, and not of its values.
                let parts = if kind == ParamKind::Composite { rest } else { "" };
                let index_id = *seen.entry((of, kind, paths, parts)).or_insert(id);
                lines.push(Line { of, id, index_id, code, kind, paths, rest });
                id += 1;
            }
            _ => {}
        }
    }
    lines
}

impl Line {
    /// Nothing if a path is unknown, which a test rules out for the data as it is.
    fn compile(&self, kind: &str) -> Option<Arc<SearchParameter>> {
        let is_composite = self.kind == ParamKind::Composite;
        let paths = self.paths.split('|').map(|path| Path::parse(kind, path));
        let paths: Vec<Path> = paths.collect::<Option<_>>()?;
        let components = match is_composite {
            true => {
                let parts = self.rest.split(';').map(|part| component(kind, &paths, part));
                parts.collect::<Option<_>>()?
            }
            false => Vec::new(),
        };
        let targets = match is_composite {
            true => Vec::new(),
            false => self.rest.split(',').filter(|target| !target.is_empty()).collect(),
        };
        Some(Arc::new(SearchParameter {
            id: self.id,
            index_id: self.index_id,
            code: self.code.to_owned(),
            kind: self.kind,
            paths,
            targets,
            components,
        }))
    }
}

/// `token:code|code` as a component below each of the paths.
fn component(kind: &str, paths: &[Path], text: &str) -> Option<Component> {
    let (name, own) = text.split_once(':')?;
    let below = paths.iter().map(|path| {
        let own = own.split('|').map(|text| component_path(kind, path, text));
        own.collect::<Option<Vec<_>>>()
    });
    Some(Component {
        kind: ParamKind::from_name(name)?,
        paths: below.collect::<Option<_>>()?,
        targets: Vec::new(),
    })
}

fn component_path(kind: &str, below: &Path, text: &str) -> Option<ComponentPath> {
    Some(match text.strip_prefix(FROM_RESOURCE) {
        Some(text) => ComponentPath { from_resource: true, path: Path::parse(kind, text)? },
        None => ComponentPath { from_resource: false, path: below.below(text)? },
    })
}

/// A `SearchParameter` resource for each of its base types.
pub(super) fn added(
    known: &Parameters,
    resource: &Resource,
    index_id: u16,
) -> Result<Vec<(&'static str, Arc<SearchParameter>)>, Issue> {
    if resource.kind() != "SearchParameter" || index_id < FIRST_ADDED {
        let message = "only a SearchParameter with an index id of its own can be added";
        return Err(Issue::error(IssueCode::NotSupported, "", message));
    }
    let value = resource.value();
    let code = value.text("code").filter(|code| is_name(code));
    let code = code.ok_or_else(|| refused("code", "give a name of letters, digits and `-`"))?;
    let kind = value.text("type").and_then(ParamKind::from_name);
    let kind = kind.filter(|kind| *kind != ParamKind::Special);
    let kind = kind.ok_or_else(|| refused("type", "give one of R4's types but `special`"))?;
    let bases = bases(value)?;
    let targets = value.items("target").iter().filter_map(Value::as_str);
    let targets: Vec<_> = targets.filter_map(definitions::resource_kind).collect();
    let expression = value.text("expression").unwrap_or_default();
    let mut found = Vec::with_capacity(bases.len());
    for base in bases {
        let paths = expression_paths(base, expression)?;
        let components = match kind {
            ParamKind::Composite => added_components(known, base, &paths, value)?,
            _ => Vec::new(),
        };
        let (code, targets) = (code.to_owned(), targets.clone());
        let id = index_id;
        let parameter = SearchParameter { id, index_id, code, kind, paths, targets, components };
        found.push((base, Arc::new(parameter)));
    }
    Ok(found)
}

fn bases(value: &Value) -> Result<Vec<&'static str>, Issue> {
    let mut bases = Vec::new();
    for base in value.items("base").iter().filter_map(Value::as_str) {
        if EVERY.contains(&base) {
            return Ok(definitions::resource_kinds());
        }
        bases.push(definitions::resource_kind(base).ok_or_else(unknown_base)?);
    }
    if bases.is_empty() { Err(unknown_base()) } else { Ok(bases) }
}

fn unknown_base() -> Issue {
    refused("base", "name resource types of R4")
}

/// The terms of an expression that are of this type; the seam where more of FHIRPath may come in.
fn expression_paths(base: &str, expression: &str) -> Result<Vec<Path>, Issue> {
    let mut paths = Vec::new();
    for term in expression.split('|').map(str::trim) {
        let term = without_cast(term);
        let of = [base].into_iter().chain(EVERY).find_map(|kind| term.strip_prefix(kind));
        let term = match (of, of.and_then(|rest| rest.strip_prefix('.'))) {
            (Some(""), _) => "$this",
            (_, Some(path)) => path,
            _ if term.starts_with(char::is_uppercase) => continue,
            _ => &term,
        };
        let path = Path::parse(base, term).ok_or_else(|| {
            refused("expression", "only element paths with `as`, `where(a='b')` and `|` are known")
        })?;
        paths.push(path);
    }
    if paths.is_empty() {
        return Err(refused("expression", "give a path of each type in `base`"));
    }
    Ok(paths)
}

/// `(X.a as T).b` and `X.a as T` written as `X.a.as(T).b`.
fn without_cast(term: &str) -> String {
    let (inner, rest) = match term.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        Some((inner, rest)) => (inner, rest),
        None => (term, ""),
    };
    match inner.split_once(" as ") {
        Some((path, kind)) => format!("{}.as({}){rest}", path.trim(), kind.trim()),
        None => format!("{inner}{rest}"),
    }
}

/// The components of an added composite. What a component's definition is, is looked up by the last
/// part of its URL, which for the standard ones is `Type-code`.
fn added_components(
    known: &Parameters,
    base: &str,
    paths: &[Path],
    value: &Value,
) -> Result<Vec<Component>, Issue> {
    let mut components = Vec::new();
    for component in value.items("component") {
        let url = component.text("definition").unwrap_or_default();
        let name = url.rsplit('/').next().unwrap_or_default();
        let code = name.split_once('-').map_or(name, |(_, code)| code);
        let definition = known.get(base, code).filter(|known| known.components.is_empty());
        let definition = definition.ok_or_else(|| {
            refused("component.definition", "name a parameter of the same type that is known here")
        })?;
        let expression = component.text("expression").unwrap_or_default();
        let own = paths.iter().map(|path| {
            let terms = expression.split('|').map(str::trim);
            terms.map(|term| component_path(base, path, term)).collect::<Option<Vec<_>>>()
        });
        let own = own.collect::<Option<_>>().ok_or_else(|| {
            refused("component.expression", "only element paths below the expression are known")
        })?;
        let (kind, targets) = (definition.kind, definition.targets.clone());
        components.push(Component { kind, paths: own, targets });
    }
    if components.len() < 2 {
        return Err(refused("component", "a composite has two or more"));
    }
    Ok(components)
}

fn refused(element: &str, message: &str) -> Issue {
    Issue::error(IssueCode::NotSupported, format!("SearchParameter.{element}"), message)
}

/// Whether a name can stand in a search: the signs of modifiers and chains have no place in it.
fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}

impl ParamKind {
    /// The FHIR code, such as `token`.
    pub fn as_str(self) -> &'static str {
        match self {
            ParamKind::Token => "token",
            ParamKind::Reference => "reference",
            ParamKind::Date => "date",
            ParamKind::String => "string",
            ParamKind::Uri => "uri",
            ParamKind::Number => "number",
            ParamKind::Quantity => "quantity",
            ParamKind::Composite => "composite",
            ParamKind::Special => "special",
        }
    }

    fn from_name(name: &str) -> Option<ParamKind> {
        const ALL: [ParamKind; 9] = [
            ParamKind::Token,
            ParamKind::Reference,
            ParamKind::Date,
            ParamKind::String,
            ParamKind::Uri,
            ParamKind::Number,
            ParamKind::Quantity,
            ParamKind::Composite,
            ParamKind::Special,
        ];
        ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}
