//! `fkj export`, `fkj verify-export` and `fkj found`: a municipality leaves with everything, and another
//! installation takes it in. The server must not be running: what came meanwhile would not come along.

use std::path::{Path, PathBuf};

use exchange::departure::REGISTER;
use exchange::departure::found::{Founding, found};
use exchange::departure::manifest::Manifest;
use exchange::departure::read::Export as Opened;
use exchange::error::Failure;
use ledger::note::VerifierKey;

use crate::command::register::open;
use crate::command::serve::{environment, runtime};
use crate::command::{CONFIG_FILE, Failed, Place};
use crate::config::{Config, MunicipalityConfig, read_text};
use crate::custody::service;
use crate::databases::Databases;

/// Arguments of `fkj export`.
#[derive(clap::Args)]
pub struct Export {
    #[command(flatten)]
    place: Place,
    /// Folder for the exports; each municipality has its own in it.
    #[arg(long)]
    to: PathBuf,
    #[command(flatten)]
    act: Act,
}

/// Arguments of `fkj verify-export`.
#[derive(clap::Args)]
pub struct VerifyExport {
    /// Folder of the municipality's export.
    from: PathBuf,
    /// Public key of the municipality's checkpoints, as `fkj audit key` prints it, from where you trust.
    #[arg(long)]
    key: String,
}

/// Arguments of `fkj found`.
#[derive(clap::Args)]
pub struct Found {
    /// Folder of the municipality's export.
    #[arg(long)]
    from: PathBuf,
    /// Public key of the checkpoints of the municipality as it was, as `fkj audit key` printed it, from where you
    /// trust.
    #[arg(long)]
    key: String,
    /// Folder with `fkj.toml`, which names the municipality and what keeps its key.
    #[arg(long, default_value = "./data")]
    dir: PathBuf,
    #[command(flatten)]
    act: Act,
}

/// Who acts, and why.
#[derive(clap::Args)]
struct Act {
    /// Who decides, as the register knows an administrator; any name where it knows none.
    #[arg(long)]
    who: String,
    /// Why; stays in the log.
    #[arg(long)]
    why: String,
}

/// The program, as an export names it.
const SOFTWARE: &str = concat!("fkj ", env!("CARGO_PKG_VERSION"));

impl Export {
    /// Writes an export of each municipality.
    pub fn run(self) -> Result<(), Failed> {
        for municipality in self.place.municipalities()? {
            let to = self.to.join(&municipality.number);
            let tenant = open(&municipality)?;
            let act = (self.act.who.as_str(), self.act.why.as_str());
            let manifest = runtime()?.block_on(tenant.leave(&to, act, SOFTWARE))?;
            tell(&manifest);
            let key = tenant.audit().verifier_key()?;
            println!(
                "{}: verified with `fkj verify-export {} --key {key}`",
                municipality.number,
                to.display()
            );
        }
        Ok(())
    }
}

fn tell(manifest: &Manifest) {
    let Manifest { municipality, made, software, persons, without_number, .. } = manifest;
    for part in &manifest.ledgers {
        let (ledger, entries, erased) = (&part.ledger, part.entries, part.erased);
        println!("{municipality}: {ledger}: {entries} entries, {erased} of them erased");
    }
    println!(
        "{municipality}: {persons} persons, {without_number} of them without a number; by {software}, {made}"
    );
}

fn opened(from: &Path, key: &str) -> Result<Opened, Failed> {
    Ok(Opened::open(from, &VerifierKey::parse(key)?)?)
}

impl VerifyExport {
    /// Verifies an export, with nothing but the folder and the key.
    pub fn run(self) -> Result<(), Failed> {
        let export = opened(&self.from, &self.key)?;
        export.check()?;
        tell(&export.manifest);
        let number = &export.manifest.municipality;
        println!(
            "{number}: the chain is whole, every content is there or erased, and the municipality has signed"
        );
        Ok(())
    }
}

impl Found {
    /// Founds the municipality of an export.
    pub fn run(self) -> Result<(), Failed> {
        let export = opened(&self.from, &self.key)?;
        let number = export.manifest.municipality.clone();
        let path = self.dir.join(CONFIG_FILE);
        let config = Config::read(&path)?;
        let municipality: &MunicipalityConfig = config
            .municipality(&number)
            .ok_or_else(|| format!("`{}` has no municipality `{number}`", path.display()))?;
        let database = municipality.ledger.as_ref();
        let database = database.map(|it| Databases::default().of(it)).transpose()?;
        let environment = environment();
        let founding = Founding {
            directory: &municipality.directory,
            database: database.as_deref(),
            register: toml::from_str(&read_text(&self.from.join(REGISTER))?)?,
            environment: environment.clone(),
            who: &self.act.who,
            why: &self.act.why,
        };
        // Its key is new, also where servers will share it.
        let custody = |directory: &Path| {
            let directory = directory.to_owned();
            let made = MunicipalityConfig { directory, ledger: None, ..municipality.clone() };
            service(&made, &environment.random).map_err(|it| Failure::Unavailable(it.to_string()))
        };
        let founded = runtime()?.block_on(found(&export, founding, &custody))?;
        println!(
            "{number}: founded with {} entries, {} of the log, {} persons; keys and chain are new, and the old \
             chain's end is its first decision",
            founded.entries, founded.looks, founded.persons
        );
        Ok(())
    }
}
