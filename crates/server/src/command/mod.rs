//! The commands of `fkj`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod audit;
mod demo;
mod ledger;
mod serve;
pub mod token;
mod view;

/// Why a command failed, in words for whoever typed it.
pub type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Felles kommunal journal: one logical source of patient information per municipality.
#[derive(Parser)]
#[command(name = "fkj", version, about)]
pub struct Command {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Start two synthetic municipalities with stand-in sign-in, filled with synthetic people.
    Demo(demo::Demo),
    /// Serve the municipalities of a configuration file.
    Serve(serve::Serve),
    /// Print an access token for a role, from the demo's stand-in issuer.
    Token(token::Token),
    /// Look after a municipality's ledger. The server must not be running.
    #[command(subcommand)]
    Ledger(LedgerAction),
    /// Prove what is in a municipality's log, and verify proofs.
    #[command(subcommand)]
    Audit(audit::AuditAction),
    /// Look after a municipality's view. The server must not be running.
    #[command(subcommand)]
    View(ViewAction),
}

#[derive(Subcommand)]
enum LedgerAction {
    /// Recompute every hash and signature, and name the place of each fault.
    Verify(Place),
}

#[derive(Subcommand)]
enum ViewAction {
    /// Throw the view away and make it anew from the ledger.
    Rebuild(Place),
}

/// Which municipalities a command is about.
#[derive(clap::Args)]
pub struct Place {
    /// Folder with `fkj.toml`.
    #[arg(long, default_value = "./data")]
    dir: PathBuf,
    /// Municipality number; all of them if left out.
    #[arg(long)]
    kommune: Option<String>,
}

impl Command {
    /// Carries the command out.
    pub fn run(self) -> Result<ExitCode, Failed> {
        match self.action {
            Action::Demo(demo) => demo.run().map(|()| ExitCode::SUCCESS),
            Action::Serve(serve) => serve.run().map(|()| ExitCode::SUCCESS),
            Action::Token(token) => token.run().map(|()| ExitCode::SUCCESS),
            Action::Ledger(LedgerAction::Verify(place)) => ledger::verify(&place),
            Action::Audit(action) => audit::run(&action),
            Action::View(ViewAction::Rebuild(place)) => {
                view::rebuild(&place).map(|()| ExitCode::SUCCESS)
            }
        }
    }
}

impl Place {
    /// The configuration, and the municipalities meant.
    fn municipalities(&self) -> Result<Vec<crate::config::MunicipalityConfig>, Failed> {
        let path = self.dir.join(CONFIG_FILE);
        let config = crate::config::Config::read(&path)?;
        let Some(number) = &self.kommune else { return Ok(config.municipalities) };
        match config.municipality(number) {
            Some(municipality) => Ok(vec![municipality.clone()]),
            None => Err(format!("`{}` has no municipality `{number}`", path.display()).into()),
        }
    }
}

/// Name of the configuration file in a demo's folder.
pub const CONFIG_FILE: &str = "fkj.toml";
