//! Whom a resource is about: the persons it names, by number, by reference to a Patient, or by
//! reference to another resource, whose person it then shares.
//!
//! Which elements name a person is data ([`record::about`]). An element that is there to say whom a
//! resource is about must say it so that the person can be found: a display text alone is refused,
//! since a record about a person that nobody can find is lost to that person too. What names a
//! device, a place, a group or an organisation there is about nobody.

use fhir::definitions::{self, Content};
use fhir::issue::IssueCode;
use fhir::reference::Literal;
use fhir::value::Value;
use record::about::{Elements, elements};
use record::catalogue::Catalogue;
use record::identity::{Strictness, accept_number};
use record::system;

use crate::error::Failure;

/// System under which every national identity number is keyed: senders put D-numbers under the
/// fødselsnummer's URI and the other way round, and the digits tell them apart.
pub const NATIONAL: &str = "national";

/// How a resource names a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// By a number or other identifier: system and value, as persons are keyed.
    Number(String, String),
    /// By a literal reference to a Patient.
    Patient(String),
    /// By a full URL in the same Bundle.
    FullUrl(String),
    /// By a literal reference to another resource, such as `Provenance.target`: its type and id.
    Record(&'static str, String),
}

/// Whom a resource names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// The persons; the same one may be there in several ways.
    pub persons: Vec<Subject>,
    /// Whether it says whom or what it is about, be it no person.
    pub said: bool,
    /// Whether a person named has to be known: not where a participant may be anybody.
    pub certain: bool,
}

/// What one reference says.
enum Said {
    Person(Subject),
    Other,
    /// A text for people, and nothing by which the person can be found.
    Vague,
}

/// Whom a resource is about.
pub fn named(
    kind: &str,
    value: &Value,
    id: Option<&str>,
    strictness: Strictness,
) -> Result<Named, Failure> {
    if kind == "Patient" {
        let persons = vec![patient_subject(value, id, strictness)?];
        return Ok(Named { persons, said: true, certain: true });
    }
    let Elements { subjects, participants, .. } = elements(kind);
    let mut said = false;
    for (paths, certain) in [(subjects, true), (participants, false)] {
        for path in paths {
            let place = Place { kind, path, resource: value, certain, strictness };
            let mut persons = Vec::new();
            for reference in value.all_at(path) {
                match place.said(reference)? {
                    Said::Person(subject) if persons.contains(&subject) => {}
                    Said::Person(subject) => persons.push(subject),
                    Said::Other => said |= certain,
                    Said::Vague if !certain => {}
                    Said::Vague => return Err(place.vague()),
                }
            }
            if !persons.is_empty() {
                return Ok(Named { persons, said: true, certain });
            }
        }
    }
    Ok(Named { persons: Vec::new(), said, certain: true })
}

/// The element in which a resource of this type names its person, for telling where it is missing.
pub fn element(kind: &str) -> &'static str {
    let Elements { subjects, participants, .. } = elements(kind);
    let paths = || subjects.iter().chain(participants).map(String::as_str);
    let shape = definitions::shape(kind);
    let first = |path: &str| path.split('.').next().unwrap_or_default().to_owned();
    paths()
        .find(|path| shape.is_some_and(|shape| shape.member(&first(path)).is_some()))
        .unwrap_or("subject")
}

/// It does not say whom it is about.
pub(crate) fn unnamed(kind: &str) -> Failure {
    Failure::invalid(
        IssueCode::Required,
        &format!("{kind}.{}", element(kind)),
        "say whom it is about, by identifier or by reference to a Patient",
    )
}

/// Where references are looked at.
struct Place<'a> {
    kind: &'a str,
    path: &'a str,
    resource: &'a Value,
    certain: bool,
    strictness: Strictness,
}

