//! `keys.db`: who is who, and one data key per person.
//!
//! Invariants:
//! - A national number is never stored: only its HMAC-SHA256 under the municipality's index key.
//! - A person's id is the first 16 bytes of an HMAC of the first number under the same index key: the
//!   same number gives the same id in one municipality and another id in the next.
//! - Each person's key is random and wrapped under one key, which alone the municipality's key service
//!   wraps; bound to the person's id.
//!   Destroying it makes everything sealed with it unreadable wherever copies are. A backup of
//!   `keys.db` from before still holds the wrapped key, so such backups must be kept short.
//! - A destroyed person stays as a tombstone: the number still resolves to the same id, and nothing
//!   can be sealed or opened for it.
//! - A person's key is exchanged for another when single records are erased (`keys::reseal`).
//! - The hot path (known number, known key) touches no database.

use crate::crypto::{DataKey, Secret, first16, mac};
use crate::error::Error;
use crate::key_service::KeyService;
use crate::note::{VerifierKey, origin};
use crate::random::Random;
use crate::store;
use crate::tree::Notary;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use parking_lot::{Mutex, RwLock};
use record::entry::Position;
use record::identity::PersonId;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

pub(crate) mod reseal;

pub mod adopt;
pub mod published;
pub mod rotate;
pub mod statement;
mod wrapping;

/// One of a person's numbers, as the caller canonicalised it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PersonKey<'a> {
    /// The identifier system, such as `urn:oid:2.16.578.1.12.4.1.4.1`.
    pub system: &'a str,
    /// The number.
    pub value: &'a str,
}

impl fmt::Debug for PersonKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PersonKey({}|…)", self.system)
    }
}

/// The open `keys.db` of one municipality.
pub struct Keys {
    /// Wraps what is in the file, under the one key that the municipality's service wraps.
    service: Arc<dyn KeyService>,
    random: Arc<dyn Random>,
    index: Secret,
    connection: Mutex<Connection>,
    known: RwLock<Known>,
    /// How many keys were exchanged.
    turns: AtomicU64,
    _lock: File,
}

type NumberHash = [u8; 32];

/// What need not be asked of the database again.
#[derive(Default)]
struct Known {
    numbers: HashMap<NumberHash, PersonId>,
    keys: HashMap<PersonId, DataKey>,
    /// Keys that are about to come into force.
    next: HashMap<PersonId, DataKey>,
    /// The entries that brought the keys of those whose key is not their first.
    turned: HashMap<PersonId, Position>,
    erased: HashSet<PersonId>,
}

/// Name of the key that signs the checkpoints of all ledgers.
const CHECKPOINTS: &str = "checkpoints";

/// More than this many remembered numbers or keys, and the memory starts anew.
const REMEMBERED: usize = 1 << 18;

