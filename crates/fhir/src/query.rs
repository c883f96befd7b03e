//! The search part of a request as data (R4 search §3.1.1).
//!
//! Pure grammar: pairs of names and values, already percent-decoded, become a [`Query`] that says what
//! to find. Whether it may be found, and how, is for others. What R4 knows and this does not is listed
//! in [`Query::unsupported`] for the caller to refuse or to report; what is malformed, or more than
//! [`limit`] allows, is an error. Messages name the parameter and never its value.

use crate::issue::Issue;
use crate::search::SearchParameter;
use crate::search::number::Real;
use crate::search::set::Parameters;
use crate::search::text::Part;
use std::sync::Arc;

mod expression;
mod filter;
mod include;
pub mod limit;
mod near;
mod number;
mod read;
mod terms;
mod value;

/// What a search asks for.
#[derive(Clone, Debug)]
pub struct Query {
    /// The resource types searched; empty for every type.
    pub kinds: Vec<&'static str>,
    /// Only resources in this compartment.
    pub compartment: Option<Compartment>,
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

/// The compartment of a resource, such as all that is about one patient: resources that refer to it
/// by one of [`crate::compartment::parameters`], and the resource itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compartment {
    /// The type, such as `Patient`.
    pub kind: &'static str,
    /// The logical id.
    pub id: Box<str>,
}

/// One condition on the resources sought. A filter holds if any of `any` does, or none if `negated`.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// What it is about.
    pub on: Target,
    /// `:not`, `:not-in`: also resources without a value match.
    pub negated: bool,
    /// The alternatives; never empty.
    pub any: Vec<Condition>,
}

/// What a filter or an order is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// The logical id.
    Id,
    /// `meta.lastUpdated` as the store knows it.
    LastUpdated,
    /// The resource as a whole; the conditions say what of it. Never of an order.
    Resource,
    /// A search parameter.
    Parameter(Arc<SearchParameter>),
}

/// One alternative of a filter.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// The logical id, on [`Target::Id`] only.
    Id(Box<str>),
    /// `:missing`: whether there is no value.
    Missing(bool),
    /// A token.
    Token(TokenMatch),
    /// `:of-type`: an identifier's value with its type, [`crate::search::IndexValue::OfType`].
    OfType {
        /// The type.
        of: TokenMatch,
        /// The identifier's value.
        value: Box<str>,
    },
    /// `:in`, and negated `:not-in`: a token in the value set with this URL (or `Type/id`). Whoever
    /// knows the value set puts its codes in the place of this ([`Query::expand`]); left as it is, it
    /// matches nothing.
    InValueSet(Box<str>),
    /// `:above` and `:below`: a token at or above or below this one in its code system. Whoever knows
    /// the code system puts its codes in the place of this, as with a value set.
    Subsumed {
        /// The code asked for.
        token: TokenMatch,
        /// Whether codes below it count, or those above it.
        below: bool,
    },
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
        /// Asked as `patient.identifier`: a literal reference to a resource of one of these types that
        /// has the identifier matches as well. Empty for `patient:identifier`.
        chained: Vec<&'static str>,
    },
    /// A chain: the reference names a resource of this type for which the filter holds.
    Chain {
        /// The type.
        kind: &'static str,
        /// What holds for it.
        filter: Box<Filter>,
    },
    /// `_has`, on [`Target::Resource`]: a resource of this type refers here, and the filter holds for
    /// it.
    Has {
        /// The type that refers.
        kind: &'static str,
        /// The reference parameter that it refers by.
        parameter: Arc<SearchParameter>,
        /// What holds for it.
        filter: Box<Filter>,
    },
    /// `_list`, on [`Target::Resource`]: the List with this id has it among its items.
    InList(Box<str>),
    /// `_text` and `_content`, on [`Target::Resource`]: all of these words of
    /// [`crate::search::text::words`] occur.
    Words {
        /// Where.
        part: Part,
        /// The words, folded.
        words: Vec<Box<str>>,
    },
    /// On [`Target::Resource`], in a search of several types: it is of this type, and the filter holds.
    /// Types without an alternative do not match.
    OfKind {
        /// The type.
        kind: &'static str,
        /// What holds for it.
        filter: Box<Filter>,
    },
    /// On [`Target::Resource`]: all of these hold (`and` in `_filter`).
    All(Vec<Filter>),
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
    /// A URI, or a reference to one. `:above` becomes one whole URI for each that is above.
    Uri {
        /// The URI.
        uri: Box<str>,
        /// `:below`: those that begin with it match, too.
        below: bool,
    },
    /// A number.
    Number(NumberMatch),
    /// A number with a unit.
    Quantity {
        /// The number as asked for, in the unit asked for.
        number: NumberMatch,
        /// The unit.
        unit: UnitMatch,
    },
    /// `near`: a place no further away than this.
    Near(Near),
    /// A composite: one condition for each component, in order; all hold for values that stand
    /// together.
    Composite(Vec<Condition>),
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
    /// The folded text ends so; only in `_filter`.
    Ends,
    /// The text as written is equal.
    Exact,
}

