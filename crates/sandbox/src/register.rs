//! What each municipality has decided: units, agreements with source systems, and roles.

use access::register::admin::{Admin, Duty};
use access::register::purposes::Use;
use access::register::{Agreement, IdentityNumbers, Register, Role, Unit};
use record::catalogue::{ACCESS, Catalogue};
use record::purpose::Purpose;

use crate::world::Municipality;
use crate::{claims, staff};

/// Name of the source system that documents services: the municipality's record system.
pub const PLO_EPJ: &str = "plo-epj";
/// Name of the source system of the wards' and home nurses' NEWS2 board.
pub const TAVLE: &str = "tavle";
/// Name of the source system of measurements at home (velferdsteknologisk knutepunkt).
pub const VKP: &str = "vkp";
/// Name of the source system of a vendor's developer: the system that is being built, for trying
/// any type of resource. It may deliver every category, and reads only what it delivered itself.
pub const UTVIKLER: &str = "utvikler";

/// When the agreements begin, 2015-01-01T00:00:00Z: before anything that is delivered.
const VALID_FROM: i64 = 1_420_070_400_000;

/// The register of a municipality. Everything a source delivers is owned by the municipality, which
/// is the controller whichever unit did the work.
pub fn register(municipality: &Municipality) -> Register {
    let unit = |site: &crate::world::Site| {
        Some(Unit {
            organisation: site.organisation?.to_owned(),
            name: site.name.to_owned(),
            kind: site.kind?.to_owned(),
        })
    };
    let agreement = |source: &str, categories: &[&str]| Agreement {
        client_id: municipality.client_id(source),
        source: source.to_owned(),
        owner: municipality.organisation().to_owned(),
        categories: owned(categories),
        valid_from: VALID_FROM,
        valid_to: None,
        endpoints: endpoints(source),
    };
    Register {
        number: municipality.number.to_owned(),
        name: municipality.name.to_owned(),
        organisation: municipality.organisation().to_owned(),
        identity_numbers: IdentityNumbers::Synthetic,
        purposes: [
            Purpose::Treatment,
            Purpose::EmergencyTreatment,
            Purpose::Coordination,
            Purpose::PatientRequest,
            Purpose::Delivery,
        ]
        .map(Use::from)
        .to_vec(),
        units: municipality.sites.iter().filter_map(unit).collect(),
        agreements: vec![
            agreement(
                PLO_EPJ,
                &[
                    "demographics",
                    "services",
                    "decisions",
                    "organisation",
                    "measurements",
                    "consents",
                ],
            ),
            agreement(TAVLE, &["demographics", "measurements"]),
            agreement(VKP, &["measurements"]),
            agreement(UTVIKLER, &every_category()),
        ],
        roles: roles(),
        admins: admins(municipality),
        ..Register::default()
    }
}

/// Where the platform may call: the developer's own machine.
fn endpoints(source: &str) -> Vec<String> {
    match source {
        UTVIKLER => owned(&["http://127.0.0.1"]),
        _ => Vec::new(),
    }
}

/// Two who administer, so that what asks for two persons can be tried, and who looks after privacy.
fn admins(municipality: &Municipality) -> Vec<Admin> {
    let admin = |role: &str, duties: &[Duty]| {
        Some(Admin {
            who: claims::subject(municipality, role),
            name: staff::in_role(role)?.name(),
            duties: duties.to_vec(),
            units: Vec::new(),
        })
    };
    let forvalter = admin("forvalter", &[Duty::Register, Duty::Policies]);
    let every = [Duty::Register, Duty::Policies, Duty::PrivacyOfficer];
    let reviewer = admin(staff::PRIVACY_OFFICER.role, &[Duty::PrivacyOfficer]);
    forvalter.into_iter().chain(admin("sikkerhetsleder", &every)).chain(reviewer).collect()
}

/// What a source system may deliver at all.
fn every_category() -> Vec<&'static str> {
    let categories = Catalogue::get().categories.iter();
    categories.map(|category| category.key.as_str()).filter(|key| *key != ACCESS).collect()
}

fn roles() -> Vec<Role> {
    vec![
        Role {
            key: "legevaktslege".to_owned(),
            title: "Legevaktslege".to_owned(),
            unit_kinds: owned(&["legevakt"]),
            authorizations: owned(&["LE"]),
            purposes: codes(&[Purpose::Treatment, Purpose::EmergencyTreatment]),
            categories: owned(&[
                "demographics",
                "services",
                "decisions",
                "measurements",
                "organisation",
                "critical",
                "medications",
                "problems",
                "results",
                "documents",
            ]),
            unit_list: false,
        },
        Role {
            key: "sykepleier".to_owned(),
            title: "Sykepleier eller helsefagarbeider".to_owned(),
            unit_kinds: owned(&["ward", "home-care"]),
            authorizations: owned(&["SP", "HF"]),
            purposes: codes(&[Purpose::Treatment]),
            categories: owned(&["demographics", "services", "measurements", "organisation"]),
            unit_list: true,
        },
        Role {
            key: "saksbehandler".to_owned(),
            title: "Saksbehandler på tildelingskontoret".to_owned(),
            unit_kinds: owned(&["case-office"]),
            authorizations: Vec::new(),
            purposes: codes(&[Purpose::Coordination]),
            categories: owned(&["demographics", "services", "decisions", "organisation"]),
            unit_list: false,
        },
    ]
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn codes(purposes: &[Purpose]) -> Vec<String> {
    purposes.iter().map(|purpose| purpose.code().to_owned()).collect()
}
