//! What the municipality's record system sends as FHIR: organisations, patients, services and
//! decisions; and the same services as an OKT message.
//!
//! Profiles: Oslo's municipal-service and no-basis Patient; the rest is base R4.

use std::iter;

use fhir::json;
use fhir::value::{Number, Value};
use jiff::civil::Date;
use record::okt::{IplosCode, OktEvent, OktMessage};
use record::{extension, service, system};

use crate::people::Resident;
use crate::register::PLO_EPJ;
use crate::services::{Decision, State};
use crate::world::{self, Municipality, Site};

const MUNICIPAL_SERVICE: &str =
    "https://github.com/oslokommune/Pasientjournal-API/StructureDefinition/municipal-service";
const PATIENT: &str = "http://hl7.no/fhir/StructureDefinition/no-basis-Patient";

/// The record system's own identifier of something; stable, so that a repeat is recognised.
fn own(kind: &str, value: String) -> Value {
    json!({ "system": format!("https://{PLO_EPJ}.sandkasse.fkj.no/id/{kind}"), "value": value })
}

/// A site as an Organization. Its logical id is [`Municipality::site_id`].
pub fn organization(municipality: &Municipality, site: &Site) -> Value {
    let id = municipality.site_id(site);
    let mut identifiers = vec![own("organisasjon", id.clone())];
    identifiers.extend(site.organisation.map(organisation_number));
    let parent = site.parent.and_then(|key| municipality.site(key));
    json!({
        "resourceType": "Organization",
        "id": id,
        "identifier": identifiers,
        "active": true,
        "name": site.name,
        "telecom": [{ "system": "phone", "value": site.phone, "use": "work" }],
        "partOf": parent.map(|parent| at_site(municipality, parent)),
    })
}

fn organisation_number(number: &str) -> Value {
    json!({ "system": system::ENH, "value": number })
}

/// A reference to a site: literal, and logical where it has an organisation number.
fn at_site(municipality: &Municipality, site: &Site) -> Value {
    json!({
        "reference": format!("Organization/{}", municipality.site_id(site)),
        "identifier": site.organisation.map(organisation_number),
        "display": site.name,
    })
}

fn at_key(municipality: &Municipality, key: &str) -> Option<Value> {
    municipality.site(key).map(|site| at_site(municipality, site))
}

/// A resident as a Patient.
pub fn patient(municipality: &Municipality, resident: &Resident) -> Value {
    let Resident { person, kin, .. } = resident;
    json!({
        "resourceType": "Patient",
        "meta": { "profile": [PATIENT] },
        "identifier": [
            own("pasient", format!("{}-{:06}", municipality.number, resident.index)),
            { "system": system::FNR, "value": &resident.number },
        ],
        "active": true,
        "name": [{ "use": "official", "family": person.family, "given": [person.given] }],
        "telecom": [{ "system": "phone", "value": &person.phone, "use": "mobile" }],
        "gender": person.gender.code(),
        "birthDate": person.birth.to_string(),
        "address": [{
            "use": "home",
            "line": [&person.street],
            "city": municipality.town,
            "postalCode": municipality.postcode,
            "country": "NO",
        }],
        "contact": [{
            "relationship": [{
                "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/v2-0131", "code": "N" }],
                "text": kin.relation,
            }],
            "name": { "family": kin.family, "given": [kin.given] },
            "telecom": [{ "system": "phone", "value": &kin.phone }],
        }],
        "managingOrganization": at_key(municipality, world::KOMMUNE),
    })
}

/// Where the resources of one transaction find each other.
#[derive(Clone, Copy, Debug)]
pub struct Links<'a> {
    /// `fullUrl` of the Patient.
    pub patient: &'a str,
    /// `fullUrl` of the ServiceRequest.
    pub decision: &'a str,
}

fn subject(resident: &Resident, links: Links<'_>) -> Value {
    json!({
        "reference": links.patient,
        "type": "Patient",
        "identifier": { "system": system::FNR, "value": &resident.number },
    })
}

fn source_id(municipality: &Municipality, resident: &Resident, decision: &Decision) -> String {
    format!("{}-{:06}-{}", municipality.number, resident.index, decision.ordinal)
}

fn service_type(system: &str, code: &str) -> Value {
    let title = service::service_type(code).map_or(code, |service| service.title);
    json!({ "coding": [{ "system": system, "code": code, "display": title }], "text": title })
}

fn period(start: Date, end: Option<Date>) -> Value {
    json!({ "start": start.to_string(), "end": end.map(|end| end.to_string()) })
}

/// A decimal, written without a fraction where it has none: 16 and not 16.0.
pub fn decimal(value: f64) -> Value {
    Number::parse(&value.to_string()).into()
}

