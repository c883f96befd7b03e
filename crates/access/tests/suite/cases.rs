//! A made-up municipality, callers and requests, read from the decision corpus.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use access::administer::Deed;
use access::caller::{Attest, Caller, Party, Practitioner};
use access::decide::{About, ReadRequest};
use access::register::Register;
use access::register::admin::Duty;
use access::scopes::Scopes;
use access::standing::Standing;
use record::catalogue::Catalogue;
use record::identity::PersonId;
use record::purpose::Purpose;
use serde::Deserialize;
use serde_json::Value;

use crate::persons::PersonText;

/// One case of the corpus.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What happens, as a headline.
    pub title: String,
    /// Why it is right.
    pub why: String,
    /// Name of a shared register.
    register: String,
    /// Members of the register that are otherwise in this case.
    #[serde(default)]
    but: serde_json::Map<String, Value>,
    /// What residents have decided, by name.
    #[serde(default)]
    persons: BTreeMap<String, PersonText>,
    now: String,
    caller: CallerText,
    /// What is asked to read.
    pub reads: Option<Reads>,
    /// What is asked to write.
    pub writes: Option<Writes>,
    /// What is asked to administer.
    pub administers: Option<Administers>,
    /// What is decided.
    pub decision: Decision,
    /// Some of what the explanation says would open more.
    #[serde(default)]
    pub would_open: Vec<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CallerText {
    organisation: Option<String>,
    unit: Option<String>,
    system: Option<String>,
    /// The client, where it is not the pages.
    client: Option<String>,
    resident: Option<String>,
    practitioner: Option<PractitionerText>,
    /// The patient that a SMART launch names.
    launched_for: Option<String>,
    /// The token's scopes.
    #[serde(default)]
    scopes: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PractitionerText {
    name: String,
    subject: Option<String>,
    /// HPR number, or `none`; where nothing is said, whoever attests a profession has one.
    hpr: Option<String>,
    hpr_professions: Option<Vec<String>>,
    security_level: u8,
    attest: Option<AttestText>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AttestText {
    made_at: String,
    authorization: Option<String>,
    legal_entity: String,
    point_of_care: String,
    purpose: String,
    purpose_details: Option<String>,
    #[serde(default)]
    names_another: bool,
    #[serde(default)]
    patients: Vec<String>,
}

/// A request to read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reads {
    about: String,
    categories: Vec<String>,
    service: Option<String>,
}

/// A request to write.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Writes {
    /// Key of the category.
    pub category: String,
    /// The record it would change.
    pub existing: Option<Belongs>,
}

/// A request to administer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Administers {
    deed: String,
    duty: Option<Duty>,
    unit: Option<String>,
    proposed_by: Option<String>,
}

/// Owner and source.
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Belongs {
    pub owner: String,
    pub source: String,
}

/// What the case says is right.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The limits of the permit.
    pub permit: Option<Limits>,
    /// The rule that refuses.
    pub refused: Option<String>,
}

/// The limits of a permit to read, to write or to administer.
#[derive(Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    pub reach: Option<String>,
    pub categories: Option<Vec<String>>,
    pub role: Option<String>,
    pub purpose: Option<String>,
    pub only_of: Option<Belongs>,
    /// `everything`, or parts; nothing where nothing is withheld.
    pub withheld: Option<Value>,
    /// Which labelled records are hidden; not compared where a case does not say.
    pub labels: Option<String>,
    pub owner: Option<String>,
    pub source: Option<String>,
    /// Who administers.
    pub who: Option<String>,
    pub duty: Option<Duty>,
}

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../cases/decisions");

/// Every case, by its file's name.
pub fn corpus() -> Vec<(String, Case)> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(CORPUS).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let read = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let case = serde_json::from_slice(&std::fs::read(&path).unwrap());
        (name.clone(), case.unwrap_or_else(|error| panic!("{name}: {error}")))
    };
    files.into_iter().map(read).collect()
}

/// A shared register, with some members changed.
pub fn register(name: &str, but: &serde_json::Map<String, Value>) -> Register {
    let bytes = std::fs::read(format!("{CORPUS}/registers/{name}.json")).unwrap();
    let mut value: Value = serde_json::from_slice(&bytes).unwrap();
    for (key, change) in but {
        value[key] = change.clone();
    }
    with_milliseconds(&mut value);
    let register: Register = serde_json::from_value(value).unwrap();
    register.check().unwrap();
    register
}

/// Times as milliseconds, wherever they stand.
fn with_milliseconds(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                match member.as_str() {
                    Some(text) if key.ends_with("_from") || key.ends_with("_to") => {
                        *member = milliseconds(text).into();
                    }
                    _ => with_milliseconds(member),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(with_milliseconds),
        _ => {}
    }
}

impl Case {
    /// What the decision rests on.
    pub fn standing(&self) -> Arc<Standing> {
        let mut standing = Standing::new(register(&self.register, &self.but)).unwrap();
        for (name, text) in &self.persons {
            standing = standing.with_person(person(name), text.value());
        }
        Arc::new(standing)
    }

    /// Milliseconds since 1970.
    pub fn now(&self) -> i64 {
        milliseconds(&self.now)
    }

