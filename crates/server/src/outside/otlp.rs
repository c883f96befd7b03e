//! OTLP/HTTP logs in their JSON encoding (OpenTelemetry Protocol 1, `ExportLogsServiceRequest`).
//!
//! A batch is one request, which the receiver acknowledges as a whole.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderName, HeaderValue, Request, Uri};
use http_body_util::Full;
use serde_json::{Value, json};

use super::event::{Event, Weight};
use crate::command::Failed;
use crate::https::{Bounds, Https};

const BOUNDS: Bounds = Bounds { patience: Duration::from_secs(30), answer: 64 * 1024 };

/// A receiver of OTLP.
pub struct Otlp {
    address: Uri,
    headers: Vec<(HeaderName, HeaderValue)>,
    web: Https,
}

impl Otlp {
    /// The receiver at an address, such as `https://siem.example/v1/logs`.
    ///
    /// # Errors
    /// Where the address or a header may not be used, or the machine trusts nobody.
    pub fn new(address: &str, headers: &BTreeMap<String, String>) -> Result<Self, Failed> {
        let address: Uri = address.parse().map_err(|_| format!("`{address}` is no address"))?;
        let web = Https::to(&address).map_err(|error| format!("OTLP: {error}"))?;
        let header = |(name, value): (&String, &String)| {
            Ok((HeaderName::try_from(name)?, HeaderValue::try_from(value)?))
        };
        let headers = headers.iter().map(header).collect::<Result<_, Failed>>()?;
        Ok(Self { address, headers, web })
    }

    /// Sends a batch; it is kept there when this returns.
    ///
    /// # Errors
    /// Where it was not acknowledged.
    pub async fn send(&self, events: &[Event]) -> Result<(), Failed> {
        let mut request =
            Request::post(self.address.clone()).header("content-type", "application/json");
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(body(events).to_string())))?;
        let (status, body) = self.web.ask(request, BOUNDS).await?;
        if !status.is_success() {
            return Err(format!("answered {status}").into());
        }
        // What it rejects it will always reject: the protocol forbids to send it again.
        let answer: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        match answer.pointer("/partialSuccess/rejectedLogRecords") {
            Some(rejected) if rejected != "0" && rejected != 0 => {
                tracing::warn!(%rejected, "the receiver of the log rejected records");
            }
            _ => {}
        }
        Ok(())
    }
}

/// The request's content.
fn body(events: &[Event]) -> Value {
    let mut of: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for event in events {
        of.entry(&event.municipality).or_default().push(log_record(event));
    }
    let resources = of.into_iter().map(|(number, records)| {
        json!({
            "resource": { "attributes": [
                attribute("service.name", "fkj"),
                attribute("fkj.municipality", number),
            ] },
            "scopeLogs": [{
                "scope": { "name": "fkj.audit", "version": env!("CARGO_PKG_VERSION") },
                "logRecords": records,
            }],
        })
    });
    json!({ "resourceLogs": resources.collect::<Vec<_>>() })
}

fn log_record(event: &Event) -> Value {
    let (number, text) = match event.weight {
        Weight::Ordinary => (9, "INFO"),
        Weight::Emergency => (10, "INFO2"),
        Weight::Refused => (13, "WARN"),
    };
    // 64-bit integers are strings in OTLP's JSON.
    let nanoseconds = (i128::from(event.at) * 1_000_000).to_string();
    let own = [("position", event.position.to_string()), ("action", event.action.clone())];
    let facts = own.iter().chain(&event.facts);
    let attributes: Vec<Value> =
        facts.map(|(name, value)| attribute(&format!("fkj.{name}"), value)).collect();
    json!({
        "timeUnixNano": nanoseconds,
        "observedTimeUnixNano": nanoseconds,
        "severityNumber": number,
        "severityText": text,
        "body": { "stringValue": event.words() },
        "attributes": attributes,
    })
}

fn attribute(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}
