//! Notifications to systems that subscribe (`exchange::subscription`), by rest-hook. Each subscription has a task of
//! its own that follows the ledger, so one that is slow or dead holds up nobody else.
//!
//! Invariants: at least once, in the order of the ledger; an event has its number on disk before it is sent and is
//! sent until it is acknowledged; access is decided, and written down, at each attempt. An event that may no longer
//! be told after a failed attempt is sent by its number alone.

pub mod notification;
pub mod state;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Uri};
use exchange::subscription::{Event, Wanted};
use exchange::tenant::Tenant;
use record::catalogue::Catalogue;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinHandle;

use self::notification::{Said, bundle};
use self::state::{Place, Places};
use crate::command::Failed;
use crate::https::{Bounds, Https};

/// Entries looked through at a time.
const BATCH: usize = 500;
/// Entries without an event after which the place is kept.
const SELDOM: u64 = 5_000;
/// What is waited for and taken of a subscriber.
const BOUNDS: Bounds = Bounds { patience: Duration::from_secs(10), answer: 64 * 1024 };
/// Wait after the first failure; each further one doubles it.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// Longest wait between tries.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Begins a task for each subscription of a municipality, and ends it with the subscription.
pub async fn run(tenant: Arc<Tenant>, base: String) {
    let mut changes = tenant.watch();
    let mut running: BTreeMap<String, (u64, JoinHandle<()>)> = BTreeMap::new();
    let kept = Catalogue::get().of_type("Subscription").next().map(|it| it.key.as_str());
    loop {
        match tenant.subscriptions() {
            Ok(now) => follow(&tenant, &base, &mut running, now),
            Err(error) => tracing::warn!("subscriptions cannot be read: {error}"),
        }
        loop {
            match changes.recv().await {
                Ok(change) if Some(change.category.as_str()) != kept => {}
                Ok(_) | Err(RecvError::Lagged(_)) => break,
                Err(RecvError::Closed) => {
                    running.values().for_each(|(_, task)| task.abort());
                    return;
                }
            }
        }
    }
}

fn follow(
    tenant: &Arc<Tenant>,
    base: &str,
    running: &mut BTreeMap<String, (u64, JoinHandle<()>)>,
    now: Vec<Wanted>,
) {
    running.retain(|id, (version, task)| {
        let stays = now.iter().any(|it| it.id == *id && it.version == *version);
        if !stays {
            task.abort();
        }
        stays
    });
    for wanted in now {
        if !running.contains_key(&wanted.id) {
            let (id, version) = (wanted.id.clone(), wanted.version);
            let task = tokio::spawn(send(tenant.clone(), base.to_owned(), wanted));
            running.insert(id, (version, task));
        }
    }
}

