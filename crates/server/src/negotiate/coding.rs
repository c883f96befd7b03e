//! Content codings (RFC 9110 §8.4): gzip, deflate and brotli, taken in and sent out.
//!
//! Invariant: no more is unpacked than [`MAX_BODY`], however small it was packed.

use std::io::{Read, Write};

use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use axum::http::{HeaderMap, StatusCode};
use fhir::issue::IssueCode;
use flate2::Compression;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use flate2::write::GzEncoder;

use super::media::weighed;
use crate::input::{MAX_BODY, too_large};
use crate::problem::Problem;

/// Window of brotli's compressor: 2^18 bytes hold most answers whole.
const WINDOW: u32 = 18;

/// Effort of both: beyond it, time grows faster than size shrinks.
const QUALITY: u32 = 4;

/// A coding that answers can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// RFC 1952.
    Gzip,
    /// RFC 7932.
    Brotli,
}

impl Coding {
    /// The name in headers.
    pub fn name(self) -> &'static str {
        match self {
            Coding::Gzip => "gzip",
            Coding::Brotli => "br",
        }
    }

    /// Packs a body; nothing if that fails, which writing to memory does not.
    pub fn pack(self, body: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(body.len() / 4);
        match self {
            Coding::Gzip => {
                let mut encoder = GzEncoder::new(&mut out, Compression::new(QUALITY));
                encoder.write_all(body).ok()?;
                encoder.finish().ok()?;
            }
            Coding::Brotli => {
                let mut encoder = brotli::CompressorWriter::new(&mut out, 4_096, QUALITY, WINDOW);
                encoder.write_all(body).ok()?;
                // Dropped here, it writes its end.
                drop(encoder);
            }
        }
        Some(out)
    }
}

/// The coding that the caller likes best, brotli of equals; nothing for a plain answer.
pub fn wanted(headers: &HeaderMap) -> Option<Coding> {
    let written = headers.get(ACCEPT_ENCODING)?.to_str().ok()?;
    let weight = |names: &[&str]| {
        let found = weighed(written).find(|(item, _)| {
            let name = item.split(';').next().unwrap_or_default().trim();
            names.iter().any(|known| name.eq_ignore_ascii_case(known))
        });
        found.map(|(_, weight)| weight)
    };
    let any = weight(&["*"]).unwrap_or(0);
    let brotli = weight(&["br"]).unwrap_or(any);
    let gzip = weight(&["gzip", "x-gzip"]).unwrap_or(any);
    match (brotli, gzip) {
        (0, 0) => None,
        (brotli, gzip) if brotli >= gzip => Some(Coding::Brotli),
        _ => Some(Coding::Gzip),
    }
}

/// A body as it was before its sender packed it.
///
/// # Errors
/// 415 for another coding, 400 where it is not what its header says, 413 where it unpacks to too much.
pub fn unpack(headers: &HeaderMap, body: Vec<u8>) -> Result<Vec<u8>, Problem> {
    let Some(written) = headers.get(CONTENT_ENCODING) else {
        return Ok(body);
    };
    let name = written.to_str().unwrap_or("?").trim().to_ascii_lowercase();
    match name.as_str() {
        "" | "identity" => Ok(body),
        "gzip" | "x-gzip" => bounded(MultiGzDecoder::new(body.as_slice())),
        "deflate" => bounded(ZlibDecoder::new(body.as_slice())),
        // Beyond RFC 7932, a first byte like this asks for a window of up to 1 GB.
        "br" if body.first().is_some_and(|first| first & 0x7F == 0x11) => Err(damaged()),
        "br" => bounded(brotli::Decompressor::new(body.as_slice(), 4_096)),
        _ => Err(Problem::edge(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            IssueCode::NotSupported,
            "pack the content by `gzip`, `deflate` or `br`, or not at all",
        )),
    }
}

fn bounded(reader: impl Read) -> Result<Vec<u8>, Problem> {
    let mut out = Vec::new();
    let limit = u64::try_from(MAX_BODY).unwrap_or(u64::MAX);
    let read = reader.take(limit.saturating_add(1)).read_to_end(&mut out);
    match read {
        Ok(_) if out.len() > MAX_BODY => Err(too_large()),
        Ok(_) => Ok(out),
        Err(_) => Err(damaged()),
    }
}

fn damaged() -> Problem {
    Problem::edge(
        StatusCode::BAD_REQUEST,
        IssueCode::Structure,
        "the content is not packed as `Content-Encoding` says, or not whole",
    )
}
