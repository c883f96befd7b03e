//! Compiles search parameters: those of `data/search.txt`, and `SearchParameter` resources.

use super::set::{FIRST_ADDED, Parameters};
use super::{Component, ParamKind, SearchParameter};
use crate::definitions;
use crate::fhirpath::Expression;
use crate::fhirpath::model::Kind;
use crate::fhirpath::selector::Selector;
use crate::issue::{Issue, IssueCode};
use crate::resource::Resource;
use crate::value::Value;
use std::collections::HashMap;
use std::sync::Arc;

const SEARCH: &str = include_str!("../../data/search.txt");

/// The types whose parameters every resource has.
const EVERY: [&str; 2] = ["Resource", "DomainResource"];

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
    /// The targets of a reference with commas between, or `-`.
    targets: &'static str,
    /// The expression; of a composite, those of its components with their kinds after `;`.
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
    let mut seen: HashMap<(&str, ParamKind, &str), u16> = HashMap::new();
    let mut of = "";
    let mut id = 0;
    for line in definitions::data_lines(SEARCH) {
        let words: Vec<&'static str> = line.splitn(4, ' ').collect();
        match *words.as_slice() {
            ["=", name] => of = name,
            [code, kind, targets, rest] => {
                let Some(kind) = ParamKind::from_name(kind) else {
                    continue;
                };
                // What a reference may name is asked of each parameter, and not of its values.
                let index_id = *seen.entry((of, kind, rest)).or_insert(id);
                lines.push(Line { of, id, index_id, code, kind, targets, rest });
                id += 1;
            }
            _ => {}
        }
    }
    lines
}

impl Line {
    /// Nothing if an expression is wrong, which a test rules out for the data as it is.
    fn compile(&self, kind: &str) -> Option<Arc<SearchParameter>> {
        let mut parts = self.rest.split("; ");
        let expression = selector(parts.next()?, &[Kind::fhir(kind)?])?;
        let components = parts.map(|part| {
            let (name, own) = part.split_once(' ')?;
            Some(Component {
                kind: ParamKind::from_name(name)?,
                expression: selector(own, &expression.kinds()?)?,
                targets: Vec::new(),
            })
        });
        let components = components.collect::<Option<_>>()?;
        let targets = self.targets.split(',').filter(|target| *target != "-").collect();
        Some(Arc::new(SearchParameter {
            id: self.id,
            index_id: self.index_id,
            code: self.code.to_owned(),
            kind: self.kind,
            expression,
            targets,
            components,
        }))
    }
}

fn selector(text: &str, from: &[Kind]) -> Option<Selector> {
    Selector::new(Expression::parse(text).ok()?, from).ok()
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
        let from = Kind::fhir(base).ok_or_else(unknown_base)?;
        let expression = added_selector("expression", expression, &[from], kind)?;
        let components = match kind {
            ParamKind::Composite => added_components(known, base, &expression, value)?,
            _ => Vec::new(),
        };
        let (code, targets) = (code.to_owned(), targets.clone());
        let id = index_id;
        let parameter =
            SearchParameter { id, index_id, code, kind, expression, targets, components };
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

/// Any expression whose values may be of types that the kind of parameter takes.
fn added_selector(
    element: &str,
    text: &str,
    from: &[Kind],
    kind: ParamKind,
) -> Result<Selector, Issue> {
    let expression = Expression::parse(text).map_err(|error| refused(element, &error.to_string()));
    let selector = Selector::new(expression?, from);
    let selector = selector.map_err(|error| refused(element, &error.to_string()))?;
    let kinds = selector.kinds();
    if kinds.is_some_and(|kinds| !kinds.iter().any(|found| takes(kind, *found))) {
        let message = format!("name elements of types that a {} parameter takes", kind.as_str());
        return Err(refused(element, &message));
    }
    Ok(selector)
}

/// Whether a kind of parameter has values in elements of a type (R4 search §3.1.1.4).
fn takes(kind: ParamKind, found: Kind) -> bool {
    let system = found.as_system();
    let named = |names: &[&str]| names.contains(&found.name());
    let is_text = system == Some(Kind::STRING);
    let is_resource = || definitions::resource_kind(found.name()).is_some();
    match kind {
        ParamKind::Token => {
            is_text
                || system == Some(Kind::BOOLEAN)
                || named(&["CodeableConcept", "Coding", "ContactPoint", "Identifier"])
        }
        ParamKind::Reference => is_text || named(&["Reference", "Resource"]) || is_resource(),
        ParamKind::Date => {
            matches!(system, Some(Kind::DATE | Kind::DATE_TIME)) || named(&["Period", "Timing"])
        }
        ParamKind::String => is_text || named(&["Address", "CodeableConcept", "HumanName"]),
        ParamKind::Uri => is_text,
        ParamKind::Number => {
            matches!(system, Some(Kind::INTEGER | Kind::DECIMAL)) || found.name() == "Range"
        }
        ParamKind::Quantity => {
            system == Some(Kind::QUANTITY) || named(&["Money", "Range", "SampledData"])
        }
        ParamKind::Composite => true,
        ParamKind::Special => found.name() == "Location.position",
    }
}

/// The components of an added composite. What a component's definition is, is looked up by the last
/// part of its URL, which for the standard ones is `Type-code`.
fn added_components(
    known: &Parameters,
    base: &str,
    whole: &Selector,
    value: &Value,
) -> Result<Vec<Component>, Issue> {
    let from = whole.kinds().ok_or_else(|| {
        refused("expression", "name elements of known types, for the components to start from")
    })?;
    let mut components = Vec::new();
    for component in value.items("component") {
        let url = component.text("definition").unwrap_or_default();
        let name = url.rsplit('/').next().unwrap_or_default();
        let code = name.split_once('-').map_or(name, |(_, code)| code);
        let definition = known.get(base, code).filter(|known| known.components.is_empty());
        let definition = definition.ok_or_else(|| {
            refused("component.definition", "name a parameter of the same type that is known here")
        })?;
        let text = component.text("expression").unwrap_or_default();
        let (kind, targets) = (definition.kind, definition.targets.clone());
        let expression = added_selector("component.expression", text, &from, kind)?;
        components.push(Component { kind, expression, targets });
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
