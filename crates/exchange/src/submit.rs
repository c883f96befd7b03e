//! The write flow: name it, may it be written, is it right, append, project.
//!
//! Invariants: what is refused never reaches the clinical ledger; an atomic submission is kept
//! whole or not at all; a receipt is given only for what is on disk; every submission and every
//! refusal by a rule of access is in the audit ledger before the answer leaves.

use std::collections::{BTreeMap, BTreeSet};

use access::caller::{Caller, Party};
use access::refusal::Refusal;
use fhir::issue::IssueCode;
use futures_util::future::{join, join_all};
use ledger::append::{Appended, Body, Draft};
use ledger::keys::PersonKey;
use record::entry::Position;
use record::envelope::Envelope;
use record::identity::PersonId;

use crate::again;
use crate::audit::{AuditRecord, Deed};
use crate::bundle::placed;
use crate::control;
use crate::error::Failure;
use crate::naming;
use crate::person::Brought;
use crate::prepare::{Kept, Outcome, Ready};
use crate::settle::{Faults, Match, direct};
use crate::submission::{Action, Channel, Done, Operation, Receipt, Submission};
use crate::tenant::Tenant;
use crate::whom::{self, NATIONAL, Subject};

/// Operations prepared before other requests get the thread.
const SLICE: usize = 16;

type Answer = Result<Kept, Failure>;

impl Tenant {
    /// Carries out a submission: one result for each operation. An atomic submission fails whole,
    /// with the first failure. What another server overtakes is judged again.
    pub async fn submit(
        &self,
        caller: &Caller,
        submission: Submission,
    ) -> Result<Vec<Result<Receipt, Failure>>, Failure> {
        if !self.ledger.is_shared() {
            return self.submit_seen(caller, submission, 0).await;
        }
        again::submit(self, caller, submission).await
    }

    /// As [`Tenant::submit`], once; what it rests on is all up to the position `seen`.
    pub(crate) async fn submit_seen(
        &self,
        caller: &Caller,
        mut submission: Submission,
        seen: Position,
    ) -> Result<Vec<Result<Receipt, Failure>>, Failure> {
        self.check_taking()?;
        let (atomic, channel) = (submission.atomic, submission.channel);
        let conditions = submission.operations.iter().filter_map(|it| it.criteria.as_ref());
        let alone = self.conditions.hold(conditions.map(|it| it.name(caller))).await;
        let mut faults = Faults::new();
        let found = self.matches(caller, &submission.operations, &mut faults);
        let names = self.name_all(caller, &mut submission.operations, &found, &mut faults)?;
        let events = submission.operations.iter().filter_map(|it| repeatable(it, atomic));
        let held = self.locks.hold(names.into_iter().chain(events)).await;
        self.confirm(caller, &submission.operations, &found, &mut faults);
        for operation in &mut submission.operations {
            self.settle_patient(caller, operation)?;
            self.settle_repeat(caller, operation, atomic)?;
        }
        if atomic {
            self.connect(caller, &mut submission.operations, &mut faults);
        }
        let brought = self.brought_by(&submission)?;
        let outcomes = self.prepare_all(caller, submission, &brought, faults).await;
        let results = match whole(atomic, outcomes) {
            Ok(outcomes) => self.append_all(outcomes, atomic, seen).await,
            Err(failure) => Err(failure),
        };
        let results = match results {
            Ok(results) => results,
            Err(failure) => {
                self.audit_answers(caller, channel, &[Err(&failure)]).await?;
                return Err(failure);
            }
        };
        let answers: Vec<_> = results.iter().map(Result::as_ref).collect();
        let last = results.iter().flatten().map(|kept| kept.receipt.version).max();
        // Neither needs the other; the answer needs both.
        let shown = self.wait_visible(last.unwrap_or(0));
        let (visible, audited) = join(shown, self.audit_answers(caller, channel, &answers)).await;
        audited?;
        drop((held, alone));
        let receipt = |kept: Kept| Receipt { visible, ..kept.receipt };
        Ok(results.into_iter().map(|result| result.map(receipt)).collect())
    }

