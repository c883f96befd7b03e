//! A PostgreSQL database that holds ledgers, each in a schema of its own.
//!
//! Invariants: whoever asks may be on any thread, also one that runs async code: connections live on a runtime
//! of their own, and who asks waits for the answer. Nobody waits for ever: the server ends statements that take
//! too long, the system connections to a machine that is gone, and whoever waits stops waiting for a server that
//! does not answer. A commit that is acknowledged is on the server's disk, and on those of the standbys that it is
//! set up to wait for.

pub(crate) mod schema;
pub(crate) mod session;
mod tls;
pub mod unfinished;

use crate::absence::Absence;
use crate::error::Error;
use futures_util::stream::{FuturesUnordered, StreamExt};
use parking_lot::Mutex;
use session::{Session, Signals, wait};
use std::sync::Arc;
use std::time::Duration;
use tls::Tls;
use tokio::runtime::Runtime;
use tokio_postgres::config::{Host, LoadBalanceHosts, SslMode};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage, Socket};

/// A server that does not answer in this time is away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A reader who has found a standby looks so much longer for the server that takes what is written.
const PREFERENCE: Duration = Duration::from_millis(500);
/// Whoever opens something in a database that is away waits so long.
const PATIENCE: Duration = Duration::from_secs(60);
/// What was sent and is not acknowledged by the other machine in this time ends the connection.
const NETWORK_TIMEOUT: Duration = Duration::from_secs(4);
/// A connection on which nothing is said is tried out this often.
const KEEP_ALIVE: Duration = Duration::from_secs(2);

/// A PostgreSQL database, at one server or at several of which one takes what is written.
pub struct Database {
    hosts: Vec<Config>,
    /// Nothing where what is sent stays on this machine.
    tls: Option<Tls>,
    // Some until dropped.
    runtime: Option<Runtime>,
    /// How long those who open something in it have waited, together.
    absence: Mutex<Absence>,
    /// What the names of its schemas begin with.
    prefix: &'static str,
}

/// What a session is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// At the server that takes what is written.
    Write,
    /// There too; at a standby where no such server answers, which may be behind.
    Read,
}

impl Database {
    /// The database that `url` names, as libpq writes it: `postgres://user@host/database`, or
    /// `host=/run/postgresql user=fkj`. Of several hosts (`host=one,two,three`), the one that takes what is written
    /// counts, whichever it is at the time. Connects when it is needed; over a network by TLS only, to a server
    /// with a certificate of an authority that this machine trusts. With `roots`, certificates as PEM, those
    /// authorities count instead, and TLS is used on this machine too. `password` counts before one in the address.
    ///
    /// # Errors
    /// [`Error::Database`] where that is no such address; [`Error::Key`] where there are no authorities to
    /// trust; [`Error::File`] where no thread can be started.
    pub fn new(url: &str, password: Option<&str>, roots: Option<&[u8]>) -> Result<Self, Error> {
        let mut config: Config =
            url.parse().map_err(Error::database("reading the address of the database"))?;
        if let Some(password) = password {
            config.password(password);
        }
        let tls = match (roots, is_local(&config)) {
            (None, true) => None,
            _ => Some(Tls::new(roots)?),
        };
        Self::at(each_host(&config, tls.is_some()), tls, unfinished::FINISHED)
    }

    fn at(hosts: Vec<Config>, tls: Option<Tls>, prefix: &'static str) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("ledger-database")
            .enable_all()
            .build()
            .map_err(Error::file("starting the database's thread"))?;
        let absence = Mutex::new(Absence::new(PATIENCE, Arc::default()));
        Ok(Self { hosts, tls, runtime: Some(runtime), absence, prefix })
    }

    /// The same database, for what is not finished.
    fn aside(&self) -> Result<Self, Error> {
        Self::at(self.hosts.clone(), self.tls.clone(), unfinished::BEGUN)
    }

    /// The schema that is for `name`.
    pub(crate) fn schema(&self, name: &str) -> Result<String, Error> {
        schema::named(self.prefix, name)
    }

    /// Opens something in it, and tries again while no server takes what is written, as a writer does: for a minute,
    /// of all who wait together, so that what is in other places opens too.
    ///
    /// # Errors
    /// Those of `open`; that of its last attempt where the minute is over.
    pub fn open_when_there<T>(
        &self,
        mut open: impl FnMut() -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut absence = self.absence.lock();
        let mut told = false;
        loop {
            let error = match open() {
                Err(error) if error.is_away() => error,
                opened => {
                    absence.ended();
                    return opened;
                }
            };
            if !std::mem::replace(&mut told, true) {
                tracing::warn!(%error, "the database takes no writes; waiting for it, a minute at most");
            }
            if !absence.wait() {
                return Err(error);
            }
        }
    }

