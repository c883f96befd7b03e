//! `cargo xtask bench --growth`: what a larger municipality costs. For each size a fresh server is
//! filled through its own door with patients of about fifty resources each, and then asked the
//! questions of [`shapes`], drawn at random (the same at every run) from what was loaded.
//!
//! It measures and never judges: the ratios to the smallest size stand beside the times.

mod population;
mod shapes;

use std::path::Path;
use std::time::Instant;

use sandbox::claims::Role;
use serde_json::{Map, Value, json};

use self::population::Population;
use self::shapes::{Shape, Who};
use super::load::{self, Drive, Request, drive, find, start};
use super::server::{KOMMUNE, Server, now_ms};

/// Connections that fill.
const FILLING: usize = 4;
/// Patients that are prepared, and then sent, at a time.
const WAVE: u32 = 400;
/// Most seconds that one wave may take.
const PATIENCE: f64 = 600.0;
/// Requests prepared for each shape.
const DRAWN: usize = 200;
/// Longest time a shape is asked, in seconds, by one connection: what is measured is the time of an
/// answer and not what the server manages at once.
const SECONDS: f64 = 1.0;

/// The run at each of the sizes, the smallest first.
pub fn run(program: &Path, sizes: &[u32]) -> Result<Value, String> {
    let mut steps = Vec::new();
    for size in sizes {
        steps.push(step(program, *size)?);
    }
    let asked = steps.iter().map(|step| step.asked.clone()).collect::<Vec<_>>();
    let filled: Vec<Value> = steps.into_iter().map(|step| step.filled).collect();
    Ok(json!({ "filled": filled, "shapes": table(sizes, &asked) }))
}

/// One size.
struct Step {
    /// What filling cost.
    filled: Value,
    /// What each shape took.
    asked: Map<String, Value>,
}

fn step(program: &Path, size: u32) -> Result<Step, String> {
    let server = Server::start(program, 1, &[])?;
    let population = Population::new(size, now_ms())?;
    let token = server.token(Role::Utvikler)?;
    let begun = Instant::now();
    let mut resources = 0;
    let mut busy = 0.0;
    let cpu = server.cpu();
    for first in (0..size).step_by(WAVE as usize) {
        let wave = population.bundles(first..size.min(first + WAVE), &token);
        resources += wave.resources;
        busy += send(&server, &wave.requests)?;
        if first % (25 * WAVE) == 0 {
            eprintln!("{size} patients: {first} sent, {:.0} s", begun.elapsed().as_secs_f64());
        }
    }
    let cpu = server.cpu() - cpu;
    let mut asked = Map::new();
    for shape in shapes::all() {
        let told = ask(&server, &population, &shape)?;
        eprintln!("{size} patients: {}: {told}", shape.name);
        asked.insert(shape.name.to_owned(), told);
    }
    let memory = server.memory();
    let disk = server.stop(program)?;
    let filled = json!({
        "patients": size,
        "resources": resources,
        "resources_per_second": (f64::from(resources) / busy).round(),
        "server_cpu_us_per_resource": (cpu * 1e6 / f64::from(resources.max(1))).round(),
        "memory_mb": memory,
        "disk": disk,
    });
    Ok(Step { filled, asked })
}

/// Sends Bundles; gives the seconds it took.
fn send(server: &Server, requests: &[Request]) -> Result<f64, String> {
    let how = Drive { connections: FILLING, seconds: PATIENCE, again: false };
    let taken = |body: &[u8]| match find(body, b"\"outcome\"") {
        Some(_) => Err(format!("not everything was taken: {}", start(body))),
        None => Ok(()),
    };
    drive(server.address, requests, how, &taken).map(|driven| driven.seconds)
}

/// Asks a shape. One that the server refuses is told with its answer instead of times.
fn ask(server: &Server, population: &Population, shape: &Shape) -> Result<Value, String> {
    // Tokens are short-lived, and filling takes its time.
    let token = server.token(match shape.who {
        Who::Doctor => Role::Legevaktslege,
        Who::System => Role::Utvikler,
    })?;
    let mut requests = Vec::with_capacity(DRAWN);
    for draw in 0..DRAWN {
        let (path, form) = shape.drawn(population, draw as u64);
        let path = format!("/{KOMMUNE}/fhir/{path}");
        requests.push(match form {
            Some(form) => {
                let kind = "application/x-www-form-urlencoded";
                load::request("POST", &path, &token, kind, form.as_bytes())
            }
            None => load::request("GET", &path, &token, "", b""),
        });
    }
    for _ in 1..shape.page {
        match next_page(server, &requests, &token) {
            Ok(next) => requests = next,
            Err(refused) => return Ok(json!({ "refused": refused })),
        }
    }
    let Some(first) = requests.first() else { return Err(format!("`{}` has no page", shape.name)) };
    let answer = match load::once(server.address, first) {
        Ok(answer) => answer,
        Err(refused) => return Ok(json!({ "refused": refused })),
    };
    let how = Drive { connections: 1, seconds: SECONDS, again: true };
    let driven = drive(server.address, &requests, how, &|_| Ok(()))?;
    let found = String::from_utf8_lossy(&answer).matches("\"mode\":\"").count();
    Ok(json!({
        "p50_ms": hundredths(driven.percentile(0.50)),
        "p99_ms": hundredths(driven.percentile(0.99)),
        "count": driven.micros.len(),
        "in_the_first_answer": found,
    }))
}

/// The `next` links of what the requests answer.
fn next_page(server: &Server, requests: &[Request], token: &str) -> Result<Vec<Request>, String> {
    let mut next = Vec::new();
    for request in requests {
        let answer = load::once(server.address, request)?;
        let bundle: Value = serde_json::from_slice(&answer).map_err(|error| error.to_string())?;
        let links = bundle.get("link").and_then(Value::as_array).cloned().unwrap_or_default();
        let link = links.iter().find(|link| link.get("relation") == Some(&json!("next")));
        let Some(url) = link.and_then(|link| link.get("url")).and_then(Value::as_str) else {
            continue;
        };
        let path = url.find(&format!("/{KOMMUNE}/")).and_then(|at| url.get(at..)).unwrap_or(url);
        next.push(load::request("GET", path, token, "", b""));
    }
    if next.is_empty() { Err("no further page".to_owned()) } else { Ok(next) }
}

/// For each shape its times at every size, and how many times the smallest size's median.
fn table(sizes: &[u32], asked: &[Map<String, Value>]) -> Value {
    let median = |told: Option<&Value>| told?.get("p50_ms")?.as_f64();
    let rows = shapes::all().map(|shape| {
        let of = |step: &Map<String, Value>| step.get(shape.name).cloned();
        let first = median(asked.first().and_then(of).as_ref());
        let row: Map<String, Value> = sizes
            .iter()
            .zip(asked)
            .map(|(size, step)| {
                let mut told = of(step).unwrap_or_default();
                let ratio = median(Some(&told)).zip(first).map(|(p50, first)| p50 / first);
                if let (Some(told), Some(ratio)) = (told.as_object_mut(), ratio) {
                    told.insert("ratio".to_owned(), json!(hundredths(ratio)));
                }
                (size.to_string(), told)
            })
            .collect();
        (shape.name.to_owned(), Value::Object(row))
    });
    Value::Object(rows.collect())
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
