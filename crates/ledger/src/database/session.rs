//! One connection to a server of the database, and waiting for what it answers.

use super::Connected;
use crate::error::Error;
use parking_lot::{Condvar, Mutex};
use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, Connection, Row, Socket, Statement};

/// Of each session. A batch waits for other servers' batches at most `lock_timeout`; one whose writer is gone ends
/// at the latest with the other two. Where the server is set up to wait for more than its own disk, it still does.
pub(crate) const SET_UP: &str = "
SELECT set_config('synchronous_commit', 'on', false)
WHERE current_setting('synchronous_commit') IN ('off', 'local', 'remote_write');
SET statement_timeout = '30s';
SET lock_timeout = '5s';
SET idle_in_transaction_session_timeout = '15s';
SET tcp_user_timeout = '8s';
SET tcp_keepalives_idle = 4;
SET tcp_keepalives_interval = 2;
SET tcp_keepalives_count = 2;
SET application_name = 'fkj';
";

/// An answer that takes longer than any statement may is not waited for.
const ANSWER: Duration = Duration::from_secs(35);
/// A session at a standby is used so long before the server that takes what is written is looked for again.
const AT_STANDBY: Duration = Duration::from_secs(5);

/// One session in a schema.
pub(crate) struct Session {
    pub(crate) client: Client,
    statements: Mutex<HashMap<&'static str, Statement>>,
    pub(crate) signals: Arc<Signals>,
    /// Until when it is used, where it is at a standby.
    until: Option<Instant>,
    /// How long an answer is waited for.
    pub(crate) patience: Duration,
}

/// What a server tells without being asked.
#[derive(Default)]
pub(crate) struct Signals {
    told: Mutex<Told>,
    changed: Condvar,
}

#[derive(Default)]
struct Told {
    notified: bool,
    ended: bool,
    warnings: u64,
}

/// Parameters of a statement.
pub(crate) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

impl Session {
    pub(super) fn new(connected: Connected) -> Self {
        let Connected { client, signals, is_standby } = connected;
        let until = is_standby.then(|| Instant::now() + AT_STANDBY);
        Self { client, statements: Mutex::default(), signals, until, patience: ANSWER }
    }

    /// Whether it can be used any more.
    pub(crate) fn is_open(&self) -> bool {
        !self.client.is_closed()
            && !self.signals.told.lock().ended
            && self.until.is_none_or(|until| Instant::now() < until)
    }

    /// Whether it is at the server that takes what is written.
    pub(crate) fn can_write(&self) -> bool {
        self.until.is_none()
    }

    /// Waits for an answer.
    pub(crate) fn answer<T>(
        &self,
        future: impl Future<Output = Result<T, tokio_postgres::Error>>,
        what: &'static str,
    ) -> Result<T, Error> {
        match wait_for(self.patience, future) {
            Some(answer) => answer.map_err(Error::database(what)),
            None => {
                self.give_up();
                Err(Error::Unreachable { what })
            }
        }
    }

    /// An answer did not come in time: nothing more is asked.
    pub(crate) fn give_up(&self) {
        self.signals.tell(|told| told.ended = true);
    }

    /// Runs statements without parameters.
    pub(crate) fn run(&self, sql: &str, failed: &'static str) -> Result<(), Error> {
        self.answer(self.client.batch_execute(sql), failed)
    }

    /// A statement, prepared at its first use.
    pub(crate) fn prepared(
        &self,
        sql: &'static str,
        failed: &'static str,
    ) -> Result<Statement, Error> {
        if let Some(statement) = self.statements.lock().get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.answer(self.client.prepare(sql), failed)?;
        self.statements.lock().insert(sql, statement.clone());
        Ok(statement)
    }

    pub(crate) fn select(
        &self,
        sql: &'static str,
        params: Params<'_>,
        failed: &'static str,
    ) -> Result<Vec<Row>, Error> {
        let statement = self.prepared(sql, failed)?;
        self.answer(self.client.query(&statement, params), failed)
    }

    /// How often the server has warned.
    pub(crate) fn warnings(&self) -> u64 {
        self.signals.told.lock().warnings
    }
}

impl Signals {
    /// Waits until something was notified, the connection has ended, or `time` is over.
    pub(crate) fn pause(&self, time: Duration) {
        let deadline = Instant::now() + time;
        let mut told = self.told.lock();
        while !told.notified && !told.ended {
            if self.changed.wait_until(&mut told, deadline).timed_out() {
                break;
            }
        }
        told.notified = false;
    }

    fn tell(&self, change: impl FnOnce(&mut Told)) {
        change(&mut self.told.lock());
        self.changed.notify_all();
    }
}

/// Carries what goes over a connection until it ends.
pub(super) async fn carry<T>(mut connection: Connection<Socket, T>, signals: Arc<Signals>)
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        match std::future::poll_fn(|context| connection.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notification(_))) => signals.tell(|told| told.notified = true),
            Some(Ok(AsyncMessage::Notice(notice))) if *notice.code() == SqlState::WARNING => {
                signals.tell(|told| told.warnings += 1);
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => break,
        }
    }
    signals.tell(|told| told.ended = true);
}

/// A column of a row.
pub(crate) fn get<'r, T: tokio_postgres::types::FromSql<'r>>(
    row: &'r Row,
    column: usize,
    failed: &'static str,
) -> Result<T, Error> {
    row.try_get(column).map_err(Error::database(failed))
}

/// Waits on this thread, which may be one of a runtime: the work is done on another.
pub(super) fn wait<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Some(output) = wait_for(ANSWER, future.as_mut()) {
            return output;
        }
    }
}

/// As [`wait`], for so long.
fn wait_for<F: Future>(time: Duration, future: F) -> Option<F::Output> {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    let deadline = Instant::now() + time;
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        match deadline.saturating_duration_since(Instant::now()) {
            Duration::ZERO => return None,
            left => std::thread::park_timeout(left),
        }
    }
}
