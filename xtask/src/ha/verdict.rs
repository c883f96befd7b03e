//! What was acknowledged against what is there, and how long each fault was felt.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::{Value, json};

use super::client::{Client, Latest};
use super::cluster::Cluster;
use super::load::Seen;
use super::scenario::Fault;
use super::servers::Servers;
use crate::bench::server::KOMMUNE;

/// The longest that writing may rest, in seconds.
const LONGEST: f64 = 30.0;

/// The report of a run, and what is wrong.
pub struct Verdict {
    /// One object.
    pub report: Value,
    /// The same to be read.
    pub table: String,
    /// What was lost, doubled or too slow; nothing where all is well.
    pub faults: Vec<String>,
}

/// What took part.
pub struct Stage<'a> {
    pub cluster: &'a Cluster,
    pub servers: &'a Servers,
    pub patients: &'a [String],
}

/// Compares everything, when the load has ended, and ends the servers.
///
/// # Errors
/// Only where nothing can be compared.
pub fn judge(
    stage: &Stage<'_>,
    (seen, latest): &(Seen, Latest),
    faults: &[Fault],
) -> Result<Verdict, String> {
    let mut wrong = Vec::new();
    let mut reader = Client::employee(stage.servers, stage.patients)?;
    let kept = everywhere(stage.servers, &mut reader, latest, seen, &mut wrong);
    probes(stage.cluster, faults, &mut wrong);
    stage.servers.end()?;
    let verified = stage.servers.verify().unwrap_or_else(|error| {
        wrong.push(format!("the chain is not whole: {error}"));
        error
    });
    if let Err(error) = is_moved(stage, &verified) {
        wrong.push(format!("moved to another database it is not whole: {error}"));
    }
    let mut table = format!(
        "{:<24} {:>12} {:>12} {:>12} {:>12}\n",
        "fault", "whole, s", "unwritten, s", "reads", "failed"
    );
    let mut told = Vec::new();
    for fault in faults {
        let felt = feel(seen, fault);
        if felt.gap > LONGEST {
            wrong.push(format!("{}: nothing was written for {:.1} s", fault.name, felt.gap));
        }
        if let Some(error) = &felt.error {
            let failed = felt.failed;
            wrong.push(format!("{}: {failed} reads failed, first: {error}", fault.name));
        }
        let whole = fault.to - fault.from;
        let (gap, reads, failed) = (felt.gap, felt.reads, felt.failed);
        // Writing to a string does not fail.
        let _ = writeln!(
            table,
            "{:<24} {whole:>12.1} {gap:>12.1} {reads:>12} {failed:>12}",
            fault.name
        );
        told.push(json!({
            "fault": fault.name,
            "seconds_until_whole": round(whole),
            "seconds_without_acknowledged_write": round(gap),
            "reads_of_surviving_servers": reads,
            "failed_reads_of_surviving_servers": failed,
            "slowest_read_ms": round(felt.slowest),
            "writes_tried_at_deposed_primary": fault.probed.as_ref().map(|it| it.tried),
            "acknowledged_by_deposed_primary": fault.probed.as_ref().map(|it| it.acknowledged.len()),
        }));
    }
    let report = json!({
        "acknowledged": seen.acknowledged.len(),
        "kept": kept,
        "refused_and_sent_again": seen.refused,
        "reads": seen.reads.len(),
        "faults": told,
        "bytes_in_the_database": sizes(stage.cluster)?,
        "verified": verified.lines().collect::<Vec<_>>(),
        "wrong": wrong,
    });
    Ok(Verdict { report, table, faults: wrong })
}

/// Every acknowledged event once on every server, and all servers alike; how many are kept.
fn everywhere(
    servers: &Servers,
    reader: &mut Client<'_>,
    latest: &Latest,
    seen: &Seen,
    wrong: &mut Vec<String>,
) -> usize {
    let mut first: Option<BTreeSet<u64>> = None;
    for server in 0..servers.count() {
        let events = match reader.all(server, latest) {
            Ok(events) => events,
            Err(error) => {
                wrong.push(format!("server {server} does not answer: {error}"));
                continue;
            }
        };
        let there: BTreeSet<u64> = events.iter().copied().collect();
        if there.len() != events.len() {
            wrong.push(format!("server {server}: {} events twice", events.len() - there.len()));
        }
        let lost: Vec<&u64> =
            seen.acknowledged.keys().filter(|event| !there.contains(event)).collect();
        if !lost.is_empty() {
            wrong.push(format!("server {server}: acknowledged and lost: {lost:?}"));
        }
        match &first {
            None => first = Some(there),
            Some(other) if *other != there => {
                let apart = other.symmetric_difference(&there).count();
                wrong.push(format!("server {server} differs from the first in {apart} events"));
            }
            Some(_) => {}
        }
    }
    first.map_or(0, |there| there.len())
}

