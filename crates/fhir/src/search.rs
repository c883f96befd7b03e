//! The search parameters of R4 and the values a resource has under them.
//!
//! Parameters are data (`data/search.txt`), compiled once on first use. Parameters of one resource
//! type with the same kind and paths, such as `subject` and `patient`, share an index id, so that
//! whoever stores the values stores them once; which target types each may name is its own matter.
//! `_id` and `_lastUpdated` belong to the store and are not here.

use crate::path::Path;
use crate::resource::Resource;
use std::collections::HashMap;
use std::sync::LazyLock;

pub mod fold;
mod load;
mod values;

static PARAMETERS: LazyLock<HashMap<&'static str, Vec<SearchParameter>>> =
    LazyLock::new(load::parameters);

/// A search parameter of one resource type.
#[derive(Debug)]
pub struct SearchParameter {
    /// Its number in the data file, the same for as long as the file is.
    pub id: u16,
    /// The number under which [`index`] gives its values: the least id of the parameters with the same
    /// paths and kind.
    pub index_id: u16,
    /// The name in a search, such as `patient`.
    pub code: &'static str,
    /// How its values compare.
    pub kind: ParamKind,
    /// Where the values stand.
    pub paths: Vec<Path>,
    /// The resource types that a reference may name under this parameter; empty for any.
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
}

/// One value of a resource under one index id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IndexEntry {
    /// [`SearchParameter::index_id`].
    pub index_id: u16,
    /// The value.
    pub value: IndexValue,
}

/// A value to search by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum IndexValue {
    /// A code, an identifier's value, a boolean.
    Token {
        /// The system, if the value has one.
        system: Option<Box<str>>,
        /// The code.
        code: Box<str>,
    },
    /// A literal reference to a resource by type and id.
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
    /// Text.
    Text {
        /// For comparing as a search does: see [`fold::fold`].
        folded: Box<str>,
        /// As written, for `:exact`.
        exact: Box<str>,
    },
    /// A URI.
    Uri(Box<str>),
}

/// The parameters of a resource type, sorted by code, those of every resource (`_tag`, `_profile`,
/// `_security`, `_source`) included; none for an unknown type.
pub fn parameters(kind: &str) -> &'static [SearchParameter] {
    PARAMETERS.get(kind).map(Vec::as_slice).unwrap_or_default()
}

/// One parameter of a resource type.
pub fn parameter(kind: &str, code: &str) -> Option<&'static SearchParameter> {
    let parameters = parameters(kind);
    let at = parameters.binary_search_by(|known| known.code.cmp(code)).ok()?;
    parameters.get(at)
}

/// All values to find a resource by, sorted, each once. What does not have the form that
/// [`crate::check`] asks for gives no value.
pub fn index(resource: &Resource) -> Vec<IndexEntry> {
    let mut entries = Vec::with_capacity(32);
    for parameter in parameters(resource.kind()) {
        if parameter.id != parameter.index_id {
            continue;
        }
        for path in &parameter.paths {
            for selected in path.select(resource.value()) {
                values::add(parameter, selected, &mut entries);
            }
        }
    }
    entries.sort_unstable();
    entries.dedup();
    entries
}
