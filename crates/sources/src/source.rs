//! The sources of one municipality, and asking them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use record::catalogue::CategoryKey;
use record::identity::PersonId;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::answer::{Answer, Found, Silence, Why};
use crate::breaker::Breaker;
use crate::carrier::{Carrier, Nobody, Reply, Request};
use crate::memory::Memory;
use crate::reply;
use crate::shape::{Ask, Method, Question, Shape, shapes};

/// A source as an operator configures it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    /// Name, in answers and metrics.
    pub key: String,
    /// How it is asked: `pps`, `pmd`, `kritisk`, `dokumenter` or `fkj`.
    pub shape: String,
    /// What people call it; the shape's title where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Start of its addresses, `https://…`; `http://` for what runs on this machine.
    pub base: String,
    /// Longest wait for its answer, in milliseconds.
    #[serde(default = "deadline")]
    pub deadline_ms: u64,
    /// Questions on their way at once.
    #[serde(default = "at_once")]
    pub at_once: usize,
    /// Headers of every question, such as a key of its own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
}

fn deadline() -> u64 {
    2_000
}

fn at_once() -> usize {
    16
}

/// Why a source cannot be configured so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// There is no such shape.
    #[error("source `{key}`: there is no shape `{shape}`; there are {known}")]
    Shape {
        /// The source.
        key: String,
        /// What it names.
        shape: String,
        /// The shapes there are.
        known: String,
    },
    /// Two with one name.
    #[error("source `{0}` stands twice; give each its own `key`")]
    Twice(String),
    /// A number that means nothing.
    #[error(
        "source `{0}`: `deadline_ms` and `at_once` are at least 1, and `deadline_ms` at most 30000"
    )]
    Bounds(String),
}

/// Longest deadline, in milliseconds: nobody waits longer for a picture of a patient.
const LONGEST_MS: u64 = 30_000;

/// A source with what keeps it from harming others.
struct Source {
    config: SourceConfig,
    shape: &'static Shape,
    breaker: Breaker,
    places: Semaphore,
    memory: Memory,
}

/// The sources of one municipality.
pub struct Sources {
    sources: Vec<Source>,
    carrier: Arc<dyn Carrier>,
}

/// Milliseconds since 1970, now.
pub type Now<'a> = &'a (dyn Fn() -> i64 + Sync);

impl Sources {
    /// None: nobody else is asked.
    pub fn none() -> Self {
        Self { sources: Vec::new(), carrier: Arc::new(Nobody) }
    }

    /// Those of a configuration, reached by `carrier`.
    ///
    /// # Errors
    /// Where one names no known shape, stands twice, or has bounds that let nothing through.
    pub fn new(configs: &[SourceConfig], carrier: Arc<dyn Carrier>) -> Result<Self, ConfigError> {
        let mut sources: Vec<Source> = Vec::with_capacity(configs.len());
        for config in configs {
            let key = config.key.clone();
            if sources.iter().any(|it| it.config.key == key) {
                return Err(ConfigError::Twice(key));
            }
            let bounded = (1..=LONGEST_MS).contains(&config.deadline_ms);
            if !bounded || !(1..=Semaphore::MAX_PERMITS).contains(&config.at_once) {
                return Err(ConfigError::Bounds(key));
            }
            let shape = shapes().iter().find(|it| it.key == config.shape);
            let shape = shape.ok_or_else(|| unknown(config))?;
            sources.push(Source {
                config: config.clone(),
                shape,
                breaker: Breaker::default(),
                places: Semaphore::new(config.at_once),
                memory: Memory::default(),
            });
        }
        Ok(Self { sources, carrier })
    }

