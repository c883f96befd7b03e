//! Subscriptions to topics: FHIR R4 with HL7's Subscriptions Backport 1.1. A system says what it wants to be
//! told of, and is told the reference of what happened, never the content.
//!
//! Topics are data (`crates/exchange/data/topics.json`). A `Subscription` that declares the profile
//! `backport-subscription` is acted on, and what it asks for and cannot get is refused when it comes; one without
//! is only kept.
//!
//! Invariants: access is decided at each sending ([`Tenant::tells`]), and the audit ledger has it on disk
//! before anything leaves. A system is told of what it may read at that moment and of nothing else.

use std::sync::LazyLock;

use access::caller::{Caller, Party};
use access::decide::About;
use access::permit::WritePermit;
use access::register::Agreement;
use access::scopes::Interaction;
use fhir::fhirpath::Expression;
use fhir::fhirpath::item::Item;
use fhir::fhirpath::scope::Scope;
use fhir::issue::{Issue, IssueCode};
use fhir::json;
use fhir::resource::Resource;
use fhir::value::Value;
use ledger::append::Body;
use record::catalogue::Catalogue;
use record::entry::{Kind, Position};
use record::envelope::Envelope;
use record::identity::PersonId;
use serde::Deserialize;
use view::store::Found;

use crate::audit::Deed;
use crate::error::Failure;
use crate::tenant::Tenant;

/// Start of the addresses of topics.
pub const TOPICS_AT: &str = "https://fkj.no/fhir/SubscriptionTopic/";
/// The profile of a Subscription that is acted on (Backport 1.1, R4/B Topic-Based Subscription).
pub const PROFILE: &str =
    "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-subscription";
/// How much a notification says (Backport 1.1, `channel.payload`).
const CONTENT: &str =
    "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-payload-content";
/// Narrows a topic (Backport 1.1, `criteria`).
const FILTER: &str =
    "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-filter-criteria";

/// Something to be told of.
#[derive(Debug, Deserialize)]
pub struct Topic {
    /// Last part of its address.
    pub key: String,
    /// The resource type whose versions it is about.
    pub kind: String,
    /// What it is, in Bokmål.
    pub title: String,
    /// FHIRPath that is true of a version that is told of.
    when: String,
    /// The same, compiled.
    #[serde(skip)]
    compiled: Option<Expression>,
}

static ALL: LazyLock<Vec<Topic>> = LazyLock::new(|| {
    // The file is part of the program and a test reads it.
    let read: Vec<Topic> =
        serde_json::from_str(include_str!("../data/topics.json")).unwrap_or_default();
    let compiled = |topic: Topic| Topic { compiled: Expression::parse(&topic.when).ok(), ..topic };
    read.into_iter().map(compiled).collect()
});

/// Every topic.
pub fn topics() -> &'static [Topic] {
    &ALL
}

/// What a system has asked to be told of.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Logical id of its Subscription.
    pub id: String,
    /// The version of it.
    pub version: Position,
    /// Owner and source of the Subscription: whose access counts.
    pub of: (String, String),
    /// What.
    pub topic: &'static Topic,
    /// Where notifications go.
    pub endpoint: String,
    /// Whether notifications name the resource.
    pub names: bool,
}

/// Something that happened and a topic is about.
#[derive(Clone, Debug)]
pub struct Event {
    /// Position in the ledger.
    pub position: Position,
    /// When it was recorded, milliseconds since 1970.
    pub at: i64,
    /// Type and id of the resource.
    pub resource: (String, String),
    /// Whom it is about.
    person: Option<PersonId>,
    /// Key of the category.
    category: String,
}

