//! What the source systems of a municipality deliver, one message at a time.
//!
//! First the organisation tree, then resident by resident: who it is, the services, the rounds of
//! measurements, and what was measured at home. Each resource has its source's own identifier, so
//! that delivering again changes nothing. Residents are made when they are asked for: a hundred
//! thousand need no more memory than one.

use std::iter;

use fhir::json;
use fhir::value::Value;
use record::news2::parameter::Value as Measured;
use record::system;

use crate::calendar;
use crate::observation::{self, Measuring, Single};
use crate::people::{self, Profile, Resident};
use crate::random::{Stream, Topic};
use crate::register::{PLO_EPJ, TAVLE, VKP};
use crate::resource::{self, Links};
use crate::services::{self, Care, Place};
use crate::stories::{self, Plot};
use crate::world::{self, Municipality};
use crate::{infection, staff, vitals};

/// The door a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// A FHIR transaction: `POST` to the FHIR base.
    Fhir,
    /// An OKT message: `POST okt-events`.
    Okt,
    /// A PMD batch or collection: `POST` to the PMD base.
    Pmd,
    /// A CloudEvent in structured mode: `POST events`.
    CloudEvent,
}

/// A message from a source system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The client that sends it.
    pub client_id: String,
    /// The door.
    pub channel: Channel,
    /// JSON.
    pub body: String,
}

/// Everything the sources of a municipality have to deliver about its first residents at a time,
/// in the order in which it can be taken. At most [`people::MOST`] residents.
pub fn deliveries(
    seed: u64,
    municipality: &'static Municipality,
    patients: u32,
    now_ms: i64,
) -> impl Iterator<Item = Delivery> {
    let residents = (0..patients.min(people::MOST))
        .flat_map(move |index| of_resident(seed, municipality, index, now_ms));
    iter::once(organisations(municipality)).chain(residents)
}

/// The next NEWS2 of a patient on the acute ward, measured now: the patient of the COPD story gets
/// worse and then better as `step` grows.
pub fn live(seed: u64, municipality: &'static Municipality, step: u64, now_ms: i64) -> Delivery {
    let rising = |index: &u32| {
        stories::plan(municipality, *index).is_some_and(|plan| plan.plot == Plot::CopdRising)
    };
    let index = (0..stories::PER_MUNICIPALITY).find(rising).unwrap_or_default();
    let sender = Sender::new(seed, municipality, index, now_ms);
    let normal = vitals::normal(seed, municipality, &sender.resident);
    let noise = people::stream(seed, Topic::Noise, municipality, index).branch(step);
    sender.round(&vitals::live_round(&normal, step, now_ms, noise))
}

/// The organisation tree as a transaction of updates with ids of the record system's own.
pub fn organisations(municipality: &'static Municipality) -> Delivery {
    let entries: Vec<Value> = municipality
        .sites
        .iter()
        .map(|site| {
            let url = format!("Organization/{}", municipality.site_id(site));
            json!({
                "fullUrl": format!("https://{PLO_EPJ}.sandkasse.fkj.no/fhir/{url}"),
                "resource": resource::organization(municipality, site),
                "request": { "method": "PUT", "url": url },
            })
        })
        .collect();
    let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries });
    delivery(municipality, PLO_EPJ, Channel::Fhir, &bundle)
}

fn delivery(municipality: &Municipality, source: &str, channel: Channel, body: &Value) -> Delivery {
    Delivery { client_id: municipality.client_id(source), channel, body: fhir::json::print(body) }
}

fn of_resident(
    seed: u64,
    municipality: &'static Municipality,
    index: u32,
    now_ms: i64,
) -> Vec<Delivery> {
    let mut sender = Sender::new(seed, municipality, index, now_ms);
    let mut all = sender.record_system();
    let Sender { resident, care, .. } = &sender;
    let infections = infection::infections(seed, municipality, resident, care, now_ms);
    let rounds = vitals::rounds(seed, municipality, resident, care, &infections, now_ms);
    all.extend(rounds.iter().map(|round| sender.round(round)));
    all.extend(sender.at_home());
    all
}

/// Makes the messages about one resident.
struct Sender {
    seed: u64,
    municipality: &'static Municipality,
    resident: Resident,
    care: Care,
    uuids: Stream,
    now_ms: i64,
}

impl Sender {
    fn new(seed: u64, municipality: &'static Municipality, index: u32, now_ms: i64) -> Self {
        let resident = people::resident(seed, municipality, index);
        let care = services::care(seed, municipality, &resident, calendar::date_of(now_ms));
        let uuids = people::stream(seed, Topic::Uuid, municipality, index);
        Self { seed, municipality, resident, care, uuids, now_ms }
    }

    /// Half of those at home have their services sent as OKT, as from a record system that has only
    /// that; where somebody lies on a ward it is FHIR, which can say which.
    fn uses_okt(&self) -> bool {
        match self.resident.story {
            Some(plan) => plan.plot == Plot::DementiaAtHome,
            None => self.care.place == Place::Home && self.uuids.clone().chance(52),
        }
    }

