//! Permits: the only keys to data. Fields are private and only [`crate::decide`] builds them.

use record::identity::PersonId;
use record::purpose::Purpose;

use crate::scopes::Granted;

/// Leave to read, already narrowed to what the caller needs.
#[derive(Clone, Debug)]
pub struct ReadPermit {
    pub(crate) reach: Reach,
    pub(crate) categories: Vec<&'static str>,
    pub(crate) owned_by: Option<(String, String)>,
    pub(crate) basis: Basis,
    pub(crate) granted: Option<Vec<Granted>>,
}

/// Whose records a permit opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// One person.
    Person(PersonId),
    /// Those who have an active service at this unit.
    Unit {
        /// Organisation number.
        unit: String,
        /// When it was decided, milliseconds since 1970: a service that had ended opens nothing.
        at: i64,
    },
    /// Every record that the other limits let through.
    Any,
}

/// Why a permit was given; goes into the audit entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basis {
    /// Purpose of use.
    pub purpose: Purpose,
    /// Key of the role: a register role, `system` or `resident`. Where several roles of the
    /// register opened it together, their keys joined by `+`.
    pub role: String,
    /// Details of the purpose, where the attest has them.
    pub purpose_details: Option<String>,
    /// The attest's decision reference.
    pub decision_ref: Option<String>,
    /// Whether the caller authorised themself.
    pub user_selected: bool,
}

impl Basis {
    /// A source system delivering what it documented.
    pub fn delivery() -> Self {
        Self {
            purpose: Purpose::Delivery,
            role: "system".to_owned(),
            purpose_details: None,
            decision_ref: None,
            user_selected: false,
        }
    }
}

impl ReadPermit {
    /// Whose records.
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Keys of the categories it opens.
    pub fn categories(&self) -> &[&'static str] {
        &self.categories
    }

    /// Where set, only records of this owner and source.
    pub fn owned_by(&self) -> Option<(&str, &str)> {
        self.owned_by.as_ref().map(|(owner, source)| (owner.as_str(), source.as_str()))
    }

    /// Where set, only what lies within one of these: the token's scopes leave no more open.
    pub fn granted(&self) -> Option<&[Granted]> {
        self.granted.as_deref()
    }

    /// Why.
    pub fn basis(&self) -> &Basis {
        &self.basis
    }
}

/// Leave to record on behalf of an owner.
#[derive(Clone, Debug)]
pub struct WritePermit {
    pub(crate) source: String,
    pub(crate) owner: String,
    pub(crate) category: &'static str,
}

impl WritePermit {
    /// The source every entry carries.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The owner every entry carries.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Key of the category it covers.
    pub fn category(&self) -> &'static str {
        self.category
    }
}
