//! A made-up municipality, callers and requests, read from the decision corpus.

use std::path::PathBuf;

use access::caller::{Attest, Caller, Party, Practitioner};
use access::decide::{About, ReadRequest};
use access::register::Register;
use record::catalogue::Catalogue;
use record::identity::PersonId;
use record::purpose::Purpose;
use serde::Deserialize;
use serde_json::Value;

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
    now: String,
    caller: CallerText,
    /// What is asked to read.
    pub reads: Option<Reads>,
    /// What is asked to write.
    pub writes: Option<Writes>,
    /// What is decided.
    pub decision: Decision,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CallerText {
    organisation: Option<String>,
    unit: Option<String>,
    system: Option<String>,
    resident: Option<String>,
    practitioner: Option<PractitionerText>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PractitionerText {
    name: String,
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
}

/// A request to read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reads {
    about: String,
    categories: Vec<String>,
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

/// The limits of a permit to read or to write.
#[derive(Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    pub reach: Option<String>,
    pub categories: Option<Vec<String>>,
    pub role: Option<String>,
    pub purpose: Option<String>,
    pub only_of: Option<Belongs>,
    pub owner: Option<String>,
    pub source: Option<String>,
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
    for agreement in value["agreements"].as_array_mut().unwrap() {
        for end in ["valid_from", "valid_to"] {
            if let Some(text) = agreement.get(end).and_then(Value::as_str) {
                agreement[end] = milliseconds(text).into();
            }
        }
    }
    let register: Register = serde_json::from_value(value).unwrap();
    register.check().unwrap();
    register
}

impl Case {
    /// The municipality.
    pub fn register(&self) -> Register {
        register(&self.register, &self.but)
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
            client_id: text.system.clone().unwrap_or_else(|| "pages".to_owned()),
            organisation: text.organisation.clone(),
            unit: text.unit.clone(),
            supplier: None,
            token_id: "token-1".to_owned(),
            scopes: None,
            party,
        }
    }

    /// The person behind a resident's token.
    pub fn resident(&self) -> Option<PersonId> {
        self.caller.resident.as_deref().map(person)
    }
}

impl PractitionerText {
    fn value(&self) -> Practitioner {
        Practitioner {
            name: self.name.clone(),
            subject: "subject-1".to_owned(),
            hpr: None,
            security_level: self.security_level,
            attest: self.attest.as_ref().map(|attest| Attest {
                made_at: milliseconds(&attest.made_at),
                authorization: attest.authorization.clone(),
                legal_entity: attest.legal_entity.clone(),
                point_of_care: attest.point_of_care.clone(),
                purpose: Purpose::from_code(&attest.purpose).unwrap(),
                purpose_details: None,
                decision_ref: "decision-1".to_owned(),
                user_selected: false,
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
    pub fn request<'a>(&self, categories: &'a [&'static str]) -> ReadRequest<'a> {
        let about = match self.about.as_str() {
            "own unit" => About::OwnUnit,
            "nobody" => About::Unnamed,
            name => About::Person(person(name)),
        };
        ReadRequest { about, categories }
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
