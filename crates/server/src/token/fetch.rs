//! Where an issuer's keys come from: a file, or what the issuer publishes (OpenID Connect Discovery 1.0
//! §4, RFC 8414 §3).
//!
//! In the clear only where the issuer itself is this machine, as a stand-in is ([`crate::https`]).

use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request, StatusCode, Uri};
use http_body_util::Full;
use serde_json::Value;

use crate::https::{Bounds, Https, HttpsError};
use crate::token::claims::IssuerKind;

const BOUNDS: Bounds = Bounds { patience: Duration::from_secs(5), answer: 512 * 1024 };

/// Why keys could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The file cannot be read.
    #[error("`{}`: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// An address that keys must not come from.
    #[error("`{0}` must be an https address; http is for a stand-in on this machine only")]
    Address(String),
    /// Nobody can be asked at all.
    #[error(transparent)]
    Client(HttpsError),
    /// The issuer did not answer as it should.
    #[error("`{address}`: {what}")]
    Answer {
        /// What was asked.
        address: String,
        /// What was wrong.
        what: String,
    },
    /// The document is of another issuer.
    #[error("`{0}` describes another issuer; `name` must be its `issuer`, exactly")]
    OtherIssuer(String),
    /// No set of keys.
    #[error("`{0}` holds no JWK set with keys")]
    NoKeys(String),
}

/// Where the keys of an issuer come from.
pub enum Source {
    /// A file with a JWK set.
    File(PathBuf),
    /// What the issuer publishes.
    Discovery(Box<Discovery>),
}

/// An issuer that publishes its keys.
pub struct Discovery {
    issuer: String,
    address: String,
    web: Https,
}

impl Source {
    /// The JWKs, each as it stands.
    ///
    /// # Errors
    /// Where they cannot be had now, or there are none.
    pub async fn fetch(&self) -> Result<Vec<Value>, FetchError> {
        match self {
            Source::File(path) => in_file(path),
            Source::Discovery(discovery) => discovery.fetch().await,
        }
    }
}

impl Discovery {
    /// For the issuer with this name.
    ///
    /// # Errors
    /// Where its address may not be used, or the machine trusts nobody.
    pub fn new(issuer: &str, kind: IssuerKind) -> Result<Self, FetchError> {
        let document = match kind {
            // Maskinporten is OAuth only, and has no OpenID configuration.
            IssuerKind::Maskinporten => "oauth-authorization-server",
            IssuerKind::Helseid | IssuerKind::Idporten => "openid-configuration",
        };
        let address = format!("{}/.well-known/{document}", issuer.trim_end_matches('/'));
        let uri: Uri = address.parse().map_err(|_| FetchError::Address(address.clone()))?;
        let web = Https::to(&uri).map_err(|error| match error {
            HttpsError::Address => FetchError::Address(address.clone()),
            other => FetchError::Client(other),
        })?;
        Ok(Self { issuer: issuer.to_owned(), address, web })
    }

    async fn fetch(&self) -> Result<Vec<Value>, FetchError> {
        let about: Value = self.json(&self.address).await?;
        let text = |name: &str| about.get(name).and_then(Value::as_str).unwrap_or_default();
        if text("issuer") != self.issuer {
            return Err(FetchError::OtherIssuer(self.address.clone()));
        }
        let address = text("jwks_uri");
        keys(address, &self.get(address).await?)
    }

    async fn json(&self, address: &str) -> Result<Value, FetchError> {
        serde_json::from_slice(&self.get(address).await?)
            .map_err(|error| answer(address, format!("no JSON: {error}")))
    }

    async fn get(&self, address: &str) -> Result<Bytes, FetchError> {
        let request = Request::get(address)
            .header("accept", "application/json")
            .body(Full::default())
            .map_err(|_| FetchError::Address(address.to_owned()))?;
        match self.web.ask(request, BOUNDS).await {
            Ok((StatusCode::OK, body)) => Ok(body),
            Ok((status, _)) => Err(answer(address, format!("answered {status}"))),
            Err(HttpsError::Address) => Err(FetchError::Address(address.to_owned())),
            Err(error) => Err(answer(address, error.to_string())),
        }
    }
}

/// The JWKs of a file.
///
/// # Errors
/// Where it cannot be read or holds none.
pub fn in_file(path: &Path) -> Result<Vec<Value>, FetchError> {
    let bytes =
        std::fs::read(path).map_err(|source| FetchError::File { path: path.to_owned(), source })?;
    keys(&path.display().to_string(), &bytes)
}

fn answer(address: &str, what: String) -> FetchError {
    FetchError::Answer { address: address.to_owned(), what }
}

/// The keys of a JWK set.
fn keys(place: &str, bytes: &[u8]) -> Result<Vec<Value>, FetchError> {
    let set: Option<Value> = serde_json::from_slice(bytes).ok();
    set.as_ref()
        .and_then(|set| set.get("keys")?.as_array())
        .filter(|keys| !keys.is_empty())
        .cloned()
        .ok_or_else(|| FetchError::NoKeys(place.to_owned()))
}
