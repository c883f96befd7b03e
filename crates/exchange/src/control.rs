//! The resident's own control: who may see what, said by the resident or whoever represents the
//! resident, in force when the answer leaves, logged, and taken back at any time.
//!
//! What is said is a `Consent` like any other ([`crate::consent`]); residents may record nothing else.

use access::caller::{Caller, Party};
use access::control::decide_control;
use access::decide::{About, decide_write};
use access::permit::{Basis, ReadPermit, WritePermit};
use access::refusal::{Refusal, Rule};
use access::restriction::{Against, Restriction, What};
use fhir::issue::IssueCode;
use fhir::value::Value;
use ledger::keys::PersonKey;
use record::catalogue::{CONSENTS, Category};
use record::entry::Position;
use record::identity::{NationalNumber, NumberKind, PersonId};
use record::purpose::Purpose;
use record::system;
use view::store::{Located, Stored};

use crate::audit::AuditRecord;
use crate::consent::{print, restriction};
use crate::error::Failure;
use crate::read::parsed;
use crate::submission::{Channel, Operation, Receipt, Submission};
use crate::tenant::Tenant;
use crate::whom::{self, Subject};

/// Most restrictions that somebody can have in force by saying so here.
const MOST: usize = 200;

/// Whom a resident wants to withhold something from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Whoever made this entry of the resident's access log.
    Looked(Position),
    /// Somebody named by number or code.
    Named(Against),
}

/// What a resident wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// From whom.
    pub reader: Reader,
    /// What.
    pub what: What,
    /// Whether also in an emergency.
    pub in_emergency: bool,
}

/// A restriction in force, as the resident is shown it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restricted {
    /// What it says.
    pub restriction: Restriction,
    /// What whoever it is against is called, where the Consent says so.
    pub display: Option<String>,
    /// When it was last changed, milliseconds since 1970.
    pub since: i64,
    /// Whether the resident can lift it here; a system that delivered it lifts it otherwise.
    pub can_lift: bool,
}

impl Tenant {
    /// The restrictions a person has in force or to come, the latest first.
    pub async fn restrictions(
        &self,
        caller: &Caller,
        person: PersonId,
    ) -> Result<Vec<Restricted>, Failure> {
        let about = About::Person(person);
        let permit = self.decide(caller, "restrictions", about, &[CONSENTS]).await?;
        let all = self.restricted(&permit)?;
        let shown = all.len();
        self.disclosed(caller, &permit, "restrictions", Some(person), &[CONSENTS], shown).await?;
        Ok(all)
    }

    /// The restrictions in force or to come that a permit opens, the latest first.
    pub(crate) fn restricted(&self, permit: &ReadPermit) -> Result<Vec<Restricted>, Failure> {
        let owner = self.register().organisation.clone();
        let mut all = Vec::new();
        for stored in self.view.records(permit, "Consent")? {
            let consent = parsed(&stored)?;
            let Ok(Some(restriction)) = restriction(&stored.id, &consent) else { continue };
            let is_over = restriction.valid_to.is_some_and(|to| to <= self.now());
            if !is_over {
                all.push(Restricted {
                    restriction,
                    display: display(&consent).map(str::to_owned),
                    since: stored.updated,
                    can_lift: stored.owner == owner && stored.source == access::control::SOURCE,
                });
            }
        }
        all.reverse();
        Ok(all)
    }

    /// Records what a resident wants withheld, as a Consent.
    pub async fn restrict(
        &self,
        caller: &Caller,
        number: &str,
        wish: Wish,
    ) -> Result<Receipt, Failure> {
        let person = self.person(number)?;
        if self.restrictions(caller, person).await?.len() >= MOST {
            return Err(Failure::invalid(
                IssueCode::TooCostly,
                "Consent",
                "so many restrictions are in force already; lift some, or restrict more at a time",
            ));
        }
        let (against, display) = match wish.reader {
            Reader::Named(against) => (against, None),
            Reader::Looked(position) => self.looked(person, position)?,
        };
        let restriction = Restriction {
            id: String::new(),
            against,
            what: wish.what,
            valid_from: None,
            valid_to: None,
            in_emergency: wish.in_emergency,
        };
        let given = print::Given {
            system: system_of(number),
            number,
            at: self.now(),
            display: display.as_deref(),
        };
        self.change(caller, Operation::create("Consent", print::consent(&restriction, &given)))
            .await
    }