const SCHEMA: &str = "
CREATE TABLE person(id BLOB PRIMARY KEY, wrapped BLOB) WITHOUT ROWID, STRICT;
CREATE TABLE number(hash BLOB PRIMARY KEY, person BLOB NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID, STRICT;
";

/// Version 3: the same tables, in which everything is wrapped under one key. Not to be opened by a
/// program that knows only those before.
const UNDER_ONE_KEY: &str = "";

impl Keys {
    /// Opens `keys.db`, or makes it. One process at a time.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::Storage`], and [`Error::Key`] when `service` holds another key
    /// than the one that wrapped what is there.
    pub fn open(
        path: &Path,
        service: Arc<dyn KeyService>,
        random: Arc<dyn Random>,
    ) -> Result<Self, Error> {
        let lock = store::lock(path, "keys")?;
        let mut connection = connect(path)?;
        let service: Arc<dyn KeyService> =
            Arc::new(wrapping::open(&mut connection, &*service, &random)?);
        let index = kept_secret(&mut connection, &*service, &*random, "index")?;
        // What an ended process erased may still lie in the write-ahead file.
        empty_write_ahead(&connection)?;
        let failed = "reading whose keys were destroyed";
        let erased = erased(&connection).map_err(Error::storage(failed))?;
        let turned = reseal::stored(&connection).map_err(Error::storage(failed))?;
        let known = RwLock::new(Known { erased, turned, ..Known::default() });
        let (connection, turns) = (Mutex::new(connection), AtomicU64::new(0));
        Ok(Self { service, random, index, connection, known, turns, _lock: lock })
    }

    /// The persons these numbers belong to, in the same order; a number never seen gets a person.
    /// All new ones are kept in one transaction.
    ///
    /// # Errors
    /// [`Error::Storage`] or [`Error::Key`]; then none of the new ones is kept.
    pub fn resolve(&self, numbers: &[PersonKey<'_>]) -> Result<Vec<PersonId>, Error> {
        let hashes: Vec<NumberHash> = numbers.iter().map(|n| self.hash("number", n)).collect();
        let found: Option<Vec<PersonId>> = {
            let known = self.known.read();
            hashes.iter().map(|hash| known.numbers.get(hash).copied()).collect()
        };
        if let Some(found) = found {
            return Ok(found);
        }
        let mut connection = self.connection.lock();
        let failed = "resolving persons in keys.db";
        let tx = begin(&mut connection, failed)?;
        let mut persons = Vec::with_capacity(numbers.len());
        for (number, hash) in numbers.iter().zip(&hashes) {
            persons.push(match person_of(&tx, hash).map_err(Error::storage(failed))? {
                Some(person) => person,
                None => self.create(&tx, number, hash)?,
            });
        }
        tx.commit().map_err(Error::storage(failed))?;
        self.remember_numbers(hashes.into_iter().zip(persons.iter().copied()));
        Ok(persons)
    }

    /// The person this number belongs to, or the id it would get: makes nothing.
    ///
    /// # Errors
    /// [`Error::Storage`].
    pub fn expected(&self, number: &PersonKey<'_>) -> Result<PersonId, Error> {
        let found = self.find(number)?;
        Ok(found.unwrap_or_else(|| PersonId(first16(&self.hash("person", number)))))
    }

    /// A secret for hashing what an index of this municipality holds; the same each time.
    pub fn index_key(&self) -> [u8; 16] {
        first16(&mac(&self.index, &[b"view-index"]))
    }

    /// The person this number belongs to, if it was ever resolved or linked.
    ///
    /// # Errors
    /// [`Error::Storage`].
    pub fn find(&self, number: &PersonKey<'_>) -> Result<Option<PersonId>, Error> {
        let hash = self.hash("number", number);
        if let Some(person) = self.known.read().numbers.get(&hash) {
            return Ok(Some(*person));
        }
        let connection = self.connection.lock();
        let found = person_of(&connection, &hash).map_err(Error::storage("finding a person"))?;
        self.remember_numbers(found.map(|person| (hash, person)));
        Ok(found)
    }

    /// Gives a person one more number, such as the fødselsnummer that replaces a D-number. Linking
    /// what is already linked changes nothing.
    ///
    /// # Errors
    /// [`Error::NumberTaken`] when the number is another person's, [`Error::UnknownPerson`],
    /// [`Error::Storage`].
    pub fn link(&self, person: PersonId, number: &PersonKey<'_>) -> Result<(), Error> {
        let hash = self.hash("number", number);
        let failed = "linking a number";
        let mut connection = self.connection.lock();
        let tx = begin(&mut connection, failed)?;
        match person_of(&tx, &hash).map_err(Error::storage(failed))? {
            Some(owner) if owner == person => return Ok(()),
            Some(_) => return Err(Error::NumberTaken),
            None => {}
        }
        wrapped_key(&tx, person)?;
        tx.execute("INSERT INTO number(hash, person) VALUES (?1, ?2)", params![hash, person.0])
            .and_then(|_| tx.commit())
            .map_err(Error::storage(failed))?;
        self.remember_numbers([(hash, person)]);
        Ok(())
    }

    /// The key of a person's content.
    ///
    /// # Errors
    /// [`Error::Erased`], [`Error::UnknownPerson`], [`Error::Storage`], [`Error::Key`].
    pub fn data_key(&self, person: PersonId) -> Result<DataKey, Error> {
        {
            let known = self.known.read();
            if known.erased.contains(&person) {
                return Err(Error::Erased);
            }
            if let Some(key) = known.keys.get(&person) {
                return Ok(key.clone());
            }
        }
        // The lock is held until the key is remembered, so that no key outlives its destruction.
        let connection = self.connection.lock();
        let wrapped = wrapped_key(&connection, person)?.ok_or(Error::Erased)?;
        let secret = self.service.unwrap(&wrapped, &person.0)?;
        let key = self.key_of(&connection, person, &secret)?;
        let mut known = self.known.write();
        if known.keys.len() >= REMEMBERED {
            known.keys.clear();
        }
        known.keys.insert(person, key.clone());
        Ok(key)
    }

    /// Whether the person's content was erased. Asks no database.
    pub fn is_erased(&self, person: PersonId) -> bool {
        self.known.read().erased.contains(&person)
    }

    /// Erases a person's key for good: overwritten in the file, and the write-ahead file emptied.
    /// Doing it again is harmless and finishes what a crash interrupted.
    ///
    /// # Errors
    /// [`Error::UnknownPerson`], [`Error::Storage`]; [`Error::Key`] when another reader keeps an
    /// earlier copy alive in the write-ahead file: the key is gone for every use, but do it again.
    pub fn destroy(&self, person: PersonId) -> Result<(), Error> {
        let failed = "erasing a person's key";
        let mut connection = self.connection.lock();
        let tx = begin(&mut connection, failed)?;
        wrapped_key(&tx, person)?;
        tx.execute(
            "UPDATE person SET wrapped = zeroblob(length(wrapped)) WHERE id = ?1 AND wrapped IS NOT NULL",
            [person.0],
        )
        .and_then(|_| tx.execute("UPDATE person SET wrapped = NULL WHERE id = ?1", [person.0]))
        .and_then(|_| tx.execute("DELETE FROM turned WHERE person = ?1", [person.0]))
        .and_then(|_| tx.commit())
        .map_err(Error::storage(failed))?;
        {
            let mut known = self.known.write();
            known.erased.insert(person);
            known.keys.remove(&person);
            known.turned.remove(&person);
        }
        if !empty_write_ahead(&connection)? {
            return Err(Error::Key {
                what: "erased, but a reader holds an earlier copy; erase again",
            });
        }
        Ok(())
    }

    /// The key of a ledger's content that is about no person, and of a whole audit ledger.
    ///
    /// # Errors
    /// [`Error::Storage`], [`Error::Key`].
    pub fn ledger_key(&self, ledger: &str) -> Result<DataKey, Error> {
        self.kept(&format!("content:{ledger}")).map(|secret| DataKey::new(&secret))
    }

    /// The Ed25519 public key that verifies the signatures of a ledger. Keep a copy elsewhere.
    ///
    /// # Errors
    /// [`Error::Storage`], [`Error::Key`].
    pub fn public_key(&self, ledger: &str) -> Result<[u8; 32], Error> {
        public(&self.signing_key(ledger)?)
    }

    pub(crate) fn signing_key(&self, ledger: &str) -> Result<Ed25519KeyPair, Error> {
        self.pair(&format!("sign:{ledger}"))
    }

    /// The public key of a ledger's checkpoints: the municipality's one checkpoint key under the
    /// ledger's origin. To be published.
    ///
    /// # Errors
    /// [`Error::Storage`], [`Error::Key`].
    pub fn verifier_key(&self, ledger: &str) -> Result<VerifierKey, Error> {
        self.notary(ledger).map(|notary| notary.key)
    }

    pub(crate) fn notary(&self, ledger: &str) -> Result<Notary, Error> {
        let pair = self.pair(CHECKPOINTS)?;
        let key = public(&pair)?;
        Ok(Notary { pair, key: VerifierKey { origin: origin(ledger), key } })
    }

    fn pair(&self, name: &str) -> Result<Ed25519KeyPair, Error> {
        let seed = self.kept(name)?;
        Ed25519KeyPair::from_seed_unchecked(seed.bytes())
            .map_err(|_| Error::Key { what: "not an Ed25519 seed" })
    }

    /// Whether `ledger` was made before, so that a missing file is not taken for a new one.
    pub(crate) fn has_made(&self, ledger: &str) -> Result<bool, Error> {
        meta(&self.connection.lock(), &format!("made:{ledger}")).map(|value| value.is_some())
    }

    pub(crate) fn mark_made(&self, ledger: &str) -> Result<(), Error> {
        self.connection
            .lock()
            .execute(
                "INSERT OR IGNORE INTO meta(name, value) VALUES (?1, x'01')",
                [format!("made:{ledger}")],
            )
            .map(drop)
            .map_err(Error::storage("marking a ledger as made"))?;
        self.publish(ledger)
    }

    fn kept(&self, name: &str) -> Result<Secret, Error> {
        kept_secret(&mut self.connection.lock(), &*self.service, &*self.random, name)
    }

    fn hash(&self, purpose: &str, number: &PersonKey<'_>) -> [u8; 32] {
        let parts: [&[u8]; 5] =
            [purpose.as_bytes(), b"\0", number.system.as_bytes(), b"|", number.value.as_bytes()];
        mac(&self.index, &parts)
    }

    fn create(
        &self,
        tx: &Transaction<'_>,
        number: &PersonKey<'_>,
        hash: &NumberHash,
    ) -> Result<PersonId, Error> {
        let person = PersonId(first16(&self.hash("person", number)));
        let mut key = Secret::new([0; 32]);
        self.random.fill(&mut key.0)?;
        let wrapped = self.service.wrap(&key, &person.0)?;
        let failed = "creating a person in keys.db";
        tx.prepare_cached("INSERT INTO person(id, wrapped) VALUES (?1, ?2)")
            .and_then(|mut insert| insert.execute(params![person.0, wrapped]))
            .map_err(Error::storage(failed))?;
        tx.prepare_cached("INSERT INTO number(hash, person) VALUES (?1, ?2)")
            .and_then(|mut insert| insert.execute(params![hash, person.0]))
            .map_err(Error::storage(failed))?;
        Ok(person)
    }

    fn remember_numbers(&self, numbers: impl IntoIterator<Item = (NumberHash, PersonId)>) {
        let mut known = self.known.write();
        if known.numbers.len() >= REMEMBERED {
            known.numbers.clear();
        }
        known.numbers.extend(numbers);
    }
}

fn public(pair: &Ed25519KeyPair) -> Result<[u8; 32], Error> {
    pair.public_key().as_ref().try_into().map_err(|_| Error::Key { what: "not an Ed25519 key" })
}

/// Opens the file for its one process, so that what is overwritten leaves no trace.
fn connect(path: &Path) -> Result<Connection, Error> {
    let connection =
        store::open_writable(path, store::KEYS, &[SCHEMA, reseal::SCHEMA, UNDER_ONE_KEY])?;
    connection
        .pragma_update(None, "secure_delete", true)
        .map_err(Error::storage("setting up keys.db"))?;
    Ok(connection)
}

fn begin<'c>(
    connection: &'c mut Connection,
    failed: &'static str,
) -> Result<Transaction<'c>, Error> {
    connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(Error::storage(failed))
}

