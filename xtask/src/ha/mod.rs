//! `cargo xtask ha`: three servers of fkj on a replicated PostgreSQL lose machines, networks and disks under
//! load, and what was acknowledged is compared with what is there.
//!
//! Three nodes with etcd, Patroni and PostgreSQL and three with `fkj` stand in networks of their own on this machine
//! ([`world`]). Each fault is played and healed while systems write and employees read; `--seconds` repeats
//! all of them for so long. Prints a table, then one JSON object; anything lost, doubled, too slow or unread fails.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

mod client;
mod cluster;
mod load;
mod probe;
mod scenario;
mod servers;
mod verdict;
mod world;

const USAGE: &str = "usage: cargo xtask ha [--seconds 0]";

/// How the run inside its own world is told apart.
const INSIDE: &str = "--inside";

/// Programs that it needs, each with its package.
const NEEDED: [(&str, &str); 6] = [
    ("/usr/bin/unshare", "util-linux"),
    ("/usr/sbin/ip", "iproute2"),
    ("/usr/bin/openssl", "openssl"),
    ("/usr/bin/etcd", "etcd-server"),
    ("/usr/bin/patroni", "patroni"),
    ("/usr/lib/postgresql", "postgresql"),
];

/// Runs it.
pub fn run(arguments: &[&str]) -> Result<(), String> {
    let seconds = |text: &str| text.parse().map_err(|_| USAGE.to_owned());
    match arguments {
        [] => enter("0"),
        ["--seconds", number] => seconds(number).and_then(|_: u64| enter(number)),
        [INSIDE, number, program] => inside(Duration::from_secs(seconds(number)?), program.into()),
        _ => Err(USAGE.to_owned()),
    }
}

fn enter(seconds: &str) -> Result<(), String> {
    let missing: Vec<&str> =
        NEEDED.iter().filter(|(path, _)| !Path::new(path).exists()).map(|(_, it)| *it).collect();
    if !missing.is_empty() {
        return Err(format!("missing: `apt-get install {}`", missing.join(" ")));
    }
    let program = build()?.display().to_string();
    world::enter(&["ha", INSIDE, seconds, &program])
}

/// The server as the tests build it, and where it is; `FKJ` names another that is there.
fn build() -> Result<PathBuf, String> {
    if let Some(program) = std::env::var_os("FKJ") {
        return Ok(program.into());
    }
    // Of the whole workspace, so that nothing is built otherwise than for all tests.
    let mut cargo = Command::new(env!("CARGO"));
    let built = cargo.args(["build", "--quiet", "--workspace", "--bin", "fkj"]).status();
    if !built.is_ok_and(|status| status.success()) {
        return Err("cannot build the server".to_owned());
    }
    Ok(root()?.join("target/debug/fkj"))
}

fn root() -> Result<&'static Path, String> {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or_else(|| "no workspace".to_owned())
}

/// In its own world, which is gone when this ends.
fn inside(time: Duration, program: PathBuf) -> Result<(), String> {
    let begun = Instant::now();
    let world = world::World::prepare(root()?.join("target/ha"))?;
    let mut cluster = cluster::Cluster::start(&world)?;
    cluster.sql("fkj", "CREATE TABLE probe(number bigint PRIMARY KEY)")?;
    eprintln!("the cluster is whole after {:.1} s", begun.elapsed().as_secs_f64());
    let servers = servers::Servers::start(&world, &cluster, program)?;
    let patients = client::patients()?;
    eprintln!("the servers answer after {:.1} s", begun.elapsed().as_secs_f64());
    let load = load::Load::new(&servers, &patients);
    let faults = load.during(|load| {
        let mut play = scenario::Play { cluster: &mut cluster, servers: &servers, load };
        let mut faults = Vec::new();
        for round in 0.. {
            faults.extend(play.round(round)?);
            if begun.elapsed() >= time {
                break;
            }
        }
        Ok(faults)
    })?;
    let stage = verdict::Stage { cluster: &cluster, servers: &servers, patients: &patients };
    let verdict = verdict::judge(&stage, &load.into_seen(), &faults)?;
    eprint!("{}", verdict.table);
    println!("{:#}", verdict.report);
    match verdict.faults.as_slice() {
        [] => Ok(()),
        faults => Err(faults.join("\n")),
    }
}
