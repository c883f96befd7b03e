//! The Norwegian profiles are sound StructureDefinitions of elements that R4 has.

use fhir::check::check;
use fhir::definitions::{Content, shape};
use fhir::json;
use fhir::resource::Resource;
use record::profile::structure_definitions;

/// Whether a path of an ElementDefinition is an element of R4.
fn is_element(path: &str) -> bool {
    let mut names = path.split('.');
    let mut shapes: Vec<_> = names.next().and_then(shape).into_iter().collect();
    for name in names {
        let name = name.strip_suffix("[x]").unwrap_or(name);
        let found: Vec<_> = shapes.iter().flat_map(|shape| shape.names_of(name)).collect();
        if found.is_empty() {
            return false;
        }
        let below = found.iter().filter_map(|(_, kind)| match kind.content {
            Content::Shape(id) => Some(id.shape()),
            Content::Primitive(_) => shape("Element"),
            Content::Resource => None,
        });
        shapes = below.collect();
    }
    true
}

#[test]
fn every_profile_is_a_sound_structure_definition() {
    for text in structure_definitions() {
        let value = json::parse(text.as_bytes()).unwrap();
        let url = value.text("url").unwrap().to_owned();
        let resource = Resource::from_value(value).unwrap();
        assert_eq!(check(&resource), [], "{url}");
        let elements = resource.value().get("differential").unwrap().items("element");
        let kind = resource.value().text("type").unwrap();
        assert_eq!(elements[0].text("path"), Some(kind), "{url}");
        for element in elements {
            let (id, path) = (element.text("id").unwrap(), element.text("path").unwrap());
            assert!(is_element(path), "{url}: {path}");
            // The id is the path with the names of slices in it.
            let plain: Vec<&str> =
                id.split('.').map(|step| step.split(':').next().unwrap()).collect();
            assert_eq!(plain.join("."), path, "{url}: {id}");
            let slice = id.rsplit('.').next().unwrap().split_once(':').map(|(_, name)| name);
            assert_eq!(element.text("sliceName"), slice, "{url}: {id}");
        }
    }
}
