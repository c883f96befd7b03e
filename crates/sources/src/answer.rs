//! What comes of asking.

use fhir::value::Value;
use record::catalogue::CategoryKey;

/// What one source told of one category, or why it did not.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Key of the source, as configured.
    pub source: String,
    /// What people call it.
    pub title: String,
    /// Whether it is a national source.
    pub is_national: bool,
    /// Start of its addresses, without a slash at the end: origins link to it.
    pub base: String,
    /// Key of the category asked for.
    pub category: CategoryKey,
    /// What it told.
    pub outcome: Result<Found, Silence>,
}

/// What a source told.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The resources, of the types asked for, in its order.
    pub items: Vec<Value>,
    /// How many resources could not be used: of no type asked for, or not what FHIR R4 allows.
    pub unusable: usize,
    /// Whether the source has more than it told at once.
    pub has_more: bool,
    /// When it answered, milliseconds since 1970.
    pub at: i64,
}

/// A source that did not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Why.
    pub why: Why,
    /// When it last answered about this person, milliseconds since 1970, as far as this process knows.
    pub last: Option<i64>,
}

/// Why a source did not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// It did not come within its deadline.
    #[error("did not answer within {0} ms")]
    Late(u64),
    /// It could not be reached, or the answer broke off.
    #[error("could not be reached")]
    Unreached,
    /// It answered with an error of its own.
    #[error("answered with an error (HTTP {0})")]
    Failed(u16),
    /// It did not let the municipality in: a configuration or an agreement is missing.
    #[error("refused the municipality's access (HTTP {0})")]
    Refused(u16),
    /// It says that the person withholds what was asked for.
    #[error("says that the person withholds this")]
    Withheld,
    /// What it answered could not be understood.
    #[error("answered something that could not be understood")]
    Garbled,
    /// It answered about somebody else, and all of it was thrown away.
    #[error("answered about another person, and the answer was thrown away")]
    WrongPerson,
    /// It has failed several times and is left alone for a while.
    #[error("has failed several times and is asked again in {0} s")]
    Resting(u64),
    /// As many questions as it takes at once are already on their way.
    #[error("is busy with other questions")]
    Busy,
}

impl Why {
    /// A stable code for programs: texts may change.
    pub fn code(&self) -> &'static str {
        match self {
            Why::Late(_) => "late",
            Why::Unreached => "unreached",
            Why::Failed(_) => "failed",
            Why::Refused(_) => "refused",
            Why::Withheld => "withheld",
            Why::Garbled => "garbled",
            Why::WrongPerson => "wrong-person",
            Why::Resting(_) => "resting",
            Why::Busy => "busy",
        }
    }

    /// Whether it says that the source is out of order, which the breaker counts: a refusal is an answer.
    pub(crate) fn is_failure(&self) -> bool {
        matches!(self, Why::Late(_) | Why::Unreached | Why::Failed(_) | Why::Garbled)
    }
}
