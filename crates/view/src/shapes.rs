//! What the shapes of rows tell: which rows may fit all conditions on codes that few are in use of and
//! on missing values, and how many they are, without looking at one of them.

use fhir::query::{Condition, Filter, Target};
use rusqlite::types::Value as Sql;
use rusqlite::{OptionalExtension, params_from_iter};

use crate::condition::{Ask, alias};
use crate::error::Error;
use crate::kinds;
use crate::sql::{Piece, marks};

/// Whether a filter holds for all rows of a shape or for none.
pub fn tell(filter: &Filter) -> bool {
    let Target::Parameter(parameter) = &filter.on else { return false };
    let told = |condition: &Condition| match condition {
        Condition::Missing(_) => true,
        Condition::Token(token) => {
            token.code.is_some() && kinds::trait_rank(parameter.index_id).is_some()
        }
        _ => false,
    };
    !parameter.is_added() && filter.any.iter().all(told)
}

impl Ask<'_> {
    /// The condition that a row `r0` of `shape` is of a type, in a scope that is open, and fits the
    /// filters that shapes tell of; others are passed over.
    pub fn shapes(&self, filters: &[Filter], kind: &str) -> Result<Piece, Error> {
        let row = alias(0);
        let told: Vec<&Filter> = filters.iter().filter(|filter| tell(filter)).collect();
        let mut piece = match told.iter().filter_map(|filter| self.telling(filter)).min() {
            Some((_, index, values)) => {
                let text = format!(
                    "{row}.shape IN (SELECT y.shape FROM trait y WHERE y.param = {index} \
                     AND y.value IN ({})) AND +{row}.kind = {}",
                    marks(values.len()),
                    kinds::number(kind)
                );
                Piece::new(text, values.into_iter().map(Sql::from))
            }
            None => Piece::new(format!("{row}.kind = {}", kinds::number(kind)), []),
        };
        piece.and(self.limits.scoped(&row));
        for filter in told {
            piece.and(self.holds(filter, kind, 0)?);
        }
        Ok(piece)
    }

    /// How telling a filter is, and the parameter and codes it asks for.
    fn telling(&self, filter: &Filter) -> Option<(usize, u16, Vec<i64>)> {
        let Target::Parameter(parameter) = &filter.on else { return None };
        let rank = kinds::trait_rank(parameter.index_id).filter(|_| !filter.negated)?;
        let mut values = Vec::new();
        for condition in &filter.any {
            let Condition::Token(token) = condition else { return None };
            values.extend(self.view.terms.sought(token).iter().map(|sought| sought.value));
        }
        Some((rank, parameter.index_id, values))
    }

    /// How many rows have one of the shapes.
    pub fn tally(&self, shapes: &Piece) -> Result<u64, Error> {
        let text = format!("SELECT coalesce(sum(r0.rows), 0) FROM shape r0 WHERE {}", shapes.text);
        let mut select = self.connection.prepare_cached(&text)?;
        let rows: Option<i64> =
            select.query_row(params_from_iter(&shapes.values), |row| row.get(0)).optional()?;
        Ok(rows.unwrap_or(0).unsigned_abs())
    }
}
