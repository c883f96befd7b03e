//! What happens in a municipality, as random steps: resources come, change and go, persons are
//! erased, entries come that nobody can read.

use fhir::json;
use fhir::value::Value;
use proptest::prelude::*;
use proptest::sample::select;
use record::decision::ADMINISTRATION;
use record::entry::Kind;
use record::identity::PersonId;
use view::decided::Decided;

use crate::model::Model;
use crate::permits::{MUNICIPALITY, SOURCES, WARD};
use crate::town::{About, Town, envelope};

const PERSONS: usize = 3;
/// Synthetic numbers, month + 80; only told apart, never checked, by the view.
pub const NUMBERS: [&str; PERSONS] = ["18812400011", "18812400022", "18812400033"];
const FNR: &str = "urn:oid:2.16.578.1.12.4.1.4.1";

/// One step.
#[derive(Clone, Debug)]
pub enum Step {
    /// A new version of a resource.
    Put(Put),
    /// The owner removes the nth resource there is.
    Remove(usize),
    /// A person is erased.
    Erase(usize),
    /// An entry that cannot be read, one of some sorts, about a person or nobody.
    Unreadable(usize, Option<usize>),
    /// The municipality decides something, about somebody or about nobody.
    Decide(Option<usize>),
}

/// A resource in a few small choices, so that questions often match.
#[derive(Clone, Debug)]
pub struct Put {
    pub kind: &'static str,
    pub person: usize,
    /// Which of the person's resources of the type.
    pub n: usize,
    pub source: usize,
    /// Choices that each type uses in its own way.
    pub choice: [usize; 5],
}

pub fn put() -> impl Strategy<Value = Put> {
    let kinds = vec![
        "Observation",
        "Observation",
        "Observation",
        "EpisodeOfCare",
        "Patient",
        "Patient",
        "Organization",
        "Location",
        "RiskAssessment",
        "SearchParameter",
    ];
    (select(kinds), 0..PERSONS, 0..3_usize, 0..2_usize, any::<[u8; 5]>()).prop_map(
        |(kind, person, n, source, choice)| Put {
            kind,
            person,
            n,
            source,
            choice: choice.map(usize::from),
        },
    )
}

/// Steps without erasures and unreadable entries.
pub fn plain_steps(count: impl Into<proptest::collection::SizeRange>) -> BoxedStrategy<Vec<Step>> {
    prop::collection::vec(step(), count).boxed()
}

/// A resource comes, changes or goes.
pub fn step() -> BoxedStrategy<Step> {
    prop_oneof![6 => put().prop_map(Step::Put), 1 => (0..30_usize).prop_map(Step::Remove)].boxed()
}

pub fn steps(count: impl Into<proptest::collection::SizeRange>) -> BoxedStrategy<Vec<Step>> {
    let step = prop_oneof![
        12 => put().prop_map(Step::Put),
        3 => (0..30_usize).prop_map(Step::Remove),
        1 => (0..PERSONS).prop_map(Step::Erase),
        1 => (0..6_usize, prop::option::of(0..PERSONS)).prop_map(|(sort, who)| Step::Unreadable(sort, who)),
        1 => prop::option::of(0..PERSONS).prop_map(Step::Decide),
    ];
    prop::collection::vec(step, count).boxed()
}

const DAYS: [&str; 7] = [
    "2026-01",
    "2026-02-10",
    "2026-02-10T08:30:00Z",
    "2026-02-07T12:00:00Z",
    "2026-02-10T09:30:00+01:00",
    "2025",
    "2026-03-01T23:30:00+01:00",
];

fn day(choice: usize) -> &'static str {
    DAYS[choice % DAYS.len()]
}

fn pick<'a>(items: &[&'a str], choice: usize) -> &'a str {
    items[choice % items.len()]
}

impl Put {
    /// Logical id. A Patient may stand on the person's own id, which a derived one has.
    pub fn id(&self, person: PersonId) -> String {
        match (self.kind, self.n) {
            ("Organization", n) => format!("org-{n}"),
            ("Location", n) => format!("location-{n}"),
            ("Patient", 0) => person.to_string(),
            (kind, n) => format!("{}-{}-{n}", kind.to_lowercase(), self.person),
        }
    }

