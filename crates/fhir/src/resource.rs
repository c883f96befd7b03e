//! A resource: an object with a known R4 `resourceType`.
//!
//! Invariant: [`Resource::kind`] is one of R4's resource types. Everything else about the content
//! is unchecked until [`crate::check`] has looked at it.

use crate::definitions;
use crate::issue::{Issue, IssueCode};
use crate::value::{Object, Value};

/// An R4 resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    kind: &'static str,
    value: Value,
}

impl Resource {
    /// Takes a value whose `resourceType` is one of R4's.
    ///
    /// # Errors
    /// An issue if the value is no object, or its `resourceType` is missing or unknown.
    pub fn from_value(value: Value) -> Result<Resource, Issue> {
        let refuse = |message: &str| Err(Issue::error(IssueCode::Structure, "", message));
        let Value::Object(object) = &value else {
            return refuse("a resource is a JSON object");
        };
        let Some(kind) = object.get("resourceType").and_then(Value::as_str) else {
            return refuse("`resourceType` is missing: name the type of the resource");
        };
        match definitions::resource_kind(kind) {
            Some(kind) => Ok(Resource { kind, value }),
            None => refuse("`resourceType` is not a resource type of FHIR R4"),
        }
    }

    /// The resource type, such as `Patient`.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// The logical id, if there is one.
    pub fn id(&self) -> Option<&str> {
        self.value.text("id")
    }

    /// The content.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The content, given up.
    pub fn into_value(self) -> Value {
        self.value
    }

    /// Sets the logical id. The caller has seen to [`is_id`].
    pub fn set_id(&mut self, id: &str) {
        self.set_head("id", id.into());
    }

    /// Sets `meta.versionId` and `meta.lastUpdated`, keeping other members of `meta` such as
    /// `profile`, `tag` and `source`.
    pub fn set_meta(&mut self, version_id: &str, last_updated: &str) {
        let mut meta = match self.value.get("meta") {
            Some(Value::Object(meta)) => meta.clone(),
            _ => Object::new(),
        };
        for (name, value) in [("lastUpdated", last_updated), ("versionId", version_id)] {
            meta.remove(&format!("_{name}"));
            meta.insert_first(name, value);
        }
        self.set_head("meta", meta.into());
    }

    /// Sets a member in its place, or else among the first: `resourceType`, `id`, `meta`.
    fn set_head(&mut self, name: &str, value: Value) {
        let Value::Object(object) = &mut self.value else {
            return;
        };
        if let Some(place) = object.get_mut(name) {
            *place = value;
            return;
        }
        object.insert_first(name, value);
        for earlier in ["id", "resourceType"] {
            if let Some(value) = object.remove(earlier) {
                object.insert_first(earlier, value);
            }
        }
    }
}

/// Whether a text may be a logical id: 1 to 64 of `A-Z a-z 0-9 - .` (R4 datatypes, id).
pub fn is_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}
