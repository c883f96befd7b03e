//! A passphrase asked for at the terminal, where the configuration names no place to read it from.
//!
//! Invariants: nothing of it is shown while it is typed, and it is forgotten once the key is opened: what
//! is remembered for the rest of the process is the opened key, so that nobody is asked twice for one file.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Stdin, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ledger::key_service::KeyService;
use ledger::random::Random;
use ledger::sealed_key::{self, Passphrase};
use parking_lot::Mutex;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::command::Failed;

/// Bytes of a line at most, as a terminal gives it (termios(3), canonical mode).
const MOST: usize = 4096;

/// The keys that were opened with what somebody typed, by file.
static OPENED: Mutex<BTreeMap<PathBuf, Arc<dyn KeyService>>> = Mutex::new(BTreeMap::new());

/// Opens a sealed key with a passphrase that is asked for, once in a process.
///
/// # Errors
/// No terminal, another passphrase, or a file that is no sealed key.
pub fn open(path: &Path, random: Arc<dyn Random>) -> Result<Arc<dyn KeyService>, Failed> {
    let mut opened = OPENED.lock();
    if let Some(known) = opened.get(path) {
        return Ok(known.clone());
    }
    let failed = |error| format!("`{}`: {error}", path.display());
    // First, so that nobody types for a file that is not there.
    std::fs::metadata(path).map_err(|error| failed(error.to_string()))?;
    let passphrase = ask(&format!("Passphrase of `{}`: ", path.display()), path)?;
    let key =
        sealed_key::open(path, &passphrase, random).map_err(|error| failed(error.to_string()))?;
    let key: Arc<dyn KeyService> = Arc::new(key);
    opened.insert(path.to_owned(), key.clone());
    Ok(key)
}

/// A passphrase for a new file, asked for twice.
///
/// # Errors
/// No terminal, or not the same both times.
pub fn new_passphrase(path: &Path) -> Result<Passphrase, Failed> {
    let passphrase = ask(&format!("New passphrase for `{}`: ", path.display()), path)?;
    if ask("The same once more: ", path)? == passphrase {
        return Ok(passphrase);
    }
    Err("the two passphrases differ; nothing was made: run it again".into())
}

fn ask(prompt: &str, path: &Path) -> Result<Passphrase, Failed> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return Err(format!(
            "`{}` opens by a passphrase, and there is no terminal to ask at: name it in the configuration, \
             `passphrase = {{ credential = \"…\" }}` or `{{ file = \"…\" }}`, or start fkj at a terminal",
            path.display()
        )
        .into());
    }
    let unseen = Unseen::begin(&stdin)?;
    eprint!("{prompt}");
    io::stderr().flush()?;
    let mut line = [0; MOST];
    let read = rustix::io::retry_on_intr(|| rustix::io::read(&stdin, &mut line));
    // The end of the line was not shown either.
    eprintln!();
    drop(unseen);
    let typed = line.get(..read?).unwrap_or_default().to_vec();
    line.fill(0);
    if typed.is_empty() {
        return Err("no passphrase was typed".into());
    }
    Ok(Passphrase::new(typed))
}

/// A terminal that shows nothing of what is typed, until it is dropped. Where an interrupt ends the process in
/// between, the shell puts its terminal back.
struct Unseen<'a> {
    stdin: &'a Stdin,
    before: Termios,
}

impl<'a> Unseen<'a> {
    fn begin(stdin: &'a Stdin) -> Result<Self, Failed> {
        let before = tcgetattr(stdin)?;
        let mut unseen = before.clone();
        unseen.local_modes.remove(LocalModes::ECHO);
        unseen.local_modes.insert(LocalModes::ICANON);
        // What was typed ahead, and seen, is no answer.
        tcsetattr(stdin, OptionalActions::Flush, &unseen)?;
        Ok(Self { stdin, before })
    }
}

impl Drop for Unseen<'_> {
    fn drop(&mut self) {
        if let Err(error) = tcsetattr(self.stdin, OptionalActions::Now, &self.before) {
            tracing::warn!(%error, "the terminal still hides what is typed: run `stty sane`");
        }
    }
}
