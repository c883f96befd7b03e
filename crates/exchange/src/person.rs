//! Which person a resource belongs to: who is named, found or made known, and one person only.

use std::collections::HashMap;

use fhir::issue::IssueCode;
use fhir::resource::Resource;
use fhir::value::Value;
use ledger::keys::PersonKey;
use record::identity::{PersonId, Strictness};
use view::store::Located;

use crate::error::Failure;
use crate::prepare::Context;
use crate::submission::Submission;
use crate::tenant::Tenant;
use crate::whom::{self, NATIONAL, Named, Subject};

/// Whom the resources that a submission brings are about, by full URL (Patients only) and by
/// `Type/id`.
pub(crate) type Brought = HashMap<String, Subject>;

/// A record may point to a record that points on, so many times.
const MOST_STEPS: u8 = 4;

impl Tenant {
    /// The person a resource is about, if any; a person never heard of gets a key.
    pub(crate) fn person_of(
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
}

/// An id that stands for a person already, who was written about before any Patient came, is that person's.
pub(crate) fn check_person(
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
