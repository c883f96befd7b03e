//! CloudEvents 1.0 in: the attributes and data of one event, whichever mode it came in.

use access::caller::Caller;
use fhir::instant;
use fhir::issue::IssueCode;
use fhir::json;
use fhir::value::Value;
use record::okt::OktEvent;

use crate::bundle;
use crate::error::Failure;
use crate::submission::{Channel, Operation, Receipt, Submission};
use crate::tenant::Tenant;

/// How far ahead of our clock a source's clock may be, in milliseconds.
const CLOCK_SKEW: i64 = 5 * 60 * 1000;

/// One event.
#[derive(Debug)]
pub struct CloudEvent {
    /// `id`: with `source`, what makes a repeat a repeat.
    pub id: String,
    /// `source`.
    pub source: String,
    /// `type`.
    pub kind: String,
    /// `time`, if given.
    pub time: Option<String>,
    /// `data`: a FHIR resource, a Bundle or an OKT message.
    pub data: Value,
}

impl CloudEvent {
    /// Reads the structured mode.
    pub fn structured(value: Value) -> Result<Self, Failure> {
        let Value::Object(mut object) = value else {
            return Err(wrong("", "a CloudEvent is a JSON object"));
        };
        if object.get("specversion").and_then(Value::as_str) != Some("1.0") {
            return Err(wrong("specversion", "the version of CloudEvents must be `1.0`"));
        }
        let data = object
            .remove("data")
            .ok_or_else(|| wrong("data", "send the FHIR resource or OKT message in `data`"))?;
        let mut text = |name: &str| match object.remove(name) {
            Some(Value::String(text)) => Some(String::from(text)),
            _ => None,
        };
        let (id, source, kind) = (text("id"), text("source"), text("type"));
        Self::new(id, source, kind, text("time"), data)
    }

    /// Puts together what the binary mode has in headers and body.
    pub fn new(
        id: Option<String>,
        source: Option<String>,
        kind: Option<String>,
        time: Option<String>,
        data: Value,
    ) -> Result<Self, Failure> {
        let required = |value: Option<String>, name: &str| {
            value.filter(|text| !text.is_empty()).ok_or_else(|| {
                wrong(name, "this attribute is required and must not be empty (CloudEvents 1.0)")
            })
        };
        Ok(Self {
            id: required(id, "id")?,
            source: required(source, "source")?,
            kind: required(kind, "type")?,
            time,
            data,
        })
    }
}

impl Tenant {
    /// Records an event.
    pub async fn submit_event(
        &self,
        caller: &Caller,
        event: CloudEvent,
    ) -> Result<Vec<Result<Receipt, Failure>>, Failure> {
        if let Some(time) = &event.time {
            let (low, _) = instant::range(time)
                .ok_or_else(|| wrong("time", "`time` is written as in RFC 3339"))?;
            if low > self.now() + CLOCK_SKEW {
                return Err(wrong("time", "the time lies in the future"));
            }
        }
        let event_id = format!("{}|{}", event.source, event.id);
        match event.data.text("resourceType") {
            None if event.data.get("oktMessages").is_some() => {
                let okt = okt_event(&event.data)?;
                let receipts =
                    self.submit_okt(caller, &okt, Some(&event_id), Channel::Events).await?;
                Ok(receipts.into_iter().map(Ok).collect())
            }
            Some("Bundle") => {
                let content = json::print(&event.data);
                let mut submission = bundle::operations(event.data, Channel::Events)?;
                submission.name_after(&event_id, content.as_bytes());
                self.submit(caller, submission).await
            }
            Some(kind) => {
                let kind = fhir::definitions::resource_kind(kind)
                    .ok_or_else(|| wrong("data.resourceType", "not a resource type of FHIR R4"))?;
                let mut operation = match event.data.text("id").map(str::to_owned) {
                    Some(id) => Operation::update(kind, id, event.data, None),
                    None => Operation::create(kind, event.data),
                };
                operation.event_id = Some(event_id);
                operation.location = "data".to_owned();
                let operations = vec![operation];
                let channel = Channel::Events;
                self.submit(caller, Submission { channel, atomic: true, operations }).await
            }
            None => Err(wrong("data", "`data` is neither a FHIR resource nor an OKT message")),
        }
    }
}

/// Reads an OKT message out of a parsed JSON value.
pub fn okt_event(value: &Value) -> Result<OktEvent, Failure> {
    let text = json::print(value);
    let mut reader = serde_json::Deserializer::from_str(&text);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = match error.path().to_string().as_str() {
            "." => "OktEvent".to_owned(),
            path => format!("OktEvent.{path}"),
        };
        Failure::invalid(IssueCode::Structure, &path, without_content(&error.inner().to_string()))
    })
}

/// What was expected, without the value that stood there instead.
fn without_content(message: &str) -> String {
    let message = message.split(" at line ").next().unwrap_or_default();
    match message.split_once(", expected ") {
        Some((found, expected)) if found.starts_with("invalid") => format!("expected {expected}"),
        _ => message.to_owned(),
    }
}

fn wrong(attribute: &str, text: &str) -> Failure {
    Failure::invalid(IssueCode::Value, attribute, text)
}
