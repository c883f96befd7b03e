//! What the platform itself keeps, as facts of a category.

use std::collections::HashMap;

use access::permit::ReadPermit;
use fhir::instant;
use fhir::value::Value;
use record::about::elements;
use record::catalogue::{Catalogue, CategoryKey};
use view::store::Stored;

use super::fact::{Fact, Origin};
use crate::answer::Incomplete;
use crate::error::Failure;
use crate::read::{known_kind, parsed};
use crate::tenant::Tenant;

/// A person's facts by category.
pub type Facts = HashMap<CategoryKey, Vec<Fact>>;

impl Tenant {
    /// What the permit opens of one person, by category. What was recorded in error is left out; what cannot be
    /// read is told.
    pub(super) fn own_facts(
        &self,
        permit: &ReadPermit,
        base: &str,
        incomplete: &mut Vec<Incomplete>,
    ) -> Result<Facts, Failure> {
        let mut facts = Facts::new();
        for kind in kinds(permit.categories()) {
            for stored in self.view.records(permit, kind)? {
                let Ok(value) = parsed(&stored) else {
                    incomplete.push(Incomplete::Record { position: stored.version });
                    continue;
                };
                let key = Catalogue::get().category(&stored.category).map(|it| it.key.as_str());
                if let Some(key) = key.filter(|_| !is_in_error(&value)) {
                    let fact = self.own_fact(&stored, value, base);
                    facts.entry(key).or_default().push(fact);
                }
            }
        }
        Ok(facts)
    }

    fn own_fact(&self, stored: &Stored, value: Value, base: &str) -> Fact {
        let url = format!("{base}/{}/{}", stored.kind, stored.id);
        let owner = stored.owner.clone();
        let name = self.register().organisation_name(&owner).map(str::to_owned);
        let origin = Origin {
            name: name.unwrap_or_else(|| owner.clone()),
            owner: Some(owner),
            source: stored.source.clone(),
            link: format!("{url}/_history/{}", stored.version),
            at: stored.updated,
        };
        let at = happened(&value);
        Fact { value, url, origins: vec![origin], at, disputed_by: Vec::new() }
    }
}

/// The types that these categories hold, each once.
pub fn kinds(categories: &[CategoryKey]) -> Vec<&'static str> {
    let known = categories.iter().filter_map(|key| Catalogue::get().category(key));
    let shapes = known.flat_map(|category| &category.shapes);
    let mut kinds: Vec<_> = shapes.filter_map(|shape| known_kind(&shape.kind).ok()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// When a resource says that it happened, milliseconds since 1970.
pub fn happened(value: &Value) -> Option<i64> {
    let kind = value.text("resourceType")?;
    let paths = &elements(kind).happened;
    let text = paths.iter().find_map(|path| value.at(path).and_then(Value::as_str))?;
    instant::range(text).map(|(from, _)| from)
}

/// Whether its source has taken it back.
pub fn is_in_error(value: &Value) -> bool {
    value.text("status") == Some("entered-in-error")
        || value
            .all_at("verificationStatus.coding")
            .iter()
            .any(|coding| coding.text("code") == Some("entered-in-error"))
}
