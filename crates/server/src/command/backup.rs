//! `fkj backup` and `fkj verify-backup`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use fhir::instant::format_instant;
use ledger::backup::check::{Checked, check};
use ledger::backup::place::Folder;
use ledger::backup::take::{Source, Taken, Terms, take};
use ledger::note::VerifierKey;

use crate::command::serve::environment;
use crate::command::{CONFIG_FILE, Failed, Place};
use crate::config::{MunicipalityConfig, REGISTER_FILE};

/// A day in milliseconds.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// Small files of a municipality that go along, where they are there.
const FILES: [&str; 3] = [REGISTER_FILE, "vigilance.toml", "people"];

/// Arguments of `fkj backup`.
#[derive(clap::Args)]
pub struct Backup {
    #[command(flatten)]
    place: Place,
    /// Folder for the backups; each municipality has its own in it.
    #[arg(long)]
    to: PathBuf,
    /// Days that copies of `keys.db` are kept beside newer ones. Until they are over, an older copy opens who
    /// was erased meanwhile.
    #[arg(long, default_value_t = 30)]
    keep_keys: u32,
}

/// Arguments of `fkj verify-backup`.
#[derive(clap::Args)]
pub struct VerifyBackup {
    /// Folder with the backups.
    from: PathBuf,
    /// Public key of a log's checkpoints, as `fkj audit key` prints it, from where you trust; may be given several
    /// times.
    #[arg(long)]
    key: Vec<String>,
    /// Municipality number; all of them if left out.
    #[arg(long)]
    kommune: Option<String>,
}

impl Backup {
    /// Takes a backup of each municipality.
    pub fn run(self) -> Result<(), Failed> {
        let config = std::fs::read(self.place.dir.join(CONFIG_FILE))?;
        for municipality in self.place.municipalities()? {
            let number = &municipality.number;
            if municipality.ledger.is_some() {
                return Err(format!(
                    "{number}: its ledger is in a database; back that up, with its archive of the write-ahead log"
                )
                .into());
            }
            let folder = Folder::writing(&self.to.join(number))?;
            let files = files(&municipality, &config)?;
            let directory = &municipality.directory;
            let source = Source { directory, municipality: number, files: &files };
            let terms = Terms {
                keep_keys: i64::from(self.keep_keys) * DAY,
                ..Terms::new(environment().clock.now_ms())
            };
            tell(number, &take(&source, &folder, terms)?);
        }
        Ok(())
    }
}

fn files(
    municipality: &MunicipalityConfig,
    config: &[u8],
) -> Result<Vec<(String, Vec<u8>)>, Failed> {
    let mut files = vec![(CONFIG_FILE.to_owned(), config.to_vec())];
    for name in FILES {
        let path = municipality.directory.join(name);
        if path.exists() {
            files.push((name.to_owned(), std::fs::read(path)?));
        }
    }
    Ok(files)
}

fn tell(number: &str, taken: &Taken) {
    let ends: Vec<String> = taken
        .manifest
        .ledgers
        .iter()
        .map(|part| format!("{} up to position {}", part.ledger, part.head.position))
        .collect();
    println!("{number}: {}; {} bytes written", ends.join(", "), taken.written);
    for name in &taken.pruned {
        println!("{number}: `{name}` is past its time and taken away");
    }
    for copy in &taken.opening {
        println!(
            "{number}: `{}` of {} still opens {} persons erased since; a run with `--keep-keys 0` takes it away",
            copy.name,
            format_instant(copy.at),
            copy.persons
        );
    }
}

/// The municipalities whose backups are in a folder, with their places.
///
/// # Errors
/// Where there are none.
pub fn places(from: &Path, number: Option<&str>) -> Result<Vec<(String, Folder)>, Failed> {
    let mut names: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(from).map_err(|it| format!("`{}`: {it}", from.display()))? {
        let entry = entry?;
        if let (true, Some(name)) = (entry.file_type()?.is_dir(), entry.file_name().to_str()) {
            names.push(name.to_owned());
        }
    }
    names.retain(|name| number.is_none_or(|wanted| wanted == name));
    names.sort();
    if names.is_empty() {
        return Err(format!("`{}` has no backups of that municipality", from.display()).into());
    }
    names.into_iter().map(|name| Ok((name.clone(), Folder::reading(&from.join(name))?))).collect()
}

impl VerifyBackup {
    /// Verifies the backups of each municipality; fails where anything is wrong.
    pub fn run(self) -> Result<ExitCode, Failed> {
        let keys = self.key.iter().map(|key| VerifierKey::parse(key));
        let keys: Vec<VerifierKey> = keys.collect::<Result<_, _>>()?;
        let mut is_sound = true;
        for (number, folder) in places(&self.from, self.kommune.as_deref())? {
            match check(&folder, &keys) {
                Ok(checked) => {
                    for line in lines(&checked) {
                        println!("{number}: {line}");
                    }
                    is_sound &= checked.faults.is_empty();
                }
                Err(error) => {
                    println!("{number}: {error}");
                    is_sound = false;
                }
            }
        }
        Ok(if is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// What verification found, for people.
pub fn lines(checked: &Checked) -> Vec<String> {
    let newest = format_instant(checked.newest);
    let mut lines = vec![format!(
        "{} backups, the newest of {newest}, {} bytes read",
        checked.backups, checked.bytes
    )];
    for ledger in &checked.ledgers {
        let told = format!("{}: {} entries", ledger.ledger, ledger.entries);
        lines.push(format!("{told}, checkpoint key {}", ledger.checkpoint_key));
    }
    lines.extend(checked.faults.iter().map(ToString::to_string));
    lines.push(match checked.faults.len() {
        0 => "every hash, signature and checkpoint fits".to_owned(),
        count => format!("{count} faults; use another copy of the backups for what is named"),
    });
    lines
}
