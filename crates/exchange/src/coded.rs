//! Reading a search, with codes in the place of value sets and hierarchies (`:in`, `:not-in`,
//! `:above`, `:below`).
//!
//! The codes come from the platform's own terminology ([`crate::rules`]), the same for every
//! municipality, and then from the ValueSets that the caller may read. What is not known whole refuses the search by name: an answer from half a value
//! set would look like a whole one.

use std::collections::BTreeMap;

use access::caller::Caller;
use fhir::issue::{Issue, IssueCode};
use fhir::query::{Condition, Query, Scope, SystemMatch, TokenMatch};
use fhir::search::set::Parameters;

use crate::error::Failure;
use crate::rules::{respelled, rules};
use crate::tenant::Tenant;

/// Codes that all value sets and hierarchies of one search may become.
const MOST: usize = 2_000;

/// The codes of value sets beside the platform's own, by URL.
pub type Sets = BTreeMap<String, Vec<TokenMatch>>;

/// Reads a search, and its codes. `sets` are those that `Tenant::named_sets` finds.
///
/// # Errors
/// As [`Query::read`]; and for what is not known of codes, or is too much.
pub fn read(
    parameters: &Parameters,
    scope: Scope<'_>,
    pairs: &[(String, String)],
    sets: &Sets,
) -> Result<Query, Failure> {
    let mut query = Query::read(parameters, scope, pairs).map_err(Failure::Malformed)?;
    let mut left = MOST;
    query.expand(&mut |condition| {
        let codes = match condition {
            Condition::InValueSet(url) => members(url, sets),
            Condition::Subsumed { token, below } => related(token, *below),
            _ => Ok(Vec::new()),
        };
        let codes = codes.map_err(|message| refused(IssueCode::NotSupported, message))?;
        left = left.checked_sub(codes.len()).ok_or_else(|| {
            refused(IssueCode::TooCostly, "the codes asked for are too many: narrow the value set")
        })?;
        Ok::<_, Failure>(codes)
    })?;
    Ok(query)
}

fn refused(code: IssueCode, message: &str) -> Failure {
    Failure::Malformed(vec![Issue::error(code, "", message)])
}

impl Tenant {
    /// The value sets that a search names and the platform does not know itself, from the ValueSets that
    /// the caller may read.
    pub(crate) async fn named_sets(
        &self,
        caller: &Caller,
        parameters: &Parameters,
        scope: Scope<'_>,
        pairs: &[(String, String)],
    ) -> Result<Sets, Failure> {
        let may_name = |(name, _): &(String, String)| {
            name == "_filter" || name.ends_with(":in") || name.ends_with(":not-in")
        };
        if !pairs.iter().any(may_name) {
            return Ok(Sets::new());
        }
        let mut urls = Vec::new();
        let mut query = Query::read(parameters, scope, pairs).map_err(Failure::Malformed)?;
        query.expand(&mut |condition| {
            if let Condition::InValueSet(url) = condition {
                urls.push(url.to_string());
            }
            Ok::<_, Failure>(Vec::new())
        })?;
        let mut sets = Sets::new();
        for url in urls {
            if own(&url).is_none() && !sets.contains_key(&url) {
                let codes = self.stored_codes(caller, &url).await?;
                let codes = codes.iter().map(|(system, code)| token(system, code)).collect();
                sets.insert(url, codes);
            }
        }
        Ok(sets)
    }
}

/// The codes of a value set that the platform knows whole.
fn own(url: &str) -> Option<Vec<(&'static str, &'static str)>> {
    rules().terminology().codes_of(url).filter(|codes| !codes.is_empty())
}

/// The codes of a value set.
fn members(url: &str, sets: &Sets) -> Result<Vec<TokenMatch>, &'static str> {
    if let Some(codes) = own(url) {
        return Ok(codes.into_iter().map(|(system, code)| token(system, code)).collect());
    }
    sets.get(url).filter(|codes| !codes.is_empty()).cloned().ok_or(
        "`:in` and `:not-in`: the value set is not known here, or not all of its codes are; list \
         the codes instead",
    )
}

/// The code itself, and those below or above it.
fn related(asked: &TokenMatch, below: bool) -> Result<Vec<TokenMatch>, &'static str> {
    let (SystemMatch::Is(system), Some(code)) = (&asked.system, &asked.code) else {
        return Err("`:above` and `:below` need the code with its system: send `system|code`");
    };
    let of = |system: &str, code: &str| -> Option<Vec<TokenMatch>> {
        let known = rules().terminology();
        let codes =
            if below { known.descendants(system, code) } else { known.ancestors(system, code) };
        Some(codes?.into_iter().map(|code| token(system, code)).collect())
    };
    let respelled = || respelled(system, code).and_then(|(system, code)| of(&system, &code));
    let mut codes = of(system, code).or_else(respelled).ok_or(
        "`:above` and `:below`: the code system is not known here; list the codes instead",
    )?;
    if !codes.iter().any(|found| found.code == asked.code) {
        codes.push(asked.clone());
    }
    Ok(codes)
}

fn token(system: &str, code: &str) -> TokenMatch {
    TokenMatch { system: SystemMatch::Is(system.into()), code: Some(code.into()) }
}
