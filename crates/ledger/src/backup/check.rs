//! Verifying backups: every piece against its hash, the chain against its signatures, the tree against
//! its checkpoints. Needs no secret, and reads each piece once.

use super::bodies::Bodies;
use super::manifest::{LEDGERS, Manifest, Part, Piece, Segment, Signed, read_all};
use super::place::Place;
use super::segment::{Broken, Reading};
use crate::chain::{self, Seal};
use crate::crypto::sha256_of;
use crate::error::Error;
use crate::merkle::{self, Frontier};
use crate::note::{Checkpoint, VerifierKey};
use crate::verify::PublicKeys;
use record::entry::{Entry, Kind, Position};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What verification came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The municipality's number.
    pub municipality: String,
    /// How many backups there are.
    pub backups: usize,
    /// The time of the newest, in milliseconds since 1970.
    pub newest: i64,
    /// The ledgers, as [`LEDGERS`] orders them.
    pub ledgers: Vec<CheckedLedger>,
    /// Bytes of all pieces that were read.
    pub bytes: u64,
    /// What is wrong; empty where all is as it was written.
    pub faults: Vec<Fault>,
}

/// What was found of one ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckedLedger {
    /// Its name.
    pub ledger: String,
    /// How many entries.
    pub entries: Position,
    /// How many of each kind, by the kind's name.
    pub kinds: BTreeMap<String, u64>,
    /// The public key of its checkpoints, as C2SP writes it: to be compared with one that was had elsewhere.
    pub checkpoint_key: String,
}

/// One thing that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The piece.
    pub piece: String,
    /// The position it is about, where it is about one.
    pub position: Option<Position>,
    /// What.
    pub what: &'static str,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some(position) => write!(f, "`{}`, position {position}: {}", self.piece, self.what),
            None => write!(f, "`{}`: {}", self.piece, self.what),
        }
    }
}

/// Verifies all backups of a place. `trusted` are checkpoint keys that were had elsewhere; without one for a
/// ledger, the backup's own word is taken for whose it is.
///
/// # Errors
/// [`Error::Backup`] where no manifest, or not all of them, can be read; [`Error::File`]. All else that is wrong is
/// in the answer.
pub fn check(place: &dyn Place, trusted: &[VerifierKey]) -> Result<Checked, Error> {
    let all = read_all(place)?;
    let newest = all.last().ok_or(Error::Backup {
        piece: String::new(),
        what: "there is no backup here; name the folder that `fkj backup` wrote",
    })?;
    let mut checking = Checking { place, faults: Vec::new(), bytes: 0 };
    let mut ledgers = Vec::new();
    for kind in LEDGERS {
        let parts: Vec<(String, &Part)> =
            all.iter().filter_map(|it| Some((it.name.clone(), it.part(kind)?))).collect();
        ledgers.push(checking.ledger(&parts, trusted)?);
    }
    checking.others(&all, newest)?;
    let Checking { mut faults, bytes, .. } = checking;
    faults.sort();
    faults.dedup();
    Ok(Checked {
        municipality: newest.municipality.clone(),
        backups: all.len(),
        newest: newest.at,
        ledgers,
        bytes,
        faults,
    })
}

struct Checking<'a> {
    place: &'a dyn Place,
    faults: Vec<Fault>,
    bytes: u64,
}

