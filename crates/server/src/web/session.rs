//! Who is signed in: the access token in a cookie that scripts cannot read and other sites cannot
//! send.

use std::sync::Arc;

use access::caller::{Caller, Party};
use access::decide::role_of;
use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use exchange::error::Failure;
use exchange::tenant::Tenant;
use pages::layout::{Area, Session};
use pages::text;

use crate::app::App;
use crate::config::Scheme;
use crate::web::Stop;

/// Name of the cookie.
const NAME: &str = "fkj_session";

/// Somebody signed in to a municipality.
pub struct SignedIn {
    /// The municipality.
    pub tenant: Arc<Tenant>,
    /// Who calls.
    pub caller: Arc<Caller>,
    /// Who is signed in, for the page's frame.
    pub session: Session,
}

impl SignedIn {
    /// Goes on only in a role whose menu has the area.
    pub fn using(self, area: Area) -> Result<Self, Stop> {
        if self.session.areas.contains(&area) {
            return Ok(self);
        }
        Err(Stop::OtherRole(Box::new(self.session)))
    }

    /// The page of a failure, for this person.
    pub fn stop(self, failure: Failure) -> Stop {
        Stop::Failed(Some(Box::new(self.session)), failure)
    }
}

/// The session of a request to a municipality's page.
pub fn signed_in(app: &App, number: &str, headers: &HeaderMap) -> Result<SignedIn, Stop> {
    let hosted = app.tenants.get(number).ok_or(Stop::SignIn)?;
    let token = cookie(headers).ok_or(Stop::SignIn)?;
    // Where tokens must come with proofs, only a demo's own sign-in puts one without into a cookie.
    if hosted.demands.scheme == Scheme::Dpop && app.demo.is_none() {
        return Err(Stop::SignIn);
    }
    let caller = app.verifier.in_session(token, &hosted.demands).map_err(|_| Stop::SignIn)?;
    let session = session(&caller, &hosted.tenant, app.demo.is_some());
    Ok(SignedIn { tenant: hosted.tenant.clone(), caller, session })
}

/// The frame's view of a caller.
pub fn session(caller: &Caller, tenant: &Tenant, synthetic: bool) -> Session {
    let standing = tenant.standing();
    let register = standing.register();
    let (mut role, mut areas) = match &caller.party {
        Party::Resident { .. } => (text::get("role-innbygger"), vec![Area::Innbygger]),
        Party::Practitioner(_) => match role_of(caller, &standing, tenant.now()) {
            Some(role) if role.unit_list => (role.title.clone(), vec![Area::Tavle, Area::Legevakt]),
            Some(role) => (role.title.clone(), vec![Area::Legevakt]),
            None => (String::new(), Vec::new()),
        },
        Party::System => (text::get("role-system"), Vec::new()),
    };
    if tenant.has_duty(caller) {
        areas.push(Area::Admin);
        if tenant.reviews_looks(caller) {
            areas.push(Area::LogAnalysis);
            areas.push(Area::Cases);
            areas.push(Area::Disposal);
        }
        if tenant.reviews_accesses(caller) {
            areas.push(Area::Accesses);
        }
        if role.is_empty() {
            role = text::get("role-admin");
        }
    }
    Session {
        name: caller.display_name().to_owned(),
        role,
        municipality: register.name.clone(),
        number: register.number.clone(),
        areas,
        synthetic,
    }
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get(COOKIE)?.to_str().ok()?;
    all.split(';').find_map(|pair| pair.trim().strip_prefix(NAME)?.strip_prefix('='))
}

/// Sets the cookie. `Secure` is left out only where the server itself is reached without TLS.
pub fn set(token: &str, secure: bool) -> Option<HeaderValue> {
    let secure = if secure { "; Secure" } else { "" };
    let cookie = format!("{NAME}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=3600{secure}");
    HeaderValue::from_str(&cookie).ok()
}

/// Forgets the cookie.
pub fn clear() -> HeaderValue {
    HeaderValue::from_static("fkj_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0")
}
