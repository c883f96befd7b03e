//! What residents ask for about their own information, and how it is answered: corrected, deleted, given as a
//! copy or for use elsewhere, explained (GDPR art. 12 to 20, pbrl. §§ 5-1 and 5-2, hpl. §§ 42 and 43).
//!
//! A request is a `Task` ([`task`]) like any other record, kept as that of whoever answers it, so that the
//! owner of what it is about finds it by an ordinary search. It goes the way that [`record::rights`] says.
//!
//! Invariant: nobody records such a Task in another way than by [`Tenant::ask`] and [`Tenant::advance`],
//! so no step is skipped, no deadline moved and no reason left out.

pub mod list;
pub mod task;

use access::caller::{Caller, Party};
use access::control::SOURCE;
use access::permit::{ReadPermit, WritePermit};
use access::rights::{Request, decide_request, decide_review, decide_step};
use fhir::issue::IssueCode;
use fhir::value::Value;
use record::catalogue::CONSENTS;
use record::identity::PersonId;
use record::rights::{Right, Status, Step};
use view::store::{Found, Located, Stored};

use self::task::{Asked, Noted};
use crate::error::Failure;
use crate::read::parsed;
use crate::submission::{Channel, Operation, Receipt, Submission};
use crate::tenant::Tenant;

/// Longest text that a request or a reason may have, in bytes.
pub const MOST_TEXT: usize = 4_000;

/// Most open requests that one person may have.
const MOST_OPEN: usize = 50;

/// What somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Which right.
    pub right: Right,
    /// The one resource it is about, as type and id; nothing where it is about more.
    pub item: Option<(String, String)>,
    /// In the resident's own words.
    pub text: String,
}

/// What goes with a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Why, or what was done. The resident is told.
    pub reason: Option<String>,
    /// The version that came of it: type, id and version.
    pub output: Option<(String, String, u64)>,
}

impl Tenant {
    /// Records a request about the person behind a Patient's id.
    ///
    /// # Errors
    /// Whoever may not ask this, an item that is not the person's, and what is wrong with the text.
    pub async fn ask(
        &self,
        caller: &Caller,
        patient: &str,
        wanted: Wanted,
    ) -> Result<Receipt, Failure> {
        let person = self.person_of_patient(patient)?;
        let text = said(&wanted.text, "text")?.to_owned();
        let item = match &wanted.item {
            None => None,
            Some((kind, id)) => Some(self.item(caller, person, kind, id).await?),
        };
        self.check_open(caller, person).await?;
        let register = self.register();
        let owner = item.as_ref().map_or(&register.organisation, |it| &it.owner);
        let value = task::asked(&Asked {
            right: wanted.right,
            item: wanted.item.as_ref().map(|(kind, id)| (kind.as_str(), id.as_str())),
            text: &text,
            patient: self.own_number(caller, person)?.ok_or(patient),
            by: caller.display_name(),
            by_resident: matches!(caller.party, Party::Resident { .. }),
            owner,
            owner_name: register.organisation_name(owner),
            at: self.now(),
            today: &self.today(),
        });
        self.change_case(caller, Operation::create("Task", value)).await
    }

    /// Takes a step with a request.
    ///
    /// # Errors
    /// Whoever may not, a step that cannot be taken from where the request is, a missing reason.
    pub async fn advance(
        &self,
        caller: &Caller,
        id: &str,
        step: Step,
        given: Said,
    ) -> Result<Receipt, Failure> {
        let stored = self.case_read(caller, id).await?;
        let mut value = parsed(&stored)?;
        let case = task::read(&value).ok_or(Failure::NotFound)?;
        let cannot =
            |message: &str| Failure::invalid(IssueCode::BusinessRule, "Task.status", message);
        let then = case.status.after(step).ok_or_else(|| {
            let from = case.status.code();
            cannot(&format!("`{}` cannot be taken while the request is `{from}`", step.code()))
        })?;
        if step == Step::Extend && case.extended {
            return Err(cannot("an answer is put off once, and this one has been"));
        }
        let reason = match given.reason.as_deref() {
            Some(reason) => Some(said(reason, "reason")?),
            None if step.needs_reason() => return Err(no_reason()),
            None => None,
        };
        let output = match (step, &given.output) {
            (Step::Complete, _) if case.right == Right::Rectification => {
                self.corrected(&case, given.output.as_ref(), reason)?
            }
            (_, None) => None,
            (_, Some(_)) => {
                return Err(cannot("`output` is the new version that corrects something"));
            }
        };
        task::advance(
            &mut value,
            &Noted {
                step,
                then,
                reason,
                by: caller.display_name(),
                at: self.now(),
                output: output.as_deref(),
                received: &case.received,
            },
        );
        let update = Operation::update("Task", id.to_owned(), value, Some(stored.version));
        self.change_case(caller, update).await
    }