impl Place<'_> {
    fn said(&self, reference: &Value) -> Result<Said, Failure> {
        let literal = reference.text("reference").map(Literal::parse);
        let kind = match literal {
            Some(Literal::Resource { kind, .. }) => Some(kind),
            _ => reference.text("type"),
        };
        if kind.is_some_and(|kind| kind != "Patient") {
            return Ok(other(literal));
        }
        if let Some(said) = self.identifier(reference, kind.is_some())? {
            return Ok(said);
        }
        match literal {
            Some(Literal::Resource { id, .. }) => Ok(patient(id)),
            Some(Literal::Contained(id)) => self.contained(id),
            Some(Literal::Other(url)) => Ok(Said::Person(Subject::FullUrl(url.to_owned()))),
            Some(_) if self.certain => Err(Failure::invalid(
                IssueCode::Value,
                &format!("{}.{}.reference", self.kind, self.path),
                "refer to a Patient, by `Patient/id` or by identifier",
            )),
            Some(_) | None => Ok(Said::Vague),
        }
    }

    /// What an identifier says. It is a person's where the reference says so, or where the element
    /// is there to name a patient; where it may name anything, only a national number is.
    fn identifier(&self, reference: &Value, is_patient: bool) -> Result<Option<Said>, Failure> {
        let identifier = reference.get("identifier");
        let Some(number) = identifier.and_then(|it| it.text("value")) else { return Ok(None) };
        let system = identifier.and_then(|it| it.text("system")).unwrap_or_default();
        let targets = targets(self.kind, self.path);
        let is_national = system::is_national_number(system);
        if is_patient || self.certain && (targets.contains(&"Patient") || is_national) {
            let path = format!("{}.{}.identifier.value", self.kind, self.path);
            return key(system, number, &path, self.strictness).map(|it| Some(Said::Person(it)));
        }
        if self.certain && !targets.is_empty() {
            return Ok(Some(Said::Other));
        }
        if (self.certain || is_national) && reference.text("reference").is_none() {
            // Health personnel and next of kin have national numbers too.
            return Err(Failure::invalid(
                IssueCode::Required,
                &format!("{}.{}.type", self.kind, self.path),
                "say whose identifier it is: add `type`, such as `Patient` or `Practitioner`",
            ));
        }
        Ok(None)
    }

    fn contained(&self, id: &str) -> Result<Said, Failure> {
        let found = self.resource.items("contained").iter().find(|it| it.text("id") == Some(id));
        let Some(patient) = found.filter(|it| it.text("resourceType") == Some("Patient")) else {
            return Ok(Said::Other);
        };
        if !patient.items("identifier").iter().any(|it| it.text("value").is_some()) {
            return Ok(Said::Vague);
        }
        patient_subject(patient, None, self.strictness).map(Said::Person)
    }

    fn vague(&self) -> Failure {
        Failure::invalid(
            IssueCode::Required,
            &format!("{}.{}", self.kind, self.path),
            "say whom it is about so that the person can be found: by identifier or by reference \
             to a Patient",
        )
    }
}

/// The types that the reference at a path may name; none for any.
fn targets(kind: &str, path: &str) -> &'static [&'static str] {
    let mut at = definitions::shape(kind);
    let mut targets: &'static [&'static str] = &[];
    for name in path.split('.') {
        let Some(found) = at.and_then(|shape| shape.member(name)) else { return &[] };
        targets = &found.kind.targets;
        at = match found.kind.content {
            Content::Shape(id) => Some(id.shape()),
            Content::Primitive(_) | Content::Resource => None,
        };
    }
    targets
}

fn patient(id: &str) -> Said {
    Said::Person(Subject::Patient(id.to_owned()))
}

/// A record about a person passes its person on; anything else is nobody.
fn other(literal: Option<Literal<'_>>) -> Said {
    match literal {
        Some(Literal::Resource { kind, id, .. }) if Catalogue::get().is_personal(kind) => {
            Said::Person(Subject::Record(kind, id.to_owned()))
        }
        _ => Said::Other,
    }
}

/// A Patient is keyed by its national number, else by its first identifier, else by its own id.
fn patient_subject(
    value: &Value,
    id: Option<&str>,
    strictness: Strictness,
) -> Result<Subject, Failure> {
    let identifiers = value.items("identifier");
    let keyed = |identifier: &Value| {
        Some((
            identifier.text("system").unwrap_or_default().to_owned(),
            identifier.text("value")?.to_owned(),
        ))
    };
    let national = identifiers.iter().enumerate().find_map(|(i, identifier)| {
        let (system, value) = keyed(identifier)?;
        system::is_national_number(&system).then_some((i, system, value))
    });
    if let Some((i, system, number)) = national {
        return key(&system, &number, &format!("Patient.identifier[{i}].value"), strictness);
    }
    if let Some((system, value)) = identifiers.iter().find_map(keyed) {
        return Ok(Subject::Number(system, value));
    }
    match id {
        Some(id) => Ok(Subject::Patient(id.to_owned())),
        None => Err(Failure::invalid(
            IssueCode::Required,
            "Patient.identifier",
            "give the patient an identifier, so that others can find the same person",
        )),
    }
}

/// The national numbers of a Patient, each checked.
pub fn national_numbers(patient: &Value, strictness: Strictness) -> Result<Vec<&str>, Failure> {
    let mut numbers = Vec::new();
    for (i, identifier) in patient.items("identifier").iter().enumerate() {
        if let (Some(system), Some(value)) = (identifier.text("system"), identifier.text("value"))
            && system::is_national_number(system)
        {
            key(system, value, &format!("Patient.identifier[{i}].value"), strictness)?;
            numbers.push(value);
        }
    }
    Ok(numbers)
}

/// The key of a person: national numbers are checked and share one system.
fn key(system: &str, number: &str, path: &str, strictness: Strictness) -> Result<Subject, Failure> {
    if !system::is_national_number(system) {
        return Ok(Subject::Number(system.to_owned(), number.to_owned()));
    }
    match accept_number(number, strictness) {
        Ok(()) => Ok(Subject::Number(NATIONAL.to_owned(), number.to_owned())),
        Err(error) => Err(Failure::invalid(IssueCode::Value, path, error.to_string())),
    }
}
