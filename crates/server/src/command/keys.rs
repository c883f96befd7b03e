//! `fkj keys`: what keeps a municipality's key, making one, and exchanging it.

use std::path::PathBuf;
use std::sync::Arc;

use exchange::custody::KEYS_FILE;
use exchange::tenant::Environment;
use ledger::crypto::Secret;
use ledger::database::Database;
use ledger::error::Error;
use ledger::key_service::{FileKey, KeyService};
use ledger::keys::rotate::{self, Status};
use ledger::random::{Random, SystemRandom};
use ledger::sealed_key;

use crate::command::serve::{environment, runtime, tenant};
use crate::command::{Failed, Place};
use crate::config::MunicipalityConfig;
use crate::custody::config::PassphraseFrom;
use crate::custody::{passphrase, present, service, terminal};
use crate::databases::Databases;

/// What is asked of keys.
#[derive(clap::Subcommand)]
pub enum KeysAction {
    /// Make a file with a new key, to be named in the configuration.
    New(New),
    /// Print what keeps each municipality's key, and whether it opens. The server may be running.
    Status(Place),
    /// Wrap every key anew, by what `key` of the configuration names; `key_before` names what wrapped them
    /// until now. Contents are not touched. May be done again, also where it was ended in its middle. The server must not be
    /// running.
    Rotate(Rotate),
}

/// Arguments of `fkj keys new`.
#[derive(clap::Args)]
pub struct New {
    /// The file to make.
    file: PathBuf,
    /// File with the passphrase that is to open it, of at least 16 characters; without a passphrase the file holds
    /// the key as it is.
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
    /// Ask for the passphrase at the terminal, twice.
    #[arg(long, conflicts_with = "passphrase_file")]
    ask: bool,
}

/// Arguments of `fkj keys rotate`.
#[derive(clap::Args)]
pub struct Rotate {
    #[command(flatten)]
    place: Place,
    /// Who does it, as the register knows an administrator; any name where it knows none.
    #[arg(long)]
    who: String,
    /// Why; stays in the log.
    #[arg(long)]
    why: String,
}

/// Carries the command out.
pub fn run(action: &KeysAction) -> Result<(), Failed> {
    match action {
        KeysAction::New(new) => new.run(),
        KeysAction::Status(place) => status(place),
        KeysAction::Rotate(rotate) => rotate.run(),
    }
}

impl New {
    fn run(&self) -> Result<(), Failed> {
        let file = self.file.display();
        let passphrase = match &self.passphrase_file {
            Some(path) => Some(passphrase(&PassphraseFrom::File { file: path.clone() })?),
            None if self.ask => Some(terminal::new_passphrase(&self.file)?),
            None => None,
        };
        match passphrase {
            Some(passphrase) => {
                sealed_key::create(&self.file, &passphrase, &SystemRandom)?;
                println!(
                    "`{file}` holds a new key, which the passphrase opens; keep a copy of both, apart"
                );
            }
            None => {
                FileKey::create(&self.file, environment().random)?;
                println!("`{file}` holds a new key; keep a copy in a safe place");
            }
        }
        Ok(())
    }
}

fn status(place: &Place) -> Result<(), Failed> {
    let random = environment().random;
    for municipality in place.municipalities()? {
        let number = &municipality.number;
        let kept = Kept::of(&municipality)?;
        let status = kept.status()?;
        println!("{number}: {} persons with keys, {} erased", status.persons, status.erased);
        if let Some(at) = status.exchanged {
            println!("{number}: last exchanged {}", fhir::instant::format_instant(at));
        }
        let kept_by = kept_by(&municipality);
        match present(&municipality, &random).and_then(|it| kept.opens(&*it)) {
            Ok(()) => println!("{number}: {kept_by} opens them"),
            Err(error) => println!("{number}: {kept_by} does not open them: {error}"),
        }
        let Some(before) = &municipality.key_before else { continue };
        let only_before = MunicipalityConfig { key: Some(before.clone()), ..municipality.clone() };
        let next = match present(&only_before, &random).and_then(|it| kept.opens(&*it)) {
            Ok(()) => "opens them still; run `fkj keys rotate`",
            Err(_) => "does not open them any more; take `key_before` out of the configuration",
        };
        println!("{number}: {} {next}", before.told());
    }
    Ok(())
}

/// Where the keys of a municipality are.
enum Kept {
    File(PathBuf),
    Database(Arc<Database>, String),
}

impl Kept {
    fn of(municipality: &MunicipalityConfig) -> Result<Self, Failed> {
        Ok(match &municipality.ledger {
            None => Self::File(municipality.directory.join(KEYS_FILE)),
            Some(config) => {
                let database = Databases::default().of(config)?;
                Self::Database(database, format!("{}/keys", municipality.number))
            }
        })
    }

    fn status(&self) -> Result<Status, Failed> {
        Ok(match self {
            Self::File(file) => rotate::status(file)?,
            Self::Database(database, name) => rotate::status_in(database, name)?,
        })
    }

    fn opens(&self, service: &dyn KeyService) -> Result<(), Failed> {
        match self {
            Self::File(file) => rotate::opens(file, service)?,
            Self::Database(database, name) => rotate::opens_in(database, name, service)?,
        }
        Ok(())
    }

    fn rotate(
        &self,
        services: (&dyn KeyService, &dyn KeyService),
        environment: &Environment,
    ) -> Result<Status, Failed> {
        let (random, now) = (&environment.random, environment.clock.now_ms());
        Ok(match self {
            Self::File(file) => rotate::rotate(file, services, random, now, &mut |_| {})?,
            Self::Database(database, name) => {
                rotate::rotate_in((database, name), services, random, now, &mut |_| {})?
            }
        })
    }
}

fn kept_by(municipality: &MunicipalityConfig) -> String {
    let own = || "the file `municipality.key` in its folder".to_owned();
    municipality.key.as_ref().map_or_else(own, |key| key.told())
}

impl Rotate {
    fn run(&self) -> Result<(), Failed> {
        let environment = environment();
        for municipality in self.place.municipalities()? {
            let from = service(&municipality, &environment.random)?;
            let to = present(&municipality, &environment.random)?;
            try_out(&*to)?;
            let opened = tenant(&municipality, environment.clone())?;
            runtime()?.block_on(opened.exchanging_key(&self.who, &self.why))?;
            // Lets the files go.
            drop(opened);
            let status = Kept::of(&municipality)?.rotate((&*from, &*to), &environment)?;
            println!(
                "{}: the keys of {} persons are wrapped anew, by {}",
                municipality.number,
                status.persons,
                kept_by(&municipality)
            );
        }
        Ok(())
    }
}

/// That a service gives back what it wraps, before anything is begun.
fn try_out(service: &dyn KeyService) -> Result<(), Failed> {
    let mut bytes = [0; 32];
    SystemRandom.fill(&mut bytes)?;
    let key = Secret::new(bytes);
    let context = b"fkj try out";
    if service.unwrap(&service.wrap(&key, context)?, context)?.bytes() == key.bytes() {
        return Ok(());
    }
    Err(Error::Key { what: "the key service does not give back what it wrapped" }.into())
}