/// Copies the write-ahead file into the database and empties it; `false` where a reader keeps it.
fn empty_write_ahead(connection: &Connection) -> Result<bool, Error> {
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
        .map(|busy| busy == 0)
        .map_err(Error::storage("emptying the write-ahead file of keys.db"))
}

fn person_of(connection: &Connection, hash: &NumberHash) -> rusqlite::Result<Option<PersonId>> {
    connection
        .prepare_cached("SELECT person FROM number WHERE hash = ?1")?
        .query_row([hash], |row| row.get(0).map(PersonId))
        .optional()
}

/// The wrapped key, or none where it was destroyed.
fn wrapped_key(connection: &Connection, person: PersonId) -> Result<Option<Vec<u8>>, Error> {
    connection
        .prepare_cached("SELECT wrapped FROM person WHERE id = ?1")
        .and_then(|mut select| select.query_row([person.0], |row| row.get(0)).optional())
        .map_err(Error::storage("reading a person's key"))?
        .ok_or(Error::UnknownPerson)
}

fn erased(connection: &Connection) -> rusqlite::Result<HashSet<PersonId>> {
    connection
        .prepare("SELECT id FROM person WHERE wrapped IS NULL")?
        .query_map([], |row| row.get(0).map(PersonId))?
        .collect()
}

fn meta(connection: &Connection, name: &str) -> Result<Option<Vec<u8>>, Error> {
    connection
        .query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0))
        .optional()
        .map_err(Error::storage("reading keys.db"))
}

/// The secret kept under `name`, made at its first use.
fn kept_secret(
    connection: &mut Connection,
    service: &dyn KeyService,
    random: &dyn Random,
    name: &str,
) -> Result<Secret, Error> {
    let tx = begin(connection, "keeping a key in keys.db")?;
    if let Some(wrapped) = meta(&tx, name)? {
        return service.unwrap(&wrapped, name.as_bytes());
    }
    let mut secret = Secret::new([0; 32]);
    random.fill(&mut secret.0)?;
    let wrapped = service.wrap(&secret, name.as_bytes())?;
    tx.execute("INSERT INTO meta(name, value) VALUES (?1, ?2)", params![name, wrapped])
        .and_then(|_| tx.commit())
        .map_err(Error::storage("keeping a key in keys.db"))?;
    Ok(secret)
}
