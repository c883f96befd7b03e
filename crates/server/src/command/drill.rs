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
use ledger::backup::place::Place;
use ledger::backup::restore::Until;
use ledger::ledger::Ledger;
use serde::Serialize;
use serde_json::json;

use crate::command::Failed;
use crate::command::backup::Where;
use crate::command::restore::{into, key_of};
use crate::command::serve::environment;
use crate::config::{REGISTER_FILE, read_text};

/// Entries read at a time.
const STEP: usize = 1_000;

/// Arguments of `fkj restore-drill`.
#[derive(clap::Args)]
pub struct RestoreDrill {
    /// Where the backups are: a folder, or `s3://bucket/prefix`.
    #[arg(long)]
    from: Where,
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
        let places = self.from.reading(self.kommune.as_deref())?;
        let mut reports = Vec::new();
        for (number, place) in &places {
            let begun = Instant::now();
            let mut report = Report { municipality: number.clone(), ..Report::default() };
            let drilled = self.drill(&**place, &mut report);
            // Restored persons' data must not be left lying about.
            if self.to.exists() {
                std::fs::remove_dir_all(&self.to)?;
            }
            if let Err(error) = drilled {
                report.faults.push(error.to_string());
            }
            report.whole = report.faults.is_empty();
            report.seconds = begun.elapsed().as_secs_f64();
            print(&report);
            reports.push(report);
        }
        let is_whole = reports.iter().all(|it| it.whole);
        if let Some(file) = &self.report {
            let at = fhir::instant::format_instant(environment().clock.now_ms());
            let all = json!({ "at": at, "whole": is_whole, "municipalities": reports });
            std::fs::write(file, serde_json::to_string_pretty(&all)? + "\n")?;
        }
        Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn drill(&self, place: &dyn Place, report: &mut Report) -> Result<(), Failed> {
        let number = report.municipality.clone();
        let mut timed = Instant::now();
        let mut lap = |steps: &mut BTreeMap<&'static str, f64>, name| {
            steps.insert(name, timed.elapsed().as_secs_f64());
            timed = Instant::now();
        };
        let checked = check(place, &[])?;
        lap(&mut report.steps, "verify");
        report.backup = fhir::instant::format_instant(checked.newest);
        report.faults.extend(checked.faults.iter().map(ToString::to_string));
        if !report.faults.is_empty() {
            return Ok(());
        }
        let to = self.to.join(&number);
        into(place, Until::Newest, &to, &number, Some(&self.key_config))?;
        lap(&mut report.steps, "restore");
        let service = key_of(&self.key_config, &number)?;
        let register: Register = toml::from_str(&read_text(&to.join(REGISTER_FILE))?)?;
        let tenant = Tenant::open_with(&to, register, environment(), service)?;
        lap(&mut report.steps, "view");
        compare(&checked, &tenant, report)?;
        lap(&mut report.steps, "read");
        Ok(())
    }
}

/// How a drill of one municipality went.
#[derive(Default, Serialize)]
struct Report {
    municipality: String,
    whole: bool,
    /// How long it took, all in all.
    seconds: f64,
    /// And each step, in seconds.
    steps: BTreeMap<&'static str, f64>,
    /// Time of the newest backup.
    backup: String,
    ledgers: Vec<Read>,
    /// The position that the view reached.
    view: u64,
    faults: Vec<String>,
}

/// What a restored ledger holds.
#[derive(Default, Serialize)]
struct Read {
    ledger: String,
    entries: u64,
    /// By kind of entry.
    kinds: BTreeMap<String, u64>,
    /// Bodies that opened.
    opened: u64,
    /// Bodies of erased persons.
    erased: u64,
}

/// What the restored ledgers hold, and where it is not what the backup holds.
fn compare(checked: &Checked, tenant: &Tenant, report: &mut Report) -> Result<(), Failed> {
    for (wanted, ledger) in checked.ledgers.iter().zip([tenant.ledger(), tenant.audit()]) {
        let read = Read { ledger: wanted.ledger.clone(), ..read(ledger)? };
        if (read.entries, &read.kinds) != (wanted.entries, &wanted.kinds) {
            report.faults.push(format!("{}: other entries than the backup holds", wanted.ledger));
        }
        report.ledgers.push(read);
    }
    let last = checked.ledgers.first().map_or(0, |ledger| ledger.entries);
    report.view = tenant.visible();
    if report.view != last {
        report.faults.push(format!("the view reached position {}, not {last}", report.view));
    }
    Ok(())
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
            read.entries += 1;
            match record.body {
                Body::Plain(_) => read.opened += 1,
                Body::Erased => read.erased += 1,
            }
        }
    }
}

fn print(report: &Report) {
    let number = &report.municipality;
    for Read { ledger, entries, opened, erased, .. } in &report.ledgers {
        println!(
            "{number}: {ledger}: {entries} entries restored and read, {opened} opened, {erased} of erased \
             persons"
        );
    }
    for fault in &report.faults {
        println!("{number}: {fault}");
    }
    let told = if report.whole { "whole" } else { "NOT whole" };
    println!("{number}: the drill took {:.1} s; what was restored is {told}", report.seconds);
}