    /// The one resource that a request is about, which must be the person's and, to a resident, readable.
    async fn item(
        &self,
        caller: &Caller,
        person: PersonId,
        kind: &str,
        id: &str,
    ) -> Result<Located, Failure> {
        let kind = crate::read::known_kind(kind)?;
        let located = self.view.locate(kind, id)?.ok_or(Failure::NotFound)?;
        if located.person != Some(person) || located.removed {
            return Err(Failure::NotFound);
        }
        if matches!(caller.party, Party::Resident { .. }) {
            let permit = self.permit_for(caller, "rights-request", kind, id).await?;
            if !matches!(self.view.read(&permit, kind, id)?, Found::Current(_)) {
                return Err(Failure::NotFound);
            }
        }
        Ok(located)
    }

    /// The version that a correction came to, as a reference: the one that is named, or where the request
    /// is about one resource and none is named, the current one. Where it is about no single resource, a
    /// reason that says what was done does as well.
    fn corrected(
        &self,
        case: &task::Case,
        named: Option<&(String, String, u64)>,
        reason: Option<&str>,
    ) -> Result<Option<String>, Failure> {
        let wrong = |message: &str| Failure::invalid(IssueCode::BusinessRule, "output", message);
        let (kind, id, version) = match (named, &case.item) {
            (Some(named), Some(item)) if (&named.0, &named.1) != (&item.0, &item.1) => {
                return Err(wrong("it is no version of what the request is about"));
            }
            (Some(named), _) => named.clone(),
            (None, Some((kind, id))) => {
                let located = self.view.locate(kind, id)?.ok_or(Failure::NotFound)?;
                (kind.clone(), id.clone(), located.version)
            }
            (None, None) if reason.is_some() => return Ok(None),
            (None, None) => return Err(no_reason()),
        };
        let kind = crate::read::known_kind(&kind)?;
        let entry = self.ledger.record(version)?.map(|record| record.entry);
        let located = self.view.locate(kind, &id)?;
        let is_of = |located: &Located| {
            let entry = entry.as_ref()?;
            let same = located.person == entry.person && located.owner == entry.owner;
            (same && located.version >= version && entry.recorded_at > case.authored).then_some(())
        };
        if located.as_ref().and_then(is_of).is_none() {
            return Err(wrong(
                "there is no newer version of what was to be corrected; record it first, or reject the \
                 request with a reason",
            ));
        }
        Ok(Some(format!("{kind}/{id}/_history/{version}")))
    }

    /// A request, as whoever takes a step reads it.
    async fn case_read(&self, caller: &Caller, id: &str) -> Result<Stored, Failure> {
        if !matches!(caller.party, Party::Practitioner(_)) {
            return self.read(caller, "Task", id).await;
        }
        let permit = self.may_review(caller, None).await?;
        match self.view.read(&permit, "Task", id)? {
            Found::Current(stored) => Ok(stored),
            Found::Removed | Found::Nothing => Err(Failure::NotFound),
        }
    }

    /// Leave to see requests, for a privacy officer. A refusal is in the audit ledger before it is told.
    pub(crate) async fn may_review(
        &self,
        caller: &Caller,
        person: Option<PersonId>,
    ) -> Result<ReadPermit, Failure> {
        self.check_view()?;
        match decide_review(caller, &self.standing(), self.now()) {
            Ok(permit) => Ok(permit),
            Err(refusal) => {
                let about =
                    person.map_or(access::decide::About::Unnamed, access::decide::About::Person);
                Err(self.refused(caller, "rights-review", about, &[], refusal).await?)
            }
        }
    }

