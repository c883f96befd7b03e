//! One municipal service at a glance: what, how much, since when, from whom, and whom to call.

use askama::Template;
use exchange::answer::{ServiceLine, ServiceStatus, Site};

use crate::news2::words;
use crate::patient::Phone;
use crate::text::{self, filters};
use crate::time::{self, Moment};

/// The view of a [`ServiceLine`].
#[derive(Template)]
#[template(path = "service.html")]
pub(crate) struct Service {
    title: String,
    local_text: Option<String>,
    status: &'static str,
    facts: Vec<(String, String)>,
    decision: Option<Decision>,
    sites: Vec<String>,
    call: Option<Call>,
    updated: Moment,
    owner: String,
    source: String,
    level: u8,
}

struct Decision {
    text: Option<String>,
    line: String,
}

struct Call {
    name: String,
    phone: Phone,
}

impl Service {
    /// The line as seen at `now_ms`; `level` is that of its heading.
    pub fn new(line: &ServiceLine, now_ms: i64, level: u8) -> Self {
        Self {
            title: line.title.clone(),
            local_text: line.local_text.clone().filter(|text| *text != line.title),
            status: status(line.status),
            facts: facts(line),
            decision: line.decision.as_ref().map(|decision| Decision {
                // Many systems write the same words on both.
                text: decision.text.clone().filter(|text| line.local_text.as_ref() != Some(text)),
                line: decision_line(decision.decided.as_deref(), &decision.status),
            }),
            sites: line.sites.iter().map(|site| site.name.clone()).collect(),
            call: line.sites.iter().find_map(call),
            updated: time::moment(line.updated_at, now_ms),
            owner: line.owner_name.clone().unwrap_or_else(|| line.owner.clone()),
            source: line.source.clone(),
            level,
        }
    }
}

/// The name of a state in `nb.ftl` and in the style sheet.
fn status(status: ServiceStatus) -> &'static str {
    match status {
        ServiceStatus::Planned => "planned",
        ServiceStatus::Active => "active",
        ServiceStatus::OnHold => "on-hold",
        ServiceStatus::Finished => "finished",
        ServiceStatus::Cancelled => "cancelled",
    }
}

fn facts(line: &ServiceLine) -> Vec<(String, String)> {
    let day = |date: &Option<String>| date.as_deref().map(time::day);
    let start = match line.status {
        ServiceStatus::Planned => "service-start-planned",
        _ => "service-start",
    };
    let hours = line
        .hours_per_week
        .map(|hours| text::with("hours-per-week", &[("hours", words::short_number(hours).into())]));
    let extent = match (hours, line.extent_text.clone()) {
        (Some(hours), Some(written)) => Some(format!("{hours} ({written})")),
        (hours, written) => hours.or(written),
    };
    [
        ("service-extent", extent),
        ("service-stay", line.stay.clone()),
        (start, day(&line.start)),
        ("service-revision", day(&line.revision)),
        ("service-end", day(&line.end)),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some((text::get(key), value?)))
    .collect()
}

fn decision_line(decided: Option<&str>, status: &str) -> String {
    let status = text::find(&format!("decision-{status}"), &[])
        .unwrap_or_else(|| text::get("decision-unknown"));
    match decided {
        Some(date) => text::with(
            "decision-made",
            &[("date", time::day(date).into()), ("status", status.into())],
        ),
        None => text::with("decision-undated", &[("status", status.into())]),
    }
}

fn call(site: &Site) -> Option<Call> {
    let phone = site.phone.as_deref().map(Phone::new)?;
    (!phone.dial.is_empty()).then(|| Call { name: site.name.clone(), phone })
}
