//! Binary as the bytes it holds (R4 binary): taken under any media type that is not FHIR's. They are
//! given back by [`crate::negotiate`].

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use fhir::base64;
use fhir::value::{Object, Value};

use super::wrong;
use crate::input;
use crate::negotiate::media;
use crate::problem::Problem;
use crate::routes::call::Call;

/// Header with the resource whose rules of access the content shares (R4 binary, §2.43.2).
const SECURITY_CONTEXT: &str = "x-security-context";

/// The media type of content that is to become a Binary; `None` where a resource is sent.
pub(super) fn media<'a>(call: &'a Call, kind: &str) -> Option<&'a str> {
    if kind != "Binary" {
        return None;
    }
    call.header(CONTENT_TYPE.as_str()).filter(|media| !media::is_fhir(media))
}

/// The Binary that holds what was sent, with the id of the address if it has one.
pub(super) async fn resource(call: &Call, media: &str, body: Body) -> Result<Value, Problem> {
    let bytes = input::bytes(&call.headers, body).await?;
    if bytes.is_empty() {
        return Err(wrong("Binary.data", "send the content, or a Binary as a FHIR resource"));
    }
    let mut resource = Object::new();
    resource.set("resourceType", "Binary");
    if let Some(id) = call.id() {
        resource.set("id", id);
    }
    resource.set("contentType", media);
    if let Some(context) = call.header(SECURITY_CONTEXT) {
        resource.set("securityContext", fhir::json!({ "reference": context }));
    }
    resource.set("data", base64::encode(&bytes));
    Ok(resource.into())
}
