//! From a StructureDefinition's differential to a tree: the tree of the profile it is based on, with
//! its own demands laid over it.
//!
//! Elements are found by their ids (R4 ElementDefinition §2.28.0.9: `Observation.component:Systolic.code`);
//! where an id is missing it is made from the path and the slice that the elements before are in.

use super::tree::{
    Child, Discriminator, DiscriminatorKind, Member, Node, Slice, Slicing, SlicingRules, TypeRule,
};
use crate::definitions::{self, Binding, Content, Shape};
use crate::rule::Rule;
use crate::value::Value;
use std::borrow::Cow;
use std::sync::Arc;

/// The base of URLs of R4's own types.
const BASE: &str = "http://hl7.org/fhir/StructureDefinition/";

/// What a type may be written as in an element that FHIRPath's types describe.
const SYSTEM_TYPE: &str = "http://hl7.org/fhirpath/System.";

/// The name of R4's own type that a URL stands for, if it is one.
pub(crate) fn base_type(url: &str) -> Option<&str> {
    let name = without_version(url).strip_prefix(BASE)?;
    (definitions::shape(name).is_some() || definitions::is_primitive(name)).then_some(name)
}

/// A canonical URL without `|version`.
pub(crate) fn without_version(url: &str) -> &str {
    url.split_once('|').map_or(url, |(url, _)| url)
}

/// The tree of a definition. `base` is the tree of the profile it is based on; nothing if that is a type
/// of R4.
///
/// # Errors
/// What of the definition is not understood.
pub(super) fn tree(definition: &Value, base: Option<&Node>) -> Result<Node, String> {
    let kind = definition.text("type").ok_or("`type` is missing: name the type it is for")?;
    let mut root = match base {
        Some(base) => base.clone(),
        None => Node::new(definitions::shape(kind).into_iter().collect()),
    };
    let elements = definition.get("differential").map(|part| part.items("element"));
    let mut ids = Ids { seen: Vec::new() };
    for element in elements.unwrap_or_default() {
        let id = ids.id(element)?;
        let mut segments = id.split('.');
        if segments.next() != Some(kind) {
            return Err(format!("element `{id}`: does not begin with `{kind}`"));
        }
        let at = |message: String| format!("element `{id}`: {message}");
        let mut node = &mut root;
        for segment in segments {
            node = reach(node, segment).map_err(at)?;
        }
        lay_over(node, element).map_err(at)?;
    }
    Ok(root)
}

/// The ids of the elements so far, with their paths.
struct Ids {
    seen: Vec<(String, String)>,
}

impl Ids {
    fn id(&mut self, element: &Value) -> Result<String, String> {
        if let Some(id) = element.text("id") {
            let path = element.text("path").map_or_else(|| path_of(id), str::to_owned);
            self.seen.push((path, id.to_owned()));
            return Ok(id.to_owned());
        }
        let path = element.text("path").ok_or("an element has neither `id` nor `path`")?;
        let parent = path.rsplit_once('.').map_or("", |(parent, _)| parent);
        let known = self.seen.iter().rev().find(|(seen, _)| seen == parent);
        let parent_id = known.map_or(parent, |(_, id)| id.as_str());
        let name = path.rsplit('.').next().unwrap_or(path);
        let mut id =
            if parent.is_empty() { name.to_owned() } else { format!("{parent_id}.{name}") };
        if let Some(slice) = element.text("sliceName") {
            id.push(':');
            id.push_str(slice);
        }
        self.seen.push((path.to_owned(), id.clone()));
        Ok(id)
    }
}

fn path_of(id: &str) -> String {
    let names: Vec<&str> =
        id.split('.').map(|part| part.split(':').next().unwrap_or(part)).collect();
    names.join(".")
}

