//! Where entries are sent, and the line that is open to it.
//!
//! OTLP acknowledges. Syslog does not: what was written to a line that broke may be lost, so the sender
//! goes back [`REWIND`] entries when a line is opened anew. Datagrams are as sure as their network.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Uri;
use hyper_rustls::ConfigBuilderExt;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket, UnixDatagram};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::ServerName;

use super::event::Event;
use super::feed::Broken;
use super::otlp::Otlp;
use super::syslog::{framed, message};
use crate::command::Failed;
use crate::config::ExportConfig;

/// How far a sender goes back when a line without acknowledgements is opened anew: more than fits in
/// the buffers on the way.
pub const REWIND: u64 = 10_000;
/// Longest wait for a line to open, or for a batch to go through it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where entries are sent.
pub enum Target {
    /// OTLP over HTTP.
    Otlp(Box<Otlp>),
    /// Syslog through a stream.
    Stream(Stream),
    /// Syslog by UDP to this host and port.
    Udp(String),
    /// Syslog by datagram to a socket of this machine.
    Unix(PathBuf),
}

/// A stream to a host.
pub struct Stream {
    host: String,
    port: u16,
    tls: Option<TlsConnector>,
    line: Option<Box<dyn Line>>,
}

/// What bytes go through.
trait Line: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Line for T {}

impl Target {
    /// The target of a configuration.
    ///
    /// # Errors
    /// Where it names none that is known.
    pub fn of(config: &ExportConfig) -> Result<Self, Failed> {
        let to = config.to.as_str();
        if let Some(path) = to.strip_prefix("unix://") {
            return Ok(Target::Unix(PathBuf::from(path)));
        }
        let uri: Uri = to.parse().map_err(|_| format!("`{to}` is no address"))?;
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let stream = |tls, port| {
            let port = uri.port_u16().unwrap_or(port);
            Ok(Target::Stream(Stream { host: host.clone(), port, tls, line: None }))
        };
        match uri.scheme_str() {
            Some("https" | "http") => Ok(Target::Otlp(Box::new(Otlp::new(to, &config.headers)?))),
            Some("syslog+tls") => stream(Some(TlsConnector::from(Arc::new(tls()?))), 6514),
            Some("syslog+tcp") => stream(None, 601),
            Some("syslog+udp") => {
                let port = uri.port_u16().unwrap_or(514);
                Ok(Target::Udp(format!("{}:{port}", uri.host().unwrap_or_default())))
            }
            _ => Err(format!(
                "`{to}`: send the log to https://, syslog+tls://, syslog+tcp://, syslog+udp:// or \
                 unix://"
            )
            .into()),
        }
    }

    /// Whether what was sent before a restart may not have arrived.
    pub fn is_unsure(&self) -> bool {
        matches!(self, Target::Stream(_))
    }

    /// Sends a batch.
    ///
    /// # Errors
    /// [`Broken`]: it, or a part of it, did not get through.
    pub async fn send(&mut self, events: &[Event], host: &str) -> Result<(), Broken> {
        match self {
            Target::Otlp(otlp) => Ok(otlp.send(events).await?),
            Target::Stream(stream) => {
                let text: String =
                    events.iter().map(|event| framed(&message(event, host))).collect();
                stream.send(text.as_bytes()).await
            }
            Target::Udp(to) => {
                let local = if to.starts_with('[') { "[::]:0" } else { "0.0.0.0:0" };
                let socket = UdpSocket::bind(local).await?;
                for event in events {
                    socket.send_to(message(event, host).as_bytes(), to.as_str()).await?;
                }
                Ok(())
            }
            Target::Unix(path) => {
                let socket = UnixDatagram::unbound()?;
                for event in events {
                    socket.send_to(message(event, host).as_bytes(), &*path).await?;
                }
                Ok(())
            }
        }
    }
}

impl Stream {
    async fn send(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        let had_line = self.line.is_some();
        let sent = tokio::time::timeout(PATIENCE, self.through(bytes)).await;
        let error = match sent {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error,
            Err(_) => format!("nothing went through in {} s", PATIENCE.as_secs()).into(),
        };
        self.line = None;
        Err(Broken { error, rewind: if had_line { REWIND } else { 0 } })
    }

    async fn through(&mut self, bytes: &[u8]) -> Result<(), Failed> {
        let line = match &mut self.line {
            Some(line) => line,
            none => none.insert(open(&self.host, self.port, self.tls.as_ref()).await?),
        };
        // A receiver says nothing, but it may have hung up, and a write alone would not tell.
        let mut said = [0; 64];
        let hung_up = tokio::select! {
            biased;
            read = line.read(&mut said) => read? == 0,
            () = std::future::ready(()) => false,
        };
        if hung_up {
            return Err("the receiver hung up".into());
        }
        line.write_all(bytes).await?;
        line.flush().await?;
        Ok(())
    }
}

async fn open(host: &str, port: u16, tls: Option<&TlsConnector>) -> Result<Box<dyn Line>, Failed> {
    let plain = TcpStream::connect((host, port)).await?;
    Ok(match tls {
        None => Box::new(plain),
        Some(tls) => {
            let name = ServerName::try_from(host.to_owned())?;
            Box::new(tls.connect(name, plain).await?)
        }
    })
}

/// TLS with the machine's trusted roots.
pub fn tls() -> Result<ClientConfig, Failed> {
    Ok(ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_native_roots()?
        .with_no_client_auth())
}
