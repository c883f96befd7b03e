//! The conditions of a search as SQL.

use fhir::definitions;
use fhir::query::{Condition, Filter, Prefix, SystemMatch, Target, TextMatch, TokenMatch};
use fhir::search::SearchParameter;
use record::system;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, params_from_iter};

use crate::error::Error;
use crate::sql::Builder;
use crate::term::{Term, Terms};
use crate::unit::param;

/// Most resources that a chained identifier may name; more is no identifier.
const CHAIN_LIMIT: i64 = 500;

/// `ap` widens a date by a tenth of its distance from now (R4 search, prefixes).
const APPROXIMATE: i64 = 10;

/// What conditions need to become SQL.
pub struct Conditions<'a> {
    /// The hashes.
    pub terms: &'a Terms,
    /// For looking up what a chain names.
    pub connection: &'a Connection,
    /// Milliseconds since 1970.
    pub now: i64,
}

/// A piece of SQL with its parameters.
type Piece = (String, Vec<Sql>);

/// The filter that narrows most, by what kind of condition it is.
pub fn strongest(filters: &[Filter]) -> Option<usize> {
    let rank = |filter: &Filter| match (&filter.any.first(), filter.negated) {
        (_, true) | (None | Some(Condition::Missing(_)), _) => 9,
        (Some(Condition::Id(_)), _) => 0,
        (Some(Condition::Logical { .. } | Condition::Reference { .. }), _) => 1,
        (Some(Condition::Token(_)), _) if is_identifier(filter) => 1,
        (Some(Condition::Uri(_) | Condition::Text { .. }), _) => 2,
        (Some(Condition::Token(_)), _) => 4,
        (Some(Condition::Date { .. }), _) => 5,
    };
    let best = filters.iter().enumerate().min_by_key(|(_, filter)| rank(filter))?;
    (rank(best.1) < 9).then_some(best.0)
}

fn is_identifier(filter: &Filter) -> bool {
    matches!(filter.on, Target::Parameter(parameter) if parameter.code == "identifier")
}

