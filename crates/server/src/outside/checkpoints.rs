//! Signed checkpoints, written to a place outside the data folder: a log that was cut or written anew
//! does not fit what stands there.
//!
//! A place that is a folder gets a file for each checkpoint, never changed; any other is a file that they
//! are appended to. Both suit storage that takes writes once.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use exchange::proof::Log;
use exchange::tenant::Tenant;
use ledger::note::several;
use record::entry::Position;

use crate::app::App;
use crate::command::Failed;

/// Checkpoints written at a time.
const STEP: usize = 1_000;

/// Where checkpoints are kept outside.
pub struct Outside {
    place: PathBuf,
    is_folder: bool,
    /// Size of the last one written, by origin.
    written: BTreeMap<String, Position>,
}

/// Signs what is new in every log, again and again, and writes it outside.
pub async fn run(app: Arc<App>, every: Duration, mut outside: Option<Outside>) {
    loop {
        for (number, hosted) in &app.tenants {
            for log in Log::ALL {
                let ledger = hosted.tenant.log(log);
                if let Err(error) = ledger.sign_checkpoint().await {
                    tracing::error!(number, log = log.key(), "no checkpoint was signed: {error}");
                }
                let Some(mut kept) = outside.take() else { continue };
                // Files block; the place may be on a network disk.
                let tenant = hosted.tenant.clone();
                let done = tokio::task::spawn_blocking(move || {
                    let written = kept.write(&tenant, log);
                    (kept, written)
                });
                match done.await {
                    Ok((kept, Ok(()))) => outside = Some(kept),
                    Ok((kept, Err(error))) => {
                        tracing::error!(number, log = log.key(), "checkpoints not kept: {error}");
                        outside = Some(kept);
                    }
                    Err(error) => {
                        tracing::error!("checkpoints are no longer written outside: {error}");
                        return;
                    }
                }
            }
        }
        tokio::time::sleep(every).await;
    }
}

impl Outside {
    /// Looks at what is there already.
    ///
    /// # Errors
    /// Where the place cannot be read.
    pub fn open(place: PathBuf) -> Result<Self, Failed> {
        let is_folder = place.is_dir();
        let mut written = BTreeMap::new();
        if !is_folder && place.exists() {
            for note in several(&std::fs::read_to_string(&place)?) {
                let mut lines = note.lines().map(str::to_owned);
                let (origin, size) =
                    (lines.next(), lines.next().and_then(|it| it.parse::<Position>().ok()));
                if let (Some(origin), Some(size)) = (origin, size) {
                    let last = written.entry(origin).or_insert(0);
                    *last = size.max(*last);
                }
            }
        }
        Ok(Self { place, is_folder, written })
    }

    /// Writes the checkpoints of a log that are not there yet.
    fn write(&mut self, tenant: &Tenant, log: Log) -> Result<(), Failed> {
        let origin = tenant.log(log).verifier_key()?.origin;
        let mut last = self.written.get(&origin).copied().unwrap_or(0);
        loop {
            let notes = tenant.log(log).checkpoints_after(last, STEP)?;
            let Some((newest, _)) = notes.last() else { return Ok(()) };
            last = *newest;
            if self.is_folder {
                for (size, note) in &notes {
                    let name = origin.replace('/', "_");
                    in_folder(&self.place, &format!("{name}_{size:012}.txt"), note)?;
                }
            } else {
                let all: String = notes.iter().map(|(_, note)| format!("{note}\n")).collect();
                let mut file = OpenOptions::new().append(true).create(true).open(&self.place)?;
                file.write_all(all.as_bytes())?;
                file.sync_data()?;
            }
            self.written.insert(origin.clone(), last);
        }
    }
}

/// Makes a file whole, or leaves the one that is there.
fn in_folder(folder: &Path, name: &str, text: &str) -> std::io::Result<()> {
    let path = folder.join(name);
    if path.exists() {
        return Ok(());
    }
    let beside = folder.join(format!(".{name}.new"));
    let mut file = File::create(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_data()?;
    match std::fs::rename(&beside, &path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}
