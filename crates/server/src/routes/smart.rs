//! How SMART apps find the authorization server of a municipality (SMART App Launch 2.2 §6).

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Value, json};

use crate::app::App;
use crate::config::SmartConfig;
use crate::problem::Problem;
use crate::routes::sandbox::published;

/// `GET .well-known/smart-configuration`. Open, and not there where no apps are launched.
pub async fn configuration(
    State(app): State<Arc<App>>,
    Path(kommune): Path<String>,
) -> Result<Response, Problem> {
    let smart = app.hosted(&kommune)?.smart.as_ref().ok_or_else(Problem::not_found)?;
    Ok(published(described(smart).to_string()))
}

fn described(smart: &SmartConfig) -> Value {
    let mut about = json!({
        "issuer": smart.issuer,
        "jwks_uri": smart.jwks_uri,
        "authorization_endpoint": smart.authorization_endpoint,
        "token_endpoint": smart.token_endpoint,
        "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": [
            "openid", "fhirUser", "launch", "launch/patient", "offline_access", "online_access",
            "patient/*.rs", "user/*.rs", "system/*.cruds",
        ],
        "capabilities": smart.capabilities,
    });
    if let (Some(about), Some(address)) = (about.as_object_mut(), &smart.registration_endpoint) {
        about.insert("registration_endpoint".to_owned(), json!(address));
    }
    about
}
