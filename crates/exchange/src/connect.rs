//! References inside a transaction: from full URLs and searches to the ids that resources have (R4
//! http, transaction; bundle, resolving references).
//!
//! Rewritten are `Reference.reference` and elements of type `uri`, `url`, `canonical`, `oid` and
//! `uuid`. A narrative is left as its author wrote it.

use std::collections::HashMap;

use access::caller::Caller;
use fhir::definitions::{self, Content, Found, Shape};
use fhir::reference::Literal;
use fhir::value::Value;

use crate::criteria::Criteria;
use crate::error::Failure;
use crate::settle::Faults;
use crate::submission::Operation;
use crate::tenant::Tenant;

/// `Type/id` by full URL, and by the condition of a conditional write.
type Ids = HashMap<String, String>;

impl Tenant {
    /// Writes the ids of an atomic submission's resources into the references of the others.
    pub(crate) fn connect(
        &self,
        caller: &Caller,
        operations: &mut [Operation],
        faults: &mut Faults,
    ) {
        let (mut by_url, mut by_search) = (Ids::new(), Ids::new());
        for operation in operations.iter() {
            let Some(id) = &operation.id else { continue };
            let target = format!("{}/{id}", operation.kind);
            if let Some(url) = &operation.full_url {
                by_url.insert(url.clone(), target.clone());
            }
            if let Some(criteria) = &operation.criteria {
                by_search.insert(criteria.name(caller), target);
            }
        }
        for (i, operation) in operations.iter_mut().enumerate() {
            let (Some(resource), None) = (&mut operation.resource, faults.get(&i)) else {
                continue;
            };
            let base = operation.full_url.as_deref().and_then(base);
            let mut visit = |link: Link<'_>| match link {
                Link::Uri(uri) => {
                    rewrite(uri, by_url.get(&**uri));
                    Ok(())
                }
                Link::Reference(text) => {
                    let absolute = base.map(|base| format!("{base}/{text}"));
                    let known = by_url.get(&**text);
                    let known = known.or_else(|| by_url.get(absolute.as_ref()?));
                    if known.is_none() && matches!(Literal::parse(text), Literal::Search { .. }) {
                        *text = self.referred(caller, text, &by_search)?.into();
                    }
                    rewrite(text, known);
                    Ok(())
                }
            };
            if let Err(failure) = links(resource, &mut visit) {
                faults.insert(i, failure);
            }
        }
    }

    /// The one resource that a reference by search finds, as `Type/id`.
    fn referred(&self, caller: &Caller, text: &str, known: &Ids) -> Result<String, Failure> {
        let (kind, query) = text.split_once('?').unwrap_or((text, ""));
        let kind = definitions::resource_kind(kind).ok_or(Failure::Unmatched)?;
        let criteria = Criteria::read(kind, query);
        if let Some(target) = known.get(&criteria.name(caller)) {
            return Ok(target.clone());
        }
        match self.find(caller, &criteria, true)?.as_slice() {
            [] => Err(Failure::Unmatched),
            [id] => Ok(format!("{kind}/{id}")),
            _ => Err(Failure::Several),
        }
    }
}

fn rewrite(text: &mut Box<str>, target: Option<&String>) {
    if let Some(target) = target {
        *text = target.as_str().into();
    }
}

/// The server's base in a full URL such as `https://example.org/fhir/Patient/1`, by which relative
/// references of that entry are read.
fn base(full_url: &str) -> Option<&str> {
    match Literal::parse(full_url) {
        Literal::Resource { base, .. } if !base.is_empty() => Some(base),
        _ => None,
    }
}

/// A place that may name another resource.
enum Link<'a> {
    Reference(&'a mut Box<str>),
    Uri(&'a mut Box<str>),
}

type Visit<'v> = dyn FnMut(Link<'_>) -> Result<(), Failure> + 'v;

/// Visits every link of a resource.
fn links(resource: &mut Value, visit: &mut Visit<'_>) -> Result<(), Failure> {
    match resource.text("resourceType").and_then(definitions::shape) {
        Some(shape) => within(resource, shape, visit),
        None => Ok(()),
    }
}

fn within(value: &mut Value, shape: &'static Shape, visit: &mut Visit<'_>) -> Result<(), Failure> {
    let Value::Object(object) = value else { return Ok(()) };
    for (name, child) in object.iter_mut() {
        let Some(found) = shape.member(name) else { continue };
        if let Value::String(text) = child {
            match found.kind.name {
                "uri" | "url" | "canonical" | "oid" | "uuid" => visit(Link::Uri(text))?,
                _ if name == "reference" && shape.name == "Reference" => {
                    visit(Link::Reference(text))?;
                }
                _ => {}
            }
        } else {
            descend(child, found, visit)?;
        }
    }
    Ok(())
}

fn descend(value: &mut Value, found: Found, visit: &mut Visit<'_>) -> Result<(), Failure> {
    match (found.kind.content, value) {
        (_, Value::Array(items)) => items.iter_mut().try_for_each(|item| match item {
            Value::String(text) if matches!(found.kind.name, "uri" | "url" | "canonical") => {
                visit(Link::Uri(text))
            }
            item => descend(item, found, visit),
        }),
        (Content::Shape(id), value) => within(value, id.shape(), visit),
        (Content::Resource, value) => links(value, visit),
        (Content::Primitive(_), _) => Ok(()),
    }
}
