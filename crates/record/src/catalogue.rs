//! The information catalogue: what kinds of information the platform carries, as data.
//!
//! Six domains hold categories, and categories hold elements; a category says which FHIR shapes belong to it, whether it is about a
//! person, who the authoritative source is, whether it is shared from the start and how long it is
//! kept. An event whose shape no category claims is refused; every resource type of R4 has exactly
//! one home for each code of its `category` element. An element is the single thing within, such as
//! blood pressure. The texts are what a resident reads. One file per domain in `catalogue`, and the
//! elements beside them.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use self::element::{Colour, ELEMENT_SYSTEM, Element};
use self::text::Texts;

pub mod element;
pub mod text;

/// Key of a category, such as `measurements`.
pub type CategoryKey = &'static str;

/// Key of the category of entries about access, which only the audit ledger holds.
pub const ACCESS: CategoryKey = "access";

/// Key of the category of what a person has consented to, reserved against or restricted.
pub const CONSENTS: CategoryKey = "consents";

/// System of the keys of categories, where FHIR names one.
pub const SYSTEM: &str = "https://fkj.no/fhir/CodeSystem/information-category";

/// A group of categories (Vedlegg 3.2, 7.2).
#[derive(Debug, Serialize)]
pub struct Domain {
    /// Stable key.
    pub key: String,
    /// What people are told it is.
    pub texts: Texts,
}

/// One kind of information.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// Stable key; written into every ledger entry.
    pub key: String,
    /// Key of the domain: that of the file it stands in.
    #[serde(skip_deserializing)]
    pub domain: String,
    /// Where it stands among all categories when they are shown.
    #[serde(skip_serializing)]
    place: u8,
    /// What people are told it is.
    pub texts: Texts,
    /// Who carries it.
    pub colour: Colour,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
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
#[derive(Debug, Deserialize, Serialize)]
pub struct Shape {
    /// Resource type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Code that one of the resource's categories must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Whether it may be silent about whom it is about, in a category about persons: because R4
    /// leaves it out of the type or lets it be left out, and it has a meaning without. Such a
    /// resource is about nobody, and nobody but its own source reads it.
    #[serde(default)]
    pub unnamed: bool,
}

/// Every domain, category and element.
#[derive(Debug, Default, Serialize)]
pub struct Catalogue {
    /// In the order they are shown.
    pub domains: Vec<Domain>,
    /// In the order they are shown.
    pub categories: Vec<Category>,
    /// In the order they are tried and shown.
    pub elements: Vec<Element>,
}

/// The file of a domain.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DomainFile {
    key: String,
    texts: Texts,
    categories: Vec<Category>,
}

/// A file of elements.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ElementFile {
    elements: Vec<Element>,
}

/// In the order domains are shown.
const DOMAINS: [&str; 6] = [
    include_str!("../catalogue/health.toml"),
    include_str!("../catalogue/patient.toml"),
    include_str!("../catalogue/casework.toml"),
    include_str!("../catalogue/personnel.toml"),
    include_str!("../catalogue/organisation.toml"),
    include_str!("../catalogue/reference.toml"),
];

const ELEMENTS: [&str; 4] = [
    include_str!("../catalogue/elements/measured.toml"),
    include_str!("../catalogue/elements/problems.toml"),
    include_str!("../catalogue/elements/health.toml"),
    include_str!("../catalogue/elements/patient.toml"),
];

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    // The files are part of the program and a test parses them; empty means that every event is refused.
    read().unwrap_or_default()
});

