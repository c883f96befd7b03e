//! What is sent: measurements at home as VKP Observations, one by one, as CloudEvents, in
//! Bundles and in a file. All of it is prepared before a phase begins.

use record::news2::parameter::Value as Measured;
use record::system;
use sandbox::observation::{Measuring, Single, single};
use sandbox::people::{self, Resident};
use sandbox::register::VKP;
use sandbox::world::{self, Municipality};

use super::Scale;
use super::load::{Request, request};
use super::server::KOMMUNE;

/// Seed of the demo.
const SEED: u64 = 1;
/// Between two measurements of a resident, in milliseconds.
const APART: i64 = 7 * 60 * 1000;

/// The code that searches ask for: heart rate.
const HEART_RATE: &str = "http://loinc.org|8867-4";

/// Makes requests for a municipality.
pub struct Material {
    municipality: &'static Municipality,
    scale: Scale,
    now_ms: i64,
}

impl Material {
    /// For a run at this time.
    pub fn new(scale: Scale, now_ms: i64) -> Result<Self, String> {
        let municipality =
            world::municipality(KOMMUNE).ok_or_else(|| format!("no municipality `{KOMMUNE}`"))?;
        Ok(Self { municipality, scale, now_ms })
    }

    /// Everything stored in bulk: each round of measurements over all residents, one of four vital
    /// signs at a time.
    pub fn measurements(&self) -> Vec<String> {
        let residents: Vec<Resident> = self.measured().collect();
        let rounds = 0..i64::from(self.scale.each);
        rounds
            .flat_map(|round| residents.iter().map(move |it| self.measurement(it, round)))
            .collect()
    }

    /// New heart rates for the phases of single events; `part` tells the phases apart.
    pub fn events(&self, part: i64) -> Vec<String> {
        let residents: Vec<Resident> = self.measured().collect();
        let measured = i64::from(self.scale.measured.max(1));
        (0..i64::from(self.scale.events))
            .zip(residents.iter().cycle())
            .map(|(i, resident)| {
                let round = 4 * (i64::from(self.scale.each) + i / measured);
                // A second between the phases gives the measurement an identifier of its own.
                self.at(resident, round, 1000 * part)
            })
            .collect()
    }

    /// Measurements that a file brings, all new: each with the id that its source gave it.
    pub fn imported(&self) -> Vec<String> {
        let residents: Vec<Resident> = self.measured().collect();
        let first = 8 * i64::from(self.scale.each);
        let rounds = first..first + i64::from(self.scale.imported);
        rounds
            .flat_map(|round| residents.iter().map(move |it| (it, round)))
            .map(|(it, round)| named(&self.at(it, round, 3_000), it.index, round))
            .collect()
    }

    /// `POST Observation/_search` for one resident's heart rates, the newest first.
    pub fn searches(&self, token: &str) -> Vec<Request> {
        let path = format!("/{KOMMUNE}/fhir/Observation/_search");
        let from = sandbox::calendar::date_of(self.now_ms - 400 * 24 * 60 * 60 * 1000);
        self.measured()
            .map(|resident| {
                let patient = format!("{}|{}", system::FNR, resident.number);
                let form = format!(
                    "patient.identifier={patient}&code={HEART_RATE}&date=ge{from}&_sort=-date&_count=20"
                );
                request("POST", &path, token, "application/x-www-form-urlencoded", form.as_bytes())
            })
            .collect()
    }

    /// Searches for the Patients of the residents with a whole history.
    pub fn patients(&self, token: &str) -> Vec<Request> {
        let path = format!("/{KOMMUNE}/fhir/Patient/_search");
        (0..self.scale.residents)
            .map(|index| {
                let resident = people::resident(SEED, self.municipality, index);
                let form = format!("identifier={}|{}", system::FNR, resident.number);
                request("POST", &path, token, "application/x-www-form-urlencoded", form.as_bytes())
            })
            .collect()
    }

    fn measured(&self) -> impl Iterator<Item = Resident> {
        let first = self.scale.residents;
        (first..first + self.scale.measured)
            .map(|index| people::resident(SEED, self.municipality, index))
    }

    fn measurement(&self, resident: &Resident, round: i64) -> String {
        self.at(resident, round, 0)
    }

    fn at(&self, resident: &Resident, round: i64, shift: i64) -> String {
        let measuring = Measuring {
            municipality: self.municipality,
            resident,
            source: VKP,
            by: &resident.number,
            unit: self.municipality.organisation(),
        };
        let varied = f64::from(resident.index % 17) + (round % 11) as f64;
        let value = match round % 4 {
            0 => Measured::Pulse(60.0 + varied),
            1 => Measured::Respiration(12.0 + (varied / 3.0).round()),
            2 => Measured::OxygenSaturation(94.0 + (varied / 5.0).round()),
            _ => Measured::Temperature(36.0 + (varied * 10.0).round() / 100.0),
        };
        let at_ms = self.now_ms - round * APART - shift;
        fhir::json::print(&single(&measuring, at_ms, Single::Parameter(value)))
    }
}

/// A resource with an id of the source's own.
fn named(resource: &str, index: u32, round: i64) -> String {
    let kind = "{\"resourceType\":\"Observation\",";
    resource.replacen(kind, &format!("{kind}\"id\":\"m-{index}-{round}\","), 1)
}

/// The measurements as one file to import.
pub fn import(measurements: &[String], name: &str, token: &str) -> Request {
    let path = format!("/{KOMMUNE}/fhir/$import?job={name}");
    let lines = measurements.join("\n");
    request("POST", &path, token, "application/fhir+ndjson", lines.as_bytes())
}

/// The measurements as Bundles of one size and type, to a door.
pub fn bundles(
    measurements: &[String],
    size: usize,
    kind: &str,
    path: &str,
    token: &str,
) -> Vec<Request> {
    let entry = |resource: &String| {
        format!(
            "{{\"resource\":{resource},\
             \"request\":{{\"method\":\"POST\",\"url\":\"Observation\"}}}}"
        )
    };
    measurements
        .chunks(size)
        .map(|chunk| {
            let entries: Vec<String> = chunk.iter().map(entry).collect();
            let entries = entries.join(",");
            let bundle = format!(
                "{{\"resourceType\":\"Bundle\",\"type\":\"{kind}\",\"entry\":[{entries}]}}"
            );
            request("POST", path, token, "application/fhir+json", bundle.as_bytes())
        })
        .collect()
}

/// The measurements as single creates.
pub fn creates(measurements: &[String], token: &str) -> Vec<Request> {
    let path = format!("/{KOMMUNE}/fhir/Observation");
    measurements
        .iter()
        .map(|it| request("POST", &path, token, "application/fhir+json", it.as_bytes()))
        .collect()
}

/// The measurements as CloudEvents in structured mode.
pub fn cloud_events(measurements: &[String], token: &str) -> Vec<Request> {
    let path = format!("/{KOMMUNE}/events");
    measurements
        .iter()
        .enumerate()
        .map(|(i, resource)| {
            let event = format!(
                "{{\"specversion\":\"1.0\",\"id\":\"{i}\",\"source\":\"urn:fkj:bench\",\
                 \"type\":\"no.fkj.observation\",\"data\":{resource}}}"
            );
            request("POST", &path, token, "application/cloudevents+json", event.as_bytes())
        })
        .collect()
}
