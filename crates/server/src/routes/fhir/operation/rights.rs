//! A resident's copy, and what a resident asks for: `$copy`, `$rights-request`, `$rights-step`.

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, LOCATION, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use exchange::copy::bundle::Copy;
use exchange::copy::readable::Readable;
use exchange::error::Failure;
use exchange::operation::parameters::Parameters;
use exchange::rights::{Said, Wanted};
use exchange::tenant::Tenant;
use fhir::issue::IssueCode;
use futures_util::{StreamExt, stream};
use record::rights::{Right, Step};

use super::super::{Answer, Shared, put};
use super::definition;
use crate::negotiate::media::{self, Format};
use crate::problem::{Problem, respond};
use crate::routes::call::Call;

/// Media type of a document.
const PDF: &str = "application/pdf";

/// What the file for programs is called.
const FILE: &str = "mine-helseopplysninger.json";

/// `Patient/id/$copy`.
pub async fn copy(call: Call, body: Body) -> Answer {
    let given = call.given(body, "resource").await?;
    let (id, pairs) = (call.own_id()?, call.pairs());
    let format = pairs.iter().find(|(name, _)| name == "_format").map(|(_, it)| it.as_str());
    if media::wants_pdf(&call.headers, format) {
        let readable = call.tenant.readable_copy(&call.caller, id, &given).await?;
        return Ok(document(&call.tenant, readable).await?);
    }
    if media::wanted(&call.headers, format)? == Format::Xml {
        let message = "a copy comes as `application/fhir+json` or `application/pdf`";
        return Err(Problem::edge(StatusCode::NOT_ACCEPTABLE, IssueCode::NotSupported, message));
    }
    let doors = (call.base(), call.door("log"));
    let copy = call.tenant.clone().copy(&call.caller, id, &given, doors).await?;
    Ok(bundle(copy)?)
}

/// A copy for programs, as it is made. A fault on the way breaks the connection off.
pub fn bundle(mut copy: Copy) -> Result<Response, Failure> {
    let first = copy.next_chunk()?.unwrap_or_default();
    let rest = stream::try_unfold(copy, |mut copy| async move {
        // Reading and packing a chunk takes some milliseconds.
        let chunk = tokio::task::block_in_place(|| copy.next_chunk())?;
        Ok::<_, Failure>(chunk.map(|chunk| (Bytes::from(chunk), copy)))
    });
    let all = stream::once(async move { Ok(Bytes::from(first)) }).chain(rest);
    let response = Body::from_stream(all).into_response();
    Ok(as_file(response, Format::Json.content_type(), FILE))
}

/// A copy for people.
pub async fn document(tenant: &Tenant, copy: Readable) -> Result<Response, Failure> {
    let units = tenant.register().units.clone();
    let units: Vec<_> = units.into_iter().map(|unit| (unit.organisation, unit.name)).collect();
    let made = tokio::task::spawn_blocking(move || pages::copy::pdf(&copy, &units)).await;
    let made = made.map_err(|error| Failure::Unavailable(error.to_string()))?;
    let pdf = made.map_err(|error| Failure::Unavailable(error.to_string()))?;
    Ok(as_file(Body::from(pdf).into_response(), PDF, pages::copy::FILE))
}

fn as_file(mut response: Response, media: &str, name: &str) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers: [(HeaderName, &str); 4] = [
        (CONTENT_TYPE, media),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_DISPOSITION, &disposition),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in headers {
        put(&mut response, name, value);
    }
    response
}

/// `Patient/id/$rights-request`.
pub async fn request(call: Call, body: Body) -> Answer {
    let given = call.given(body, "resource").await?;
    given.only(&["right", "text", "item"])?;
    let right = match given.text("right") {
        Some("restriction") => {
            let message = "what is to be seen by fewer is withheld by the resident: send a `Consent` with \
                           `provision.type` `deny` (pbrl. § 5-3), which holds at once";
            return Err(Failure::invalid(IssueCode::BusinessRule, "right", message).into());
        }
        code => code.and_then(Right::from_code).ok_or_else(|| {
            let codes = Right::ALL.map(Right::code).join("`, `");
            Failure::invalid(IssueCode::Value, "right", format!("`right` is one of `{codes}`"))
        })?,
    };
    let item = match reference(&given, "item") {
        None => None,
        Some(text) => Some(named(&text).ok_or_else(|| wrong("item", "`Type/id`"))?),
    };
    let text = given.text("text").unwrap_or_default().to_owned();
    let wanted = Wanted { right, item, text };
    let receipt = call.tenant.ask(&call.caller, call.own_id()?, wanted).await?;
    let task = receipt.resource().ok_or(Failure::NotFound)?;
    let mut response = respond(StatusCode::CREATED, &task);
    let location = format!("{}/Task/{}/_history/{}", call.base(), receipt.id, receipt.version);
    put(&mut response, LOCATION, &location);
    Ok(response)
}

/// `Task/id/$rights-step`.
pub async fn step(call: Call, body: Body) -> Answer {
    let given = call.given(body, "resource").await?;
    given.only(&["step", "reason", "output"])?;
    let step = given.text("step").and_then(Step::from_code).ok_or_else(|| {
        let codes = Step::ALL.map(Step::code).join("`, `");
        Failure::invalid(IssueCode::Value, "step", format!("`step` is one of `{codes}`"))
    })?;
    let output = match reference(&given, "output") {
        None => None,
        Some(text) => {
            let version = text.split_once("/_history/").and_then(|(of, version)| {
                let (kind, id) = named(of)?;
                Some((kind, id, version.parse().ok()?))
            });
            Some(version.ok_or_else(|| wrong("output", "`Type/id/_history/version`"))?)
        }
    };
    let said = Said { reason: given.text("reason").map(str::to_owned), output };
    let receipt = call.tenant.advance(&call.caller, call.own_id()?, step, said).await?;
    let task = receipt.resource().ok_or(Failure::NotFound)?;
    Ok(respond(StatusCode::OK, &task))
}

/// `OperationDefinition/copy`. Open, as the CapabilityStatement that names it.
pub async fn definition_of_copy(State(app): Shared, Path(kommune): Path<String>) -> Answer {
    definition(&app, &kommune, "copy")
}

/// `OperationDefinition/rights-request`. Open as well.
pub async fn definition_of_request(State(app): Shared, Path(kommune): Path<String>) -> Answer {
    definition(&app, &kommune, "rights-request")
}

/// `OperationDefinition/rights-step`. Open as well.
pub async fn definition_of_step(State(app): Shared, Path(kommune): Path<String>) -> Answer {
    definition(&app, &kommune, "rights-step")
}

/// A reference, as text or as a Reference.
fn reference(given: &Parameters, name: &str) -> Option<String> {
    let value = given.get(name)?;
    value.as_str().or_else(|| value.text("reference")).map(str::to_owned)
}

fn named(text: &str) -> Option<(String, String)> {
    let (kind, id) = text.split_once('/')?;
    fhir::resource::is_id(id).then(|| (kind.to_owned(), id.to_owned()))
}

fn wrong(name: &str, form: &str) -> Failure {
    Failure::invalid(IssueCode::Value, name, format!("`{name}` is a reference, {form}"))
}
