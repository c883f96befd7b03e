//! *Oversikt over kommunale tjenester*: composed from a person's `EpisodeOfCare`s, the decisions
//! (`ServiceRequest`) they refer to, and the organisations that give them.
//!
//! Composition merges and never alters: each line keeps owner, source and age of its resource.

use std::cmp::Reverse;
use std::collections::HashMap;

use fhir::value::Value;
use record::{extension, okt as okt_text, service, system};

use crate::answer::{DecisionLine, ServiceLine, ServiceStatus, Site};
use crate::okt::{coding, extension_value};

/// A stored resource, parsed.
#[derive(Debug)]
pub struct Item {
    /// Logical id.
    pub id: String,
    /// Owner's organisation number.
    pub owner: String,
    /// Source system.
    pub source: String,
    /// When the platform got this version, milliseconds since 1970.
    pub updated: i64,
    /// Content.
    pub value: Value,
}

/// Most organisations followed upwards from a service site.
const DEPTH: usize = 8;

/// The lines of the overview: first those that go on or are to come, then those that are over.
pub fn compose(
    episodes: Vec<Item>,
    decisions: &[Item],
    organisations: &HashMap<String, Value>,
    today: &str,
    owner_name: impl Fn(&str) -> Option<String>,
) -> (Vec<ServiceLine>, Vec<ServiceLine>) {
    let (mut active, mut ended): (Vec<_>, Vec<_>) = episodes
        .iter()
        .filter(|episode| episode.value.text("status") != Some("entered-in-error"))
        .map(|episode| line(episode, decisions, organisations, today, &owner_name))
        .partition(|line| {
            matches!(
                line.status,
                ServiceStatus::Active | ServiceStatus::OnHold | ServiceStatus::Planned
            )
        });
    active.sort_by_cached_key(weight);
    ended.sort_by_cached_key(|line| (Reverse(line.end.clone()), line.id.clone()));
    (active, ended)
}

/// What says most about how the person lives comes first: what goes on before what is to come, a
/// stay in an institution before help at home, many hours before few.
fn weight(line: &ServiceLine) -> impl Ord + use<> {
    let stays = line
        .code
        .as_deref()
        .and_then(service::service_type)
        .is_some_and(|service| service.in_institution);
    // Hours are never negative, so their bits order as they do.
    let hours = line.hours_per_week.unwrap_or_default().max(0.0).to_bits();
    (rank(line.status), !stays, Reverse(hours), Reverse(line.start.clone()), line.id.clone())
}

fn rank(status: ServiceStatus) -> u8 {
    match status {
        ServiceStatus::Active => 0,
        ServiceStatus::OnHold => 1,
        ServiceStatus::Planned => 2,
        ServiceStatus::Finished | ServiceStatus::Cancelled => 3,
    }
}

fn line(
    episode: &Item,
    decisions: &[Item],
    organisations: &HashMap<String, Value>,
    today: &str,
    owner_name: &impl Fn(&str) -> Option<String>,
) -> ServiceLine {
    let value = &episode.value;
    let decision = decision_of(value, decisions);
    let code = coding(value, system::SERVICE_TYPE);
    let known = code.and_then(|coding| service::service_type(coding.text("code")?));
    let extent = extension_value(value, extension::WEEKLY_EXTENT, "valueRatio")
        .or_else(|| decision?.value.get("quantityRatio"));
    let sent = crate::okt::to_message(value).weekly_extent;
    let period = |name: &str| value.get("period").and_then(|period| period.text(name));
    ServiceLine {
        id: episode.id.clone(),
        status: status(value, today),
        code: code
            .and_then(|coding| coding.text("code"))
            .map(|code| service::unpadded(code).to_owned()),
        title: title(value, code, known),
        local_text: local_text(value),
        stay: coding(value, service::STAY_TYPE_SYSTEM).and_then(stay_title),
        hours_per_week: extent
            .and_then(hours)
            .or_else(|| sent.as_deref().and_then(okt_text::hours_per_week)),
        extent_text: sent.filter(|text| text.parse::<f64>().is_err() && !text.is_empty()),
        start: period("start").map(date),
        revision: revision(value).or_else(|| revision(&decision?.value)),
        end: period("end").map(date).or_else(|| {
            decision?.value.at("occurrencePeriod.end").and_then(Value::as_str).map(date)
        }),
        sites: sites(value, organisations),
        owner: episode.owner.clone(),
        owner_name: owner_name(&episode.owner),
        source: episode.source.clone(),
        updated_at: episode.updated,
        decision: decision.map(decision_line),
    }
}