    /// Gives every operation its resource. Returns the names to lock. A resource that stands twice
    /// is a fault, and so is a condition.
    fn name_all(
        &self,
        caller: &Caller,
        operations: &mut [Operation],
        found: &[Match],
        faults: &mut Faults,
    ) -> Result<BTreeSet<String>, Failure> {
        let (mut names, mut conditions) = (BTreeSet::new(), BTreeSet::new());
        for (i, (operation, found)) in operations.iter_mut().zip(found).enumerate() {
            let condition = operation.criteria.as_ref().map(|it| it.name(caller));
            if condition.is_some_and(|name| !conditions.insert(name)) {
                faults.entry(i).or_insert_with(|| twice(operation.kind));
            }
            if let Err(failure) = direct(operation, found) {
                faults.entry(i).or_insert(failure);
            }
            if let Some(name) = self.choose_id(operation)?
                && !names.insert(name)
            {
                faults.entry(i).or_insert_with(|| twice(operation.kind));
            }
        }
        Ok(names)
    }

    /// Gives a new resource its id. Returns the name to lock, unless nobody else can know the id.
    fn choose_id(&self, operation: &mut Operation) -> Result<Option<String>, Failure> {
        if operation.is_create() {
            match self.patient_of_person(operation)? {
                Some(person) => operation.id = Some(person.to_string()),
                None => {
                    operation.id = Some(self.new_id()?);
                    return Ok(None);
                }
            }
        }
        // What is only told may be told twice.
        let is_named = !matches!(operation.action, Action::Keep);
        let id = operation.id.as_ref().filter(|_| is_named);
        Ok(id.map(|id| format!("{}/{id}", operation.kind)))
    }

    /// Whether this source has sent an event with this id before.
    pub(crate) fn has_event(&self, caller: &Caller, id: Option<String>) -> Result<bool, Failure> {
        let register = self.register();
        let agreement = register.agreement(&caller.client_id, self.now());
        let (Some(id), Some(agreement)) = (id, agreement) else { return Ok(false) };
        Ok(self.ledger.find_event(&agreement.source, &id)?.is_some())
    }

    /// The person of a new Patient with a national number.
    fn patient_of_person(&self, operation: &Operation) -> Result<Option<PersonId>, Failure> {
        let Some(patient) = operation.resource.as_ref().filter(|_| operation.kind == "Patient")
        else {
            return Ok(None);
        };
        let named = whom::named("Patient", patient, Some(""), self.strictness());
        match named.map(|named| named.persons).as_deref() {
            Ok([Subject::Number(system, _)]) if system == NATIONAL => {
                let Ok(numbers) = whom::national_numbers(patient, self.strictness()) else {
                    return Ok(None);
                };
                let key = PersonKey { system: NATIONAL, value: self.known_number(&numbers)? };
                Ok(Some(self.keys.expected(&key)?))
            }
            // What is wrong with it is said when it is prepared.
            _ => Ok(None),
        }
    }

    /// A source's Patient with a national number is that source's one Patient for the person, so
    /// sending it again is a new version and not a double. The first source's stands on the
    /// person's own id, another source's on an id of its own.
    fn settle_patient(&self, caller: &Caller, operation: &mut Operation) -> Result<(), Failure> {
        let (Some(id), true) =
            (&operation.id, operation.is_create() && operation.kind == "Patient")
        else {
            return Ok(());
        };
        let register = self.register();
        let Some(agreement) = register.agreement(&caller.client_id, self.now()) else {
            return Ok(());
        };
        let is_other = |id: &str| -> Result<Option<bool>, Failure> {
            let located = self.view.locate("Patient", id)?.filter(|located| !located.derived);
            Ok(located.map(|it| it.owner != agreement.owner || it.source != agreement.source))
        };
        let mut known = is_other(id)?;
        if known == Some(true) {
            let parts = [id, "|", &agreement.owner, "|", &agreement.source];
            let hash = ledger::crypto::sha256(&parts.map(str::as_bytes));
            let (own, _) = hash.split_first_chunk::<16>().unwrap_or((&[0; 16], &[]));
            let own = PersonId(*own).to_string();
            known = is_other(&own)?;
            operation.id = Some(own);
        }
        if known.is_some() {
            operation.action = Action::Update;
        }
        Ok(())
    }

