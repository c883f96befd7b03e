//! The people at work whose names stand in tokens and on measurements.

use jiff::civil::{Date, date};

use crate::people::{self, Gender};
use crate::world::{self, Municipality};

/// Somebody at work.
#[derive(Clone, Debug)]
pub struct Staff {
    /// Key of the role; most of them can be chosen for signing in.
    pub role: &'static str,
    /// First name.
    pub given: &'static str,
    /// Surname.
    pub family: &'static str,
    gender: Gender,
    birth: Date,
    /// HPR number; `None` for those without an authorisation.
    pub hpr: Option<&'static str>,
    /// Profession, kodeverk 9060.
    pub authorization: Option<&'static str>,
    /// Key of the site where the person works.
    pub site: &'static str,
}

/// Everybody at work, the same in both municipalities.
pub static STAFF: [Staff; 6] = [
    Staff {
        role: "legevaktslege",
        given: "Maja",
        family: "Fjellstad",
        gender: Gender::Woman,
        birth: date(1984, 3, 17),
        hpr: Some("222900011"),
        authorization: Some("LE"),
        site: world::LEGEVAKT,
    },
    Staff {
        role: "sykepleier",
        given: "Jonas",
        family: "Hellebust",
        gender: Gender::Man,
        birth: date(1991, 9, 5),
        hpr: Some("222900029"),
        authorization: Some("SP"),
        site: world::KAD,
    },
    Staff {
        role: "korttidssykepleier",
        given: "Amina",
        family: "Viken",
        gender: Gender::Woman,
        birth: date(1988, 11, 23),
        hpr: Some("222900037"),
        authorization: Some("SP"),
        site: world::SHORT_STAY,
    },
    Staff {
        role: "hjemmesykepleier",
        given: "Turid",
        family: "Sletten",
        gender: Gender::Woman,
        birth: date(1979, 6, 2),
        hpr: Some("222900045"),
        authorization: Some("SP"),
        site: "sone-1",
    },
    Staff {
        role: "sykehjemssykepleier",
        given: "Oddvar",
        family: "Kvist",
        gender: Gender::Man,
        birth: date(1982, 12, 11),
        hpr: Some("222900053"),
        authorization: Some("SP"),
        site: world::NURSING_HOME_UNIT,
    },
    Staff {
        role: "saksbehandler",
        given: "Henning",
        family: "Rosseland",
        gender: Gender::Man,
        birth: date(1973, 1, 28),
        hpr: None,
        authorization: None,
        site: world::CASE_OFFICE,
    },
];

/// The municipality's privacy officer, who reads the log and nothing else.
pub static PRIVACY_OFFICER: Staff = Staff {
    role: "personvernombud",
    given: "Sigrun",
    family: "Nesse",
    gender: Gender::Woman,
    birth: date(1968, 5, 9),
    hpr: None,
    authorization: None,
    site: world::KOMMUNE,
};

impl Staff {
    /// Identity number. Nobody else has one of that day with serial 0 except in a story, and no
    /// story's person shares a birth date with somebody at work.
    pub fn number(&self) -> String {
        people::number(self.birth, self.gender, 0).unwrap_or_default()
    }

    /// First name and surname.
    pub fn name(&self) -> String {
        format!("{} {}", self.given, self.family)
    }
}

/// The person in this role.
pub fn in_role(role: &str) -> Option<&'static Staff> {
    STAFF.iter().chain([&PRIVACY_OFFICER]).find(|staff| staff.role == role)
}

/// Who measures at a site: its own nurse or that of the unit it belongs to, else the home nurse.
pub fn measurer(municipality: &Municipality, site: &str) -> Option<&'static Staff> {
    municipality
        .chain(site)
        .find_map(|site| STAFF.iter().find(|staff| staff.site == site.key && staff.hpr.is_some()))
        .or_else(|| in_role("hjemmesykepleier"))
}
