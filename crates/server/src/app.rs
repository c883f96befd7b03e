//! What every request can reach: the municipalities served here, and who may call.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use access::caller::Caller;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use exchange::error::Failure;
use exchange::tenant::Tenant;
use fhir::search::set::Parameters;
use parking_lot::Mutex;
use sandbox::issuer::Issuer;

use crate::problem::Problem;
use crate::token::{TokenError, Verifier};

/// The server's state.
pub struct App {
    /// By municipality number.
    pub tenants: BTreeMap<String, Hosted>,
    /// Numbers of the municipalities that could not be opened; the others are served all the same.
    pub closed: BTreeSet<String>,
    /// Verifies tokens.
    pub verifier: Verifier,
    /// Start of absolute links, without a slash at the end.
    pub public_url: String,
    /// The stand-in issuer of a demo; `None` when serving for real.
    pub demo: Option<Issuer>,
}

/// A municipality served here.
pub struct Hosted {
    /// The municipality.
    pub tenant: Arc<Tenant>,
    /// `aud` of the tokens for it.
    pub audience: String,
    /// What it says about itself.
    pub described: Described,
}

/// The documents about a municipality, each printed when it is first asked for.
#[derive(Default)]
pub struct Described {
    /// The CapabilityStatement, with the search parameters that it tells of: sources may add some.
    pub capabilities: Mutex<Option<(Arc<Parameters>, Arc<str>)>>,
    /// TerminologyCapabilities.
    pub terminology: OnceLock<String>,
    /// The OpenAPI document.
    pub openapi: OnceLock<String>,
}

impl App {
    /// The municipality with this number.
    pub fn hosted(&self, number: &str) -> Result<&Hosted, Problem> {
        if self.closed.contains(number) {
            let what = format!("municipality {number} could not be opened; see the log");
            return Err(Failure::Unavailable(what).into());
        }
        self.tenants.get(number).ok_or_else(Problem::not_found)
    }

    /// The municipality, and the caller its token speaks for.
    pub fn enter(
        &self,
        number: &str,
        headers: &HeaderMap,
    ) -> Result<(Arc<Tenant>, Arc<Caller>), Problem> {
        let hosted = self.hosted(number)?;
        let caller = bearer(headers)
            .and_then(|token| self.verifier.verify(token, &hosted.audience))
            .map_err(Problem::Token)?;
        Ok((hosted.tenant.clone(), caller))
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str, TokenError> {
    let header = headers.get(AUTHORIZATION).ok_or(TokenError::Missing)?;
    let text = header.to_str().map_err(|_| TokenError::Malformed)?;
    let (scheme, token) = text.split_once(' ').ok_or(TokenError::Missing)?;
    if scheme.eq_ignore_ascii_case("Bearer") { Ok(token.trim()) } else { Err(TokenError::Missing) }
}
