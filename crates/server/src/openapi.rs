//! The OpenAPI 3.1 document of a municipality, made from the table of addresses.
//!
//! Addresses with a resource type stand once, with the types as the values of `{kind}`: one path for each
//! type would be some thousand operations that differ in one word. What differs between types, their
//! search parameters, stands with each type's schema as `x-search-parameters`.

mod operation;
mod schema;

use std::collections::BTreeMap;
use std::sync::Arc;

use access::register::Register;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::capability::how_sent;
use crate::config::Scheme;
use crate::problem::Problem;
use crate::routes::table::TABLE;

/// `GET openapi.json`.
pub async fn answer(
    State(app): State<Arc<App>>,
    Path(kommune): Path<String>,
) -> Result<Response, Problem> {
    let hosted = app.hosted(&kommune)?;
    let made =
        || document(&app.public_url, &hosted.tenant.register(), hosted.demands.scheme).to_string();
    let body = hosted.described.openapi.get_or_init(made).clone();
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("public, max-age=300")),
    ];
    Ok((StatusCode::OK, headers, body).into_response())
}

/// Start of what belongs to a municipality, in the table's paths.
const OF_MUNICIPALITY: &str = "/{kommune}";

/// The document for the municipality of a register, on the server at `public_url`.
pub fn document(public_url: &str, register: &Register, scheme: Scheme) -> Value {
    let number = &register.number;
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for section in &TABLE {
        for row in section.endpoints.iter().filter(|row| !row.is_page()) {
            let own = row.path.strip_prefix(OF_MUNICIPALITY);
            let item = paths.entry(own.unwrap_or(row.path)).or_default();
            if own.is_none() {
                item.insert("servers".to_owned(), json!([{ "url": public_url }]));
            }
            for method in row.methods {
                let made = operation::operation(section.id, row, *method);
                item.insert(method.name().to_lowercase(), made);
            }
        }
    }
    let tags = TABLE.iter().filter(|it| it.endpoints.iter().any(|row| !row.is_page()));
    let tags: Vec<Value> =
        tags.map(|it| json!({ "name": it.id, "description": it.about })).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": format!("Felles kommunal journal: {}", register.name),
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "One logical source of patient information for a municipality",
            "description": ABOUT,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": format!("{public_url}/{number}") }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schema::schemas(),
            "responses": operation::refusals(),
            "headers": operation::headers(),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": scheme.name().to_lowercase(),
                    "bearerFormat": "JWT",
                    "description": format!(
                        "An access token from HelseID, Maskinporten for systems, or ID-porten for \
                         residents, for this municipality alone. {}",
                        how_sent(scheme)
                    ),
                },
            },
        },
    })
}

const ABOUT: &str = "A token is for one municipality, and everything it does is decided by the rules of \
    access and logged. A resource names its person by identifier (fødselsnummer, D-nummer, felles \
    hjelpenummer) or by a reference to a Patient. A repeat is safe: the source's own id of an event is \
    the header `nhn-event-id` or the first `identifier` of a new resource. An identity number never \
    stands in an address of FHIR; search for it by form.";

#[cfg(test)]
mod tests;
