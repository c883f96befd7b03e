//! Steps 2 to 4 of the write flow for one operation: name it, may it be written, is it right.

use access::caller::Caller;
use access::permit::WritePermit;
use access::scopes::Interaction;
use fhir::issue::{Issue, IssueCode};
use fhir::json;
use fhir::resource::{Resource, is_id};
use fhir::value::Value;
use ledger::append::{Body, Draft};
use record::catalogue::{Catalogue, Category};
use record::entry::Kind;
use record::envelope::Envelope;
use record::identity::{PersonId, Strictness};
use view::store::Located;

use crate::consent;
use crate::control;
use crate::error::Failure;
use crate::naming;
use crate::person::{Brought, check_person};
use crate::rights;
use crate::rules::rules;
use crate::scopes::may_write_by_scopes;
use crate::stand::{absent, check_version};
use crate::submission::{Action, Channel, Done, Operation, Receipt};
use crate::tenant::Tenant;

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
pub(crate) struct Context<'a> {
    pub(crate) kind: &'static str,
    pub(crate) id: &'a str,
    pub(crate) category: &'static Category,
    pub(crate) permit: &'a WritePermit,
    pub(crate) existing: Option<&'a Located>,
    pub(crate) brought: &'a Brought,
}

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
        check_erased(existing.as_ref())?;
        check_version(&operation, existing.as_ref())?;
        let (resource, warnings) = checked(kind, value, &id, channel)?;
        self.check_meaning(kind, &id, &resource, &permit)?;
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
    fn check_meaning(
        &self,
        kind: &str,
        id: &str,
        resource: &Resource,
        permit: &WritePermit,
    ) -> Result<(), Failure> {
        match kind {
            "SearchParameter" => self.check_definition(id, resource),
            "Consent" => check_consent(id, resource),
            "Subscription" => self.check_subscription(resource.value(), permit),
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
        check_erased(Some(&located))?;
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
        let fingerprint = operation.event_digest.unwrap_or_else(|| removed(&id));
        let draft = draft(Kind::Removal, &permit, event_id, located.person, fingerprint, body);
        let (result, warnings, content) = (Done::Removed, Vec::new(), None);
        Ok(Outcome::Ready(Box::new(Ready { result, kind, id, draft, warnings, content })))
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

/// What was erased is not recorded again under its id, nor removed.
fn check_erased(existing: Option<&Located>) -> Result<(), Failure> {
    if existing.is_some_and(|located| located.erased) {
        return Err(Failure::Erased);
    }
    Ok(())
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

/// What makes a repeat a repeat: the text, without the id that the platform gave a new resource.
fn fingerprint(text: &str, given: Option<&str>) -> [u8; 32] {
    let parts = given.and_then(|id| text.split_once(&format!("\"id\":\"{id}\"")));
    let (before, after) = parts.unwrap_or((text, ""));
    ledger::crypto::sha256(&[before.as_bytes(), after.as_bytes()])
}

/// What makes a removal a repeat.
fn removed(id: &str) -> [u8; 32] {
    ledger::crypto::sha256(&[b"removal of ", id.as_bytes()])
}

/// What may have been the fingerprint of what is recorded; it is none of these where it came within an event.
pub(crate) fn fingerprints(envelope: &Envelope, text: &str) -> [[u8; 32]; 3] {
    [fingerprint(text, None), fingerprint(text, Some(&envelope.id)), removed(&envelope.id)]
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
        seen: None,
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