    /// A new resource that was sent before keeps the id it got then, so that what refers to it in
    /// the same submission refers to what is there.
    fn settle_repeat(
        &self,
        caller: &Caller,
        operation: &mut Operation,
        atomic: bool,
    ) -> Result<(), Failure> {
        let register = self.register();
        let agreement = register.agreement(&caller.client_id, self.now());
        let (Some(event), Some(agreement)) = (repeatable(operation, atomic), agreement) else {
            return Ok(());
        };
        if let Some(entry) = self.ledger.find_event(&agreement.source, &event)? {
            operation.id = Some(self.id_at(entry.position)?);
        }
        Ok(())
    }

    async fn prepare_all(
        &self,
        caller: &Caller,
        submission: Submission,
        brought: &Brought,
        mut faults: Faults,
    ) -> Vec<Result<Outcome, Failure>> {
        let mut outcomes = Vec::with_capacity(submission.operations.len());
        let mut operations: Vec<_> = submission.operations.into_iter().enumerate().collect();
        // Patients first: what they say of their numbers tells whom the others are about.
        operations.sort_by_key(|(_, operation)| operation.kind != "Patient");
        for (i, operation) in operations {
            if i % SLICE == SLICE - 1 {
                tokio::task::yield_now().await;
            }
            let location = operation.location.clone();
            let outcome = match faults.remove(&i) {
                Some(fault) => Err(fault),
                None => self.prepare(caller, operation, submission.channel, brought),
            };
            outcomes.push((i, outcome.map_err(|failure| placed(failure, &location))));
        }
        outcomes.sort_by_key(|(i, _)| *i);
        outcomes.into_iter().map(|(_, outcome)| outcome).collect()
    }

    /// Step 5: all groups go to the ledger at once and share its commits.
    async fn append_all(
        &self,
        outcomes: Vec<Result<Outcome, Failure>>,
        atomic: bool,
        seen: Position,
    ) -> Result<Vec<Answer>, Failure> {
        let mut results: Vec<Answer> = Vec::with_capacity(outcomes.len());
        let mut waiting = Vec::new();
        for outcome in outcomes {
            results.push(match outcome {
                Ok(Outcome::Ready(ready)) => {
                    waiting.push((results.len(), *ready));
                    Err(Failure::Busy)
                }
                Ok(Outcome::Same(kept)) => Ok(kept),
                Err(failure) => Err(failure),
            });
        }
        // The order of R4's transactions: removals, new resources, new versions.
        waiting.sort_by_key(|(_, ready)| match ready.result {
            Done::Removed | Done::Absent => 0,
            Done::Created => 1,
            Done::Updated | Done::Unchanged => 2,
        });
        let groups: Vec<Vec<(usize, Ready)>> =
            if atomic { vec![waiting] } else { waiting.into_iter().map(|one| vec![one]).collect() };
        let appended =
            join_all(groups.into_iter().map(|group| self.append_group(group, seen))).await;
        for (at, answer) in appended.into_iter().flatten() {
            match (answer, results.get_mut(at)) {
                (Err(failure), _) if atomic => return Err(failure),
                (answer, Some(slot)) => *slot = answer,
                (_, None) => {}
            }
        }
        Ok(results)
    }

