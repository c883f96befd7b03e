//! Bundles in and out: batch, transaction and PMD's collection to operations, receipts to a
//! response Bundle.

use fhir::definitions;
use fhir::instant::format_instant;
use fhir::issue::{Issue, IssueCode, operation_outcome};
use fhir::json;
use fhir::resource::is_id;
use fhir::value::Value;

use crate::error::Failure;
use crate::submission::{Action, Channel, Done, Operation, Receipt, Submission};

/// Most entries in one Bundle.
pub const MAX_ENTRIES: usize = 5_000;

/// Extension on `entry.response` that carries the stored id, as PMD answers.
const PMD_ENTRY_ID: &str =
    "http://hl7.no/fhir/vkpobservation/StructureDefinition/PmdBundleResponseEntryIdExtension";

/// The operations of a Bundle. An entry that cannot be read refuses the whole Bundle.
pub fn operations(bundle: Value, channel: Channel) -> Result<Submission, Failure> {
    let kind = bundle.text("type").unwrap_or_default().to_owned();
    if !matches!(kind.as_str(), "batch" | "transaction" | "collection") {
        return Err(Failure::invalid(
            IssueCode::Value,
            "Bundle.type",
            "send a Bundle of type `batch`, `transaction` or `collection`",
        ));
    }
    let entries = match bundle {
        Value::Object(mut object) => object.remove("entry"),
        _ => None,
    };
    let Some(Value::Array(entries)) = entries else {
        return Err(Failure::invalid(IssueCode::Required, "Bundle.entry", "the Bundle is empty"));
    };
    if entries.len() > MAX_ENTRIES {
        return Err(Failure::invalid(
            IssueCode::TooCostly,
            "Bundle.entry",
            format!("a Bundle may hold at most {MAX_ENTRIES} entries; send several"),
        ));
    }
    let operations = entries
        .into_iter()
        .enumerate()
        .map(|(i, entry)| operation(entry, i, kind == "collection"))
        .collect::<Result<_, _>>()?;
    Ok(Submission { channel, atomic: kind != "batch", operations })
}

fn operation(entry: Value, index: usize, collection: bool) -> Result<Operation, Failure> {
    let at = format!("Bundle.entry[{index}]");
    let wrong = |code, path: &str, text: &str| {
        Err(Failure::invalid(code, &format!("{at}{path}"), text.to_owned()))
    };
    let full_url = entry.text("fullUrl").map(str::to_owned);
    let method = entry.at("request.method").and_then(Value::as_str).map(str::to_owned);
    let url = entry.at("request.url").and_then(Value::as_str).unwrap_or_default().to_owned();
    let if_match = entry.at("request.ifMatch").and_then(Value::as_str).and_then(version);
    let if_none_exist = entry.at("request.ifNoneExist").is_some();
    let resource = match entry {
        Value::Object(mut object) => object.remove("resource"),
        _ => None,
    };
    if if_none_exist {
        return wrong(
            IssueCode::NotSupported,
            ".request.ifNoneExist",
            "conditional create is not supported; give the resource an identifier, which makes a \
             repeat safe",
        );
    }
    let method = method.unwrap_or_else(|| if collection { "POST" } else { "" }.to_owned());
    let (kind, id) = target(&url, resource.as_ref(), &at)?;
    let mut operation = match (method.as_str(), resource, id) {
        ("POST", Some(resource), _) => Operation::create(kind, resource),
        ("PUT", Some(resource), Some(id)) => Operation::update(kind, id, resource, if_match),
        ("DELETE", None, Some(id)) => Operation::delete(kind, id),
        ("PUT" | "DELETE", _, None) => {
            return wrong(IssueCode::Value, ".request.url", "the URL must be `Type/id`");
        }
        ("POST" | "PUT", None, _) => {
            return wrong(IssueCode::Required, ".resource", "the entry has no resource");
        }
        _ => {
            return wrong(
                IssueCode::NotSupported,
                ".request.method",
                "the method must be `POST`, `PUT` or `DELETE`",
            );
        }
    };
    operation.full_url = full_url;
    operation.location = format!("{at}.resource");
    Ok(operation)
}

