//! OKT in and out: a message is the whole list of a person's services from one source, so what is
//! not on the list any more is removed.

use std::collections::{BTreeMap, BTreeSet};

use access::caller::Caller;
use access::decide::About;
use fhir::issue::IssueCode;
use record::catalogue::CategoryKey;
use record::identity::{PersonId, accept_number};
use record::okt::{OktEvent, OktMessage};
use record::service;

use crate::answer::{Incomplete, ServiceStatus};
use crate::error::Failure;
use crate::okt::{ordinal, service_key, to_episodes, to_message};
use crate::read::parsed;
use crate::services::status;
use crate::submission::{Channel, Operation, Receipt, Submission};
use crate::tenant::Tenant;

const SERVICES: [CategoryKey; 1] = ["services"];

/// Most services in one message.
const MAX_MESSAGES: usize = 500;

impl Tenant {
    /// Records an OKT message. `event_id` is the source's own id of it, where the door has one.
    pub async fn submit_okt(
        &self,
        caller: &Caller,
        event: &OktEvent,
        event_id: Option<&str>,
        channel: Channel,
    ) -> Result<Vec<Receipt>, Failure> {
        match self.submit_list(caller, event, event_id, channel).await {
            // The other list is known then; if there is a third, the sender comes again.
            Err(Failure::Overtaken(position)) if self.wait_visible(position).await => {
                self.submit_list(caller, event, event_id, channel).await
            }
            answer => answer,
        }
    }

    async fn submit_list(
        &self,
        caller: &Caller,
        event: &OktEvent,
        event_id: Option<&str>,
        channel: Channel,
    ) -> Result<Vec<Receipt>, Failure> {
        self.check_okt(event)?;
        let person = self.person(&event.person_identifier)?;
        // Two lists about one person from one source are taken one after the other.
        let held = self.lists.hold(std::iter::once(person.to_string())).await;
        let seen = self.visible();
        let mut operations = Vec::new();
        let mut listed = BTreeSet::new();
        let mut repeats: BTreeMap<String, usize> = BTreeMap::new();
        let episodes = to_episodes(event, &self.today());
        for (episode, message) in episodes.into_iter().zip(&event.okt_messages) {
            let key = service_key(message);
            let repeat = repeats.entry(key.clone()).or_default();
            let id = episode_id(&caller.client_id, person, &key, *repeat);
            *repeat += 1;
            listed.insert(id.clone());
            operations.push(Operation::update("EpisodeOfCare", id, episode, None));
        }
        // An event that comes again, perhaps after newer ones, says nothing about now.
        if !self.has_event(caller, event_id.map(|id| format!("{id}#0")))? {
            for id in self.okt_known(caller, person).await? {
                if !listed.contains(&id) {
                    operations.push(Operation::delete("EpisodeOfCare", id));
                }
            }
        }
        for (i, operation) in operations.iter_mut().enumerate() {
            operation.location = format!("OktEvent.oktMessages[{i}]");
        }
        let mut submission = Submission { channel, atomic: true, operations };
        if let Some(id) = event_id {
            let content =
                serde_json::to_vec(event).map_err(|it| Failure::Unavailable(it.to_string()))?;
            submission.name_after(id, &content);
        }
        let results = self.submit_seen(caller, submission, seen).await?;
        drop(held);
        results.into_iter().collect()
    }

    /// The services of a person as OKT says them.
    pub async fn okt_events(&self, caller: &Caller, number: &str) -> Result<OktEvent, Failure> {
        let messages = self.okt_messages(caller, number, "okt-events").await?;
        Ok(OktEvent {
            person_identifier: number.to_owned(),
            okt_messages: messages.into_iter().map(|(_, message)| message).collect(),
        })
    }

    /// How many services of a person are active and not paused.
    pub async fn okt_status(&self, caller: &Caller, number: &str) -> Result<usize, Failure> {
        let messages = self.okt_messages(caller, number, "okt-status").await?;
        Ok(messages.iter().filter(|(status, _)| *status == ServiceStatus::Active).count())
    }

