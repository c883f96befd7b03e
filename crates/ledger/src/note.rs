//! Checkpoints: signed statements of how a ledger's Merkle tree stood, to be kept elsewhere.
//!
//! The form is C2SP's: a signed note (c2sp.org/signed-note) with a checkpoint as its text
//! (c2sp.org/tlog-checkpoint), and proofs of inclusion with the entry in `extra`
//! (c2sp.org/tlog-proof), so that the tools of transparency logs read them:
//!
//! ```text
//! fkj.no/9901/audit
//! 20852163
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//!
//! — fkj.no/9901/audit Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
//! ```
//!
//! Invariants: there is one way to write a checkpoint, and only that is read; nothing of one is
//! believed before its signature is verified. Signatures of others, such as witnesses, may follow.

use crate::crypto::sha256;
use crate::merkle::{self, Hash};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use record::entry::{Entry, Position};
use std::fmt;

/// Before a ledger's name in the origin of its checkpoints.
const ORIGIN: &str = "fkj.no/";
/// The kind of a key, and of a signature, in C2SP's notes.
const ED25519_KIND: u8 = 1;
/// First line of a proof.
const PROOF: &str = "c2sp.org/tlog-proof@v1";
/// Longest note or proof that is looked at, in bytes: an entry's names are short.
const MOST_BYTES: usize = 1 << 20;

/// Why a checkpoint, key or proof is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// It is not written as C2SP says.
    #[error("this is no {0} as C2SP writes it")]
    Form(&'static str),
    /// No signature is by the key.
    #[error("there is no signature by this key; use the public key of the log that is named")]
    Unsigned,
    /// The key's signature is of something else.
    #[error("the signature does not fit: the text was changed, or another key signed it")]
    Signature,
    /// The path does not lead from the entry to the checkpoint's root.
    #[error("the proof does not lead from the entry to the checkpoint: one of them was changed")]
    Path,
}

/// How a ledger stood at a size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: [`origin`] of the ledger's name.
    pub origin: String,
    /// How many entries, and so the position of the last.
    pub size: Position,
    /// The root of the tree over them.
    pub root: Hash,
}

/// The size that a note says, without a look at its signature; 0 where it says none.
pub(crate) fn size(note: &str) -> Position {
    note.lines().nth(1).and_then(|size| size.parse().ok()).unwrap_or(0)
}

/// The public key of a log, under its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    /// The origin.
    pub origin: String,
    /// The Ed25519 key.
    pub key: [u8; 32],
}

/// An entry with the proof that it is in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The entry.
    pub entry: Entry,
    /// The way from it to the root.
    pub path: Vec<Hash>,
    /// The signed checkpoint, as it stands.
    pub checkpoint: String,
}

/// The origin of a ledger's checkpoints, such as `fkj.no/9901/audit`.
pub fn origin(ledger: &str) -> String {
    format!("{ORIGIN}{ledger}")
}

impl Checkpoint {
    /// What is signed.
    fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    /// The note.
    pub(crate) fn signed(&self, pair: &Ed25519KeyPair, key: &VerifierKey) -> String {
        let text = self.text();
        let signature = pair.sign(text.as_bytes());
        let line = STANDARD.encode([&key.id()[..], signature.as_ref()].concat());
        format!("{text}\n— {} {line}\n", key.origin)
    }

    /// The checkpoint of a note that `key` has signed.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn open(note: &str, key: &VerifierKey) -> Result<Self, Invalid> {
        let form = || Invalid::Form("checkpoint");
        let (text, signatures) = Some(note)
            .filter(|note| note.len() <= MOST_BYTES && note.ends_with('\n'))
            .and_then(|note| note.split_once("\n\n"))
            .ok_or_else(form)?;
        let mut lines = text.split('\n');
        let mut line = || lines.next().filter(|line| !line.is_empty()).ok_or_else(form);
        let checkpoint = Self {
            origin: line()?.to_owned(),
            size: line()?.parse().map_err(|_| form())?,
            root: hash(line()?).ok_or_else(form)?,
        };
        let text = checkpoint.text();
        // Zeros in front, other spellings of base64, and further lines are not ours.
        if !note.strip_prefix(&text).is_some_and(|rest| rest.starts_with('\n')) {
            return Err(form());
        }
        let mut found = Err(Invalid::Unsigned);
        for line in signatures.trim_end_matches('\n').split('\n') {
            let signature = line.strip_prefix("— ").and_then(|line| line.split_once(' '));
            let (name, signature) = signature.ok_or_else(form)?;
            let signature = STANDARD.decode(signature).map_err(|_| form())?;
            let (id, signature) = signature.split_first_chunk::<4>().ok_or_else(form)?;
            if name != key.origin || *id != key.id() {
                continue;
            }
            let public = UnparsedPublicKey::new(&ED25519, &key.key);
            public.verify(text.as_bytes(), signature).map_err(|_| Invalid::Signature)?;
            found = Ok(());
        }
        found?;
        if checkpoint.origin == key.origin { Ok(checkpoint) } else { Err(Invalid::Unsigned) }
    }
}

