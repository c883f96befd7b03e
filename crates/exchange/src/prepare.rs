//! Steps 2 to 4 of the write flow for one operation: name it, may it be written, is it right.

use std::collections::HashMap;

use access::caller::Caller;
use access::permit::WritePermit;
use access::scopes::Interaction;
use fhir::issue::{Issue, IssueCode};
use fhir::json;
use fhir::resource::{Resource, is_id};
use fhir::value::Value;
use ledger::append::{Body, Draft};
use ledger::keys::PersonKey;
use record::catalogue::{Catalogue, Category};
use record::entry::Kind;
use record::envelope::Envelope;
use record::identity::{PersonId, Strictness};
use view::store::Located;

use crate::consent;
use crate::control;
use crate::error::Failure;
use crate::naming;
use crate::rights;
use crate::rules::rules;
use crate::scopes::may_write_by_scopes;
use crate::stand::{absent, check_version};
use crate::submission::{Action, Channel, Done, Operation, Receipt, Submission};
use crate::tenant::Tenant;
use crate::whom::{self, NATIONAL, Named, Subject};

/// Warnings kept beside a body; more say nothing new.
const MAX_WARNINGS: usize = 20;

/// What became of checking an operation.
pub(crate) enum Outcome {
    /// It may be appended.
    Ready(Box<Ready>),
    /// The same content is current already.
    Same(Kept),
}

/// An operation that has passed every check.
pub(crate) struct Ready {
    pub(crate) result: Done,
    pub(crate) kind: &'static str,
    pub(crate) id: String,
    pub(crate) draft: Draft,
    pub(crate) warnings: Vec<Issue>,
    pub(crate) content: Option<Resource>,
}

/// A receipt, and what the audit needs to know beside it.
pub(crate) struct Kept {
    pub(crate) receipt: Receipt,
    pub(crate) person: Option<PersonId>,
    pub(crate) category: String,
}

/// What an operation is judged against.
struct Context<'a> {
    kind: &'static str,
    id: &'a str,
    category: &'static Category,
    permit: &'a WritePermit,
    existing: Option<&'a Located>,
    brought: &'a Brought,
}

/// Whom the resources that a submission brings are about, by full URL (Patients only) and by
/// `Type/id`.
pub(crate) type Brought = HashMap<String, Subject>;

/// A record may point to a record that points on, so many times.
const MOST_STEPS: u8 = 4;

impl Tenant {
    pub(crate) fn prepare(
        &self,
        caller: &Caller,
        mut operation: Operation,
        channel: Channel,
        brought: &Brought,
    ) -> Result<Outcome, Failure> {
        let kind = operation.kind;
        let id = operation.id.take().unwrap_or_default();
        let located = self.view.locate(kind, &id)?;
        let derived = located.as_ref().filter(|it| it.derived).and_then(|it| it.person);
        let existing = located.filter(|located| !located.derived);
        if let Action::Patch(patch) = &operation.action {
            let patched = self.patched(caller, &operation, patch, existing.as_ref())?;
            operation.resource = Some(patched);
        }
        if matches!(operation.action, Action::Keep) {
            return self.kept(caller, kind, id, existing).map(Outcome::Same);
        }
        let Some(value) = operation.resource.take() else {
            return self.removal(caller, operation, id, existing, channel);
        };
        let (category, permit) =
            self.may_prepare(caller, kind, &value, existing.as_ref(), channel)?;
        check_version(&operation, existing.as_ref())?;
        let (resource, warnings) = checked(kind, value, &id, channel)?;
        self.check_meaning(kind, &id, &resource)?;
        let occurred = naming::occurred(kind, resource.value(), self.now())?;
        // Residents share one source, and must not meet each other in it.
        let event_id = match control::is_resident(caller) {
            true => None,
            false => event_id(&mut operation, &resource)?,
        };
        let existing = existing.as_ref();
        let context = Context { kind, id: &id, category, permit: &permit, existing, brought };
        let person = self.person_of(&resource, &context)?;
        check_person(kind, derived, person)?;
        let text = json::print(resource.value());
        if event_id.is_none()
            && let Some(mut kept) = self.unchanged(&text, &context)?
        {
            kept.receipt.warnings = warnings;
            return Ok(Outcome::Same(kept));
        }
        let received = || fingerprint(&text, operation.is_create().then_some(id.as_str()));
        let fingerprint = operation.event_digest.unwrap_or_else(received);
        let told = warnings.iter().take(MAX_WARNINGS);
        let told = told.map(|issue| format!("{}: {}", issue.location, issue.message)).collect();
        let body = envelope(kind, &id, occurred, channel, told).seal(text.as_bytes());
        let is_new = existing.is_none_or(|located| located.removed);
        Ok(Outcome::Ready(Box::new(Ready {
            result: if is_new { Done::Created } else { Done::Updated },
            kind,
            draft: draft(Kind::Version, &permit, event_id, person, fingerprint, body),
            id,
            warnings,
            content: Some(resource),
        })))
    }

