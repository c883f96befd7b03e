//! Beginnings of statements: conditions that lead to rows, and how much each promises.

use fhir::query::{Condition, Filter, Target, TextMatch};
use fhir::search::ParamKind;

use crate::sql::Piece;

/// Rows that are so few that looking at all of them is best.
pub const FEW: u64 = 500;

/// The rank of what leads to the rows of one term.
pub const WALKED: u8 = 4;

/// Ranks up to this lead to few rows in all likelihood.
pub const SHARP: u8 = 1;

/// The rank of what leads to all the rows of some shapes, where they are many.
pub const MANY: u8 = 5;

/// Where a statement begins.
pub struct Begin {
    /// How much it promises, the least the most.
    pub rank: u8,
    /// The condition that leads to rows `r0`.
    pub piece: Piece,
    /// The filter that all of them fit, so that none is asked again.
    pub answered: Option<usize>,
}

impl Begin {
    /// Rows to which all filters are put.
    pub fn at(piece: Piece) -> Self {
        Self { rank: 0, piece, answered: None }
    }
}

/// How much a filter promises to lead to few rows, by what kind of condition it is.
pub fn rank(filter: &Filter) -> u8 {
    if filter.negated {
        return 6;
    }
    match filter.any.first() {
        Some(Condition::Id(_) | Condition::InList(_)) => 0,
        Some(Condition::Logical { .. } | Condition::OfType { .. }) => 1,
        Some(Condition::Token(_)) if is_identifier(filter) => 1,
        Some(Condition::Reference { .. } | Condition::Uri { .. }) => 2,
        Some(Condition::Text { .. } | Condition::Chain { .. } | Condition::Has { .. }) => 3,
        Some(Condition::Composite(_)) => 2,
        Some(Condition::Token(_)) => 3,
        _ => 5,
    }
}

/// Whether the rows that [`crate::drive`] leads to all fit the filter: what stands at the far end of a
/// chain is judged there, and a string that begins so is found by how it begins.
pub fn leads_to_no_other(filter: &Filter) -> bool {
    !filter.negated
        && filter.any.iter().all(|condition| match condition {
            Condition::Chain { .. } | Condition::Has { .. } => true,
            Condition::Text { how: TextMatch::Starts, .. } => is_string(filter),
            _ => false,
        })
}

fn is_string(filter: &Filter) -> bool {
    matches!(&filter.on, Target::Parameter(parameter) if parameter.kind == ParamKind::String)
}

/// Whether it asks for parts of one value together.
pub fn is_composite(filter: &Filter) -> bool {
    matches!(filter.any.first(), Some(Condition::Composite(_)))
}

fn is_identifier(filter: &Filter) -> bool {
    matches!(&filter.on, Target::Parameter(parameter)
        if parameter.kind == ParamKind::Token && parameter.code == "identifier")
}
