//! Where an issuer's keys come from: a file, or what the issuer publishes (OpenID Connect Discovery 1.0
//! §4, RFC 8414 §3).
//!
//! Over HTTPS with the machine's trusted roots; in the clear only where the issuer itself is this
//! machine, as a stand-in is. Redirects are not followed, and answers are bounded in size and time.

use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::token::claims::IssuerKind;

/// Longest wait for an answer, from the first byte sent to the last received.
const PATIENCE: Duration = Duration::from_secs(5);

/// Largest answer, in bytes.
const MAX_ANSWER: usize = 512 * 1024;

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
    /// Roots of trust are missing.
    #[error("no trusted certificates on this machine: {0}; install `ca-certificates`")]
    Roots(std::io::Error),
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
    web: Web,
}

/// A client that knows one way only.
enum Web {
    Tls(Client<HttpsConnector<HttpConnector>, Empty<Bytes>>),
    /// In the clear, to a stand-in on this machine.
    Local(Client<HttpConnector, Empty<Bytes>>),
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
        let builder = Client::builder(TokioExecutor::new());
        let web = if is_of_this_machine(&checked(&address, true)?) {
            Web::Local(builder.build_http())
        } else {
            let roots = HttpsConnectorBuilder::new().with_native_roots();
            let connector = roots.map_err(FetchError::Roots)?.https_only().enable_http1().build();
            Web::Tls(builder.build(connector))
        };
        Ok(Self { issuer: issuer.to_owned(), address, web })
    }

    async fn fetch(&self) -> Result<Vec<Value>, FetchError> {
        let about: Value = self.json(&self.address).await?;
        let text = |name: &str| about.get(name).and_then(Value::as_str).unwrap_or_default();
        if text("issuer") != self.issuer {
            return Err(FetchError::OtherIssuer(self.address.clone()));
        }
        let address = text("jwks_uri");
        checked(address, matches!(self.web, Web::Local(_)))?;
        keys(address, &self.get(address).await?)
    }

    async fn json(&self, address: &str) -> Result<Value, FetchError> {
        serde_json::from_slice(&self.get(address).await?)
            .map_err(|error| answer(address, format!("no JSON: {error}")))
    }

    async fn get(&self, address: &str) -> Result<Bytes, FetchError> {
        let failed = |what: String| answer(address, what);
        let exchange = async {
            let request = Request::get(address)
                .header("accept", "application/json")
                .body(Empty::new())
                .map_err(|error| failed(error.to_string()))?;
            let response = match &self.web {
                Web::Tls(client) => client.request(request),
                Web::Local(client) => client.request(request),
            };
            let response = response.await.map_err(|error| failed(told(&error)))?;
            if response.status() != StatusCode::OK {
                return Err(failed(format!("answered {}", response.status())));
            }
            let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
            Ok(body.map_err(|error| failed(error.to_string()))?.to_bytes())
        };
        tokio::time::timeout(PATIENCE, exchange)
            .await
            .unwrap_or_else(|_| Err(failed(format!("no answer in {} s", PATIENCE.as_secs()))))
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

/// The address, where keys may come from it.
fn checked(address: &str, local_allowed: bool) -> Result<Uri, FetchError> {
    let refuse = || FetchError::Address(address.to_owned());
    let uri: Uri = address.parse().map_err(|_| refuse())?;
    let fits = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => local_allowed && is_of_this_machine(&uri),
        _ => false,
    };
    if fits { Ok(uri) } else { Err(refuse()) }
}

/// Whether an address is in the clear and of the machine itself.
pub fn is_of_this_machine(uri: &Uri) -> bool {
    uri.scheme_str() == Some("http")
        && matches!(uri.host(), Some("127.0.0.1" | "localhost" | "[::1]"))
}

/// An error with its causes: the outermost says only that there was one.
pub fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
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
