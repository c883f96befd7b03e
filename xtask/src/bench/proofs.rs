//! What a proof costs: the same cheap request, one kind with a Bearer token and one with a token bound to a
//! key and a proof of its own. The difference of processor time is the proof's: a signature, a thumbprint,
//! and the memory of proofs.

use std::path::Path;

use sandbox::claims::Role;
use sandbox::holder::{Holder, ProofOf};
use serde_json::{Value, json};

use super::load::{self, Drive, Request, drive, find};
use super::server::{KOMMUNE, Server, cpu, now_ms};

/// Requests of each kind.
const COUNT: usize = 8_000;
/// Connections that send them.
const CONNECTIONS: usize = 8;
/// Proofs are good for ten seconds, and making them takes one of these.
const SECONDS: f64 = 8.0;

/// Measures both, several times in turn, and takes the least of each: what else the machine does only adds.
pub fn run(program: &Path) -> Result<Value, String> {
    let (bearer, dpop) =
        (Server::start(program, 0, &[])?, Server::start(program, 0, &["--tokens", "dpop"])?);
    let (mut plain, mut proved) = (f64::MAX, f64::MAX);
    for round in 0..4 {
        let token = bearer.token(Role::Utvikler)?;
        let request = load::request("GET", &path(), &token, "", b"");
        plain = plain.min(measure(&bearer, &vec![request; COUNT])?);
        proved = proved.min(measure(&dpop, &with_proofs(&dpop, round)?)?);
    }
    Ok(json!({
        "bearer_server_cpu_us": plain.round(),
        "dpop_server_cpu_us": proved.round(),
        "proof_us": (proved - plain).round(),
    }))
}

/// A question of terminology: it needs a token, and nothing is looked up or logged about anybody.
fn path() -> String {
    format!(
        "/{KOMMUNE}/fhir/CodeSystem/$lookup?system=http://hl7.org/fhir/administrative-gender&code=male"
    )
}

fn with_proofs(server: &Server, round: usize) -> Result<Vec<Request>, String> {
    let failed = |error: sandbox::issuer::IssuerError| error.to_string();
    let holder = Holder::new().map_err(failed)?;
    let token = server.bound_token(Role::Utvikler, &holder.thumbprint().map_err(failed)?)?;
    let address = format!("http://{}{}", server.address, path());
    (0..COUNT)
        .map(|at| {
            let jti = format!("{round}-{at}");
            let of = ProofOf {
                method: "GET",
                address: &address,
                token: &token,
                now_s: now_ms() / 1000,
                jti: &jti,
            };
            let proof = holder.proof(&of).map_err(failed)?;
            Ok(load::proved("GET", &path(), &token, &proof))
        })
        .collect()
}

/// Microseconds of the server's processor time for each request.
fn measure(server: &Server, requests: &[Request]) -> Result<f64, String> {
    let how = Drive { connections: CONNECTIONS, seconds: SECONDS, again: false };
    let found = |body: &[u8]| match find(body, b"Male") {
        Some(_) => Ok(()),
        None => Err(format!("not what was asked for: {}", load::start(body))),
    };
    let before = cpu(&server.process());
    let driven = drive(server.address, requests, how, &found)?;
    Ok((cpu(&server.process()) - before) * 1e6 / driven.micros.len().max(1) as f64)
}
