//! The expressions that R4 publishes: of search parameters and of invariants.

use crate::answer::{Answer, Shown};
use crate::examples::{Example, definitions};
use fhir::definitions::{resource_kind, resource_kinds};
use fhir::fhirpath::Expression;
use fhir::fhirpath::item::Item;
use fhir::fhirpath::model::Kind;
use fhir::fhirpath::scope::Scope;
use fhir::fhirpath::selector::Selected;
use fhir::search::parameter;
use fhir::value::Value;
use std::collections::BTreeSet;

/// 2026-11-23T12:00:00Z.
const NOW: i64 = 1_795_435_200_000;

/// An expression, and what it is asked of.
pub struct Asked {
    /// What it is, as the list of differences calls it.
    pub name: String,
    /// The expression as everybody gets it.
    pub text: String,
    /// The type of resource it is asked of; nothing if of all.
    pub of: Option<String>,
    ours: Ours,
}

/// How we come to our answer.
enum Ours {
    Expression(Result<Expression, String>),
    /// As the search index does by the parameter of this code, which knows no order and keeps each value
    /// once.
    Parameter(String),
}

impl Asked {
    /// An expression that is evaluated.
    pub fn evaluated(name: String, text: String, of: Option<&str>) -> Asked {
        let expression = Expression::parse(&text).map_err(|error| error.to_string());
        Asked { name, text, of: of.map(str::to_owned), ours: Ours::Expression(expression) }
    }

    /// Whether it is asked of this example.
    pub fn is_for(&self, example: &Example) -> bool {
        self.of.as_ref().is_none_or(|kind| *kind == example.kind)
    }

    /// Our own answer.
    pub fn answer(&self, example: &Example) -> Answer {
        match &self.ours {
            Ours::Expression(Err(error)) => Err(error.clone()),
            Ours::Expression(Ok(expression)) => {
                let focus = Item::resource(&example.value);
                let scope = Scope::new().now(NOW).resource(focus.clone()).budget(u64::MAX);
                let found =
                    expression.evaluate(focus, &scope).map_err(|error| error.to_string())?;
                Ok(found.iter().map(Shown::own).collect())
            }
            Ours::Parameter(code) => {
                let mut found = Vec::new();
                let parameter = parameter(&example.kind, code).ok_or("not a parameter here")?;
                let resource = Selected::resource(&example.value);
                parameter.expression.each(resource, resource, &mut |it| {
                    found.push(Shown::node(it.kind.name(), it.value));
                });
                Ok(found)
            }
        }
    }

    /// The answers as they are compared.
    pub fn compared(&self, answer: Answer) -> Answer {
        let Ours::Parameter(_) = self.ours else { return answer };
        answer.map(|mut found| {
            for item in &mut found {
                // What is computed has a type of FHIRPath here and none of FHIR's in the index.
                item.kind = item.kind.replace("System.", "FHIR.");
            }
            found.sort();
            found.dedup();
            found
        })
    }
}

/// Each search parameter twice: as an expression, and as the index has it.
pub fn search_parameters() -> Result<Vec<Asked>, String> {
    let mut asked = Vec::new();
    for published in definitions("search-parameters.json")? {
        let (Some(text), Some(code)) = (published.text("expression"), published.text("code"))
        else {
            continue;
        };
        for base in published.items("base").iter().filter_map(Value::as_str) {
            let of =
                resource_kind(base).filter(|kind| *kind != "Resource" && *kind != "DomainResource");
            let name = format!("{base}.{code}");
            asked.push(Asked::evaluated(format!("path {name}"), text.to_owned(), of));
            if parameter(of.unwrap_or("Patient"), code).is_some() {
                asked.push(Asked {
                    name: format!("index {name}"),
                    text: indexed(text),
                    of: of.map(str::to_owned),
                    ours: Ours::Parameter(code.to_owned()),
                });
            }
        }
    }
    Ok(asked)
}

/// The expression as the index means it: `as` keeps those of a type among several, and what a reference may
/// name is asked when it is known what it names.
fn indexed(text: &str) -> String {
    let mut terms = Vec::new();
    for term in text.split('|').map(str::trim) {
        let term = term.split(".where(resolve() is ").next().unwrap_or_default();
        terms.push(match term.strip_suffix(')').and_then(|term| term.rsplit_once(" as ")) {
            Some((path, kind)) => format!("{path}).ofType({kind})"),
            None => term.replace(".as(", ".ofType("),
        });
    }
    terms.join(" | ")
}

/// Each invariant of a resource at its place, and each of a datatype wherever one stands.
pub fn invariants() -> Result<Vec<Asked>, String> {
    let mut asked = Vec::new();
    let mut seen = BTreeSet::new();
    let kinds = resource_kinds();
    for file in ["profiles-types.json", "profiles-resources.json"] {
        for definition in definitions(file)? {
            let is_structure = definition.text("resourceType") == Some("StructureDefinition");
            if !is_structure || definition.text("derivation") == Some("constraint") {
                continue;
            }
            let Some(kind) = definition.text("type") else { continue };
            // Every resource repeats the rules of the bases; what is of a later version has none here.
            if matches!(kind, "Resource" | "DomainResource") || Kind::fhir(kind).is_none() {
                continue;
            }
            for element in definition.get("snapshot").map_or(&[][..], |it| it.items("element")) {
                let Some(path) = element.text("path") else { continue };
                for constraint in element.items("constraint") {
                    let (Some(key), Some(text)) =
                        (constraint.text("key"), constraint.text("expression"))
                    else {
                        continue;
                    };
                    // Rules of elements and extensions are asked of every element at once.
                    let of_all = matches!(key, "ele-1" | "ext-1");
                    if of_all && !seen.insert(key.to_owned()) {
                        continue;
                    }
                    let of = kinds.contains(&kind).then_some(kind);
                    let focus = match key {
                        "ele-1" => "descendants()".to_owned(),
                        "ext-1" => "descendants().ofType(Extension)".to_owned(),
                        _ if of.is_some() => quoted(path),
                        _ => format!("descendants().ofType({kind}){}", quoted(&path[kind.len()..])),
                    };
                    asked.push(Asked::evaluated(
                        format!("rule {key}"),
                        format!("{focus}.select({text})"),
                        of,
                    ));
                }
            }
        }
    }
    Ok(asked)
}

/// A path with names that are words of the language in backticks.
fn quoted(path: &str) -> String {
    let mut names = path.split('.');
    let first = names.next().unwrap_or_default().to_owned();
    names.fold(first, |path, name| format!("{path}.`{}`", name.trim_end_matches("[x]")))
}
