//! Bundles out: one entry for each of the request, in its order, under the full URL it came with.

use fhir::instant::format_instant;
use fhir::issue::operation_outcome;
use fhir::json;
use fhir::value::Value;

use crate::error::{Category, Failure};
use crate::look::Seen;
use crate::submission::{Channel, Done, Receipt};

/// Extension on `entry.response` that carries the stored id, as PMD answers.
const PMD_ENTRY_ID: &str =
    "http://hl7.no/fhir/vkpobservation/StructureDefinition/PmdBundleResponseEntryIdExtension";

/// What became of an entry.
pub enum Answer {
    /// A change, with the content to tell, printed.
    Written(Receipt, Option<Vec<u8>>),
    /// A look.
    Seen(Seen),
    /// A look whose content was not asked for.
    Headed(Seen),
}

/// The response Bundle to changes, without their content.
pub fn receipts(
    kind: &str,
    full_urls: &[Option<String>],
    results: Vec<Result<Receipt, Failure>>,
    channel: Channel,
) -> Vec<u8> {
    let answers = results.into_iter().map(|result| result.map(|it| Answer::Written(it, None)));
    response(kind, full_urls, &answers.collect::<Vec<_>>(), channel)
}

/// The response Bundle.
pub fn response(
    kind: &str,
    full_urls: &[Option<String>],
    answers: &[Result<Answer, Failure>],
    channel: Channel,
) -> Vec<u8> {
    let mut out = format!("{{\"resourceType\":\"Bundle\",\"type\":\"{kind}\"").into_bytes();
    for (i, answer) in answers.iter().enumerate() {
        out.extend_from_slice(if i == 0 { b",\"entry\":[{" } else { b",{" });
        if let Some(url) = full_urls.get(i).and_then(Option::as_ref) {
            out.extend_from_slice(b"\"fullUrl\":");
            json::print_to(&Value::from(url), &mut out);
            out.push(b',');
        }
        if let Some(body) = content(answer) {
            out.extend_from_slice(b"\"resource\":");
            out.extend_from_slice(body);
            out.push(b',');
        }
        out.extend_from_slice(b"\"response\":");
        json::print_to(&told(answer, channel), &mut out);
        out.push(b'}');
    }
    out.extend_from_slice(if answers.is_empty() { b"}" } else { b"]}" });
    out
}

fn content(answer: &Result<Answer, Failure>) -> Option<&[u8]> {
    match answer {
        Ok(Answer::Written(_, body)) => body.as_deref(),
        Ok(Answer::Seen(Seen::Resource { body, .. } | Seen::Bundle(body))) => Some(body),
        _ => None,
    }
}

fn told(answer: &Result<Answer, Failure>, channel: Channel) -> Value {
    match answer {
        Ok(Answer::Written(receipt, _)) => written(receipt, channel),
        Ok(Answer::Seen(seen) | Answer::Headed(seen)) => match seen {
            Seen::Bundle(_) => json!({ "status": "200 OK" }),
            Seen::Resource { version, updated, .. } => looked("200 OK", *version, *updated),
            Seen::Unmodified { version, updated } => looked("304 Not Modified", *version, *updated),
        },
        Err(failure) => json!({
            "status": status_of(failure),
            "outcome": operation_outcome(&failure.issues()),
        }),
    }
}

fn looked(status: &str, version: u64, updated: i64) -> Value {
    json!({
        "status": status,
        "etag": format!("W/\"{version}\""),
        "lastModified": format_instant(updated),
    })
}

fn written(receipt: &Receipt, channel: Channel) -> Value {
    let status = match receipt.result {
        Done::Created => "201 Created",
        Done::Updated | Done::Unchanged => "200 OK",
        Done::Removed | Done::Absent => "204 No Content",
    };
    if receipt.result == Done::Absent {
        return json!({ "status": status });
    }
    let stored = format!("{}/{}", receipt.kind, receipt.id);
    let extension = (channel == Channel::Pmd)
        .then(|| json!([{ "url": PMD_ENTRY_ID, "valueUri": stored.as_str() }]));
    let outcome = (!receipt.warnings.is_empty()).then(|| operation_outcome(&receipt.warnings));
    json!({
        "extension": extension,
        "status": status,
        "location": format!("{stored}/_history/{}", receipt.version),
        "etag": format!("W/\"{}\"", receipt.version),
        "lastModified": format_instant(receipt.updated),
        "outcome": outcome,
    })
}

fn status_of(failure: &Failure) -> &'static str {
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
