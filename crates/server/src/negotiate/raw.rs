//! A Binary as the bytes it holds (R4 binary): what a read gives to whoever names no format of FHIR.
//!
//! The bytes are a source's, not the platform's: a browser is told to keep them as a file, to believe
//! the media type and to run nothing.

use axum::extract::Request;
use axum::http::header::{
    CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::response::Parts;
use axum::http::{HeaderValue, Method};
use fhir::base64;
use fhir::value::Value;

use super::media;

/// What is said of bytes whose media type is not known.
const UNKNOWN: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// Whether a request asks for the bytes of a Binary: reads one, or a version of one, and names no format
/// of FHIR.
pub(super) fn is_wanted(request: &Request, format: Option<&str>) -> bool {
    let steps: Vec<&str> = request.uri().path().split('/').skip(2).collect();
    let is_read = match steps.as_slice() {
        ["fhir", "Binary", id] => !id.starts_with(['_', '$']),
        ["fhir", "Binary", _, "_history", _] => true,
        _ => false,
    };
    is_read && *request.method() == Method::GET && !media::names_fhir(request.headers(), format)
}

/// The bytes of a Binary, and what is said of them.
pub(super) fn given(head: &mut Parts, binary: &Value) -> Vec<u8> {
    let media = binary.text("contentType").and_then(|media| HeaderValue::from_str(media).ok());
    let headers = &mut head.headers;
    headers.insert(CONTENT_TYPE, media.unwrap_or(UNKNOWN));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers
        .insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    binary.text("data").and_then(base64::decode).unwrap_or_default()
}
