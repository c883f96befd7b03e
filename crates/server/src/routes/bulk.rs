//! Bulk export and import of one municipality (HL7 Bulk Data Access 2.0; import is our own).

use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_LOCATION, CONTENT_TYPE, EXPIRES, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::IntoResponse;
use exchange::bulk::export::{Scope, Wish};
use exchange::bulk::import::{Import, MAX_LINE};
use exchange::bulk::job::LIFETIME;
use exchange::error::Failure;
use exchange::read::known_kind;
use exchange::searchset::Pairs;
use fhir::instant::range;
use fhir::issue::{Issue, IssueCode};
use fhir::json;
use fhir::value::Value;
use futures_util::{StreamExt, stream};

use crate::app::App;
use crate::input::{self, header};
use crate::problem::{Problem, respond};
use crate::routes::fhir::{Answer, Shared, http_date, put};

/// Media type of a resource on each line.
const NDJSON: &str = "application/fhir+ndjson";

/// What `_outputFormat` may say.
const NAMES_OF_NDJSON: [&str; 3] = [NDJSON, "application/ndjson", "ndjson"];

/// `$export` of everything.
pub async fn export(
    State(app): Shared,
    Path(kommune): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    kick_off(&app, &kommune, Scope::System, "$export", query, &headers, body).await
}

/// `Patient/$export`.
pub async fn export_patients(
    State(app): Shared,
    Path(kommune): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    kick_off(&app, &kommune, Scope::Patients, "Patient/$export", query, &headers, body).await
}

/// `Group/id/$export`.
pub async fn export_group(
    State(app): Shared,
    Path((kommune, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let path = format!("Group/{id}/$export");
    kick_off(&app, &kommune, Scope::Group(id), &path, query, &headers, body).await
}

async fn kick_off(
    app: &App,
    kommune: &str,
    scope: Scope,
    path: &str,
    query: Option<String>,
    headers: &HeaderMap,
    body: Body,
) -> Answer {
    let (tenant, caller) = app.enter(kommune, headers)?;
    let query = query.unwrap_or_default();
    let mut pairs = input::pairs(query.as_bytes());
    let sent = input::bytes(headers, body).await?;
    if !sent.is_empty() {
        pairs.extend(parameters(&input::parse(&sent)?)?);
    }
    let strict = header(headers, "prefer").is_some_and(|it| it.contains("handling=strict"));
    let wish = wish(&pairs, strict)?;
    let mut request = format!("{}/{kommune}/fhir/{path}", app.public_url);
    if !query.is_empty() {
        request.push_str(&format!("?{query}"));
    }
    let id = tenant.export(&caller, Wish { request, scope, ..wish }).await?;
    let mut response = StatusCode::ACCEPTED.into_response();
    let status = format!("{}/{kommune}/export/{id}", app.public_url);
    put(&mut response, CONTENT_LOCATION, &status);
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

/// What the parameters ask for. Under `handling=strict` an unknown one refuses.
fn wish(pairs: &Pairs, strict: bool) -> Result<Wish, Problem> {
    let mut wish =
        Wish { request: String::new(), scope: Scope::System, kinds: Vec::new(), since: None };
    for (name, value) in pairs {
        match name.as_str() {
            "_type" => {
                for kind in value.split(',').filter(|kind| !kind.is_empty()) {
                    let kind = known_kind(kind)
                        .map_err(|_| wrong("`_type`: there is no such resource type in R4"))?;
                    wish.kinds.push(kind);
                }
            }
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
            _ if strict => {
                return Err(wrong("only `_type`, `_since` and `_outputFormat` are supported"));
            }
            _ => {}
        }
    }
    Ok(wish)
}

/// Where an export is: 202 while its files are found, then the manifest.
pub async fn export_status(
    State(app): Shared,
    Path((kommune, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    let export = tenant.export_files(&caller, &id).await?.ok_or(Failure::NotFound)?;
    let address = format!("{}/{kommune}/export/{id}", app.public_url);
    let body = json::print(&export.manifest(&address)).into_bytes();
    let mut response = (StatusCode::OK, body).into_response();
    put(&mut response, CONTENT_TYPE, "application/json");
    put(&mut response, CACHE_CONTROL, "no-store");
    put(&mut response, EXPIRES, &http_date(export.time + LIFETIME));
    Ok(response)
}

/// `DELETE` of an export.
pub async fn export_end(
    State(app): Shared,
    Path((kommune, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    if tenant.export_end(&caller, &id) {
        Ok(StatusCode::ACCEPTED.into_response())
    } else {
        Err(Failure::NotFound.into())
    }
}

/// One file of an export, line by line.
pub async fn export_file(
    State(app): Shared,
    Path((kommune, id, file)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    let file: usize = file.parse().map_err(|_| Failure::NotFound)?;
    let reading = tenant.export_file(caller, &id, file).await?;
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
pub async fn import(
    State(app): Shared,
    Path(kommune): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    let media = header(&headers, "content-type").unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    if !matches!(media, NDJSON | "application/ndjson" | "application/x-ndjson") {
        return Err(Problem::edge(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            IssueCode::NotSupported,
            "send a resource on each line, as `application/fhir+ndjson`",
        ));
    }
    let pairs = input::pairs(query.unwrap_or_default().as_bytes());
    let name = pairs.iter().find(|(name, _)| name == "job").map(|(_, name)| name.as_str());
    let name =
        name.ok_or_else(|| wrong("name the import with `job=`, so that it can be resumed"))?;
    let mut import = Import::begin(tenant, caller, name)?;
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
pub async fn import_status(
    State(app): Shared,
    Path((kommune, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    let (tenant, caller) = app.enter(&kommune, &headers)?;
    let progress = tenant.import_progress(&caller, &name).ok_or(Failure::NotFound)?;
    if progress.complete {
        return Ok(respond(StatusCode::OK, &progress.outcome()));
    }
    let mut response = respond(StatusCode::ACCEPTED, &progress.outcome());
    let told = format!("{} lines", progress.lines);
    put(&mut response, HeaderName::from_static("x-progress"), &told);
    put(&mut response, RETRY_AFTER, "1");
    Ok(response)
}

fn wrong(message: &str) -> Problem {
    Problem::Failure(Failure::Malformed(vec![Issue::error(IssueCode::Invalid, "", message)]))
}