/// Type and id of an entry: its resource's type, and the id in the URL.
fn target(
    url: &str,
    resource: Option<&Value>,
    at: &str,
) -> Result<(&'static str, Option<String>), Failure> {
    let path = url.split('?').next().unwrap_or_default().trim_matches('/');
    let mut parts = path.split('/');
    let named = parts.next().unwrap_or_default();
    let id = parts.next().filter(|id| is_id(id)).map(str::to_owned);
    let held = resource.and_then(|resource| resource.text("resourceType"));
    let kind = held.unwrap_or(named);
    let Some(kind) = definitions::resource_kind(kind) else {
        return Err(Failure::invalid(
            IssueCode::Structure,
            &format!("{at}.resource.resourceType"),
            "`resourceType` is missing or not a resource type of FHIR R4",
        ));
    };
    // Published PMD requests carry URLs that are no FHIR URLs, so only a contradiction is wrong.
    if let Some(other) = definitions::resource_kind(named)
        && other != kind
    {
        return Err(Failure::invalid(
            IssueCode::Value,
            &format!("{at}.request.url"),
            "the URL names another type than the resource has",
        ));
    }
    let own = resource.and_then(|resource| resource.text("id")).map(str::to_owned);
    Ok((kind, id.or(own)))
}

/// The version in `W/"12"`.
pub fn version(etag: &str) -> Option<u64> {
    etag.trim().trim_start_matches("W/").trim_matches('"').parse().ok()
}

/// The response Bundle: one entry for each operation, in order, under the full URL it came with.
pub fn response(
    kind: &str,
    full_urls: &[Option<String>],
    results: &[Result<Receipt, Failure>],
    channel: Channel,
) -> Value {
    let entries: Vec<Value> = results
        .iter()
        .enumerate()
        .map(|(i, result)| {
            let response = match result {
                Ok(receipt) => accepted(receipt, channel),
                Err(failure) => json!({
                    "status": status_of(failure),
                    "outcome": operation_outcome(&failure.issues()),
                }),
            };
            json!({ "fullUrl": full_urls.get(i).cloned().flatten(), "response": response })
        })
        .collect();
    json!({ "resourceType": "Bundle", "type": kind, "entry": entries })
}

fn accepted(receipt: &Receipt, channel: Channel) -> Value {
    let location = format!("{}/{}/_history/{}", receipt.kind, receipt.id, receipt.version);
    let stored = format!("{}/{}", receipt.kind, receipt.id);
    let extension =
        (channel == Channel::Pmd).then(|| json!([{ "url": PMD_ENTRY_ID, "valueUri": stored }]));
    json!({
        "extension": extension,
        "status": match receipt.result {
            Done::Created => "201 Created",
            Done::Updated | Done::Unchanged => "200 OK",
            Done::Removed | Done::Absent => "204 No Content",
        },
        "location": location,
        "etag": format!("W/\"{}\"", receipt.version),
        "lastModified": format_instant(receipt.updated),
    })
}

fn status_of(failure: &Failure) -> &'static str {
    use crate::error::Category;
    match failure.category() {
        Category::Malformed => "400 Bad Request",
        Category::Invalid => "422 Unprocessable Entity",
        Category::Refused => "403 Forbidden",
        Category::Conflict => "409 Conflict",
        Category::Precondition => "412 Precondition Failed",
        Category::NotFound => "404 Not Found",
        Category::Gone => "410 Gone",
        Category::Busy | Category::Unavailable => "503 Service Unavailable",
    }
}

/// The issues of a failure with the place of the resource in the request before each location.
pub fn placed(failure: Failure, location: &str) -> Failure {
    if location.is_empty() {
        return failure;
    }
    let place = |issues: Vec<Issue>| {
        issues
            .into_iter()
            .map(|issue| {
                // `Observation.code` in entry 3 is `Bundle.entry[3].resource.code`.
                let rest = issue.location.find('.').and_then(|dot| issue.location.get(dot..));
                let location = format!("{location}{}", rest.unwrap_or_default());
                Issue { location, ..issue }
            })
            .collect()
    };
    match failure {
        Failure::Malformed(issues) => Failure::Malformed(place(issues)),
        Failure::Invalid(issues) => Failure::Invalid(place(issues)),
        Failure::Conflict(issue) => {
            Failure::Conflict(Issue { location: location.to_owned(), ..issue })
        }
        other => other,
    }
}
