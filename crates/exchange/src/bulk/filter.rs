//! `_typeFilter` of an export (Bulk Data Access 2.0): only the resources of a type that a search finds.
//!
//! A filter judges what is current when a file is fetched; which version is given is the export's
//! business. Invariants: several filters of a type count as any of them; a filter holds no identity
//! number, since jobs are kept in files.

use std::collections::BTreeSet;

use access::caller::Caller;
use access::permit::ReadPermit;
use fhir::issue::IssueCode;
use fhir::query::{Condition, Filter, Query, Scope, Target};
use record::identity::contains_number;
use serde::{Deserialize, Serialize};

use crate::coded;
use crate::error::Failure;
use crate::read::known_kind;
use crate::searchset::Pairs;
use crate::tenant::Tenant;

/// Most filters of an export.
const MOST: usize = 50;

/// One filter: a search in a type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeFilter {
    /// The resource type.
    pub kind: String,
    /// The search, percent-encoded as in an address.
    pub query: String,
}

/// What a value of `_typeFilter` holds: searches with commas between. A comma within a search is no end
/// of it, since no type and question mark follow.
fn parts(text: &str) -> Vec<&str> {
    let begins =
        |rest: &str| rest.split_once('?').is_some_and(|(kind, _)| known_kind(kind).is_ok());
    let (mut found, mut rest) = (Vec::new(), text);
    loop {
        let commas = rest.match_indices(',').map(|(at, _)| rest.split_at(at));
        let mut ends = commas.map(|(head, tail)| (head, tail.trim_start_matches(',')));
        match ends.find(|(_, tail)| begins(tail)) {
            Some((head, tail)) => {
                found.push(head);
                rest = tail;
            }
            None => {
                found.push(rest);
                return found;
            }
        }
    }
}

fn wrong(code: IssueCode, text: &str) -> Failure {
    Failure::malformed(code, "", format!("`_typeFilter`: {text}"))
}

impl Tenant {
    /// The filters of an export of these types, all types if there are none. One that cannot be followed
    /// refuses, or is left out where the caller is `lenient`.
    pub(crate) async fn type_filters(
        &self,
        caller: &Caller,
        texts: &[String],
        kinds: &[&str],
        lenient: bool,
    ) -> Result<Vec<TypeFilter>, Failure> {
        let mut filters = Vec::new();
        for text in texts.iter().flat_map(|text| parts(text)) {
            match self.type_filter(caller, text, kinds).await {
                Ok(filter) => filters.push(filter),
                Err(Failure::Malformed(_)) if lenient => {}
                Err(failure) => return Err(failure),
            }
        }
        if filters.len() > MOST {
            return Err(wrong(IssueCode::TooCostly, "there are more than 50"));
        }
        Ok(filters)
    }

    async fn type_filter(
        &self,
        caller: &Caller,
        text: &str,
        kinds: &[&str],
    ) -> Result<TypeFilter, Failure> {
        let form = || wrong(IssueCode::Structure, "send `Type?query`, percent-encoded");
        let (kind, query) = text.split_once('?').ok_or_else(form)?;
        let kind = known_kind(kind).map_err(|_| form())?;
        if !kinds.is_empty() && !kinds.contains(&kind) {
            return Err(wrong(IssueCode::Invalid, "name its type in `_type` too"));
        }
        let filter = TypeFilter { kind: kind.to_owned(), query: query.to_owned() };
        self.query_of(caller, kind, &filter).await?;
        Ok(filter)
    }

    async fn query_of(
        &self,
        caller: &Caller,
        kind: &'static str,
        filter: &TypeFilter,
    ) -> Result<Query, Failure> {
        let pairs: Pairs = form_urlencoded::parse(filter.query.as_bytes()).into_owned().collect();
        if pairs.iter().any(|(_, value)| contains_number(value)) {
            return Err(wrong(IssueCode::Security, "an identity number may not stand in it"));
        }
        let (parameters, scope) = (self.parameters()?, Scope::Type(kind));
        let sets = self.named_sets(caller, &parameters, scope, &pairs).await?;
        let query = coded::read(&parameters, Scope::Type(kind), &pairs, &sets)?;
        if let Some(unsupported) = query.unsupported.first() {
            let text = format!("`{}`: {}", unsupported.parameter, unsupported.reason.as_str());
            return Err(wrong(IssueCode::NotSupported, &text));
        }
        let shapes_result = pairs.iter().any(|(name, _)| {
            let name = name.split(':').next().unwrap_or_default();
            matches!(
                name,
                "_sort"
                    | "_count"
                    | "_include"
                    | "_revinclude"
                    | "_summary"
                    | "_total"
                    | "_elements"
            )
        });
        if shapes_result || query.filters.is_empty() {
            let text = "only search parameters that narrow the type count here, at least one";
            return Err(wrong(IssueCode::NotSupported, text));
        }
        Ok(query)
    }

    /// Those of the resources with these ids that any of the filters finds; `None` where the type has no
    /// filter.
    pub(crate) async fn filtered(
        &self,
        caller: &Caller,
        permit: &ReadPermit,
        filters: &[TypeFilter],
        kind: &'static str,
        ids: &[&str],
    ) -> Result<Option<BTreeSet<String>>, Failure> {
        let own: Vec<&TypeFilter> = filters.iter().filter(|it| it.kind == kind).collect();
        if own.is_empty() {
            return Ok(None);
        }
        let mut found = BTreeSet::new();
        if ids.is_empty() {
            return Ok(Some(found));
        }
        for filter in own {
            let mut query = self.query_of(caller, kind, filter).await?;
            let any = ids.iter().map(|id| Condition::Id((*id).into())).collect();
            query.filters.push(Filter { on: Target::Id, negated: false, any });
            query.count = u32::try_from(ids.len()).ok();
            let page = self.view.search(permit, &query, None, self.now())?;
            found.extend(page.matches.into_iter().map(|stored| stored.id));
        }
        Ok(Some(found))
    }
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn a_comma_ends_a_filter_only_before_another() {
        let text = "Observation?code=a,b,Condition?category=c,Nothing?x=y,Observation?date=d";
        let found =
            ["Observation?code=a,b", "Condition?category=c,Nothing?x=y", "Observation?date=d"];
        assert_eq!(parts(text), found);
        assert_eq!(parts("Patient"), ["Patient"]);
    }
}
