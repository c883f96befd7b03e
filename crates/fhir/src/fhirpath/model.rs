//! The types that FHIRPath sees, laid out for fast lookup: its own, R4's primitives, and every shape
//! of [`crate::definitions`] with the JSON members of each element.
//!
//! Element names are numbered once, so that a compiled expression compares numbers and not text.
//! Invariant: a [`Kind`] and a `Symbol` come from here and name what is there.

use crate::definitions::{self, Content, ElementType, Shape};
use crate::primitive::Primitive;
use std::collections::HashMap;
use std::sync::LazyLock;

static MODEL: LazyLock<Model> = LazyLock::new(Model::load);

/// A type: of FHIRPath itself (`System`) or of FHIR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(u16);

/// The number of an element name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Symbol(u16);

/// What is known of a type.
pub(super) struct KindInfo {
    pub(super) name: &'static str,
    pub(super) base: Option<Kind>,
    pub(super) primitive: Option<Primitive>,
    /// Sorted by symbol.
    members: Vec<Member>,
    /// The names in JSON with their types, sorted.
    json: Vec<(&'static str, Kind)>,
}

/// An element of a type.
pub(super) struct Member {
    symbol: Symbol,
    /// The name without the type, of a choice.
    pub(super) name: &'static str,
    pub(super) choice: bool,
    pub(super) repeats: bool,
    /// The names in JSON, several only of a choice.
    pub(super) names: Vec<JsonName>,
}

/// A name in JSON with the type it means.
#[derive(Debug)]
pub(super) struct JsonName {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) of_type: &'static ElementType,
}

struct Model {
    kinds: Vec<KindInfo>,
    system: HashMap<&'static str, Kind>,
    fhir: HashMap<&'static str, Kind>,
    symbols: HashMap<&'static str, Symbol>,
}

const SYSTEM: [&str; 11] = [
    "Any", "Boolean", "Integer", "Decimal", "String", "Date", "DateTime", "Time", "Quantity",
    "TypeInfo", "Unknown",
];

/// The primitive types after those they specialise.
const PRIMITIVES: [(&str, &str); 20] = [
    ("boolean", "Element"),
    ("integer", "Element"),
    ("decimal", "Element"),
    ("string", "Element"),
    ("uri", "Element"),
    ("base64Binary", "Element"),
    ("instant", "Element"),
    ("date", "Element"),
    ("dateTime", "Element"),
    ("time", "Element"),
    ("xhtml", "Element"),
    ("code", "string"),
    ("id", "string"),
    ("markdown", "string"),
    ("canonical", "uri"),
    ("oid", "uri"),
    ("url", "uri"),
    ("uuid", "uri"),
    ("positiveInt", "integer"),
    ("unsignedInt", "integer"),
];

impl Kind {
    /// Of anything.
    pub(super) const ANY: Kind = Kind(0);
    pub(crate) const BOOLEAN: Kind = Kind(1);
    pub(crate) const INTEGER: Kind = Kind(2);
    pub(crate) const DECIMAL: Kind = Kind(3);
    pub(crate) const STRING: Kind = Kind(4);
    pub(crate) const DATE: Kind = Kind(5);
    pub(crate) const DATE_TIME: Kind = Kind(6);
    pub(super) const TIME: Kind = Kind(7);
    pub(crate) const QUANTITY: Kind = Kind(8);
    pub(super) const TYPE_INFO: Kind = Kind(9);
    /// Of an element that R4 does not define.
    pub(super) const UNKNOWN: Kind = Kind(10);

    /// The FHIR type, primitive or not, or nested element (`Patient.contact`) of this name.
    pub fn fhir(name: &str) -> Option<Kind> {
        MODEL.fhir.get(name).copied()
    }

    /// FHIRPath's own type of this name.
    pub(super) fn system(name: &str) -> Option<Kind> {
        MODEL.system.get(name).copied()
    }