impl Conditions<'_> {
    /// Adds a filter; `driving` makes it the list that is walked instead of a lookup for each row.
    pub fn add(&self, sql: &mut Builder, filter: &Filter, driving: bool) -> Result<(), Error> {
        let mut texts = Vec::with_capacity(filter.any.len());
        let mut values = Vec::new();
        for condition in &filter.any {
            let (text, mut more) = match filter.on {
                Target::Id => id(condition),
                Target::LastUpdated => self.updated(condition),
                Target::Parameter(parameter) => self.parameter(parameter, condition, driving)?,
            };
            texts.push(text);
            values.append(&mut more);
        }
        let not = if filter.negated { "NOT " } else { "" };
        sql.and(&format!("{not}({})", texts.join(" OR ")), values);
        Ok(())
    }

    fn updated(&self, condition: &Condition) -> Piece {
        match condition {
            Condition::Date { prefix, low, high } => {
                self.range(*prefix, *low, *high, "r.updated", "(r.updated + 1)")
            }
            _ => nothing(),
        }
    }

    fn parameter(
        &self,
        parameter: &SearchParameter,
        condition: &Condition,
        driving: bool,
    ) -> Result<Piece, Error> {
        let index = i64::from(parameter.index_id);
        Ok(match condition {
            Condition::Id(_) => nothing(),
            Condition::Missing(missing) => presence(index, *missing),
            Condition::Token(token) => self.token(index, token, driving),
            Condition::Reference { kinds, id } => {
                let kinds = match (kinds.as_slice(), parameter.targets.as_slice()) {
                    ([], []) => definitions::resource_kinds(),
                    ([], targets) => targets.to_vec(),
                    (kinds, _) => kinds.to_vec(),
                };
                let values = kinds.iter().map(|kind| self.terms.reference(kind, id).value);
                term(index, &values.collect::<Vec<_>>(), None, driving)
            }
            Condition::Logical { identifier, chained } => {
                self.logical(parameter, identifier, *chained, driving)?
            }
            Condition::Uri(uri) => term(index, &[self.terms.uri(uri).value], None, driving),
            Condition::Date { prefix, low, high } => {
                let (text, mut values) = self.range(*prefix, *low, *high, "s.low", "s.high");
                values.insert(0, Sql::from(index));
                (lookup("span s", "s", &format!("s.param = ? AND {text}"), driving), values)
            }
            Condition::Text { text, how } => word(index, text, *how, driving),
        })
    }

    fn token(&self, index: i64, token: &TokenMatch, driving: bool) -> Piece {
        match (&token.system, &token.code) {
            (SystemMatch::Is(system), Some(code)) => {
                let Term { value, system } = self.terms.token(Some(system), code);
                term(index, &[value], Some(system), driving)
            }
            (SystemMatch::Absent, Some(code)) => {
                term(index, &[self.terms.token(None, code).value], Some(0), driving)
            }
            (SystemMatch::Any, Some(code)) => {
                let exact = self.terms.token(None, code);
                let service = self.terms.token(Some(system::SERVICE_TYPE), code);
                let plain = term(index, &[exact.value], None, driving);
                if service.value == exact.value {
                    return plain;
                }
                // `02` is also `2`, but only in kodeverk 9151.
                either(plain, term(index, &[service.value], Some(service.system), driving))
            }
            (SystemMatch::Is(system), None) => of_system(index, self.terms.system(Some(system))),
            (SystemMatch::Absent, None) => of_system(index, 0),
            (SystemMatch::Any, None) => nothing(),
        }
    }

    fn logical(
        &self,
        parameter: &SearchParameter,
        identifier: &TokenMatch,
        chained: bool,
        driving: bool,
    ) -> Result<Piece, Error> {
        let index = i64::from(parameter.index_id);
        let system = match &identifier.system {
            SystemMatch::Is(system) => Some(self.terms.system(Some(system))),
            SystemMatch::Absent => Some(0),
            SystemMatch::Any => None,
        };
        let direct = match (&identifier.code, system) {
            (Some(value), system) => {
                term(index, &[self.terms.logical(None, value).value], system, driving)
            }
            (None, Some(system)) => of_system(index, system),
            (None, None) => nothing(),
        };
        if !chained {
            return Ok(direct);
        }
        let mut named = Vec::new();
        for kind in &parameter.targets {
            for id in self.identified(kind, identifier)? {
                named.push(self.terms.reference(kind, &id).value);
            }
        }
        Ok(either(direct, term(index, &named, None, driving)))
    }

    /// Ids of the resources of a type that have this identifier.
    fn identified(&self, kind: &str, identifier: &TokenMatch) -> Result<Vec<String>, Error> {
        let (text, values) = self.token(param(kind, "identifier"), identifier, true);
        let text = format!("SELECT r.id FROM resource r WHERE {text} LIMIT {CHAIN_LIMIT}");
        let mut select = self.connection.prepare_cached(&text)?;
        let ids = select.query_map(params_from_iter(values), |row| row.get(0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    /// A stored range `[a, b)` against the range `[low, high)` asked for.
    fn range(&self, prefix: Prefix, low: i64, high: i64, a: &str, b: &str) -> Piece {
        let contains = format!("({a} >= ? AND {b} <= ?)");
        let (text, values) = match prefix {
            Prefix::Equal => (contains, vec![low, high]),
            Prefix::NotEqual => (format!("NOT {contains}"), vec![low, high]),
            Prefix::Greater => (format!("{b} > ?"), vec![high]),
            Prefix::Less => (format!("{a} < ?"), vec![low]),
            Prefix::GreaterOrEqual => (format!("({b} > ? OR {contains})"), vec![high, low, high]),
            Prefix::LessOrEqual => (format!("({a} < ? OR {contains})"), vec![low, low, high]),
            Prefix::StartsAfter => (format!("{a} >= ?"), vec![high]),
            Prefix::EndsBefore => (format!("{b} <= ?"), vec![low]),
            Prefix::Approximate => {
                let margin = (self.now - low).abs() / APPROXIMATE;
                let (from, to) = (low.saturating_sub(margin), high.saturating_add(margin));
                (format!("({a} < ? AND {b} > ?)"), vec![to, from])
            }
        };
        (text, values.into_iter().map(Sql::from).collect())
    }
}

fn either(one: Piece, other: Piece) -> Piece {
    (format!("({} OR {})", one.0, other.0), [one.1, other.1].concat())
}

fn nothing() -> Piece {
    ("0".to_owned(), Vec::new())
}

fn id(condition: &Condition) -> Piece {
    match condition {
        Condition::Id(id) => ("r.id = ?".to_owned(), vec![Sql::from(id.to_string())]),
        _ => nothing(),
    }
}

/// A condition on an index table: a lookup for each row, or the list that is walked.
fn lookup(table: &str, alias: &str, condition: &str, driving: bool) -> String {
    if driving {
        format!("r.rid IN (SELECT {alias}.rid FROM {table} WHERE {condition})")
    } else {
        format!("EXISTS (SELECT 1 FROM {table} WHERE {condition} AND {alias}.rid = r.rid)")
    }
}

fn term(index: i64, values: &[i64], system: Option<i64>, driving: bool) -> Piece {
    let marks = vec!["?"; values.len()].join(", ");
    let mut condition = format!("t.param = ? AND t.value IN ({marks})");
    let mut parameters = vec![Sql::from(index)];
    parameters.extend(values.iter().map(|value| Sql::from(*value)));
    if let Some(system) = system {
        condition.push_str(" AND t.system = ?");
        parameters.push(Sql::from(system));
    }
    (lookup("term t", "t", &condition, driving), parameters)
}

/// Any code of a system: the one condition that walks a whole parameter.
fn of_system(index: i64, system: i64) -> Piece {
    let condition = "t.param = ? AND t.system = ?";
    (lookup("term t", "t", condition, true), vec![Sql::from(index), Sql::from(system)])
}

fn presence(index: i64, missing: bool) -> Piece {
    let not = if missing { "NOT " } else { "" };
    let text = format!(
        "r.rid {not}IN (SELECT rid FROM term WHERE param = ? UNION \
         SELECT rid FROM span WHERE param = ? UNION SELECT rid FROM word WHERE param = ?)"
    );
    (text, vec![Sql::from(index); 3])
}

fn word(index: i64, text: &str, how: TextMatch, driving: bool) -> Piece {
    let escaped = || text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    let (condition, values) = match how {
        TextMatch::Starts => (
            "w.param = ? AND w.value >= ? AND w.value < ?",
            vec![text.to_owned(), format!("{text}\u{10ffff}")],
        ),
        TextMatch::Contains => {
            ("w.param = ? AND w.value LIKE ? ESCAPE '\\'", vec![format!("%{}%", escaped())])
        }
        TextMatch::Exact => ("w.param = ? AND w.exact = ?", vec![text.to_owned()]),
    };
    let mut parameters = vec![Sql::from(index)];
    parameters.extend(values.into_iter().map(Sql::from));
    (lookup("word w", "w", condition, driving), parameters)
}
