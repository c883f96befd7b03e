//! Questions to other sources over HTTP ([`sources::carrier`]): over TLS, in the clear only to this machine.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request as HttpRequest, Uri};
use sources::carrier::{Carried, Carrier, Reply, Request, Unreached};

use crate::https::{Bounds, Https, HttpsError};

/// Largest answer that is read, in bytes.
const LARGEST: usize = 16 << 20;

/// The server's HTTP clients, each made when it is first needed.
#[derive(Default)]
pub struct HttpCarrier {
    tls: tokio::sync::OnceCell<Https>,
    local: tokio::sync::OnceCell<Https>,
}

impl HttpCarrier {
    async fn client(&self, address: &Uri) -> Result<&Https, HttpsError> {
        let cell = if address.scheme_str() == Some("http") { &self.local } else { &self.tls };
        cell.get_or_try_init(|| async { Https::to(address) }).await
    }

    async fn ask(&self, request: Request) -> Result<Reply, Unreached> {
        let unreached = |what: &dyn std::fmt::Display| Unreached(what.to_string());
        let address: Uri = request.url.parse().map_err(|error| unreached(&error))?;
        let client = self.client(&address).await.map_err(|error| unreached(&error))?;
        let mut http = HttpRequest::builder().method(request.method).uri(address);
        for (name, value) in &request.headers {
            http = http.header(name, value);
        }
        let body = request.form.map_or_else(Body::empty, Body::from);
        let http = http.body(body).map_err(|error| unreached(&error))?;
        let patience = Duration::from_millis(request.patience_ms);
        let answered = client.ask(http, Bounds { patience, answer: LARGEST }).await;
        let (status, body) = answered.map_err(|error| unreached(&error))?;
        Ok(Reply { status: status.as_u16(), body: body.into() })
    }
}

impl Carrier for HttpCarrier {
    fn carry(&self, request: Request) -> Carried<'_> {
        Box::pin(self.ask(request))
    }
}