/// The node of `segment`, such as `code` or `value[x]:valueQuantity`, below another; made where it is
/// not there yet.
fn reach<'n>(node: &'n mut Node, segment: &str) -> Result<&'n mut Node, String> {
    let (name, slice) = match segment.split_once(':') {
        Some((name, slice)) => (name, Some(slice)),
        None => (segment, None),
    };
    let (found, short) = find_element(&node.shapes, name)
        .ok_or_else(|| format!("there is no element `{name}` there: correct the path"))?;
    let at = match node.children.iter().position(|child| child.name == found) {
        Some(at) => at,
        None => {
            node.children.push(new_child(&node.shapes, found));
            node.children.len() - 1
        }
    };
    let child = node.children.get_mut(at).ok_or("no such child")?;
    if short {
        // `valueQuantity` for `value[x]` allows this type only (R4 profiling §5.1.0.9).
        allow_type(child, name);
    }
    match slice.or(short.then_some(name)) {
        None => Ok(&mut child.node),
        Some(slice) => {
            let member = child.members.iter().find(|member| child.choice && member.name == slice);
            let kind = member.map(|member| member.kind.name);
            reach_slice(&mut child.node, slice, kind)
        }
    }
}

/// The name of the element that `name` stands for, and whether it is a choice named by its type.
fn find_element(shapes: &[&'static Shape], name: &str) -> Option<(&'static str, bool)> {
    let plain = name.strip_suffix("[x]").unwrap_or(name);
    let all = || shapes.iter().flat_map(|shape| &shape.elements);
    if let Some(element) = all().find(|element| element.name == plain) {
        return Some((element.name, false));
    }
    let found = shapes.iter().find_map(|shape| shape.member(name))?;
    Some((found.element.name, found.element.choice))
}

fn new_child(shapes: &[&'static Shape], name: &'static str) -> Child {
    let mut members = Vec::new();
    let mut choice = false;
    for shape in shapes {
        choice |= shape.elements.iter().any(|element| element.name == name && element.choice);
        let names = shape.names_of(name).into_iter();
        members.extend(names.map(|(name, kind)| Member { shape, name, kind }));
    }
    let kinds = members.iter().filter_map(|member| match member.kind.content {
        Content::Shape(id) => Some(id.shape()),
        Content::Primitive(_) => definitions::shape("Element"),
        Content::Resource => definitions::shape("DomainResource"),
    });
    let node = Node::new(kinds.collect());
    Child { name, choice, members, node }
}

/// Adds the type of the member `name` to those that the choice may have; the others are refused.
fn allow_type(child: &mut Child, name: &str) {
    let Some(member) = child.members.iter().find(|member| member.name == name) else {
        return;
    };
    let named_short = child.node.slices.iter().any(|slice| &*slice.name != name);
    if !named_short {
        child.node.types.retain(|known| &*known.code == member.kind.name);
    }
    if child.node.types.iter().all(|known| &*known.code != member.kind.name) {
        let targets = Vec::new();
        let (code, profiles) = (member.kind.name.into(), Vec::new());
        child.node.types.push(TypeRule { code, profiles, targets });
    }
}

fn reach_slice<'n>(
    node: &'n mut Node,
    name: &str,
    kind: Option<&'static str>,
) -> Result<&'n mut Node, String> {
    let (first, within) = match name.split_once('/') {
        Some((first, within)) => (first, Some(within)),
        None => (name, None),
    };
    let at = match node.slices.iter().position(|slice| &*slice.name == first) {
        Some(at) => at,
        None => {
            let mut inner = Node::new(node.shapes.clone());
            if let Some(kind) = kind {
                inner.shapes = definitions::shape(kind).into_iter().collect();
                inner.types =
                    vec![TypeRule { code: kind.into(), profiles: Vec::new(), targets: Vec::new() }];
            }
            let (name, matcher) = (first.into(), super::tree::Matcher::default());
            node.slices.push(Slice { name, node: inner, matcher });
            node.slices.len() - 1
        }
    };
    let slicing = node.slicing.clone();
    let slice = node.slices.get_mut(at).ok_or("no such slice")?;
    match within {
        None => Ok(&mut slice.node),
        Some(within) => {
            if slice.node.slicing.discriminators.is_empty() {
                slice.node.slicing.discriminators = slicing.discriminators;
            }
            reach_slice(&mut slice.node, within, kind)
        }
    }
}

