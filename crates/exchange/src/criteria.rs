//! Search criteria in place of an id: conditional create, update, patch and delete, and references
//! by search (R4 http, conditional interactions).
//!
//! Invariants: criteria find only what the writer may read, its own records; criteria that are not
//! understood whole find nothing but are refused, since what is left of them could find another
//! resource.

use access::caller::{Caller, Party};
use access::decide::{About, ReadRequest, decide_read};
use access::refusal::{Refusal, Rule};
use access::scopes::{Interaction, narrowed};
use fhir::issue::{Issue, IssueCode};
use fhir::query::{Query, Scope};
use fhir::search::set::Parameters;
use record::identity::contains_number;

use crate::coded::{self, Sets};
use crate::error::Failure;
use crate::read::{Named, keys_of};
use crate::searchset::Pairs;
use crate::tenant::Tenant;

/// Found at most: one more than two, since a derived Patient may be among them.
const MOST: u32 = 3;

/// What finds a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Criteria {
    kind: &'static str,
    pairs: Pairs,
}

impl Criteria {
    /// Reads `identifier=…&…`, percent-encoded as in an address.
    pub fn read(kind: &'static str, query: &str) -> Self {
        let query = query.trim_start_matches('?');
        Self { kind, pairs: form_urlencoded::parse(query.as_bytes()).into_owned().collect() }
    }

    /// Whether an identity number stands in it: then it must not stand in an address.
    pub fn holds_number(&self) -> bool {
        self.pairs.iter().any(|(_, value)| contains_number(value))
    }

    /// The name under which two writers with the same criteria wait for each other.
    pub(crate) fn name(&self, caller: &Caller) -> String {
        let mut pairs: Vec<_> =
            self.pairs.iter().map(|(name, it)| format!("{name}={it}")).collect();
        pairs.sort_unstable();
        format!("{} {}?{}", caller.client_id, self.kind, pairs.join("&"))
    }

    fn query(&self, parameters: &Parameters) -> Result<Query, Failure> {
        let mut query = coded::read(parameters, Scope::Type(self.kind), &self.pairs, &Sets::new())?;
        let unsupported = query.unsupported.iter().map(|it| {
            let text = format!("`{}`: {}", it.parameter, it.reason.as_str());
            Issue::error(IssueCode::NotSupported, "", text)
        });
        let issues: Vec<Issue> = unsupported.collect();
        if !issues.is_empty() {
            return Err(Failure::Malformed(issues));
        }
        if query.filters.is_empty() {
            return Err(Failure::malformed(
                IssueCode::Required,
                "",
                "a condition needs a search parameter, such as `identifier`",
            ));
        }
        query.count = Some(MOST);
        (query.summary, query.total) = (None, None);
        query.includes.clear();
        query.revincludes.clear();
        Ok(query)
    }
}

impl Tenant {
    /// The ids of the writer's own resources that criteria find, at most [`MOST`]. What the
    /// platform derived is nobody's and counts only where `derived` says so.
    pub(crate) fn find(
        &self,
        caller: &Caller,
        criteria: &Criteria,
        derived: bool,
    ) -> Result<Vec<String>, Failure> {
        if !matches!(caller.party, Party::System) {
            return Err(Refusal { rule: Rule::NotASystem }.into());
        }
        let mut query = criteria.query(&*self.parameters()?)?;
        let named = self.named_person(caller, &mut query)?;
        let about = match named {
            Named::One(person) => About::Person(person),
            Named::Unsaid => About::Unnamed,
            Named::Nobody => return Ok(Vec::new()),
        };
        let categories = keys_of(criteria.kind);
        let request = ReadRequest::new(about, &categories);
        let permit = decide_read(caller, None, &self.standing(), &request, self.now())?;
        let permit = narrowed(caller, permit, Interaction::Search)?;
        let page = self.view.search(&permit, &query, None, self.now())?;
        let mut ids = Vec::with_capacity(page.matches.len());
        for stored in page.matches {
            let located = self.view.locate(criteria.kind, &stored.id)?;
            if derived || located.is_some_and(|located| !located.derived) {
                ids.push(stored.id);
            }
        }
        Ok(ids)
    }
}