/// Moves the municipality to another database, where the same has to be found.
fn is_moved(stage: &Stage<'_>, verified: &str) -> Result<(), String> {
    stage.cluster.copy_municipality(KOMMUNE, "moved")?;
    stage.servers.name_database("/fkj\"", "/moved\"")?;
    let there = stage.servers.verify()?;
    if there == verified { Ok(()) } else { Err(format!("`{there}`, and before `{verified}`")) }
}

/// What an entry of each ledger takes in the database, with its indexes.
fn sizes(cluster: &Cluster) -> Result<Value, String> {
    let of = |ledger: &str| -> Result<f64, String> {
        let schema = format!("fkj_{KOMMUNE}_{ledger}");
        let told = cluster.sql(
            "fkj",
            &format!(
                "SELECT sum(pg_total_relation_size(oid)) / (SELECT count(*) FROM {schema}.entry)
                 FROM pg_class WHERE relkind = 'r' AND relnamespace = '{schema}'::regnamespace"
            ),
        )?;
        told.trim().parse::<f64>().map(f64::round).map_err(|error| error.to_string())
    };
    Ok(json!({ "ledger_entry": of("ledger")?, "audit_entry": of("audit")? }))
}

/// What was acknowledged beside a primary is there, and after it was cut off nothing was acknowledged.
fn probes(cluster: &Cluster, faults: &[Fault], wrong: &mut Vec<String>) {
    let there = cluster.sql("fkj", "SELECT number FROM probe").unwrap_or_default();
    let there: BTreeSet<&str> = there.lines().collect();
    for probed in faults.iter().filter_map(|fault| fault.probed.as_ref()) {
        if probed.tried == 0 || probed.before.is_empty() {
            wrong.push("nobody could write to the primary before it was cut off".to_owned());
        }
        if !probed.acknowledged.is_empty() {
            let count = probed.acknowledged.len();
            wrong.push(format!("a deposed primary acknowledged {count} writes"));
        }
        let lost = probed.before.iter().filter(|it| !there.contains(it.to_string().as_str()));
        let lost: Vec<_> = lost.collect();
        if !lost.is_empty() {
            wrong.push(format!(
                "acknowledged by a primary before it was cut off, and lost: {lost:?}"
            ));
        }
    }
}

/// How a fault was felt from outside.
struct Felt {
    gap: f64,
    reads: usize,
    failed: usize,
    slowest: f64,
    error: Option<String>,
}

fn feel(seen: &Seen, fault: &Fault) -> Felt {
    let mut times: Vec<f64> = seen.acknowledged.values().copied().collect();
    times.sort_by(f64::total_cmp);
    let gaps = times.windows(2).filter_map(|two| match two {
        [before, after] if *after > fault.from && *before < fault.to => Some(after - before),
        _ => None,
    });
    let survives = |server: usize, at: f64| {
        // A read that was under way when its server was killed is that server's.
        !fault.down.is_some_and(|(down, from, to)| down == server && at > from - 1.0 && at < to)
    };
    let during = seen.reads.iter().filter(|read| read.at > fault.from && read.at < fault.to);
    let reads: Vec<_> = during.filter(|read| survives(read.server, read.at)).collect();
    let failed: Vec<&String> = reads.iter().filter_map(|it| it.answer.as_ref().err()).collect();
    let slowest = reads.iter().filter_map(|it| it.answer.as_ref().ok()).fold(0.0, |a, b| b.max(a));
    Felt {
        gap: gaps.fold(0.0, f64::max),
        reads: reads.len(),
        failed: failed.len(),
        slowest,
        error: failed.first().map(|it| (*it).clone()),
    }
}

fn round(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}
