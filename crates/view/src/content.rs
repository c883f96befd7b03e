//! What is sent of a resource, as the view keeps it: the JSON, packed with zstd and the dictionary of
//! sealed bodies, a quarter of the bytes. The view can be made anew at any time, so how it is packed binds
//! nobody.

use ledger::body;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};

use crate::error::Error;

/// Packs the JSON of a resource.
///
/// # Errors
/// [`Error::Packing`] when zstd fails.
pub fn pack(json: &[u8]) -> Result<Vec<u8>, Error> {
    body::compress(json).map_err(Error::Packing)
}

/// Unpacks what [`pack`] packed.
///
/// # Errors
/// When it is nothing of that kind.
pub fn unpack(packed: &[u8]) -> std::io::Result<Vec<u8>> {
    body::decompress(packed)
}

/// The JSON of a resource, as a column of the table `content` has it packed.
pub struct Content(pub Vec<u8>);

impl FromSql for Content {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let unpacked = unpack(value.as_blob()?);
        unpacked.map(Self).map_err(|error| FromSqlError::Other(Box::new(error)))
    }
}
