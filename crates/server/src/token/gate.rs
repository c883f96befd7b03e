//! Where requests are let in: before any handler, all that a request says about its sender is checked.
//!
//! Invariant: a handler behind [`demand`] has only requests whose token and proof are right, for the
//! municipality in the address; behind [`open`] none has a token at all.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::HeaderValue;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::problem::{self, ByScopes, Problem};
use crate::token::verify::Demands;
use crate::token::{address, proof};

/// Lets in whoever has a token for the municipality in the address.
pub async fn demand(
    State(app): State<Arc<App>>,
    Path(named): Path<HashMap<String, String>>,
    request: Request,
    next: Next,
) -> Response {
    let (head, body) = request.into_parts();
    let demands = named.get("kommune").and_then(|number| app.tenants.get(number));
    let mut response = match admit(&app, &named, &head).await {
        Ok(()) => next.run(Request::from_parts(head, body)).await,
        Err(problem) => problem.into_response(),
    };
    if let Some(demands) = demands.map(|hosted| &hosted.demands) {
        challenge(&mut response, demands);
        if let Ok(nonce) = HeaderValue::from_str(&app.verifier.nonce())
            && demands.nonce
        {
            response.headers_mut().insert(proof::NONCE_HEADER, nonce);
        }
    }
    response
}

/// A refusal by the token's scopes, which comes from further in, gets its challenge.
fn challenge(response: &mut Response, demands: &Demands) {
    if response.extensions().get::<ByScopes>().is_none() {
        return;
    }
    let told = problem::insufficient_scope(demands);
    if let Ok(told) = HeaderValue::from_str(&told) {
        response.headers_mut().insert(WWW_AUTHENTICATE, told);
    }
}

/// Lets everybody in, as nobody.
pub async fn open(mut request: Request, next: Next) -> Response {
    request.headers_mut().remove(AUTHORIZATION);
    request.headers_mut().remove(proof::HEADER);
    next.run(request).await
}

async fn admit(app: &App, named: &HashMap<String, String>, head: &Parts) -> Result<(), Problem> {
    let number = named.get("kommune").ok_or_else(Problem::not_found)?;
    let hosted = app.hosted(number)?;
    // What the caller sees, whatever a proxy makes of host and scheme.
    let asked = format!("{}{}", app.public_url, head.uri.path());
    let address = address::normal(&asked).unwrap_or_default();
    let demands = &hosted.demands;
    app.verifier
        .admit(&head.headers, &head.method, &address, demands)
        .await
        .map_err(|error| Problem::token(error, demands))
}
