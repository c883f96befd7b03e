//! OKT messages to `EpisodeOfCare` and back, without loss (conventions §2.2).
//!
//! What FHIR can say is said in FHIR, as HL7 Norway maps it. What would not survive the way back
//! (an empty end date, `15 minutter`, a parent code) is found by going back at once and comparing,
//! and only the difference is kept in one extension. So the mapping may grow without a new special
//! case for each field.

use fhir::json;
use fhir::value::Value;
use record::okt::{IplosCode, OktEvent, OktMessage, hours_per_week};
use record::{extension, service, system};
use serde_json::{Map, Value as Json};

/// The services of an event as `EpisodeOfCare`s, in the event's order. `today` is `YYYY-MM-DD`.
pub fn to_episodes(event: &OktEvent, today: &str) -> Vec<Value> {
    let person = event.person_identifier.as_str();
    event
        .okt_messages
        .iter()
        .map(described)
        .enumerate()
        .map(|(ordinal, message)| {
            let plain = episode(person, &message, ordinal, today, None);
            match remainder(&message, &message_of(&plain)) {
                Some(rest) => episode(person, &message, ordinal, today, Some(&rest)),
                None => plain,
            }
        })
        .collect()
}

/// An `EpisodeOfCare` as OKT says it, whether it came by OKT or by FHIR.
pub fn to_message(episode: &Value) -> OktMessage {
    let message = message_of(episode);
    let rest = extension_value(episode, extension::OKT_REMAINDER, "valueString")
        .and_then(Value::as_str)
        .and_then(|text| serde_json::from_str::<Map<String, Json>>(text).ok());
    let Some(rest) = rest else { return message };
    let Ok(Json::Object(mut fields)) = serde_json::to_value(&message) else { return message };
    for (key, value) in rest {
        if value.is_null() {
            fields.remove(&key);
        } else {
            fields.insert(key, value);
        }
    }
    serde_json::from_value(Json::Object(fields)).unwrap_or(message)
}

/// The place of a service in the message it came with.
pub fn ordinal(episode: &Value) -> Option<i64> {
    extension_value(episode, extension::OKT_ORDINAL, "valueUnsignedInt")?.as_number()?.as_i64()
}

/// Text that is the same for the same service in two messages: what identifies it is its type,
/// start and site.
pub fn service_key(message: &OktMessage) -> String {
    let code = message.iplos_code.as_ref().map_or("", |code| &code.iplos_code_value);
    format!(
        "{}|{}|{}|{}",
        service::unpadded(code),
        message.start_date,
        message.service_level.as_deref().unwrap_or_default(),
        message.stay_type.as_deref().unwrap_or_default()
    )
}

/// The value of an extension of `element`.
pub fn extension_value<'a>(element: &'a Value, url: &str, member: &str) -> Option<&'a Value> {
    element.items("extension").iter().find(|ext| ext.text("url") == Some(url))?.get(member)
}

/// The contract lets the server fill in the title of a code that came without one.
fn described(message: &OktMessage) -> OktMessage {
    let mut message = message.clone();
    if let Some(code) = &mut message.iplos_code
        && code.iplos_code_description.is_none()
    {
        code.iplos_code_description =
            service::service_type(&code.iplos_code_value).map(|service| service.title.to_owned());
    }
    message
}

fn episode(
    person: &str,
    message: &OktMessage,
    ordinal: usize,
    today: &str,
    rest: Option<&str>,
) -> Value {
    let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let sites = site_chain(message.service_level.as_deref().unwrap_or_default());
    let contained: Option<Vec<Value>> = (!sites.is_empty()).then(|| contained(&sites));
    let mut extensions = Vec::new();
    if let Some(hours) = message.weekly_extent.as_deref().and_then(hours_per_week) {
        extensions.push(weekly_extent(hours));
    }
    if let Some(text) = filled(&message.service_description) {
        extensions.push(json!({ "url": extension::SERVICE_DESCRIPTION, "valueMarkdown": text }));
    }
    extensions.push(json!({ "url": extension::OKT_ORDINAL, "valueUnsignedInt": ordinal }));
    if let Some(rest) = rest {
        extensions.push(json!({ "url": extension::OKT_REMAINDER, "valueString": rest }));
    }
    json!({
        "resourceType": "EpisodeOfCare",
        "meta": { "profile": [extension::OKT_EPISODE] },
        "contained": contained,
        "extension": extensions,
        "status": status(message, today),
        "type": Some(types(message)).filter(|types| !types.is_empty()),
        "patient": { "identifier": { "system": system::FNR, "value": person } },
        "managingOrganization": filled(&message.service_level).map(|level| json!({
            "reference": (!sites.is_empty()).then_some("#site-0"),
            "display": level,
        })),
        "period": {
            "start": message.start_date.as_str(),
            "end": filled(&message.end_date),
        },
    })
}