/// The state now: a service whose period has ended is over, whatever the source last said.
pub(crate) fn status(value: &Value, today: &str) -> ServiceStatus {
    let period = |name: &str| value.get("period").and_then(|period| period.text(name));
    match value.text("status") {
        Some("finished") => ServiceStatus::Finished,
        Some("cancelled") => ServiceStatus::Cancelled,
        _ if period("end").is_some_and(|end| date(end).as_str() < today) => ServiceStatus::Finished,
        Some("onhold") => ServiceStatus::OnHold,
        Some("planned" | "waitlist")
            if period("start").is_none_or(|start| date(start).as_str() > today) =>
        {
            ServiceStatus::Planned
        }
        _ if period("start").is_some_and(|start| date(start).as_str() > today) => {
            ServiceStatus::Planned
        }
        _ => ServiceStatus::Active,
    }
}

fn title(
    value: &Value,
    code: Option<&Value>,
    known: Option<&'static service::ServiceType>,
) -> String {
    let text = || value.items("type").iter().find_map(|concept| concept.text("text"));
    known
        .map(|service| service.title)
        .or_else(|| code.and_then(|coding| coding.text("display")))
        .or_else(text)
        .unwrap_or("Ukjent tjenestetype")
        .to_owned()
}

fn local_text(value: &Value) -> Option<String> {
    extension_value(value, extension::SERVICE_DESCRIPTION, "valueMarkdown")
        .and_then(Value::as_str)
        .or_else(|| value.items("type").iter().find_map(|concept| concept.text("text")))
        .map(str::to_owned)
}

fn stay_title(coding: &Value) -> Option<String> {
    let code = coding.text("code")?;
    service::STAY_TYPES.iter().find(|(key, _)| *key == code).map(|(_, title)| (*title).to_owned())
}

/// Hours a week out of a Ratio in hours or minutes.
fn hours(ratio: &Value) -> Option<f64> {
    let number = ratio.at("numerator.value")?.as_number()?.as_f64()?;
    match ratio.at("numerator.code").and_then(Value::as_str) {
        Some("min") => Some(number / 60.0),
        _ => Some(number),
    }
}

fn revision(value: &Value) -> Option<String> {
    extension_value(value, extension::REVISION_DATE, "valueDate")
        .and_then(Value::as_str)
        .map(str::to_owned)
}

/// The date part of a date or dateTime.
fn date(text: &str) -> String {
    text.chars().take(10).collect()
}

/// The site that gives the service and what it is part of, upwards; contained or by reference.
fn sites(value: &Value, organisations: &HashMap<String, Value>) -> Vec<Site> {
    let mut sites = Vec::new();
    let mut next = value.get("managingOrganization");
    while let Some(reference) = next
        && sites.len() < DEPTH
    {
        let Some(organisation) = organisation(value, reference, organisations) else {
            if let Some(name) = reference.text("display") {
                sites.push(Site { name: name.to_owned(), phone: None });
            }
            break;
        };
        if let Some(name) = organisation.text("name") {
            sites.push(Site { name: name.to_owned(), phone: phone(organisation) });
        }
        next = organisation.get("partOf");
    }
    sites
}

fn organisation<'a>(
    value: &'a Value,
    reference: &Value,
    organisations: &'a HashMap<String, Value>,
) -> Option<&'a Value> {
    let literal = reference.text("reference")?;
    match literal.strip_prefix('#') {
        Some(local) => value.items("contained").iter().find(|c| c.text("id") == Some(local)),
        None => organisations.get(literal.rsplit('/').next()?),
    }
}

/// The first telephone of an organisation or of its contacts.
pub fn phone(value: &Value) -> Option<String> {
    let of = |holder: &Value| {
        holder
            .items("telecom")
            .iter()
            .find(|telecom| telecom.text("system") == Some("phone"))
            .and_then(|telecom| telecom.text("value"))
            .map(str::to_owned)
    };
    of(value).or_else(|| value.items("contact").iter().find_map(of))
}

fn decision_of<'a>(value: &Value, decisions: &'a [Item]) -> Option<&'a Item> {
    value.items("referralRequest").iter().find_map(|reference| {
        let id = reference.text("reference")?.strip_prefix("ServiceRequest/")?;
        decisions.iter().find(|decision| decision.id == id)
    })
}

fn decision_line(decision: &Item) -> DecisionLine {
    let value = &decision.value;
    DecisionLine {
        id: decision.id.clone(),
        status: value.text("status").unwrap_or("unknown").to_owned(),
        decided: value.text("authoredOn").map(date),
        text: value
            .text("patientInstruction")
            .or_else(|| value.items("note").iter().find_map(|note| note.text("text")))
            .or_else(|| value.get("code")?.text("text"))
            .map(str::to_owned),
    }
}
