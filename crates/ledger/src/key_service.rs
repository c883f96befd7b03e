//! The municipality's own key, which wraps every other key and never leaves its service.

use crate::crypto::{self, NONCE, Secret};
use crate::error::Error;
use crate::random::Random;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

/// Wraps and unwraps keys under the municipality's key. A file in the demo, a key service or
/// hardware module in production.
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

    /// A key held in memory only, for tests.
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

/// Writes beside and links into place, so that a crash never leaves half a key under the name.
fn create(path: &Path, random: &dyn Random) -> Result<Secret, Error> {
    let failed = "making the municipality's key file";
    let mut key = Secret([0; 32]);
    random.fill(&mut key.0)?;
    let beside = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .map_err(Error::file(failed))?;
    file.write_all(&key.0)
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::hard_link(&beside, path))
        .and_then(|()| std::fs::remove_file(&beside))
        .map_err(Error::file(failed))?;
    sync_folder(path)?;
    Ok(key)
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