    /// What some types must say beyond R4, since the platform itself goes by them.
    fn check_meaning(&self, kind: &str, id: &str, resource: &Resource) -> Result<(), Failure> {
        match kind {
            "SearchParameter" => self.check_definition(id, resource),
            "Consent" => check_consent(id, resource),
            _ => Ok(()),
        }
    }

    /// Which category it is, and leave to record it.
    fn may_prepare(
        &self,
        caller: &Caller,
        kind: &'static str,
        value: &Value,
        existing: Option<&Located>,
        channel: Channel,
    ) -> Result<(&'static Category, WritePermit), Failure> {
        let category = naming::category(kind, value)?;
        rights::check_door(kind, Some(value), existing, channel)?;
        let permit = match channel {
            Channel::Rights => self.may_request(caller, value, existing)?,
            _ => self.may_record(caller, kind, category, Some(value), existing)?,
        };
        let interaction =
            if existing.is_some() { Interaction::Update } else { Interaction::Create };
        may_write_by_scopes(caller, kind, &[interaction])?;
        Ok((category, permit))
    }

    fn removal(
        &self,
        caller: &Caller,
        mut operation: Operation,
        id: String,
        existing: Option<Located>,
        channel: Channel,
    ) -> Result<Outcome, Failure> {
        let kind = operation.kind;
        let Some(located) = existing else {
            self.may_write(caller, kind)?;
            check_version(&operation, None)?;
            return Ok(Outcome::Same(absent(kind, id)));
        };
        let category = Catalogue::get().category(&located.category).ok_or(Failure::NotFound)?;
        let permit = self.may_record(caller, kind, category, None, Some(&located))?;
        rights::check_door(kind, None, Some(&located), channel)?;
        may_write_by_scopes(caller, kind, &[Interaction::Delete])?;
        check_version(&operation, Some(&located))?;
        let event_id = operation.event_id.take().filter(|_| !control::is_resident(caller));
        if let Some(id) = &event_id {
            naming::check_event_id(id)?;
        }
        if located.removed && !self.has_event(caller, event_id.clone())? {
            return self.told(kind, id, &located, Done::Removed).map(Outcome::Same);
        }
        let body = envelope(kind, &id, self.now(), channel, Vec::new()).seal(&[]);
        let removed = || ledger::crypto::sha256(&[b"removal of ", id.as_bytes()]);
        let fingerprint = operation.event_digest.unwrap_or_else(removed);
        let draft = draft(Kind::Removal, &permit, event_id, located.person, fingerprint, body);
        let (result, warnings, content) = (Done::Removed, Vec::new(), None);
        Ok(Outcome::Ready(Box::new(Ready { result, kind, id, draft, warnings, content })))
    }

    /// The person a resource is about, if any; a person never heard of gets a key.
    fn person_of(
        &self,
        resource: &Resource,
        context: &Context<'_>,
    ) -> Result<Option<PersonId>, Failure> {
        let kind = context.kind;
        let named = whom::named(kind, resource.value(), Some(context.id), self.strictness())?;
        if !named.said && !context.category.takes_unnamed(kind) {
            return Err(whom::unnamed(kind));
        }
        let mut person = None;
        for subject in &named.persons {
            let found = self.resolve(subject, resource, context, MOST_STEPS)?;
            let is_missed = match subject {
                Subject::Patient(_) => true,
                Subject::FullUrl(_) => named.certain,
                Subject::Number(..) | Subject::Record(..) => false,
            };
            if found.is_none() && is_missed {
                return Err(unresolved(kind));
            }
            if found.is_some() && person.is_some() && person != found {
                return Err(several(kind));
            }
            person = person.or(found);
        }
        if person.is_some() && !context.category.about_person {
            return Err(Failure::invalid(
                IssueCode::BusinessRule,
                &format!("{kind}.{}", whom::element(kind)),
                "resources of this type are kept as about nobody; leave the patient out",
            ));
        }
        match context.existing.and_then(|located| located.person) {
            Some(before) if Some(before) != person => Err(Failure::invalid(
                IssueCode::BusinessRule,
                kind,
                "a correction cannot move a record to another person; remove this record and \
                 record a new one",
            )),
            _ => Ok(person),
        }
    }

