//! The two municipalities and their organisation trees.
//!
//! Both have the same kinds of sites under the same keys; names and numbers differ.

use crate::tree;

/// A synthetic municipality.
#[derive(Debug)]
pub struct Municipality {
    /// Municipality number, four digits.
    pub number: &'static str,
    /// The number as a number, for naming random streams.
    pub stream: u64,
    /// Name, such as `Dalfjord kommune`.
    pub name: &'static str,
    /// Post town.
    pub town: &'static str,
    /// Postcode; none of Posten's.
    pub postcode: &'static str,
    /// Streets of the municipality.
    pub streets: &'static [&'static str],
    /// The organisation tree, parents before children; the municipality itself first.
    pub sites: &'static [Site],
}

/// A node of the organisation tree.
#[derive(Debug)]
pub struct Site {
    /// Key, the same in both municipalities.
    pub key: &'static str,
    /// Key of the parent; `None` for the municipality.
    pub parent: Option<&'static str>,
    /// Name.
    pub name: &'static str,
    /// Telephone as shown.
    pub phone: &'static str,
    /// Organisation number, for legal entities and sub-units in Enhetsregisteret.
    pub organisation: Option<&'static str>,
    /// What kind of unit people work in (`access::register::Unit::kind`), if it is one.
    pub kind: Option<&'static str>,
    /// Place in the tree as OKT writes it, such as `1.1.2`.
    pub level: &'static str,
}

/// Both municipalities.
pub fn municipalities() -> &'static [Municipality] {
    &tree::MUNICIPALITIES
}

/// The municipality with this number.
pub fn municipality(number: &str) -> Option<&'static Municipality> {
    municipalities().iter().find(|municipality| municipality.number == number)
}

impl Municipality {
    /// The site with this key.
    pub fn site(&self, key: &str) -> Option<&'static Site> {
        self.sites.iter().find(|site| site.key == key)
    }

    /// The logical id that a site's `Organization` has.
    pub fn site_id(&self, site: &Site) -> String {
        format!("{}-{}", self.number, site.key)
    }

    /// The site with this key and its parents, the site first.
    pub fn chain(&self, key: &str) -> impl Iterator<Item = &'static Site> {
        std::iter::successors(self.site(key), |site| site.parent.and_then(|key| self.site(key)))
    }

    /// The organisation number that a site acts under: its own or its nearest parent's.
    pub fn organisation_of(&self, key: &str) -> &'static str {
        self.chain(key).find_map(|site| site.organisation).unwrap_or_default()
    }

    /// The municipality's own organisation number.
    pub fn organisation(&self) -> &'static str {
        self.organisation_of(KOMMUNE)
    }

    /// The client id of a source system in this municipality: one client per system instance and
    /// municipality, as HelseID requires of VKP systems.
    pub fn client_id(&self, source: &str) -> String {
        format!("{source}-{}", self.number)
    }
}

/// Key of the municipality itself.
pub const KOMMUNE: &str = "kommune";
/// Keys of the home-care zones.
pub const ZONES: [&str; 3] = ["sone-1", "sone-2", "sone-3"];
/// Key of the municipal acute ward (kommunal øyeblikkelig hjelp, KAD).
pub const KAD: &str = "kad";
/// Key of the short-stay ward.
pub const SHORT_STAY: &str = "korttid";
/// Keys of the nursing home's departments.
pub const NURSING_HOME: [&str; 2] = ["sykehjem-1", "sykehjem-2"];
/// Key of the nursing home.
pub const NURSING_HOME_UNIT: &str = "sykehjem";
/// Key of the out-of-hours clinic.
pub const LEGEVAKT: &str = "legevakt";
/// Key of the office that decides on services.
pub const CASE_OFFICE: &str = "tildeling";
/// Key of the day centre.
pub const DAY_CENTRE: &str = "dagsenter";
/// Key of the centre that answers safety alarms.
pub const ALARM_CENTRE: &str = "trygghet";
/// Key of home care as a whole.
pub const HOME_CARE: &str = "hjemmetjenesten";
