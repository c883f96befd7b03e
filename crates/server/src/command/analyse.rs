//! `fkj audit analyse` and `people`: what the log tells of how access was used, and who the employees are.

use std::path::PathBuf;
use std::process::ExitCode;

use access::vigilance::day::Day;
use access::vigilance::finding::Finding;
use exchange::vigilance::answer;
use serde_json::Value;

use crate::command::register::open;
use crate::command::{Failed, Place};

/// Arguments of `fkj audit analyse`.
#[derive(clap::Args)]
pub struct Analyse {
    #[command(flatten)]
    place: Place,
    /// The first day, `YYYY-MM-DD`.
    #[arg(long)]
    from: String,
    /// The last day.
    #[arg(long)]
    to: String,
    /// Print JSON, one municipality a line.
    #[arg(long)]
    json: bool,
}

/// Arguments of `fkj audit people`.
#[derive(clap::Args)]
pub struct People {
    #[command(flatten)]
    place: Place,
    /// The list, as `docs/operation.md` tells it.
    file: PathBuf,
}

impl Analyse {
    /// Carries the command out.
    pub fn run(&self) -> Result<ExitCode, Failed> {
        let day = |text: &str| {
            Day::parse(text).ok_or_else(|| format!("`{text}` is no date; write it as 2026-11-23"))
        };
        let (from, to) = (day(&self.from)?, day(&self.to)?);
        for municipality in self.place.municipalities()? {
            let tenant = open(&municipality)?;
            let mut found = tenant.analyse_between(&tenant.vigilance_settings()?, from, to)?;
            found.sort_by_key(|it| std::cmp::Reverse((it.score(), it.day)));
            if self.json {
                println!("{}", Value::Array(found.iter().map(answer::finding).collect()));
            } else {
                println!("{}: {} findings", municipality.number, found.len());
                print!("{}", table(&found));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn table(findings: &[Finding]) -> String {
    let mut out = String::new();
    for it in findings {
        let (id, score, heading) = (it.id(), it.score(), it.heading());
        out.push_str(&format!("{score:>4}  {id:<10} {}  {heading}: {}\n", it.day, it.name));
        for sign in &it.signs {
            out.push_str(&format!("      {:>4}  {}\n", sign.points, sign.of.sentence()));
        }
    }
    out
}

impl People {
    /// Carries the command out.
    pub fn run(&self) -> Result<ExitCode, Failed> {
        let text = std::fs::read_to_string(&self.file)?;
        for municipality in self.place.municipalities()? {
            let tenant = open(&municipality)?;
            let count = tenant.bring_people(&text).map_err(|failure| {
                let told = |it: fhir::issue::Issue| format!("{}: {}", it.location, it.message);
                failure.issues().into_iter().map(told).collect::<Vec<_>>().join("; ")
            })?;
            println!("{}: {count} employees", municipality.number);
        }
        Ok(ExitCode::SUCCESS)
    }
}
