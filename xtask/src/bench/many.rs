//! `cargo xtask bench --municipalities`: what many municipalities in one process cost: how long opening
//! them takes, what they hold of memory, and what a read in one of them costs beside all the others.
//!
//! All are founded with one register and filled through the door with the same residents. The reads are
//! measured with one open and with all, in turn, several times; of each the best is told: what else the
//! machine does only adds.

use std::path::Path;

use sandbox::claims::Role;
use serde_json::{Value, json};

use super::Scale;
use super::load::{self, Drive, Request, drive, find, start};
use super::material::{self, Material};
use super::server::{Server, now_ms};

/// Measurements of each resident.
const EACH: u32 = 2;
/// Resources in a Bundle.
const SIZE: usize = 500;
/// Connections that fill.
const FILLING: usize = 2;
/// Seconds of each measurement of reads.
const SECONDS: f64 = 4.0;
/// How often each is measured.
const ROUNDS: usize = 2;

/// Measures so many municipalities of so many residents each.
pub fn run(program: &Path, (count, residents): (usize, u32)) -> Result<Value, String> {
    let mut server = Server::start(program, 1, &[])?;
    let numbers: Vec<String> = (1_001..).map(|it| it.to_string()).take(count).collect();
    let first = numbers.get(..1).unwrap_or_default();
    let founded = server.serve(program, &numbers)?;
    let filled = fill(&server, &numbers, residents)?;
    let memory_filled = server.memory();
    let (mut one, mut all) = (Vec::new(), Vec::new());
    let (mut opened, mut memory) = (Value::Null, Value::Null);
    for _ in 0..ROUNDS {
        server.serve(program, first)?;
        one.push(reads(&server, first)?);
        opened = json!(hundredths(server.serve(program, &numbers)?));
        all.push(reads(&server, first)?);
        // One of each, so that whatever is made at the first request is counted.
        all_once(&server, &numbers)?;
        memory = server.memory();
    }
    let each = reads(&server, &numbers)?;
    let (one, all) = (best(one), best(all));
    Ok(json!({
        "municipalities": count,
        "residents": residents,
        "resources": filled,
        "seconds_to_found": hundredths(founded),
        "seconds_to_open": opened,
        "memory_mb": { "filled": memory_filled, "opened_and_read": memory },
        "read": {
            "one_open": one.told(),
            "all_open": all.told(),
            "in_all_in_turn": each.told(),
            "p50_of_one": hundredths(all.p50_ms / one.p50_ms),
            "cpu_of_one": hundredths(all.cpu_us / one.cpu_us),
        },
    }))
}

/// Fills all of them; gives the resources sent.
fn fill(server: &Server, numbers: &[String], residents: u32) -> Result<usize, String> {
    let (events, seconds) = (0, SECONDS);
    let scale =
        Scale { residents: 0, measured: residents, each: EACH, imported: 0, events, seconds };
    let measurements = Material::new(scale, now_ms())?.measurements();
    let taken = |body: &[u8]| match find(body, b"\"outcome\"") {
        Some(_) => Err(format!("not everything was taken: {}", start(body))),
        None => Ok(()),
    };
    let how = Drive { connections: FILLING, seconds: 600.0, again: false };
    for number in numbers {
        let token = server.token_in(number, Role::Vkp)?;
        let path = format!("/{number}/fhir");
        let bundles = material::bundles(&measurements, SIZE, "transaction", &path, &token);
        drive(server.address, &bundles, how, &taken)?;
    }
    Ok(measurements.len() * numbers.len())
}

/// What reads took.
#[derive(Clone, Copy)]
struct Measured {
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    cpu_us: f64,
}

impl Measured {
    fn told(&self) -> Value {
        json!({
            "per_second": self.per_second.round(),
            "p50_ms": hundredths(self.p50_ms),
            "p99_ms": hundredths(self.p99_ms),
            "server_cpu_us": self.cpu_us.round(),
        })
    }
}

/// Reads of single Observations, in each of the municipalities in turn, by one connection: what is
/// measured is the time of an answer.
fn reads(server: &Server, numbers: &[String]) -> Result<Measured, String> {
    let ids = numbers.iter().map(|number| requests(server, number));
    let mut left: Vec<_> =
        ids.collect::<Result<Vec<_>, _>>()?.into_iter().map(Vec::into_iter).collect();
    let mut requests = Vec::new();
    while requests.len() < 20_000 {
        let round: Vec<Request> = left.iter_mut().filter_map(Iterator::next).collect();
        if round.is_empty() {
            break;
        }
        requests.extend(round);
    }
    let found = |body: &[u8]| match find(body, b"\"Observation\"") {
        Some(_) => Ok(()),
        None => Err(format!("not what was asked for: {}", start(body))),
    };
    let how = Drive { connections: 1, seconds: SECONDS, again: true };
    let before = server.cpu();
    let driven = drive(server.address, &requests, how, &found)?;
    Ok(Measured {
        per_second: driven.per_second(),
        p50_ms: driven.percentile(0.50),
        p99_ms: driven.percentile(0.99),
        cpu_us: (server.cpu() - before) * 1e6 / driven.micros.len().max(1) as f64,
    })
}

/// Reads of what a municipality has, not in the order in which it was stored.
fn requests(server: &Server, number: &str) -> Result<Vec<Request>, String> {
    let token = server.token_in(number, Role::Vkp)?;
    let ids = server.ids(number, "Observation")?;
    let of = |id: &String| format!("/{number}/fhir/Observation/{id}");
    Ok(ids.iter().map(|id| load::request("GET", &of(id), &token, "", b"")).collect())
}

fn all_once(server: &Server, numbers: &[String]) -> Result<(), String> {
    for number in numbers {
        if let Some(first) = requests(server, number)?.first() {
            load::once(server.address, first)?;
        }
    }
    Ok(())
}

fn best(all: Vec<Measured>) -> Measured {
    let none = Measured { per_second: 0.0, p50_ms: 0.0, p99_ms: 0.0, cpu_us: 0.0 };
    all.into_iter().min_by(|one, other| one.p50_ms.total_cmp(&other.p50_ms)).unwrap_or(none)
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
