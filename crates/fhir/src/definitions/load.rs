//! Reads the data files into shapes.
//!
//! First every type and nested element with children gets its [`ShapeId`], then their elements are
//! built, so that types may refer to each other in any order.

use super::{
    Binding, CodeList, Content, Definitions, Element, ElementType, Member, Shape, ShapeId,
    ShapeKind, data_lines,
};
use crate::primitive::Primitive;
use crate::rule::Rule;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

const ELEMENTS: &str = include_str!("../../data/elements.txt");
const CODES: &str = include_str!("../../data/codes.txt");
const RULES: &str = include_str!("../../data/rules.txt");

/// The base of value sets that `elements.txt` names without one.
const VALUE_SETS: &str = "http://hl7.org/fhir/ValueSet/";

/// A type as it stands in the data file.
struct Written {
    name: &'static str,
    kind: ShapeKind,
    base: &'static str,
    lines: Vec<Line>,
}

/// An element as it stands in the data file.
#[derive(Clone, Copy)]
struct Line {
    path: &'static str,
    cardinality: &'static str,
    types: &'static str,
    summary: bool,
    /// The mark and the value set.
    binding: Option<&'static str>,
}

struct Loader {
    written: HashMap<&'static str, Written>,
    /// Shapes by type and path within it; the type itself has an empty path.
    ids: HashMap<(&'static str, &'static str), ShapeId>,
    codes: HashMap<&'static str, Arc<CodeList>>,
    /// By type and path within it.
    rules: HashMap<(&'static str, &'static str), Vec<Arc<Rule>>>,
}

pub(super) fn definitions() -> Definitions {
    let types = written();
    let mut places = Vec::new();
    for written in &types {
        places.push((written.name, ""));
        let parents = written.lines.iter().filter_map(|line| line.path.rsplit_once('.'));
        places.extend(parents.map(|(parent, _)| (written.name, parent)));
    }
    places.sort_unstable();
    places.dedup();
    let ids: HashMap<_, _> =
        places.iter().enumerate().map(|(index, place)| (*place, ShapeId(index))).collect();
    let by_name = ids.iter().filter(|(place, _)| place.1.is_empty());
    let by_name = by_name.map(|(place, id)| (place.0, *id)).collect();
    let written = types.into_iter().map(|written| (written.name, written)).collect();
    let loader = Loader { written, ids, codes: codes(), rules: rules() };
    let shapes = places.iter().map(|(name, path)| loader.shape(name, path)).collect();
    Definitions { shapes, by_name, codes: loader.codes }
}

fn codes() -> HashMap<&'static str, Arc<CodeList>> {
    let lists = data_lines(CODES).filter_map(|line| {
        let mut words = line.split(' ');
        let name = words.next()?;
        let system = words.next().filter(|system| *system != "-");
        Some((name, Arc::new(CodeList { name, system, codes: words.collect() })))
    });
    lists.collect()
}

fn rules() -> HashMap<(&'static str, &'static str), Vec<Arc<Rule>>> {
    let mut rules: HashMap<_, Vec<Arc<Rule>>> = HashMap::new();
    for line in data_lines(RULES) {
        let mut words = line.splitn(4, ' ');
        if let (Some(path), Some(key), Some(severity), Some(expression)) =
            (words.next(), words.next(), words.next(), words.next())
        {
            let place = path.split_once('.').unwrap_or((path, ""));
            let rule = Rule::new(key, severity == "e", expression);
            rules.entry(place).or_default().push(Arc::new(rule));
        }
    }
    rules
}

fn written() -> Vec<Written> {
    let mut types: Vec<Written> = Vec::new();
    for line in data_lines(ELEMENTS) {
        let words: Vec<&'static str> = line.split(' ').collect();
        match *words.as_slice() {
            ["=", _, "primitive", ..] => {}
            ["=", name, kind, ref base @ ..] => types.push(Written {
                name,
                kind: match kind {
                    "resource" => ShapeKind::Resource,
                    "abstract" => ShapeKind::Abstract,
                    _ => ShapeKind::Datatype,
                },
                base: base.first().copied().unwrap_or_default(),
                lines: Vec::new(),
            }),
            [path, cardinality, types_of, ref rest @ ..] => {
                let line = Line {
                    path,
                    cardinality,
                    types: types_of,
                    summary: rest.contains(&"^"),
                    binding: rest.iter().copied().find(|word| *word != "^"),
                };
                if let Some(current) = types.last_mut() {
                    current.lines.push(line);
                }
            }
            _ => {}
        }
    }
    types
}

