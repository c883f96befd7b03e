//! `fkj audit`: checkpoints, proofs, and their verification by anybody.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use exchange::proof::Log;
use exchange::tenant::Tenant;
use ledger::note::{Checkpoint, Proof, VerifierKey, several};
use ledger::verify::{Trust, verify as verify_ledger};

use crate::command::analyse::{Analyse, People};
use crate::command::register::open;
use crate::command::serve::runtime;
use crate::command::{Failed, Place};

/// What is asked of the log.
#[derive(clap::Subcommand)]
pub enum AuditAction {
    /// Print the public key of the checkpoints. The server must not be running.
    Key(Of),
    /// Sign a checkpoint of all that is there, and print it. The server must not be running.
    Checkpoint(Of),
    /// Print an entry with the proof that it is in the log. The server must not be running.
    Prove(Prove),
    /// Verify a proof, or a ledger against checkpoints that were kept elsewhere. Needs no server, and
    /// for a proof no data folder.
    Verify(Verify),
    /// Print what the analysis of the log would ask about in a stretch of days. Puts nothing on the work
    /// list. The server must not be running.
    Analyse(Analyse),
    /// Take in what the personnel system tells of employees, in place of what it told before. The server
    /// must not be running.
    People(People),
}

/// Which log.
#[derive(clap::Args)]
pub struct Of {
    #[command(flatten)]
    place: Place,
    /// `audit`, the log of looks, or `clinical`.
    #[arg(long, default_value = "audit")]
    ledger: String,
}

/// Arguments of `fkj audit prove`.
#[derive(clap::Args)]
pub struct Prove {
    #[command(flatten)]
    of: Of,
    /// Position of the entry.
    #[arg(long)]
    position: u64,
    /// Size of the checkpoint to prove it against; a new one if left out.
    #[arg(long)]
    size: Option<u64>,
}

/// Arguments of `fkj audit verify`.
#[derive(clap::Args)]
pub struct Verify {
    /// The log's public key, as `fkj audit key` prints it, from where you trust.
    #[arg(long)]
    key: String,
    /// A proof to verify.
    #[arg(long, conflicts_with_all = ["known", "file"])]
    proof: Option<PathBuf>,
    /// A file with checkpoints that were kept elsewhere.
    #[arg(long, requires = "file")]
    known: Option<PathBuf>,
    /// A copy of the ledger, `audit.db` or `ledger.db`, to verify against them.
    #[arg(long, requires = "known")]
    file: Option<PathBuf>,
}

impl Of {
    fn each(
        &self,
        work: impl Fn(&Tenant, Log) -> Result<String, Failed>,
    ) -> Result<ExitCode, Failed> {
        let log = Log::from_key(&self.ledger).ok_or("the ledgers are `audit` and `clinical`")?;
        for municipality in self.place.municipalities()? {
            let tenant = open(&municipality)?;
            println!("{}", work(&tenant, log)?.trim_end_matches('\n'));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Carries the command out.
pub fn run(action: &AuditAction) -> Result<ExitCode, Failed> {
    match action {
        AuditAction::Key(of) => {
            of.each(|tenant, log| Ok(tenant.log(log).verifier_key()?.to_string()))
        }
        AuditAction::Checkpoint(of) => of.each(|tenant, log| {
            let signed = runtime()?.block_on(tenant.log(log).sign_checkpoint())?;
            signed.ok_or_else(|| "the ledger is empty".into())
        }),
        AuditAction::Prove(prove) => prove.of.each(|tenant, log| {
            if prove.size.is_none() {
                runtime()?.block_on(tenant.log(log).sign_checkpoint())?;
            }
            let proof = tenant.log(log).proof(prove.position, prove.size)?;
            let proof = proof.ok_or("no such entry, or no such checkpoint that reaches it")?;
            Ok(proof.to_string())
        }),
        AuditAction::Verify(asked) => verify(asked),
        AuditAction::Analyse(asked) => asked.run(),
        AuditAction::People(asked) => asked.run(),
    }
}

fn verify(asked: &Verify) -> Result<ExitCode, Failed> {
    let key = VerifierKey::parse(&asked.key)?;
    match (&asked.proof, &asked.known, &asked.file) {
        (Some(file), _, _) => proven(&std::fs::read_to_string(file)?, &key),
        (None, Some(known), Some(file)) => {
            let notes = std::fs::read_to_string(known)?;
            whole(&key, &several(&notes), file)
        }
        _ => Err("give `--proof FILE`, or `--known FILE --file LEDGER`".into()),
    }
}

/// An entry against its checkpoint.
fn proven(text: &str, key: &VerifierKey) -> Result<ExitCode, Failed> {
    let (Proof { entry, .. }, checkpoint) = Proof::verify(text, key)?;
    println!(
        "entry {} of {}: recorded {}, source {}, category {}, person {}",
        entry.position,
        checkpoint.origin,
        fhir::instant::format_instant(entry.recorded_at),
        entry.source,
        entry.category,
        entry.person.map_or_else(|| "none".to_owned(), |person| person.to_string()),
    );
    println!("it is in the checkpoint of {} entries, which is signed", checkpoint.size);
    Ok(ExitCode::SUCCESS)
}

/// A whole ledger against what was kept of it.
fn whole(key: &VerifierKey, notes: &[String], file: &Path) -> Result<ExitCode, Failed> {
    let opened: Result<Vec<Checkpoint>, _> = notes
        .iter()
        .filter(|note| note.lines().next() == Some(key.origin.as_str()))
        .map(|note| Checkpoint::open(note, key))
        .collect();
    let checkpoints = opened?;
    if checkpoints.is_empty() {
        return Err(format!("the file has no checkpoint of {}", key.origin).into());
    }
    let name = key.origin.split_once('/').map(|(_, name)| name).unwrap_or_default();
    let trust = Trust {
        ledger: name,
        public_key: None,
        checkpoint_key: key,
        heads: &[],
        checkpoints: &checkpoints,
    };
    let report = verify_ledger(file, &trust, |_, _| {})?;
    for fault in &report.faults {
        println!("position {}: {}; {}", fault.position, fault.what, fault.what.what_to_do());
    }
    if !report.is_sound() {
        return Ok(ExitCode::FAILURE);
    }
    println!(
        "{} entries; nothing before the {} checkpoints given was changed",
        report.entries,
        checkpoints.len()
    );
    Ok(ExitCode::SUCCESS)
}
