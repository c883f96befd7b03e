//! What every request can reach: the municipalities served here, and who may call.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use access::caller::Caller;
use axum::http::HeaderMap;
use exchange::error::Failure;
use exchange::tenant::Tenant;
use fhir::search::set::Parameters;
use parking_lot::Mutex;
use sandbox::idp::desk::Desk;
use sandbox::issuer::Issuer;
use sandbox::national::{Fault, National};

use crate::config::SmartConfig;
use crate::problem::Problem;
use crate::token::verify::{Demands, Verifier};

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
    pub demo: Option<Arc<Issuer>>,
    /// Where a demo's stand-ins answer.
    pub desk: Option<Mutex<Desk>>,
    /// How a demo's stand-ins for national sources are to fail.
    pub faults: Mutex<BTreeMap<National, Fault>>,
}

/// A municipality served here.
pub struct Hosted {
    /// The municipality.
    pub tenant: Arc<Tenant>,
    /// What it asks of tokens.
    pub demands: Demands,
    /// The authorization server that launches SMART apps, if there is one.
    pub smart: Option<SmartConfig>,
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

    /// The municipality, and the caller behind the token that [`crate::token::gate`] let in.
    pub fn enter(
        &self,
        number: &str,
        headers: &HeaderMap,
    ) -> Result<(Arc<Tenant>, Arc<Caller>), Problem> {
        let hosted = self.hosted(number)?;
        let caller = self
            .verifier
            .admitted(headers, &hosted.demands)
            .map_err(|error| Problem::token(error, &hosted.demands))?;
        Ok((hosted.tenant.clone(), caller))
    }
}
