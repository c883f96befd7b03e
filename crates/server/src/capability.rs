//! The CapabilityStatement, made from the table of addresses, the information catalogue, the profiles
//! and the search parameters, so that it says what is served.

mod definitions;

use std::collections::BTreeMap;

use access::register::Register;
use fhir::json;
use fhir::search::set::Parameters;
use fhir::search::{ParamKind, SearchParameter};
use fhir::value::{Object, Value};
use record::catalogue::Catalogue;
use record::profile::structure_definitions;

use crate::config::{Scheme, SmartConfig};
use crate::routes::endpoint::{Act, Endpoint, Extent};
use crate::routes::table;

/// When what is served was last changed.
const REVISED: &str = "2026-11-23";

/// Where a SMART app logs people in.
const OAUTH_URIS: &str = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris";

/// How a token is had (R4's `restful-security-service`).
const SECURITY_SERVICES: &str = "http://terminology.hl7.org/CodeSystem/restful-security-service";

/// The resource types that the information catalogue takes, sorted.
pub fn kinds() -> Vec<&'static str> {
    let categories = Catalogue::get().categories.iter();
    let mut kinds: Vec<&str> =
        categories.flat_map(|it| &it.shapes).map(|shape| shape.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// How a token is sent, in words.
pub fn how_sent(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Dpop => {
            "Send `Authorization: DPoP <token>` and in `DPoP` a proof of the key that the token is bound \
             to, made for the request (RFC 9449)."
        }
        Scheme::Bearer => "Send `Authorization: Bearer <token>`.",
    }
}

/// The CapabilityStatement of the FHIR door at `base`.
pub fn statement(
    base: &str,
    register: &Register,
    scheme: Scheme,
    smart: Option<&SmartConfig>,
    parameters: &Parameters,
) -> Value {
    let kinds = kinds();
    let patches: Vec<&str> = table::endpoints()
        .filter(|row| row.acts.contains(&Act::OfType("patch")))
        .flat_map(|row| row.takes)
        .map(|content| content.media)
        .collect();
    let profiles = profiles();
    let resources: Vec<Value> = kinds
        .iter()
        .map(|kind| {
            resource(kind, &kinds, parameters, profiles.get(*kind).cloned().unwrap_or_default())
        })
        .collect();
    let rest = json!({
        "mode": "server",
        "documentation": "Searches, histories and Bundles are answered later under `Prefer: \
                          respond-async`. A Binary is sent and read as its bytes by any media type \
                          that is not FHIR's.",
        "security": security(scheme, smart),
        "resource": resources,
        "interaction": codes(|act| match act {
            Act::OfSystem(code) => Some(code),
            _ => None,
        }),
        "searchParam": of_every_type(),
        "operation": operations(|steps| matches!(steps, [_])),
    });
    json!({
        "resourceType": "CapabilityStatement",
        "url": format!("{base}/metadata"),
        "version": env!("CARGO_PKG_VERSION"),
        "name": "FellesKommunalJournal",
        "title": "Felles kommunal journal",
        "status": "active",
        "date": REVISED,
        "publisher": register.name.as_str(),
        "description": "One logical source of patient information for a municipality.",
        "kind": "instance",
        "software": { "name": "fkj", "version": env!("CARGO_PKG_VERSION") },
        "implementation": { "description": register.name.as_str(), "url": base },
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "application/fhir+xml", "json", "xml"],
        "patchFormat": patches,
        "rest": [rest],
    })
}

/// How tokens are had and sent. Apps made before `.well-known/smart-configuration` look for the addresses here.
fn security(scheme: Scheme, smart: Option<&SmartConfig>) -> Value {
    let code = if smart.is_some() { "SMART-on-FHIR" } else { "OAuth" };
    let mut security = json!({
        "cors": smart.is_some(),
        "service": [{
            "coding": [{ "system": SECURITY_SERVICES, "code": code }],
            "text": "OAuth 2.0 access tokens from HelseID, Maskinporten for systems, or ID-porten \
                     for residents",
        }],
        "description": format!(
            "{} A token is for one municipality. Each request is decided by the rules of access \
             and logged.",
            how_sent(scheme)
        ),
    });
    if let (Value::Object(members), Some(smart)) = (&mut security, smart) {
        members.set(
            "extension",
            vec![json!({
                "url": OAUTH_URIS,
                "extension": [
                    { "url": "authorize", "valueUri": smart.authorization_endpoint.as_str() },
                    { "url": "token", "valueUri": smart.token_endpoint.as_str() },
                ],
            })],
        );
    }
    security
}

/// The profiles of each type that resources can be checked against.
fn profiles() -> BTreeMap<String, Vec<Value>> {
    let mut found: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for text in structure_definitions() {
        let Ok(definition) = json::parse(text.as_bytes()) else { continue };
        let of_resource = definition.text("kind") == Some("resource");
        if let (true, Some(kind), Some(url)) =
            (of_resource, definition.text("type"), definition.text("url"))
        {
            found.entry(kind.to_owned()).or_default().push(Value::from(url));
        }
    }
    found
}

