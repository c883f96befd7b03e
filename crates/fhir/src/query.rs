//! The search part of a request as data (R4 search §3.1.1).
//!
//! Pure grammar: pairs of names and values, already percent-decoded, become a [`Query`] that says what
//! to find. Whether it may be found, and how, is for others. What R4 knows and this does not is listed
//! in [`Query::unsupported`] for the caller to refuse or to report; what is malformed is an error.
//! Messages name the parameter and never its value.

use crate::issue::Issue;
use crate::search::SearchParameter;

mod include;
mod read;
mod value;

/// What a search of one resource type asks for.
#[derive(Debug)]
pub struct Query {
    /// The resource type searched.
    pub kind: &'static str,
    /// All of these must hold.
    pub filters: Vec<Filter>,
    /// In this order; empty for the caller's own order.
    pub sort: Vec<Sort>,
    /// `_count`: at most so many on a page.
    pub count: Option<u32>,
    /// `_include`.
    pub includes: Vec<Include>,
    /// `_revinclude`.
    pub revincludes: Vec<Include>,
    /// `_summary`.
    pub summary: Option<Summary>,
    /// `_total`.
    pub total: Option<Total>,
    /// `_elements`: top-level element names; empty for all.
    pub elements: Vec<Box<str>>,
    /// What was asked for and is not understood.
    pub unsupported: Vec<Unsupported>,
}

/// One condition on the resources sought. A filter holds if any of `any` does, or none if `negated`.
#[derive(Clone, Debug)]
pub struct Filter {
    /// What it is about.
    pub on: Target,
    /// `:not`: also resources without a value match.
    pub negated: bool,
    /// The alternatives; never empty.
    pub any: Vec<Condition>,
}

/// What a filter or an order is about.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// The logical id.
    Id,
    /// `meta.lastUpdated` as the store knows it.
    LastUpdated,
    /// A search parameter.
    Parameter(&'static SearchParameter),
}

/// One alternative of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The logical id, on [`Target::Id`] only.
    Id(Box<str>),
    /// `:missing`: whether there is no value.
    Missing(bool),
    /// A token.
    Token(TokenMatch),
    /// A literal reference.
    Reference {
        /// The types it may name; empty for any.
        kinds: Vec<&'static str>,
        /// The logical id.
        id: Box<str>,
    },
    /// A reference by identifier.
    Logical {
        /// The identifier.
        identifier: TokenMatch,
        /// Asked as `patient.identifier`: a literal reference to a resource that has the identifier
        /// matches as well.
        chained: bool,
    },
    /// A date against the half-open range of the value asked for, in epoch milliseconds.
    Date {
        /// How they must lie to each other.
        prefix: Prefix,
        /// The first millisecond.
        low: i64,
        /// The one after the last.
        high: i64,
    },
    /// Text.
    Text {
        /// Folded as in [`crate::search::fold`], but for [`TextMatch::Exact`].
        text: Box<str>,
        /// How it must match.
        how: TextMatch,
    },
    /// A URI, or a reference to one, whole.
    Uri(Box<str>),
}

/// A system and code to match. At least one of them is narrowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenMatch {
    /// The system.
    pub system: SystemMatch,
    /// The code or value; nothing for any of the system.
    pub code: Option<Box<str>>,
}

/// Which systems match a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SystemMatch {
    /// `code`: any or none.
    Any,
    /// `|code`: only a token without system.
    Absent,
    /// `system|…`: this one.
    Is(Box<str>),
}

/// How text must match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextMatch {
    /// The folded text begins so.
    Starts,
    /// The folded text contains it.
    Contains,
    /// The text as written is equal.
    Exact,
}

/// How the resource's range R must lie to the range V asked for (R4 search, prefixes).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefix {
    /// `eq`: V contains R.
    Equal,
    /// `ne`: V does not contain R.
    NotEqual,
    /// `gt`: some of R lies after V.
    Greater,
    /// `lt`: some of R lies before V.
    Less,
    /// `ge`: `gt` or `eq`.
    GreaterOrEqual,
    /// `le`: `lt` or `eq`.
    LessOrEqual,
    /// `sa`: all of R lies after V.
    StartsAfter,
    /// `eb`: all of R lies before V.
    EndsBefore,
    /// `ap`: R overlaps V widened by a tenth of its distance from now, which the caller knows.
    Approximate,
}

/// One key of an order.
#[derive(Clone, Copy, Debug)]
pub struct Sort {
    /// What to order by.
    pub by: Target,
    /// Greatest first.
    pub descending: bool,
}

/// `_include` or `_revinclude`: follow references of a type.
#[derive(Clone, Copy, Debug)]
pub struct Include {
    /// The type that refers.
    pub source: &'static str,
    /// The reference parameter that it refers by.
    pub parameter: &'static SearchParameter,
    /// Only references to this type.
    pub target: Option<&'static str>,
}

/// `_summary`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Summary {
    /// Only the number of matches.
    Count,
    /// Summary elements only.
    True,
    /// Whole resources.
    False,
    /// All but the narrative.
    Data,
    /// Narrative, id, meta and required elements.
    Text,
}

/// `_total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// Not wanted.
    None,
    /// An estimate will do.
    Estimate,
    /// Exact.
    Accurate,
}

/// A parameter that is not acted on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// The parameter as written, with modifier and chain.
    pub parameter: String,
    /// Why.
    pub reason: Reason,
}

/// Why a parameter is not acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// There is no such parameter for the type.
    Parameter,
    /// The parameter does not have this modifier here. R4 asks servers to refuse such a search always.
    Modifier,
    /// Only `.identifier` can be chained.
    Chain,
    /// This value of a result parameter is not known here.
    Value,
}

impl Reason {
    /// The reason in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Parameter => "no such search parameter for this resource type",
            Reason::Modifier => "the modifier is not supported for this parameter",
            Reason::Chain => "only `.identifier` is supported as a chain",
            Reason::Value => "this value is not supported for the parameter",
        }
    }
}

impl Query {
    /// Reads the pairs of a search on resources of type `kind`. `_format` and `_pretty` are about the
    /// answer's form and are passed over.
    ///
    /// # Errors
    /// An issue for each parameter with a malformed value, or for an unknown `kind`.
    pub fn parse(kind: &str, pairs: &[(String, String)]) -> Result<Query, Vec<Issue>> {
        read::query(kind, pairs)
    }
}
