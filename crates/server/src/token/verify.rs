//! Access tokens: who signed, for whom, when, bound to what. A token that has been verified is
//! remembered until it expires or its issuer's keys change.

use std::collections::HashMap;
use std::sync::Arc;

use access::caller::Caller;
use aws_lc_rs::digest::{SHA256, digest};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Method};
use ledger::clock::Clock;
use parking_lot::RwLock;
use serde_json::Value;

use crate::config::Scheme;
use crate::token::claims::{self, IssuerKind};
use crate::token::error::{ProofError, TokenError};
use crate::token::jws::{self, Jws};
use crate::token::keys::{Held, KeyRing};
use crate::token::nonce::Nonces;
use crate::token::proof::{self, Asked};
use crate::token::replay::Replay;

/// Most tokens remembered; when it is full, those that have expired go, or else all.
const REMEMBERED: usize = 50_000;

/// Seconds that clocks may differ.
const LEEWAY: i64 = 5;

/// What an API asks of the tokens sent to it.
#[derive(Clone, Debug)]
pub struct Demands {
    /// `aud`, exactly and alone.
    pub audience: String,
    /// Scopes of which a token must hold one.
    pub scopes: Vec<String>,
    /// How tokens are sent.
    pub scheme: Scheme,
    /// Whether a proof must hold a nonce of ours.
    pub nonce: bool,
}

/// An issuer whose tokens are accepted.
pub struct TrustedIssuer {
    /// `iss`, exactly.
    pub name: String,
    /// How its claims are read.
    pub kind: IssuerKind,
    /// Its public keys.
    pub keys: Arc<KeyRing>,
}

/// A token that has been verified.
struct Verified {
    caller: Arc<Caller>,
    audience: String,
    scopes: Vec<String>,
    binding: Binding,
    expires: i64,
    /// Its issuer, by place, and the keys it was verified under.
    issuer: usize,
    generation: u64,
}

/// Whether a token may be used by whoever holds it.
enum Binding {
    None,
    /// To a DPoP key, by thumbprint.
    Key(String),
    /// To something that is not DPoP (`cnf` without `jkt`).
    Other,
}

/// Verifies tokens and their proofs.
pub struct Verifier {
    issuers: Vec<TrustedIssuer>,
    replay: Box<dyn Replay>,
    nonces: Nonces,
    clock: Arc<dyn Clock>,
    verified: RwLock<HashMap<[u8; 32], Arc<Verified>>>,
}

impl Verifier {
    /// With these issuers, each named once, this memory of proofs and these nonces.
    pub fn new(
        issuers: Vec<TrustedIssuer>,
        replay: Box<dyn Replay>,
        nonces: Nonces,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { issuers, replay, nonces, clock, verified: RwLock::default() }
    }

    /// Asks every issuer for its keys, so that the first caller need not wait.
    pub async fn warm(&self) {
        for issuer in &self.issuers {
            issuer.keys.refresh().await;
        }
    }

