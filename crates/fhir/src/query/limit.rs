//! How much one search may ask for. More is refused with an issue that names the limit.

/// Parameters in one search.
pub const PARAMETERS: usize = 100;

/// Bytes of all names and values together.
pub const LENGTH: usize = 64 * 1024;

/// Alternatives of one parameter. Whole lists of ids are asked for this way.
pub const ALTERNATIVES: usize = 500;

/// References followed by a chain or `_has`, one after the other.
pub const CHAIN: usize = 5;

/// Conditions of the whole search once chains have become one for each type that they may lead to.
pub const CONDITIONS: usize = 5_000;

/// `_include` and `_revinclude` together.
pub const INCLUDES: usize = 30;

/// Keys of an order.
pub const SORTS: usize = 8;
