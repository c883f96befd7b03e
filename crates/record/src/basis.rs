//! Why information is kept: the legal basis of each category of the catalogue, as data. What rests on
//! consent or contract, and only that, can be asked for in order to use it elsewhere (GDPR art. 20).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// System of the keys of legal bases, where FHIR names one.
pub const SYSTEM: &str = "https://fkj.no/fhir/CodeSystem/legal-basis";

/// A legal basis.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct LegalBasis {
    /// Stable key.
    pub key: String,
    /// What the resident is told it is, in Bokmål, with the law.
    pub title: String,
    /// Whether it gives a right to portability.
    pub portable: bool,
}

/// Every basis, and which categories rest on which.
#[derive(Debug, Default, Deserialize)]
pub struct Bases {
    /// All of them.
    pub bases: Vec<LegalBasis>,
    /// Key of the one of categories that are not named.
    otherwise: String,
    /// Key of the basis, by key of the category.
    categories: BTreeMap<String, String>,
}

static BASES: LazyLock<Bases> = LazyLock::new(|| {
    // The file is part of the binary and a test parses it; without it nothing is portable.
    serde_json::from_str(include_str!("../data/bases.json")).unwrap_or_default()
});

impl Bases {
    /// The bases of this version of the platform.
    pub fn get() -> &'static Self {
        &BASES
    }

    /// The basis of a category.
    pub fn of(&self, category: &str) -> Option<&LegalBasis> {
        let key = self.categories.get(category).unwrap_or(&self.otherwise);
        self.bases.iter().find(|basis| basis.key == *key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;

    #[test]
    fn every_category_has_a_basis_and_every_name_is_known() {
        let (bases, catalogue) = (Bases::get(), Catalogue::get());
        assert!(catalogue.categories.iter().all(|it| bases.of(&it.key).is_some()));
        assert!(bases.categories.keys().all(|key| catalogue.category(key).is_some()));
        let known = |key: &String| bases.bases.iter().any(|basis| basis.key == *key);
        assert!(bases.categories.values().all(known));
        assert_eq!(bases.of("measurements").map(|basis| basis.portable), Some(false));
        assert_eq!(bases.of("app-data").map(|basis| basis.portable), Some(true));
    }
}