    /// Lifts a restriction: the Consent gets a version that is no longer active.
    pub async fn lift(&self, caller: &Caller, id: &str) -> Result<Receipt, Failure> {
        let Stored { version, body, .. } = self.read(caller, "Consent", id).await?;
        let mut consent = fhir::json::parse(&body).map_err(|_| Failure::NotFound)?;
        if let Some(object) = consent.as_object_mut() {
            object.set("status", "inactive");
            object.remove("meta");
        }
        let update = Operation::update("Consent", id.to_owned(), consent, Some(version));
        self.change(caller, update).await
    }

    async fn change(&self, caller: &Caller, operation: Operation) -> Result<Receipt, Failure> {
        let operations = vec![operation];
        let submission = Submission { channel: Channel::Fhir, atomic: true, operations };
        self.submit(caller, submission).await?.pop().unwrap_or(Err(Failure::Busy))
    }

    /// Who made an entry of a person's access log, by number and by name.
    fn looked(
        &self,
        person: PersonId,
        position: Position,
    ) -> Result<(Against, Option<String>), Failure> {
        let record = self.audit.record(position)?;
        let record = record.filter(|record| record.entry.person == Some(person));
        let audit = AuditRecord::read(&record.ok_or(Failure::NotFound)?)?;
        let who = audit.hpr.ok_or_else(|| {
            Failure::invalid(
                IssueCode::BusinessRule,
                "Consent.provision.actor",
                "whoever looked has no HPR number; restrict the organisation instead",
            )
        })?;
        Ok((Against::Practitioner(who), Some(audit.name)))
    }

    /// Whether the caller may record or, without content, remove this: a system what it has an
    /// agreement for, a resident their own Consents.
    pub(crate) fn may_record(
        &self,
        caller: &Caller,
        kind: &str,
        category: &'static Category,
        content: Option<&Value>,
        existing: Option<&Located>,
    ) -> Result<WritePermit, Failure> {
        if is_resident(caller) {
            return self.may_control(caller, kind, content, existing);
        }
        let owner = existing.map(|it| (it.owner.as_str(), it.source.as_str()));
        Ok(decide_write(caller, &self.standing(), category, owner, self.now())?)
    }

    fn may_control(
        &self,
        caller: &Caller,
        kind: &str,
        consent: Option<&Value>,
        existing: Option<&Located>,
    ) -> Result<WritePermit, Failure> {
        let refused = |rule| Err(Failure::Refused(Refusal { rule }));
        let Some(resident) = self.resident(caller)?.filter(|_| kind == "Consent") else {
            return refused(Rule::NotASystem);
        };
        let named = match consent {
            Some(consent) => self.about_whom(kind, consent)?,
            None => existing.and_then(|located| located.person),
        };
        let before = existing.and_then(|located| located.person);
        let (standing, now) = (self.standing(), self.now());
        // Whoever may not change the one that is there learns nothing of it either.
        let owner = existing.map(|it| (it.owner.as_str(), it.source.as_str()));
        if let Some(before) = before {
            decide_control(resident, &standing, before, owner, now)?;
        }
        let Some(about) = named else { return refused(Rule::NotSelf) };
        Ok(decide_control(resident, &standing, about, owner, now)?)
    }

    /// The person that a resource is about, as far as one is known.
    pub(crate) fn about_whom(
        &self,
        kind: &str,
        value: &Value,
    ) -> Result<Option<PersonId>, Failure> {
        let named = whom::named(kind, value, None, self.strictness())?;
        Ok(match named.persons.as_slice() {
            [Subject::Number(system, value)] => {
                Some(self.keys.expected(&PersonKey { system, value })?)
            }
            [Subject::Patient(id)] => {
                self.view.locate("Patient", id)?.and_then(|located| located.person)
            }
            _ => None,
        })
    }
}

/// Whether somebody's writes are under the resident's own control.
pub(crate) fn is_resident(caller: &Caller) -> bool {
    matches!(caller.party, Party::Resident { .. })
}

/// The basis of what somebody records.
pub(crate) fn basis(caller: &Caller) -> Basis {
    let delivery = Basis::delivery();
    if !is_resident(caller) {
        return delivery;
    }
    Basis { purpose: Purpose::PatientRequest, role: "resident".to_owned(), ..delivery }
}

/// What whoever a Consent is against is called.
fn display(consent: &Value) -> Option<&str> {
    let actor = consent.get("provision")?.items("actor").first()?;
    actor.get("reference")?.text("display")
}

/// The system of a national identity number.
pub(crate) fn system_of(number: &str) -> &'static str {
    match NationalNumber::parse(number).map(|number| number.kind()) {
        Ok(NumberKind::Dnr) => system::DNR,
        Ok(NumberKind::Fhn) => system::FHN,
        _ => system::FNR,
    }
}
