//! One operation of the document: parameters, content and answers of a row under a method.

use serde_json::{Map, Value, json};

use super::schema;
use crate::routes::endpoint::{Act, Caller, Content, Endpoint, Form, Param, Values, Verb};
use crate::routes::table::parameters::{FHIR_JSON, FHIR_XML};

/// Why a request is refused, by status.
const REFUSALS: [(u16, &str); 13] = [
    (400, "What was sent cannot be read; where and why"),
    (401, "No valid token, or no proof that it is the sender's; `WWW-Authenticate` says what"),
    (403, "A rule of access refused: its code, what it says, and the way on"),
    (404, "Not there"),
    (406, "Not in this form"),
    (409, "The id of the event was used for other content, or another change came between"),
    (410, "No longer there"),
    (412, "Another version is current, or more than one resource matches"),
    (413, "Larger than 10 MB, also once unpacked"),
    (415, "Not in a form that is taken here"),
    (422, "The content breaks a rule; the path of each element"),
    (428, "Send `If-Match`"),
    (503, "Try again after `Retry-After`"),
];

/// The operation of a row under one of its methods.
pub fn operation(tag: &str, row: &Endpoint, method: Verb) -> Value {
    let mut made = Map::new();
    let mut set = |name: &str, value: Value| drop(made.insert(name.to_owned(), value));
    set("operationId", json!(operation_id(row, method)));
    set("tags", json!([tag]));
    set("summary", json!(row.summary));
    set("description", json!(callers(row.callers)));
    let parameters = parameters(row);
    if !parameters.is_empty() {
        set("parameters", json!(parameters));
    }
    if method.has_body() && !row.takes.is_empty() {
        let required = row.takes.iter().any(|content| content.example.is_some());
        set("requestBody", json!({ "required": required, "content": contents(row.takes) }));
    }
    set("responses", responses(row, method));
    set("security", if row.callers.is_empty() { json!([]) } else { json!([{ "token": [] }]) });
    let interactions: Vec<&str> = row
        .acts
        .iter()
        .filter_map(|act| match act {
            Act::OfType(code) | Act::OfSystem(code) => Some(*code),
            Act::Operation(definition) => Some(definition),
            Act::Condition(..) => None,
        })
        .collect();
    if !interactions.is_empty() {
        set("x-fhir-interactions", json!(interactions));
    }
    Value::Object(made)
}

/// The row's name, with the method where there are several.
fn operation_id(row: &Endpoint, method: Verb) -> String {
    if row.methods.len() == 1 {
        return row.id.to_owned();
    }
    format!("{}-{}", row.id, method.name().to_lowercase())
}

fn callers(callers: &[Caller]) -> String {
    let names: Vec<&str> = callers
        .iter()
        .map(|caller| match caller {
            Caller::System => "systems with an agreement",
            Caller::Practitioner => "people at work, with an attest",
            Caller::Resident => "residents, about themselves",
            Caller::Admin => "people with a duty in the municipality's register",
        })
        .collect();
    if names.is_empty() { "Open to all.".to_owned() } else { format!("For {}.", names.join("; ")) }
}

fn parameters(row: &Endpoint) -> Vec<Value> {
    let names = row.path_names().filter(|name| *name != "kommune");
    let path = names.map(|name| {
        json!({ "name": name, "in": "path", "required": true, "schema": schema::in_path(name) })
    });
    let of = |place: &'static str, params: &'static [Param]| {
        params.iter().map(move |param| parameter(place, param))
    };
    path.chain(of("query", row.query)).chain(of("header", row.headers)).collect()
}

fn parameter(place: &str, param: &Param) -> Value {
    let schema = match param.values {
        Values::Text => json!({ "type": "string" }),
        Values::Number => json!({ "type": "integer", "minimum": 0 }),
        Values::OneOf(values) => json!({ "type": "string", "enum": values }),
    };
    json!({
        "name": param.name,
        "in": place,
        "required": param.required,
        "description": param.about,
        "schema": schema,
    })
}

fn contents(contents: &[Content]) -> Value {
    let mut made = Map::new();
    for content in contents {
        let mut media = Map::new();
        media.insert("schema".to_owned(), schema::of_content(content.media, content.form));
        if let Some(example) = content.example {
            media.insert("example".to_owned(), worded(content.form, example));
        }
        made.insert(content.media.to_owned(), Value::Object(media));
    }
    Value::Object(made)
}

/// An example as a document writes it: JSON as itself, a form as an object.
fn worded(form: Form, example: &str) -> Value {
    if form == Form::Pairs {
        let pairs = form_urlencoded::parse(example.as_bytes()).into_owned();
        return pairs.map(|(name, value)| (name, Value::String(value))).collect();
    }
    serde_json::from_str(example).unwrap_or_else(|_| Value::String(example.to_owned()))
}

