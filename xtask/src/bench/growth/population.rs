//! Who is loaded: patients with services, decisions, contacts, plans and years of observations, each
//! made alone from the seed, so that a question can be drawn about any of them afterwards.

use std::ops::Range;

use record::news2::parameter::Value as Measured;
use record::system;
use sandbox::calendar;
use sandbox::observation::{Measuring, Single, single};
use sandbox::people::{self, Resident};
use sandbox::random::{Stream, Topic};
use sandbox::register::PLO_EPJ;
use sandbox::resource;
use sandbox::world::{self, Municipality};
use serde_json::{Value, json};

use super::super::load::{Request, request};
use super::super::server::KOMMUNE;

/// Seed of the population.
const SEED: u64 = 3;
/// Residents before this place belong to the demo.
const FIRST: u32 = 100;
/// Patients in one transaction.
const TOGETHER: usize = 4;
/// A day in milliseconds.
const DAY: i64 = 24 * 60 * 60 * 1000;
/// Days that observations and contacts are spread over: five years.
const DAYS: i64 = 5 * 365;
/// Measured vital signs of a patient.
const MEASURED: u64 = 24;
/// Answered questionnaires of a patient.
const SURVEYS: u64 = 9;
/// Contacts of a patient.
const CONTACTS: u64 = 9;
/// Questionnaires in use; the later ones are rarer.
const SURVEY_KINDS: u64 = 40;
/// Code system of the questionnaires.
pub const SURVEY: &str = "https://plo-epj.sandkasse.fkj.no/kode/skjema";
/// Sites that give services.
pub const SITES: [&str; 5] = ["sone-1", "sone-2", "sone-3", "korttid", "dagsenter"];
/// Service types (kodeverk 9151) in use.
pub const SERVICES: [&str; 6] = ["1", "2", "15", "17", "18", "25"];
/// Classes of contacts.
const CLASSES: [&str; 3] = ["HH", "AMB", "VR"];

/// A population of some size.
pub struct Population {
    municipality: &'static Municipality,
    size: u32,
    now_ms: i64,
}

/// Some of it, ready to send.
pub struct Wave {
    /// Transactions.
    pub requests: Vec<Request>,
    /// How many resources they hold.
    pub resources: u32,
}

impl Population {
    /// So many patients, whose histories end now.
    pub fn new(size: u32, now_ms: i64) -> Result<Self, String> {
        let municipality =
            world::municipality(KOMMUNE).ok_or_else(|| format!("no municipality `{KOMMUNE}`"))?;
        Ok(Self { municipality, size, now_ms })
    }

    /// How many patients.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// When the histories end, milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// The resident behind a patient.
    pub fn resident(&self, patient: u32) -> Resident {
        people::resident(SEED, self.municipality, FIRST + patient)
    }

    /// Id of a site's Organization.
    pub fn site(&self, key: &str) -> String {
        format!("{}-{key}", self.municipality.number)
    }

    /// A stream about a patient.
    fn stream(&self, patient: u32) -> Stream {
        people::stream(SEED, Topic::Services, self.municipality, FIRST + patient)
    }

    /// The transactions that bring these patients.
    pub fn bundles(&self, patients: Range<u32>, token: &str) -> Wave {
        let path = format!("/{KOMMUNE}/fhir");
        let patients: Vec<u32> = patients.collect();
        let mut wave = Wave { requests: Vec::new(), resources: 0 };
        for group in patients.chunks(TOGETHER) {
            let resources: Vec<Value> =
                group.iter().flat_map(|patient| self.patient(*patient)).collect();
            wave.resources += u32::try_from(resources.len()).unwrap_or_default();
            let entries: Vec<Value> = resources.into_iter().map(entry).collect();
            let bundle =
                json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries });
            let body = bundle.to_string();
            let kind = "application/fhir+json";
            wave.requests.push(request("POST", &path, token, kind, body.as_bytes()));
        }
        wave
    }

    /// Everything about one patient.
    fn patient(&self, patient: u32) -> Vec<Value> {
        let resident = self.resident(patient);
        let mut chance = self.stream(patient);
        let mut all = vec![given(resource::patient(self.municipality, &resident), id(patient))];
        let about = About { population: self, patient, resident: &resident };
        for n in 0..3 {
            let site = chance.pick(&SITES);
            let service = chance.pick(&SERVICES);
            let start = about.day(&mut chance);
            all.push(about.decision(n, service, site, start));
            all.push(about.service(n, service, site, start, chance.chance(40)));
        }
        for n in 0..CONTACTS {
            let class = chance.pick(&CLASSES);
            all.push(about.contact(n, class, chance.below(3), about.day(&mut chance)));
        }
        for n in 0..2 {
            all.push(about.plan(n, about.day(&mut chance), chance.chance(50)));
        }
        for n in 0..MEASURED {
            all.push(about.measurement(n, &mut chance));
        }
        for n in 0..SURVEYS {
            // The lower of two draws: some are common, some are rare.
            let kind = chance.below(SURVEY_KINDS).min(chance.below(SURVEY_KINDS));
            all.push(about.survey(n, kind, about.day(&mut chance), chance.below(30)));
        }
        all
    }
}

/// Logical id of a patient.
pub fn id(patient: u32) -> String {
    format!("g{patient}")
}

