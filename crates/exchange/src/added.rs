//! Search parameters that sources have added as `SearchParameter` resources: while `status` is
//! `active`, they are parameters of this municipality's searches, of what was recorded before them
//! as well, at once by reading and soon by the view's index.
//!
//! Invariants: what is there already is never redefined, whether R4's or another source's; a
//! definition that could not be searched by is refused when it is written, with the reason.

use std::sync::Arc;

use fhir::definitions::resource_kinds;
use fhir::issue::IssueCode;
use fhir::json;
use fhir::resource::Resource;
use fhir::search::set::Parameters;
use parking_lot::Mutex;
use view::added::{Definition, LAST, Mark};

use crate::error::Failure;
use crate::tenant::Tenant;

/// Most of them at a time: each search may have to know them all.
const MOST: usize = 200;

/// The last state seen.
pub(crate) struct Added(Mutex<(Mark, Arc<Parameters>)>);

impl Added {
    pub(crate) fn new() -> Self {
        Self(Mutex::new((Mark::default(), Arc::new(Parameters::r4().clone()))))
    }
}

impl Tenant {
    /// The parameters of searches now.
    pub fn parameters(&self) -> Result<Arc<Parameters>, Failure> {
        let mut known = self.added.0.lock();
        if let Some((mark, definitions)) = self.view.definitions(known.0)? {
            *known = (mark, Arc::new(with(&definitions, None).0));
        }
        Ok(known.1.clone())
    }

    /// Whether a definition may be written: drafts always, an active one if searches can use it.
    pub(crate) fn check_definition(&self, id: &str, resource: &Resource) -> Result<(), Failure> {
        if !is_active(resource) {
            return Ok(());
        }
        let stored = self.view.definitions(Mark::default())?.unwrap_or_default().1;
        let (others, count) = with(&stored, Some(id));
        if count >= MOST {
            let text = format!("there are {MOST} active search parameters; retire one first");
            return Err(Failure::invalid(IssueCode::TooCostly, "SearchParameter", text));
        }
        let code = resource.value().text("code").unwrap_or_default();
        let mut all = others.clone();
        all.add(resource, u16::MAX).map_err(|issue| Failure::Invalid(vec![issue]))?;
        let is_taken = |kind: &str| {
            let mine = all.get(kind, code).is_some_and(|it| it.id == u16::MAX);
            mine && others.get(kind, code).is_some()
        };
        if code.starts_with('_') || resource_kinds().into_iter().any(is_taken) {
            return Err(Failure::invalid(
                IssueCode::BusinessRule,
                "SearchParameter.code",
                "there is a search parameter by this name already; choose another",
            ));
        }
        Ok(())
    }
}

/// R4's parameters with the active ones of these, and how many those are; all but one that is written
/// anew.
fn with(definitions: &[Definition], but: Option<&str>) -> (Parameters, usize) {
    let mut parameters = Parameters::r4().clone();
    let mut count = 0;
    for Definition { id, body, number } in definitions {
        let resource = json::parse(body).ok().and_then(|value| Resource::from_value(value).ok());
        let active = resource.filter(|it| but != Some(id.as_str()) && is_active(it));
        let beside = u16::try_from(count).unwrap_or(u16::MAX);
        let number = number.unwrap_or(LAST.saturating_add(1).saturating_add(beside));
        if let Some(active) = active
            // What was taken before there were rules for it is no parameter.
            && parameters.add(&active, number).is_ok()
        {
            count += 1;
        }
    }
    (parameters, count)
}

fn is_active(resource: &Resource) -> bool {
    resource.value().text("status") == Some("active")
}