/// Sends to one subscriber for as long as the subscription is.
async fn send(tenant: Arc<Tenant>, base: String, wanted: Wanted) {
    let mut wait = FIRST_WAIT;
    loop {
        let error = match Sender::open(tenant.clone(), &base, wanted.clone()) {
            Ok(mut sender) => {
                let Err(error) = sender.run(&mut wait).await;
                sender.failed(&error);
                error
            }
            Err(error) => error,
        };
        tracing::warn!(subscription = wanted.id, "a subscriber is not told: {error}");
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

struct Sender {
    tenant: Arc<Tenant>,
    base: String,
    wanted: Wanted,
    places: Places,
    place: Place,
    /// The position that is on disk.
    kept: u64,
    web: Https,
    to: Uri,
}

impl Sender {
    fn open(tenant: Arc<Tenant>, base: &str, wanted: Wanted) -> Result<Self, Failed> {
        let places = Places::open(tenant.directory())?;
        let begun = || Place {
            shaken: 0,
            position: wanted.version,
            number: 0,
            delivered: 0,
            error: String::new(),
        };
        let place = places.of(&wanted.id)?.unwrap_or_else(begun);
        let to: Uri = wanted.endpoint.parse().map_err(|_| "the endpoint is no address")?;
        let web = Https::to(&to)?;
        let kept = place.position;
        Ok(Self { tenant, base: base.to_owned(), wanted, places, place, kept, web, to })
    }

    /// Until something fails.
    async fn run(&mut self, wait: &mut Duration) -> Result<std::convert::Infallible, Failed> {
        if self.place.shaken != self.wanted.version {
            self.post("handshake", Vec::new()).await?;
            self.place.shaken = self.wanted.version;
            self.keep(None)?;
        }
        let mut visible = self.tenant.follow();
        loop {
            if self.place.delivered < self.place.number {
                self.again().await?;
            }
            *wait = FIRST_WAIT;
            let (event, reached) = self.next(self.place.position, BATCH).await?;
            match event {
                Some(event) if self.tenant.tells(&self.wanted, &event).await? => {
                    self.place.position = reached;
                    self.place.number += 1;
                    self.keep(Some(event.position))?;
                    self.deliver(Some(event)).await?;
                }
                _ if reached > self.place.position => {
                    self.place.position = reached;
                    // What told nothing is looked through again after a restart; not all of it.
                    if reached >= self.kept + SELDOM {
                        self.keep(None)?;
                    }
                }
                _ => {
                    let after = self.place.position;
                    visible.wait_for(|seen| *seen > after).await.map(drop)?;
                }
            }
        }
    }

    /// The last event once more, as it may be told now.
    async fn again(&mut self) -> Result<(), Failed> {
        let number = self.place.number;
        let kept = self.places.events(&self.wanted.id, (number, number), 1)?;
        let mut event = None;
        if let Some((_, position)) = kept.first() {
            event = self.next(position.saturating_sub(1), 1).await?.0;
        }
        if let Some(told) = &event
            && !self.tenant.tells(&self.wanted, told).await?
        {
            event = None;
        }
        self.deliver(event).await
    }

    async fn deliver(&mut self, event: Option<Event>) -> Result<(), Failed> {
        let at = event.as_ref().map_or(self.tenant.now(), |event| event.at);
        let focus = event.filter(|_| self.wanted.names).map(|event| {
            let (kind, id) = event.resource;
            format!("{kind}/{id}")
        });
        self.post("event-notification", vec![(self.place.number, at, focus)]).await?;
        self.place.delivered = self.place.number;
        self.place.error.clear();
        self.keep(None)
    }

    async fn next(&mut self, after: u64, limit: usize) -> Result<(Option<Event>, u64), Failed> {
        let (tenant, topic) = (self.tenant.clone(), self.wanted.topic);
        let read = tokio::task::spawn_blocking(move || tenant.next_event(topic, after, limit));
        Ok(read.await??)
    }

    async fn post(
        &mut self,
        kind: &str,
        events: Vec<(u64, i64, Option<String>)>,
    ) -> Result<(), Failed> {
        let status = if self.place.shaken == 0 { "requested" } else { "active" };
        let said = Said { kind, status, last: self.place.number, events, error: "" };
        let body = bundle(&self.base, &self.wanted, &said, self.tenant.now()).to_string();
        let request =
            Request::post(self.to.clone()).header("content-type", "application/fhir+json");
        let (status, _) = self.web.ask(request.body(Body::from(body))?, BOUNDS).await?;
        if !status.is_success() {
            return Err(format!("the endpoint answered {status}").into());
        }
        Ok(())
    }

    fn keep(&mut self, new: Option<u64>) -> Result<(), Failed> {
        self.places.keep(&self.wanted.id, &self.place, new)?;
        self.kept = self.place.position;
        Ok(())
    }

    /// Keeps why, for `$status`.
    fn failed(&mut self, error: &Failed) {
        self.place.error = error.to_string();
        if let Err(error) = self.keep(None) {
            tracing::warn!("the state of a subscription cannot be kept: {error}");
        }
    }
}
