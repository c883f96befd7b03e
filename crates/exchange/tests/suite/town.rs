//! A made-up municipality: its register, its people and those who call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use access::caller::{Attest, Caller, Party, Practitioner};
use access::register::admin::{Admin, Duty};
use access::register::purposes::Use;
use access::register::{Agreement, IdentityNumbers, Register, Role, Unit};
use exchange::error::Failure;
use exchange::submission::{Channel, Operation, Receipt, Submission};
use exchange::tenant::{Environment, Tenant};
use fhir::json;
use fhir::value::Value;
use ledger::clock::FixedClock;
use ledger::error::Error;
use ledger::random::{Random, SeededRandom};
use record::catalogue::Catalogue;
use record::entry::Position;
use record::identity::complete_number;
use record::purpose::Purpose;
use tempfile::TempDir;

pub const MUNICIPALITY: &str = "999977774";
pub const HOSPITAL: &str = "993467049";
pub const OFFICE: &str = "810000041";
pub const WARD: &str = "810000042";
pub const FNR: &str = "urn:oid:2.16.578.1.12.4.1.4.1";
pub const DNR: &str = "urn:oid:2.16.578.1.12.4.1.4.2";
/// 2026-03-02T12:00:00Z.
pub const NOW: i64 = 1_772_452_800_000;

/// Position of the decision that founds the municipality.
pub const FOUNDED: Position = 1;

/// Randomness that can run out, which is one way for the audit ledger to fail.
pub struct Tap {
    inner: SeededRandom,
    pub closed: AtomicBool,
}

impl Random for Tap {
    fn fill(&self, out: &mut [u8]) -> Result<(), Error> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(Error::Key { what: "the tap is closed" });
        }
        self.inner.fill(out)
    }
}

pub struct Town {
    pub tenant: Arc<Tenant>,
    pub random: Arc<Tap>,
    pub clock: Arc<FixedClock>,
    pub dir: TempDir,
}

impl Town {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let inner = SeededRandom::new(11);
        let random = Arc::new(Tap { inner, closed: AtomicBool::new(false) });
        let clock = Arc::new(FixedClock::new(NOW));
        let environment = Environment { clock: clock.clone(), random: random.clone() };
        let tenant = Arc::new(Tenant::open(dir.path(), register(), environment).unwrap());
        Self { tenant, random, clock, dir }
    }

    /// The town after its server was stopped, something was done, and it was started again.
    pub fn opened_again(&self, meanwhile: impl FnOnce()) -> Self {
        // A copy, since whoever holds this town still has its files open.
        let dir = tempfile::tempdir().unwrap();
        meanwhile();
        for file in std::fs::read_dir(self.dir.path()).unwrap() {
            let file = file.unwrap();
            if file.file_type().unwrap().is_file() {
                std::fs::copy(file.path(), dir.path().join(file.file_name())).unwrap();
            }
        }
        let environment = Environment { clock: self.clock.clone(), random: self.random.clone() };
        let tenant = Arc::new(Tenant::open(dir.path(), register(), environment).unwrap());
        Self { tenant, random: self.random.clone(), clock: self.clock.clone(), dir }
    }

    /// How many entries the clinical ledger has beside the founding.
    pub fn end(&self) -> Position {
        self.tenant.ledger().head().unwrap().position - FOUNDED
    }

    /// Submits and hands back what became of each operation.
    pub async fn submit(
        &self,
        caller: &Caller,
        atomic: bool,
        operations: Vec<Operation>,
    ) -> Result<Vec<Result<Receipt, Failure>>, Failure> {
        let channel = Channel::Fhir;
        self.tenant.submit(caller, Submission { channel, atomic, operations }).await
    }

    /// Submits one operation.
    pub async fn one(&self, caller: &Caller, operation: Operation) -> Result<Receipt, Failure> {
        self.submit(caller, true, vec![operation]).await.map(|mut all| all.remove(0).unwrap())
    }

    /// Creates a resource of the type it says.
    pub async fn create(&self, caller: &Caller, resource: Value) -> Receipt {
        self.one(caller, create(resource)).await.unwrap()
    }
}