    /// The person somebody is named by; nothing where nobody is known so.
    fn resolve(
        &self,
        subject: &Subject,
        resource: &Resource,
        context: &Context<'_>,
        steps: u8,
    ) -> Result<Option<PersonId>, Failure> {
        let kind = context.kind;
        let name = match subject {
            Subject::FullUrl(url) => url.clone(),
            Subject::Patient(id) => format!("Patient/{id}"),
            Subject::Record(of, id) => format!("{of}/{id}"),
            Subject::Number(..) => String::new(),
        };
        let brought = context.brought.get(&name);
        let is_brought_patient = brought.is_some() && !matches!(subject, Subject::Record(..));
        // Only a Patient takes a new number along; another record under it is another person's.
        let patient = context.existing.filter(|_| kind == "Patient");
        let person = match brought.unwrap_or(subject) {
            Subject::Number(system, _) if kind == "Patient" && system == NATIONAL => {
                self.numbered(resource.value(), patient)?
            }
            Subject::Number(system, value) => self.keyed(system, value, patient)?,
            // A Patient without any identifier is keyed by its own id at its source.
            Subject::Patient(own) if kind == "Patient" || is_brought_patient => {
                let permit = context.permit;
                let system = format!("patient-of:{}:{}", permit.owner(), permit.source());
                self.keyed(&system, own, patient)?
            }
            next if brought.is_some() && steps > 0 => {
                return self.resolve(next, resource, context, steps - 1);
            }
            Subject::Patient(id) => return self.located_person("Patient", id),
            Subject::Record(of, id) => return self.located_person(of, id),
            Subject::FullUrl(_) => return Ok(None),
        };
        Ok(Some(person))
    }

    fn located_person(&self, kind: &str, id: &str) -> Result<Option<PersonId>, Failure> {
        Ok(self.view.locate(kind, id)?.and_then(|located| located.person))
    }

    /// The person behind a Patient's national numbers. A D-number is replaced by a fødselsnummer,
    /// and a Patient may have both: they are one person's from then on.
    fn numbered(&self, patient: &Value, existing: Option<&Located>) -> Result<PersonId, Failure> {
        let numbers = whom::national_numbers(patient, self.strictness())?;
        let person = self.keyed(NATIONAL, self.known_number(&numbers)?, existing)?;
        if existing.and_then(|located| located.person).is_some_and(|before| before != person) {
            return Ok(person);
        }
        let keys = || numbers.iter().map(|value| PersonKey { system: NATIONAL, value });
        for key in keys() {
            if self.keys.find(&key)?.is_some_and(|other| other != person) {
                return Err(ledger::error::Error::NumberTaken.into());
            }
        }
        for key in keys() {
            self.keys.link(person, &key)?;
        }
        Ok(person)
    }

    /// The number by which a person is known already, or else the first.
    pub(crate) fn known_number<'n>(&self, numbers: &[&'n str]) -> Result<&'n str, Failure> {
        for value in numbers {
            if self.keys.find(&PersonKey { system: NATIONAL, value })?.is_some() {
                return Ok(value);
            }
        }
        Ok(numbers.first().copied().unwrap_or_default())
    }

    /// The person behind a number. A Patient that changes number keeps its person.
    fn keyed(
        &self,
        system: &str,
        value: &str,
        existing: Option<&Located>,
    ) -> Result<PersonId, Failure> {
        let key = PersonKey { system, value };
        if let Some(person) = existing.and_then(|located| located.person)
            && self.keys.find(&key)?.is_none()
        {
            self.keys.link(person, &key)?;
            return Ok(person);
        }
        self.keys.resolve(&[key])?.first().copied().ok_or(Failure::Busy)
    }

    /// Whom the resources that a submission brings are about, for those that refer to them.
    pub(crate) fn brought_by(&self, submission: &Submission) -> Result<Brought, Failure> {
        let mut brought = HashMap::new();
        let several = submission.operations.len() > 1;
        for operation in &submission.operations {
            let is_patient = operation.kind == "Patient";
            let (Some(resource), Some(id)) = (&operation.resource, &operation.id) else { continue };
            if !several && !is_patient {
                continue;
            }
            // Each number is checked where its own resource is; here it only names the person.
            let named = whom::named(operation.kind, resource, Some(id), Strictness::Lenient);
            let Ok(Named { persons, .. }) = named else { continue };
            let Ok([subject]) = <[Subject; 1]>::try_from(persons) else { continue };
            let subject = match subject {
                Subject::Number(system, _) if is_patient && system == NATIONAL => {
                    let numbers = whom::national_numbers(resource, Strictness::Lenient)?;
                    Subject::Number(system, self.known_number(&numbers)?.to_owned())
                }
                subject => subject,
            };
            brought.insert(format!("{}/{id}", operation.kind), subject.clone());
            if let Some(url) = operation.full_url.as_ref().filter(|_| is_patient) {
                brought.insert(url.clone(), subject);
            }
        }
        Ok(brought)
    }

    /// An update with the content that is current already changes nothing.
    fn unchanged(&self, text: &str, context: &Context<'_>) -> Result<Option<Kept>, Failure> {
        let Some(located) = context.existing.filter(|located| !located.removed) else {
            return Ok(None);
        };
        let Some(current) = self.ledger.record(located.version)? else { return Ok(None) };
        let Body::Plain(body) = &current.body else { return Ok(None) };
        let same = Envelope::open(body).is_ok_and(|(_, stored)| stored == text.as_bytes());
        if !same {
            return Ok(None);
        }
        self.told(context.kind, context.id.to_owned(), located, Done::Unchanged).map(Some)
    }

    pub(crate) fn strictness(&self) -> Strictness {
        self.register().identity_numbers.into()
    }
}

