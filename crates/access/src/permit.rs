//! Permits: the only keys to data. Fields are private and only
//! [`crate::decide`], [`crate::control`] and [`crate::rights`] build them.

use std::sync::Arc;

use record::catalogue::CategoryKey;
use record::identity::PersonId;
use record::purpose::Purpose;

use crate::restriction::Reader;
use crate::scopes::Granted;
use crate::standing::Standing;

/// Leave to read, already narrowed to what the caller needs. What the residents have withheld is
/// still to be taken away where it is not whole categories of one person: see
/// [`ReadPermit::withheld`] and [`ReadPermit::labels`].
#[derive(Clone, Debug)]
pub struct ReadPermit {
    pub(crate) reach: Reach,
    pub(crate) categories: Vec<CategoryKey>,
    pub(crate) owned_by: Option<(String, String)>,
    pub(crate) basis: Basis,
    pub(crate) labels: Labels,
    /// The reader, where restrictions bind one: a person at work.
    pub(crate) reader: Option<Reader>,
    /// When it was decided, milliseconds since 1970.
    pub(crate) at: i64,
    pub(crate) standing: Arc<Standing>,
    pub(crate) granted: Option<Vec<Granted>>,
    /// Categories that the person withholds, where the holder is not told that anything is.
    pub(crate) unsaid: Vec<CategoryKey>,
}

/// What one resident withholds from the holder of a permit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Withheld {
    /// Nothing.
    Nothing,
    /// Everything.
    Everything,
    /// Whatever is in any of these parts.
    Parts(Vec<Part>),
}

/// Something withheld. The members that are filled hold together: a record is withheld where it
/// is in one of the categories, and one of the items, and of the owner, and of the time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Keys of categories; empty means all.
    pub categories: Vec<CategoryKey>,
    /// Single resources, as type and id; empty means all.
    pub items: Vec<(String, String)>,
    /// Organisation number of the owner.
    pub owner: Option<String>,
    /// Clinical time from here, milliseconds since 1970.
    pub from: Option<i64>,
    /// Clinical time until here.
    pub to: Option<i64>,
}

impl Part {
    /// Whether it is the whole of its categories.
    pub fn is_of_whole_categories(&self) -> bool {
        self.items.is_empty() && self.owner.is_none() && self.from.is_none() && self.to.is_none()
    }
}

/// Which labelled records (kodeverk 9603, in `meta.security`) the holder does not get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Labels {
    /// None: a source's own.
    None,
    /// Those blocked for people at work.
    Personnel,
    /// Those denied the patient, and those delayed while the delay runs.
    Patient,
    /// As the patient's, and those denied parents.
    Parent,
}

impl Labels {
    /// Codes of kodeverk 9603 whose records the holder does not get. `NORU` counts while the delay
    /// it stands for runs.
    pub fn hidden(self) -> &'static [&'static str] {
        const PATIENT: &[&str] = &[
            "NORU", "NORN_FFL", "NORN_KUT", "NORN_EPO", "NORN_ALL", "NORN_FOR", "NORN_FFH",
            "NORN_FPB", "NORN_DUP", "NORN_ANG",
        ];
        const PARENT: &[&str] = &[
            "NORU",
            "NORN_FFL",
            "NORN_KUT",
            "NORN_EPO",
            "NORN_ALL",
            "NORN_FOR",
            "NORN_FFH",
            "NORN_FPB",
            "NORN_DUP",
            "NORN_ANG",
            "NORN_FORANS",
            "NORN_UNGDOM",
        ];
        match self {
            Labels::None => &[],
            Labels::Personnel => &["NORS"],
            Labels::Patient => PATIENT,
            Labels::Parent => PARENT,
        }
    }
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
    /// Key of the role: a register role, `system`, `resident` or what represents one (`parent`,
    /// `guardian`, `attorney`). Where several roles of the register opened it together, their keys
    /// joined by `+`.
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

    /// Whether a category is closed to the holder, as far as the holder may know: what a person withholds where
    /// that is not told is as if there were nothing in it.
    pub fn is_closed(&self, category: CategoryKey) -> bool {
        !self.categories.contains(&category) && !self.unsaid.contains(&category)
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

    /// Which labelled records the holder does not get, whosever they are.
    pub fn labels(&self) -> Labels {
        self.labels
    }

    /// What this person withholds from the holder, by what was in force when it was decided.
    pub fn withheld(&self, person: PersonId) -> Withheld {
        self.standing.withheld(self.reader.as_ref(), person, self.at)
    }

    /// The ledger position of the municipality's last decision that this one rests on.
    pub fn version(&self) -> u64 {
        self.standing.version()
    }

    /// Whether the holder is told that something is withheld.
    pub fn tells_withheld(&self) -> bool {
        self.standing.register().tells_withheld
    }
}

/// Leave to have others asked what they hold about one person. Opens nothing that is kept here.
#[derive(Clone, Debug)]
pub struct AskPermit {
    pub(crate) person: PersonId,
    pub(crate) read: ReadPermit,
}

/// What is known of a record that another holds, to tell whether it is withheld from the one who has it asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Elsewhere<'a> {
    /// Key of its category.
    pub category: &'a str,
    /// Organisation number of its owner, where it says so.
    pub owner: Option<&'a str>,
    /// Clinical time, milliseconds since 1970, where it has one.
    pub at: Option<i64>,
    /// Its codes of kodeverk 9603.
    pub labels: &'a [&'a str],
}

impl AskPermit {
    /// Whom others may be asked about.
    pub fn person(&self) -> PersonId {
        self.person
    }

    /// Keys of the categories that they may be asked about.
    pub fn categories(&self) -> &[CategoryKey] {
        &self.read.categories
    }

    /// As [`ReadPermit::is_closed`].
    pub fn is_closed(&self, category: CategoryKey) -> bool {
        self.read.is_closed(category)
    }

    /// Why; goes into the audit entry.
    pub fn basis(&self) -> &Basis {
        &self.read.basis
    }

    /// Whether the person withholds from the holder something that another holds. What it does not say of itself
    /// counts as withheld where that could decide it; single items are named by ids of this platform, and so are
    /// never of another's.
    pub fn withholds(&self, record: Elsewhere<'_>) -> bool {
        if record.labels.iter().any(|label| self.read.labels.hidden().contains(label)) {
            return true;
        }
        match self.read.withheld(self.person) {
            Withheld::Nothing => false,
            Withheld::Everything => true,
            Withheld::Parts(parts) => parts.iter().any(|part| part.may_hold(record)),
        }
    }
}

impl Part {
    /// Whether a record that another holds is of this part, or may be.
    fn may_hold(&self, record: Elsewhere<'_>) -> bool {
        let of_category = self.categories.is_empty() || self.categories.contains(&record.category);
        let of_owner = match (&self.owner, record.owner) {
            (Some(owner), Some(known)) => owner == known,
            _ => true,
        };
        let after = self.from.is_none_or(|from| record.at.is_none_or(|at| at >= from));
        let before = self.to.is_none_or(|to| record.at.is_none_or(|at| at <= to));
        self.items.is_empty() && of_category && of_owner && after && before
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