fn status(message: &OktMessage, today: &str) -> &'static str {
    let ended = message.end_date.as_deref().is_some_and(|end| !end.is_empty() && end < today);
    if ended {
        "finished"
    } else if message.temporary_cessation == Some(true) {
        "onhold"
    } else if message.start_date.as_str() > today {
        "planned"
    } else {
        "active"
    }
}

fn types(message: &OktMessage) -> Vec<Value> {
    let mut types = Vec::new();
    if let Some(iplos) = &message.iplos_code {
        let code = service::unpadded(&iplos.iplos_code_value);
        let title = service::service_type(code).map(|service| service.title);
        let display = iplos.iplos_code_description.as_deref().filter(|text| !text.is_empty());
        types.push(json!({ "coding": [{
            "system": system::SERVICE_TYPE,
            "code": code,
            "display": display.or(title),
        }] }));
    }
    if let Some(stay) = message.stay_type.as_deref().filter(|stay| !stay.is_empty()) {
        types.push(json!({ "coding": [{ "system": service::STAY_TYPE_SYSTEM, "code": stay }] }));
    }
    types
}

fn weekly_extent(hours: f64) -> Value {
    let number = fhir::value::Number::parse(&hours.to_string());
    json!({
        "url": extension::WEEKLY_EXTENT,
        "valueRatio": {
            "numerator": { "value": number, "unit": "h", "system": system::UCUM, "code": "h" },
            "denominator": { "value": 1, "unit": "wk", "system": system::UCUM, "code": "wk" },
        },
    })
}

/// The names in `1.1.2.6 Test kommune - Hjemmeboende - Sone Vest`, the site first.
fn site_chain(level: &str) -> Vec<&str> {
    let path = level.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').trim();
    let mut names: Vec<&str> =
        path.split(" - ").map(str::trim).filter(|name| !name.is_empty()).collect();
    names.reverse();
    names
}

fn contained(sites: &[&str]) -> Vec<Value> {
    sites
        .iter()
        .enumerate()
        .map(|(i, name)| {
            let parent =
                (i + 1 < sites.len()).then(|| json!({ "reference": format!("#site-{}", i + 1) }));
            json!({
                "resourceType": "Organization",
                "id": format!("site-{i}"),
                "name": *name,
                "partOf": parent,
            })
        })
        .collect()
}

/// The message as far as the FHIR elements tell it.
fn message_of(episode: &Value) -> OktMessage {
    let period = episode.get("period");
    let text = |name: &str| period.and_then(|period| period.text(name)).map(str::to_owned);
    let stay = coding(episode, service::STAY_TYPE_SYSTEM).and_then(|coding| coding.text("code"));
    let hours = extension_value(episode, extension::WEEKLY_EXTENT, "valueRatio")
        .and_then(|ratio| ratio.at("numerator.value"))
        .and_then(Value::as_number);
    OktMessage {
        start_date: text("start").unwrap_or_default(),
        end_date: text("end"),
        iplos_code: coding(episode, system::SERVICE_TYPE).map(|coding| {
            let code = coding.text("code").unwrap_or_default();
            let title = service::service_type(code).map(|service| service.title);
            IplosCode {
                iplos_code_value: service::padded(code),
                iplos_code_level: Some("1".to_owned()),
                iplos_parent_code: Some("0".to_owned()),
                iplos_code_description: coding.text("display").or(title).map(str::to_owned),
            }
        }),
        needs_caption: None,
        temporary_cessation: Some(episode.text("status") == Some("onhold")),
        service_description: extension_value(
            episode,
            extension::SERVICE_DESCRIPTION,
            "valueMarkdown",
        )
        .and_then(Value::as_str)
        .map(str::to_owned),
        service_level: episode
            .get("managingOrganization")
            .and_then(|site| site.text("display"))
            .map(str::to_owned),
        stay_type: stay.map(str::to_owned),
        weekly_extent: hours.map(|hours| hours.as_str().to_owned()),
    }
}

/// The first coding of `type` in this system, whichever of its URIs was written.
pub fn coding<'a>(episode: &'a Value, wanted: &str) -> Option<&'a Value> {
    episode.items("type").iter().flat_map(|concept| concept.items("coding")).find(|coding| {
        coding.text("system").is_some_and(|system| system::canonical(system) == wanted)
    })
}

/// The fields of `wanted` that `got` does not have, as JSON; `null` for a field to leave out.
fn remainder(wanted: &OktMessage, got: &OktMessage) -> Option<String> {
    let (Ok(Json::Object(wanted)), Ok(Json::Object(got))) =
        (serde_json::to_value(wanted), serde_json::to_value(got))
    else {
        return None;
    };
    let mut rest = Map::new();
    for key in got.keys().filter(|key| !wanted.contains_key(*key)) {
        rest.insert(key.clone(), Json::Null);
    }
    for (key, value) in wanted {
        if got.get(&key) != Some(&value) {
            rest.insert(key, value);
        }
    }
    (!rest.is_empty()).then(|| Json::Object(rest).to_string())
}