    async fn append_group(
        &self,
        group: Vec<(usize, Ready)>,
        seen: Position,
    ) -> Vec<(usize, Answer)> {
        if group.is_empty() {
            return Vec::new();
        }
        let first = group.first().map_or(0, |(at, _)| *at);
        let (mut places, mut drafts) = (Vec::new(), Vec::new());
        for (at, Ready { result, kind, id, draft, warnings, content }) in group {
            places.push((at, result, kind, id, warnings, content));
            drafts.push(Draft { seen: Some(seen), ..draft });
        }
        let appended = match self.ledger.append(drafts).await {
            Ok(appended) => appended,
            Err(error) => return vec![(first, Err(error.into()))],
        };
        let answers = places.into_iter().zip(appended);
        answers
            .map(|((at, result, kind, id, warnings, content), appended)| {
                let entry = appended.entry();
                let (version, updated) = (entry.position, entry.recorded_at);
                let (person, category) = (entry.person, entry.category.clone());
                let visible = false;
                let mut receipt =
                    Receipt { result, kind, id, version, updated, visible, warnings, content };
                if let Appended::Duplicate(_) = appended {
                    receipt.result = Done::Unchanged;
                    receipt.content = None;
                    match self.id_at(version) {
                        Ok(id) => receipt.id = id,
                        Err(failure) => return (at, Err(failure)),
                    }
                }
                (at, Ok(Kept { receipt, person, category }))
            })
            .collect()
    }

    /// The id of the resource recorded at a position.
    fn id_at(&self, position: u64) -> Result<String, Failure> {
        match self.ledger.body(position)? {
            Some(Body::Plain(body)) => Envelope::open(&body)
                .map(|(envelope, _)| envelope.id)
                .map_err(|error| Failure::Unavailable(error.to_string())),
            _ => Err(Failure::Gone),
        }
    }

    /// One audit entry for each person a submission touched, and one for each rule that refused.
    async fn audit_answers(
        &self,
        caller: &Caller,
        channel: Channel,
        answers: &[Result<&Kept, &Failure>],
    ) -> Result<(), Failure> {
        let action = format!("submit-{}", channel.key());
        let mut touched: BTreeMap<Option<PersonId>, (usize, BTreeSet<&str>)> = BTreeMap::new();
        let mut refused: Vec<Refusal> = Vec::new();
        for answer in answers {
            match answer {
                Ok(kept) => {
                    let (resources, categories) = touched.entry(kept.person).or_default();
                    *resources += 1;
                    categories.insert(&kept.category);
                }
                Err(failure) => {
                    let more = failure.refusal().filter(|refusal| !refused.contains(refusal));
                    refused.extend(more);
                }
            }
        }
        let deed = Deed { action: &action, ..Deed::default() };
        let mut records: Vec<_> = refused
            .into_iter()
            .map(|refusal| (None, AuditRecord::refused(caller, &deed, refusal)))
            .collect();
        for (person, (resources, categories)) in touched {
            let categories: Vec<&str> = categories.into_iter().collect();
            let deed = Deed {
                action: &action,
                person,
                categories: &categories,
                resources,
                ..Deed::default()
            };
            let record = match &caller.party {
                // Nobody at work records anything but a privacy officer, about a resident's request.
                Party::Practitioner(_) => AuditRecord::by_officer(caller, &deed),
                _ => AuditRecord::permitted(caller, &deed, &control::basis(caller)),
            };
            records.push((person, record));
        }
        self.record_audit(caller, records).await
    }
}

/// Which of two changes of one resource is the last is not for us to guess (R4 http, transaction).
fn twice(kind: &str) -> Failure {
    Failure::invalid(
        IssueCode::Duplicate,
        kind,
        "the resource stands twice in the Bundle; send each resource once, and a person's Patient \
         once",
    )
}

/// The event id of a new resource that others in the same submission may refer to.
fn repeatable(operation: &Operation, atomic: bool) -> Option<String> {
    let is_new =
        operation.is_create() && operation.kind != "Patient" && operation.criteria.is_none();
    if !atomic || !is_new || operation.full_url.is_none() {
        return None;
    }
    let named = || naming::event_id(operation.kind, operation.resource.as_ref()?);
    operation.event_id.clone().or_else(named)
}

/// An atomic submission with a failure fails whole.
fn whole(
    atomic: bool,
    outcomes: Vec<Result<Outcome, Failure>>,
) -> Result<Vec<Result<Outcome, Failure>>, Failure> {
    if !atomic {
        return Ok(outcomes);
    }
    outcomes.into_iter().map(|outcome| outcome.map(Ok)).collect()
}
