//! Changes to a resource told as operations: JSON Patch (RFC 6902) and FHIRPath Patch (R4
//! fhirpatch).
//!
//! A patch is read first, which finds what is malformed, and applied afterwards, which finds what
//! does not fit the resource. Invariants: all operations or none; `resourceType` and `id` stay; the
//! work is bounded by [`MAX_OPERATIONS`] and [`MAX_VALUES`], however often content is copied.

use crate::base64;
use crate::issue::{Issue, IssueCode};
use crate::json::DEPTH_LIMIT;
use crate::value::{Object, Value};

mod fhirpath;
mod json;
mod number;
mod place;
mod pointer;

/// Most operations in one patch.
pub const MAX_OPERATIONS: usize = 1_000;

/// Most values, nested ones included, that the operations of one patch may write.
pub const MAX_VALUES: usize = 200_000;

/// A patch that has been read.
#[derive(Clone, Debug)]
pub struct Patch(Form);

#[derive(Clone, Debug)]
enum Form {
    Json(Vec<json::Operation>),
    FhirPath(Vec<fhirpath::Operation>),
}

impl Patch {
    /// Reads a JSON Patch document (RFC 6902 §3).
    ///
    /// # Errors
    /// An issue that names the operation, such as `patch[2].path`, and says what to send.
    pub fn json(document: &Value) -> Result<Patch, Issue> {
        json::read(document).map(|operations| Patch(Form::Json(operations)))
    }

    /// Reads a FHIRPath Patch (R4 fhirpatch).
    ///
    /// # Errors
    /// As [`Patch::json`].
    pub fn fhirpath(parameters: &Value) -> Result<Patch, Issue> {
        fhirpath::read(parameters).map(|operations| Patch(Form::FhirPath(operations)))
    }

    /// Reads the patch in an entry of a Bundle (R4 http, patch): Parameters, or a Binary that holds a
    /// JSON Patch.
    ///
    /// # Errors
    /// An issue that says what to send.
    pub fn in_bundle(resource: &Value) -> Result<Patch, Issue> {
        let wrong = |message: &str| Err(Issue::error(IssueCode::Value, "resource", message));
        match resource.text("resourceType") {
            Some("Parameters") => return Patch::fhirpath(resource),
            Some("Binary") => {}
            _ => return wrong("send a patch as Parameters, or as Binary with a JSON Patch"),
        }
        if resource.text("contentType") != Some("application/json-patch+json") {
            return wrong("the patch must have contentType `application/json-patch+json`");
        }
        let document = resource.text("data").and_then(base64::decode);
        match document.map(|bytes| crate::json::parse(&bytes)) {
            Some(Ok(document)) => Patch::json(&document),
            _ => wrong("`data` is not JSON in base64"),
        }
    }

    /// The resource after all operations. Arrays and objects that they emptied are left out, since
    /// FHIR knows no empty ones.
    ///
    /// # Errors
    /// An issue that names the operation that does not fit; nothing is changed then.
    pub fn apply(&self, resource: &Value) -> Result<Value, Issue> {
        let mut patched = resource.clone();
        match &self.0 {
            Form::Json(operations) => json::apply(operations, &mut patched)?,
            Form::FhirPath(operations) => fhirpath::apply(operations, &mut patched)?,
        }
        prune(&mut patched);
        Ok(patched)
    }
}

/// An issue about operation `index`, at its member `member`.
fn fault(code: IssueCode, index: usize, member: &str, message: impl Into<String>) -> Issue {
    let dot = if member.is_empty() { "" } else { "." };
    Issue::error(code, format!("patch[{index}]{dot}{member}"), message)
}

/// Type and id alone.
fn identity(resource: &Value) -> Value {
    let mut identity = Object::new();
    for name in ["resourceType", "id"] {
        if let Some(value) = resource.get(name) {
            identity.set(name, value);
        }
    }
    identity.into()
}

/// Whether two states of a resource have the same type and id.
fn same_identity(before: &Value, after: &Value) -> bool {
    ["resourceType", "id"].iter().all(|name| before.get(name) == after.get(name))
}

/// How many values a value holds, itself included, and how deep it is.
fn extent(value: &Value) -> (usize, usize) {
    let of = |values: &mut dyn Iterator<Item = &Value>| {
        values
            .map(extent)
            .fold((1, 1), |(count, depth), (more, deep)| (count + more, depth.max(deep + 1)))
    };
    match value {
        Value::Array(items) => of(&mut items.iter()),
        Value::Object(object) => of(&mut object.iter().map(|(_, value)| value)),
        _ => (1, 0),
    }
}

/// What the operations have written so far.
#[derive(Default)]
struct Budget {
    written: usize,
}

impl Budget {
    /// Takes account of a value that is put `depth` steps below the root.
    fn spend(&mut self, value: &Value, depth: usize, index: usize) -> Result<(), Issue> {
        let (count, deep) = extent(value);
        self.written += count;
        if self.written > MAX_VALUES || depth + deep > DEPTH_LIMIT {
            let message = "the patch makes the resource too large or too deep";
            return Err(fault(IssueCode::TooCostly, index, "", message));
        }
        Ok(())
    }
}

/// Takes out empty arrays and objects, from the inside out.
fn prune(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.iter_mut().for_each(prune);
            items.retain(|item| !is_empty(item));
        }
        Value::Object(object) => {
            object.values_mut().for_each(prune);
            object.retain(|_, value| !is_empty(value));
        }
        _ => {}
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(object) => object.is_empty(),
        _ => false,
    }
}