impl Checking<'_> {
    fn fault(&mut self, piece: &str, position: impl Into<Option<Position>>, what: &'static str) {
        let (piece, position) = (piece.to_owned(), position.into());
        self.faults.push(Fault { piece, position, what });
    }

    /// Copies of keys and small files by their hashes. Older copies of keys may be gone; the newest may not.
    fn others(&mut self, all: &[Manifest], newest: &Manifest) -> Result<(), Error> {
        let there: BTreeSet<String> = self.place.list()?.into_iter().collect();
        let files = all.iter().flat_map(|it| it.files.iter().map(|(_, piece)| (piece, true)));
        let keys = all.iter().map(|it| (&it.keys.piece, it.keys.piece == newest.keys.piece));
        let pieces: BTreeMap<&str, (&Piece, bool)> = files
            .chain(keys)
            .map(|(piece, needed)| (piece.name.as_str(), (piece, needed)))
            .collect();
        for (name, (piece, needed)) in pieces {
            if !there.contains(name) {
                if needed {
                    self.fault(name, None, "the piece is missing");
                }
                continue;
            }
            let found = sha256_of(&mut self.place.open(name)?);
            let (bytes, hash) = found.map_err(Error::file("reading a piece of the backup"))?;
            self.bytes += bytes;
            if hash.as_slice() != piece.sha256.0 {
                self.fault(name, None, "the piece is not the one that was written");
            }
        }
        Ok(())
    }

    fn ledger(
        &mut self,
        parts: &[(String, &Part)],
        trusted: &[VerifierKey],
    ) -> Result<CheckedLedger, Error> {
        let Some((_, last)) = parts.last() else { return Ok(CheckedLedger::default()) };
        let mut walk = Walk::default();
        for (manifest, part) in parts {
            let is_trusted = |keys: &PublicKeys| {
                let mut own = trusted.iter().filter(|it| it.origin == keys.checkpoints.origin);
                own.all(|it| *it == keys.checkpoints)
            };
            match part.keys().filter(|keys| is_trusted(keys)) {
                None => {
                    self.fault(manifest, None, "the ledger's public keys are not those expected")
                }
                Some(_)
                    if (&part.head_key, &part.checkpoint_key)
                        != (&last.head_key, &last.checkpoint_key) =>
                {
                    self.fault(manifest, None, "the ledger's public keys are others than later");
                }
                Some(keys) => walk.expect(manifest, part, keys),
            }
        }
        let told = self.faults.len();
        for (_, part) in parts {
            for segment in &part.segments {
                if segment.first != walk.position + 1 {
                    let what = "segments are missing before it";
                    self.fault(&segment.entries.name, segment.first, what);
                    walk.position = segment.first.saturating_sub(1);
                    walk.lost = true;
                }
                self.segment(segment, &mut walk)?;
            }
            self.replaced(part, &mut walk.bodies)?;
        }
        let sound = self.faults.len() == told;
        let manifest = parts.last().map_or("", |(manifest, _)| manifest);
        for (piece, at, what) in std::mem::take(&mut walk.bodies).end(manifest, sound) {
            self.faults.retain(|it| (it.piece.as_str(), it.what) != (&piece, SOMEWHERE));
            self.fault(&piece, at, what);
        }
        if let Some((before, at)) = walk.doubt.take() {
            // What is signed of the last entry decides.
            let last_fits = !self.faults.iter().any(|it| it.position == Some(at));
            self.fault(&before, if last_fits { at - 1 } else { at }, CHANGED);
        }
        let ends = std::mem::take(&mut walk.expected);
        for (position, expected) in ends {
            if position > walk.position {
                for (manifest, _) in expected {
                    self.fault(&manifest, position, "the entries end before what is signed");
                }
            }
        }
        let kinds = walk.kinds.into_iter().map(|(kind, count)| (kind.to_owned(), count)).collect();
        let (ledger, checkpoint_key) = (last.ledger.clone(), last.checkpoint_key.clone());
        Ok(CheckedLedger { ledger, entries: walk.entries, kinds, checkpoint_key })
    }

    fn segment(&mut self, segment: &Segment, walk: &mut Walk) -> Result<(), Error> {
        let names = (segment.entries.name.as_str(), segment.bodies.name.as_str());
        let there = |name: &str| self.place.open(name);
        let (entries, bodies) = match (there(names.0), there(names.1)) {
            (Ok(entries), Ok(bodies)) => (entries, bodies),
            (entries, bodies) => {
                if entries.is_err() {
                    self.fault(names.0, segment.first, "the piece is missing");
                }
                if bodies.is_err() {
                    self.fault(names.1, segment.first, "the piece is missing");
                }
                (walk.position, walk.lost) = (segment.last, true);
                return Ok(());
            }
        };
        let mut bodies = match Reading::begin(bodies) {
            Ok(bodies) => Some(bodies),
            Err(broken) => self.unreadable(names.1, segment.first, broken)?,
        };
        let mut entries = match Reading::begin(entries) {
            Ok(entries) => entries,
            Err(broken) => return self.broken(names.0, segment, walk, broken),
        };
        for position in segment.first..=segment.last {
            let entry = match entries.next() {
                Ok(Some((at, entry))) if at == position => entry,
                Ok(_) => return self.broken(names.0, segment, walk, Broken::Form),
                Err(broken) => return self.broken(names.0, segment, walk, broken),
            };
            let decoded = Entry::from_canonical(&entry).ok();
            if let Some(mut reading) = bodies.take() {
                bodies = match reading.next() {
                    Ok(Some((at, body))) if at == position => {
                        if let Some(entry) = &decoded {
                            walk.bodies.take(names.1, position, entry, &body);
                        }
                        Some(reading)
                    }
                    Ok(_) => self.unreadable(names.1, position, Broken::Form)?,
                    Err(broken) => self.unreadable(names.1, position, broken)?,
                };
            }
            for (piece, at, what) in walk.take(names.0, position, &entry, decoded.as_ref()) {
                self.fault(&piece, at, what);
            }
        }
        self.whole(&segment.entries, segment.first, entries)?;
        bodies.map_or(Ok(()), |bodies| self.whole(&segment.bodies, segment.first, bodies))
    }

    /// What earlier bodies were replaced by.
    fn replaced(&mut self, part: &Part, bodies: &mut Bodies) -> Result<(), Error> {
        let Some(piece) = &part.replaced else { return Ok(()) };
        let first = part.resealings.first().copied().unwrap_or(0);
        let Ok(from) = self.place.open(&piece.name) else {
            self.fault(&piece.name, first, "the piece is missing");
            return Ok(());
        };
        let mut reading = match Reading::begin(from) {
            Ok(reading) => reading,
            Err(broken) => return self.unreadable(&piece.name, first, broken).map(drop),
        };
        loop {
            match reading.next() {
                Ok(Some((at, body))) => bodies.replace(&piece.name, at, &body),
                Ok(None) => return self.whole(piece, first, reading),
                Err(broken) => return self.unreadable(&piece.name, first, broken).map(drop),
            }
        }
    }

    /// After bytes that are no record nothing can be told apart.
    fn unreadable(
        &mut self,
        name: &str,
        position: Position,
        broken: Broken,
    ) -> Result<Option<Reading>, Error> {
        match broken {
            Broken::File(error) => Err(Error::file("reading a piece of the backup")(error)),
            Broken::Form => {
                self.fault(name, position, "the piece cannot be read from here on");
                Ok(None)
            }
        }
    }

    /// The rest of the segment cannot be read.
    fn broken(
        &mut self,
        name: &str,
        segment: &Segment,
        walk: &mut Walk,
        broken: Broken,
    ) -> Result<(), Error> {
        self.unreadable(name, walk.position.max(segment.first.saturating_sub(1)) + 1, broken)?;
        (walk.position, walk.lost) = (segment.last, true);
        Ok(())
    }

    fn whole(&mut self, piece: &Piece, first: Position, reading: Reading) -> Result<(), Error> {
        self.bytes += piece.bytes;
        match reading.hash() {
            Ok(hash) if hash.as_slice() == piece.sha256.0 => {}
            Err(Broken::File(error)) => {
                return Err(Error::file("reading a piece of the backup")(error));
            }
            _ if self.faults.iter().any(|it| it.piece == piece.name) => {}
            _ => self.fault(&piece.name, first, SOMEWHERE),
        }
        Ok(())
    }
}

