//! What goes in and what comes out: drafts, answers, and records read back.
//!
//! Invariant: all heavy work on a draft (compression, encryption, digests) is done here, on the
//! caller's thread, before the queue; the one writer only places and chains.

use crate::body::{self, Belonging};
use crate::crypto::{DataKey, NONCE, first16, sha256};
use crate::error::Error;
use crate::keys::Keys;
use crate::random::Random;
use crate::reseal::Work;
use record::entry::{Entry, Kind, Position};
use record::identity::PersonId;
use std::sync::Arc;

/// A fact on its way into the ledger.
#[derive(Clone, PartialEq, Eq)]
pub struct Draft {
    /// What it is.
    pub kind: Kind,
    /// The system that sent it.
    pub source: String,
    /// The source's own id of the event. The same id with the same content is kept once; without an
    /// id, nothing is compared.
    pub source_event_id: Option<String>,
    /// Organisation number of the owner.
    pub owner: String,
    /// The person it is about, if any, as [`Keys::resolve`] gave.
    pub person: Option<PersonId>,
    /// Category in the information catalogue.
    pub category: String,
    /// SHA-256 of what was received: what makes a repeat a repeat. Not stored as it is.
    pub fingerprint: [u8; 32],
    /// The content to seal.
    pub body: Vec<u8>,
    /// The position up to which everything was known that it rests on, where it rests on anything. Where another
    /// server has since appended something about the same person, or a decision, it is refused with
    /// [`Error::Overtaken`]. What this server appends meanwhile is its own to keep apart.
    pub seen: Option<Position>,
}

/// The answer for one draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    /// It got this place.
    New(Entry),
    /// It was there already, here.
    Duplicate(Entry),
}

impl Appended {
    /// The entry, new or not.
    pub fn entry(&self) -> &Entry {
        match self {
            Appended::New(entry) | Appended::Duplicate(entry) => entry,
        }
    }
}

/// A newly kept entry with its plain body, handed on so that nobody needs to open it again.
#[derive(Clone, PartialEq, Eq)]
pub struct Committed {
    /// The entry.
    pub entry: Entry,
    /// The plain body.
    pub body: Vec<u8>,
}

/// An entry read back.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// The entry.
    pub entry: Entry,
    /// Its content.
    pub body: Body,
}

/// The content of an entry read back.
#[derive(Clone, PartialEq, Eq)]
pub enum Body {
    /// As it was given.
    Plain(Vec<u8>),
    /// The person's key, or the key of then, was destroyed: nobody can read it any more.
    Erased,
}

// Content is about persons: none of these prints it.

impl std::fmt::Debug for Draft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Draft({:?} {}, {} bytes)", self.kind, self.category, self.body.len())
    }
}

impl std::fmt::Debug for Committed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Committed({}, {} bytes)", self.entry.position, self.body.len())
    }
}

impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Record({}, {:?})", self.entry.position, self.body)
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Body::Plain(bytes) => write!(f, "Plain({} bytes)", bytes.len()),
            Body::Erased => f.write_str("Erased"),
        }
    }
}

/// With whose key a ledger seals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sealing {
    /// Each person's own key, so that a person's content can be erased. Entries without a person,
    /// and those that tell of an erasure or a resealing, take the ledger's key.
    PerPerson,
    /// The ledger's key for all: the audit ledger, which outlives an erasure, and has an index by
    /// person.
    Ledger,
}

/// Seals and opens the bodies of one ledger.
pub(crate) struct Sealer {
    pub(crate) ledger: String,
    pub(crate) keys: Arc<Keys>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) sealing: Sealing,
    pub(crate) ledger_key: DataKey,
}

/// A draft after the heavy work: place, time and chain are still zero in the entry.
pub(crate) struct Prepared {
    pub(crate) entry: Entry,
    pub(crate) event: Option<[u8; 16]>,
    pub(crate) sealed: Vec<u8>,
    pub(crate) plain: Vec<u8>,
    /// Up to where everything was known that it rests on.
    pub(crate) seen: Option<Position>,
    /// How many keys had been exchanged before the key was asked for that sealed it.
    pub(crate) turns: u64,
    /// What a resealing does.
    pub(crate) resealing: Option<Box<Work>>,
}

impl Prepared {
    /// The same once more; nothing of a resealing, which is prepared anew.
    pub(crate) fn again(&self) -> Option<Self> {
        let Self { entry, event, sealed, plain, seen, turns, resealing } = self;
        resealing.is_none().then(|| Self {
            entry: entry.clone(),
            event: *event,
            sealed: sealed.clone(),
            plain: plain.clone(),
            seen: *seen,
            turns: *turns,
            resealing: None,
        })
    }
}

