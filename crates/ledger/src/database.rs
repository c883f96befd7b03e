//! A PostgreSQL database that holds ledgers, each in a schema of its own.
//!
//! Invariants: whoever asks may be on any thread, also one that runs async code: connections live on a runtime
//! of their own, and who asks waits for the answer. No statement waits for ever: the server ends those
//! that take too long, and the system those to a server that is gone. A commit that is acknowledged is on the
//! server's disk, and on those of the standbys that it is set up to wait for.

mod tls;

use crate::error::Error;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;
use tls::Tls;
use tokio::runtime::Runtime;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Client, Config, NoTls, Statement};

/// A server that does not answer a connection in this time is away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// What was sent and is not acknowledged by the other machine in this time ends the connection.
const NETWORK_TIMEOUT: Duration = Duration::from_secs(10);

/// Of each session. A batch waits for other servers' batches at most `lock_timeout`.
const SESSION: &str = "
SET synchronous_commit = on;
SET statement_timeout = '30s';
SET lock_timeout = '10s';
SET idle_in_transaction_session_timeout = '30s';
SET application_name = 'fkj';
";

/// A PostgreSQL database.
pub struct Database {
    config: Config,
    /// Nothing where what is sent stays on this machine.
    tls: Option<Tls>,
    // Some until dropped.
    runtime: Option<Runtime>,
}

/// One session in a ledger's schema.
pub(crate) struct Session {
    pub(crate) client: Client,
    statements: Mutex<HashMap<&'static str, Statement>>,
}

impl Database {
    /// The database that `url` names, as libpq writes it: `postgres://user@host/database`, or
    /// `host=/run/postgresql user=fkj`. Connects when it is needed; over a network by TLS only, to a server
    /// with a certificate of an authority that this machine trusts. With `roots`, certificates as PEM, those
    /// authorities count instead, and TLS is used on this machine too.
    ///
    /// # Errors
    /// [`Error::Database`] where that is no such address; [`Error::Key`] where there are no authorities to
    /// trust; [`Error::File`] where no thread can be started.
    pub fn new(url: &str, roots: Option<&[u8]>) -> Result<Self, Error> {
        let mut config: Config =
            url.parse().map_err(Error::database("reading the address of the database"))?;
        let tls = match (roots, is_local(&config)) {
            (None, true) => None,
            _ => Some(Tls::new(roots)?),
        };
        if tls.is_some() {
            config.ssl_mode(SslMode::Require);
        }
        config
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_user_timeout(NETWORK_TIMEOUT)
            .keepalives_idle(NETWORK_TIMEOUT);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("ledger-database")
            .enable_all()
            .build()
            .map_err(Error::file("starting the database's thread"))?;
        Ok(Self { config, tls, runtime: Some(runtime) })
    }

    /// One more session in a schema, which need not be there yet.
    pub(crate) fn session(&self, schema: &str) -> Result<Session, Error> {
        let failed = "connecting to the database";
        let runtime = self.runtime.as_ref().ok_or(Error::Stopped)?;
        let (config, tls) = (self.config.clone(), self.tls.clone());
        let connecting = runtime.spawn(async move {
            if let Some(tls) = tls {
                let (client, connection) = config.connect(tls).await?;
                tokio::spawn(connection);
                return Ok(client);
            }
            let (client, connection) = config.connect(NoTls).await?;
            tokio::spawn(connection);
            Ok(client)
        });
        let connected = wait(connecting).map_err(|_| Error::Stopped)?;
        let client = connected.map_err(Error::database(failed))?;
        let set_up = format!("{SESSION} SET search_path = {schema}");
        wait(client.batch_execute(&set_up)).map_err(Error::database(failed))?;
        Ok(Session { client, statements: Mutex::default() })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Session {
    /// A statement, prepared at its first use.
    pub(crate) fn prepared(&self, sql: &'static str) -> Result<Statement, tokio_postgres::Error> {
        if let Some(statement) = self.statements.lock().get(sql) {
            return Ok(statement.clone());
        }
        let statement = wait(self.client.prepare(sql))?;
        self.statements.lock().insert(sql, statement.clone());
        Ok(statement)
    }
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

/// Waits on this thread, which may be one of a runtime: the work is done on another.
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}