fn responses(row: &Endpoint, method: Verb) -> Value {
    let mut made = Map::new();
    for (status, form) in row.answers {
        made.insert(status.to_string(), success(row, *status, *form));
    }
    if speaks_oauth(row) {
        made.extend(oauth_refusals(row));
        return Value::Object(made);
    }
    for status in refused(row, method) {
        let reference = format!("#/components/responses/{status}");
        made.insert(status.to_string(), json!({ "$ref": reference }));
    }
    Value::Object(made)
}

fn success(row: &Endpoint, status: u16, form: Form) -> Value {
    let description = match status {
        200 => "As asked",
        201 => "Created",
        202 => "Taken; readers see it soon, or `Content-Location` tells where the answer will be",
        204 => "Removed",
        _ => "What the caller has is current",
    };
    let mut response = json!({ "description": description });
    let mut content = Map::new();
    for media in media_types(row, form) {
        content.insert((*media).to_owned(), json!({ "schema": schema::of_content(media, form) }));
    }
    let mut headers = Map::new();
    let mut header = |name: &str| {
        let reference = format!("#/components/headers/{name}");
        headers.insert(name.to_owned(), json!({ "$ref": reference }));
    };
    if form == Form::Resource {
        header("ETag");
        header("Last-Modified");
    }
    if status == 201 && !speaks_oauth(row) {
        header("Location");
    }
    if status == 202 && !row.query.is_empty() && row.path.ends_with("$export") {
        header("Content-Location");
    }
    if let Some(response) = response.as_object_mut() {
        if !content.is_empty() {
            response.insert("content".to_owned(), Value::Object(content));
        }
        if !headers.is_empty() {
            response.insert("headers".to_owned(), Value::Object(headers));
        }
    }
    response
}

fn media_types(row: &Endpoint, form: Form) -> &'static [&'static str] {
    match form {
        Form::Empty => &[],
        Form::Resource | Form::Type(_) if row.speaks_fhir() => &[FHIR_JSON, FHIR_XML],
        Form::Resource | Form::Type(_) => &[FHIR_JSON],
        Form::Json(_) => &["application/json"],
        Form::Lines => &["application/fhir+ndjson"],
        Form::Pairs => &["application/x-www-form-urlencoded"],
        Form::Text => &["text/plain"],
        Form::Page => &["text/html"],
    }
}

/// The statuses by which a row may refuse.
fn refused(row: &Endpoint, method: Verb) -> Vec<u16> {
    let conditional = row.headers.iter().any(|header| header.name.starts_with("If-"));
    let body = method.has_body() && !row.takes.is_empty();
    let changes = !row.callers.is_empty() && !row.callers.contains(&Caller::Practitioner);
    let named = row.path_names().any(|name| name == "id");
    REFUSALS
        .iter()
        .map(|(status, _)| *status)
        .filter(|status| match status {
            400 | 404 => row.path.contains('{'),
            401 | 403 => !row.callers.is_empty(),
            406 => row.speaks_fhir(),
            410 => named,
            409 => changes && method != Verb::Get,
            412 => conditional || row.id == "bundle",
            413 | 415 => body,
            422 => !row.callers.is_empty(),
            428 => row.headers.iter().any(|it| it.name == "If-Match" && it.required),
            _ => true,
        })
        .collect()
}

/// Whether a row refuses as OAuth does, and not by a resource.
fn speaks_oauth(row: &Endpoint) -> bool {
    row.path.starts_with("/sandkasse/")
}

/// The refusals of OAuth; what is refused before a stand-in is asked is told as everywhere.
fn oauth_refusals(row: &Endpoint) -> impl Iterator<Item = (String, Value)> {
    let content = json!({
        "application/json": { "schema": schema::of_content("application/json", Form::Json("OAuthError")) },
        FHIR_JSON: { "schema": schema::of_content(FHIR_JSON, Form::Type("OperationOutcome")) },
    });
    // Who the client is stands in the form.
    let says = row.takes.iter().any(|content| content.form == Form::Pairs);
    let sends = !row.takes.is_empty();
    let told = REFUSALS.iter().filter(move |(status, _)| match status {
        404 | 503 => true,
        400 | 413 | 415 => sends,
        401 => says,
        _ => false,
    });
    told.map(move |(status, about)| {
        (status.to_string(), json!({ "description": about, "content": content }))
    })
}

/// The refusals that operations share, each an `OperationOutcome`.
pub fn refusals() -> Value {
    let content = [FHIR_JSON, FHIR_XML].map(|media| {
        let schema = schema::of_content(media, Form::Type("OperationOutcome"));
        (media.to_owned(), json!({ "schema": schema }))
    });
    let content = Value::Object(content.into_iter().collect());
    REFUSALS
        .iter()
        .map(|(status, about)| {
            (status.to_string(), json!({ "description": about, "content": content }))
        })
        .collect()
}

/// The headers of answers.
pub fn headers() -> Value {
    let header = |about: &str| json!({ "description": about, "schema": { "type": "string" } });
    json!({
        "ETag": header("`W/\"version\"`"),
        "Last-Modified": header("When this version was recorded"),
        "Location": header("Address of the version that was made"),
        "Content-Location": header("Where the answer will be"),
    })
}
