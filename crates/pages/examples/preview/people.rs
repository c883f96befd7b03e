//! Made-up people, services and looks.

use access::restriction::{Against, Restriction, What};
use exchange::answer::{
    AccessLine, DecisionLine, Incomplete, Overview, PatientHeader, ServiceLine, ServiceStatus, Site,
};
use exchange::control::Restricted;
use exchange::rights::list::Listed;
use exchange::rights::task::Case;
use pages::layout::{Area, Session};
use pages::signin::{Choice, Problem, SignIn};
use record::identity::PersonId;
use record::rights::{Right, Status};

const HOUR: i64 = 60 * 60 * 1000;

/// Somebody signed in at Dalfjord.
pub fn session(name: &str, role: &str, areas: &[Area]) -> Session {
    Session {
        name: name.to_owned(),
        role: role.to_owned(),
        municipality: "Dalfjord kommune".to_owned(),
        number: "9901".to_owned(),
        areas: areas.to_vec(),
        synthetic: true,
    }
}

/// A patient by a made-up number.
pub fn patient(id: u8, name: &str, born: &str, number: &str) -> PatientHeader {
    PatientHeader {
        person: PersonId([id; 16]),
        name: Some(name.to_owned()),
        number: Some(number.to_owned()),
        birth_date: Some(born.to_owned()),
        gender: Some(if id.is_multiple_of(2) { "male" } else { "female" }.to_owned()),
        address: Some("Fjordveien 12, 9901 Dalfjord".to_owned()),
        phone: Some("+47 900 00 000".to_owned()),
    }
}

fn site(name: &str, phone: Option<&str>) -> Site {
    Site { name: name.to_owned(), phone: phone.map(str::to_owned) }
}

fn line(title: &str, status: ServiceStatus, updated_at: i64) -> ServiceLine {
    ServiceLine {
        id: title.to_lowercase(),
        status,
        code: None,
        title: title.to_owned(),
        local_text: None,
        stay: None,
        hours_per_week: None,
        extent_text: None,
        start: Some("2024-02-05".to_owned()),
        revision: None,
        end: None,
        sites: vec![
            site("Hjemmetjenesten sone Indre", Some("+47 55 55 12 34")),
            site("Hjemmetjenester Dalfjord", None),
            site("Dalfjord kommune", Some("+47 55 55 10 00")),
        ],
        owner: "999999901".to_owned(),
        owner_name: Some("Dalfjord kommune".to_owned()),
        source: "plo-epj".to_owned(),
        updated_at,
        decision: None,
    }
}

/// Four services, two of them over.
pub fn overview() -> Overview {
    let now = super::NOW;
    let decision = |text: &str| DecisionLine {
        id: "v1".to_owned(),
        status: "active".to_owned(),
        decided: Some("2025-10-30".to_owned()),
        text: Some(text.to_owned()),
    };
    let stay = [site("Dalfjord helsetun, korttidsavdelingen", Some("55 55 13 00"))];
    Overview {
        patient: patient(1, "Astrid Lunde", "1941-03-14", "14834112345"),
        active: vec![
            ServiceLine {
                local_text: Some("Hjemmesykepleie morgen og kveld".to_owned()),
                hours_per_week: Some(12.5),
                extent_text: Some("to besøk daglig".to_owned()),
                revision: Some("2026-02-05".to_owned()),
                decision: Some(decision(
                    "Hjelp til morgenstell, medisiner og sårstell. To ansatte ved forflytning.",
                )),
                ..line("Helsetjenester i hjemmet", ServiceStatus::Active, now - 3 * HOUR)
            },
            line("Trygghetsalarm", ServiceStatus::Active, now - 40 * 24 * HOUR),
            ServiceLine {
                stay: Some("Korttidsopphold".to_owned()),
                start: Some("2025-12-01".to_owned()),
                end: Some("2025-12-21".to_owned()),
                sites: stay.to_vec(),
                ..line(
                    "Tidsbegrenset opphold – utredning/behandling",
                    ServiceStatus::Planned,
                    now - 26 * HOUR,
                )
            },
        ],
        ended: vec![
            ServiceLine {
                end: Some("2025-06-30".to_owned()),
                sites: Vec::new(),
                ..line("Matombringing", ServiceStatus::Finished, now - 145 * 24 * HOUR)
            },
            line("Støttekontakt", ServiceStatus::Cancelled, now - 300 * 24 * HOUR),
        ],
        incomplete: vec![Incomplete::Record { position: 41 }],
    }
}

/// Somebody without services, not even a name.
pub fn empty_overview() -> Overview {
    Overview {
        patient: PatientHeader {
            name: None,
            birth_date: None,
            gender: None,
            address: None,
            phone: None,
            ..patient(9, "", "", "01815512345")
        },
        active: Vec::new(),
        ended: Vec::new(),
        incomplete: Vec::new(),
    }
}

