//! A bucket of an object store that speaks S3's HTTP API, as a place for backups.
//!
//! A piece is one object, put in one request: a store keeps an object whole or not at all, and knows from the
//! signed SHA-256 of its content whether all of it has come. Pieces are far below the 5 GB that one request may
//! hold. What a request ended in its middle left, the store drops.
//!
//! Invariants: objects are reached by path under the endpoint, over TLS with the machine's roots; redirects are
//! not followed; whatever may pass by itself is tried again a few times; no answer's text but its error code
//! is repeated.

pub mod address;
mod client;
pub mod sign;

use std::fs::{File, Permissions};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::Bytes;
use ledger::backup::place::{Kept, Place};
use ledger::crypto::{sha256, sha256_of};
use ledger::error::Error;

use self::address::{Address, Store};
use self::client::{Answer, Client, Content};
use crate::command::Failed;

/// Folder beside the ledgers in which a piece is made before it is sent.
const OUTGOING: &str = "outgoing";

/// The backups of a municipality in a bucket.
pub struct Bucket {
    client: Arc<Client>,
    prefix: String,
    outgoing: Option<Outgoing>,
}

/// Where pieces are made; one process at a time.
struct Outgoing {
    folder: PathBuf,
    _lock: File,
}

impl Bucket {
    /// A bucket to read the backups of a municipality from.
    ///
    /// # Errors
    /// What is missing of endpoint and access key.
    pub fn reading(address: &Address, number: &str) -> Result<Self, Failed> {
        let client = Arc::new(Client::new(Store::from_environment()?, &address.bucket)?);
        let prefix = format!("{}{number}/", address.prefix);
        Ok(Self { client, prefix, outgoing: None })
    }

    /// A bucket to write the backups of the municipality in `directory` into. One process at a time.
    ///
    /// # Errors
    /// As [`Bucket::reading`]; another process that does the same.
    pub fn writing(address: &Address, number: &str, directory: &Path) -> Result<Self, Failed> {
        let lock = File::create(directory.join("outgoing.lock"))?;
        lock.try_lock().map_err(|_| "another backup of this municipality is under way")?;
        let folder = directory.join(OUTGOING);
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir(&folder)?;
        std::fs::set_permissions(&folder, Permissions::from_mode(0o700))?;
        let outgoing = Some(Outgoing { folder, _lock: lock });
        Ok(Self { outgoing, ..Self::reading(address, number)? })
    }

    /// The municipalities that have backups in a bucket.
    ///
    /// # Errors
    /// As [`Bucket::reading`]; a store that does not answer.
    pub fn municipalities(address: &Address) -> Result<Vec<String>, Failed> {
        let client = Client::new(Store::from_environment()?, &address.bucket)?;
        let prefixes = listed(&client, &address.prefix, Some("/"), &["CommonPrefixes", "Prefix"])?;
        let name =
            |it: &String| Some(it.strip_prefix(&address.prefix)?.strip_suffix('/')?.to_owned());
        Ok(prefixes.iter().filter_map(name).collect())
    }

    fn path(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        // What is left is taken away by the next run as well.
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

/// The names of all objects, or what their names begin with up to `delimiter`, sorted. `place` is where they
/// stand in an answer: elements within elements.
fn listed(
    client: &Client,
    prefix: &str,
    delimiter: Option<&str>,
    place: &[&str],
) -> Result<Vec<String>, Error> {
    let (mut names, mut next) = (Vec::new(), None);
    loop {
        let mut query = vec![("list-type", "2"), ("prefix", prefix)];
        query.extend(delimiter.map(|it| ("delimiter", it)));
        query.extend(next.as_deref().map(|it| ("continuation-token", it)));
        query.sort_unstable();
        let answer = client.ask("GET", "", &query, &Content::none());
        let text = answer
            .and_then(|answer| client.text(answer))
            .map_err(failed("listing the backup's bucket"))?;
        let found: Vec<&str> = place.iter().fold(vec![text.as_str()], all_within);
        names.extend(found.into_iter().map(unescaped));
        next = within(&text, "NextContinuationToken").next().map(unescaped);
        if next.is_none() {
            names.sort();
            return Ok(names);
        }
    }
}

/// What stands in each element of this name in an answer of a store, which nests none in itself.
fn within<'a>(text: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let (start, end) = (format!("<{name}>"), format!("</{name}>"));
    let mut rest = text;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once(&start)?;
        let (inner, after) = after.split_once(&end)?;
        rest = after;
        Some(inner)
    })
}

fn all_within<'a>(texts: Vec<&'a str>, name: &&str) -> Vec<&'a str> {
    texts.into_iter().flat_map(|text| within(text, name)).collect()
}

/// Text of XML; names of pieces have no other escapes.
fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

fn failed(what: &'static str) -> impl FnOnce(std::io::Error) -> Error {
    move |source| Error::File { what, source: Arc::new(source) }
}

impl Place for Bucket {
    fn keep(
        &self,
        name: &str,
        write: &mut dyn FnMut(&Path) -> Result<(), Error>,
    ) -> Result<Kept, Error> {
        let doing = "keeping a piece of the backup";
        let outgoing = self.outgoing.as_ref().ok_or_else(|| {
            failed(doing)(std::io::Error::other("the bucket was opened to read from"))
        })?;
        let path = outgoing.folder.join(name.replace('/', "-"));
        write(&path)?;
        let mut file = File::open(&path).map_err(failed(doing))?;
        let (bytes, sha256) = sha256_of(&mut file).map_err(failed(doing))?;
        let content = Content::file(path.clone(), bytes, sha256);
        self.client.ask("PUT", &self.path(name), &[], &content).map(drop).map_err(failed(doing))?;
        std::fs::remove_file(&path).map_err(failed(doing))?;
        Ok((bytes, sha256))
    }

    fn open(&self, name: &str) -> Result<Box<dyn Read>, Error> {
        let answer = self.client.ask("GET", &self.path(name), &[], &Content::none());
        let answer = answer.map_err(failed("opening a piece of the backup"))?;
        Ok(Box::new(Reading { client: self.client.clone(), answer, piece: Bytes::new() }))
    }

    fn list(&self) -> Result<Vec<String>, Error> {
        let names = listed(&self.client, &self.prefix, None, &["Key"])?;
        let own = |it: &String| it.strip_prefix(&self.prefix).map(str::to_owned);
        Ok(names.iter().filter_map(own).collect())
    }

    fn remove(&self, name: &str) -> Result<(), Error> {
        let answer = self.client.ask("DELETE", &self.path(name), &[], &Content::none());
        match answer {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            answer => answer.map(drop).map_err(failed("taking away a piece of the backup")),
        }
    }
}

/// A piece that is being read.
struct Reading {
    client: Arc<Client>,
    answer: Answer,
    piece: Bytes,
}

impl Read for Reading {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        while self.piece.is_empty() {
            match self.client.next(&mut self.answer)? {
                Some(piece) => self.piece = piece,
                None => return Ok(0),
            }
        }
        let count = out.len().min(self.piece.len());
        let piece = self.piece.split_to(count);
        for (to, from) in out.iter_mut().zip(&piece) {
            *to = *from;
        }
        Ok(count)
    }
}

impl Content {
    /// No body.
    fn none() -> Self {
        Content { file: None, bytes: 0, sha256: sha256(&[]) }
    }

    /// A file.
    fn file(path: PathBuf, bytes: u64, sha256: [u8; 32]) -> Self {
        Content { file: Some(path), bytes, sha256 }
    }
}