/// What is wanted: the topic, the endpoint, and whether a notification names the resource; nothing where it is
/// only kept, or is off.
fn wanted(subscription: &Value) -> Result<Option<(&'static Topic, String, bool)>, Box<Issue>> {
    let profiles = subscription.all_at("meta.profile");
    let acted_on = profiles.iter().any(|it| it.as_str() == Some(PROFILE));
    if !acted_on || subscription.text("status") == Some("off") {
        return Ok(None);
    }
    let criteria = subscription.text("criteria").unwrap_or_default();
    let topic = criteria.strip_prefix(TOPICS_AT);
    let Some(topic) = topic.and_then(|key| ALL.iter().find(|topic| topic.key == key)) else {
        let known: Vec<String> = ALL.iter().map(Topic::url).collect();
        let what = format!("this topic is not known; those that are: {}", known.join(", "));
        return Err(wrong("criteria", &what));
    };
    let has_filter = subscription.all_at("_criteria.extension");
    if has_filter.iter().any(|it| it.text("url") == Some(FILTER)) {
        return Err(wrong("criteria", "filters are not supported; leave the extension out"));
    }
    if subscription.at("channel.type").and_then(Value::as_str) != Some("rest-hook") {
        return Err(wrong("channel.type", "only `rest-hook` is supported"));
    }
    let asked = subscription.all_at("channel._payload.extension");
    let asked = asked.iter().find(|it| it.text("url") == Some(CONTENT));
    let names = match asked.and_then(|it| it.text("valueCode")) {
        None | Some("id-only") => true,
        Some("empty") => false,
        Some(_) => {
            let instead =
                "content is never sent; ask for `id-only` or `empty`, and read the resource";
            return Err(wrong("channel.payload", instead));
        }
    };
    if subscription.at("channel.header").is_some() {
        return Err(wrong("channel.header", "headers are stored in the clear; leave them out"));
    }
    let endpoint = subscription.at("channel.endpoint").and_then(Value::as_str).unwrap_or_default();
    let local = ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"];
    if !endpoint.starts_with("https://") && !local.iter().any(|it| endpoint.starts_with(it)) {
        return Err(wrong("channel.endpoint", "the address must begin with `https://`"));
    }
    Ok(Some((topic, endpoint.to_owned(), names)))
}

fn wrong(element: &str, message: &str) -> Box<Issue> {
    let location = format!("Subscription.{element}");
    Box::new(Issue::error(IssueCode::BusinessRule, location, message))
}

impl Topic {
    /// The address of the topic.
    pub fn url(&self) -> String {
        format!("{TOPICS_AT}{}", self.key)
    }

    fn is_about(&self, resource: &Resource) -> bool {
        resource.kind() == self.kind
            && self.compiled.as_ref().is_some_and(|when| holds(when, resource))
    }
}

impl Tenant {
    /// Refuses a Subscription that asks for what it cannot get.
    ///
    /// # Errors
    /// What of it, and what to send instead.
    pub(crate) fn check_subscription(
        &self,
        subscription: &Value,
        permit: &WritePermit,
    ) -> Result<(), Failure> {
        let wanted = wanted(subscription).map_err(|issue| Failure::Invalid(vec![*issue]))?;
        let Some((_, endpoint, _)) = wanted else { return Ok(()) };
        if self.ledger.is_shared() {
            let message = "several servers share this municipality's ledgers, and none sends notifications; \
                           leave the profile out to have it kept, or read the feed of the broker";
            return Err(Failure::invalid(IssueCode::NotSupported, "Subscription", message));
        }
        let (owner, source) = (permit.owner().to_owned(), permit.source().to_owned());
        let agreement = self.agreement_of(&(owner, source));
        if !agreement.is_some_and(|it| it.lets_call(&endpoint)) {
            let message = "the agreement does not name this address; have the municipality add it to `endpoints`";
            let (code, place) = (IssueCode::BusinessRule, "Subscription.channel.endpoint");
            return Err(Failure::invalid(code, place, message));
        }
        Ok(())
    }

    /// What systems want to be told of now, at addresses that their agreements name.
    ///
    /// # Errors
    /// Where the view cannot be read.
    pub fn subscriptions(&self) -> Result<Vec<Wanted>, Failure> {
        let read = |it: view::subscriptions::Subscribed| {
            let body = json::parse(&it.body).ok()?;
            let (topic, endpoint, names) = wanted(&body).ok()??;
            let of = (it.owner, it.source);
            self.agreement_of(&of).filter(|it| it.lets_call(&endpoint))?;
            Some(Wanted { id: it.id, version: it.version, of, topic, endpoint, names })
        };
        Ok(self.view.subscriptions()?.into_iter().filter_map(read).collect())
    }

