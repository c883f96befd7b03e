//! The municipality's own key, which never leaves its service.
//!
//! A service is asked seldom: it wraps the one key under which `keys.db` wraps all others
//! ([`crate::keys`]), once when that is made and once each time it is opened.

use crate::crypto::{self, NONCE, Secret};
use crate::error::Error;
use crate::random::Random;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

/// Wraps and unwraps a key under the municipality's key. A file in the demo; in production a file
/// that a passphrase opens ([`crate::sealed_key`]), a credential, or a key service elsewhere.
pub trait KeyService: Send + Sync {
    /// Wraps `key`; the same `context` must be given to unwrap it.
    ///
    /// # Errors
    /// [`Error::Key`] when the service cannot be used.
    fn wrap(&self, key: &Secret, context: &[u8]) -> Result<Vec<u8>, Error>;

    /// Unwraps what [`KeyService::wrap`] gave for the same `context`.
    ///
    /// # Errors
    /// [`Error::Key`] when the service cannot be used, or the bytes were wrapped by another key or
    /// for another context.
    fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Result<Secret, Error>;
}

/// The municipality's key as 32 bytes in a file that only its owner can read.
pub struct FileKey {
    key: Secret,
    random: Arc<dyn Random>,
}

impl FileKey {
    /// Reads the key file, or makes one with mode 0600 where there is none.
    ///
    /// # Errors
    /// [`Error::File`] from the file system; [`Error::Key`] when the file is not a key file.
    pub fn open(path: &Path, random: Arc<dyn Random>) -> Result<Self, Error> {
        let key = match File::open(path) {
            Ok(file) => read(file)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => create(path, &*random)?,
            Err(error) => return Err(Error::file("reading the municipality's key file")(error)),
        };
        Ok(Self { key, random })
    }

    /// Reads the key file that is there.
    ///
    /// # Errors
    /// As [`FileKey::open`], and where there is none.
    pub fn read(path: &Path, random: Arc<dyn Random>) -> Result<Self, Error> {
        let failed =
            "reading the municipality's key file; put back the one that belongs to keys.db";
        Ok(Self { key: read(File::open(path).map_err(Error::file(failed))?)?, random })
    }

    /// Makes a new key file with mode 0600.
    ///
    /// # Errors
    /// [`Error::File`], also where there is a file.
    pub fn create(path: &Path, random: Arc<dyn Random>) -> Result<Self, Error> {
        Ok(Self { key: create(path, &*random)?, random })
    }

    /// A key that was had elsewhere and is held in memory only.
    pub fn in_memory(key: Secret, random: Arc<dyn Random>) -> Self {
        Self { key, random }
    }
}

fn read(file: File) -> Result<Secret, Error> {
    let failed = "reading the municipality's key file";
    let mode = file.metadata().map_err(Error::file(failed))?.permissions().mode();
    if mode & 0o077 != 0 {
        tracing::warn!("the municipality's key file can be read by others than its owner");
    }
    let mut bytes = Vec::with_capacity(33);
    file.take(33).read_to_end(&mut bytes).map_err(Error::file(failed))?;
    let key = Secret::from_slice(&bytes);
    bytes.fill(0);
    key.ok_or(Error::Key { what: "the key file does not hold 32 bytes" })
}

fn create(path: &Path, random: &dyn Random) -> Result<Secret, Error> {
    let mut key = Secret([0; 32]);
    random.fill(&mut key.0)?;
    write_new(path, &key.0)?;
    Ok(key)
}

/// Makes a file with mode 0600. Writes beside and links into place, so that a crash never leaves half
/// a key under the name, and no file is replaced.
pub(crate) fn write_new(path: &Path, content: &[u8]) -> Result<(), Error> {
    let failed = "making the municipality's key file";
    let beside = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .map_err(Error::file(failed))?;
    file.write_all(content)
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::hard_link(&beside, path))
        .and_then(|()| std::fs::remove_file(&beside))
        .map_err(Error::file(failed))?;
    sync_folder(path)
}

/// Makes a new file's name durable.
pub(crate) fn sync_folder(path: &Path) -> Result<(), Error> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)
        .and_then(|f| f.sync_all())
        .map_err(Error::file("syncing a new file's folder"))
}

impl KeyService for FileKey {
    fn wrap(&self, key: &Secret, context: &[u8]) -> Result<Vec<u8>, Error> {
        let mut nonce = [0; NONCE];
        self.random.fill(&mut nonce)?;
        let mut out = Vec::new();
        crypto::seal(&self.key, nonce, context, &key.0, &mut out)?;
        Ok(out)
    }

    fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Result<Secret, Error> {
        let mut plain = crypto::open(&self.key, context, wrapped)
            .ok_or(Error::Key { what: "wrapped by another key, or damaged" })?;
        let key = Secret::from_slice(&plain);
        plain.fill(0);
        key.ok_or(Error::Key { what: "the wrapped key is not 32 bytes" })
    }
}