/// What is signed about a position, and by which manifest it is told.
enum Expected {
    Head(Signed, PublicKeys, String),
    Checkpoint(Signed, PublicKeys, String),
    Note(String, VerifierKey),
}

/// The way along the chain.
#[derive(Default)]
struct Walk {
    position: Position,
    entries: Position,
    hash: [u8; 32],
    /// Whether something before could not be read, so that the chain cannot be compared with it.
    lost: bool,
    /// Whether the tree can no longer be compared.
    treeless: bool,
    tree: Frontier,
    /// A link before this position did not fit, and the next link decides who is to blame.
    doubt: Option<(String, Position)>,
    /// The piece that the entry before is in.
    piece: String,
    expected: BTreeMap<Position, Vec<(String, Expected)>>,
    kinds: BTreeMap<&'static str, u64>,
    bodies: Bodies,
}

/// Told where nothing tells the place.
const SOMEWHERE: &str = "the piece is not the one that was written, somewhere from here on";
const CHANGED: &str = "the entry is not the one that was written";

type Found = Vec<(String, Position, &'static str)>;

impl Walk {
    fn expect(&mut self, manifest: &str, part: &Part, keys: PublicKeys) {
        let ledger = part.ledger.clone();
        let mut add = |position, expected| {
            let at: &mut Vec<_> = self.expected.entry(position).or_default();
            at.push((manifest.to_owned(), expected));
        };
        for signed in &part.checkpoints {
            let expected = Expected::Checkpoint(signed.clone(), keys.clone(), ledger.clone());
            add(signed.position, expected);
        }
        for (size, note) in &part.notes {
            add(*size, Expected::Note(note.clone(), keys.checkpoints.clone()));
        }
        add(part.head.position, Expected::Head(part.head.clone(), keys, ledger));
    }

    /// Takes the next entry; answers what is wrong.
    fn take(
        &mut self,
        piece: &str,
        position: Position,
        bytes: &[u8],
        entry: Option<&Entry>,
    ) -> Found {
        let mut found = Found::new();
        let fits = entry.is_some_and(|it| it.position == position && it.prev_hash == self.hash);
        let doubted = self.doubt.take();
        if entry.is_none_or(|it| it.position != position) {
            found.push((piece.to_owned(), position, CHANGED));
        } else if !fits && !self.lost {
            // The one before was changed, or this one's account of it: then the next link is broken too.
            self.doubt = Some((self.piece.clone(), position));
        }
        match doubted {
            Some((before, at)) if fits => found.push((before, at - 1, CHANGED)),
            Some((_, at)) => found.push((self.piece.clone(), at, CHANGED)),
            None => {}
        }
        piece.clone_into(&mut self.piece);
        self.lost = entry.is_none();
        self.hash = chain::hash(bytes);
        (self.position, self.entries) = (position, self.entries + 1);
        self.treeless |= self.tree.size() + 1 != position;
        if !self.treeless {
            let leaf = merkle::leaf(&self.hash);
            let Ok(()) = self.tree.push(leaf, |_, _| Ok::<_, std::convert::Infallible>(()));
        }
        if let Some(entry) = entry {
            *self.kinds.entry(kind(entry.kind)).or_default() += 1;
        }
        for (manifest, expected) in self.expected.remove(&position).unwrap_or_default() {
            match self.judge(expected) {
                Verdict::Fits => {}
                Verdict::Entry => found.push((self.piece.clone(), position, CHANGED)),
                Verdict::Signed(what) => found.push((manifest, position, what)),
            }
        }
        found
    }

    fn judge(&self, expected: Expected) -> Verdict {
        let (signed, keys, ledger, seal, what) = match expected {
            Expected::Head(signed, keys, ledger) => {
                (signed, keys, ledger, Seal::Head, "the head is not the one that was signed")
            }
            Expected::Checkpoint(signed, keys, ledger) => {
                let what = "the checkpoint is not the one that was signed";
                (signed, keys, ledger, Seal::Checkpoint, what)
            }
            Expected::Note(note, key) => {
                let fits = Checkpoint::open(&note, &key).is_ok_and(|it| {
                    it.size == self.position && (self.treeless || it.root == self.tree.root())
                });
                let what = "the checkpoint of the tree is not that of the entries";
                return if fits { Verdict::Fits } else { Verdict::Signed(what) };
            }
        };
        let head = signed.head();
        match head.filter(|head| head.is_sealed(&keys.head, seal, &ledger, &head.hash)) {
            None => Verdict::Signed(what),
            Some(head) if head.hash != self.hash => Verdict::Entry,
            Some(_) => Verdict::Fits,
        }
    }
}

/// Who is to blame where what is signed and what is there differ.
enum Verdict {
    Fits,
    /// The entry: its hash was signed, and is another.
    Entry,
    /// What is signed.
    Signed(&'static str),
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Version => "version",
        Kind::Removal => "removal",
        Kind::Erasure => "erasure",
        Kind::Audit => "audit",
        Kind::Decision => "decision",
        Kind::Resealing => "resealing",
    }
}