    /// Category of the catalogue.
    pub fn category(&self) -> &'static str {
        match self.kind {
            "Observation" | "RiskAssessment" => "measurements",
            "EpisodeOfCare" => "services",
            "Patient" => "demographics",
            _ => "organisation",
        }
    }

    /// How the resource says whom it is about.
    fn subject(&self, how: usize) -> Value {
        let number = NUMBERS[self.person];
        match how % 4 {
            0 => json!({ "identifier": { "system": FNR, "value": number } }),
            1 => json!({ "reference": format!("Patient/patient-{}-1", self.person) }),
            2 => json!({ "reference": format!("Location/location-{}", how % 3) }),
            _ => json!({
                "reference": format!("Patient/patient-{}-2", self.person),
                "identifier": {
                    "system": "http://hl7.no/fhir/NamingSystem/FNR",
                    "value": number,
                },
            }),
        }
    }

    /// The resource as JSON.
    pub fn json(&self, person: PersonId) -> String {
        let id = self.id(person);
        let value = match self.kind {
            "Observation" => self.observation(&id),
            "EpisodeOfCare" => self.episode(&id),
            "RiskAssessment" => self.risk(&id),
            "Patient" => self.patient(&id),
            "SearchParameter" => {
                let [a, b, ..] = self.choice;
                definition(&id, a, pick(&["active", "active", "retired"], b))
            }
            "Location" => {
                let name = pick(&["Rom 1", "Rom 2"], self.choice[0]);
                json!({ "resourceType": "Location", "id": id, "name": name })
            }
            _ => self.organization(&id),
        };
        fhir::json::print(&value)
    }

    fn observation(&self, id: &str) -> Value {
        let [a, b, c, d, e] = self.choice;
        json!({
            "resourceType": "Observation",
            "id": id,
            "status": pick(&["final", "amended"], a),
            "meta": (e % 3 == 0).then(|| json!({
                "profile": [pick(&["http://example.org/a", "http://example.org/a/b"], a)],
                "tag": [{ "system": "urn:tag", "code": "x" }],
                "security": (b % 3 == 0).then(|| label(c)),
            })),
            "text": (e % 4 == 1).then(|| json!({
                "status": "generated",
                "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">Rolig <b>natt</b></div>",
            })),
            "code": {
                "coding": [
                    { "system": "http://loinc.org", "code": pick(&["8867-4", "9279-1", "02"], b) },
                    { "code": "02" },
                ],
                "text": pick(&["Puls", "Vekt"], b / 3),
            },
            "valueQuantity": (c % 3 != 0).then(|| quantity(a / 2)),
            "component": (c % 5 == 0).then(|| json!([
                part(pick(&["8480-6", "8462-4"], a), 100 + i64::try_from(d).unwrap()),
                part("8462-4", 60 + i64::try_from(b % 80).unwrap()),
            ])),
            "hasMember": (a % 3 == 0).then(|| json!([{
                "reference": format!("Observation/observation-{}-{}", b % PERSONS, d % 3)
            }])),
            "subject": self.subject(c),
            "effectiveDateTime": (d % 4 != 0).then(|| day(d)),
            "performer": (e % 2 == 0).then(|| json!([{
                "reference": format!("Organization/org-{}", e % 3)
            }])),
        })
    }

    fn risk(&self, id: &str) -> Value {
        let [a, b, c, d, e] = self.choice;
        let probability = ["0.5", "0.25", "1", "12.5"][b % 4];
        json!({
            "resourceType": "RiskAssessment",
            "id": id,
            "status": "final",
            "subject": self.subject(c),
            "occurrenceDateTime": (d % 4 != 0).then(|| day(d)),
            "basis": (a % 2 == 0).then(|| json!([{
                "reference": format!("Observation/observation-{}-{}", e % PERSONS, a % 3)
            }])),
            "prediction": [{ "probabilityDecimal": json::parse(probability.as_bytes()).unwrap() }],
        })
    }

    fn episode(&self, id: &str) -> Value {
        let [a, b, c, d, e] = self.choice;
        json!({
            "resourceType": "EpisodeOfCare",
            "id": id,
            "meta": (c % 5 == 0).then(|| json!({ "security": label(a) })),
            "status": pick(&["active", "active", "finished"], a),
            "type": [{ "coding": [{
                "system": pick(&[
                    "urn:oid:2.16.578.1.12.4.1.1.9151",
                    "https://finnkode.helsedirektoratet.no/adm/collections/9151",
                ], b),
                "code": pick(&["2", "02", "15"], b / 2),
            }] }],
            "patient": self.subject(c),
            "managingOrganization": { "reference": format!("Organization/org-{}", e % 3) },
            "period": { "start": day(d), "end": (e % 4 == 0).then(|| day(d / 7)) },
        })
    }

    fn patient(&self, id: &str) -> Value {
        let [a, b, c, d, _] = self.choice;
        json!({
            "resourceType": "Patient",
            "id": id,
            "identifier": [
                { "system": FNR, "value": NUMBERS[self.person] },
                {
                    "type": { "coding": [{ "system": "urn:type", "code": pick(&["MR", "PI"], b) }] },
                    "system": "urn:local",
                    "value": pick(&["007", "7"], a),
                },
            ],
            "name": [{
                "family": pick(&["Ås", "Aas", "Ødegård"], b),
                "given": [pick(&["Kari", "Ka_ri", "Karl%"], c)],
            }],
            "birthDate": (d % 3 != 0).then(|| pick(&["1924-01-18", "1924"], d)),
        })
    }

    fn organization(&self, id: &str) -> Value {
        let [a, b, c, ..] = self.choice;
        json!({
            "resourceType": "Organization",
            "id": id,
            "identifier": (self.n != 1).then(|| json!([{
                "system": pick(&["urn:oid:2.16.578.1.12.4.1.2.101", "urn:oid:2.16.578.1.12.4.1.4.101"], a),
                "value": if self.n == 0 { WARD } else { "810000033" },
            }])),
            "name": pick(&["Dalheim", "dalheim sykehjem", "Sone vest"], b),
            "partOf": (self.n > 0 && c % 2 == 0).then(|| json!({
                "reference": format!("Organization/org-{}", self.n - 1)
            })),
        })
    }
}

