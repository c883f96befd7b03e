//! Forms are taken from our own pages only.
//!
//! The cookie is `SameSite=Strict`, which lets other ports and subdomains of our site through and
//! does nothing for the sign-in itself. A browser says where a form comes from in `Origin`
//! (Fetch, "append a request `Origin` header").

use axum::extract::Request;
use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::Response;
use pages::problem::{Problem, problem};

use crate::web::page;

/// Refuses a POST whose `Origin` is another than the server that was asked. Without an `Origin` it
/// is not a browser of today, and there is no other page to protect against.
pub async fn own_forms_only(request: Request, next: Next) -> Response {
    if request.method() == Method::POST && is_foreign(request.headers(), request.uri()) {
        return page(StatusCode::FORBIDDEN, problem(None, Problem::ForeignForm));
    }
    next.run(request).await
}

fn is_foreign(headers: &HeaderMap, uri: &Uri) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return false };
    // HTTP/2 names the host in the address, HTTP/1.1 in a header.
    let host = uri
        .authority()
        .map(Authority::as_str)
        .or_else(|| headers.get(HOST).and_then(|host| host.to_str().ok()));
    let from = origin.to_str().ok().and_then(|it| it.split_once("://")).map(|(_, from)| from);
    // `null` is an origin that does not want to be known.
    from.is_none() || from != host
}
