//! Systems that write and employees who look, all at once, until the server is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::Sender;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use ureq::http::Method;

use crate::support::content::{bundle, count, person, pulse};
use crate::support::{Client, FNR, Server, text};

/// Systems at work at the same time.
const WRITERS: usize = 4;
/// Employees at work at the same time.
const READERS: usize = 2;
const HEADERS: [(&str, &str); 1] = [("content-type", "application/fhir+json")];

/// A measurement that was sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// The number of its transaction, where it was sent in one.
    pub group: Option<u32>,
    /// What was measured.
    pub value: u32,
}

/// What the outside knows, over all starts of the server: by the identifiers of measurements.
#[derive(Default)]
pub struct Known {
    /// Everything that was ever sent.
    pub sent: BTreeMap<String, Sent>,
    /// What was answered with 200 or 201, and so must be there.
    pub acknowledged: BTreeSet<String>,
    /// Request ids of looks that were answered.
    pub answered: BTreeSet<String>,
}

/// One system's patient and its last request, which may not have been answered.
#[derive(Clone, Default)]
pub struct Ward {
    pid: String,
    /// Measurements that were acknowledged.
    taken: BTreeSet<String>,
    last: Option<Request>,
}

#[derive(Clone)]
struct Request {
    path: &'static str,
    body: String,
    tags: Vec<String>,
}

pub type Shared<'a> = &'a Mutex<Known>;

fn locked(known: Shared<'_>) -> std::sync::MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Works until the server is gone, which `end` ends after `limit` answers unless it has ended before.
/// Tells each system's patient and last request.
pub fn work(server: &Server, known: Shared<'_>, limit: usize, end: impl Fn(&Server)) -> Vec<Ward> {
    let wards: Vec<Ward> =
        (0..WRITERS).map(|_| Ward { pid: person(), ..Ward::default() }).collect();
    let pids: Vec<String> = wards.iter().map(|ward| ward.pid.clone()).collect();
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let writers: Vec<_> = wards
            .into_iter()
            .enumerate()
            .map(|(nth, ward)| {
                let (tell, source) = (tell.clone(), server.role("plo-epj"));
                scope.spawn(move || write(&source, ward, nth % 2 == 0, known, &tell))
            })
            .collect();
        for nth in 0..READERS {
            let (tell, nurse, pids) = (tell.clone(), server.role("sykepleier"), &pids);
            scope.spawn(move || look(&nurse, pids, nth, known, &tell));
        }
        drop(tell);
        for (nth, ()) in (1..).zip(told.iter()) {
            if nth == limit {
                end(server);
            }
        }
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    })
}

/// Sends measurements one by one, or three in a transaction.
fn write(
    source: &Client,
    mut ward: Ward,
    grouped: bool,
    known: Shared<'_>,
    tell: &Sender<()>,
) -> Ward {
    loop {
        ward.last = Some(request(&ward.pid, grouped, known));
        if !ward.is_taken(source, known) {
            return ward;
        }
        let _ = tell.send(());
    }
}

fn request(pid: &str, grouped: bool, known: Shared<'_>) -> Request {
    let group = grouped.then(count);
    let sent: Vec<Value> = (0..if grouped { 3 } else { 1 })
        .map(|_| pulse(pid, "2026-01-05", 40 + count() % 100))
        .collect();
    let tags: Vec<String> = sent.iter().map(|it| text(&it["identifier"][0]["value"])).collect();
    let mut known = locked(known);
    for (tag, measurement) in tags.iter().zip(&sent) {
        let value = measurement["valueQuantity"]["value"].as_u64().unwrap();
        let value = u32::try_from(value).unwrap();
        known.sent.insert(tag.clone(), Sent { group, value });
    }
    let (path, body) = match sent.as_slice() {
        [one] => ("/9901/fhir/Observation", one.to_string()),
        all => {
            let entries: Vec<_> = all.iter().map(|it| ("POST", "Observation", it)).collect();
            ("/9901/fhir", bundle("transaction", &entries).to_string())
        }
    };
    Request { path, body, tags }
}

impl Ward {
    /// Whether the last request is answered now, and so its measurements are there for good.
    fn is_taken(&mut self, source: &Client, known: Shared<'_>) -> bool {
        let Some(request) = &self.last else { return true };
        let body = Some(request.body.clone().into_bytes());
        let Ok(answer) = source.try_send(Method::POST, request.path, &HEADERS, body) else {
            return false;
        };
        assert!(matches!(answer.status, 200 | 201), "{} {}", answer.status, answer.text);
        locked(known).acknowledged.extend(request.tags.iter().cloned());
        self.taken.extend(request.tags.iter().cloned());
        self.last = None;
        true
    }
}

/// Looks at one patient after the other.
fn look(nurse: &Client, pids: &[String], first: usize, known: Shared<'_>, tell: &Sender<()>) {
    for pid in pids.iter().cycle().skip(first) {
        if found(nurse, pid, known).is_none() {
            return;
        }
        let _ = tell.send(());
    }
}

/// The measurements of a patient, each with its value; nothing where the server is gone.
fn found(nurse: &Client, pid: &str, known: Shared<'_>) -> Option<Vec<(String, u64)>> {
    let form = format!("patient.identifier={FNR}|{pid}&_count=1000");
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let path = "/9901/fhir/Observation/_search";
    let answer = nurse.try_send(Method::POST, path, &headers, Some(form.into())).ok()?;
    locked(known).answered.insert(answer.header("x-request-id").to_owned());
    let value = |it: &Value| it["valueQuantity"]["value"].as_u64().unwrap();
    let matches = answer.matches();
    Some(matches.iter().map(|it| (text(&it["identifier"][0]["value"]), value(it))).collect())
}

/// After the start that follows: what was acknowledged is found once, no transaction by half, nothing that
/// nobody sent; and what was not answered can be sent again and is then there once. `None` where the server
/// is gone before all of it was asked.
pub fn compare(server: &Server, wards: &mut [Ward], known: Shared<'_>) -> Option<()> {
    let (nurse, source) = (server.role("sykepleier"), server.role("plo-epj"));
    for ward in wards {
        agree(&found(&nurse, &ward.pid, known)?, ward, known);
        if !ward.is_taken(&source, known) {
            return None;
        }
        agree(&found(&nurse, &ward.pid, known)?, ward, known);
    }
    Some(())
}

fn agree(found: &[(String, u64)], ward: &Ward, known: Shared<'_>) {
    let known = locked(known);
    let mut groups: BTreeMap<u32, usize> = BTreeMap::new();
    let there: BTreeSet<&String> = found.iter().map(|(tag, _)| tag).collect();
    assert_eq!(there.len(), found.len(), "a measurement is there twice: {found:?}");
    let lost: Vec<_> = ward.taken.iter().filter(|tag| !there.contains(tag)).collect();
    assert!(lost.is_empty(), "acknowledged and not found: {lost:?}");
    for (tag, value) in found {
        let sent = &known.sent[tag];
        assert_eq!(u64::from(sent.value), *value, "{tag}");
        if let Some(group) = sent.group {
            *groups.entry(group).or_default() += 1;
        }
    }
    assert!(groups.values().all(|members| *members == 3), "by half: {groups:?}");
}