    /// Keys of the categories that somebody may be asked about, each once.
    pub fn categories(&self) -> Vec<CategoryKey> {
        let mut all: Vec<_> = self.asks().filter_map(|(_, ask)| ask.category()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The sources that would be asked about any of these categories, by key, each once.
    pub fn asked_about(&self, categories: &[CategoryKey]) -> Vec<&str> {
        let is_asked = |ask: &Ask| categories.contains(&ask.category.as_str());
        let asked = self.sources.iter().filter(|it| it.shape.ask.iter().any(is_asked));
        asked.map(|it| it.config.key.as_str()).collect()
    }

    /// Asks every source that has something of these categories, side by side; the answers are in the order of
    /// the configuration. That they are asked is to be written down before.
    pub async fn ask(
        &self,
        person: PersonId,
        question: &Question,
        categories: &[CategoryKey],
        now: Now<'_>,
    ) -> Vec<Answer> {
        let asks = self.asks().filter_map(|(source, ask)| {
            let category = ask.category().filter(|it| categories.contains(it))?;
            Some(async move {
                Answer {
                    source: source.config.key.clone(),
                    title: source.title().to_owned(),
                    is_national: source.shape.national,
                    base: source.base().to_owned(),
                    category,
                    outcome: source.ask(ask, person, question, &*self.carrier, now).await,
                }
            })
        });
        join_all(asks).await
    }

    fn asks(&self) -> impl Iterator<Item = (&Source, &'static Ask)> {
        self.sources.iter().flat_map(|it| it.shape.ask.iter().map(move |ask| (it, ask)))
    }
}

impl Source {
    fn title(&self) -> &str {
        self.config.title.as_deref().unwrap_or(&self.shape.title)
    }

    fn base(&self) -> &str {
        self.config.base.trim_end_matches('/')
    }

    async fn ask(
        &self,
        ask: &Ask,
        person: PersonId,
        question: &Question,
        carrier: &dyn Carrier,
        now: Now<'_>,
    ) -> Result<Found, Silence> {
        let answered = self.guarded(ask, question, carrier, now).await;
        if answered.is_ok() {
            self.memory.answered(person, now());
        }
        answered.map_err(|why| Silence { why, last: self.memory.last(person) })
    }

    /// Asks where the source is up to it, and tells the breaker what came of it.
    async fn guarded(
        &self,
        ask: &Ask,
        question: &Question,
        carrier: &dyn Carrier,
        now: Now<'_>,
    ) -> Result<Found, Why> {
        let Ok(_place) = self.places.try_acquire() else { return Err(Why::Busy) };
        self.breaker.pass(now()).map_err(Why::Resting)?;
        let deadline = Duration::from_millis(self.config.deadline_ms);
        let replied = tokio::time::timeout(deadline, self.reply(ask, question, carrier)).await;
        let found = match replied {
            Err(_) => Err(Why::Late(self.config.deadline_ms)),
            Ok(Err(why)) => Err(why),
            Ok(Ok(reply)) => reply::read(&reply, ask, &question.number, now()),
        };
        self.breaker.tell(found.as_ref().is_err_and(Why::is_failure), now());
        found
    }

    /// A search changes nothing, so it is sent once more where nobody came to answer it (RFC 9110 §9.2.2).
    async fn reply(
        &self,
        ask: &Ask,
        question: &Question,
        carrier: &dyn Carrier,
    ) -> Result<Reply, Why> {
        match carrier.carry(self.request(ask, question)).await {
            Ok(reply) if !matches!(reply.status, 502 | 503) => Ok(reply),
            Ok(_) | Err(_) => {
                let again = carrier.carry(self.request(ask, question)).await;
                again.map_err(|_| Why::Unreached)
            }
        }
    }

    fn request(&self, ask: &Ask, question: &Question) -> Request {
        let fill = |(name, template): &(String, String)| {
            Some((name.clone(), self.shape.fill(template, question)?))
        };
        let mut headers: Vec<_> = self.shape.headers.iter().filter_map(fill).collect();
        headers.extend(self.config.headers.iter().map(|(name, it)| (name.clone(), it.clone())));
        headers.push(("accept".to_owned(), "application/fhir+json".to_owned()));
        let form = (ask.method == Method::Post).then(|| {
            let fields = ask.form.iter().filter_map(fill);
            headers
                .push(("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
            form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
        });
        Request {
            method: if ask.method == Method::Post { "POST" } else { "GET" },
            url: format!("{}/{}", self.base(), ask.path),
            headers,
            form,
            patience_ms: self.config.deadline_ms,
        }
    }
}

fn unknown(config: &SourceConfig) -> ConfigError {
    let known: Vec<&str> = shapes().iter().map(|it| it.key.as_str()).collect();
    let (key, shape) = (config.key.clone(), config.shape.clone());
    ConfigError::Shape { key, shape, known: known.join(", ") }
}
