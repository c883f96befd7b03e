//! A resource as the platform tells it, with version and time, and as it was taken.

use fhir::instant::format_instant;
use fhir::json;
use fhir::resource::Resource;
use fhir::value::Value;
use record::entry::Entry;

/// The resource with the version and time of its entry; nothing where it is no resource.
pub(super) fn stamped(taken: &str, entry: &Entry) -> Option<Resource> {
    let mut resource = Resource::from_value(json::parse(taken.as_bytes()).ok()?).ok()?;
    resource.set_meta(&entry.position.to_string(), &format_instant(entry.recorded_at));
    Some(resource)
}

/// The resource without version and time: as it was taken, unless it had some of its own.
pub(super) fn taken(stamped: &Value) -> String {
    let mut value = stamped.clone();
    if let Some(resource) = value.as_object_mut() {
        let mut is_empty = false;
        if let Some(meta) = resource.get_mut("meta").and_then(Value::as_object_mut) {
            for name in ["versionId", "lastUpdated"] {
                drop(meta.remove(name));
            }
            is_empty = meta.is_empty();
        }
        if is_empty {
            drop(resource.remove("meta"));
        }
    }
    json::print(&value)
}
