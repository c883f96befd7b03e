//! `keys.db`, or the same tables in PostgreSQL: who is who, and one data key per person.
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
//! - Several servers may share the tables in PostgreSQL: each change of them is judged by what is there, with
//!   nobody else at one. What another server has destroyed or exchanged, a writer hears of before it judges its next
//!   batch, and [`Keys::refresh`] reads.

use crate::crypto::{DataKey, Secret, first16, mac};
use crate::database::Database;
use crate::error::Error;
use crate::key_service::KeyService;
use crate::note::{VerifierKey, origin};
use crate::random::Random;
use crate::tree::Notary;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use parking_lot::{Mutex, RwLock};
use record::entry::Position;
use record::identity::PersonId;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use table::postgres::KeysSchema;
use table::sqlite::KeysFile;
use table::{Kept, Table, change};

pub(crate) mod reseal;

pub mod published;
pub mod rotate;
mod table;
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

/// The open keys of one municipality.
pub struct Keys {
    /// Wraps what is kept, under the one key that the municipality's service wraps.
    service: Arc<dyn KeyService>,
    /// That one key, as the municipality's service wrapped it.
    wrapping: Vec<u8>,
    random: Arc<dyn Random>,
    index: Secret,
    table: Mutex<Box<dyn Table>>,
    known: RwLock<Known>,
    /// How many keys were exchanged.
    turns: AtomicU64,
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
        Self::start(Box::new(KeysFile::open(path)?), service, random)
    }

    /// Opens the keys named `name`, such as `0301/keys`, in a schema of `database`, or makes them. Other servers may
    /// have them open too.
    ///
    /// # Errors
    /// [`Error::Database`]; [`Error::Key`] as [`Keys::open`]; [`Error::Corrupt`] where the schema is of a newer
    /// version.
    pub fn open_in(
        database: &Arc<Database>,
        name: &str,
        service: Arc<dyn KeyService>,
        random: Arc<dyn Random>,
    ) -> Result<Self, Error> {
        Self::start(Box::new(KeysSchema::open(database.clone(), name)?), service, random)
    }

    fn start(
        mut table: Box<dyn Table>,
        service: Arc<dyn KeyService>,
        random: Arc<dyn Random>,
    ) -> Result<Self, Error> {
        let (service, wrapping) = wrapping::open(&mut *table, &*service, &random)?;
        let service: Arc<dyn KeyService> = Arc::new(service);
        let index = kept_secret(&mut *table, &*service, &*random, "index")?;
        // What an ended process erased may still lie where it was.
        table.clear()?;
        let (erased, turned) = table.ended()?;
        let known = RwLock::new(Known { erased, turned, ..Known::default() });
        let (table, turns) = (Mutex::new(table), AtomicU64::new(0));
        Ok(Self { service, wrapping, random, index, table, known, turns })
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
        let mut table = self.table.lock();
        let mut found = table.numbers(&hashes)?;
        if hashes.iter().any(|hash| !found.contains_key(hash)) {
            found = self.change(&mut **table, |table| self.create(table, numbers, &hashes))?;
        }
        drop(table);
        let persons: Option<Vec<_>> = hashes.iter().map(|hash| found.get(hash).copied()).collect();
        self.remember_numbers(found);
        persons.ok_or(Error::UnknownPerson)
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
        let found = self.table.lock().numbers(&[hash])?.remove(&hash);
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
        self.change(&mut **self.table.lock(), |table| {
            match table.numbers(&[hash])?.remove(&hash) {
                Some(owner) if owner == person => Ok(()),
                Some(_) => Err(Error::NumberTaken),
                None => {
                    table.person(person)?.ok_or(Error::UnknownPerson)?;
                    table.add_numbers(&[(hash, person)])
                }
            }
        })?;
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
        let mut table = self.table.lock();
        let kept = table.person(person)?.ok_or(Error::UnknownPerson)?;
        self.learn(person, &kept);
        let (key, _) = self.key_of(person, &kept)?;
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

    /// Reads again how a person's key is: what another server may have destroyed or exchanged. To be called for the
    /// person of an entry of kind `Erasure` or `Resealing` that another server appended.
    ///
    /// # Errors
    /// [`Error::UnknownPerson`]; [`Error::Storage`], [`Error::Database`].
    pub fn refresh(&self, person: PersonId) -> Result<(), Error> {
        let mut table = self.table.lock();
        let kept = table.person(person)?.ok_or(Error::UnknownPerson)?;
        self.learn(person, &kept);
        Ok(())
    }

    /// Erases a person's key for good: overwritten in the file, and the write-ahead file emptied.
    /// Doing it again is harmless and finishes what a crash interrupted.
    ///
    /// # Errors
    /// [`Error::UnknownPerson`], [`Error::Storage`]; [`Error::Key`] when another reader keeps an
    /// earlier copy alive in the write-ahead file: the key is gone for every use, but do it again.
    pub fn destroy(&self, person: PersonId) -> Result<(), Error> {
        let mut table = self.table.lock();
        self.change(&mut **table, |table| {
            table.person(person)?.ok_or(Error::UnknownPerson)?;
            table.destroy(person)
        })?;
        self.learn(person, &Kept { wrapped: None, turned: None });
        if !table.clear()? {
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
        self.table.lock().meta(&made(ledger)).map(|value| value.is_some())
    }

    pub(crate) fn mark_made(&self, ledger: &str) -> Result<(), Error> {
        change(&mut **self.table.lock(), |table| table.put(&made(ledger), &[1]))?;
        self.publish(ledger)
    }

    fn kept(&self, name: &str) -> Result<Secret, Error> {
        kept_secret(&mut **self.table.lock(), &*self.service, &*self.random, name)
    }

    fn hash(&self, purpose: &str, number: &PersonKey<'_>) -> [u8; 32] {
        let parts: [&[u8]; 5] =
            [purpose.as_bytes(), b"\0", number.system.as_bytes(), b"|", number.value.as_bytes()];
        mac(&self.index, &parts)
    }

    /// Whose these numbers are, with a new person for each that is nobody's.
    fn create(
        &self,
        table: &mut dyn Table,
        numbers: &[PersonKey<'_>],
        hashes: &[NumberHash],
    ) -> Result<HashMap<NumberHash, PersonId>, Error> {
        let mut found = table.numbers(hashes)?;
        let (mut persons, mut new) = (Vec::new(), Vec::new());
        for (number, hash) in numbers.iter().zip(hashes) {
            if found.contains_key(hash) {
                continue;
            }
            let person = PersonId(first16(&self.hash("person", number)));
            let mut key = Secret::new([0; 32]);
            self.random.fill(&mut key.0)?;
            persons.push((person, self.service.wrap(&key, &person.0)?));
            new.push((*hash, person));
            found.insert(*hash, person);
        }
        table.add_persons(&persons)?;
        table.add_numbers(&new)?;
        Ok(found)
    }

    /// A change of what is wrapped by the key that this server has, which another may have exchanged.
    fn change<T>(
        &self,
        table: &mut dyn Table,
        work: impl FnOnce(&mut dyn Table) -> Result<T, Error>,
    ) -> Result<T, Error> {
        change(table, |table| {
            if table.is_shared() && table.meta(wrapping::NAME)?.as_ref() != Some(&self.wrapping) {
                let what = "the municipality's key was exchanged; start this server again with it";
                return Err(Error::Key { what });
            }
            work(table)
        })
    }

    /// Forgets what no longer holds of a person.
    fn learn(&self, person: PersonId, kept: &Kept) {
        let since = kept.turned.as_ref().map(|turned| turned.position);
        let mut known = self.known.write();
        if kept.wrapped.is_none() {
            known.erased.insert(person);
            known.keys.remove(&person);
            known.turned.remove(&person);
        } else if let Some(since) = since
            && known.turned.insert(person, since) != Some(since)
        {
            known.keys.remove(&person);
            known.next.remove(&person);
            self.turns.fetch_add(1, Ordering::SeqCst);
        }
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

/// Where it stands that a ledger was made.
fn made(ledger: &str) -> String {
    format!("made:{ledger}")
}

/// The secret kept under `name`, made at its first use.
fn kept_secret(
    table: &mut dyn Table,
    service: &dyn KeyService,
    random: &dyn Random,
    name: &str,
) -> Result<Secret, Error> {
    if let Some(wrapped) = table.meta(name)? {
        return service.unwrap(&wrapped, name.as_bytes());
    }
    change(table, |table| {
        // Another server may have made it meanwhile.
        if let Some(wrapped) = table.meta(name)? {
            return service.unwrap(&wrapped, name.as_bytes());
        }
        let mut secret = Secret::new([0; 32]);
        random.fill(&mut secret.0)?;
        table.put(name, &service.wrap(&secret, name.as_bytes())?)?;
        Ok(secret)
    })
}
