//! Requests to an object store, one at a time, for a thread that may wait.

use std::fs::File;
use std::io::{Error, ErrorKind, Read};
use std::path::PathBuf;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, to_bytes};
use axum::http::{Request, StatusCode, Uri};
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use tokio::runtime::Runtime;

use super::address::Store;
use super::sign::{Asked, hex, query};
use super::within;
use crate::command::Failed;
use crate::https::{Https, told};

/// Longest wait for the head of an answer, or its next piece; sending has besides what it takes at [`SLOWEST`].
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes a second that a store must take.
const SLOWEST: u64 = 100_000;
/// Pauses before it is tried again, where trying again may help.
const AGAIN: [Duration; 3] =
    [Duration::from_millis(300), Duration::from_secs(1), Duration::from_secs(4)];
/// Largest answer that is looked at as text, in bytes.
const MAX_TEXT: usize = 8 << 20;
/// Bytes read from a file at a time.
const PIECE: usize = 1 << 18;

/// A client of one bucket.
pub(super) struct Client {
    store: Store,
    base: String,
    host: String,
    web: Https,
    runtime: Runtime,
}

/// What is sent.
pub(super) struct Content {
    pub(super) file: Option<PathBuf>,
    pub(super) bytes: u64,
    pub(super) sha256: [u8; 32],
}

/// A good answer, whose content is read as it comes.
pub(super) struct Answer(BodyDataStream);

impl Client {
    /// Of a bucket of a store. Nothing is called yet.
    ///
    /// # Errors
    /// A machine that trusts nobody, or cannot begin.
    pub(super) fn new(store: Store, bucket: &str) -> Result<Self, Failed> {
        let web = Https::to(&store.endpoint)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let host = store.endpoint.authority().map(ToString::to_string).unwrap_or_default();
        Ok(Self { base: format!("/{bucket}/"), host, store, web, runtime })
    }

    /// Asks for an object, or with an empty name for the bucket; again where that may help.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where there is no such object; otherwise what the store says, by its code, or why it
    /// cannot be reached.
    pub(super) fn ask(
        &self,
        method: &str,
        name: &str,
        query: &[(&str, &str)],
        content: &Content,
    ) -> Result<Answer, Error> {
        self.runtime.block_on(async {
            let mut pauses = AGAIN.iter();
            loop {
                let patience = PATIENCE + Duration::from_secs(content.bytes / SLOWEST);
                let once = self.once(method, name, query, content);
                let (error, may_pass) = match tokio::time::timeout(patience, once).await {
                    Ok(Ok(answer)) => return Ok(answer),
                    Ok(Err(refused)) => refused,
                    Err(_) => (Error::other("the store does not answer in time"), true),
                };
                match pauses.next().filter(|_| may_pass) {
                    Some(pause) => {
                        tracing::warn!(method, "the store for backups: {error}; trying again");
                        tokio::time::sleep(*pause).await;
                    }
                    None => return Err(error),
                }
            }
        })
    }

    /// One attempt; where it fails, whether another may help.
    async fn once(
        &self,
        method: &str,
        name: &str,
        query: &[(&str, &str)],
        content: &Content,
    ) -> Result<Answer, (Error, bool)> {
        let request = self.request(method, name, query, content).map_err(|it| (it, false))?;
        let unreached =
            |error| (Error::other(format!("the store cannot be reached: {error}")), true);
        let response = self.web.send(request).await.map_err(unreached)?;
        let status = response.status();
        let body = response.into_body();
        if status.is_success() {
            return Ok(Answer(body.into_data_stream()));
        }
        let text = to_bytes(body, MAX_TEXT).await;
        let text = String::from_utf8_lossy(&text.unwrap_or_default()).into_owned();
        let code = within(&text, "Code").next().unwrap_or_default();
        let code: String = code.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
        let may_pass = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
        let is_absent = status == StatusCode::NOT_FOUND && code != "NoSuchBucket";
        let kind = if is_absent { ErrorKind::NotFound } else { ErrorKind::Other };
        let number = status.as_u16();
        Err((Error::new(kind, format!("the store answers {number} {code}")), may_pass))
    }

    fn request(
        &self,
        method: &str,
        name: &str,
        asked: &[(&str, &str)],
        content: &Content,
    ) -> Result<Request<Body>, Error> {
        let time = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let (path, hash) = (format!("{}{name}", self.base), hex(&content.sha256));
        let Store { endpoint, region, credentials } = &self.store;
        let mut headers = vec![
            ("host", self.host.as_str()),
            ("x-amz-content-sha256", hash.as_str()),
            ("x-amz-date", time.as_str()),
        ];
        headers.extend(credentials.token.as_deref().map(|token| ("x-amz-security-token", token)));
        let authorization = credentials.authorization(&Asked {
            method,
            path: &path,
            query: asked,
            headers: &headers,
            body: content.sha256,
            time: &time,
            region,
        });
        let query = query(asked);
        let query = if query.is_empty() { query } else { format!("?{query}") };
        let scheme = endpoint.scheme_str().unwrap_or("https");
        let address: Uri = format!("{scheme}://{}{path}{query}", self.host)
            .parse()
            .map_err(|_| Error::other("the object's name makes no address"))?;
        let mut request = Request::builder().method(method).uri(address);
        for (name, value) in headers.into_iter().skip(1) {
            request = request.header(name, value);
        }
        let request =
            request.header("authorization", authorization).header("content-length", content.bytes);
        // The library's own words could hold the key's id or the token.
        let unwritable = |_| Error::other("access key or token cannot stand in a header");
        request.body(content.body()?).map_err(unwritable)
    }

    /// The next piece of an answer; nothing at its end.
    ///
    /// # Errors
    /// An answer that breaks off.
    pub(super) fn next(&self, answer: &mut Answer) -> Result<Option<Bytes>, Error> {
        self.runtime.block_on(async {
            loop {
                let piece = tokio::time::timeout(PATIENCE, answer.0.next()).await;
                let piece = piece.map_err(|_| Error::other("the store does not go on in time"))?;
                match piece {
                    None => return Ok(None),
                    Some(Ok(piece)) if piece.is_empty() => {}
                    Some(Ok(piece)) => return Ok(Some(piece)),
                    Some(Err(error)) => return Err(Error::other(told(&error))),
                }
            }
        })
    }

    /// An answer as text.
    ///
    /// # Errors
    /// One that breaks off, or is far too long.
    pub(super) fn text(&self, mut answer: Answer) -> Result<String, Error> {
        let mut text = Vec::new();
        while let Some(piece) = self.next(&mut answer)? {
            text.extend_from_slice(&piece);
            if text.len() > MAX_TEXT {
                return Err(Error::other("the store's list is longer than any should be"));
            }
        }
        String::from_utf8(text).map_err(|_| Error::other("the store's list is no text"))
    }
}

impl Content {
    /// The body, a piece of the file at a time.
    fn body(&self) -> Result<Body, Error> {
        let Some(path) = &self.file else {
            return Ok(Body::empty());
        };
        let mut file = File::open(path)?;
        let pieces = std::iter::from_fn(move || {
            let mut piece = vec![0; PIECE];
            match file.read(&mut piece) {
                Ok(0) => None,
                Ok(count) => {
                    piece.truncate(count);
                    Some(Ok(Bytes::from(piece)))
                }
                Err(error) => Some(Err(error)),
            }
        });
        Ok(Body::from_stream(stream::iter(pieces)))
    }
}
