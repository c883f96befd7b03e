//! The categories and elements of the information catalogue as code systems, with the value set of the
//! elements of each category. Bokmål is what is displayed; the other languages are designations.

use serde_json::{Value, json};

use super::{BASE, value_set};
use crate::catalogue::element::{ELEMENT_SYSTEM, Element};
use crate::catalogue::text::{Language, Texts};
use crate::catalogue::{Catalogue, Category, SYSTEM};

/// Every resource about the catalogue.
pub fn resources() -> Vec<Value> {
    let catalogue = Catalogue::get();
    let categories = catalogue.categories.iter().map(|it| concept(&it.key, &it.texts)).collect();
    let elements = catalogue.elements.iter().map(|it| concept(&it.key, &it.texts)).collect();
    let all = |id: &str, name: &str, title: &str, system: &str, concepts: Vec<Value>| {
        let set = value_set(id, name, title, json!([{ "system": system }]));
        [code_system(id, name, title, system, concepts), set]
    };
    let category = "information-category";
    let element = "information-element";
    let mut resources = Vec::new();
    resources.extend(all(category, "Informasjonskategori", CATEGORIES, SYSTEM, categories));
    resources.extend(all(element, "Informasjonselement", ELEMENTS, ELEMENT_SYSTEM, elements));
    resources.extend(catalogue.categories.iter().filter_map(of_category));
    resources
}

const CATEGORIES: &str = "Kategorier i informasjonskatalogen";
const ELEMENTS: &str = "Elementer i informasjonskatalogen";

/// The elements of a category, where it has any.
fn of_category(category: &Category) -> Option<Value> {
    let listed = |it: &Element| json!({ "code": it.key, "display": it.texts.nb.title });
    let elements: Vec<Value> = Catalogue::get().elements_of(&category.key).map(listed).collect();
    let id = format!("elements-{}", category.key);
    let title = format!("Informasjonselementer: {}", category.texts.nb.title);
    let include = json!([{ "system": ELEMENT_SYSTEM, "concept": elements }]);
    (!elements.is_empty()).then(|| value_set(&id, "Informasjonselementer", &title, include))
}

fn code_system(id: &str, name: &str, title: &str, url: &str, concepts: Vec<Value>) -> Value {
    json!({
        "resourceType": "CodeSystem",
        "id": id,
        "url": url,
        "name": name,
        "title": title,
        "status": "active",
        "caseSensitive": true,
        "valueSet": format!("{BASE}/ValueSet/{id}"),
        "content": "complete",
        "concept": concepts,
    })
}

fn concept(key: &str, texts: &Texts) -> Value {
    let designation = |language: Language| json!({ "language": language.tag(), "value": texts.of(language).title });
    json!({
        "code": key,
        "display": texts.nb.title,
        "definition": texts.nb.explanation,
        "designation": Language::ALL.map(designation),
    })
}
