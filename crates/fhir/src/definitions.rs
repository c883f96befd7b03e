//! Every element of every type of R4, from `data/elements.txt`, `codes.txt` and `rules.txt`.
//!
//! The data is read once, on first use, into [`Shape`]s: one for each type and one for each nested
//! element with children, with inherited elements in place. Invariant: a [`ShapeId`] comes from here
//! and names a shape. The data is written by `cargo xtask definitions`, and a test reads all of it,
//! so a line that does not parse is skipped here without fuss.

use crate::primitive::Primitive;
use crate::rule::Rule;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

mod load;

static DEFINITIONS: LazyLock<Definitions> = LazyLock::new(load::definitions);

/// All shapes, found by name.
struct Definitions {
    shapes: Vec<Shape>,
    by_name: HashMap<&'static str, ShapeId>,
    codes: HashMap<&'static str, Arc<CodeList>>,
}

/// Names one shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ShapeId(usize);

/// What may stand in an object: a type, or a nested element with children.
#[derive(Debug)]
pub struct Shape {
    /// The type's name, such as `Patient`; for a nested element its path, such as `Patient.contact`.
    pub name: String,
    /// What sort of type it is; of a nested element, [`ShapeKind::Datatype`].
    pub kind: ShapeKind,
    /// The type it specialises, such as `DomainResource`; empty for `Resource` and `Element`.
    pub base: &'static str,
    /// The elements, inherited ones first.
    pub elements: Vec<Element>,
    /// The rules between its elements, inherited ones first.
    pub rules: Vec<Arc<Rule>>,
    /// JSON member names, sorted, each with its element and type.
    members: Vec<Member>,
}

/// What sort of type a shape is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShapeKind {
    /// A resource type that can stand alone.
    Resource,
    /// A complex data type or a nested element.
    Datatype,
    /// A base of others, such as `DomainResource`.
    Abstract,
}

/// One element of a shape.
#[derive(Clone, Debug)]
pub struct Element {
    /// The name, of a choice without `[x]`.
    pub name: &'static str,
    /// Whether the JSON name ends in the type, as in `valueQuantity`.
    pub choice: bool,
    /// How many there must be.
    pub min: u32,
    /// How many there may be; `u32::MAX` for any number.
    pub max: u32,
    /// Whether it is shown in a summary.
    pub summary: bool,
    /// The types it may have: several only for a choice.
    pub types: Vec<ElementType>,
    /// The value set that its concepts, or other values that are no `code`, are bound to.
    pub binding: Option<Binding>,
    /// Rules for its values in this place, beside those of its type.
    pub rules: Vec<Arc<Rule>>,
}

/// How values are bound to a value set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The canonical URL of the value set, without version.
    pub value_set: Cow<'static, str>,
    /// Whether other codes are refused, or only worth a warning (R4 binding strengths `required` and
    /// `extensible`).
    pub required: bool,
}

/// One type that an element may have.
#[derive(Clone, Debug)]
pub struct ElementType {
    /// The type's name, such as `Quantity`.
    pub name: &'static str,
    /// How its value looks.
    pub content: Content,
    /// The resource types a reference may point to; empty for any.
    pub targets: Vec<&'static str>,
    /// The codes allowed, if R4 binds the element to a list of them.
    pub codes: Option<Arc<CodeList>>,
}

/// How the value of an element looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A JSON string, number or boolean.
    Primitive(Primitive),
    /// An object of this shape.
    Shape(ShapeId),
    /// A whole resource of any type.
    Resource,
}

/// The codes of a value set.
#[derive(Debug)]
pub struct CodeList {
    /// The last part of the value set's URL.
    pub name: &'static str,
    /// The one code system that the codes are of; nothing if they are of several.
    pub system: Option<&'static str>,
    /// The codes, sorted.
    pub codes: Vec<&'static str>,
}

/// A JSON member name with what it stands for.
#[derive(Debug)]
struct Member {
    name: Cow<'static, str>,
    element: usize,
    kind: usize,
}

/// A member of an object, looked up by its JSON name.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// Index in [`Shape::elements`].
    pub index: usize,
    /// The element.
    pub element: &'static Element,
    /// Its type under this name.
    pub kind: &'static ElementType,
}

impl Element {
    /// Whether it is an array in JSON.
    pub fn repeats(&self) -> bool {
        self.max > 1
    }
}

impl Shape {
    /// The element that the JSON member `name` stands for.
    pub fn member(&'static self, name: &str) -> Option<Found> {
        let at = self.members.binary_search_by(|member| (*member.name).cmp(name)).ok()?;
        let member = self.members.get(at)?;
        let element = self.elements.get(member.element)?;
        Some(Found { index: member.element, element, kind: element.types.get(member.kind)? })
    }

    /// The JSON names of an element with their types, several only for a choice.
    pub fn names_of(&'static self, element: &str) -> Vec<(&'static str, &'static ElementType)> {
        let Some(index) = self.elements.iter().position(|known| known.name == element) else {
            return Vec::new();
        };
        let of_element = self.members.iter().filter(|member| member.element == index);
        let types = self.elements.get(index).map(|element| element.types.as_slice());
        of_element.filter_map(|member| Some((&*member.name, types?.get(member.kind)?))).collect()
    }
}

impl ShapeId {
    /// The shape.
    #[expect(clippy::indexing_slicing, reason = "an id is the index of its shape")]
    pub fn shape(self) -> &'static Shape {
        &DEFINITIONS.shapes[self.0]
    }
}

/// The shape of a type, such as `Patient` or `Quantity`; nothing for primitives and unknown types.
pub fn shape(type_name: &str) -> Option<&'static Shape> {
    DEFINITIONS.by_name.get(type_name).map(|id| id.shape())
}

/// The type's own name if it is a resource type of R4 that can stand alone.
pub fn resource_kind(name: &str) -> Option<&'static str> {
    let (name, id) = DEFINITIONS.by_name.get_key_value(name)?;
    (id.shape().kind == ShapeKind::Resource).then_some(*name)
}

/// Whether this is the name of a primitive type.
pub fn is_primitive(name: &str) -> bool {
    Primitive::from_name(name).is_some()
}

/// The codes of one of R4's value sets, by canonical URL without version; nothing if they are not listed
/// here.
pub fn code_list(value_set: &str) -> Option<&'static CodeList> {
    let bases = ["http://hl7.org/fhir/ValueSet/", "http://terminology.hl7.org/ValueSet/"];
    let name = bases.iter().find_map(|base| value_set.strip_prefix(base))?;
    DEFINITIONS.codes.get(name).map(|list| &**list)
}

/// All resource types of R4 that can stand alone, sorted.
pub fn resource_kinds() -> Vec<&'static str> {
    let known = DEFINITIONS.by_name.iter();
    let mut kinds: Vec<_> = known
        .filter(|(_, id)| id.shape().kind == ShapeKind::Resource)
        .map(|(name, _)| *name)
        .collect();
    kinds.sort_unstable();
    kinds
}

/// The lines of a data file without its comments.
pub(crate) fn data_lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.starts_with('#'))
}
