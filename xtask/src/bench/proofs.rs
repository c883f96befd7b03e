//! What a proof costs: the same requests, one kind with a Bearer token and one with a token bound to a
//! key and a proof of its own, to two servers that are alike in all else. Asked in turn, several times, and of
//! each the best is taken: what else the machine does only adds.
//!
//! Two requests: a question of terminology, where only the token is at work, and a read of a resource, with
//! decision and audit. The difference of processor time is the proof's: a signature, a thumbprint, and the
//! memory of proofs.

use std::path::Path;

use sandbox::claims::Role;
use sandbox::holder::{Holder, ProofOf};
use serde_json::{Value, json};

use super::load::{self, Drive, Request, drive, find};
use super::server::{KOMMUNE, Server, now_ms};

/// Requests of each kind.
const COUNT: usize = 20_000;
/// Connections that send them.
const CONNECTIONS: usize = 32;
/// Proofs are good for ten seconds, and making them takes one or two of these.
const SECONDS: f64 = 7.0;
/// How often each is measured.
const ROUNDS: usize = 4;
/// Residents of each server, whose resources are read.
const RESIDENTS: u32 = 200;

/// Measures both requests.
pub fn run(program: &Path) -> Result<Value, String> {
    let servers = [
        Server::start(program, RESIDENTS, &[])?,
        Server::start(program, RESIDENTS, &["--tokens", "dpop"])?,
    ];
    let lookup = format!(
        "/{KOMMUNE}/fhir/CodeSystem/$lookup?system=http://hl7.org/fhir/administrative-gender&code=male"
    );
    let lookups = [vec![lookup.clone()], vec![lookup]];
    let reads = [patients(&servers[0])?, patients(&servers[1])?];
    Ok(json!({
        "lookup": compare(&servers, &lookups, Role::Utvikler)?,
        "read": compare(&servers, &reads, Role::Legevaktslege)?,
    }))
}

/// Addresses of the residents' Patients, as the view of a server knows them.
fn patients(server: &Server) -> Result<Vec<String>, String> {
    let ids = server.ids(KOMMUNE, "Patient")?;
    Ok(ids.into_iter().map(|id| format!("/{KOMMUNE}/fhir/Patient/{id}")).collect())
}

/// What a server did of one kind of request.
#[derive(Clone, Copy)]
struct Measured {
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    cpu_us: f64,
}

fn compare(servers: &[Server; 2], paths: &[Vec<String>; 2], role: Role) -> Result<Value, String> {
    let ([bearer, dpop], [plain, proved]) = (servers, paths);
    let mut best: [Option<Measured>; 2] = [None; 2];
    for round in 0..ROUNDS {
        let token = bearer.token(role)?;
        let requests: Vec<Request> =
            cycled(plain).map(|path| load::request("GET", path, &token, "", b"")).collect();
        better(&mut best[0], measure(bearer, &requests)?);
        better(&mut best[1], measure(dpop, &with_proofs(dpop, proved, role, round)?)?);
    }
    let [Some(plain), Some(proved)] = best else { return Err("nothing was measured".to_owned()) };
    let told = |it: Measured| {
        json!({
            "per_second": it.per_second.round(),
            "p50_ms": it.p50_ms,
            "p99_ms": it.p99_ms,
            "server_cpu_us": it.cpu_us.round(),
        })
    };
    Ok(json!({
        "bearer": told(plain),
        "dpop": told(proved),
        "of_bearer": (proved.per_second / plain.per_second * 100.0).round() / 100.0,
        "proof_us": (proved.cpu_us - plain.cpu_us).round(),
    }))
}

fn better(best: &mut Option<Measured>, new: Measured) {
    if best.is_none_or(|best| new.per_second > best.per_second) {
        *best = Some(new);
    }
}

fn cycled(paths: &[String]) -> impl Iterator<Item = &String> {
    paths.iter().cycle().take(COUNT)
}

fn with_proofs(
    server: &Server,
    paths: &[String],
    role: Role,
    round: usize,
) -> Result<Vec<Request>, String> {
    let failed = |error: sandbox::issuer::IssuerError| error.to_string();
    let holder = Holder::new().map_err(failed)?;
    let token = server.bound_token(role, &holder.thumbprint().map_err(failed)?)?;
    cycled(paths)
        .enumerate()
        .map(|(at, path)| {
            let jti = format!("{round}-{at}");
            let of = ProofOf {
                method: "GET",
                address: &format!("http://{}{path}", server.address),
                token: &token,
                now_s: now_ms() / 1000,
                jti: &jti,
            };
            let proof = holder.proof(&of).map_err(failed)?;
            Ok(load::proved("GET", path, &token, &proof))
        })
        .collect()
}

fn measure(server: &Server, requests: &[Request]) -> Result<Measured, String> {
    let how = Drive { connections: CONNECTIONS, seconds: SECONDS, again: false };
    let found = |body: &[u8]| match find(body, b"\"resourceType\"") {
        Some(_) => Ok(()),
        None => Err(format!("not what was asked for: {}", load::start(body))),
    };
    let before = server.cpu();
    let driven = drive(server.address, requests, how, &found)?;
    let each = (server.cpu() - before) * 1e6 / driven.micros.len().max(1) as f64;
    Ok(Measured {
        per_second: driven.per_second(),
        p50_ms: driven.percentile(0.50),
        p99_ms: driven.percentile(0.99),
        cpu_us: each,
    })
}