impl VerifierKey {
    /// The first bytes of a signature, by which its key is told from others of the same name.
    fn id(&self) -> [u8; 4] {
        let kind = [b'\n', ED25519_KIND];
        let hash = sha256(&[self.origin.as_bytes(), &kind, &self.key]);
        hash.first_chunk().copied().unwrap_or_default()
    }

    /// Reads what [`fmt::Display`] writes.
    ///
    /// # Errors
    /// [`Invalid::Form`].
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let read = || {
            let mut parts = text.trim().splitn(3, '+');
            let (origin, _id) = (parts.next()?, parts.next()?);
            let bytes = STANDARD.decode(parts.next()?).ok()?;
            let (kind, key) = bytes.split_first()?;
            (*kind == ED25519_KIND).then_some(())?;
            Some(Self { origin: origin.to_owned(), key: key.try_into().ok()? })
        };
        let key: Self = read().ok_or(Invalid::Form("verifier key"))?;
        // Its id must be its own.
        if key.to_string() == text.trim() { Ok(key) } else { Err(Invalid::Form("verifier key")) }
    }
}

/// As C2SP writes a verifier key: `origin+id+key`.
impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = u32::from_be_bytes(self.id());
        let key = STANDARD.encode([&[ED25519_KIND][..], &self.key].concat());
        write!(f, "{}+{id:08x}+{key}", self.origin)
    }
}

impl Proof {
    /// Reads a proof and believes it: the checkpoint is signed by `key`, and the entry is in it. The
    /// answer is what is proven.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn verify(text: &str, key: &VerifierKey) -> Result<(Self, Checkpoint), Invalid> {
        let proof = Self::parse(text)?;
        let checkpoint = Checkpoint::open(&proof.checkpoint, key)?;
        let index = proof.entry.position.checked_sub(1).ok_or(Invalid::Path)?;
        let leaf = merkle::leaf(&crate::chain::entry_hash(&proof.entry));
        match merkle::is_included(&leaf, index, checkpoint.size, &proof.path, &checkpoint.root) {
            true => Ok((proof, checkpoint)),
            false => Err(Invalid::Path),
        }
    }

    /// Reads a proof, without believing it.
    fn parse(text: &str) -> Result<Self, Invalid> {
        let form = || Invalid::Form("proof");
        let fits = text.len() <= MOST_BYTES;
        let (head, checkpoint) = text.split_once("\n\n").filter(|_| fits).ok_or_else(form)?;
        let mut lines = head.split('\n');
        let (first, extra, index) = (lines.next(), lines.next(), lines.next());
        let extra = extra.and_then(|line| line.strip_prefix("extra "));
        let entry = extra.and_then(|entry| STANDARD.decode(entry).ok());
        let entry = entry.and_then(|bytes| Entry::from_canonical(&bytes).ok()).ok_or_else(form)?;
        let path = lines.map(hash).collect::<Option<_>>().ok_or_else(form)?;
        let proof = Self { entry, path, checkpoint: checkpoint.to_owned() };
        let own = proof.to_string();
        let same = first == Some(PROOF) && index.is_some() && own == text;
        if same { Ok(proof) } else { Err(form()) }
    }
}

/// As C2SP writes a proof, with the entry's canonical bytes as `extra`.
impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{PROOF}\nextra {}", STANDARD.encode(self.entry.canonical()))?;
        writeln!(f, "index {}", self.entry.position.saturating_sub(1))?;
        for hash in &self.path {
            writeln!(f, "{}", STANDARD.encode(hash))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

/// A hash as notes and proofs write it.
pub fn base64(hash: &Hash) -> String {
    STANDARD.encode(hash)
}

fn hash(line: &str) -> Option<Hash> {
    STANDARD.decode(line).ok()?.try_into().ok()
}

/// The notes that stand one after another in a file, each with its text and signatures.
pub fn several(text: &str) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    let mut signed = true;
    for line in text.lines() {
        let is_signature = line.starts_with("— ");
        if signed && !is_signature {
            if line.is_empty() {
                continue;
            }
            notes.push(String::new());
        }
        signed = is_signature;
        if let Some(note) = notes.last_mut() {
            note.push_str(line);
            note.push('\n');
        }
    }
    notes
}