    /// Whether somebody has room for one more request.
    async fn check_open(&self, caller: &Caller, person: PersonId) -> Result<(), Failure> {
        if !matches!(caller.party, Party::Resident { .. }) {
            return Ok(());
        }
        let open = self.requests(caller, person).await?;
        if open.iter().filter(|it| it.case.status.is_open()).count() < MOST_OPEN {
            return Ok(());
        }
        Err(Failure::invalid(
            IssueCode::TooCostly,
            "Task",
            "so many requests wait for an answer already; take one back first",
        ))
    }

    /// The resident's own number, where the resident asks for themself: there may be no Patient to refer to.
    fn own_number<'c>(
        &self,
        caller: &'c Caller,
        person: PersonId,
    ) -> Result<Option<&'c str>, Failure> {
        let Party::Resident { number, .. } = &caller.party else { return Ok(None) };
        Ok((self.person(number)? == person).then_some(number.as_str()))
    }

    async fn change_case(&self, caller: &Caller, operation: Operation) -> Result<Receipt, Failure> {
        let operations = vec![operation];
        let submission = Submission { channel: Channel::Rights, atomic: true, operations };
        self.submit(caller, submission).await?.pop().unwrap_or(Err(Failure::Busy))
    }

    /// Whether the caller may record this version of a request, which came by its own door.
    pub(crate) fn may_request(
        &self,
        caller: &Caller,
        content: &Value,
        existing: Option<&Located>,
    ) -> Result<WritePermit, Failure> {
        let case = task::read(content).ok_or(Failure::NotFound)?;
        let (standing, now) = (self.standing(), self.now());
        let resident = self.resident(caller)?;
        if let Some(located) = existing {
            let handler = (located.owner.as_str(), located.source.as_str());
            let request = Request { about: located.person, handler };
            let withdrawn = case.status == Status::Withdrawn;
            return Ok(decide_step(caller, resident, &standing, request, withdrawn, now)?);
        }
        let item = match &case.item {
            Some((kind, id)) => self.view.locate(crate::read::known_kind(kind)?, id)?,
            None => None,
        };
        let register = standing.register();
        let handler = item
            .as_ref()
            .map_or((register.organisation.as_str(), SOURCE), |it| (&it.owner, &it.source));
        let request = Request { about: self.about_whom("Task", content)?, handler };
        Ok(decide_request(caller, resident, &standing, request, now)?)
    }
}

/// Refuses what would change a request, or make one, beside the steps that there are.
pub(crate) fn check_door(
    kind: &str,
    content: Option<&Value>,
    existing: Option<&Located>,
    channel: Channel,
) -> Result<(), Failure> {
    let was = existing.is_some_and(|it| it.category == CONSENTS && !it.removed);
    let is_request = kind == "Task" && (was || content.is_some_and(|it| task::of(it).is_some()));
    if is_request == (channel == Channel::Rights) {
        return Ok(());
    }
    Err(Failure::invalid(
        IssueCode::BusinessRule,
        "Task.code",
        "a request about a resident's rights is made by `Patient/[id]/$rights-request` and goes on by \
         `Task/[id]/$rights-step`, so that no step and no deadline is passed over",
    ))
}

/// A text that somebody must give, without blanks around it.
fn said<'t>(text: &'t str, name: &str) -> Result<&'t str, Failure> {
    let text = text.trim();
    if text.is_empty() || text.len() > MOST_TEXT {
        let message = format!("`{name}` says something, in {MOST_TEXT} bytes at most");
        return Err(Failure::invalid(IssueCode::Value, name, message));
    }
    Ok(text)
}

fn no_reason() -> Failure {
    Failure::invalid(
        IssueCode::Required,
        "reason",
        "say why, or what was done, in `reason`; whoever asked is told",
    )
}
