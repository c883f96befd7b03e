//! The information catalogue: what kinds of information the platform carries, as data.
//!
//! Six domains hold categories; a category says which FHIR shapes belong to it, whether it is about a
//! person, who the authoritative source is, whether it is shared from the start and how long it is
//! kept. An event whose shape no category claims is refused; every resource type of R4 has exactly
//! one home for each code of its `category` element. The texts are what a resident reads.

use std::sync::LazyLock;

use serde::Deserialize;

/// Key of a category, such as `measurements`.
pub type CategoryKey = &'static str;

/// Key of the category of entries about access, which only the audit ledger holds.
pub const ACCESS: CategoryKey = "access";

/// Key of the category of what a person has consented to, reserved against or restricted.
pub const CONSENTS: CategoryKey = "consents";

/// System of the keys of categories, where FHIR names one.
pub const SYSTEM: &str = "https://fkj.no/fhir/CodeSystem/information-category";

/// A group of categories.
#[derive(Debug, Deserialize)]
pub struct Domain {
    /// Stable key.
    pub key: String,
    /// Title in Bokmål.
    pub title: String,
}

/// One kind of information.
#[derive(Debug, Deserialize)]
pub struct Category {
    /// Stable key; written into every ledger entry.
    pub key: String,
    /// Key of the domain.
    pub domain: String,
    /// Title in Bokmål.
    pub title: String,
    /// What the resident is told it is.
    pub explanation: String,
    /// Whether an event must name a person.
    pub about_person: bool,
    /// Who is the authoritative source.
    pub authority: Authority,
    /// Whether others than the owner may read it from the start.
    pub shareable: bool,
    /// Years an entry is kept at least.
    pub retention_years: u8,
    /// FHIR shapes that belong here.
    pub shapes: Vec<Shape>,
}

impl Category {
    /// Whether a resource of this type may be silent about whom it is about.
    pub fn takes_unnamed(&self, kind: &str) -> bool {
        !self.about_person || self.shapes.iter().any(|shape| shape.kind == kind && shape.unnamed)
    }
}

/// The authoritative source of a category.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Authority {
    /// The municipality's own systems.
    Municipality,
    /// A national source.
    National,
    /// Both.
    Both,
}

/// A FHIR resource type, narrowed by a code of its `category` element where one is given.
#[derive(Debug, Deserialize)]
pub struct Shape {
    /// Resource type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Code that one of the resource's categories must have.
    #[serde(default)]
    pub category: Option<String>,
    /// Whether it may be silent about whom it is about, in a category about persons: because R4
    /// leaves it out of the type or lets it be left out, and it has a meaning without. Such a
    /// resource is about nobody, and nobody but its own source reads it.
    #[serde(default)]
    pub unnamed: bool,
}

/// Every domain and category.
#[derive(Debug, Deserialize)]
pub struct Catalogue {
    /// In the order they are shown.
    pub domains: Vec<Domain>,
    /// In the order they are tried and shown.
    pub categories: Vec<Category>,
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    // The file is part of the binary and a test parses it; empty means that every event is refused.
    serde_json::from_str(include_str!("../data/catalogue.json"))
        .unwrap_or(Catalogue { domains: Vec::new(), categories: Vec::new() })
});

impl Catalogue {
    /// The catalogue of this version of the platform.
    pub fn get() -> &'static Self {
        &CATALOGUE
    }

    /// The category of a resource of type `kind` with these codes in its `category` element. A
    /// shape with one of the codes goes before a shape without; of several the first.
    pub fn classify(&self, kind: &str, codes: &[&str]) -> Option<&Category> {
        let has = |fits: &dyn Fn(&Shape) -> bool| {
            let is =
                |category: &&Category| category.shapes.iter().any(|it| it.kind == kind && fits(it));
            self.categories.iter().find(is)
        };
        has(&|shape| shape.category.as_deref().is_some_and(|code| codes.contains(&code)))
            .or_else(|| has(&|shape| shape.category.is_none()))
    }

    /// Whether resources of this type can be about a person.
    pub fn is_personal(&self, kind: &str) -> bool {
        self.of_type(kind).any(|category| category.about_person)
    }

    /// The category with this key.
    pub fn category(&self, key: &str) -> Option<&Category> {
        self.categories.iter().find(|category| category.key == key)
    }

    /// The categories that hold resources of this type.
    pub fn of_type(&self, kind: &str) -> impl Iterator<Item = &Category> {
        self.categories
            .iter()
            .filter(move |category| category.shapes.iter().any(|shape| shape.kind == kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_category_has_a_domain_and_a_shape() {
        let catalogue = Catalogue::get();
        assert_eq!(catalogue.domains.len(), 6);
        for category in &catalogue.categories {
            assert!(catalogue.domains.iter().any(|domain| domain.key == category.domain));
            assert!(category.shapes.is_empty() == (category.key == ACCESS));
            assert!(category.retention_years >= 10);
        }
    }

    #[test]
    fn an_observation_is_classified_by_its_category() {
        let catalogue = Catalogue::get();
        let key = |codes: &[&str]| catalogue.classify("Observation", codes).map(|c| c.key.as_str());
        assert_eq!(key(&["vital-signs"]), Some("measurements"));
        assert_eq!(key(&["exam", "laboratory"]), Some("results"));
        assert_eq!(key(&["social-history"]), Some("background"));
        assert_eq!(key(&["exam"]), Some("findings"));
        assert_eq!(key(&[]), Some("findings"));
        assert_eq!(catalogue.classify("Visit", &[]).map(|c| &c.key), None);
    }
}
