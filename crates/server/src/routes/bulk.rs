//! Bulk export and import of one municipality (HL7 Bulk Data Access 2.0; import is our own), and the
//! jobs that exports and answers made in the background are fetched through.

use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_LOCATION, CONTENT_TYPE, EXPIRES, RETRY_AFTER};
use axum::http::{HeaderName, StatusCode};
use axum::response::IntoResponse;
use exchange::bulk::export::{Scope, Wish};
use exchange::bulk::import::{Import, MAX_LINE};
use exchange::bulk::later::Status;
use exchange::error::Failure;
use exchange::read::known_kind;
use exchange::searchset::Pairs;
use fhir::instant::range;
use fhir::issue::{Issue, IssueCode};
use fhir::json;
use fhir::value::Value;
use futures_util::{StreamExt, stream};

use super::call::Call;
use super::fhir::prefer::Prefer;
use super::fhir::{Answer, http_date, put};
use crate::input;
use crate::problem::{Problem, respond};

/// Media type of a resource on each line.
const NDJSON: &str = "application/fhir+ndjson";

/// Header that says how far something is (Bulk Data Access 2.0).
const PROGRESS: HeaderName = HeaderName::from_static("x-progress");

/// What `_outputFormat` may say.
const NAMES_OF_NDJSON: [&str; 3] = [NDJSON, "application/ndjson", "ndjson"];

/// `$export` of everything.
pub async fn export(call: Call, body: Body) -> Answer {
    kick_off(&call, Scope::System, body).await
}

/// `Patient/$export`.
pub async fn export_patients(call: Call, body: Body) -> Answer {
    kick_off(&call, Scope::Patients, body).await
}

/// `Group/id/$export`.
pub async fn export_group(call: Call, body: Body) -> Answer {
    kick_off(&call, Scope::Group(call.own_id()?.to_owned()), body).await
}

async fn kick_off(call: &Call, scope: Scope, body: Body) -> Answer {
    let mut pairs = call.pairs();
    let sent = input::bytes(&call.headers, body).await?;
    if !sent.is_empty() {
        pairs.extend(parameters(&input::parse(&sent)?)?);
    }
    let prefer = Prefer::of(&call.headers);
    let mut wish = wish(&pairs, scope, prefer)?;
    wish.request = call.address();
    if !call.query.is_empty() {
        wish.request.push_str(&format!("?{}", call.query));
    }
    let id = call.tenant.export(&call.caller, wish).await?;
    let mut response = StatusCode::ACCEPTED.into_response();
    put(&mut response, CONTENT_LOCATION, &call.door(&format!("export/{id}")));
    Ok(response)
}

/// The parameters of a `Parameters` body, as they would stand in an address.
fn parameters(value: &Value) -> Result<Pairs, Problem> {
    if value.text("resourceType") != Some("Parameters") {
        return Err(wrong("send `Parameters`, or nothing"));
    }
    let one = |parameter: &Value| {
        let (_, value) =
            parameter.as_object()?.iter().find(|(name, _)| name.starts_with("value"))?;
        Some((parameter.text("name")?.to_owned(), value.as_str()?.to_owned()))
    };
    let pairs: Option<Pairs> = value.items("parameter").iter().map(one).collect();
    pairs.ok_or_else(|| wrong("give each parameter a `name` and a value that is a string"))
}

/// What the parameters ask for. Under `handling=strict` an unknown one refuses, and without
/// `handling=lenient` a filter that cannot be followed.
fn wish(pairs: &Pairs, scope: Scope, prefer: Prefer) -> Result<Wish, Problem> {
    let mut wish = Wish {
        request: String::new(),
        scope,
        kinds: Vec::new(),
        since: None,
        filters: Vec::new(),
        lenient: prefer.lenient,
    };
    for (name, value) in pairs {
        match name.as_str() {
            "_type" => {
                for kind in value.split(',').filter(|kind| !kind.is_empty()) {
                    let kind = known_kind(kind)
                        .map_err(|_| wrong("`_type`: there is no such resource type in R4"))?;
                    wish.kinds.push(kind);
                }
            }
            "_typeFilter" => wish.filters.push(value.clone()),
            "_since" => match range(value) {
                Some((low, _)) => wish.since = Some(low),
                None => {
                    return Err(wrong("`_since`: not an instant, such as 2026-01-31T08:00:00Z"));
                }
            },
            "_outputFormat" if NAMES_OF_NDJSON.contains(&value.as_str()) => {}
            "_outputFormat" => {
                let text = "`_outputFormat`: only `application/fhir+ndjson` is supported";
                return Err(wrong(text));
            }
            "_format" | "_pretty" => {}
            _ if prefer.strict => {
                let text =
                    "only `_type`, `_since`, `_typeFilter` and `_outputFormat` are supported";
                return Err(wrong(text));
            }
            _ => {}
        }
    }
    Ok(wish)
}

