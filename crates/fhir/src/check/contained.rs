//! Contained resources and the references to them (R4 references §2.3.0.4; rules `dom-3` to `dom-5`,
//! `ref-1`).

use super::rules::Breach;
use crate::value::Value;

/// `dom-3`: each contained resource is referred to, or refers to the resource that contains it.
pub(super) fn unreferred(resource: &Value) -> Breach {
    let contained = resource.items("contained");
    let lone = contained.iter().any(|inner| {
        let referred = inner
            .text("id")
            .is_some_and(|id| holds_text(resource, &|text| text.strip_prefix('#') == Some(id)));
        !referred && !holds_text(inner, &|text| text == "#")
    });
    lone.then_some((
        "contained",
        "a contained resource is referred to by nothing: refer to it as `#id`",
    ))
}

/// `dom-4`: contained resources have no version of their own.
pub(super) fn versioned(resource: &Value) -> Breach {
    let has = |inner: &Value| {
        let meta = inner.get("meta");
        ["versionId", "lastUpdated"]
            .iter()
            .any(|name| meta.and_then(|meta| meta.get(name)).is_some())
    };
    resource.items("contained").iter().any(has).then_some((
        "contained",
        "contained resources have no `meta.versionId` or `meta.lastUpdated`: leave them out",
    ))
}

/// `dom-5`: contained resources have no security labels of their own.
pub(super) fn labelled(resource: &Value) -> Breach {
    let has = |inner: &Value| inner.get("meta").and_then(|meta| meta.get("security")).is_some();
    resource.items("contained").iter().any(has).then_some((
        "contained",
        "contained resources have no `meta.security`: label the outer one",
    ))
}

/// `ref-1`: a reference `#id` leads to a contained resource; `#` alone to the one that contains.
pub(super) fn dangling(reference: &Value, container: &Value) -> Breach {
    let id = reference.text("reference")?.strip_prefix('#').filter(|id| !id.is_empty())?;
    let known = container.items("contained").iter().any(|inner| inner.text("id") == Some(id));
    (!known).then_some(("reference", "no contained resource has this id: contain it"))
}

/// Whether a text below `value` is as wanted.
fn holds_text(value: &Value, wanted: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => text.starts_with('#') && wanted(text),
        Value::Array(items) => items.iter().any(|item| holds_text(item, wanted)),
        Value::Object(object) => object.iter().any(|(_, item)| holds_text(item, wanted)),
        _ => false,
    }
}