/// A number to match, against the closed range R = [a, b] that a resource has
/// ([`crate::search::Span`]).
///
/// `eq` holds for `low <= a` and `b < high`, `ne` where that does not; `ap` for `low <= b` and
/// `a <= high`. The other prefixes look at the number alone: `gt` `b > value`, `lt` `a < value`, `ge`
/// `b >= value`, `le` `a <= value`, `sa` `a > value`, `eb` `b < value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberMatch {
    /// How they must lie to each other.
    pub prefix: Prefix,
    /// The number as written.
    pub value: Real,
    /// The least number that is the same at the precision written, so 99.5 of `100`; under `ap`, a
    /// tenth less than the value.
    pub low: Real,
    /// The first number that is greater, so 100.5 of `100`; under `ap`, a tenth more than the value.
    pub high: Real,
}

/// Which units match a quantity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnitMatch {
    /// `5.4`: any or none.
    Any,
    /// `5.4||mg`: the coded unit or the one for people is this.
    Written(Box<str>),
    /// `5.4|system|code`: this coded unit.
    Coded {
        /// The system.
        system: Box<str>,
        /// The code.
        code: Box<str>,
    },
    /// `5.4|http://unitsofmeasure.org|mg`: any unit of the same dimension. Only the canonical range
    /// ([`crate::search::CanonicalSpan`]) counts, against the number here.
    Canonical {
        /// The number in base units.
        number: NumberMatch,
        /// The canonical unit.
        unit: Box<str>,
    },
}

/// A place and how far from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Near {
    /// Degrees (WGS 84), north is positive.
    pub latitude: Real,
    /// Degrees, east is positive.
    pub longitude: Real,
    /// Metres.
    pub distance: Real,
}

/// How the resource's range R must lie to the range V asked for (R4 search, prefixes). Of numbers,
/// [`NumberMatch`] says it.
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
#[derive(Clone, Debug)]
pub struct Sort {
    /// What to order by.
    pub by: Target,
    /// Greatest first.
    pub descending: bool,
}

/// `_include` or `_revinclude`: follow references of a type.
#[derive(Clone, Debug)]
pub struct Include {
    /// The type that refers; nothing for any (`*`).
    pub source: Option<&'static str>,
    /// The reference parameter that it refers by; nothing for all of them (`*`).
    pub parameter: Option<Arc<SearchParameter>>,
    /// Only references to this type.
    pub target: Option<&'static str>,
    /// `:iterate`: also from resources that were included.
    pub iterate: bool,
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
    /// The parameter is no reference, or not to a type that has what comes after the dot.
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
            Reason::Chain => "nothing it may refer to has the parameter after the dot",
            Reason::Value => "this value is not supported for the parameter",
        }
    }
}

impl Query {
    /// Reads the pairs of a search on resources of type `kind`, with the standard parameters: see
    /// [`Query::read`].
    ///
    /// # Errors
    /// As [`Query::read`].
    pub fn parse(kind: &str, pairs: &[(String, String)]) -> Result<Query, Vec<Issue>> {
        Query::read(Parameters::r4(), Scope::Type(kind), pairs)
    }

    /// Reads the pairs of a search. `_format` and `_pretty` are about the answer's form and are passed
    /// over.
    ///
    /// # Errors
    /// An issue for each parameter with a malformed value, for an unknown type, and for more than
    /// [`limit`] allows.
    pub fn read(
        parameters: &Parameters,
        scope: Scope,
        pairs: &[(String, String)],
    ) -> Result<Query, Vec<Issue>> {
        read::query(parameters, scope, pairs)
    }

    /// The type searched, if it is one.
    pub fn kind(&self) -> Option<&'static str> {
        match *self.kinds.as_slice() {
            [kind] => Some(kind),
            _ => None,
        }
    }
}

/// Where a search looks, as its address says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope<'a> {
    /// `[base]?…`: every type, or those in `_type`.
    System,
    /// `[base]/Observation?…`.
    Type(&'a str),
    /// `[base]/Patient/123/Observation?…`, and `[base]/Patient/123/*?…` for every type.
    Compartment {
        /// The type of the compartment, such as `Patient`.
        kind: &'a str,
        /// Its logical id.
        id: &'a str,
        /// The type searched; nothing for `*`.
        of: Option<&'a str>,
    },
}
