//! The one client for calls to others by HTTP: over TLS with the machine's trusted roots, in the clear only to
//! this machine. Redirects are not followed; answers are bounded in size and time.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// A client that knows one way only.
pub enum Https {
    /// To anybody, with a certificate.
    Tls(Client<HttpsConnector<HttpConnector>, Full<Bytes>>),
    /// In the clear, to this machine.
    Local(Client<HttpConnector, Full<Bytes>>),
}

/// How much of others is waited for and taken.
#[derive(Clone, Copy)]
pub struct Bounds {
    /// Longest wait, from the first byte sent to the last received.
    pub patience: Duration,
    /// Largest answer, in bytes.
    pub answer: usize,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpsError {
    /// An address that may not be used.
    #[error("this is no https address; http is for what runs on this machine only")]
    Address,
    /// Roots of trust are missing.
    #[error("no trusted certificates on this machine: {0}; install `ca-certificates`")]
    Roots(std::io::Error),
    /// No answer in time.
    #[error("no answer in {} s", .0.as_secs_f32())]
    Late(Duration),
    /// The exchange failed.
    #[error("{0}")]
    Broken(String),
}

impl Https {
    /// For an address, and others reached in the same way.
    ///
    /// # Errors
    /// [`HttpsError::Address`], [`HttpsError::Roots`].
    pub fn to(address: &Uri) -> Result<Self, HttpsError> {
        let builder = Client::builder(TokioExecutor::new());
        match address.scheme_str() {
            Some("http") if is_this_machine(address) => Ok(Self::Local(builder.build_http())),
            Some("https") => {
                let roots = HttpsConnectorBuilder::new().with_native_roots();
                let connector = roots.map_err(HttpsError::Roots)?.https_only().enable_http1();
                Ok(Self::Tls(builder.build(connector.build())))
            }
            _ => Err(HttpsError::Address),
        }
    }

    /// Whether this client may go to an address.
    pub fn reaches(&self, address: &Uri) -> bool {
        match self {
            Self::Tls(_) => address.scheme_str() == Some("https"),
            Self::Local(_) => address.scheme_str() == Some("http") && is_this_machine(address),
        }
    }

    /// Asks; answers the status with the whole body.
    ///
    /// # Errors
    /// [`HttpsError::Address`], [`HttpsError::Late`], [`HttpsError::Broken`].
    pub async fn ask(
        &self,
        request: Request<Full<Bytes>>,
        bounds: Bounds,
    ) -> Result<(StatusCode, Bytes), HttpsError> {
        if !self.reaches(request.uri()) {
            return Err(HttpsError::Address);
        }
        let exchange = async {
            let response = match self {
                Self::Tls(client) => client.request(request).await,
                Self::Local(client) => client.request(request).await,
            };
            let response = response.map_err(|error| HttpsError::Broken(told(&error)))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), bounds.answer).collect().await;
            let body = body.map_err(|error| HttpsError::Broken(error.to_string()))?;
            Ok((status, body.to_bytes()))
        };
        tokio::time::timeout(bounds.patience, exchange)
            .await
            .unwrap_or(Err(HttpsError::Late(bounds.patience)))
    }
}

/// Whether the host of an address is the machine itself.
pub fn is_this_machine(address: &Uri) -> bool {
    matches!(address.host(), Some("127.0.0.1" | "localhost" | "[::1]"))
}

/// An error with its causes: the outermost says only that there was one.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