pub fn create(resource: Value) -> Operation {
    let kind = fhir::definitions::resource_kind(resource.text("resourceType").unwrap()).unwrap();
    Operation::create(kind, resource)
}

pub fn put(id: &str, mut resource: Value, if_match: Option<u64>) -> Operation {
    resource.as_object_mut().unwrap().set("id", id);
    let kind = fhir::definitions::resource_kind(resource.text("resourceType").unwrap()).unwrap();
    Operation::update(kind, id.to_owned(), resource, if_match)
}

/// The nth synthetic fødselsnummer.
pub fn fnr(n: u32) -> String {
    number("018124", n)
}

/// The nth synthetic D-number.
pub fn dnr(n: u32) -> String {
    number("418124", n)
}

fn number(date: &str, n: u32) -> String {
    let nine = |i: u32| format!("{date}{i:03}");
    let mut all = (0..1000).filter_map(|i| complete_number(nine(i).as_bytes().try_into().unwrap()));
    all.nth(n as usize).unwrap()
}

/// A pulse.
pub fn pulse(number: &str, id: Option<&str>, beats: u32) -> Value {
    let identifier = id.map(|id| json!([{ "system": "urn:vendor", "value": id }]));
    json!({
        "resourceType": "Observation",
        "identifier": identifier,
        "status": "final",
        "category": [{ "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/observation-category",
            "code": "vital-signs",
        }] }],
        "code": { "coding": [{ "system": "http://loinc.org", "code": "8867-4" }] },
        "subject": { "identifier": { "system": FNR, "value": number } },
        "effectiveDateTime": "2026-03-02T10:00:00Z",
        "valueQuantity": {
            "value": beats,
            "unit": "/min",
            "system": "http://unitsofmeasure.org",
            "code": "/min",
        },
    })
}