impl Loader {
    fn shape(&self, name: &'static str, path: &'static str) -> Shape {
        let written = self.written.get(name);
        let kind = written.filter(|_| path.is_empty()).map_or(ShapeKind::Datatype, |w| w.kind);
        let base = self.base(name, path);
        let (mut elements, mut rules) = (Vec::new(), Vec::new());
        self.collect(name, path, &mut elements, &mut rules);
        let mut members = Vec::new();
        for (index, element) in elements.iter().enumerate() {
            for (kind, of_type) in element.types.iter().enumerate() {
                let name = member_name(element, of_type.name);
                members.push(Member { name, element: index, kind });
            }
        }
        members.sort_by(|a, b| a.name.cmp(&b.name));
        let name = if path.is_empty() { name.to_owned() } else { format!("{name}.{path}") };
        Shape { name, kind, base, elements, rules, members }
    }

    /// What a type or nested element specialises.
    fn base(&self, name: &str, path: &str) -> &'static str {
        let Some(written) = self.written.get(name) else {
            return "";
        };
        if path.is_empty() {
            return written.base;
        }
        let own = written.lines.iter().find(|line| line.path == path);
        own.map_or("BackboneElement", |line| line.types)
    }

    /// Adds the elements and rules of a type or nested element: those of its base first. An element of
    /// the same name takes the place of the inherited one.
    fn collect(
        &self,
        name: &'static str,
        path: &'static str,
        elements: &mut Vec<Element>,
        rules: &mut Vec<Arc<Rule>>,
    ) {
        let Some(written) = self.written.get(name) else {
            return;
        };
        let base = self.base(name, path);
        if base != name {
            self.collect(base, "", elements, rules);
        }
        rules.extend(self.rules.get(&(name, path)).into_iter().flatten().cloned());
        for line in &written.lines {
            let (parent, own) = line.path.rsplit_once('.').unwrap_or(("", line.path));
            if parent != path {
                continue;
            }
            let Some(element) = self.element(name, line, own) else {
                continue;
            };
            match elements.iter_mut().find(|known| known.name == element.name) {
                Some(inherited) => *inherited = element,
                None => elements.push(element),
            }
        }
    }

    fn element(&self, of: &'static str, line: &Line, own: &'static str) -> Option<Element> {
        let (min, max) = line.cardinality.split_once("..")?;
        let name = own.strip_suffix("[x]");
        let types = split_types(line.types);
        Some(Element {
            name: name.unwrap_or(own),
            choice: name.is_some(),
            min: min.parse().ok()?,
            max: if max == "*" { u32::MAX } else { max.parse().ok()? },
            summary: line.summary,
            types: types.filter_map(|text| self.element_type(of, line.path, text)).collect(),
            binding: line.binding.and_then(binding),
            rules: if self.ids.contains_key(&(of, line.path)) {
                // They are the rules of its shape.
                Vec::new()
            } else {
                self.rules.get(&(of, line.path)).cloned().unwrap_or_default()
            },
        })
    }

    fn element_type(
        &self,
        of: &'static str,
        path: &'static str,
        text: &'static str,
    ) -> Option<ElementType> {
        let plain = |name, content| ElementType { name, content, targets: Vec::new(), codes: None };
        if let Some(target) = text.strip_prefix('#') {
            let id = self.ids.get(&(of, target))?;
            return Some(plain("BackboneElement", Content::Shape(*id)));
        }
        if let Some(list) = text.strip_prefix("code=") {
            let codes = self.codes.get(list).cloned();
            return Some(ElementType {
                codes,
                ..plain("code", Content::Primitive(Primitive::Code))
            });
        }
        if let Some(targets) = text.strip_prefix("Reference(") {
            let id = self.ids.get(&("Reference", ""))?;
            let targets = targets.trim_end_matches(')').split(',').collect();
            return Some(ElementType { targets, ..plain("Reference", Content::Shape(*id)) });
        }
        if let Some(id) = self.ids.get(&(of, path)) {
            return Some(plain(text, Content::Shape(*id)));
        }
        if let Some(primitive) = Primitive::from_name(text) {
            return Some(plain(text, Content::Primitive(primitive)));
        }
        if text == "Resource" {
            return Some(plain(text, Content::Resource));
        }
        self.ids.get(&(text, "")).map(|id| plain(text, Content::Shape(*id)))
    }
}

fn binding(word: &'static str) -> Option<Binding> {
    let (required, set) = match (word.strip_prefix('!'), word.strip_prefix('~')) {
        (Some(set), _) => (true, set),
        (_, set) => (false, set?),
    };
    let value_set = match set.contains(':') {
        true => Cow::Borrowed(set),
        false => Cow::Owned(format!("{VALUE_SETS}{set}")),
    };
    Some(Binding { value_set, required })
}

/// Splits `Reference(A,B)|string`; no list of targets holds a bar.
fn split_types(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.split('|')
}

/// `value` and `Quantity` give `valueQuantity` for a choice.
fn member_name(element: &Element, of_type: &str) -> Cow<'static, str> {
    if !element.choice {
        return Cow::Borrowed(element.name);
    }
    let mut letters = of_type.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    element.name.chars().chain(first).chain(letters).collect()
}