    /// Checks all that a request says about who sends it. `address` is the public one, normalised.
    ///
    /// # Errors
    /// Where anything is missing, wrong, or cannot be checked now.
    pub async fn admit(
        &self,
        headers: &HeaderMap,
        method: &Method,
        address: &str,
        demands: &Demands,
    ) -> Result<(), TokenError> {
        let token = presented(headers, demands.scheme)?;
        let name = hash(token);
        let verified = match self.remembered(&name)? {
            Some(verified) => verified,
            None => self.verify(token, name).await?,
        };
        self.accept(&verified, demands)?;
        let thumbprint = match (demands.scheme, &verified.binding) {
            (Scheme::Bearer, Binding::None) => return Ok(()),
            (Scheme::Bearer, _) => return Err(TokenError::Bound),
            (Scheme::Dpop, Binding::Key(thumbprint)) => thumbprint,
            (Scheme::Dpop, _) => return Err(TokenError::Unbound),
        };
        let now = self.now();
        let nonces = demands.nonce.then_some(&self.nonces);
        let asked = Asked { method, address, token: &name, thumbprint, now, nonces };
        let proof = proof::check(proof::only(headers)?, &asked)?;
        match self.replay.is_first(proof, now).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(ProofError::Replayed.into()),
            Err(error) => {
                tracing::error!("{error}");
                Err(TokenError::Unavailable("the memory of DPoP proofs does not answer"))
            }
        }
    }

    /// The nonce that a client's next proof may hold.
    pub fn nonce(&self) -> String {
        self.nonces.current(self.now())
    }

    /// The caller behind the token of a request that [`Verifier::admit`] let in.
    ///
    /// # Errors
    /// Where there is none: the request was not let in.
    pub fn admitted(
        &self,
        headers: &HeaderMap,
        demands: &Demands,
    ) -> Result<Arc<Caller>, TokenError> {
        let verified = self.known(presented(headers, demands.scheme)?)?;
        self.accept(&verified, demands)?;
        Ok(verified.caller.clone())
    }

    /// The caller behind a token in a session of our own pages: it is not sent by its holder, and cannot
    /// come with a proof.
    ///
    /// # Errors
    /// Where it is not valid, or bound to a key.
    pub fn in_session(&self, token: &str, demands: &Demands) -> Result<Arc<Caller>, TokenError> {
        let verified = self.known(token)?;
        if !matches!(verified.binding, Binding::None) {
            return Err(TokenError::Bound);
        }
        self.accept(&verified, demands)?;
        Ok(verified.caller.clone())
    }

    /// A token as remembered, or verified with the keys that are held.
    fn known(&self, token: &str) -> Result<Arc<Verified>, TokenError> {
        let name = hash(token);
        if let Some(verified) = self.remembered(&name)? {
            return Ok(verified);
        }
        let jws = read(token)?;
        let (place, issuer) = self.issuer(&jws)?;
        let held = issuer.keys.current()?;
        self.check(&jws, place, issuer, &held, name)
    }

    async fn verify(&self, token: &str, name: [u8; 32]) -> Result<Arc<Verified>, TokenError> {
        let jws = read(token)?;
        let (place, issuer) = self.issuer(&jws)?;
        let held = issuer.keys.with(jws.head("kid").ok_or(TokenError::Key)?).await?;
        self.check(&jws, place, issuer, &held, name)
    }

    /// A token that was verified before, under the keys its issuer has now.
    fn remembered(&self, name: &[u8; 32]) -> Result<Option<Arc<Verified>>, TokenError> {
        let Some(verified) = self.verified.read().get(name).cloned() else { return Ok(None) };
        let Some(issuer) = self.issuers.get(verified.issuer) else { return Ok(None) };
        let is_current = issuer.keys.current()?.generation == verified.generation;
        Ok(Some(verified).filter(|_| is_current))
    }

    /// Signature, time and claims of a token; it is remembered.
    fn check(
        &self,
        jws: &Jws<'_>,
        place: usize,
        issuer: &TrustedIssuer,
        held: &Held,
        name: [u8; 32],
    ) -> Result<Arc<Verified>, TokenError> {
        let algorithm = jws.algorithm().ok_or(TokenError::Algorithm)?;
        let mut keys = held.with(jws.head("kid").ok_or(TokenError::Key)?).peekable();
        keys.peek().ok_or(TokenError::Key)?;
        if !keys.any(|key| key.verifies(jws, algorithm)) {
            return Err(TokenError::Signature);
        }
        let expires = jws.seconds("exp").ok_or(TokenError::Claim("exp"))?;
        if jws.claims.get("nbf").is_some() {
            let from = jws.seconds("nbf").ok_or(TokenError::Claim("nbf"))?;
            if from > self.now() + LEEWAY {
                return Err(TokenError::NotYet);
            }
        }
        let verified = Arc::new(Verified {
            caller: Arc::new(claims::caller(issuer.kind, &jws.claims)?),
            audience: audience(&jws.claims).ok_or(TokenError::Audience)?,
            scopes: claims::scopes(&jws.claims),
            binding: binding(&jws.claims),
            expires,
            issuer: place,
            generation: held.generation,
        });
        // What has expired need not be remembered, nor push out what has not.
        if !self.has_expired(&verified) {
            self.remember(name, verified.clone());
        }
        Ok(verified)
    }

    fn remember(&self, name: [u8; 32], token: Arc<Verified>) {
        let mut verified = self.verified.write();
        if verified.len() >= REMEMBERED {
            verified.retain(|_, token| !self.has_expired(token));
        }
        if verified.len() >= REMEMBERED {
            verified.clear();
        }
        verified.insert(name, token);
    }

    /// What one API asks and what time does to a token that is genuine.
    fn accept(&self, token: &Verified, demands: &Demands) -> Result<(), TokenError> {
        if token.audience != demands.audience {
            return Err(TokenError::Audience);
        }
        if self.has_expired(token) {
            return Err(TokenError::Expired);
        }
        let opened = token.scopes.iter().any(|scope| demands.scopes.contains(scope));
        // Scopes of resources open the API too, so far as they reach.
        let reached = token.caller.scopes.as_ref().is_some_and(|it| it.are_of_resources());
        if !opened && !reached {
            return Err(TokenError::Scope);
        }
        Ok(())
    }

    fn has_expired(&self, token: &Verified) -> bool {
        token.expires.saturating_add(LEEWAY) <= self.now()
    }

    /// The issuer a token names, before its signature is known to be right.
    fn issuer(&self, jws: &Jws<'_>) -> Result<(usize, &TrustedIssuer), TokenError> {
        let name = jws.text("iss").ok_or(TokenError::Issuer)?;
        let mut issuers = self.issuers.iter().enumerate();
        issuers.find(|(_, issuer)| issuer.name == name).ok_or(TokenError::Issuer)
    }

    fn now(&self) -> i64 {
        self.clock.now_ms().div_euclid(1000)
    }
}

