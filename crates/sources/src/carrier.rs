//! Who carries a question to a source and brings the reply: the server's HTTP client, or a test's.

use std::future::Future;
use std::pin::Pin;

/// A question as it goes over HTTP.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The address. Names nobody.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// A form, where it is a POST.
    pub form: Option<String>,
    /// How long the whole may take, in milliseconds.
    pub patience_ms: u64,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The body, bounded by the carrier.
    pub body: Vec<u8>,
}

/// No reply came, or it broke off.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unreached(pub String);

/// What [`Carrier::carry`] gives.
pub type Carried<'a> = Pin<Box<dyn Future<Output = Result<Reply, Unreached>> + Send + 'a>>;

/// Carries questions.
pub trait Carrier: Send + Sync {
    /// Asks, and brings the whole reply. Dropping what it gives ends the exchange.
    fn carry(&self, request: Request) -> Carried<'_>;
}

/// Reaches nobody.
pub(crate) struct Nobody;

impl Carrier for Nobody {
    fn carry(&self, _: Request) -> Carried<'_> {
        Box::pin(async { Err(Unreached("there is nobody to ask".to_owned())) })
    }
}