/// Looks, one of them refused.
pub fn looks(now: i64) -> Vec<AccessLine> {
    let look =
        |hours: i64, who: &str, role: &str, organisation: &str, purpose: &str, action: &str| {
            AccessLine {
                position: hours.unsigned_abs(),
                is_person: role != "system",
                at: now - hours * HOUR,
                who: who.to_owned(),
                role: role.to_owned(),
                organisation: organisation.to_owned(),
                purpose: purpose.to_owned(),
                action: action.to_owned(),
                categories: vec!["services".to_owned(), "measurements".to_owned()],
                refused: None,
                profession: (role == "legevaktslege").then(|| "LE".to_owned()),
                resources: 4,
            }
        };
    let legevakt = "Dalfjord legevakt";
    vec![
        look(2, "Sunniva Granli", "legevaktslege", legevakt, "ETREAT", "overview"),
        AccessLine {
            refused: Some("category-not-for-role".to_owned()),
            categories: vec!["measurements".to_owned()],
            ..look(30, "Jon Skar", "saksbehandler", "Tjenestekontoret", "COC", "news2")
        },
        look(31, "dho-hjemme", "system", "Dalfjord kommune", "HOPERAT", "create"),
        look(75, "Tor Heggelund", "sykepleier", "Dalfjord helsetun", "TREAT", "board"),
    ]
}

/// A restriction of each sort that a page tells apart.
pub fn restricted(now: i64) -> Vec<Restricted> {
    let one = |id: &str, against: Against, what: What, can_lift: bool| Restricted {
        restriction: Restriction {
            id: id.to_owned(),
            against,
            what,
            valid_from: None,
            valid_to: None,
            in_emergency: id == "a",
        },
        display: Some("Jon Skar".to_owned()),
        since: now - 3 * HOUR,
        can_lift,
    };
    let some = |key: &str| What { categories: vec![key.to_owned()], ..What::default() };
    let day = 24 * HOUR;
    let time = What { from: Some(now - 9 * day), to: Some(now - 2 * day), ..What::default() };
    let item = ("EpisodeOfCare".to_owned(), "unknown".to_owned());
    let item = What { items: vec![item], ..What::default() };
    vec![
        one("a", Against::Everyone, What::default(), true),
        one("b", Against::Practitioner("222900011".to_owned()), some("measurements"), true),
        one("c", Against::Profession("SP".to_owned()), time, true),
        one("d", Against::Service("15".to_owned()), item, true),
        one("e", Against::Organisation("999977774".to_owned()), some("services"), false),
    ]
}

/// What the sign-in page offers.
pub fn choices(problem: Option<Problem>) -> SignIn {
    let choice = |value: &str, title: &str, hint: &str| Choice {
        value: value.to_owned(),
        title: title.to_owned(),
        hint: hint.to_owned(),
    };
    SignIn {
        municipalities: vec![
            choice("9901", "Dalfjord kommune", "Kommunenummer 9901"),
            choice("9902", "Granfjelldal kommune", "Kommunenummer 9902"),
        ],
        roles: vec![
            choice(
                "legevaktslege",
                "Lege på legevakten",
                "Ser tjenester og målinger for én pasient",
            ),
            choice("sykepleier", "Sykepleier", "Følger pasientene på avdelingens NEWS2-tavle"),
            choice("saksbehandler", "Saksbehandler", "Ser tjenester og vedtak"),
            choice("innbygger", "Innbygger", "Ser sine egne opplysninger og hvem som har sett dem"),
        ],
        residents: vec![
            choice("14834112345", "Astrid Lunde (84)", "Kols og hjemmetjeneste, høy normal NEWS2"),
            choice("02825512345", "Arne Moen (70)", "Blir dårligere på korttidsavdelingen"),
        ],
        problem,
    }
}

/// A request in each state that a page tells apart.
pub fn asked() -> Vec<Listed> {
    let step = |said: &str| {
        ("2026-10-04T09:00:00Z".to_owned(), "Personvernombud Logg".to_owned(), said.to_owned())
    };
    let one = |id: &str, right: Right, status: Status, is_overdue: bool| Listed {
        id: id.to_owned(),
        version: 7,
        person: Some(PersonId([1; 16])),
        is_overdue,
        case: Case {
            right,
            status,
            item: None,
            text: "Jeg bruker <ikke> rullator & har aldri gjort det.".to_owned(),
            owner: "Dalfjord kommune".to_owned(),
            authored: 0,
            received: "2026-10-03".to_owned(),
            due: "2026-11-03".to_owned(),
            extended: false,
            reason: (status == Status::Rejected).then(|| "Det er bruk for den.".to_owned()),
            steps: vec![step("receive"), step("reject: Det er bruk for den.")],
        },
    };
    vec![
        one("a", Right::Rectification, Status::InProgress, true),
        one("b", Right::Erasure, Status::Rejected, false),
        one("c", Right::Copy, Status::Requested, false),
    ]
}
