//! Whether the process answers, and how its municipalities are.

use std::fmt::Write;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use exchange::health::Health;
use ledger::condition::Writing;

use crate::app::App;

/// Answers.
pub async fn alive() -> &'static str {
    "ok"
}

/// Ready when every municipality is open and well; says which are, how far their readers see, and what is
/// wrong with the others.
pub async fn ready(State(app): State<Arc<App>>) -> Response {
    let mut all = app.closed.is_empty();
    let mut lines = Vec::new();
    for (number, hosted) in &app.tenants {
        let health = hosted.tenant.health();
        all &= health.is_well();
        lines.push(format!("{number} at {}", hosted.tenant.visible()));
        lines.extend(health.troubles().into_iter().map(|told| format!("{number} {told}")));
    }
    lines.extend(app.closed.iter().map(|number| format!("{number} is closed")));
    let status = if all { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, lines.join("\n")).into_response()
}

/// Media type of Prometheus' text format, version 0.0.4.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The same as figures, in Prometheus' text format. No figure is about a person.
pub async fn metrics(State(app): State<Arc<App>>) -> Response {
    let known: Vec<_> = app
        .tenants
        .iter()
        .map(|(number, hosted)| (number, hosted.tenant.visible(), hosted.tenant.health()))
        .collect();
    let mut text = String::new();
    let mut figure = |name: &str, help: &str, lines: Vec<(String, u64)>| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
        for (labels, value) in lines {
            let _ = writeln!(text, "{name}{{{labels}}} {value}");
        }
    };
    let of = |number: &str| format!("municipality=\"{number}\"");
    let open = known.iter().map(|(number, ..)| (of(number), 1));
    let closed = app.closed.iter().map(|number| (of(number), 0));
    figure("fkj_open", "Whether the municipality could be opened.", open.chain(closed).collect());
    let positions = known.iter().map(|(number, position, _)| (of(number), *position));
    figure("fkj_position", "The ledger position that readers see.", positions.collect());
    let views = known.iter().map(|(number, _, it)| (of(number), u64::from(it.view_follows)));
    figure("fkj_view_follows", "Whether the view follows the ledger.", views.collect());
    let unaware = known.iter().filter_map(|(number, _, it)| {
        Some((of(number), u64::try_from(it.unaware_ms?).unwrap_or(0)))
    });
    figure(
        "fkj_unaware_milliseconds",
        "For how long it has not known what the servers that share its ledger have recorded.",
        unaware.collect(),
    );
    let damaged = known.iter().flat_map(|(number, _, health)| {
        ledgers(health)
            .map(|(name, it)| (format!("{},ledger=\"{name}\"", of(number)), u64::from(it.damaged)))
    });
    figure("fkj_ledger_damaged", "Whether damage was met.", damaged.collect());
    let writing = known.iter().flat_map(|(number, _, health)| {
        ledgers(health).into_iter().flat_map(move |(name, it)| {
            Writing::ALL.map(|state| {
                let labels = format!("{},ledger=\"{name}\",state=\"{}\"", of(number), state.key());
                (labels, u64::from(it.writing == state))
            })
        })
    });
    figure(
        "fkj_ledger_writing",
        "Which of the states the ledger's writer is in.",
        writing.collect(),
    );
    ([(CONTENT_TYPE, EXPOSITION)], text).into_response()
}

fn ledgers(health: &Health) -> [(&'static str, ledger::condition::Condition); 2] {
    [("ledger", health.ledger), ("audit", health.audit)]
}
