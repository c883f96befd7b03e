//! Why a request was not carried out, in one enum. Messages name places and rules, never persons.

use access::refusal::Refusal;
use fhir::issue::{Issue, IssueCode};

/// Why not.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    /// The request cannot be read at all.
    #[error("the request cannot be read")]
    Malformed(Vec<Issue>),
    /// The content breaks a rule.
    #[error("the content breaks a rule")]
    Invalid(Vec<Issue>),
    /// The access decision was against.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// It contradicts what is stored.
    #[error("it contradicts what is stored")]
    Conflict(Issue),
    /// The version named in `If-Match` is not the current one.
    #[error("the resource has another version than `If-Match` names")]
    Precondition,
    /// `If-None-Match: *` asks for a new resource, and there is one.
    #[error("there is such a resource already, and `If-None-Match: *` asks for a new one")]
    Exists,
    /// A condition finds more than one resource.
    #[error("several resources match the condition; narrow it until it finds one")]
    Several,
    /// A condition finds nothing where it must find one.
    #[error("no resource of yours matches the condition")]
    Unmatched,
    /// A failure of one entry that refuses the whole.
    #[error("{failure}")]
    Within {
        /// FHIRPath of the entry, such as `Bundle.entry[3]`.
        location: String,
        /// What is wrong there.
        failure: Box<Failure>,
    },
    /// The resource was removed by its owner; the version is that of the removal.
    #[error("the resource was removed")]
    Removed(u64),
    /// No such resource.
    #[error("there is no such resource")]
    NotFound,
    /// There is nothing by the name that the request gives.
    #[error("the request names something that is not here")]
    Unknown(Issue),
    /// The resource was removed by its owner.
    #[error("the resource was removed")]
    Gone,
    /// The resource was erased for good.
    #[error("the record was erased for good")]
    Erased,
    /// Another server recorded something, here, that the request was not judged against.
    #[error("something was recorded meanwhile by another server; try again")]
    Overtaken(u64),
    /// Queues are full.
    #[error("too much at once; try again shortly")]
    Busy,
    /// The disk is nearly full: what is there is still read.
    #[error("the disk is nearly full, and nothing was stored; send it again when there is room")]
    NoRoom,
    /// Nothing can be stored until the server is started anew: what is there is still read.
    #[error(
        "nothing can be stored until the server has been looked at and started anew; what was not acknowledged is to be sent again"
    )]
    Stopped,
    /// A part of the platform is out of order; nothing was answered or stored half-way.
    #[error("the platform cannot answer now: {0}")]
    Unavailable(String),
}

/// What kind of failure, for the edge to map once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// The request is malformed.
    Malformed,
    /// The content is refused.
    Invalid,
    /// Not allowed.
    Refused,
    /// In conflict with what is stored.
    Conflict,
    /// A precondition does not hold.
    Precondition,
    /// Not there.
    NotFound,
    /// No longer there.
    Gone,
    /// Try again.
    Busy,
    /// Out of order.
    Unavailable,
}

impl Failure {
    /// The category.
    pub fn category(&self) -> Category {
        match self {
            Failure::Malformed(_) => Category::Malformed,
            Failure::Invalid(_) => Category::Invalid,
            Failure::Refused(_) => Category::Refused,
            Failure::Conflict(_) => Category::Conflict,
            Failure::Precondition | Failure::Exists | Failure::Several | Failure::Unmatched => {
                Category::Precondition
            }
            Failure::Within { failure, .. } => failure.category(),
            Failure::NotFound | Failure::Unknown(_) => Category::NotFound,
            Failure::Gone | Failure::Erased | Failure::Removed(_) => Category::Gone,
            Failure::Busy | Failure::Overtaken(_) => Category::Busy,
            Failure::NoRoom | Failure::Stopped | Failure::Unavailable(_) => Category::Unavailable,
        }
    }

