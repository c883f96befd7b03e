//! What happened in one municipality, to NATS JetStream: a stream for the municipality, a subject for each
//! category, so that a consumer's permissions at the broker can be by category.
//!
//! Each event has a stable message id (`Nats-Msg-Id`), by which the broker drops what is sent twice within its
//! window; after that a consumer tells by the event's `id`. While the broker is away the platform goes on.

use std::sync::Arc;
use std::time::Duration;

use async_nats::ConnectOptions;
use async_nats::HeaderMap;
use async_nats::jetstream::stream::{Config, StorageType};
use async_nats::jetstream::{self, Context};
use axum::http::Uri;
use exchange::tenant::Tenant;
use record::entry::Position;
use tokio::sync::watch;
use tokio_rustls::rustls::ClientConfig;

use super::feed::{Broken, Outlet};
use super::line;
use super::thin::Thin;
use crate::command::Failed;
use crate::config::BrokerConfig;
use crate::https::is_this_machine;

/// Entries looked through at a time.
const BATCH: usize = 500;
/// Longest wait for the broker to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the broker remembers message ids of a new stream.
const WINDOW: Duration = Duration::from_secs(10 * 60);
/// Between looks once the view has stopped.
const LOOK: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A broker, and the municipality it hears of.
pub struct JetStream {
    tenant: Arc<Tenant>,
    visible: watch::Receiver<Position>,
    config: BrokerConfig,
    tls: Option<ClientConfig>,
    base: String,
    number: String,
    line: Option<Context>,
}

impl JetStream {
    /// Of a configuration; `base` is the start of the platform's addresses.
    ///
    /// # Errors
    /// Where the configuration names what cannot be.
    pub fn new(tenant: Arc<Tenant>, config: &BrokerConfig, base: &str) -> Result<Self, Failed> {
        let servers: Vec<Uri> =
            config.to.split(',').map(|to| to.trim().parse()).collect::<Result<_, _>>()?;
        let all = |scheme: &str| servers.iter().all(|to| to.scheme_str() == Some(scheme));
        let tls = match () {
            () if all("tls") => Some(line::tls()?),
            () if all("nats") && servers.iter().all(is_this_machine) => None,
            () => {
                return Err(format!(
                    "events `{}`: `to` is tls://host:4222, or nats:// for a broker on this machine",
                    config.name
                )
                .into());
            }
        };
        Ok(Self {
            visible: tenant.follow(),
            config: config.clone(),
            tls,
            base: base.to_owned(),
            number: tenant.register().number.clone(),
            tenant,
            line: None,
        })
    }

    /// Sends events and waits until the broker has all of them on disk.
    async fn publish(&mut self, events: &[Thin]) -> Result<(), Failed> {
        let context = match &self.line {
            Some(line) => line.clone(),
            None => self.line.insert(self.connect().await?).clone(),
        };
        let prefix = format!("{}.{}", self.config.prefix, self.number);
        let mut acks = Vec::with_capacity(events.len());
        for thin in events {
            let mut headers = HeaderMap::new();
            headers.insert("Nats-Msg-Id", thin.id.as_str());
            headers.insert("content-type", "application/cloudevents+json");
            let subject = format!("{prefix}.{}", thin.category);
            let payload = thin.event.to_string().into();
            acks.push(context.publish_with_headers(subject, headers, payload).await?);
        }
        for ack in acks {
            ack.await?;
        }
        Ok(())
    }

    /// Connects, and makes the municipality's stream where there is none. One that is there stays as its
    /// operator has set it.
    async fn connect(&self) -> Result<Context, Failed> {
        let mut options = ConnectOptions::new()
            .name(format!("fkj {}", self.number))
            .connection_timeout(PATIENCE)
            .request_timeout(Some(PATIENCE))
            .max_reconnects(1);
        if let Some(file) = &self.config.credentials {
            options = options.credentials_file(file).await?;
        }
        if let Some(tls) = &self.tls {
            options = options.require_tls(true).tls_client_config(tls.clone());
        }
        let servers: Vec<&str> = self.config.to.split(',').map(str::trim).collect();
        let mut context = jetstream::new(options.connect(servers).await?);
        context.set_timeout(PATIENCE);
        context
            .get_or_create_stream(Config {
                name: format!("{}-{}", self.config.prefix, self.number),
                subjects: vec![format!("{}.{}.>", self.config.prefix, self.number)],
                storage: StorageType::File,
                num_replicas: self.config.replicas,
                max_age: DAY * u32::try_from(self.config.days).unwrap_or(u32::MAX),
                duplicate_window: WINDOW,
                ..Config::default()
            })
            .await?;
        Ok(context)
    }
}

impl Outlet for JetStream {
    const WHAT: &'static str = "events";
    const FILE: &'static str = "events";

    async fn send(&mut self, after: Position) -> Result<Option<Position>, Broken> {
        let (tenant, base, number) = (self.tenant.clone(), self.base.clone(), self.number.clone());
        let read = tokio::task::spawn_blocking(move || {
            let (news, reached) = tenant.news(after, BATCH)?;
            let thin: Vec<Thin> = news.iter().map(|it| Thin::new(&base, &number, it)).collect();
            Ok::<_, Failed>((thin, reached))
        });
        let (events, reached) = read.await??;
        if !events.is_empty() {
            let sent = self.publish(&events).await;
            if sent.is_err() {
                self.line = None;
            }
            sent?;
        }
        Ok((reached > after).then_some(reached))
    }

    async fn wait(&mut self, after: Position) {
        // An end of the projection is told by `/readyz`; nothing more comes then.
        let further = self.visible.wait_for(|seen| *seen > after).await.map(drop);
        if further.is_err() {
            tokio::time::sleep(LOOK).await;
        }
    }
}
