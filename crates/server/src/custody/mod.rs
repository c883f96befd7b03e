//! What keeps a municipality's key: a file, a file behind a passphrase, a credential, the environment,
//! or HashiCorp Vault. All behind [`KeyService`]; here, since one of them speaks HTTP.
//!
//! Invariants: no secret is in a configuration file, an argument, a log or an error. Where a key is being
//! exchanged, both services are asked, so that there is no moment at which the server cannot start.

pub mod config;
pub mod terminal;
mod vault;

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use exchange::custody::{KEY_FILE, KEYS_FILE, own_key};
use ledger::crypto::Secret;
use ledger::error::Error;
use ledger::key_service::{FileKey, KeyService};
use ledger::random::Random;
use ledger::sealed_key::{self, Passphrase};

use self::config::{KeyConfig, PassphraseFrom};
use self::vault::Vault;
use crate::command::Failed;
use crate::config::MunicipalityConfig;

/// Where systemd puts the credentials of a service (systemd.exec(5), `LoadCredential=`).
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// The key service of a municipality: the one it has, and where it is being exchanged also the one before.
///
/// # Errors
/// What is wrong with it, and what to do.
pub fn service(
    municipality: &MunicipalityConfig,
    random: &Arc<dyn Random>,
) -> Result<Arc<dyn KeyService>, Failed> {
    let now = present(municipality, random)?;
    Ok(match &municipality.key_before {
        Some(before) => Arc::new(Exchanging { now, before: provider(before, random, false)? }),
        None => now,
    })
}

/// The key service that a municipality is to have.
///
/// # Errors
/// As [`service`].
pub fn present(
    municipality: &MunicipalityConfig,
    random: &Arc<dyn Random>,
) -> Result<Arc<dyn KeyService>, Failed> {
    // In a database it may be there already, under another server's key: none is made.
    let is_shared = municipality.ledger.is_some();
    let is_new = !is_shared && !municipality.directory.join(KEYS_FILE).exists();
    match &municipality.key {
        Some(key) => provider(key, random, is_new),
        None if is_shared => {
            let path = municipality.directory.join(KEY_FILE);
            let read = FileKey::read(&path, random.clone());
            Ok(Arc::new(read.map_err(|error| {
                format!(
                    "`{}`: {error}; every server that shares the municipality needs the same key: make it once \
                     with `fkj keys new`",
                    path.display()
                )
            })?))
        }
        None => Ok(own_key(&municipality.directory, random)?),
    }
}

/// What a configuration names. Only a municipality that is new gets a key file that is not there.
fn provider(
    config: &KeyConfig,
    random: &Arc<dyn Random>,
    is_new: bool,
) -> Result<Arc<dyn KeyService>, Failed> {
    let random = random.clone();
    Ok(match config {
        KeyConfig::File { path } if is_new => Arc::new(FileKey::open(path, random)?),
        KeyConfig::File { path } => Arc::new(FileKey::read(path, random)?),
        KeyConfig::SealedFile { path, passphrase: Some(from) } => {
            Arc::new(sealed_key::open(path, &passphrase(from)?, random)?)
        }
        KeyConfig::SealedFile { path, passphrase: None } => terminal::open(path, random)?,
        KeyConfig::Credential { name } => Arc::new(held(credential(name)?, name, random)?),
        KeyConfig::Environment { name } => Arc::new(held(variable(name)?, name, random)?),
        KeyConfig::Vault(vault) => Arc::new(Vault::new(vault)?),
    })
}

/// The passphrase of a sealed key.
///
/// # Errors
/// Where it cannot be read.
pub fn passphrase(from: &PassphraseFrom) -> Result<Passphrase, Failed> {
    let bytes = match from {
        PassphraseFrom::File { file } => read(file)?,
        PassphraseFrom::Credential { credential: name } => credential(name)?,
    };
    Ok(Passphrase::new(bytes))
}

fn held(mut bytes: Vec<u8>, name: &str, random: Arc<dyn Random>) -> Result<FileKey, Failed> {
    let key = Secret::parse(&bytes);
    bytes.fill(0);
    let key = key.ok_or_else(|| {
        format!("`{name}` holds no key: 32 bytes as they are, or their base64, as `openssl rand -base64 32` gives")
    })?;
    Ok(FileKey::in_memory(key, random))
}

/// A credential that systemd gives the service.
///
/// # Errors
/// Where there is none of that name.
pub fn credential(name: &str) -> Result<Vec<u8>, Failed> {
    let folder = std::env::var_os(CREDENTIALS).ok_or_else(|| {
        format!(
            "there are no credentials: start fkj as a systemd service with `LoadCredential={name}:…` or \
             `LoadCredentialEncrypted={name}:…`"
        )
    })?;
    // A name is one file in the folder, never a way out of it.
    if name.is_empty() || name.contains('/') || name.starts_with('.') {
        return Err(format!("`{name}` is no name of a credential").into());
    }
    read(&Path::new(&folder).join(name))
}

fn variable(name: &str) -> Result<Vec<u8>, Failed> {
    let value = std::env::var_os(name).map(OsString::into_encoded_bytes);
    value.ok_or_else(|| {
        format!("the environment has no `{name}`; set it to the key's base64").into()
    })
}

fn read(path: &Path) -> Result<Vec<u8>, Failed> {
    std::fs::read(path).map_err(|error| format!("`{}`: {error}", path.display()).into())
}

/// Two services, while a key goes from one to the other.
struct Exchanging {
    now: Arc<dyn KeyService>,
    before: Arc<dyn KeyService>,
}

impl KeyService for Exchanging {
    fn wrap(&self, key: &Secret, context: &[u8]) -> Result<Vec<u8>, Error> {
        self.now.wrap(key, context)
    }

    fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Result<Secret, Error> {
        let error = match self.now.unwrap(wrapped, context) {
            Err(error) => error,
            opened => return opened,
        };
        let opened = self.before.unwrap(wrapped, context).map_err(|_| error)?;
        tracing::debug!(
            "a key was unwrapped by `key_before`; run `fkj keys rotate` to exchange it"
        );
        Ok(opened)
    }
}

#[cfg(test)]
mod tests;