/// Search parameters of a source's own: code, kind, bases and expression. The last is of no use.
pub const OWN: [(&str, &str, &[&str], &str); 11] = [
    ("own-text", "string", &["Observation"], "Observation.code.text"),
    ("own-name", "string", &["Patient", "Organization"], "Patient.name | Organization.name"),
    (
        "own-code",
        "token",
        &["Observation", "EpisodeOfCare"],
        "Observation.code | EpisodeOfCare.type",
    ),
    ("own-subject", "reference", &["Observation"], "Observation.subject"),
    ("own-performer", "reference", &["Observation"], "Observation.performer"),
    ("own-date", "date", &["Observation", "Patient"], "Observation.effective | Patient.birthDate"),
    ("own-amount", "quantity", &["Observation"], "Observation.value.ofType(Quantity)"),
    (
        "own-share",
        "number",
        &["RiskAssessment"],
        "RiskAssessment.prediction.probability.ofType(decimal)",
    ),
    ("own-profile", "uri", &["Resource"], "Resource.meta.profile"),
    ("own-part", "composite", &["Observation"], "Observation"),
    ("own-colour", "token", &["Observation"], "Observation.colour"),
];

/// The nth of these.
pub fn definition(id: &str, n: usize, status: &str) -> Value {
    let (code, kind, bases, expression) = OWN[n % OWN.len()];
    let component = |name: &str, expression: &str| {
        let definition = format!("http://hl7.org/fhir/SearchParameter/Observation-{name}");
        json!({ "definition": definition, "expression": expression })
    };
    json!({
        "resourceType": "SearchParameter",
        "id": id,
        "url": format!("http://example.org/{id}"),
        "status": status,
        "code": code,
        "type": kind,
        "base": bases.to_vec(),
        "expression": expression,
        "component": (kind == "composite").then(|| json!([
            component("code", "code"),
            component("value-quantity", "component.value.ofType(Quantity)"),
        ])),
    })
}

/// A security label, under either of two names of its system.
fn label(choice: usize) -> Value {
    let system = pick(
        &[
            "urn:oid:2.16.578.1.12.4.1.1.9603",
            "http://helsedir.no/fhir/CodeSystem/no-kodeverk-9603",
        ],
        choice / 5,
    );
    let code = pick(&["N", "NORS", "NORN_KUT", "NORN_UNGDOM", "NORU"], choice);
    json!([{ "system": system, "code": code }])
}

