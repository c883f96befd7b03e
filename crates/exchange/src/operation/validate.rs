//! `$validate`: what the write flow would say of a resource, without keeping anything.
//!
//! Invariant: what this says refuses is what the write flow refuses, and the other way round, but for
//! what depends on other resources: references in the same Bundle, versions and conditions.

use access::caller::Caller;
use access::decide::decide_write;
use fhir::issue::{Issue, IssueCode, operation_outcome};
use fhir::resource::Resource;
use fhir::value::Value;

use super::parameters::{Parameters, missing, wrong};
use crate::error::Failure;
use crate::naming;
use crate::read::parsed;
use crate::rules::rules;
use crate::submission::Channel;
use crate::tenant::Tenant;
use crate::whom;

/// What the sender has in mind (R4 value set resource-validation-mode).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Nothing,
    Create,
    Update,
    Delete,
}

impl Tenant {
    /// `Type/$validate` and `Type/id/$validate`: an `OperationOutcome`, whatever the result. Without a
    /// resource, the stored one is judged, for those who may read it.
    pub async fn validate(
        &self,
        caller: &Caller,
        kind: &'static str,
        id: Option<&str>,
        given: &Parameters,
    ) -> Result<Value, Failure> {
        given.only(&["resource", "mode", "profile"])?;
        let named: Vec<&str> = given.all("profile").filter_map(Value::as_str).collect();
        let mode = match given.text("mode") {
            None => Mode::Nothing,
            Some("create") => Mode::Create,
            Some("update") => Mode::Update,
            Some("delete") => Mode::Delete,
            Some("profile") if named.is_empty() => {
                return Err(missing("`mode=profile` needs a `profile`"));
            }
            Some("profile") => Mode::Nothing,
            Some(_) => {
                let text = "`mode` is `create`, `update`, `delete` or `profile`";
                return Err(wrong(IssueCode::Value, text));
            }
        };
        if mode == Mode::Delete {
            let id =
                id.ok_or_else(|| missing("`mode=delete` is asked of one resource by its id"))?;
            let stored = self.read(caller, kind, id).await?;
            let value = parsed(&stored)?;
            let owner = (stored.owner.as_str(), stored.source.as_str());
            let issues = self.may_be_written(caller, kind, &value, Some(owner));
            return Ok(operation_outcome(&issues));
        }
        let value = match (given.get("resource"), id) {
            (Some(value), _) => value.clone(),
            (None, Some(id)) => parsed(&self.read(caller, kind, id).await?)?,
            (None, None) => return Err(missing("send the resource that is to be judged")),
        };
        let mut issues = self.judged(kind, &value, id, &named);
        if mode == Mode::Update && id.is_none() {
            let text = "`mode=update` is asked of one resource by its id";
            return Err(missing(text));
        }
        if mode != Mode::Nothing {
            let located = match id {
                Some(id) => self.view.locate(kind, id)?.filter(|located| !located.derived),
                None => None,
            };
            let owner = located.as_ref().map(|it| (it.owner.as_str(), it.source.as_str()));
            issues.extend(self.may_be_written(caller, kind, &value, owner));
        }
        Ok(operation_outcome(&issues))
    }

    /// What steps 2 and 4 of the write flow say of a resource.
    fn judged(&self, kind: &str, value: &Value, id: Option<&str>, named: &[&str]) -> Vec<Issue> {
        let resource = match Resource::from_value(value.clone()) {
            Ok(resource) => resource,
            Err(issue) => return vec![issue],
        };
        let other = |place: &str, text: &str| vec![Issue::error(IssueCode::Structure, place, text)];
        if resource.kind() != kind {
            return other("resourceType", "the address says another type than the resource");
        }
        if id.is_some_and(|id| resource.id().is_some_and(|own| own != id)) {
            return other(&format!("{kind}.id"), "the address says another id than the resource");
        }
        let mut issues = rules().judge(&resource, Channel::Fhir, named);
        if issues.iter().any(Issue::refuses) {
            return issues;
        }
        let id = id.or(resource.id()).unwrap_or_default();
        let named = || -> Result<(), Failure> {
            naming::category(kind, value)?;
            naming::occurred(kind, value, self.now())?;
            if kind == "Patient" {
                whom::national_numbers(value, self.strictness())?;
            }
            let named = whom::named(kind, value, Some(id), self.strictness())?;
            if !named.said && !naming::category(kind, value)?.takes_unnamed(kind) {
                return Err(whom::unnamed(kind));
            }
            Ok(())
        };
        issues.extend(named().err().into_iter().flat_map(|failure| failure.issues()));
        issues
    }

    /// Whether the caller may record this: a refusal as an issue, since nothing was tried.
    fn may_be_written(
        &self,
        caller: &Caller,
        kind: &str,
        value: &Value,
        owner: Option<(&str, &str)>,
    ) -> Vec<Issue> {
        let Ok(category) = naming::category(kind, value) else { return Vec::new() };
        match decide_write(caller, &self.standing(), category, owner, self.now()) {
            Ok(_) => Vec::new(),
            Err(refusal) => {
                vec![Issue::error(IssueCode::Forbidden, "", refusal.rule.explanation())]
            }
        }
    }
}
