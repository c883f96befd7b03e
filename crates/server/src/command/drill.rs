//! `fkj restore-drill`: what would happen if it had to be, tried out and told.
//!
//! Each municipality is verified in the backup, restored into a folder of its own, opened with its key, its view
//! made, and what is there compared with what the backup holds. The folder is taken away afterwards.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use access::register::Register;
use exchange::tenant::Tenant;
use ledger::append::Body;
use ledger::backup::check::{Checked, check};
use ledger::backup::place::Folder;
use ledger::backup::restore::Until;
use ledger::ledger::Ledger;
use serde_json::{Value, json};

use crate::command::Failed;
use crate::command::backup::places;
use crate::command::restore::{into, key_of};
use crate::command::serve::environment;
use crate::config::{REGISTER_FILE, read_text};

/// Entries read at a time.
const STEP: usize = 1_000;

/// Arguments of `fkj restore-drill`.
#[derive(clap::Args)]
pub struct RestoreDrill {
    /// Folder with the backups.
    #[arg(long)]
    from: PathBuf,
    /// Configuration that names the municipalities' keys.
    #[arg(long)]
    key_config: PathBuf,
    /// Folder to restore into, which must not be there; taken away afterwards.
    #[arg(long)]
    to: PathBuf,
    /// File for the report as JSON.
    #[arg(long)]
    report: Option<PathBuf>,
    /// Municipality number; all of them if left out.
    #[arg(long)]
    kommune: Option<String>,
}

impl RestoreDrill {
    /// Does it for each municipality; fails where anything is not as it should be.
    pub fn run(self) -> Result<ExitCode, Failed> {
        if self.to.exists() {
            return Err(
                format!("`{}` is there already; name a new folder", self.to.display()).into()
            );
        }
        let places = places(&self.from, self.kommune.as_deref())?;
        let mut reports = Vec::new();
        let mut is_whole = true;
        for (number, folder) in &places {
            let begun = Instant::now();
            let drilled = self.drill(number, folder);
            // Restored persons' data must not be left lying about.
            let gone = if self.to.exists() { std::fs::remove_dir_all(&self.to) } else { Ok(()) };
            let mut report = drilled
                .unwrap_or_else(|error| json!({ "whole": false, "faults": [error.to_string()] }));
            gone?;
            report["municipality"] = json!(number);
            report["seconds"] = json!(begun.elapsed().as_secs_f64());
            is_whole &= report["whole"] == true;
            print(number, &report);
            reports.push(report);
        }
        if let Some(file) = &self.report {
            let at = fhir::instant::format_instant(environment().clock.now_ms());
            let all = json!({ "at": at, "whole": is_whole, "municipalities": reports });
            std::fs::write(file, serde_json::to_string_pretty(&all)? + "\n")?;
        }
        Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn drill(&self, number: &str, folder: &Folder) -> Result<Value, Failed> {
        let mut seconds = BTreeMap::new();
        let mut timed = Instant::now();
        let mut lap = |name: &'static str| {
            seconds.insert(name, timed.elapsed().as_secs_f64());
            timed = Instant::now();
        };
        let checked = check(folder, &[])?;
        lap("verify");
        let faults: Vec<String> = checked.faults.iter().map(ToString::to_string).collect();
        if !faults.is_empty() {
            return Ok(json!({ "whole": false, "faults": faults }));
        }
        let to = self.to.join(number);
        into(folder, Until::Newest, &to, number, Some(&self.key_config))?;
        lap("restore");
        let service = key_of(&self.key_config, number)?;
        let register: Register = toml::from_str(&read_text(&to.join(REGISTER_FILE))?)?;
        let tenant = Tenant::open_with(&to, register, environment(), service)?;
        lap("view");
        let found = compared(&checked, &tenant)?;
        lap("read");
        Ok(json!({
            "whole": found.1.is_empty(),
            "backup": fhir::instant::format_instant(checked.newest),
            "ledgers": found.0,
            "view": tenant.visible(),
            "faults": found.1,
            "steps": seconds,
        }))
    }
}

/// What the restored ledgers hold beside what the backup holds, and what differs.
fn compared(checked: &Checked, tenant: &Tenant) -> Result<(Vec<Value>, Vec<String>), Failed> {
    let (mut told, mut faults) = (Vec::new(), Vec::new());
    for (wanted, ledger) in checked.ledgers.iter().zip([tenant.ledger(), tenant.audit()]) {
        let read = read(ledger)?;
        if read.kinds != wanted.kinds {
            faults.push(format!("{}: other entries than the backup holds", wanted.ledger));
        }
        told.push(json!({
            "ledger": wanted.ledger, "entries": wanted.entries, "kinds": wanted.kinds,
            "opened": read.opened, "erased": read.erased,
        }));
    }
    let last = checked.ledgers.first().map_or(0, |ledger| ledger.entries);
    if tenant.visible() != last {
        faults.push(format!("the view reached position {}, not {last}", tenant.visible()));
    }
    Ok((told, faults))
}

#[derive(Default)]
struct Read {
    kinds: BTreeMap<String, u64>,
    opened: u64,
    erased: u64,
}

/// Opens every body.
fn read(ledger: &Ledger) -> Result<Read, Failed> {
    let (mut read, mut next) = (Read::default(), 1);
    loop {
        let records = ledger.read(next, STEP)?;
        let Some(last) = records.last() else { return Ok(read) };
        next = last.entry.position + 1;
        for record in &records {
            let kind = format!("{:?}", record.entry.kind).to_lowercase();
            *read.kinds.entry(kind).or_default() += 1;
            match record.body {
                Body::Plain(_) => read.opened += 1,
                Body::Erased => read.erased += 1,
            }
        }
    }
}

fn print(number: &str, report: &Value) {
    for ledger in report["ledgers"].as_array().into_iter().flatten() {
        println!(
            "{number}: {}: {} entries restored and read, {} opened, {} of erased persons",
            ledger["ledger"].as_str().unwrap_or_default(),
            ledger["entries"],
            ledger["opened"],
            ledger["erased"]
        );
    }
    for fault in report["faults"].as_array().into_iter().flatten() {
        println!("{number}: {}", fault.as_str().unwrap_or_default());
    }
    let seconds = report["seconds"].as_f64().unwrap_or_default();
    let told = if report["whole"] == true { "whole" } else { "NOT whole" };
    println!("{number}: the drill took {seconds:.1} s; what was restored is {told}");
}
