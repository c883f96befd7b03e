//! A copy of everything about a person that the person may see (pbrl. § 5-1, GDPR art. 15 and 20): for programs
//! as a FHIR Bundle, which is made while it is sent, and for people as [`readable`].
//!
//! It goes to the resident, to whoever represents the resident, and to a privacy officer who answers a
//! request for a copy. What is withheld from people at work is not withheld here; what an owner keeps from
//! the patient (kodeverk 9603) is. Each item tells its owner, source, category, when it was recorded, and by
//! which law it is kept.
//!
//! Invariants: that a copy was given is in the audit ledger before its first byte leaves; it holds what
//! `$everything` would of what was recorded until then; no more of it is in memory than a chunk.

pub mod bundle;
pub mod line;
pub mod readable;

use std::sync::Arc;

use access::caller::{Caller, Party};
use access::decide::About;
use access::permit::ReadPermit;
use access::refusal::Rule;
use access::rights::decide_copy;
use fhir::definitions::resource_kinds;
use fhir::issue::IssueCode;
use record::basis::Bases;
use record::catalogue::CategoryKey;
use record::identity::PersonId;
use view::everything::Walk;
use view::store::Found;

use self::bundle::Copy;
use crate::audit::{AuditRecord, Deed};
use crate::error::Failure;
use crate::operation::parameters::{Parameters, missing};
use crate::read::{all_keys, parsed};
use crate::rights::task;
use crate::tenant::Tenant;

/// As the log has it.
const ACTION: &str = "copy";

/// What may be asked for.
const TAKES: [&str; 2] = ["request", "portable"];

/// A copy that may be given.
pub(crate) struct Opened {
    pub(crate) person: PersonId,
    pub(crate) permit: ReadPermit,
    /// The request that a privacy officer answers.
    request: Option<String>,
}

impl Tenant {
    /// A copy for programs: a Bundle, in chunks. `base` and `log` are the addresses of the doors of FHIR and of the
    /// log.
    ///
    /// # Errors
    /// A caller who may not have it, and whatever keeps the log from being written.
    pub async fn copy(
        self: Arc<Self>,
        caller: &Caller,
        id: &str,
        given: &Parameters,
        (base, log): (String, String),
    ) -> Result<Copy, Failure> {
        let opened = self.open_copy(caller, id, given).await?;
        let until = self.visible();
        let count = |patients| {
            let walk = Walk { person: opened.person, patients, until, since: None, after: 0 };
            self.view.everything_counted(&opened.permit, &walk)
        };
        let resources = count(true)? + count(false)?;
        self.copied(caller, &opened, resources).await?;
        let Opened { person, permit, .. } = opened;
        Ok(Copy::new(self, person, permit, until, (base, log)))
    }

    /// Decides about a copy.
    pub(crate) async fn open_copy(
        &self,
        caller: &Caller,
        id: &str,
        given: &Parameters,
    ) -> Result<Opened, Failure> {
        given.only(&TAKES)?;
        let person = self.person_of_patient(id)?;
        let about = About::Person(person);
        let kinds = resource_kinds();
        self.whole_by_scopes(caller, (ACTION, about), &kinds).await?;
        let mut keys = all_keys();
        if given.flag("portable")? == Some(true) {
            keys.retain(|key| Bases::get().of(key).is_some_and(|basis| basis.portable));
        }
        let request = given.text("request").map(str::to_owned);
        let permit = match &caller.party {
            Party::Resident { .. } => self.decide(caller, ACTION, about, &keys).await?,
            Party::Practitioner(_) => {
                self.answering(caller, person, &keys, request.as_deref()).await?
            }
            Party::System => {
                let refusal = access::refusal::Refusal { rule: Rule::NotShared };
                return Err(self.refused(caller, ACTION, about, &[], refusal).await?);
            }
        };
        let is_officer = matches!(caller.party, Party::Practitioner(_));
        Ok(Opened { person, permit, request: request.filter(|_| is_officer) })
    }

    /// Leave for a privacy officer who answers a request for a copy, and for nobody else at work.
    async fn answering(
        &self,
        caller: &Caller,
        person: PersonId,
        keys: &[CategoryKey],
        request: Option<&str>,
    ) -> Result<ReadPermit, Failure> {
        let review = self.may_review(caller, Some(person)).await?;
        let request = request.ok_or_else(|| {
            missing("say in `request` which of the person's requests for a copy this answers")
        })?;
        let found = match self.view.read(&review, "Task", request)? {
            Found::Current(stored) if stored.person == Some(person) => {
                task::read(&parsed(&stored)?)
            }
            _ => None,
        };
        let answers = |case: &task::Case| case.right.is_of_copy() && case.status.is_open();
        if !found.as_ref().is_some_and(answers) {
            return Err(Failure::invalid(
                IssueCode::BusinessRule,
                "request",
                "the person has no such request for a copy that waits for an answer",
            ));
        }
        Ok(decide_copy(caller, &self.standing(), person, keys, self.now())?)
    }

    /// Writes down that a copy was given. Nothing of it may leave before this has returned.
    pub(crate) async fn copied(
        &self,
        caller: &Caller,
        opened: &Opened,
        resources: usize,
    ) -> Result<(), Failure> {
        let Opened { person, permit, request } = opened;
        let categories = permit.categories();
        let deed = Deed {
            action: ACTION,
            person: Some(*person),
            categories,
            resources,
            ..Deed::default()
        };
        let record = match request {
            None => AuditRecord::permitted(caller, &deed, permit.basis()),
            Some(id) => {
                let of_request = Deed { kind: "Task", id: Some(id), ..deed };
                AuditRecord::by_officer(caller, &of_request)
            }
        };
        self.record_audit(caller, vec![(Some(*person), record)]).await
    }
}
