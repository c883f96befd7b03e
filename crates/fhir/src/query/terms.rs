//! Codes in the place of value sets and hierarchies.

use super::value::without_implied;
use super::{Condition, Filter, Query, Target, TokenMatch};

impl Query {
    /// Puts the codes that `known` gives in the place of each [`Condition::InValueSet`] and
    /// [`Condition::Subsumed`], those inside chains and the like too. What it gives no codes for stays,
    /// and matches nothing.
    ///
    /// # Errors
    /// The first error of `known`, such as for a value set that nobody knows.
    pub fn expand<E>(
        &mut self,
        known: &mut dyn FnMut(&Condition) -> Result<Vec<TokenMatch>, E>,
    ) -> Result<(), E> {
        self.filters.iter_mut().try_for_each(|filter| expand(filter, known))
    }
}

fn expand<E>(
    filter: &mut Filter,
    known: &mut dyn FnMut(&Condition) -> Result<Vec<TokenMatch>, E>,
) -> Result<(), E> {
    let mut any = Vec::with_capacity(filter.any.len());
    for mut condition in filter.any.drain(..) {
        match &mut condition {
            Condition::InValueSet(_) | Condition::Subsumed { .. } => {
                let codes = known(&condition)?;
                if !codes.is_empty() {
                    let codes = codes.into_iter().map(|code| match &filter.on {
                        Target::Parameter(of) => without_implied(&of.expression, code),
                        _ => code,
                    });
                    any.extend(codes.map(Condition::Token));
                    continue;
                }
            }
            Condition::Chain { filter, .. }
            | Condition::Has { filter, .. }
            | Condition::OfKind { filter, .. } => expand(filter, known)?,
            Condition::All(filters) => {
                filters.iter_mut().try_for_each(|filter| expand(filter, known))?;
            }
            _ => {}
        }
        any.push(condition);
    }
    filter.any = any;
    Ok(())
}