fn per_week(hours: f64) -> Value {
    let part = |value: f64, unit: &str| {
        let value = decimal(value);
        json!({ "value": value, "unit": unit, "system": system::UCUM, "code": unit })
    };
    json!({ "numerator": part(hours, "h"), "denominator": part(1.0, "wk") })
}

/// A service as an EpisodeOfCare.
pub fn episode(
    municipality: &Municipality,
    resident: &Resident,
    decision: &Decision,
    links: Links<'_>,
) -> Value {
    let description =
        json!({ "url": extension::SERVICE_DESCRIPTION, "valueMarkdown": decision.text });
    let extent = decision
        .hours
        .map(|hours| json!({ "url": extension::WEEKLY_EXTENT, "valueRatio": per_week(hours) }));
    let extensions: Value = iter::once(description).chain(extent).collect();
    let status = match decision.state {
        State::Planned => "planned",
        State::Active => "active",
        State::OnHold => "onhold",
        State::Finished => "finished",
    };
    json!({
        "resourceType": "EpisodeOfCare",
        "meta": { "profile": [MUNICIPAL_SERVICE] },
        "extension": extensions,
        "identifier": [own("tjeneste", source_id(municipality, resident, decision))],
        "status": status,
        "type": [service_type(system::SERVICE_TYPE_OSLO, decision.code)],
        "patient": subject(resident, links),
        "managingOrganization": at_key(municipality, decision.site),
        "period": period(decision.start, decision.end),
        "referralRequest": [{ "reference": links.decision }],
    })
}

/// A decision as a ServiceRequest.
pub fn service_request(
    municipality: &Municipality,
    resident: &Resident,
    decision: &Decision,
    links: Links<'_>,
) -> Value {
    let status = match decision.state {
        State::Planned | State::Active => "active",
        State::OnHold => "on-hold",
        State::Finished => "completed",
    };
    let revision = decision
        .revision
        .map(|date| json!([{ "url": extension::REVISION_DATE, "valueDate": date.to_string() }]));
    json!({
        "resourceType": "ServiceRequest",
        "extension": revision,
        "identifier": [own("vedtak", source_id(municipality, resident, decision))],
        "status": status,
        "intent": "order",
        "code": service_type(system::SERVICE_TYPE, decision.code),
        "quantityRatio": decision.hours.map(per_week),
        "subject": subject(resident, links),
        "occurrencePeriod": period(decision.start, decision.end),
        "authoredOn": decision.decided.to_string(),
        "requester": at_key(municipality, world::CASE_OFFICE),
        "performer": [at_key(municipality, decision.site)],
        "note": [{ "text": decision.text }],
    })
}

/// All services of a resident as one OKT message.
pub fn okt(municipality: &Municipality, resident: &Resident, decisions: &[Decision]) -> OktEvent {
    OktEvent {
        person_identifier: resident.number.clone(),
        okt_messages: decisions
            .iter()
            .map(|decision| okt_message(municipality, decision))
            .collect(),
    }
}

fn okt_message(municipality: &Municipality, decision: &Decision) -> OktMessage {
    let stay = match decision.code {
        "17" => "dagopphold",
        "18" | "19" | "20" | "25" => "korttidsopphold",
        _ => "",
    };
    OktMessage {
        start_date: decision.start.to_string(),
        end_date: Some(decision.end.map(|end| end.to_string()).unwrap_or_default()),
        iplos_code: Some(IplosCode {
            iplos_code_value: service::padded(decision.code),
            iplos_code_level: Some("1".to_owned()),
            iplos_parent_code: Some("0".to_owned()),
            iplos_code_description: service::service_type(decision.code)
                .map(|service| service.title.to_owned()),
        }),
        needs_caption: Some(false),
        temporary_cessation: Some(decision.state == State::OnHold),
        service_description: Some(decision.text.to_owned()),
        service_level: Some(level(municipality, decision.site)),
        stay_type: Some(stay.to_owned()),
        weekly_extent: Some(decision.hours.map(extent).unwrap_or_default()),
    }
}

/// `1.1.2 Dalfjord kommune - Hjemmetjenesten - Sone Aust`.
fn level(municipality: &Municipality, key: &str) -> String {
    let mut names: Vec<_> = municipality.chain(key).map(|site| site.name).collect();
    names.reverse();
    let level = municipality.site(key).map_or("", |site| site.level);
    format!("{level} {}", names.join(" - "))
}

/// Hours in the several ways in which record systems write them.
fn extent(hours: f64) -> String {
    if hours < 1.0 {
        format!("{} minutter", hours * 60.0)
    } else if hours % 1.0 == 0.0 {
        format!("{hours} timer")
    } else {
        format!("{hours}")
    }
}
