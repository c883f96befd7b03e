//! What a token's scopes leave open of a permit ([`access::scopes::Granted`]), as a condition on rows.
//!
//! It is a part of [`crate::scope::Limits`], so that searches, reads, histories, includes, chains,
//! operations and exports are narrowed alike. Invariant: only conditions that the index answers whole are
//! followed, codes of token parameters; a part with any other opens nothing.

use std::sync::Arc;

use access::permit::ReadPermit;
use access::scopes::Granted;
use fhir::query::{Condition, Filter, Query, Target};
use fhir::resource::Resource;
use fhir::search::set::Parameters;
use fhir::search::{IndexValue, ParamKind, SearchParameter};

use crate::condition::has_term;
use crate::kinds;
use crate::sql::Piece;
use crate::store::View;
use crate::term::{Sought, Terms};

/// What is open, any of it.
#[derive(Clone, Debug)]
pub struct Within {
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
struct Part {
    /// Number of the type.
    kind: Option<i64>,
    /// Parameters with the codes of which a row must have one.
    codes: Vec<(u16, Vec<Sought>)>,
}

impl Within {
    /// What a permit leaves open; nothing where it is not narrowed.
    pub fn of(permit: &ReadPermit, terms: &Terms) -> Option<Self> {
        let parts = permit.granted()?.iter().filter_map(|granted| Part::read(granted, terms));
        Some(Self { parts: parts.collect() })
    }

    /// The condition that a row of `resource` is open.
    pub fn piece(&self, row: &str) -> Piece {
        let any = Piece::any(self.parts.iter().map(|part| part.piece(row)));
        Piece { text: format!("({})", any.text), values: any.values }
    }
}

impl Part {
    /// Reads a part; nothing where it cannot be followed, so that it opens nothing.
    fn read(granted: &Granted, terms: &Terms) -> Option<Self> {
        let Some(kind) = &granted.kind else {
            return Some(Self { kind: None, codes: Vec::new() });
        };
        let kind = fhir::definitions::resource_kind(kind)?;
        let mut codes = Vec::new();
        for (parameter, tokens) in filters(kind, granted)? {
            codes.push((
                parameter.index_id,
                tokens.iter().flat_map(|it| terms.sought(it)).collect(),
            ));
        }
        Some(Self { kind: Some(kinds::number(kind)), codes })
    }

    fn piece(&self, row: &str) -> Piece {
        let kind = self.kind.map(|kind| Piece::new(format!("+{row}.kind = {kind}"), []));
        let codes = self.codes.iter().map(|(on, codes)| has_term(*on, codes, row));
        Piece::all(kind.into_iter().chain(codes))
    }
}

type Tokens = Vec<fhir::query::TokenMatch>;

/// The conditions of a part: token parameters, each with its codes.
fn filters(kind: &str, granted: &Granted) -> Option<Vec<(Arc<SearchParameter>, Tokens)>> {
    let query = Query::parse(kind, &granted.conditions).ok()?;
    let only_filters = query.unsupported.is_empty()
        && query.filters.len() == granted.conditions.len()
        && query.compartment.is_none();
    if !only_filters {
        return None;
    }
    query.filters.into_iter().map(codes).collect()
}

fn codes(filter: Filter) -> Option<(Arc<SearchParameter>, Tokens)> {
    let Target::Parameter(parameter) = filter.on else { return None };
    if filter.negated || parameter.kind != ParamKind::Token || parameter.is_added() {
        return None;
    }
    let token = |condition| match condition {
        Condition::Token(token) if token.code.is_some() => Some(token),
        _ => None,
    };
    let tokens: Option<Tokens> = filter.any.into_iter().map(token).collect();
    Some((parameter, tokens?))
}

impl View {
    /// Whether a version of a resource that is read from the ledger lies within what the permit's scopes
    /// leave open: the index knows of the current version only.
    pub fn is_within(&self, permit: &ReadPermit, resource: &Resource) -> bool {
        let Some(granted) = permit.granted() else { return true };
        granted.iter().any(|granted| match &granted.kind {
            None => true,
            Some(kind) => {
                kind == resource.kind()
                    && filters(kind, granted).is_some_and(|filters| {
                        filters.iter().all(|(on, tokens)| self.has_code(resource, on, tokens))
                    })
            }
        })
    }

    fn has_code(&self, resource: &Resource, on: &SearchParameter, tokens: &Tokens) -> bool {
        let wanted: Vec<Sought> = tokens.iter().flat_map(|it| self.terms.sought(it)).collect();
        Parameters::r4().values(on, resource).iter().any(|value| {
            let IndexValue::Token { system, code } = value else { return false };
            let own = self.terms.token(system.as_deref(), code);
            wanted.iter().any(|it| {
                it.value == own.value && it.system.is_none_or(|system| system == own.system)
            })
        })
    }
}