/// The token in the only `Authorization` header, sent as the API asks.
fn presented(headers: &HeaderMap, scheme: Scheme) -> Result<&str, TokenError> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let header = match (all.next(), all.next()) {
        (None, _) => return Err(TokenError::Missing(scheme)),
        (Some(header), None) => header.to_str().map_err(|_| TokenError::Malformed)?,
        (Some(_), Some(_)) => return Err(TokenError::Malformed),
    };
    let (name, token) = header.split_once(' ').ok_or(TokenError::Scheme(scheme))?;
    if name.eq_ignore_ascii_case(scheme.name()) {
        Ok(token.trim())
    } else {
        Err(TokenError::Scheme(scheme))
    }
}

/// A token as a JWT of the types that access tokens have (RFC 9068 §4; HelseID's `JWT`).
fn read(token: &str) -> Result<Jws<'_>, TokenError> {
    let jws = jws::read(token).ok_or(TokenError::Malformed)?;
    let kind = jws.header.get("typ").map_or(Some("JWT"), Value::as_str);
    let kind = kind.map(|kind| kind.strip_prefix("application/").unwrap_or(kind));
    match kind {
        Some(kind) if ["at+jwt", "JWT"].iter().any(|known| kind.eq_ignore_ascii_case(known)) => {
            Ok(jws)
        }
        _ => Err(TokenError::Malformed),
    }
}

/// The only audience.
fn audience(claims: &Value) -> Option<String> {
    match claims.get("aud")? {
        Value::String(only) => Some(only.clone()),
        Value::Array(all) => match all.as_slice() {
            [Value::String(only)] => Some(only.clone()),
            _ => None,
        },
        _ => None,
    }
}

fn binding(claims: &Value) -> Binding {
    let Some(confirmation) = claims.get("cnf") else { return Binding::None };
    match confirmation.get("jkt").and_then(Value::as_str) {
        Some(thumbprint) => Binding::Key(thumbprint.to_owned()),
        None => Binding::Other,
    }
}

fn hash(token: &str) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    out
}
