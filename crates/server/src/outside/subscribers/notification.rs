//! A notification as the Subscriptions Backport 1.1 prints it in R4: a Bundle of type `history` whose first entry is
//! a `Parameters` that tells the status of the subscription.

use exchange::subscription::Wanted;
use fhir::instant::format_instant;
use serde_json::{Value, json};

/// The profile of the status (Backport 1.1, R4 Topic-Based Subscription Status).
const STATUS: &str = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-subscription-status-r4";
/// The profile of a notification (Backport 1.1, R4 Topic-Based Subscription Notification Bundle).
const NOTIFICATION: &str = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-subscription-notification-r4";

/// What a notification says.
pub struct Said<'a> {
    /// `handshake`, `event-notification`, `query-status` or `query-event`.
    pub kind: &'a str,
    /// `requested`, `active` or `error`.
    pub status: &'a str,
    /// Number of the last event.
    pub last: u64,
    /// Events: number, time, and `Type/id` where it may be told.
    pub events: Vec<(u64, i64, Option<String>)>,
    /// What is wrong, for the subscription's owner.
    pub error: &'a str,
}

/// The Bundle, with addresses that begin with `base`, made at `now`.
pub fn bundle(base: &str, wanted: &Wanted, said: &Said<'_>, now: i64) -> Value {
    let events = said.events.iter().map(|(number, at, focus)| {
        let mut parts = vec![
            json!({ "name": "event-number", "valueString": number.to_string() }),
            json!({ "name": "timestamp", "valueInstant": format_instant(*at) }),
        ];
        if let Some(focus) = focus {
            let reference = json!({ "reference": format!("{base}/{focus}") });
            parts.push(json!({ "name": "focus", "valueReference": reference }));
        }
        json!({ "name": "notification-event", "part": parts })
    });
    let subscription = json!({ "reference": format!("{base}/Subscription/{}", wanted.id) });
    let mut parameters = vec![
        json!({ "name": "subscription", "valueReference": subscription }),
        json!({ "name": "topic", "valueCanonical": wanted.topic.url() }),
        json!({ "name": "status", "valueCode": said.status }),
        json!({ "name": "type", "valueCode": said.kind }),
        json!({ "name": "events-since-subscription-start", "valueString": said.last.to_string() }),
    ];
    parameters.extend(events);
    if !said.error.is_empty() {
        let error = json!({ "text": said.error });
        parameters.push(json!({ "name": "error", "valueCodeableConcept": error }));
    }
    json!({
        "resourceType": "Bundle",
        "meta": { "profile": [NOTIFICATION] },
        "type": "history",
        "timestamp": format_instant(now),
        "entry": [{
            "fullUrl": format!("{base}/Subscription/{}/$status", wanted.id),
            "resource": {
                "resourceType": "Parameters",
                "meta": { "profile": [STATUS] },
                "parameter": parameters,
            },
            "request": { "method": "GET", "url": format!("Subscription/{}/$status", wanted.id) },
            "response": { "status": "200" },
        }],
    })
}