    /// The next version after a position, within the next `limit` entries, that a topic is about, and how far
    /// was looked. Decides nothing about access.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn next_event(
        &self,
        topic: &Topic,
        after: Position,
        limit: usize,
    ) -> Result<(Option<Event>, Position), Failure> {
        let (visible, mut reached) = (self.visible(), after);
        for record in self.ledger.read(after + 1, limit)? {
            let entry = &record.entry;
            if entry.position > visible {
                break;
            }
            reached = entry.position;
            let Body::Plain(body) = &record.body else { continue };
            if entry.kind != Kind::Version {
                continue;
            }
            let Ok((envelope, text)) = Envelope::open(body) else { continue };
            if envelope.kind != topic.kind {
                continue;
            }
            let resource = json::parse(text).ok().and_then(|it| Resource::from_value(it).ok());
            if resource.is_some_and(|it| topic.is_about(&it)) {
                let event = Event {
                    position: reached,
                    at: entry.recorded_at,
                    resource: (envelope.kind, envelope.id),
                    person: entry.person,
                    category: entry.category.clone(),
                };
                return Ok((Some(event), reached));
            }
        }
        Ok((None, reached))
    }

    /// Whether a subscriber may be told of an event now. Where it may, the audit ledger has it when this returns.
    ///
    /// # Errors
    /// Where it cannot be decided or written down: nothing may be sent.
    pub async fn tells(&self, wanted: &Wanted, event: &Event) -> Result<bool, Failure> {
        match self.subscriber(wanted) {
            Some(caller) => self.may_be_told(&caller, event).await,
            None => Ok(false),
        }
    }

    /// The same of whoever asks.
    ///
    /// # Errors
    /// As [`Tenant::tells`].
    pub async fn may_be_told(&self, caller: &Caller, event: &Event) -> Result<bool, Failure> {
        self.check_view()?;
        let about = event.person.map_or(About::Unnamed, About::Person);
        let Some(category) = Catalogue::get().category(&event.category) else { return Ok(false) };
        let categories = [category.key.as_str()];
        let judged = self.judge(caller, about, &categories, Interaction::Read)?;
        let Ok(permit) = judged else { return Ok(false) };
        let (kind, id) = &event.resource;
        if !matches!(self.view.read(&permit, kind, id)?, Found::Current(_)) {
            return Ok(false);
        }
        let deed = Deed {
            action: "notify",
            person: event.person,
            categories: &categories,
            resources: 1,
            kind,
            id: Some(id),
            query: None,
        };
        self.disclosed_as(caller, &permit, &deed).await?;
        Ok(true)
    }

    /// The agreement by which a source delivers for an owner now.
    fn agreement_of(&self, (owner, source): &(String, String)) -> Option<Agreement> {
        let (register, now) = (self.register(), self.now());
        let mine =
            register.agreements.iter().filter(|it| it.owner == *owner && it.source == *source);
        let mut valid = mine.filter(|it| register.agreement(&it.client_id, now) == Some(*it));
        valid.next().cloned()
    }

    /// The system behind a Subscription, by the agreement that is valid now.
    fn subscriber(&self, wanted: &Wanted) -> Option<Caller> {
        let agreement =
            self.agreement_of(&wanted.of).filter(|it| it.lets_call(&wanted.endpoint))?;
        Some(Caller {
            client_id: agreement.client_id,
            organisation: Some(agreement.owner),
            unit: None,
            supplier: None,
            token_id: format!("Subscription/{}", wanted.id),
            scopes: None,
            party: Party::System,
        })
    }
}

/// Whether an expression is true of a resource; one that cannot be evaluated is not.
fn holds(when: &Expression, resource: &Resource) -> bool {
    let item = Item::resource(resource.value());
    when.holds(item.clone(), &Scope::new().resource(item)).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_about(key: &str, text: &str) -> bool {
        let topic = topics().iter().find(|topic| topic.key == key).unwrap();
        let value = json::parse(text.as_bytes()).unwrap();
        topic.is_about(&Resource::from_value(value).unwrap())
    }

    #[test]
    fn topics_compile_and_say_what_they_are_about() {
        assert!(topics().len() == 5 && topics().iter().all(|topic| topic.compiled.is_some()));
        for (key, about, text) in [
            ("death", true, r#"{"resourceType":"Patient","deceasedBoolean":true}"#),
            ("death", true, r#"{"resourceType":"Patient","deceasedDateTime":"2026-01-01"}"#),
            ("death", false, r#"{"resourceType":"Patient","deceasedBoolean":false}"#),
            ("discharge", true, r#"{"resourceType":"EpisodeOfCare","status":"finished"}"#),
            ("discharge", false, r#"{"resourceType":"EpisodeOfCare","status":"active"}"#),
            ("new-service", true, r#"{"resourceType":"EpisodeOfCare","status":"active"}"#),
            ("measurement", false, r#"{"resourceType":"Patient"}"#),
        ] {
            assert_eq!(is_about(key, text), about, "{key}: {text}");
        }
        let news2 = |points: u32| {
            format!(
                r#"{{"resourceType":"Observation","status":"final","valueQuantity":{{"value":{points}}},
                "code":{{"coding":[{{"system":"http://snomed.info/sct","code":"1104051000000101"}}]}}}}"#
            )
        };
        assert!(is_about("news2-high", &news2(5)) && !is_about("news2-high", &news2(4)));
    }
}
