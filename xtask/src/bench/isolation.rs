//! `cargo xtask bench --isolation`: what those who read in one municipality notice of another, in the same
//! process and on the same disk, that is at full load, or that is sent what it must refuse.
//!
//! The reads are the same alone and beside each load, in turn, several times; of each the median is told.
//! Client, load and server share the cores, which a server of its own would not.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use sandbox::claims::Role;
use serde_json::{Value, json};

use super::Scale;
use super::load::{self, Drive, Request, drive, find, start};
use super::material::{self, Material};
use super::server::{KOMMUNE, NEIGHBOUR, Server, now_ms};

/// Connections that read.
const READERS: usize = 4;
/// Connections that load.
const LOADERS: usize = 4;
/// Seconds of each measurement.
const SECONDS: f64 = 5.0;
/// How often each is measured.
const ROUNDS: usize = 3;
/// Resources in a Bundle.
const SIZE: usize = 500;
/// Enough of them that none is sent twice while a load lasts.
const SCALE: Scale =
    Scale { residents: 200, measured: 2_500, each: 60, imported: 40, events: 0, seconds: SECONDS };

/// Measures reads alone, beside Bundles and an import, and beside poison.
pub fn run(program: &Path) -> Result<Value, String> {
    let server = Server::start(program, SCALE.residents, &[])?;
    let material = Material::new(SCALE, now_ms())?;
    let token = server.token(Role::Vkp)?;
    let path = format!("/{KOMMUNE}/fhir");
    let measurements = material.measurements();
    let bundles = material::bundles(&measurements, SIZE, "transaction", &path, &token);
    let imported = material.imported();
    let poison = poison(&measurements, &path, &token);
    let reads = reads(&server)?;
    let (mut alone, mut bulk, mut beside_poison) = (Vec::new(), Vec::new(), Vec::new());
    let part = bundles.len() / ROUNDS;
    for (round, bundles) in bundles.chunks(part.max(1)).take(ROUNDS).enumerate() {
        let lines = imported.len() / ROUNDS;
        let lines = imported.get(round * lines..(round + 1) * lines).unwrap_or_default();
        let import = material::import(lines, &format!("isolation-{round}"), &token);
        alone.push(measure(&server, &reads, &[])?);
        bulk.push(measure(&server, &reads, &[bundles, &[import]])?);
        beside_poison.push(measure(&server, &reads, &[&poison])?);
    }
    let alone = median(alone);
    Ok(json!({
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "alone": alone.told(),
        "beside_bulk": median(bulk).beside(&alone),
        "beside_poison": median(beside_poison).beside(&alone),
    }))
}

/// Transactions of which the last resource cannot be taken, so that nothing of them is, after all the work.
fn poison(measurements: &[String], path: &str, token: &str) -> Vec<Request> {
    let broken = measurements.iter().take(SIZE * LOADERS).enumerate().map(|(i, resource)| {
        if i % SIZE == SIZE - 1 {
            resource.replacen("\"final\"", "\"ended\"", 1)
        } else {
            resource.clone()
        }
    });
    let broken: Vec<String> = broken.collect();
    material::bundles(&broken, SIZE, "transaction", path, token)
}

/// Reads of single Observations of the neighbour.
fn reads(server: &Server) -> Result<Vec<Request>, String> {
    let token = server.token_of(NEIGHBOUR, Role::Legevaktslege)?;
    let ids = server.ids(NEIGHBOUR, "Observation")?;
    let path = |id: &String| format!("/{NEIGHBOUR}/fhir/Observation/{id}");
    Ok(ids.iter().map(|id| load::request("GET", &path(id), &token, "", b"")).collect())
}

/// What was measured of the reads, and how much the load sent meanwhile.
#[derive(Clone, Copy)]
struct Measured {
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    sent: usize,
}

impl Measured {
    fn told(&self) -> Value {
        json!({
            "per_second": self.per_second.round(),
            "p50_ms": hundredths(self.p50_ms),
            "p99_ms": hundredths(self.p99_ms),
        })
    }

    fn beside(&self, alone: &Measured) -> Value {
        json!({
            "reads": self.told(),
            "load_requests": self.sent,
            "p50_of_alone": hundredths(self.p50_ms / alone.p50_ms),
            "p99_of_alone": hundredths(self.p99_ms / alone.p99_ms),
        })
    }
}

/// Reads while each of the loads is sent, by connections of its own.
fn measure(server: &Server, reads: &[Request], loads: &[&[Request]]) -> Result<Measured, String> {
    let done = AtomicBool::new(false);
    let found = |body: &[u8]| match find(body, b"\"Observation\"") {
        Some(_) => Ok(()),
        None => Err(format!("not what was asked for: {}", start(body))),
    };
    let how = Drive { connections: READERS, seconds: SECONDS, again: true };
    let sending = |load: &[Request], at: usize| {
        let own = load.iter().skip(at).step_by(LOADERS).cycle();
        // What is refused is refused: that is what poison is for.
        own.take_while(|_| !done.load(Ordering::Relaxed))
            .map(|request| drop(load::once(server.address, request)))
            .count()
    };
    let (driven, sent) = std::thread::scope(|scope| {
        let all = loads.iter().flat_map(|load| (0..LOADERS).map(move |at| (*load, at)));
        let sending = &sending;
        let threads: Vec<_> =
            all.map(|(load, at)| scope.spawn(move || sending(load, at))).collect();
        let driven = drive(server.address, reads, how, &found);
        done.store(true, Ordering::Relaxed);
        (driven, threads.into_iter().filter_map(|thread| thread.join().ok()).sum())
    });
    let driven = driven?;
    Ok(Measured {
        per_second: driven.per_second(),
        p50_ms: driven.percentile(0.50),
        p99_ms: driven.percentile(0.99),
        sent,
    })
}

/// The one whose p99 lies in the middle.
fn median(mut all: Vec<Measured>) -> Measured {
    all.sort_by(|one, other| one.p99_ms.total_cmp(&other.p99_ms));
    let none = Measured { per_second: 0.0, p50_ms: 0.0, p99_ms: 0.0, sent: 0 };
    all.get(all.len() / 2).copied().unwrap_or(none)
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