    /// The type's name: `Patient`, `code`, `Integer`; of a nested element its path.
    pub fn name(self) -> &'static str {
        self.info().name
    }

    /// Where the type belongs: `FHIR`, or `System` for FHIRPath's own.
    pub(super) fn namespace(self) -> &'static str {
        if self.is_system() && self != Kind::UNKNOWN { "System" } else { "FHIR" }
    }

    /// The name of the type; of a nested element that of what it specialises.
    pub(super) fn type_name(self) -> &'static str {
        match self.info().base {
            Some(base) if self.name().contains('.') => base.name(),
            _ => self.name(),
        }
    }

    /// Whether the type is FHIRPath's own.
    pub(super) fn is_system(self) -> bool {
        usize::from(self.0) < SYSTEM.len()
    }

    /// Whether this is `other` or specialises it.
    pub fn is_a(self, other: Kind) -> bool {
        let mut at = Some(self);
        while let Some(kind) = at {
            if kind == other {
                return true;
            }
            at = kind.info().base;
        }
        false
    }

    /// The form of the type's values, of a primitive type of FHIR.
    pub(super) fn primitive(self) -> Option<Primitive> {
        self.info().primitive
    }

    /// FHIRPath's own type that a value of this type turns into by itself.
    pub(crate) fn as_system(self) -> Option<Kind> {
        if self.is_system() {
            return Some(self);
        }
        Some(match self.primitive() {
            None => return (self.is_a(well_known().quantity)).then_some(Kind::QUANTITY),
            Some(Primitive::Boolean) => Kind::BOOLEAN,
            Some(Primitive::Integer | Primitive::PositiveInt | Primitive::UnsignedInt) => {
                Kind::INTEGER
            }
            Some(Primitive::Decimal) => Kind::DECIMAL,
            Some(Primitive::Date) => Kind::DATE,
            Some(Primitive::DateTime | Primitive::Instant) => Kind::DATE_TIME,
            Some(Primitive::Time) => Kind::TIME,
            Some(_) => Kind::STRING,
        })
    }

    /// The element of this name.
    pub(super) fn member(self, symbol: Symbol) -> Option<&'static Member> {
        let members = &self.info().members;
        let at = members.binary_search_by_key(&symbol, |member| member.symbol).ok()?;
        members.get(at)
    }

    /// The type of the element with this name in JSON.
    pub(super) fn of_json(self, name: &str) -> Option<Kind> {
        let json = &self.info().json;
        let at = json.binary_search_by(|(known, _)| (*known).cmp(name)).ok()?;
        json.get(at).map(|(_, kind)| *kind)
    }

    fn info(self) -> &'static KindInfo {
        let kinds = &MODEL.kinds;
        kinds.get(usize::from(self.0)).unwrap_or(&NOTHING)
    }
}

static NOTHING: KindInfo = KindInfo {
    name: "Unknown",
    base: None,
    primitive: None,
    members: Vec::new(),
    json: Vec::new(),
};

/// Types that the language itself speaks of.
pub(super) struct WellKnown {
    pub(super) quantity: Kind,
    pub(super) resource: Kind,
    pub(super) domain_resource: Kind,
    pub(super) extension: Kind,
    pub(super) reference: Kind,
}

/// The types that the language itself speaks of.
pub(super) fn well_known() -> &'static WellKnown {
    static KNOWN: LazyLock<WellKnown> = LazyLock::new(|| {
        let kind = |name| Kind::fhir(name).unwrap_or(Kind::UNKNOWN);
        WellKnown {
            quantity: kind("Quantity"),
            resource: kind("Resource"),
            domain_resource: kind("DomainResource"),
            extension: kind("Extension"),
            reference: kind("Reference"),
        }
    });
    &KNOWN
}

impl Symbol {
    /// The number of an element name; nothing if no type has such an element.
    pub(super) fn of(name: &str) -> Option<Symbol> {
        MODEL.symbols.get(name).copied()
    }
}

