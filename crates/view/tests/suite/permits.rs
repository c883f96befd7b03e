//! Permits, as the decision builds them for a small register.

use std::sync::Arc;

use access::caller::{Attest, Caller, Party, Practitioner};
use access::decide::{About, ReadRequest, decide_read};
use access::permit::ReadPermit;
use access::register::purposes::Use;
use access::register::{Agreement, IdentityNumbers, Register, Role, Unit};
use access::restriction::Restriction;
use access::standing::{PersonStanding, Standing};
use record::catalogue::Catalogue;
use record::identity::PersonId;
use record::purpose::Purpose;

use crate::town::START;

pub const MUNICIPALITY: &str = "999977774";
pub const WARD: &str = "810000025";
/// Every source of the municipality, each with an agreement on every category.
pub const SOURCES: [&str; 2] = ["plo-epj", "tavle"];

/// When decisions are made and questions asked: the day after everything was recorded.
pub const NOW: i64 = START + 86_400_000;

pub fn keys() -> Vec<&'static str> {
    Catalogue::get().categories.iter().map(|category| category.key.as_str()).collect()
}

fn register() -> Register {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    Register {
        number: "9901".to_owned(),
        name: "Dalfjord kommune".to_owned(),
        organisation: MUNICIPALITY.to_owned(),
        identity_numbers: IdentityNumbers::Synthetic,
        purposes: ["TREAT", "HOPERAT"].map(Use::from).to_vec(),
        units: vec![Unit {
            organisation: WARD.to_owned(),
            name: "Dalheim sykehjem".to_owned(),
            kind: "ward".to_owned(),
        }],
        agreements: SOURCES
            .iter()
            .map(|source| Agreement {
                client_id: (*source).to_owned(),
                source: (*source).to_owned(),
                owner: MUNICIPALITY.to_owned(),
                categories: owned(&keys()),
                valid_from: 0,
                valid_to: None,
                endpoints: Vec::new(),
            })
            .collect(),
        roles: vec![Role {
            key: "sykepleier".to_owned(),
            title: "Sykepleier".to_owned(),
            unit_kinds: owned(&["ward"]),
            authorizations: Vec::new(),
            purposes: owned(&["TREAT"]),
            categories: owned(&keys()),
            unit_list: true,
        }],
        ..Register::default()
    }
}

fn decide(
    party: Party,
    client: &str,
    resident: Option<PersonId>,
    about: About,
    categories: &[&'static str],
) -> ReadPermit {
    let standing = Standing::new(register()).unwrap();
    decide_by(standing, party, client, resident, about, categories)
}

fn decide_by(
    standing: Standing,
    party: Party,
    client: &str,
    resident: Option<PersonId>,
    about: About,
    categories: &[&'static str],
) -> ReadPermit {
    let caller = Caller {
        client_id: client.to_owned(),
        organisation: Some(MUNICIPALITY.to_owned()),
        unit: None,
        supplier: None,
        token_id: "token-1".to_owned(),
        scopes: None,
        party,
    };
    let request = ReadRequest::new(about, categories);
    decide_read(&caller, resident, &Arc::new(standing), &request, NOW).unwrap()
}

/// One person, these categories.
pub fn of_person(person: PersonId, categories: &[&'static str]) -> ReadPermit {
    let party = Party::Resident { number: String::new(), name: "Innbygger".to_owned() };
    decide(party, "pages", Some(person), About::Person(person), categories)
}

/// What a source recorded itself.
pub fn of_source(source: &str, categories: &[&'static str]) -> ReadPermit {
    decide(Party::System, source, None, About::Unnamed, categories)
}

/// What a source recorded itself about one person.
pub fn of_source_on(source: &str, person: PersonId, categories: &[&'static str]) -> ReadPermit {
    decide(Party::System, source, None, About::Person(person), categories)
}

/// The patients of the ward.
pub fn of_ward(categories: &[&'static str]) -> ReadPermit {
    decide(nurse(), "pages", None, About::OwnUnit, categories)
}

/// What a nurse may see while persons have these restrictions: of the ward, or of one person.
pub fn of_nurse(
    restricted: &[(PersonId, Vec<Restriction>)],
    about: About,
    categories: &[&'static str],
) -> ReadPermit {
    let standing = restricted.iter().cloned().fold(
        Standing::new(register()).unwrap(),
        |standing, (person, restrictions)| {
            standing
                .with_person(person, PersonStanding { restrictions, ..PersonStanding::default() })
        },
    );
    decide_by(standing, nurse(), "pages", None, about, categories)
}

fn nurse() -> Party {
    let attest = Attest {
        made_at: NOW,
        authorization: None,
        legal_entity: MUNICIPALITY.to_owned(),
        point_of_care: WARD.to_owned(),
        department: None,
        healthcare_service: None,
        purpose: Purpose::Treatment,
        purpose_details: None,
        decision_ref: "decision-1".to_owned(),
        user_selected: false,
        names_another: false,
        patients: Vec::new(),
    };
    let practitioner = Practitioner {
        name: "Sykepleier Pleiesen".to_owned(),
        subject: "subject-1".to_owned(),
        hpr: None,
        hpr_professions: None,
        security_level: 4,
        attest: Some(attest),
    };
    Party::Practitioner(practitioner)
}
