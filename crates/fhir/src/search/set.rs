//! A set of search parameters: R4's own, and those that a server has added.

use super::{IndexEntry, IndexValue, ParamKind, SearchParameter, load, values};
use crate::fhirpath::selector::Selected;
use crate::issue::Issue;
use crate::resource::Resource;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

/// Added parameters have index ids from here; those of the data file are below.
pub const FIRST_ADDED: u16 = 0x4000;

static R4: LazyLock<Parameters> =
    LazyLock::new(|| Parameters { by_kind: load::parameters(), base: None });

/// Search parameters by resource type. Cheap to clone and extend: the parameters are shared.
#[derive(Clone, Debug)]
pub struct Parameters {
    by_kind: HashMap<&'static str, Vec<Arc<SearchParameter>>>,
    base: Option<Box<str>>,
}

impl Parameters {
    /// The standard parameters.
    pub fn r4() -> &'static Parameters {
        &R4
    }

    /// The same set for a server whose resources have addresses below `base`: absolute references
    /// there count as local ones.
    #[must_use]
    pub fn at(mut self, base: &str) -> Parameters {
        self.base = Some(base.trim_end_matches('/').into());
        self
    }

    /// Adds a `SearchParameter` resource for each of its base types, under `index_id`, which the
    /// caller keeps the same for the same parameter for as long as there are values under it. It takes
    /// the place of another with the same code.
    ///
    /// # Errors
    /// An issue if `index_id` is below [`FIRST_ADDED`], or the resource has no code, type or base that
    /// is known here, or an expression that can find no values of the type.
    pub fn add(&mut self, parameter: &Resource, index_id: u16) -> Result<(), Issue> {
        for (kind, added) in self.compile(parameter, index_id)? {
            let known = self.by_kind.entry(kind).or_default();
            match known.binary_search_by(|known| known.code.cmp(&added.code)) {
                Ok(at) => {
                    if let Some(place) = known.get_mut(at) {
                        *place = added;
                    }
                }
                Err(at) => known.insert(at, added),
            }
        }
        Ok(())
    }

    /// What a `SearchParameter` resource is for each of its base types, without adding it.
    ///
    /// # Errors
    /// As [`Parameters::add`].
    pub fn compile(
        &self,
        parameter: &Resource,
        index_id: u16,
    ) -> Result<Vec<(&'static str, Arc<SearchParameter>)>, Issue> {
        load::added(self, parameter, index_id)
    }

    /// The parameters of a resource type, sorted by code; none for an unknown type.
    pub fn of(&self, kind: &str) -> &[Arc<SearchParameter>] {
        self.by_kind.get(kind).map(Vec::as_slice).unwrap_or_default()
    }

    /// One parameter of a resource type.
    pub fn get(&self, kind: &str, code: &str) -> Option<&Arc<SearchParameter>> {
        let parameters = self.of(kind);
        let at = parameters.binary_search_by(|known| known.code.as_str().cmp(code)).ok()?;
        parameters.get(at)
    }

    /// All values to find a resource by, sorted, each once. What does not have the form that
    /// [`crate::check`] asks for gives no value.
    pub fn index(&self, resource: &Resource) -> Vec<IndexEntry> {
        let mut entries = Vec::with_capacity(32);
        let whole = Selected::resource(resource.value());
        for parameter in self.of(resource.kind()) {
            if parameter.id == parameter.index_id {
                self.add_values(parameter, whole, &mut entries);
            }
        }
        entries.sort_unstable();
        entries.dedup();
        entries
    }

    /// The values under one parameter only, as when old resources are indexed for a new parameter.
    pub fn values(&self, parameter: &SearchParameter, resource: &Resource) -> Vec<IndexValue> {
        let mut entries = Vec::new();
        let whole = Selected::resource(resource.value());
        self.add_values(parameter, whole, &mut entries);
        entries.sort_unstable();
        entries.dedup();
        entries.into_iter().map(|entry| entry.value).collect()
    }

    fn add_values(
        &self,
        parameter: &SearchParameter,
        resource: Selected<'_>,
        entries: &mut Vec<IndexEntry>,
    ) {
        let mut add = |value| entries.push(IndexEntry { index_id: parameter.index_id, value });
        if parameter.kind == ParamKind::Composite {
            values::composite(parameter, resource, self, &mut add);
            return;
        }
        parameter.expression.each(resource, resource, &mut |selected| {
            values::add(parameter.kind, selected, self, &mut add);
        });
    }

    /// Whether the address before `Type/id` is the server's own.
    pub(crate) fn is_own(&self, base: &str) -> bool {
        self.base.as_deref() == Some(base)
    }
}