    /// One more session in a schema, which need not be there yet.
    pub(crate) fn session(&self, schema: &str, access: Access) -> Result<Session, Error> {
        let what = "connecting to the database";
        let runtime = self.runtime.as_ref().ok_or(Error::Stopped)?;
        let (hosts, tls) = (self.hosts.clone(), self.tls.clone());
        let connecting = runtime.spawn(async move {
            match tls {
                Some(tls) => any(hosts, tls, access).await,
                None => any(hosts, NoTls, access).await,
            }
        });
        let connected = wait(connecting).map_err(|_| Error::Stopped)??;
        let session = Session::new(connected);
        session.run(&format!("{} SET search_path = {schema}", session::SET_UP), what)?;
        Ok(session)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A connection that was made.
pub(crate) struct Connected {
    client: Client,
    signals: Arc<Signals>,
    is_standby: bool,
}

/// Connects to all hosts at once; the first that takes what is written is the one. A host that does not answer does
/// not keep a reader from a standby that does.
async fn any<T>(hosts: Vec<Config>, tls: T, access: Access) -> Result<Connected, Error>
where
    T: MakeTlsConnect<Socket> + Clone + Send + 'static,
    T::Stream: Send + 'static,
{
    let what = "connecting to a database that takes what is written";
    let mut attempts: FuturesUnordered<_> = hosts
        .into_iter()
        .map(|host| tokio::time::timeout(CONNECT_TIMEOUT, one(host, tls.clone())))
        .collect();
    let (mut standby, mut failure) = (None, Error::Unreachable { what });
    loop {
        let next = match (access, &standby) {
            (Access::Read, Some(_)) => tokio::time::timeout(PREFERENCE, attempts.next()).await,
            _ => Ok(attempts.next().await),
        };
        let Ok(Some(attempt)) = next else { break };
        match attempt {
            Ok(Ok(found)) if !found.is_standby => return Ok(found),
            Ok(Ok(found)) => standby = Some(found),
            Ok(Err(error)) => failure = Error::database(what)(error),
            Err(_) => {}
        }
    }
    match (access, standby) {
        (Access::Read, Some(standby)) => Ok(standby),
        (Access::Write, Some(_)) => Err(Error::Unreachable { what }),
        (_, None) => Err(failure),
    }
}

async fn one<T>(host: Config, tls: T) -> Result<Connected, tokio_postgres::Error>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
{
    let (client, connection) = host.connect(tls).await?;
    let signals = Arc::new(Signals::default());
    tokio::spawn(session::carry(connection, signals.clone()));
    let told = client.simple_query("SHOW transaction_read_only").await?;
    let is_standby = told.iter().any(|it| match it {
        SimpleQueryMessage::Row(row) => row.get(0) == Some("on"),
        _ => false,
    });
    Ok(Connected { client, signals, is_standby })
}

/// What to connect to each host with.
fn each_host(config: &Config, tls: bool) -> Vec<Config> {
    let (names, addresses) = (config.get_hosts(), config.get_hostaddrs());
    let alone = |at: usize| {
        let mut host = Config::new();
        if let Some(user) = config.get_user() {
            host.user(user);
        }
        if let Some(password) = config.get_password() {
            host.password(password);
        }
        if let Some(name) = config.get_dbname() {
            host.dbname(name);
        }
        if let Some(options) = config.get_options() {
            host.options(options);
        }
        match names.get(at) {
            Some(Host::Tcp(name)) => host.host(name),
            Some(Host::Unix(path)) => host.host_path(path),
            None => &mut host,
        };
        if let Some(address) = addresses.get(at) {
            host.hostaddr(*address);
        }
        let ports = config.get_ports();
        if let Some(port) = ports.get(at).or_else(|| ports.first()) {
            host.port(*port);
        }
        host.ssl_mode(if tls { SslMode::Require } else { config.get_ssl_mode() })
            .ssl_negotiation(config.get_ssl_negotiation())
            .channel_binding(config.get_channel_binding())
            .load_balance_hosts(LoadBalanceHosts::Disable)
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_user_timeout(NETWORK_TIMEOUT)
            .keepalives_idle(KEEP_ALIVE)
            .keepalives_interval(KEEP_ALIVE)
            .keepalives_retries(2);
        host
    };
    (0..names.len().max(addresses.len())).map(alone).collect()
}

/// Whether what is sent stays on this machine.
fn is_local(config: &Config) -> bool {
    let mut hosts = config.get_hosts().iter();
    config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback)
        && hosts.all(|host| match host {
            Host::Unix(_) => true,
            Host::Tcp(name) => {
                name == "localhost"
                    || name.parse().is_ok_and(|it: std::net::IpAddr| it.is_loopback())
            }
        })
}