fn read() -> Result<Catalogue, toml::de::Error> {
    let mut all = Catalogue::default();
    for text in DOMAINS {
        let DomainFile { key, texts, categories } = toml::from_str(text)?;
        all.categories
            .extend(categories.into_iter().map(|it| Category { domain: key.clone(), ..it }));
        all.domains.push(Domain { key, texts });
    }
    all.categories.sort_by_key(|category| category.place);
    for text in ELEMENTS {
        all.elements.extend(toml::from_str::<ElementFile>(text)?.elements);
    }
    Ok(all)
}

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

    /// The element of a resource of type `kind` in the category `category` with these codes, each with
    /// its system: the one that a code names by its own key, else the first that one of the codes
    /// belongs to, else the first of the type that has no codes.
    pub fn element_of(
        &self,
        category: &str,
        kind: &str,
        codes: &[(&str, &str)],
    ) -> Option<&Element> {
        let has = |fits: &dyn Fn(&Element) -> bool| {
            self.elements_of(category).find(|it| it.shape.as_deref() == Some(kind) && fits(it))
        };
        has(&|it| codes.contains(&(ELEMENT_SYSTEM, it.key.as_str())))
            .or_else(|| {
                has(&|it| {
                    it.codes
                        .iter()
                        .any(|it| codes.contains(&(it.system.as_str(), it.code.as_str())))
                })
            })
            .or_else(|| has(&|it| it.codes.is_empty()))
    }

    /// The elements of a category.
    pub fn elements_of(&self, category: &str) -> impl Iterator<Item = &Element> {
        self.elements.iter().filter(move |element| element.category == category)
    }

    /// Who carries an element.
    pub fn colour_of(&self, element: &Element) -> Option<Colour> {
        element.colour.or_else(|| self.category(&element.category).map(|it| it.colour))
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
    use super::element::Need;
    use super::text::{Language, Text};
    use super::*;
    use crate::system::LOINC;

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
    fn every_element_has_a_home_and_a_key_of_its_own() {
        let catalogue = read().unwrap();
        let mut keys: Vec<_> = catalogue.elements.iter().map(|it| it.key.as_str()).collect();
        keys.sort_unstable();
        assert!(keys.windows(2).all(|pair| pair[0] != pair[1]));
        for element in &catalogue.elements {
            let category = catalogue.category(&element.category).unwrap();
            if let Some(kind) = &element.shape {
                let shaped = category.shapes.iter().any(|shape| shape.kind == *kind);
                assert!(shaped, "{} is no {kind} of {}", element.key, category.key);
            }
            assert!(!element.roles.is_empty());
            assert!(catalogue.colour_of(element).is_some());
        }
        for need in Need::ALL {
            assert!(catalogue.elements.iter().any(|it| it.need == Some(need)), "{need:?}");
        }
    }

    #[test]
    fn every_text_is_there_in_every_language() {
        let catalogue = Catalogue::get();
        let of_domains = catalogue.domains.iter().map(|it| (&it.key, &it.texts));
        let of_categories = catalogue.categories.iter().map(|it| (&it.key, &it.texts));
        let of_elements = catalogue.elements.iter().map(|it| (&it.key, &it.texts));
        for (key, texts) in of_domains.chain(of_categories).chain(of_elements) {
            for language in Language::ALL {
                let Text { title, explanation } = texts.of(language);
                assert!(!title.trim().is_empty(), "{key}, {}", language.tag());
                assert!(explanation.ends_with('.'), "{key}, {}", language.tag());
            }
        }
    }

    #[test]
    fn an_element_is_known_by_its_key_its_codes_or_its_type() {
        let of = |category: &str, kind: &str, codes: &[(&str, &str)]| {
            Catalogue::get().element_of(category, kind, codes).map(|it| it.key.as_str())
        };
        let blood_pressure = (LOINC, "85354-9");
        assert_eq!(of("measurements", "Observation", &[blood_pressure]), Some("blood-pressure"));
        assert_eq!(of("findings", "Observation", &[blood_pressure]), Some("examination-finding"));
        assert_eq!(of("problems", "Condition", &[]), Some("problem-diagnosis"));
        let skin = (ELEMENT_SYSTEM, "area-skin");
        assert_eq!(of("problems", "Condition", &[skin]), Some("area-skin"));
        assert_eq!(of("problems", "Observation", &[skin]), None);
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