    fn record_system(&mut self) -> Vec<Delivery> {
        let okt = self.uses_okt();
        let decisions = if okt { &[] } else { self.care.decisions.as_slice() };
        let (municipality, resident) = (self.municipality, &self.resident);
        let mut url = || format!("urn:uuid:{}", self.uuids.uuid());
        let patient = url();
        let mut entries =
            vec![created("Patient", &patient, resource::patient(municipality, resident))];
        for decision in decisions {
            let (service, order) = (url(), url());
            let links = Links { patient: &patient, decision: &order };
            let episode = resource::episode(municipality, resident, decision, links);
            let request = resource::service_request(municipality, resident, decision, links);
            entries.push(created("EpisodeOfCare", &service, episode));
            entries.push(created("ServiceRequest", &order, request));
        }
        let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries });
        let mut all = vec![delivery(municipality, PLO_EPJ, Channel::Fhir, &bundle)];
        if okt {
            let event = resource::okt(municipality, resident, &self.care.decisions);
            all.push(Delivery {
                client_id: municipality.client_id(PLO_EPJ),
                channel: Channel::Okt,
                body: serde_json::to_string(&event).unwrap_or_default(),
            });
        }
        all
    }

    /// A round as PMD: a batch, or for every other resident a collection in KomLink's envelope.
    fn round(&self, round: &vitals::Round) -> Delivery {
        let Self { municipality, resident, care, .. } = self;
        let nurse =
            staff::measurer(municipality, care.site).map(staff::Staff::number).unwrap_or_default();
        let measuring = Measuring {
            municipality,
            resident,
            source: TAVLE,
            by: &nurse,
            unit: municipality.organisation_of(care.site),
        };
        let observations = observation::round(&measuring, round);
        let mut uuids = self.uuids.branch(round.at_ms.unsigned_abs());
        let body = if resident.index.is_multiple_of(2) {
            let entries: Vec<Value> = observations
                .into_iter()
                .map(|o| created("Observation", &format!("urn:uuid:{}", uuids.uuid()), o))
                .collect();
            json!({ "resourceType": "Bundle", "type": "batch", "entry": entries })
        } else {
            collection(municipality, &mut uuids, round.at_ms, observations)
        };
        delivery(municipality, TAVLE, Channel::Pmd, &body)
    }

    /// What somebody with heart or lung disease measured at home in the last four weeks.
    fn at_home(&self) -> Vec<Delivery> {
        let Self { seed, municipality, resident, .. } = self;
        if self.care.place != Place::Home {
            return Vec::new();
        }
        let normal = vitals::normal(*seed, municipality, resident);
        let noise = people::stream(*seed, Topic::Noise, municipality, resident.index).branch(1);
        let today = calendar::date_of(self.now_ms);
        let weight = 62.0 + f64::from(resident.index % 30);
        let mut all = Vec::new();
        for ago in [22, 15, 8, 1] {
            let at_ms = calendar::at(calendar::days_after(today, -ago), 18 * 60 + 30);
            let noise = noise.branch(at_ms.unsigned_abs());
            let round = vitals::round(&normal, at_ms, 0.0, noise.clone());
            let measured = &round.measurements;
            let kilograms = weight + (noise.clone().noise() * 5.0).round() / 10.0;
            let singles = match resident.profile {
                Profile::Copd => [
                    measured
                        .oxygen_saturation
                        .map(Measured::OxygenSaturation)
                        .map(Single::Parameter),
                    measured.pulse.map(Measured::Pulse).map(Single::Parameter),
                ],
                Profile::HeartFailure => [
                    Some(Single::Weight(kilograms)),
                    measured
                        .systolic_blood_pressure
                        .map(|systolic| Single::Pressure(systolic, round.diastolic)),
                ],
                Profile::InfectionProne => {
                    [measured.temperature.map(Measured::Temperature).map(Single::Parameter), None]
                }
                Profile::Healthy | Profile::Frail | Profile::Dementia => [None, None],
            };
            all.extend(singles.into_iter().flatten().map(|single| self.event(at_ms, single)));
        }
        all
    }

    /// A single measurement as a CloudEvent 1.0 in structured mode.
    fn event(&self, at_ms: i64, single: Single) -> Delivery {
        let Self { municipality, resident, care, .. } = self;
        let measuring = Measuring {
            municipality,
            resident,
            source: VKP,
            by: &resident.number,
            unit: municipality.organisation_of(care.site),
        };
        let observation = observation::single(&measuring, at_ms, single);
        let id = observation.at("identifier.0.value").cloned();
        let body = json!({
            "specversion": "1.0",
            "id": id,
            "source": format!("https://{VKP}.sandkasse.fkj.no/{}", municipality.number),
            "type": "no.fkj.observation.recorded",
            "time": calendar::written(at_ms),
            "datacontenttype": "application/fhir+json",
            "data": observation,
        });
        delivery(municipality, VKP, Channel::CloudEvent, &body)
    }
}

fn created(kind: &str, url: &str, resource: Value) -> Value {
    json!({
        "fullUrl": url,
        "resource": resource,
        "request": { "method": "POST", "url": kind },
    })
}

/// KomLink's envelope: entries without requests, the municipality as a tag (conventions §1.4).
fn collection(
    municipality: &Municipality,
    uuids: &mut Stream,
    at_ms: i64,
    observations: Vec<Value>,
) -> Value {
    let name = municipality.site(world::KOMMUNE).map_or("", |site| site.name);
    let identifier = uuids.uuid();
    let entries: Vec<Value> = observations
        .into_iter()
        .map(|o| json!({ "fullUrl": format!("urn:uuid:{}", uuids.uuid()), "resource": o }))
        .collect();
    json!({
        "resourceType": "Bundle",
        "meta": {
            "tag": [{ "system": system::KOMMUNE, "code": municipality.number, "display": name }],
        },
        "identifier": {
            "system": "https://www.nhn.no/komlink/bundle-identifier",
            "value": identifier,
        },
        "type": "collection",
        "timestamp": calendar::written(at_ms),
        "entry": entries,
    })
}