/// Lays what an element of the differential says over what is there already.
fn lay_over(node: &mut Node, element: &Value) -> Result<(), String> {
    if let Some(min) = element.get("min").and_then(Value::as_number) {
        node.min = min.as_i64().and_then(|min| min.try_into().ok()).ok_or("`min` is no count")?;
    }
    match element.text("max") {
        None => {}
        Some("*") => node.max = u32::MAX,
        Some(max) => node.max = max.parse().map_err(|_| "`max` is no count")?,
    }
    if element.get("type").is_some() {
        node.types = element.items("type").iter().filter_map(type_rule).collect();
        let known = node.types.iter().filter_map(|kind| definitions::shape(&kind.code));
        let known: Vec<_> = known.collect();
        // A nested element is `BackboneElement` or `Element` and keeps its own shape.
        if known.iter().all(|shape| !matches!(&*shape.name, "BackboneElement" | "Element"))
            && !known.is_empty()
        {
            node.shapes = known;
        }
    }
    for (name, value) in element.as_object().into_iter().flat_map(|object| object.iter()) {
        if name.starts_with("fixed") {
            node.fixed = Some(value.clone());
        } else if name.starts_with("pattern") {
            node.pattern = Some(value.clone());
        }
    }
    if let Some(binding) = element.get("binding") {
        node.binding = binding_of(binding);
    }
    for constraint in element.items("constraint") {
        add_rule(node, constraint)?;
    }
    if let Some(slicing) = element.get("slicing") {
        node.slicing = slicing_of(slicing)?;
    }
    Ok(())
}

fn type_rule(entry: &Value) -> Option<TypeRule> {
    let code = entry.text("code")?;
    let urls = |name| {
        let urls = entry.items(name).iter().filter_map(Value::as_str);
        urls.map(|url| without_version(url).into()).collect()
    };
    let code = if code.starts_with(SYSTEM_TYPE) { "string" } else { code };
    let profiles: Vec<Box<str>> = urls("profile");
    Some(TypeRule { code: code.into(), profiles, targets: urls("targetProfile") })
}

fn binding_of(binding: &Value) -> Option<Binding> {
    let required = match binding.text("strength")? {
        "required" => true,
        "extensible" => false,
        _ => return None,
    };
    let value_set = without_version(binding.text("valueSet")?).to_owned();
    Some(Binding { value_set: Cow::Owned(value_set), required })
}

fn add_rule(node: &mut Node, constraint: &Value) -> Result<(), String> {
    let (Some(key), Some(text)) = (constraint.text("key"), constraint.text("expression")) else {
        // Rules in XPath only, or in words, cannot be checked.
        return Ok(());
    };
    if node.rules.iter().any(|known| known.key() == key) {
        return Ok(());
    }
    let refuses = constraint.text("severity") != Some("warning");
    let rule = Rule::new(key, refuses, text);
    if rule.expression().is_none() {
        return Err(format!("the expression of rule `{key}` is not FHIRPath: correct it"));
    }
    node.rules.push(Arc::new(rule));
    Ok(())
}

fn slicing_of(slicing: &Value) -> Result<Slicing, String> {
    let mut discriminators = Vec::new();
    for entry in slicing.items("discriminator") {
        let kind = match entry.text("type") {
            Some("value" | "pattern") => DiscriminatorKind::Value,
            Some("exists") => DiscriminatorKind::Exists,
            Some("type") => DiscriminatorKind::Type,
            Some("profile") => DiscriminatorKind::Profile,
            _ => return Err("an unknown type of discriminator".to_owned()),
        };
        let path = entry.text("path").ok_or("a discriminator has no `path`")?.into();
        discriminators.push(Discriminator { kind, path });
    }
    let ordered = slicing.get("ordered").and_then(Value::as_bool) == Some(true);
    let rules = match slicing.text("rules") {
        Some("closed") => SlicingRules::Closed,
        Some("openAtEnd") => SlicingRules::OpenAtEnd,
        _ => SlicingRules::Open,
    };
    Ok(Slicing { discriminators, ordered, rules })
}
