//! A PostgreSQL database that holds ledgers, each in a schema of its own.
//!
//! Invariants: whoever asks may be on any thread, also one that runs async code: connections live on a runtime
//! of their own, and who asks waits for the answer. No statement waits for ever: the server ends those
//! that take too long, and the system those to a server that is gone. A commit that is acknowledged is on the
//! server's disk, and on those of the standbys that it is set up to wait for.

use crate::error::Error;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;
use tokio::runtime::Runtime;
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
    /// `host=/run/postgresql user=fkj`. Connects when it is needed.
    ///
    /// # Errors
    /// [`Error::Database`] where that is no such address, or it names a network in between, which takes TLS;
    /// [`Error::File`] where no thread can be started.
    pub fn new(url: &str) -> Result<Self, Error> {
        let mut config: Config =
            url.parse().map_err(Error::database("reading the address of the database"))?;
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
        Ok(Self { config, runtime: Some(runtime) })
    }

    /// One more session in a schema, which need not be there yet.
    pub(crate) fn session(&self, schema: &str) -> Result<Session, Error> {
        let failed = "connecting to the database";
        let runtime = self.runtime.as_ref().ok_or(Error::Stopped)?;
        let config = self.config.clone();
        let connecting = runtime.spawn(async move {
            let (client, connection) = config.connect(NoTls).await?;
            Ok((client, tokio::spawn(connection)))
        });
        let connected = wait(connecting).map_err(|_| Error::Stopped)?;
        let (client, _) = connected.map_err(Error::database(failed))?;
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