/// A Patient with these numbers, each with its system.
pub fn patient(numbers: &[(&str, &str)], family: &str) -> Value {
    let identifier = |(system, value): &(&str, &str)| json!({ "system": *system, "value": *value });
    json!({
        "resourceType": "Patient",
        "identifier": numbers.iter().map(identifier).collect::<Vec<_>>(),
        "name": [{ "family": family, "given": ["Kari"] }],
    })
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn register() -> Register {
    let all = ["demographics", "services", "decisions", "measurements", "organisation"];
    let every: Vec<&str> = Catalogue::get().categories.iter().map(|it| it.key.as_str()).collect();
    let agreement = |source: &str, owner: &str, categories: &[&str]| Agreement {
        client_id: source.to_owned(),
        source: source.to_owned(),
        owner: owner.to_owned(),
        categories: owned(categories),
        valid_from: 0,
        valid_to: None,
        endpoints: Vec::new(),
    };
    Register {
        number: "9901".to_owned(),
        name: "Dalfjord kommune".to_owned(),
        organisation: MUNICIPALITY.to_owned(),
        identity_numbers: IdentityNumbers::Synthetic,
        purposes: ["COC", "TREAT", "ETREAT", "HOPERAT"].map(Use::from).to_vec(),
        units: vec![
            unit(OFFICE, "Tildelingskontoret", "case-office"),
            unit(WARD, "Korttidsavdelingen", "ward"),
        ],
        agreements: vec![
            agreement("plo", MUNICIPALITY, &all),
            agreement("lab", HOSPITAL, &all),
            agreement("app", MUNICIPALITY, &every),
        ],
        admins: vec![
            administers("admin-1", &[Duty::Register, Duty::Policies]),
            administers("admin-2", &[Duty::Register, Duty::Policies, Duty::PrivacyOfficer]),
            Admin { units: owned(&[WARD]), ..administers("leader", &[Duty::Leader]) },
            administers("officer-1", &[Duty::PrivacyOfficer]),
        ],
        roles: vec![
            role("saksbehandler", "case-office", "COC", &all, false),
            role("sykepleier", "ward", "TREAT", &["demographics", "measurements"], true),
            role("vakt", "ward", "ETREAT", &["demographics", "measurements"], false),
        ],
        ..Register::default()
    }
}

fn administers(who: &str, duties: &[Duty]) -> Admin {
    Admin {
        who: who.to_owned(),
        name: format!("Forvalter {who}"),
        duties: duties.to_vec(),
        units: Vec::new(),
    }
}

fn unit(organisation: &str, name: &str, kind: &str) -> Unit {
    Unit { organisation: organisation.to_owned(), name: name.to_owned(), kind: kind.to_owned() }
}

fn role(key: &str, kind: &str, purpose: &str, categories: &[&str], unit_list: bool) -> Role {
    Role {
        key: key.to_owned(),
        title: key.to_owned(),
        unit_kinds: owned(&[kind]),
        authorizations: Vec::new(),
        purposes: owned(&[purpose]),
        categories: owned(categories),
        unit_list,
    }
}

fn caller(client: &str, party: Party) -> Caller {
    Caller {
        client_id: client.to_owned(),
        organisation: Some(MUNICIPALITY.to_owned()),
        unit: None,
        supplier: None,
        token_id: "token-1".to_owned(),
        scopes: None,
        party,
    }
}

/// A source system: `plo` of the municipality, `lab` of the hospital, `app` of the municipality with
/// every category.
pub fn system(client: &str) -> Caller {
    caller(client, Party::System)
}

/// A person at work at the case office, with a fresh attest.
pub fn case_worker() -> Caller {
    at_work("Saksbehandler Vedtaksen", OFFICE, Purpose::Coordination)
}

/// The same person as [`nurse`], in an emergency.
pub fn in_emergency() -> Caller {
    at_work("Sykepleier Vaktsen", WARD, Purpose::EmergencyTreatment)
}

/// A person at work at the ward, with a fresh attest.
pub fn nurse() -> Caller {
    at_work("Sykepleier Vaktsen", WARD, Purpose::Treatment)
}

fn at_work(name: &str, unit: &str, purpose: Purpose) -> Caller {
    let attest = Attest {
        made_at: NOW,
        authorization: None,
        legal_entity: MUNICIPALITY.to_owned(),
        point_of_care: unit.to_owned(),
        department: None,
        healthcare_service: None,
        purpose,
        purpose_details: None,
        decision_ref: "decision-1".to_owned(),
        user_selected: false,
        names_another: false,
        patients: Vec::new(),
    };
    let practitioner = Practitioner {
        name: name.to_owned(),
        subject: "subject-1".to_owned(),
        hpr: None,
        hpr_professions: None,
        security_level: 4,
        attest: Some(attest),
    };
    caller("pages", Party::Practitioner(practitioner))
}

/// One of the two who administer, `admin-1` and `admin-2`, the second of whom also reviews; or a stranger.
pub fn admin(subject: &str) -> Caller {
    let practitioner = Practitioner {
        name: format!("Forvalter {subject}"),
        subject: subject.to_owned(),
        hpr: None,
        hpr_professions: None,
        security_level: 4,
        attest: None,
    };
    caller("admin", Party::Practitioner(practitioner))
}

/// The privacy officer, who attests no care relation.
pub fn officer() -> Caller {
    let mut officer = at_work("Personvernombud Logg", OFFICE, Purpose::Coordination);
    if let Party::Practitioner(practitioner) = &mut officer.party {
        practitioner.subject = "officer-1".to_owned();
        practitioner.attest = None;
    }
    officer
}

pub fn resident(number: &str) -> Caller {
    caller("pages", Party::Resident { number: number.to_owned(), name: "Innbygger".to_owned() })
}