    async fn okt_messages(
        &self,
        caller: &Caller,
        number: &str,
        action: &str,
    ) -> Result<Vec<(ServiceStatus, OktMessage)>, Failure> {
        let person = self.person(number)?;
        self.whole_by_scopes(caller, (action, About::Person(person)), &["EpisodeOfCare"]).await?;
        let permit = self.decide(caller, action, About::Person(person), &SERVICES).await?;
        let today = self.today();
        if let Some(position) = self.view.skipped(&permit)?.first() {
            let missing = Incomplete::Record { position: *position };
            return Err(Failure::Unavailable(missing.to_string()));
        }
        let mut found = Vec::new();
        for stored in self.view.records(&permit, "EpisodeOfCare")? {
            let episode = parsed(&stored)?;
            if episode.text("status") != Some("entered-in-error") {
                let place = (stored.source, ordinal(&episode));
                found.push((place, status(&episode, &today), to_message(&episode)));
            }
        }
        found.sort_by(|(a, ..), (b, ..)| a.cmp(b));
        let categories = permit.categories();
        self.disclosed(caller, &permit, action, Some(person), categories, found.len()).await?;
        Ok(found.into_iter().map(|(_, status, message)| (status, message)).collect())
    }

    /// Ids of the services that this source's last list held.
    async fn okt_known(&self, caller: &Caller, person: PersonId) -> Result<Vec<String>, Failure> {
        let about = About::Person(person);
        self.whole_by_scopes(caller, ("submit-okt", about), &["EpisodeOfCare"]).await?;
        let permit = self.decide(caller, "submit-okt", about, &SERVICES).await?;
        let mut known = Vec::new();
        for stored in self.view.records(&permit, "EpisodeOfCare")? {
            if ordinal(&parsed(&stored)?).is_some() {
                known.push(stored.id);
            }
        }
        Ok(known)
    }

    fn check_okt(&self, event: &OktEvent) -> Result<(), Failure> {
        let wrong = |code, path: &str, text: String| Err(Failure::invalid(code, path, text));
        accept_number(&event.person_identifier, self.strictness()).or_else(|error| {
            wrong(IssueCode::Value, "OktEvent.personIdentifier", error.to_string())
        })?;
        if event.okt_messages.is_empty() || event.okt_messages.len() > MAX_MESSAGES {
            return wrong(
                IssueCode::Required,
                "OktEvent.oktMessages",
                format!("send the full list of services, 1 to {MAX_MESSAGES}"),
            );
        }
        for (i, message) in event.okt_messages.iter().enumerate() {
            check_message(message, &format!("OktEvent.oktMessages[{i}]"))?;
        }
        Ok(())
    }
}

fn check_message(message: &OktMessage, at: &str) -> Result<(), Failure> {
    let wrong = |field: &str, text: &str| {
        Err(Failure::invalid(IssueCode::Value, &format!("{at}.{field}"), text))
    };
    if !is_day(&message.start_date) {
        return wrong("startDate", "a date is written `YYYY-MM-DD`");
    }
    let end = message.end_date.as_deref().filter(|end| !end.is_empty());
    if end.is_some_and(|end| !is_day(end)) {
        return wrong("endDate", "a date is written `YYYY-MM-DD`, or left empty");
    }
    if end.is_some_and(|end| end < message.start_date.as_str()) {
        return wrong("endDate", "the service ends before it starts");
    }
    if let Some(code) = &message.iplos_code
        && service::service_type(&code.iplos_code_value).is_none()
    {
        return wrong("iplosCode.iplosCodeValue", "the code is not in use in kodeverk 9151");
    }
    let stay = message.stay_type.as_deref().unwrap_or_default();
    if !stay.is_empty() && service::STAY_TYPES.iter().all(|(code, _)| *code != stay) {
        return wrong("stayType", "send `dagopphold`, `korttidsopphold` or nothing");
    }
    Ok(())
}

fn is_day(text: &str) -> bool {
    text.len() == 10 && fhir::instant::is_date(text)
}

/// The same service in the next message gets the same id.
fn episode_id(client: &str, person: PersonId, key: &str, repeat: usize) -> String {
    let person = person.to_string();
    let repeat = repeat.to_string();
    let parts = ["okt", client, &person, key, &repeat].join("\u{1f}");
    let hash = ledger::crypto::sha256(&[parts.as_bytes()]);
    let (head, _) = hash.split_first_chunk::<16>().unwrap_or((&[0; 16], &[]));
    format!("okt-{:032x}", u128::from_be_bytes(*head))
}
