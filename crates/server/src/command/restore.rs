//! `fkj restore`: from backups into an empty folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ledger::backup::place::Place;
use ledger::backup::restore::{Restored, Until, restore};
use ledger::error::Error;
use ledger::key_service::KeyService;

use crate::command::backup::Where;
use crate::command::serve::environment;
use crate::command::{CONFIG_FILE, Failed};
use crate::config::{Config, MunicipalityConfig};
use crate::custody::service;

/// Arguments of `fkj restore`.
#[derive(clap::Args)]
pub struct Restore {
    /// Where the backups are: a folder, or `s3://bucket/prefix`.
    #[arg(long)]
    from: Where,
    /// Folder to restore into.
    #[arg(long)]
    to: PathBuf,
    /// How far the clinical ledger is restored: a position, or a time such as `2026-11-23T12:00:00Z`; all if left
    /// out. The log of looks and the keys are always the newest.
    #[arg(long)]
    at: Option<String>,
    /// Municipality number; all of them if left out.
    #[arg(long)]
    kommune: Option<String>,
    /// Configuration that names the municipality's key; needed with `--at`. The restored one if left out.
    #[arg(long)]
    key_config: Option<PathBuf>,
}

impl Restore {
    /// Restores each municipality.
    pub fn run(self) -> Result<(), Failed> {
        let until = self.at.as_deref().map_or(Ok(Until::Newest), until)?;
        let places = self.from.reading(self.kommune.as_deref())?;
        if places.len() > 1 && matches!(until, Until::Position(_)) {
            return Err("a position is of one municipality: say which, with `--kommune`".into());
        }
        for (number, place) in places {
            let to = self.to.join(&number);
            let config = self.key_config.as_deref();
            let restored = into(&*place, until, &to, &number, config)?;
            println!(
                "{number}: restored from the backup of {}; ledger through position {}, log through {}; every \
                 hash and signature fits",
                fhir::instant::format_instant(restored.backup),
                restored.ledger,
                restored.audit
            );
        }
        let config = self.to.join(CONFIG_FILE);
        println!(
            "`{}` is as it was backed up: see that its paths are right, put the municipality's key in its \
             place, and start the server",
            config.display()
        );
        Ok(())
    }
}

/// Restores one municipality into the folder `to`, and its configuration beside that folder.
///
/// # Errors
/// Those of restoring; a file that cannot be moved.
pub fn into(
    place: &dyn Place,
    until: Until,
    to: &Path,
    number: &str,
    key_config: Option<&Path>,
) -> Result<Restored, Failed> {
    let beside = to.with_file_name(CONFIG_FILE);
    let random = environment().random;
    let signer = || {
        let own = to.join(CONFIG_FILE);
        let service = match key_config {
            Some(config) => key_of(config, number),
            // As it will stand, with its paths beside the municipality's folder.
            None => key_as_if(&own, &beside, number),
        };
        service.map_err(|error| {
            tracing::error!("the municipality's key cannot be had: {error}");
            Error::Key {
                what: "restoring to a time or position signs the end anew: name a configuration whose key opens, with --key-config",
            }
        })
    };
    place.list()?;
    let restored = restore(place, until, to, &signer, &random)?;
    let own = to.join(CONFIG_FILE);
    match beside.exists() {
        true => std::fs::remove_file(own)?,
        false => std::fs::rename(own, beside)?,
    }
    Ok(restored)
}

/// The key service of a municipality by a configuration.
///
/// # Errors
/// A configuration that cannot be read, or does not name the municipality.
pub fn key_of(config: &Path, number: &str) -> Result<Arc<dyn KeyService>, Failed> {
    of(&Config::read(config)?, number)
}

fn key_as_if(file: &Path, as_if: &Path, number: &str) -> Result<Arc<dyn KeyService>, Failed> {
    let config: Config = toml::from_str(&std::fs::read_to_string(file)?)?;
    of(&config.under(as_if.parent().unwrap_or(Path::new("."))), number)
}

fn of(config: &Config, number: &str) -> Result<Arc<dyn KeyService>, Failed> {
    let municipality: &MunicipalityConfig = config
        .municipality(number)
        .ok_or_else(|| format!("the configuration has no municipality `{number}`"))?;
    service(municipality, &environment().random)
}

/// A position, or a time with its zone.
fn until(text: &str) -> Result<Until, Failed> {
    if let Ok(position) = text.parse() {
        return Ok(Until::Position(position));
    }
    let range = fhir::instant::range(text).filter(|_| fhir::instant::is_instant(text));
    let (_, end) = range.ok_or_else(|| {
        format!(
            "`{text}` is neither a position nor a time with its zone, such as 2026-11-23T12:00:00Z"
        )
    })?;
    Ok(Until::Time(end - 1))
}
