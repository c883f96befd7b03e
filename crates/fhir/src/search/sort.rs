//! What resources are ordered by under a parameter (R4 search §3.1.1.5.4).
//!
//! With several values the least counts, and the greatest where the order is descending. Resources
//! without a value come last either way; that is for whoever sorts.

use super::number::Real;
use super::{IndexEntry, IndexValue, SearchParameter, Span};

/// A value to order by. Keys of one parameter are of one kind, but for quantities with and without
/// a known unit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SortKey {
    /// Epoch milliseconds.
    Time(i64),
    /// A number; of a quantity, in base units where they are known.
    Number(Real),
    /// Text in alphabetical order as its letters compare: see [`alphabetical`].
    Text(Box<str>),
}

/// The key of a resource, from its index entries; nothing if it has no value.
pub fn key(
    entries: &[IndexEntry],
    parameter: &SearchParameter,
    descending: bool,
) -> Option<SortKey> {
    let own = entries.iter().filter(|entry| entry.index_id == parameter.index_id);
    let keys = own.filter_map(|entry| value_key(&entry.value, descending));
    if descending { keys.max() } else { keys.min() }
}

/// The key of one value; nothing for what does not order a resource: the words beside a token, an
/// identifier with its type, a place.
pub fn value_key(value: &IndexValue, descending: bool) -> Option<SortKey> {
    let end = |span: &Span| if descending { span.high } else { span.low };
    Some(match value {
        IndexValue::Token { code, .. } => SortKey::Text(code.clone()),
        IndexValue::Reference { kind, id } => SortKey::Text(format!("{kind}/{id}").into()),
        IndexValue::Logical { value, .. } => SortKey::Text(value.clone()),
        IndexValue::Uri(uri) => SortKey::Text(uri.clone()),
        IndexValue::Date { low, high } => SortKey::Time(if descending { *high } else { *low }),
        IndexValue::Text { folded, .. } => SortKey::Text(alphabetical(folded)),
        IndexValue::Number(span) => SortKey::Number(end(span)),
        IndexValue::Quantity(quantity) => {
            let canonical = quantity.canonical.as_ref().map(|canonical| canonical.span);
            let span = canonical.unwrap_or(quantity.span);
            SortKey::Number(end(&span))
        }
        IndexValue::Composite(parts) => value_key(parts.first()?.first()?, descending)?,
        IndexValue::OfType { .. } | IndexValue::Position { .. } => return None,
    })
}

/// Folded text so that its letters compare in Norwegian alphabetical order: æ, ø, å. In Unicode å
/// comes first of the three.
pub fn alphabetical(folded: &str) -> Box<str> {
    // Folding leaves no letter between `z` and `ø` but these three, and none of `ù`.
    folded.replace('å', "ù").into()
}
