//! `fkj register`: what a municipality has decided, and changing it by a file. The server must not be
//! running; while it is, the admin API does the same.

use std::path::{Path, PathBuf};

use access::register::Register;
use exchange::register::admin::MAX_TOLD;
use exchange::register::answer;
use exchange::register::change::Done;
use exchange::tenant::Tenant;

use crate::command::serve::{environment, runtime, tenant};
use crate::command::{Failed, Place};
use crate::config::{MunicipalityConfig, read_text};

/// Arguments of `fkj register apply`.
#[derive(clap::Args)]
pub struct Apply {
    /// A file like `register.toml`: what shall hold, all of it.
    file: PathBuf,
    /// Who decides, as the register knows an administrator; any name where it knows none.
    #[arg(long)]
    who: String,
    /// Why; stays with the decision.
    #[arg(long)]
    why: String,
    #[command(flatten)]
    place: Place,
}

/// Prints what holds now in each municipality, with who, when and why.
pub fn show(place: &Place) -> Result<(), Failed> {
    for municipality in place.municipalities()? {
        let tenant = open(&municipality)?;
        println!("{}", serde_json::to_string_pretty(&answer::register(&tenant.decided()))?);
    }
    Ok(())
}

/// Prints the decisions about the register of each municipality, the newest first.
pub fn history(place: &Place) -> Result<(), Failed> {
    for municipality in place.municipalities()? {
        let tenant = open(&municipality)?;
        let mut before = u64::MAX;
        loop {
            let told = tenant.history_of_register(before, MAX_TOLD)?;
            let Some(last) = told.last() else { break };
            before = last.act.position;
            println!("{}", serde_json::to_string_pretty(&answer::history(&told))?);
        }
    }
    Ok(())
}

impl Apply {
    /// Makes the register what the file says, as one decision.
    pub fn run(self) -> Result<(), Failed> {
        let register = read(&self.file)?;
        let all = self.place.municipalities()?;
        let municipality = all
            .iter()
            .find(|it| it.number == register.number)
            .ok_or("the file is for a municipality that is not in the configuration")?;
        let tenant = open(municipality)?;
        let done = runtime()?.block_on(tenant.apply_register(&self.who, &register, self.why))?;
        let number = &municipality.number;
        match done {
            Done::Already(version) => println!("{number}: holds already, as of version {version}"),
            Done::Decided(version) => println!("{number}: holds now, as version {version}"),
            Done::Proposed(id) => println!(
                "{number}: this destroys something, so that another person must agree to proposal \
                 {id}, in the admin API or on the page"
            ),
        }
        Ok(())
    }
}

/// The municipality, with the server stopped.
pub fn open(municipality: &MunicipalityConfig) -> Result<Tenant, Failed> {
    tenant(municipality, environment())
}

fn read(file: &Path) -> Result<Register, Failed> {
    let text = read_text(file)?;
    toml::from_str(&text).map_err(|error| format!("`{}`: {error}", file.display()).into())
}
