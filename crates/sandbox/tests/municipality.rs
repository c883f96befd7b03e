//! What a municipality has decided, tried with the access rules it is made for.

use std::sync::Arc;

use access::caller::{Attest, Caller, Party, Practitioner};
use access::decide::{About, ReadRequest, decide_read, decide_write};
use access::standing::Standing;
use record::catalogue::{ACCESS, Catalogue};
use record::identity::PersonId;
use record::purpose::Purpose;
use sandbox::register::register;
use sandbox::staff::{STAFF, Staff};
use sandbox::world::{self, Municipality, municipalities};

const NOW: i64 = 1_795_424_400_000;

fn at_work(municipality: &Municipality, staff: &Staff) -> Caller {
    let point_of_care = municipality.organisation_of(staff.site).to_owned();
    let purpose =
        if staff.site == world::CASE_OFFICE { Purpose::Coordination } else { Purpose::Treatment };
    Caller {
        client_id: "viewer".to_owned(),
        organisation: Some(municipality.organisation().to_owned()),
        unit: Some(point_of_care.clone()),
        supplier: None,
        token_id: "t".to_owned(),
        scopes: None,
        party: Party::Practitioner(Practitioner {
            name: staff.name(),
            subject: "s".to_owned(),
            hpr: staff.hpr.map(str::to_owned),
            hpr_professions: None,
            security_level: 4,
            attest: Some(Attest {
                made_at: NOW,
                authorization: staff.authorization.map(str::to_owned),
                legal_entity: municipality.organisation().to_owned(),
                point_of_care,
                department: None,
                healthcare_service: None,
                purpose,
                purpose_details: None,
                decision_ref: "d".to_owned(),
                user_selected: false,
                names_another: false,
                patients: Vec::new(),
            }),
        }),
    }
}

#[test]
fn everybody_at_work_may_read_services_and_only_nurses_their_list() {
    for municipality in municipalities() {
        let standing = Arc::new(Standing::new(register(municipality)).unwrap());
        for staff in STAFF.iter().filter(|staff| staff.site != world::KOMMUNE) {
            let caller = at_work(municipality, staff);
            let read = |about, categories: &[&'static str]| {
                decide_read(&caller, None, &standing, &ReadRequest::new(about, categories), NOW)
            };
            let person = About::Person(PersonId([7; 16]));
            assert!(read(person, &["demographics", "services"]).is_ok(), "{}", staff.role);
            let decides = matches!(staff.role, "legevaktslege" | "saksbehandler");
            assert_eq!(read(person, &["decisions"]).is_ok(), decides, "{}", staff.role);
            assert_eq!(read(About::OwnUnit, &["services"]).is_ok(), !decides, "{}", staff.role);
            let measures = staff.role != "saksbehandler";
            assert_eq!(read(person, &["measurements"]).is_ok(), measures, "{}", staff.role);
        }
    }
}

/// What the sources of the stories deliver.
const AGREED: [&str; 6] =
    ["demographics", "services", "decisions", "organisation", "measurements", "consents"];

#[test]
fn each_source_delivers_what_is_agreed_and_nothing_else() {
    let municipality = &municipalities()[0];
    let standing = Standing::new(register(municipality)).unwrap();
    let may = |source: &str, category: &str| {
        let caller = Caller {
            client_id: municipality.client_id(source),
            organisation: Some(municipality.organisation().to_owned()),
            unit: None,
            supplier: None,
            token_id: "t".to_owned(),
            scopes: None,
            party: Party::System,
        };
        let category = Catalogue::get().category(category).unwrap();
        decide_write(&caller, &standing, category, None, NOW).is_ok()
    };
    assert!(may("plo-epj", "services") && may("plo-epj", "organisation"));
    assert!(may("tavle", "measurements") && !may("tavle", "services"));
    assert!(may("vkp", "measurements") && !may("vkp", "demographics"));
    assert!(!may("ukjent", "measurements"));
    for category in &Catalogue::get().categories {
        assert_eq!(may("utvikler", &category.key), category.key != ACCESS, "{}", category.key);
        let few = may("plo-epj", &category.key) || may("tavle", &category.key);
        assert!(!few || AGREED.contains(&category.key.as_str()), "{}", category.key);
    }
}