/// Where a job is: 202 while it goes on, then the manifest.
pub async fn job_status(call: Call) -> Answer {
    let status = call.tenant.job(&call.caller, call.own_id()?, &call.address()).await?;
    let Status::Done { manifest, expires } = status else {
        let mut response = StatusCode::ACCEPTED.into_response();
        put(&mut response, PROGRESS, "in progress");
        put(&mut response, RETRY_AFTER, "1");
        return Ok(response);
    };
    let mut response = (StatusCode::OK, json::print(&manifest)).into_response();
    put(&mut response, CONTENT_TYPE, "application/json");
    put(&mut response, CACHE_CONTROL, "no-store");
    put(&mut response, EXPIRES, &http_date(expires));
    Ok(response)
}

/// `DELETE` of a job.
pub async fn job_end(call: Call) -> Answer {
    if call.tenant.job_end(&call.caller, call.own_id()?) {
        Ok(StatusCode::ACCEPTED.into_response())
    } else {
        Err(Failure::NotFound.into())
    }
}

/// One file of a job, line by line.
pub async fn job_file(call: Call) -> Answer {
    let id = call.own_id()?.to_owned();
    let file = call.part("file").and_then(|file| file.parse::<usize>().ok());
    let file = file.ok_or(Failure::NotFound)?;
    let reading = call.tenant.job_file(call.caller, &id, file).await?;
    let mut reading = reading.ok_or(Failure::NotFound)?;
    // What refuses does so before anything is sent; a fault later breaks the connection off.
    let first = reading.lines().await?.unwrap_or_default();
    let rest = stream::try_unfold(reading, |mut reading| async move {
        let lines = reading.lines().await?;
        Ok::<_, Failure>(lines.map(|lines| (Bytes::from(lines), reading)))
    });
    let all = stream::once(async move { Ok(Bytes::from(first)) }).chain(rest);
    let mut response = Body::from_stream(all).into_response();
    put(&mut response, CONTENT_TYPE, NDJSON);
    put(&mut response, CACHE_CONTROL, "no-store");
    Ok(response)
}

/// `$import`: resources line by line. `job` names the import; sent again under the same name, it goes
/// on where it broke off.
pub async fn import(call: Call, body: Body) -> Answer {
    let media = call.header("content-type").unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    if !matches!(media, NDJSON | "application/ndjson" | "application/x-ndjson") {
        return Err(Problem::edge(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            IssueCode::NotSupported,
            "send a resource on each line, as `application/fhir+ndjson`",
        ));
    }
    let pairs = call.pairs();
    let name = pairs.iter().find(|(name, _)| name == "job").map(|(_, name)| name.as_str());
    let name =
        name.ok_or_else(|| wrong("name the import with `job=`, so that it can be resumed"))?;
    let mut import = Import::begin(call.tenant, call.caller, name)?;
    let mut stream = body.into_data_stream();
    let mut line = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| wrong("the connection broke off; send the file again"))?;
        let mut rest = chunk.as_ref();
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (head, tail) = rest.split_at(end);
            line.extend_from_slice(head);
            import.line(std::mem::take(&mut line)).await?;
            rest = tail.get(1..).unwrap_or_default();
        }
        line.extend_from_slice(rest);
        if line.len() > MAX_LINE {
            import.stop().await?;
            return Err(Problem::edge(
                StatusCode::PAYLOAD_TOO_LARGE,
                IssueCode::TooLong,
                "a line is longer than 10 MB; the lines before it are kept",
            ));
        }
    }
    if !line.is_empty() {
        import.line(line).await?;
    }
    let progress = import.finish().await?;
    Ok(respond(StatusCode::OK, &progress.outcome()))
}

/// How far an import is.
pub async fn import_status(call: Call) -> Answer {
    let name = call.part("name").unwrap_or_default();
    let progress = call.tenant.import_progress(&call.caller, name).ok_or(Failure::NotFound)?;
    if progress.complete {
        return Ok(respond(StatusCode::OK, &progress.outcome()));
    }
    let mut response = respond(StatusCode::ACCEPTED, &progress.outcome());
    let told = format!("{} lines", progress.lines);
    put(&mut response, PROGRESS, &told);
    put(&mut response, RETRY_AFTER, "1");
    Ok(response)
}

fn wrong(message: &str) -> Problem {
    Problem::Failure(Failure::Malformed(vec![Issue::error(IssueCode::Invalid, "", message)]))
}
