//! The literal forms of a reference (R4 references §2.3.0.1).

use crate::definitions;
use crate::json;
use crate::resource::is_id;
use crate::value::Value;

/// What `Reference.reference` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Literal<'a> {
    /// A resource by type and id, relative (`Patient/1`) or absolute (`https://…/Patient/1`), perhaps
    /// with a version.
    Resource {
        /// The resource type.
        kind: &'static str,
        /// The logical id.
        id: &'a str,
        /// The server's base before the type; empty if relative.
        base: &'a str,
    },
    /// A search that finds the resource, only of use in a transaction: `Patient?identifier=…`.
    Search {
        /// The resource type.
        kind: &'static str,
    },
    /// A resource contained in the same one: the id after `#`.
    Contained(&'a str),
    /// Any other URI, such as `urn:uuid:…`.
    Other(&'a str),
    /// None of these.
    Malformed,
}

impl<'a> Literal<'a> {
    /// Reads the text of `Reference.reference`.
    pub fn parse(text: &'a str) -> Literal<'a> {
        if let Some(id) = text.strip_prefix('#') {
            return Literal::Contained(id);
        }
        let current = text.split_once("/_history/").map_or(text, |(current, _)| current);
        if let Some(resource) = resource(current) {
            return resource;
        }
        if let Some((kind, _)) = text.split_once('?')
            && let Some(kind) = definitions::resource_kind(kind)
        {
            return Literal::Search { kind };
        }
        if text.contains(':') { Literal::Other(text) } else { Literal::Malformed }
    }
}

fn resource(text: &str) -> Option<Literal<'_>> {
    let (rest, id) = text.rsplit_once('/')?;
    let (base, kind) = rest.rsplit_once('/').unwrap_or(("", rest));
    let kind = definitions::resource_kind(kind)?;
    let is_absolute = base.starts_with("http://") || base.starts_with("https://");
    (is_id(id) && (base.is_empty() || is_absolute)).then_some(Literal::Resource { kind, id, base })
}

/// A literal reference as FHIR writes it: `{"reference": "Patient/1"}`.
pub fn to(kind: &str, id: &str) -> Value {
    json!({ "reference": format!("{kind}/{id}") })
}
