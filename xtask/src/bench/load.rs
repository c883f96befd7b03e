//! A client that costs little: requests prepared as bytes, one blocking thread per connection,
//! connections kept alive.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes of one HTTP request.
pub type Request = Vec<u8>;

/// How to drive.
#[derive(Clone, Copy)]
pub struct Drive {
    /// Connections, each with one request under way.
    pub connections: usize,
    /// No request is begun after this.
    pub seconds: f64,
    /// Begin anew at the end of the requests; otherwise each is sent once.
    pub again: bool,
}

/// What was measured.
pub struct Driven {
    /// From the first request to the last answer.
    pub seconds: f64,
    /// Time of each request in microseconds, sorted.
    pub micros: Vec<u32>,
}

impl Driven {
    /// Requests a second.
    pub fn per_second(&self) -> f64 {
        self.micros.len() as f64 / self.seconds
    }

    /// The time in milliseconds that this share of the requests stayed under.
    pub fn percentile(&self, share: f64) -> f64 {
        let last = self.micros.len().saturating_sub(1) as f64;
        let at = (last * share).round() as usize;
        self.micros.get(at).map_or(0.0, |micros| f64::from(*micros) / 1000.0)
    }
}

/// Puts a request together.
pub fn request(method: &str, path: &str, token: &str, kind: &str, body: &[u8]) -> Request {
    let mut bytes = format!(
        "{method} {path} HTTP/1.1\r\nHost: fkj\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// Puts a request without a body together, with a proof for its token.
pub fn proved(method: &str, path: &str, token: &str, proof: &str) -> Request {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: fkj\r\nAuthorization: DPoP {token}\r\nDPoP: {proof}\r\n\r\n"
    )
    .into_bytes()
}

/// Sends the requests over several connections. `check` sees each answer's body and may refuse it;
/// an answer other than 200 or 201 ends the run.
pub fn drive(
    address: SocketAddr,
    requests: &[Request],
    drive: Drive,
    check: &(dyn Fn(&[u8]) -> Result<(), String> + Sync),
) -> Result<Driven, String> {
    let next = AtomicUsize::new(0);
    let begun = Instant::now();
    let deadline = begun + Duration::from_secs_f64(drive.seconds);
    let work = || -> Result<Vec<u32>, String> {
        let mut connection = Connection::open(address)?;
        let mut micros = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let at = if drive.again { at % requests.len().max(1) } else { at };
            let Some(request) = requests.get(at) else { return Ok(micros) };
            let sent = Instant::now();
            if sent >= deadline {
                return Ok(micros);
            }
            let body = connection.exchange(request)?;
            micros.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
            check(body)?;
        }
    };
    let parts: Vec<Result<Vec<u32>, String>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..drive.connections).map(|_| scope.spawn(work)).collect();
        let ended = |_| Err("a client thread ended early".to_owned());
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(ended)).collect()
    });
    let seconds = begun.elapsed().as_secs_f64();
    let mut micros = Vec::new();
    for part in parts {
        micros.extend(part?);
    }
    micros.sort_unstable();
    Ok(Driven { seconds, micros })
}

/// One request on a connection of its own.
pub fn once(address: SocketAddr, request: &Request) -> Result<Vec<u8>, String> {
    Connection::open(address)?.exchange(request).map(<[u8]>::to_vec)
}

/// A connection kept alive.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

impl Connection {
    fn open(address: SocketAddr) -> Result<Self, String> {
        let open = || {
            let stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            std::io::Result::Ok(stream)
        };
        let stream = open().map_err(|error| format!("cannot connect to {address}: {error}"))?;
        Ok(Self { stream, buffer: vec![0; 64 << 10], filled: 0 })
    }

    /// Sends a request and gives the body of the answer.
    fn exchange(&mut self, request: &Request) -> Result<&[u8], String> {
        let failed = |error| format!("the connection failed: {error}");
        self.stream.write_all(request).map_err(failed)?;
        self.filled = 0;
        let head = loop {
            self.fill().map_err(failed)?;
            if let Some(end) = find(self.received(), b"\r\n\r\n") {
                break end + 4;
            }
        };
        let (status, length) = read_head(self.received().get(..head).unwrap_or_default())?;
        while self.filled < head + length {
            self.fill().map_err(failed)?;
        }
        let body = self.buffer.get(head..head + length).unwrap_or_default();
        match status {
            200 | 201 => Ok(body),
            _ => Err(format!("answered {status}: {}", start(body))),
        }
    }

    fn received(&self) -> &[u8] {
        self.buffer.get(..self.filled).unwrap_or_default()
    }

    fn fill(&mut self) -> std::io::Result<()> {
        if self.filled == self.buffer.len() {
            self.buffer.resize(2 * self.filled, 0);
        }
        let count = self.stream.read(self.buffer.get_mut(self.filled..).unwrap_or_default())?;
        self.filled += count;
        if count == 0 { Err(std::io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

/// Status and length of the body.
fn read_head(head: &[u8]) -> Result<(u16, usize), String> {
    let head = String::from_utf8_lossy(head);
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    status.zip(length).ok_or_else(|| "an answer without status or length".to_owned())
}

/// Where `wanted` begins.
pub fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// The start of a body, for a message.
pub fn start(body: &[u8]) -> String {
    String::from_utf8_lossy(body.get(..400).unwrap_or(body)).into_owned()
}
