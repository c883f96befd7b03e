//! The commands of `fkj`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod analyse;
mod audit;
mod backup;
mod demo;
mod departure;
mod disposal;
mod drill;
mod keys;
mod ledger;
mod register;
mod restore;
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
    /// What a municipality has decided. The server must not be running.
    #[command(subcommand)]
    Register(RegisterAction),
    /// Prove what is in a municipality's log, verify proofs, and analyse how access was used.
    #[command(subcommand)]
    Audit(audit::AuditAction),
    /// What is kept, and what was erased. The server must not be running.
    #[command(subcommand)]
    Disposal(DisposalAction),
    /// Look after a municipality's view. The server must not be running.
    #[command(subcommand)]
    View(ViewAction),
    /// What keeps a municipality's key, and exchanging it.
    #[command(subcommand)]
    Keys(keys::KeysAction),
    /// Add what is new to a municipality's backups, beside a running server.
    Backup(backup::Backup),
    /// Verify backups: every hash, signature and proof. Needs no key.
    VerifyBackup(backup::VerifyBackup),
    /// Restore from backups into an empty folder.
    Restore(restore::Restore),
    /// Write everything a municipality has in open formats, with proof, so that it can leave with it. The server must
    /// not be running.
    Export(departure::Export),
    /// Verify such an export. Needs no key but the public one.
    VerifyExport(departure::VerifyExport),
    /// Found a municipality from such an export, with its ids, versions, decisions and log.
    Found(departure::Found),
    /// Restore into a folder of its own, verify, make the view, compare, report, and take it away again.
    RestoreDrill(drill::RestoreDrill),
}

#[derive(Subcommand)]
enum LedgerAction {
    /// Recompute every hash and signature, and name the place of each fault.
    Verify(Place),
}

#[derive(Subcommand)]
enum RegisterAction {
    /// Print what holds now, with who, when and why.
    Show(Place),
    /// Print the decisions, the newest first.
    History(Place),
    /// Make the register what a file says, as one decision.
    Apply(register::Apply),
}

#[derive(Subcommand)]
enum DisposalAction {
    /// Print erasures: older copies of `keys.db` still open what they were about.
    Erasures(Place),
    /// Print persons whose information has been kept long enough.
    Due(Place),
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
            Action::Register(action) => match action {
                RegisterAction::Show(place) => register::show(&place),
                RegisterAction::History(place) => register::history(&place),
                RegisterAction::Apply(apply) => apply.run(),
            }
            .map(|()| ExitCode::SUCCESS),
            Action::Audit(action) => audit::run(&action),
            Action::Disposal(action) => match action {
                DisposalAction::Erasures(place) => disposal::erasures(&place),
                DisposalAction::Due(place) => disposal::due(&place),
            }
            .map(|()| ExitCode::SUCCESS),
            Action::View(ViewAction::Rebuild(place)) => {
                view::rebuild(&place).map(|()| ExitCode::SUCCESS)
            }
            Action::Keys(action) => keys::run(&action).map(|()| ExitCode::SUCCESS),
            Action::Backup(backup) => backup.run().map(|()| ExitCode::SUCCESS),
            Action::VerifyBackup(verify) => verify.run(),
            Action::Restore(restore) => restore.run().map(|()| ExitCode::SUCCESS),
            Action::RestoreDrill(drill) => drill.run(),
            Action::Export(export) => export.run().map(|()| ExitCode::SUCCESS),
            Action::VerifyExport(verify) => verify.run().map(|()| ExitCode::SUCCESS),
            Action::Found(found) => found.run().map(|()| ExitCode::SUCCESS),
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