impl Sealer {
    /// Does the heavy work on a group. Its nonces are drawn at once: one call instead of many.
    pub(crate) fn prepare_all(&self, group: Vec<Draft>) -> Result<Vec<Prepared>, Error> {
        let mut nonces = vec![[0; NONCE]; group.len()];
        self.random.fill(nonces.as_flattened_mut())?;
        group.into_iter().zip(nonces).map(|(draft, nonce)| self.prepare(draft, nonce)).collect()
    }

    fn prepare(&self, draft: Draft, nonce: [u8; NONCE]) -> Result<Prepared, Error> {
        let belonging = Belonging { ledger: &self.ledger, person: draft.person };
        let turns = self.keys.turns();
        let key = self.key(draft.kind, draft.person)?;
        let sealed = body::seal(&key, nonce, belonging, &draft.body)?;
        let event = draft.source_event_id.as_deref().map(|id| event_key(&draft.source, id));
        let entry = Entry {
            position: 0,
            recorded_at: 0,
            kind: draft.kind,
            source: draft.source,
            source_event_id: draft.source_event_id,
            owner: draft.owner,
            person: draft.person,
            category: draft.category,
            content_mac: key.content_mac(&draft.fingerprint),
            body_hash: sha256(&[&sealed]),
            prev_hash: [0; 32],
        };
        let (plain, seen) = (draft.body, draft.seen);
        Ok(Prepared { entry, event, sealed, plain, seen, turns, resealing: None })
    }

    /// Seals a draft anew where its person's key was exchanged since.
    pub(crate) fn renew(&self, prepared: &mut Prepared) -> Result<(), Error> {
        let turns = self.keys.turns();
        let Prepared { entry, plain, .. } = &*prepared;
        if prepared.turns == turns || self.person_of_key(entry.kind, entry.person).is_none() {
            return Ok(());
        }
        let mut nonce = [0; NONCE];
        self.random.fill(&mut nonce)?;
        let belonging = Belonging { ledger: &self.ledger, person: entry.person };
        let sealed = body::seal(&self.key(entry.kind, entry.person)?, nonce, belonging, plain)?;
        prepared.entry.body_hash = sha256(&[&sealed]);
        (prepared.sealed, prepared.turns) = (sealed, turns);
        Ok(())
    }

    /// Checks the sealed bytes against what they must hash to and opens them; nothing where they do not open
    /// with the key in force, nor with one that is about to be.
    pub(crate) fn open(
        &self,
        entry: &Entry,
        (sealed, hash): (&[u8], &[u8; 32]),
    ) -> Result<Option<Body>, Error> {
        if sha256(&[sealed]) != *hash {
            let what = "the body is not the one the ledger names";
            return Err(Error::Corrupt { position: entry.position, what });
        }
        let key = match self.key(entry.kind, entry.person) {
            Err(Error::Erased) => return Ok(Some(Body::Erased)),
            key => key?,
        };
        let belonging = Belonging { ledger: &self.ledger, person: entry.person };
        let next = || {
            let person = self.person_of_key(entry.kind, entry.person)?;
            body::open(&self.keys.announced(person)?, belonging, sealed)
        };
        Ok(body::open(&key, belonging, sealed).or_else(next).map(Body::Plain))
    }

    /// Whether nothing more may be kept of this entry because its person was erased meanwhile.
    pub(crate) fn is_erased(&self, entry: &Entry) -> bool {
        self.person_of_key(entry.kind, entry.person).is_some_and(|p| self.keys.is_erased(p))
    }

    /// The person whose key this entry, once committed, destroys.
    pub(crate) fn erases(&self, entry: &Entry) -> Option<PersonId> {
        let is_erasure = (self.sealing, entry.kind) == (Sealing::PerPerson, Kind::Erasure);
        entry.person.filter(|_| is_erasure)
    }

    /// Whether an entry of this kind seals a person's bodies anew.
    pub(crate) fn reseals(&self, kind: Kind) -> bool {
        (self.sealing, kind) == (Sealing::PerPerson, Kind::Resealing)
    }

    fn key(&self, kind: Kind, person: Option<PersonId>) -> Result<DataKey, Error> {
        match self.person_of_key(kind, person) {
            Some(person) => self.keys.data_key(person),
            None => Ok(self.ledger_key.clone()),
        }
    }

    /// The person whose key seals such an entry; nobody where it is the ledger's.
    pub(crate) fn person_of_key(&self, kind: Kind, person: Option<PersonId>) -> Option<PersonId> {
        match (self.sealing, kind) {
            (Sealing::Ledger, _) | (Sealing::PerPerson, Kind::Erasure | Kind::Resealing) => None,
            (Sealing::PerPerson, _) => person,
        }
    }
}

/// What the unique index holds of a source's own event id.
pub(crate) fn event_key(source: &str, id: &str) -> [u8; 16] {
    first16(&sha256(&[source.as_bytes(), b"\0", id.as_bytes()]))
}
