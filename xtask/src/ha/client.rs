//! What a system and an employee send to one server, and what is there in the end.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use record::system;
use sandbox::{people, world};
use serde_json::{Value, json};

use super::servers::Servers;
use crate::bench::server::KOMMUNE;

/// Patients that events are about.
const PATIENTS: u32 = 40;
/// Seed of the patients.
const SEED: u64 = 1;
/// System of the identifiers that events carry.
const EVENT: &str = "urn:fkj:ha";
/// No answer in this time is none.
const PATIENCE: Duration = Duration::from_secs(10);
/// After this time a new token is used.
const TOKEN: Duration = Duration::from_secs(60);
/// Of a page when everything is read.
const PAGE: &str = "500";

/// The identity numbers of the patients.
pub fn patients() -> Result<Vec<String>, String> {
    let municipality = world::municipality(KOMMUNE).ok_or("no such municipality")?;
    Ok((0..PATIENTS).map(|it| people::resident(SEED, municipality, it).number).collect())
}

/// Somebody with a role, who keeps connections and a token.
pub struct Client<'a> {
    servers: &'a Servers,
    patients: &'a [String],
    role: &'static str,
    agent: ureq::Agent,
    token: (String, Instant),
}

/// The greatest position that was answered to a write.
#[derive(Default)]
pub struct Latest(AtomicU64);

impl<'a> Client<'a> {
    /// A system that writes.
    pub fn system(servers: &'a Servers, patients: &'a [String]) -> Result<Self, String> {
        Self::new(servers, patients, "plo-epj")
    }

    /// An employee who reads.
    pub fn employee(servers: &'a Servers, patients: &'a [String]) -> Result<Self, String> {
        Self::new(servers, patients, "sykepleier")
    }

    fn new(
        servers: &'a Servers,
        patients: &'a [String],
        role: &'static str,
    ) -> Result<Self, String> {
        let patience = ureq::Agent::config_builder().timeout_global(Some(PATIENCE));
        let agent = patience.build().new_agent();
        Ok(Self { servers, patients, role, agent, token: (servers.token(role)?, Instant::now()) })
    }

    /// Sends an event to a server; fails where it is not acknowledged.
    pub fn write(&mut self, server: usize, event: u64, latest: &Latest) -> Result<(), String> {
        let patient = self.patient(event)?;
        let measurement = json!({
            "resourceType": "Observation",
            "identifier": [{ "system": EVENT, "value": event.to_string() }],
            "status": "final",
            "category": [{ "coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                "code": "vital-signs",
            }] }],
            "code": { "coding": [{ "system": "http://loinc.org", "code": "8867-4" }] },
            "subject": { "identifier": { "system": system::FNR, "value": patient } },
            "effectiveDateTime": "2026-01-05",
            "valueQuantity": { "value": 40 + event % 100, "unit": "/min",
                               "system": "http://unitsofmeasure.org", "code": "/min" },
        });
        let body = measurement.to_string();
        let kind = "application/fhir+json";
        let answer = self.post(server, "fhir/Observation", kind, &body, 0)?;
        let version = answer.pointer("/meta/versionId").and_then(Value::as_str);
        let version = version.and_then(|it| it.parse().ok());
        latest.0.fetch_max(version.ok_or("an answer without a version")?, Ordering::Relaxed);
        Ok(())
    }

    /// Looks at one of the patients at a server.
    pub fn look(&mut self, server: usize, nth: u64) -> Result<(), String> {
        let patient = self.patient(nth)?;
        self.search(server, &patient, "10", 0).map(drop)
    }

    /// The numbers of all events that a server knows once it has come as far as `latest`.
    pub fn all(&mut self, server: usize, latest: &Latest) -> Result<Vec<u64>, String> {
        let position = latest.0.load(Ordering::Relaxed);
        let mut events = Vec::new();
        for patient in self.patients {
            let mut bundle = self.search(server, patient, PAGE, position)?;
            loop {
                let entries = bundle.get("entry").and_then(Value::as_array).into_iter().flatten();
                events.extend(entries.filter_map(|it| number(it.get("resource")?)));
                let links = bundle.get("link").and_then(Value::as_array).into_iter().flatten();
                let mut next = links.filter(|it| it["relation"] == "next");
                let Some(next) = next.next().and_then(|it| it["url"].as_str()) else { break };
                let (_, path) = next.split_once(&format!("/{KOMMUNE}/")).ok_or("a strange link")?;
                let url = self.url(server, path)?;
                let token = self.token()?;
                let request = self.agent.get(url).header("authorization", token);
                bundle = parsed(request.call())?;
            }
        }
        Ok(events)
    }

    fn search(
        &mut self,
        server: usize,
        patient: &str,
        count: &str,
        position: u64,
    ) -> Result<Value, String> {
        let form = format!("patient.identifier={}|{patient}&_count={count}", system::FNR);
        let kind = "application/x-www-form-urlencoded";
        self.post(server, "fhir/Observation/_search", kind, &form, position)
    }

    fn post(
        &mut self,
        server: usize,
        path: &str,
        kind: &str,
        body: &str,
        position: u64,
    ) -> Result<Value, String> {
        let (url, token) = (self.url(server, path)?, self.token()?);
        let request = self.agent.post(url).header("authorization", token);
        let request = request.header("content-type", kind);
        parsed(request.header("prefer", format!("position={position}")).send(body))
    }

    fn patient(&self, nth: u64) -> Result<String, String> {
        let nth = usize::try_from(nth).unwrap_or_default() % self.patients.len().max(1);
        self.patients.get(nth).cloned().ok_or_else(|| "no patients".to_owned())
    }

    fn url(&self, server: usize, path: &str) -> Result<String, String> {
        Ok(format!("{}/{KOMMUNE}/{path}", self.servers.address(server)?))
    }

    fn token(&mut self) -> Result<String, String> {
        if self.token.1.elapsed() > TOKEN {
            self.token = (self.servers.token(self.role)?, Instant::now());
        }
        Ok(format!("Bearer {}", self.token.0))
    }
}

/// The body of a good answer.
fn parsed(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Value, String> {
    let mut answer = answer.map_err(|error| error.to_string())?;
    let body = answer.body_mut().with_config().limit(64 << 20);
    let text = body.read_to_string().map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

/// The number of an event.
fn number(resource: &Value) -> Option<u64> {
    let identifier = resource.get("identifier")?.as_array()?.first()?;
    let is_ours = identifier.get("system")? == EVENT;
    is_ours.then(|| identifier.get("value")?.as_str()?.parse().ok())?
}