impl Member {
    /// The name in JSON and type that `key` is, if it is one of this element's.
    pub(super) fn json_name(&self, key: &str) -> Option<&JsonName> {
        let rest = key.strip_prefix(self.name)?;
        if !self.choice {
            return self.names.first().filter(|_| rest.is_empty());
        }
        self.names.iter().find(|known| known.name == key)
    }
}

impl Model {
    fn load() -> Model {
        let mut shapes: Vec<&'static Shape> = Vec::new();
        let names = ["Element", "BackboneElement", "Resource", "DomainResource"];
        let starts = names.into_iter().chain(definitions::resource_kinds());
        let mut waiting: Vec<_> = starts.filter_map(definitions::shape).collect();
        waiting.reverse();
        let mut seen = HashMap::new();
        while let Some(shape) = waiting.pop() {
            if seen.insert(shape.name.as_str(), ()).is_some() {
                continue;
            }
            shapes.push(shape);
            for of_type in shape.elements.iter().flat_map(|element| &element.types) {
                if let Content::Shape(id) = of_type.content {
                    waiting.push(id.shape());
                }
            }
        }
        let mut model = Model {
            kinds: Vec::new(),
            system: HashMap::new(),
            fhir: HashMap::new(),
            symbols: HashMap::new(),
        };
        model.name_all(&shapes);
        model.fill(&shapes);
        model
    }

    /// Gives every type its number, before any of them refers to another.
    fn name_all(&mut self, shapes: &[&'static Shape]) {
        let mut next = 0..u16::MAX;
        for (name, kind) in SYSTEM.into_iter().zip(&mut next) {
            self.system.insert(name, Kind(kind));
        }
        let primitives = PRIMITIVES.iter().map(|(name, _)| *name);
        let fhir = primitives.chain(shapes.iter().map(|shape| shape.name.as_str()));
        for (name, kind) in fhir.zip(next) {
            self.fhir.insert(name, Kind(kind));
        }
    }

    fn fill(&mut self, shapes: &[&'static Shape]) {
        for name in SYSTEM {
            self.add(name, None, None, Vec::new());
        }
        let element = definitions::shape("Element");
        for (name, base) in PRIMITIVES {
            let members = element.map(|shape| self.members(shape)).unwrap_or_default();
            self.add(name, self.fhir.get(base).copied(), Primitive::from_name(name), members);
        }
        for shape in shapes {
            let members = self.members(shape);
            let base = self.fhir.get(shape.base).copied();
            self.add(&shape.name, base.filter(|_| shape.base != shape.name), None, members);
        }
    }

    fn add(
        &mut self,
        name: &'static str,
        base: Option<Kind>,
        primitive: Option<Primitive>,
        members: Vec<Member>,
    ) {
        let names = members.iter().flat_map(|member| &member.names);
        let mut json: Vec<_> = names.map(|known| (known.name, known.kind)).collect();
        json.sort_unstable();
        self.kinds.push(KindInfo { name, base, primitive, members, json });
    }

    fn members(&mut self, shape: &'static Shape) -> Vec<Member> {
        let mut members = Vec::new();
        for element in &shape.elements {
            let next = Symbol(u16::try_from(self.symbols.len()).unwrap_or(u16::MAX));
            let symbol = *self.symbols.entry(element.name).or_insert(next);
            let names = shape.names_of(element.name).into_iter().filter_map(|(name, of_type)| {
                let kind = match of_type.content {
                    Content::Primitive(_) | Content::Resource => of_type.name,
                    Content::Shape(id) => id.shape().name.as_str(),
                };
                Some(JsonName { name, kind: *self.fhir.get(kind)?, of_type })
            });
            let names = names.collect();
            let (choice, repeats) = (element.choice, element.repeats());
            members.push(Member { symbol, name: element.name, choice, repeats, names });
        }
        members.sort_by_key(|member| member.symbol);
        members
    }
}