    /// The issues to show.
    pub fn issues(&self) -> Vec<Issue> {
        let one = |code| vec![Issue::error(code, "", self.to_string())];
        match self {
            Failure::Malformed(issues) | Failure::Invalid(issues) => issues.clone(),
            Failure::Conflict(issue) | Failure::Unknown(issue) => vec![issue.clone()],
            Failure::Refused(_) => one(IssueCode::Forbidden),
            Failure::Precondition | Failure::Exists => one(IssueCode::Conflict),
            Failure::Several => one(IssueCode::MultipleMatches),
            Failure::Within { location, failure } => failure
                .issues()
                .into_iter()
                .map(|issue| Issue { location: location.clone(), ..issue })
                .collect(),
            Failure::NotFound | Failure::Unmatched => one(IssueCode::NotFound),
            Failure::Gone | Failure::Erased | Failure::Removed(_) => one(IssueCode::Deleted),
            Failure::Busy => one(IssueCode::Throttled),
            Failure::Overtaken(_) => one(IssueCode::Conflict),
            Failure::NoRoom | Failure::Stopped => one(IssueCode::NoStore),
            Failure::Unavailable(_) => one(IssueCode::Exception),
        }
    }

    /// After how many seconds the same may be sent again, where it may pass by itself.
    pub fn retry_after(&self) -> Option<u32> {
        match self {
            Failure::Busy | Failure::Overtaken(_) | Failure::Unavailable(_) => Some(1),
            Failure::NoRoom => Some(60),
            Failure::Within { failure, .. } => failure.retry_after(),
            _ => None,
        }
    }

    /// The access decision, where that was against.
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Failure::Refused(refusal) => Some(*refusal),
            Failure::Within { failure, .. } => failure.refusal(),
            _ => None,
        }
    }

    /// One issue with a request that cannot be read.
    pub fn malformed(code: IssueCode, location: &str, message: impl Into<String>) -> Self {
        Failure::Malformed(vec![Issue::error(code, location, message)])
    }

    /// One content issue.
    pub fn invalid(code: IssueCode, location: &str, message: impl Into<String>) -> Self {
        Failure::Invalid(vec![Issue::error(code, location, message)])
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Failure::Refused(refusal)
    }
}

impl From<ledger::error::Error> for Failure {
    fn from(error: ledger::error::Error) -> Self {
        use ledger::error::Category as Kind;
        if matches!(error, ledger::error::Error::NumberTaken) {
            return Failure::Conflict(Issue::error(
                IssueCode::BusinessRule,
                "",
                "the identity numbers belong to two persons here; persons are never merged by \
                 sending both numbers",
            ));
        }
        if let ledger::error::Error::Overtaken { position } = error {
            return Failure::Overtaken(position);
        }
        match error.category() {
            Kind::Busy => Failure::Busy,
            Kind::NoRoom => Failure::NoRoom,
            Kind::Stopped => Failure::Stopped,
            Kind::Conflict => Failure::Conflict(Issue::error(
                IssueCode::Duplicate,
                "",
                "the source's event id was used before for other content; send a correction as an \
                 update, or a new event with its own id",
            )),
            Kind::Invalid => Failure::invalid(IssueCode::TooCostly, "", error.to_string()),
            Kind::Erased => Failure::Gone,
            Kind::Corrupt | Kind::Unavailable => Failure::Unavailable(error.to_string()),
        }
    }
}

impl From<view::error::Error> for Failure {
    fn from(error: view::error::Error) -> Self {
        match error {
            view::error::Error::Cursor => {
                Failure::Malformed(vec![Issue::error(IssueCode::Invalid, "", error.to_string())])
            }
            view::error::Error::TooCostly => {
                Failure::Malformed(vec![Issue::error(IssueCode::TooCostly, "", error.to_string())])
            }
            view::error::Error::UnknownCodes | view::error::Error::NoIndex => {
                let issue = Issue::error(IssueCode::NotSupported, "", error.to_string());
                Failure::Malformed(vec![issue])
            }
            other => Failure::Unavailable(other.to_string()),
        }
    }
}
