//! Where backups are kept: pieces under names, each whole or not there.

use crate::crypto::sha256_of;
use crate::error::Error;
use crate::key_service::sync_folder;
use crate::store;
use std::fs::{File, Permissions};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// What keeping a piece gives: its size in bytes and its SHA-256.
pub type Kept = (u64, [u8; 32]);

/// A place that keeps pieces. A folder, or a bucket of an object store: both have these four verbs.
pub trait Place {
    /// Keeps under `name` the file that `write` makes at the path it is given: whole and durable when this
    /// returns, or not at all. A piece of that name is replaced.
    ///
    /// # Errors
    /// Those of `write`; [`Error::File`].
    fn keep(
        &self,
        name: &str,
        write: &mut dyn FnMut(&Path) -> Result<(), Error>,
    ) -> Result<Kept, Error>;

    /// Reads a piece.
    ///
    /// # Errors
    /// [`Error::File`], also where there is none.
    fn open(&self, name: &str) -> Result<Box<dyn Read>, Error>;

    /// The names of all pieces, sorted.
    ///
    /// # Errors
    /// [`Error::File`].
    fn list(&self) -> Result<Vec<String>, Error>;

    /// Takes a piece away; harmless where there is none.
    ///
    /// # Errors
    /// [`Error::File`].
    fn remove(&self, name: &str) -> Result<(), Error>;
}

/// A folder of this machine, open to its owner only.
pub struct Folder {
    root: PathBuf,
    _lock: Option<File>,
}

/// Folders within the root.
const WITHIN: [&str; 4] = ["audit", "files", "keys", "ledger"];
/// The end of a name while the piece is not whole.
const UNFINISHED: &str = ".part";

impl Folder {
    /// Opens a folder to write backups into, or makes it. One process at a time. What an ended process
    /// left unfinished is taken away.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::File`].
    pub fn writing(root: &Path) -> Result<Self, Error> {
        let failed = "making the backup's folder";
        for within in WITHIN {
            let path = root.join(within);
            std::fs::create_dir_all(&path).map_err(Error::file(failed))?;
        }
        private(root)?;
        let lock = store::lock(&root.join("backup"), "the backup's folder")?;
        let folder = Self { root: root.to_owned(), _lock: Some(lock) };
        for name in folder.names()?.into_iter().filter(|name| name.ends_with(UNFINISHED)) {
            folder.remove(&name)?;
        }
        Ok(folder)
    }

    /// Opens a folder to read backups from.
    ///
    /// # Errors
    /// [`Error::File`] where there is none.
    pub fn reading(root: &Path) -> Result<Self, Error> {
        std::fs::read_dir(root).map_err(Error::file("opening the backup's folder"))?;
        Ok(Self { root: root.to_owned(), _lock: None })
    }

    fn names(&self) -> Result<Vec<String>, Error> {
        let failed = "listing the backup's folder";
        let mut names = Vec::new();
        for within in WITHIN.into_iter().map(Some).chain([None]) {
            let path = within.map_or(self.root.clone(), |within| self.root.join(within));
            let entries = match std::fs::read_dir(path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                entries => entries.map_err(Error::file(failed))?,
            };
            for entry in entries {
                let entry = entry.map_err(Error::file(failed))?;
                let is_file = entry.file_type().map_err(Error::file(failed))?.is_file();
                if let (true, Some(name)) = (is_file, entry.file_name().to_str()) {
                    names.push(within.map_or(name.to_owned(), |within| format!("{within}/{name}")));
                }
            }
        }
        names.sort();
        Ok(names)
    }
}

fn private(root: &Path) -> Result<(), Error> {
    std::fs::set_permissions(root, Permissions::from_mode(0o700))
        .map_err(Error::file("making the backup's folder private"))
}

impl Place for Folder {
    fn keep(
        &self,
        name: &str,
        write: &mut dyn FnMut(&Path) -> Result<(), Error>,
    ) -> Result<Kept, Error> {
        let failed = "keeping a piece of the backup";
        let path = self.root.join(name);
        let beside = self.root.join(format!("{name}{UNFINISHED}"));
        write(&beside)?;
        let mut file = File::open(&beside).map_err(Error::file(failed))?;
        // Read back from the file: what is told of it is what is there.
        let kept = sha256_of(&mut file).map_err(Error::file(failed))?;
        file.sync_all()
            .and_then(|()| std::fs::rename(&beside, &path))
            .map_err(Error::file(failed))?;
        sync_folder(&path)?;
        Ok(kept)
    }

    fn open(&self, name: &str) -> Result<Box<dyn Read>, Error> {
        let file = File::open(self.root.join(name));
        Ok(Box::new(file.map_err(Error::file("opening a piece of the backup"))?))
    }

    fn list(&self) -> Result<Vec<String>, Error> {
        let is_piece = |name: &String| !name.ends_with(UNFINISHED) && !name.ends_with(".lock");
        Ok(self.names()?.into_iter().filter(is_piece).collect())
    }

    fn remove(&self, name: &str) -> Result<(), Error> {
        match std::fs::remove_file(self.root.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::file("taking away a piece of the backup")(error))
            }
            _ => Ok(()),
        }
    }
}
