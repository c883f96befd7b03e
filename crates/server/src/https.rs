//! The one client for calls to others by HTTP: over TLS with the machine's trusted roots, in the clear only to
//! this machine. Redirects are not followed; answers are bounded in size and time.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// A client that knows one way only.
pub enum Https {
    /// To anybody, with a certificate.
    Tls(Client<HttpsConnector<HttpConnector>, Body>),
    /// In the clear, to this machine.
    Local(Client<HttpConnector, Body>),
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
        if !Self::may_reach(address) {
            return Err(HttpsError::Address);
        }
        let builder = Client::builder(TokioExecutor::new());
        if is_plain(address) {
            return Ok(Self::Local(builder.build_http()));
        }
        let roots = HttpsConnectorBuilder::new().with_native_roots().map_err(HttpsError::Roots)?;
        Ok(Self::Tls(builder.build(roots.https_only().enable_http1().build())))
    }

    /// Whether there is a client that may go to an address.
    pub fn may_reach(address: &Uri) -> bool {
        address.scheme_str() == Some("https") || (is_plain(address) && is_this_machine(address))
    }

    /// Sends; answers as soon as the head of the answer is there, and waits as long as that takes.
    ///
    /// # Errors
    /// [`HttpsError::Address`], [`HttpsError::Broken`].
    pub async fn send(&self, request: Request<Body>) -> Result<Response<Body>, HttpsError> {
        let (to, is_local) = (request.uri(), matches!(self, Self::Local(_)));
        if !Self::may_reach(to) || is_plain(to) != is_local {
            return Err(HttpsError::Address);
        }
        let response = match self {
            Self::Tls(client) => client.request(request).await,
            Self::Local(client) => client.request(request).await,
        };
        let response = response.map_err(|error| HttpsError::Broken(told(&error)))?;
        Ok(response.map(Body::new))
    }

    /// Asks; answers the status with the whole body.
    ///
    /// # Errors
    /// [`HttpsError::Address`], [`HttpsError::Late`], [`HttpsError::Broken`].
    pub async fn ask(
        &self,
        request: Request<Body>,
        bounds: Bounds,
    ) -> Result<(StatusCode, Bytes), HttpsError> {
        let exchange = async {
            let response = self.send(request).await?;
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

fn is_plain(address: &Uri) -> bool {
    address.scheme_str() == Some("http")
}

/// Whether the host of an address is the machine itself.
pub fn is_this_machine(address: &Uri) -> bool {
    matches!(address.host(), Some("127.0.0.1" | "localhost" | "[::1]"))
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
