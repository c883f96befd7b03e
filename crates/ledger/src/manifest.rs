//! What a resealing says in the clear before its sealed body, so that anybody can verify the ledger who
//! has no key: which bodies are gone, and the hashes of those that were sealed anew.
//!
//! Format 2 of a body: `0x02`, the manifest's length as a 32-bit integer, the manifest, and a sealed body
//! of another format. The manifest: the number of erased bodies and their positions; the number of bodies
//! that were sealed anew, and of each its position and the SHA-256 of its new sealed bytes; the length of
//! the handover and the handover (see [`crate::keys`]). Integers are big-endian, counts and lengths 32
//! bits, positions 64. Positions grow. The entry binds all of it by its body hash.

use record::entry::Position;

/// Format byte of a body with a manifest.
pub(crate) const FORMAT_V2: u8 = 2;

/// What a resealing changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// Entries whose bodies are erased.
    pub erased: Vec<Position>,
    /// Entries whose bodies were sealed anew, with the SHA-256 of what they are now.
    pub resealed: Vec<(Position, [u8; 32])>,
    /// The person's next key, sealed for whoever has the one before.
    pub handover: Vec<u8>,
}

impl Manifest {
    /// The body of the entry: this before a sealed body.
    pub(crate) fn before(&self, sealed: &[u8]) -> Vec<u8> {
        let manifest = self.bytes();
        let mut out = Vec::with_capacity(5 + manifest.len() + sealed.len());
        out.push(FORMAT_V2);
        put_count(&mut out, manifest.len());
        out.extend_from_slice(&manifest);
        out.extend_from_slice(sealed);
        out
    }

    /// The manifest before a sealed body; nothing where the body has none that can be read.
    pub fn of(body: &[u8]) -> Option<Self> {
        let (manifest, _) = parts(body)?;
        let mut reader = Reader(manifest);
        let mut erased = Vec::new();
        for _ in 0..reader.count()? {
            erased.push(reader.position()?);
        }
        let mut resealed = Vec::new();
        for _ in 0..reader.count()? {
            resealed.push((reader.position()?, reader.array()?));
        }
        let length = reader.count()?;
        let handover = reader.take(length)?.to_vec();
        reader.0.is_empty().then_some(Self { erased, resealed, handover })
    }

    fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_count(&mut out, self.erased.len());
        for position in &self.erased {
            out.extend_from_slice(&position.to_be_bytes());
        }
        put_count(&mut out, self.resealed.len());
        for (position, hash) in &self.resealed {
            out.extend_from_slice(&position.to_be_bytes());
            out.extend_from_slice(hash);
        }
        put_count(&mut out, self.handover.len());
        out.extend_from_slice(&self.handover);
        out
    }
}

/// The manifest and the sealed body of a body of format 2.
pub(crate) fn parts(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (FORMAT_V2, rest) = body.split_first().map(|(format, rest)| (*format, rest))? else {
        return None;
    };
    let mut reader = Reader(rest);
    let length = reader.count()?;
    Some((reader.take(length)?, reader.0))
}

/// No ledger has as many entries of one person as would not fit.
fn put_count(out: &mut Vec<u8>, count: usize) {
    out.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes());
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn count(&mut self) -> Option<usize> {
        usize::try_from(u32::from_be_bytes(self.array()?)).ok()
    }

    fn position(&mut self) -> Option<Position> {
        self.array().map(u64::from_be_bytes)
    }
}