    /// Who calls.
    pub fn caller(&self) -> Caller {
        let text = &self.caller;
        let party = match (&text.system, &text.resident, &text.practitioner) {
            (Some(_), None, None) => Party::System,
            (None, Some(name), None) => {
                Party::Resident { number: String::new(), name: name.clone() }
            }
            (None, None, Some(practitioner)) => Party::Practitioner(practitioner.value()),
            _ => panic!("{}: a caller is one of three", self.title),
        };
        Caller {
            client_id: [&text.system, &text.client]
                .into_iter()
                .find_map(Option::clone)
                .unwrap_or_else(|| "pages".to_owned()),
            organisation: text.organisation.clone(),
            unit: text.unit.clone(),
            supplier: None,
            token_id: "token-1".to_owned(),
            scopes: Scopes::read(&text.scopes, text.launched_for.clone()).map(Arc::new),
            party,
        }
    }

    /// The person behind a resident's token.
    pub fn resident(&self) -> Option<PersonId> {
        self.caller.resident.as_deref().map(person)
    }

    /// The persons whom attest and launch name; `None` where they name none.
    pub fn bound_to(&self) -> Option<Vec<PersonId>> {
        let attest = self.caller.practitioner.as_ref().and_then(|it| it.attest.as_ref());
        let attested = attest.map(|it| it.patients.as_slice()).unwrap_or_default();
        let named: Vec<_> =
            attested.iter().chain(&self.caller.launched_for).map(|name| person(name)).collect();
        Some(named).filter(|named| !named.is_empty())
    }
}

impl PractitionerText {
    fn value(&self) -> Practitioner {
        Practitioner {
            name: self.name.clone(),
            subject: self.subject.clone().unwrap_or_else(|| "subject-1".to_owned()),
            hpr: match &self.hpr {
                Some(number) => Some(number.clone()).filter(|number| number != "none"),
                None => {
                    let attested = self.attest.as_ref().and_then(|it| it.authorization.as_ref());
                    attested.map(|_| "222900011".to_owned())
                }
            },
            hpr_professions: self.hpr_professions.clone(),
            security_level: self.security_level,
            attest: self.attest.as_ref().map(|attest| Attest {
                made_at: milliseconds(&attest.made_at),
                authorization: attest.authorization.clone(),
                legal_entity: attest.legal_entity.clone(),
                point_of_care: attest.point_of_care.clone(),
                department: None,
                healthcare_service: None,
                purpose: Purpose::from_code(&attest.purpose).unwrap(),
                purpose_details: attest.purpose_details.clone(),
                decision_ref: "decision-1".to_owned(),
                user_selected: false,
                names_another: attest.names_another,
                patients: attest.patients.clone(),
            }),
        }
    }
}

impl Reads {
    /// Keys of the categories; one that the catalogue does not know stands as it is.
    pub fn categories(&self) -> Vec<&'static str> {
        let known = |key: &String| match Catalogue::get().category(key) {
            Some(category) => category.key.as_str(),
            None => "unknown",
        };
        self.categories.iter().map(known).collect()
    }

    /// The request.
    pub fn request<'a>(
        &'a self,
        categories: &'a [&'static str],
        bound_to: Option<&'a [PersonId]>,
    ) -> ReadRequest<'a> {
        let about = match self.about.as_str() {
            "own unit" => About::OwnUnit,
            "nobody" => About::Unnamed,
            name => About::Person(person(name)),
        };
        ReadRequest {
            service: self.service.as_deref(),
            bound_to,
            ..ReadRequest::new(about, categories)
        }
    }
}

impl Administers {
    /// The deed.
    pub fn deed(&self) -> Deed<'_> {
        match (self.deed.as_str(), self.duty, &self.unit, &self.proposed_by) {
            ("read register", None, None, None) => Deed::ReadRegister,
            ("change register", None, None, None) => Deed::ChangeRegister,
            ("change policies", None, None, None) => Deed::ChangePolicies,
            ("privacy review", None, None, None) => Deed::PrivacyReview,
            ("leader review", None, Some(unit), None) => Deed::LeaderReview { unit },
            ("propose", Some(duty), None, None) => Deed::Propose(duty),
            ("approve", Some(of), None, Some(proposed_by)) => Deed::Approve { of, proposed_by },
            _ => panic!("{self:?} is no deed"),
        }
    }
}

/// `patient A` and `patient B`.
pub fn person(name: &str) -> PersonId {
    PersonId([name.strip_prefix("patient ").unwrap().as_bytes()[0]; 16])
}

/// `2026-03-02T12:00:00Z` as milliseconds since 1970.
pub fn milliseconds(text: &str) -> i64 {
    let number = |from: usize, to: usize| text.get(from..to).unwrap().parse::<i64>().unwrap();
    assert!(text.len() == 20 && text.ends_with('Z'), "`{text}` is not written as UTC seconds");
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    // Days since 1970 of the proleptic Gregorian calendar, counted from 1 March.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days =
        365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    let seconds = number(11, 13) * 3_600 + number(14, 16) * 60 + number(17, 19);
    (days * 86_400 + seconds) * 1_000
}
