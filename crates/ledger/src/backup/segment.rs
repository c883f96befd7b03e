//! Files of a segment: records of a position and bytes, one after another.
//!
//! The form: the eight bytes `FKJSEG1\n`, then for each record the position (64 bits) and the length (32
//! bits), big-endian, and the bytes.

use crate::crypto::Sha256;
use crate::error::Error;
use record::entry::Position;
use std::fs::File;
use std::io::{BufReader, BufWriter, ErrorKind, Read, Write};
use std::path::Path;

const MAGIC: &[u8; 8] = b"FKJSEG1\n";
/// More than the largest body or entry: a length beyond is damage.
const MOST: u32 = 1 << 28;

/// A file that is being written.
pub(super) struct Writing(BufWriter<File>);

impl Writing {
    pub(super) fn begin(path: &Path) -> Result<Self, Error> {
        let file = File::create(path).map_err(Error::file("making a segment"))?;
        let mut out = BufWriter::with_capacity(1 << 18, file);
        out.write_all(MAGIC).map_err(Error::file("writing a segment"))?;
        Ok(Self(out))
    }

    pub(super) fn put(&mut self, position: Position, bytes: &[u8]) -> Result<(), Error> {
        let too_long = || Error::Corrupt { position, what: "a record is longer than any may be" };
        let length =
            u32::try_from(bytes.len()).ok().filter(|it| *it <= MOST).ok_or_else(too_long)?;
        self.0
            .write_all(&position.to_be_bytes())
            .and_then(|()| self.0.write_all(&length.to_be_bytes()))
            .and_then(|()| self.0.write_all(bytes))
            .map_err(Error::file("writing a segment"))
    }

    pub(super) fn end(self) -> Result<(), Error> {
        self.0
            .into_inner()
            .map_err(|error| Error::file("writing a segment")(error.into_error()))
            .map(drop)
    }
}

/// Why a file could not be read on.
#[derive(Debug)]
pub(super) enum Broken {
    /// The bytes are no segment's from here on.
    Form,
    /// The disk refused.
    File(std::io::Error),
}

/// A file that is being read; its hash is known at its end.
pub(super) struct Reading {
    from: BufReader<Box<dyn Read>>,
    hash: Sha256,
}

impl Reading {
    pub(super) fn begin(from: Box<dyn Read>) -> Result<Self, Broken> {
        let from = BufReader::with_capacity(1 << 18, from);
        let mut reading = Self { from, hash: Sha256::new() };
        let mut magic = [0; MAGIC.len()];
        match reading.fill(&mut magic)? {
            true if &magic == MAGIC => Ok(reading),
            _ => Err(Broken::Form),
        }
    }

    /// The next record; nothing at the end.
    pub(super) fn next(&mut self) -> Result<Option<(Position, Vec<u8>)>, Broken> {
        let mut position = [0; 8];
        if !self.fill(&mut position)? {
            return Ok(None);
        }
        let mut length = [0; 4];
        if !self.fill(&mut length)? {
            return Err(Broken::Form);
        }
        let length = u32::from_be_bytes(length);
        if length > MOST {
            return Err(Broken::Form);
        }
        // Grows with what is there, whatever the length says.
        let mut bytes = Vec::new();
        let found = self.from.by_ref().take(u64::from(length)).read_to_end(&mut bytes);
        if found.map_err(Broken::File)? as u64 != u64::from(length) {
            return Err(Broken::Form);
        }
        self.hash.update(&bytes);
        Ok(Some((u64::from_be_bytes(position), bytes)))
    }

    /// The SHA-256 of the whole file, read to its end.
    pub(super) fn hash(mut self) -> Result<[u8; 32], Broken> {
        let mut rest = vec![0; 1 << 16];
        loop {
            let count = self.from.read(&mut rest).map_err(Broken::File)?;
            match rest.get(..count) {
                None | Some([]) => return Ok(self.hash.end()),
                Some(read) => self.hash.update(read),
            }
        }
    }

    /// Fills `out`; `false` where the file had ended before.
    fn fill(&mut self, out: &mut [u8]) -> Result<bool, Broken> {
        let (first, rest) = out.split_at_mut(1);
        if self.from.read(first).map_err(Broken::File)? == 0 {
            return Ok(false);
        }
        self.from.read_exact(rest).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => Broken::Form,
            _ => Broken::File(error),
        })?;
        self.hash.update(out);
        Ok(true)
    }
}