/// An entry that puts a resource where it belongs.
fn entry(resource: Value) -> Value {
    let part = |name: &str| resource.get(name).and_then(Value::as_str).unwrap_or_default();
    let url = format!("{}/{}", part("resourceType"), part("id"));
    json!({ "request": { "method": "PUT", "url": url }, "resource": resource })
}

/// A resource of the sandbox under an id of ours.
fn given(resource: fhir::value::Value, id: String) -> Value {
    let text = fhir::json::print(&resource);
    let mut value: Value = serde_json::from_str(&text).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.insert("id".to_owned(), json!(id));
    }
    value
}

/// Whom the resources are about.
struct About<'a> {
    population: &'a Population,
    patient: u32,
    resident: &'a Resident,
}

impl About<'_> {
    fn id(&self, kind: char, n: u64) -> String {
        format!("g{}{kind}{n}", self.patient)
    }

    /// Some day of the history, in milliseconds.
    fn day(&self, chance: &mut Stream) -> i64 {
        self.population.now_ms - chance.between(0, DAYS * 24) * (DAY / 24)
    }

    fn subject(&self) -> Value {
        json!({
            "reference": format!("Patient/{}", id(self.patient)),
            "identifier": { "system": system::FNR, "value": self.resident.number },
        })
    }

    fn site(&self, key: &str) -> Value {
        json!({ "reference": format!("Organization/{}", self.population.site(key)) })
    }

    fn decision(&self, n: u64, service: &str, site: &str, start: i64) -> Value {
        json!({
            "resourceType": "ServiceRequest",
            "id": self.id('r', n),
            "status": "active",
            "intent": "order",
            "code": { "coding": [{ "system": system::SERVICE_TYPE, "code": service }] },
            "subject": self.subject(),
            "occurrencePeriod": { "start": date(start) },
            "authoredOn": date(start - 20 * DAY),
            "performer": [self.site(site)],
        })
    }

    fn service(&self, n: u64, service: &str, site: &str, start: i64, over: bool) -> Value {
        let end = over.then(|| date(start + 90 * DAY));
        let mut period = json!({ "start": date(start) });
        if let (Some(object), Some(end)) = (period.as_object_mut(), end) {
            object.insert("end".to_owned(), json!(end));
        }
        json!({
            "resourceType": "EpisodeOfCare",
            "id": self.id('e', n),
            "status": if over { "finished" } else { "active" },
            "type": [{ "coding": [{ "system": system::SERVICE_TYPE_OSLO, "code": service }] }],
            "patient": self.subject(),
            "managingOrganization": self.site(site),
            "period": period,
            "referralRequest": [{ "reference": format!("ServiceRequest/{}", self.id('r', n)) }],
        })
    }

    fn contact(&self, n: u64, class: &str, episode: u64, at: i64) -> Value {
        let act = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
        json!({
            "resourceType": "Encounter",
            "id": self.id('c', n),
            "status": "finished",
            "class": { "system": act, "code": class },
            "subject": self.subject(),
            "period": { "start": calendar::written(at), "end": calendar::written(at + DAY / 48) },
            "episodeOfCare": [{ "reference": format!("EpisodeOfCare/{}", self.id('e', episode)) }],
        })
    }

    fn plan(&self, n: u64, at: i64, active: bool) -> Value {
        json!({
            "resourceType": "CarePlan",
            "id": self.id('p', n),
            "status": if active { "active" } else { "completed" },
            "intent": "plan",
            "title": "Tiltaksplan",
            "subject": self.subject(),
            "period": { "start": date(at) },
        })
    }

    fn measurement(&self, n: u64, chance: &mut Stream) -> Value {
        let at = self.day(chance);
        let varied = chance.below(40) as f64;
        let what = match n % 6 {
            0 => Single::Parameter(Measured::Pulse(55.0 + varied)),
            1 => Single::Parameter(Measured::Respiration(10.0 + (varied / 3.0).round())),
            2 => Single::Parameter(Measured::OxygenSaturation(100.0 - (varied / 3.0).round())),
            3 => Single::Parameter(Measured::Temperature(36.0 + (varied * 5.0).round() / 100.0)),
            4 => Single::Pressure(105.0 + varied * 2.0, 60.0 + varied),
            _ => Single::Weight(50.0 + varied),
        };
        let measuring = Measuring {
            municipality: self.population.municipality,
            resident: self.resident,
            source: PLO_EPJ,
            by: &self.resident.number,
            unit: self.population.municipality.organisation(),
        };
        let mut value = given(single(&measuring, at, what), self.id('o', n));
        if let Some(object) = value.as_object_mut() {
            object.insert("subject".to_owned(), self.subject());
        }
        value
    }

    fn survey(&self, n: u64, kind: u64, at: i64, score: u64) -> Value {
        let category = "http://terminology.hl7.org/CodeSystem/observation-category";
        json!({
            "resourceType": "Observation",
            "id": self.id('s', n),
            "status": "final",
            "category": [{ "coding": [{ "system": category, "code": "survey" }] }],
            "code": { "coding": [{ "system": SURVEY, "code": format!("s{kind}") }] },
            "subject": self.subject(),
            "effectiveDateTime": calendar::written(at),
            "valueQuantity": { "value": score },
        })
    }
}

/// A day as FHIR writes it.
pub fn date(ms: i64) -> String {
    calendar::date_of(ms).to_string()
}