/// Weights and the like, in units that are the same and units that are not.
fn quantity(choice: usize) -> Value {
    let (value, unit) =
        [("70", "kg"), ("70000", "g"), ("70.4", "kg"), ("98", "/min"), ("5", "stk")][choice % 5];
    let value = json::parse(value.as_bytes()).unwrap();
    if unit == "stk" {
        return json!({ "value": value, "unit": unit, "system": "urn:units", "code": unit });
    }
    json!({
        "value": value,
        "unit": unit,
        "system": "http://unitsofmeasure.org",
        "code": unit,
        "comparator": (choice % 7 == 6).then_some("<"),
    })
}

fn part(code: &str, value: i64) -> Value {
    json!({
        "code": { "coding": [{ "system": "http://loinc.org", "code": code }] },
        "valueQuantity": {
            "value": value,
            "system": "http://unitsofmeasure.org",
            "code": "mm[Hg]",
        },
    })
}

/// Takes a step in the ledger, and in the model.
pub fn take(town: &Town, model: &mut Model, step: &Step) {
    match step {
        Step::Put(put) => {
            let person = town.person(NUMBERS[put.person]);
            let about = (put.category() != "organisation").then_some(person);
            if about.is_some_and(|person| model.erased.contains(&person)) {
                return;
            }
            let about = self::about(Kind::Version, about, put.category(), put.source);
            let (id, json) = (put.id(person), put.json(person));
            let entry = town.record(&about, put.kind, &id, &json);
            model.put(&entry, put.kind, &id, &json);
        }
        Step::Remove(n) => {
            let Some(row) = model.removable(*n) else { return };
            let (kind, id) = (row.kind, row.id.clone());
            let about = About {
                kind: Kind::Removal,
                person: row.person,
                category: row.category,
                owner: MUNICIPALITY,
                source: row.source,
            };
            let entry = town.record(&about, kind, &id, "");
            model.remove(&entry, kind, &id);
        }
        Step::Erase(n) => {
            let person = town.person(NUMBERS[*n]);
            if model.erased.contains(&person) {
                return;
            }
            town.erase(person, &about(Kind::Erasure, None, "demographics", 0));
            model.erase(person);
        }
        Step::Unreadable(sort, who) => {
            let person = who.map(|n| town.person(NUMBERS[n]));
            if person.is_some_and(|person| model.erased.contains(&person)) {
                return;
            }
            let kind = if *sort == 5 { Kind::Removal } else { Kind::Version };
            let about = about(kind, person, "measurements", sort % 2);
            model.skipped.push(town.append(&about, unreadable(*sort)));
        }
        Step::Decide(who) => {
            let person = who.map(|n| town.person(NUMBERS[n]));
            if person.is_some_and(|person| model.erased.contains(&person)) {
                return;
            }
            let about = about(Kind::Decision, person, ADMINISTRATION, 0);
            let body = format!("{{\"decided\":{}}}", model.decisions.len()).into_bytes();
            let entry = town.append(&about, body.clone());
            model.decisions.push(Decided {
                position: entry.position,
                recorded: entry.recorded_at,
                person,
                body,
            });
        }
    }
}

pub fn about(kind: Kind, person: Option<PersonId>, category: &'static str, source: usize) -> About {
    About { kind, person, category, owner: MUNICIPALITY, source: SOURCES[source] }
}

/// Bodies that no version of the platform could have meant for this one.
pub fn unreadable(sort: usize) -> Vec<u8> {
    let patient = br#"{"resourceType":"Patient"}"#;
    match sort {
        0 => b"no envelope".to_vec(),
        1 => record::envelope::Envelope { v: 2, ..envelope("Patient", "x") }.seal(patient),
        2 => envelope("Patient", "x").seal(b"{\"resourceType\":\"Patient\""),
        3 => envelope("Observation", "x").seal(patient),
        4 => envelope("Spaceship", "x").seal(b"{\"resourceType\":\"Spaceship\"}"),
        // A removal of what was never there.
        _ => envelope("Observation", "never-there").seal(b""),
    }
}