/// The source's own id of the event: given with the request, or a new resource's identifier.
fn event_id(operation: &mut Operation, resource: &Resource) -> Result<Option<String>, Failure> {
    if let Some(id) = operation.event_id.take() {
        naming::check_event_id(&id)?;
        return Ok(Some(id));
    }
    // A condition makes a repeat safe by itself.
    let new = operation.is_create() && operation.kind != "Patient" && operation.criteria.is_none();
    Ok(new.then(|| naming::event_id(operation.kind, resource.value())).flatten())
}

/// What a Consent restricts is enforced, or it is not kept.
fn check_consent(id: &str, consent: &Resource) -> Result<(), Failure> {
    let restriction = consent::restriction(id, consent.value());
    restriction.map(drop).map_err(|issue| Failure::Invalid(vec![*issue]))
}

/// Step 4: the resource with its id, and the warnings to keep.
fn checked(
    kind: &str,
    value: Value,
    id: &str,
    channel: Channel,
) -> Result<(Resource, Vec<Issue>), Failure> {
    let mut resource =
        Resource::from_value(value).map_err(|issue| Failure::Invalid(vec![issue]))?;
    if resource.kind() != kind {
        return Err(Failure::invalid(
            IssueCode::Structure,
            "resourceType",
            format!("the address says `{kind}` and the resource is of another type"),
        ));
    }
    if !is_id(id) {
        return Err(Failure::invalid(
            IssueCode::Value,
            &format!("{kind}.id"),
            "an id has 1 to 64 of `A-Z a-z 0-9 - .`",
        ));
    }
    let issues = rules().judge(&resource, channel, &[]);
    if issues.iter().any(Issue::refuses) {
        return Err(Failure::Invalid(issues));
    }
    resource.set_id(id);
    Ok((resource, issues))
}

/// An id that stands for a person already, who was written about before any Patient came, is that person's.
fn check_person(
    kind: &str,
    derived: Option<PersonId>,
    person: Option<PersonId>,
) -> Result<(), Failure> {
    if derived.is_none() || derived == person {
        return Ok(());
    }
    Err(Failure::invalid(
        IssueCode::BusinessRule,
        &format!("{kind}.id"),
        "the id stands for another person; choose another, or create the Patient without",
    ))
}

/// A record stands in one person's record, log and key, and what one person may see or have erased
/// must not hang on another's.
fn several(kind: &str) -> Failure {
    Failure::invalid(
        IssueCode::BusinessRule,
        &format!("{kind}.{}", whom::element(kind)),
        "it names more than one patient; send one for each, so that each person's record is \
         whole and nobody else's",
    )
}

fn unresolved(kind: &str) -> Failure {
    Failure::invalid(
        IssueCode::NotFound,
        &format!("{kind}.{}.reference", whom::element(kind)),
        "the Patient referred to is not known; send it first or in the same transaction, or refer \
         by identifier",
    )
}

/// What makes a repeat a repeat: the text, without the id that the platform gave a new resource.
fn fingerprint(text: &str, given: Option<&str>) -> [u8; 32] {
    let parts = given.and_then(|id| text.split_once(&format!("\"id\":\"{id}\"")));
    let (before, after) = parts.unwrap_or((text, ""));
    ledger::crypto::sha256(&[before.as_bytes(), after.as_bytes()])
}

fn envelope(
    kind: &str,
    id: &str,
    occurred: i64,
    channel: Channel,
    warnings: Vec<String>,
) -> Envelope {
    Envelope {
        v: Envelope::VERSION,
        kind: kind.to_owned(),
        id: id.to_owned(),
        occurred,
        channel: channel.key().to_owned(),
        warnings,
    }
}

fn draft(
    kind: Kind,
    permit: &WritePermit,
    source_event_id: Option<String>,
    person: Option<PersonId>,
    fingerprint: [u8; 32],
    body: Vec<u8>,
) -> Draft {
    Draft {
        kind,
        source: permit.source().to_owned(),
        source_event_id,
        owner: permit.owner().to_owned(),
        person,
        category: permit.category().to_owned(),
        fingerprint,
        body,
    }
}