fn resource(kind: &str, kinds: &[&str], parameters: &Parameters, profiles: Vec<Value>) -> Value {
    let own = parameters.of(kind).iter().filter(|it| !it.code.starts_with('_'));
    let includes = own
        .clone()
        .filter(|it| it.kind == ParamKind::Reference)
        .map(|it| format!("{kind}:{}", it.code));
    let mut resource = Object::new();
    resource.set("type", kind);
    resource.set("profile", format!("http://hl7.org/fhir/StructureDefinition/{kind}"));
    put(&mut resource, "supportedProfile", profiles);
    resource.set(
        "interaction",
        codes(|act| match act {
            Act::OfType(code) => Some(code),
            _ => None,
        }),
    );
    resource.set("versioning", "versioned-update");
    resource.set("readHistory", true);
    for act in table::endpoints().flat_map(|row| row.acts) {
        match act {
            Act::Condition(name, Extent::Yes) => resource.set(name, true),
            Act::Condition(name, Extent::Code(code)) => resource.set(name, *code),
            _ => {}
        }
    }
    resource.set("referencePolicy", json!(["literal", "logical", "local"]));
    put(&mut resource, "searchInclude", includes.map(Value::from).collect());
    put(&mut resource, "searchRevInclude", pointing_at(kind, kinds, parameters));
    put(&mut resource, "searchParam", own.map(|it| parameter(kind, it)).collect());
    let here = operations(|steps| match steps {
        [of, .., _] => *of == kind || *of == "{kind}",
        _ => false,
    });
    put(&mut resource, "operation", here);
    Value::Object(resource)
}

/// Sets a list that is not empty; FHIR has no empty ones.
fn put(object: &mut Object, name: &str, items: Vec<Value>) {
    if !items.is_empty() {
        object.set(name, items);
    }
}

/// The interactions of the rows, each code once, in the table's order.
fn codes(of: impl Fn(Act) -> Option<&'static str>) -> Vec<Value> {
    let mut found: Vec<&str> = Vec::new();
    for code in table::endpoints().flat_map(|row| row.acts).filter_map(|act| of(*act)) {
        if !found.contains(&code) {
            found.push(code);
        }
    }
    found.into_iter().map(|code| json!({ "code": code })).collect()
}

/// The operations whose steps after the base are chosen, such as `Patient`, `{id}`, `$news2`.
fn operations(chosen: impl Fn(&[&str]) -> bool) -> Vec<Value> {
    let mut found: Vec<(&str, &str)> = Vec::new();
    for row in table::endpoints().filter(|row| chosen(&steps(row))) {
        let name = row.path.rsplit_once("/$").map(|(_, name)| name);
        for act in row.acts {
            if let (Act::Operation(definition), Some(name)) = (act, name)
                && !found.contains(&(name, definition))
            {
                found.push((name, definition));
            }
        }
    }
    let told = |(name, definition)| json!({ "name": name, "definition": definition });
    found.into_iter().map(told).collect()
}

/// The steps of an address after the base of the FHIR door; none of another door.
fn steps(row: &Endpoint) -> Vec<&'static str> {
    let rest = row.path.strip_prefix("/{kommune}/fhir/");
    rest.map(|rest| rest.split('/').collect()).unwrap_or_default()
}

/// The parameters that name the type among what they may refer to. Those that may refer to anything
/// would stand with every type and tell nothing.
fn pointing_at(kind: &str, kinds: &[&str], parameters: &Parameters) -> Vec<Value> {
    let mut found = Vec::new();
    for from in kinds {
        for it in parameters.of(from) {
            if it.kind == ParamKind::Reference && it.targets.contains(&kind) {
                found.push(Value::from(format!("{from}:{}", it.code)));
            }
        }
    }
    found
}

/// The parameters that every type has.
fn of_every_type() -> Vec<Value> {
    let stored = [("_id", "token"), ("_lastUpdated", "date")].map(|(name, kind)| {
        json!({ "name": name, "definition": definitions::url("Resource", name), "type": kind })
    });
    let indexed = Parameters::r4().of("Patient").iter().filter(|it| it.code.starts_with('_'));
    stored.into_iter().chain(indexed.map(|it| parameter("Resource", it))).collect()
}

fn parameter(kind: &str, parameter: &SearchParameter) -> Value {
    let name: &str = &parameter.code;
    let values = match parameter.kind {
        ParamKind::Token => "token",
        ParamKind::Reference => "reference",
        ParamKind::Date => "date",
        ParamKind::String => "string",
        ParamKind::Uri => "uri",
        ParamKind::Number => "number",
        ParamKind::Quantity => "quantity",
        ParamKind::Composite => "composite",
        ParamKind::Special => "special",
    };
    json!({ "name": name, "definition": definitions::url(kind, name), "type": values })
}

#[cfg(test)]
mod tests;
