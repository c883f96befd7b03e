//! The search parameters of R4 and the values a resource has under them.
//!
//! Parameters are data (`data/search.txt`), compiled once on first use, and a [`Parameters`] set may
//! add more at run time. Parameters of one resource type with the same kind and expression, such as
//! `subject` and `patient`, share an index id, so that whoever stores the values stores them once;
//! which target types each may name is its own matter. `_id` and `_lastUpdated` belong to the store
//! and are not here; the words that `_text` and `_content` look in are in [`text`].

use crate::fhirpath::selector::Selector;
use crate::resource::Resource;
use std::sync::Arc;

pub mod fold;
mod load;
pub mod number;
mod quantity;
pub mod set;
pub mod sort;
pub mod text;
mod values;

use number::Real;
use set::Parameters;

/// A search parameter of one resource type.
#[derive(Debug)]
pub struct SearchParameter {
    /// Its number in the data file, the same for as long as the file is; of an added one, its index
    /// id.
    pub id: u16,
    /// The number under which [`index`] gives its values: the least id of the parameters with the same
    /// expression and kind.
    pub index_id: u16,
    /// The name in a search, such as `patient`.
    pub code: String,
    /// How its values compare.
    pub kind: ParamKind,
    /// Where the values stand; of a composite, the elements in which its components belong together.
    pub expression: Selector,
    /// The resource types that a reference may name under this parameter; empty for any.
    pub targets: Vec<&'static str>,
    /// The parts of a composite in the order of a search; empty for other kinds.
    pub components: Vec<Component>,
}

impl SearchParameter {
    /// Whether it is a reference that may name a resource of this type.
    pub fn may_name(&self, kind: &str) -> bool {
        self.kind == ParamKind::Reference
            && (self.targets.is_empty() || self.targets.contains(&kind))
    }

    /// Whether a server has added it.
    pub fn is_added(&self) -> bool {
        self.id >= set::FIRST_ADDED
    }

    /// Whether every resource type has it under the same number: `_tag`, `_profile`, `_security`,
    /// `_source`.
    pub fn is_of_every_type(&self) -> bool {
        self.code.starts_with('_') && !self.is_added()
    }
}

/// Parameters are equal if they have the same number and name: within one set no two others have.
impl PartialEq for SearchParameter {
    fn eq(&self, other: &SearchParameter) -> bool {
        self.id == other.id && self.code == other.code
    }
}

/// One part of a composite parameter.
#[derive(Debug)]
pub struct Component {
    /// How its values compare; never a composite.
    pub kind: ParamKind,
    /// Where the values stand in what [`SearchParameter::expression`] finds.
    pub expression: Selector,
    /// As [`SearchParameter::targets`].
    pub targets: Vec<&'static str>,
}

/// How the values of a parameter compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ParamKind {
    /// A code or identifier with its system.
    Token,
    /// A reference to another resource.
    Reference,
    /// A date or period.
    Date,
    /// Text, found by its beginning.
    String,
    /// A URI, found whole.
    Uri,
    /// A number.
    Number,
    /// A number with its unit.
    Quantity,
    /// Values of several parameters that belong together.
    Composite,
    /// A place on earth: `near`.
    Special,
}

/// One value of a resource under one index id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IndexEntry {
    /// [`SearchParameter::index_id`].
    pub index_id: u16,
    /// The value.
    pub value: IndexValue,
}

/// A value to search by. One kind of parameter may give several of these: a token gives
/// [`IndexValue::Token`], [`IndexValue::OfType`] and, for `:text`, [`IndexValue::Text`]; a reference
/// gives [`IndexValue::Reference`], [`IndexValue::Uri`] and [`IndexValue::Logical`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum IndexValue {
    /// A code, an identifier's value, a boolean.
    Token {
        /// The system, if the value has one.
        system: Option<Box<str>>,
        /// The code.
        code: Box<str>,
    },
    /// An identifier with its type, for `:of-type`.
    OfType {
        /// The system of the type's code.
        system: Option<Box<str>>,
        /// The code of the type.
        code: Box<str>,
        /// The identifier's value.
        value: Box<str>,
    },
    /// A literal reference to a resource of this server by type and id.
    Reference {
        /// The resource type.
        kind: &'static str,
        /// The logical id.
        id: Box<str>,
    },
    /// A reference by identifier (`Reference.identifier`).
    Logical {
        /// The system, if there is one.
        system: Option<Box<str>>,
        /// The identifier's value.
        value: Box<str>,
    },
    /// A half-open range of epoch milliseconds; `i64::MIN` and `i64::MAX` for open ends.
    Date {
        /// The first millisecond.
        low: i64,
        /// The one after the last.
        high: i64,
    },
    /// Text: a value of a string parameter, or the words beside a token.
    Text {
        /// For comparing as a search does: see [`fold::fold`].
        folded: Box<str>,
        /// As written, for `:exact`.
        exact: Box<str>,
    },
    /// A URI, an absolute reference to elsewhere, or a canonical reference. A canonical with a version
    /// gives two: with `|version` and without.
    Uri(Box<str>),
    /// A closed range of numbers; both ends are the same for an exact one.
    Number(Span),
    /// A number with its unit.
    Quantity(QuantityValue),
    /// A place in degrees (WGS 84).
    Position {
        /// From -90 to 90, north is positive.
        latitude: Real,
        /// From -180 to 180, east is positive.
        longitude: Real,
    },
    /// What stands together in one element: for each component of the parameter, in order, its values,
    /// of which there is at least one.
    Composite(Vec<Vec<IndexValue>>),
}

/// A closed range of numbers; infinite where an end is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The least.
    pub low: Real,
    /// The greatest.
    pub high: Real,
}

/// A quantity as indexed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct QuantityValue {
    /// The numbers as written; `<` and `>` make them open to one side.
    pub span: Span,
    /// The system of the coded unit.
    pub system: Option<Box<str>>,
    /// The coded unit.
    pub code: Option<Box<str>>,
    /// The unit for people.
    pub unit: Option<Box<str>>,
    /// The same in base units, where the coded unit is one of UCUM's.
    pub canonical: Option<CanonicalSpan>,
}

/// A range in UCUM's base units.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CanonicalSpan {
    /// The numbers.
    pub span: Span,
    /// The canonical unit, such as `g.m-3`: the same text for all units of the same dimension.
    pub unit: Box<str>,
}

/// The standard parameters of a resource type, sorted by code, those of every resource (`_tag`,
/// `_profile`, `_security`, `_source`) included; none for an unknown type.
pub fn parameters(kind: &str) -> &'static [Arc<SearchParameter>] {
    Parameters::r4().of(kind)
}

/// One standard parameter of a resource type.
pub fn parameter(kind: &str, code: &str) -> Option<&'static Arc<SearchParameter>> {
    Parameters::r4().get(kind, code)
}

/// All values to find a resource by under the standard parameters: see [`Parameters::index`].
pub fn index(resource: &Resource) -> Vec<IndexEntry> {
    Parameters::r4().index(resource)
}
