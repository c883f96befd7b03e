//! Functions that FHIR adds (R4 fhirpath, "Additional functions"), and the time.

use super::{Evaluator, Frame, Result, html, single, string};
use crate::fhirpath::EvaluationError;
use crate::fhirpath::item::{Item, Items, Node};
use crate::fhirpath::model::{Kind, well_known};
use crate::fhirpath::moment::Moment;
use crate::fhirpath::syntax::{Call, Function};
use crate::reference::Literal;
use crate::value::Value;

const BASE: &str = "http://hl7.org/fhir/StructureDefinition/";

impl<'a> Evaluator<'_, 'a> {
    pub(super) fn of_fhir(
        &self,
        call: &'a Call,
        input: Items<'a>,
        frame: Frame<'_, 'a>,
    ) -> Result<Items<'a>> {
        let name = call.function.name();
        let node = |item: &Item<'a>| item.node().copied();
        let only = || single(&input, name);
        match call.function {
            Function::Now => Ok(Item::Moment(self.now()?).into()),
            Function::Today => Ok(Item::Moment(self.now()?.to_date()).into()),
            Function::TimeOfDay => Ok(Item::Moment(self.now()?.to_time()).into()),
            Function::HasValue => {
                let has = match input.as_slice() {
                    [Item::Node(node)] => node.has_value(),
                    [_] => true,
                    _ => false,
                };
                Ok(has.into())
            }
            Function::GetValue => match only()? {
                Some(Item::Node(node)) if node.has_value() => Ok(node.to_system().into()),
                Some(Item::Node(_)) | None => Ok(Items::None),
                Some(item) => Ok(item.clone().into()),
            },
            Function::Resolve => {
                let mut found = Items::None;
                for item in input.iter() {
                    if let Some(resource) = self.resolve(item) {
                        found.push(resource);
                    }
                }
                Ok(found)
            }
            Function::HtmlChecks => {
                let Some(item) = only()? else {
                    return Ok(Items::None);
                };
                let text = item.as_str().unwrap_or_default();
                self.spend(text.len() / 8)?;
                Ok(html::fits(text).into())
            }
            Function::CheckModifiers => {
                for item in input.iter().filter_map(node) {
                    let known = self.known_modifiers(call, &item, frame)?;
                    if !known {
                        return Err(EvaluationError::NotKnown(name));
                    }
                }
                Ok(input)
            }
            _ => self.asking(call, &input, frame),
        }
    }

    /// What the scope's knowledge answers.
    fn asking(&self, call: &'a Call, input: &Items<'a>, frame: Frame<'_, 'a>) -> Result<Items<'a>> {
        let name = call.function.name();
        let Some(item) = single(input, name)? else {
            return Ok(Items::None);
        };
        let argument = self.argument(call, 0, frame)?;
        let knowledge = self.scope.knowledge;
        if let Function::Subsumes | Function::SubsumedBy = call.function {
            let Some(other) = single(&argument, name)? else {
                return Ok(Items::None);
            };
            let (above, below) = match call.function {
                Function::Subsumes => (item, other),
                _ => (other, item),
            };
            return Ok(knowledge.and_then(|known| known.subsumes(above, below)).into());
        }
        let Some(url) = string(&argument, name)? else {
            return Ok(Items::None);
        };
        if call.function == Function::MemberOf {
            return Ok(knowledge.and_then(|known| known.member_of(item, url)).into());
        }
        let known = knowledge.and_then(|known| known.conforms_to(item, url));
        let base = url.strip_prefix(BASE).and_then(Kind::fhir);
        let known = known.or_else(|| base.map(|base| item.kind().is_a(base)));
        known.map(Into::into).ok_or(EvaluationError::NotKnown(name))
    }

    fn now(&self) -> Result<Moment> {
        self.scope.now.and_then(Moment::of).ok_or(EvaluationError::NoTime)
    }

    /// The extensions of the items, with this URL.
    pub(super) fn extensions(&self, input: &Items<'a>, url: Option<&str>) -> Result<Items<'a>> {
        let mut found = Items::None;
        let Some(url) = url else {
            return Ok(found);
        };
        for node in input.iter().filter_map(Item::node) {
            let Some(object) = node.object() else {
                continue;
            };
            let extensions = object.get("extension").and_then(Value::as_array);
            for value in extensions.unwrap_or_default() {
                self.spend(1)?;
                if value.text("url") == Some(url) {
                    let kind = well_known().extension;
                    found.push(Item::Node(Node { value, sibling: None, kind }));
                }
            }
        }
        Ok(found)
    }

    /// What a Reference or URI leads to: a contained resource, what the scope knows, or else an empty
    /// resource of the type that the reference says.
    fn resolve(&self, item: &Item<'a>) -> Option<Item<'a>> {
        let node = item.node();
        let reference = match node {
            Some(node) if node.kind == well_known().reference => node.value.text("reference"),
            _ => item.as_str(),
        };
        if let Some(reference) = reference {
            if let Literal::Contained(id) = Literal::parse(reference) {
                return self.contained(id);
            }
            let resolved = self.scope.knowledge.and_then(|known| known.resolve(reference));
            if resolved.is_some() {
                return resolved;
            }
            if let Literal::Resource { kind, .. } | Literal::Search { kind } =
                Literal::parse(reference)
            {
                return Kind::fhir(kind).map(|kind| Item::Node(Node::of_type(kind)));
            }
        }
        let kind = Kind::fhir(node?.value.text("type")?)?;
        kind.is_a(well_known().resource).then(|| Item::Node(Node::of_type(kind)))
    }

    /// The contained resource of this id; without id, the resource itself.
    fn contained(&self, id: &str) -> Option<Item<'a>> {
        let scope = self.scope;
        let root = scope.root.as_ref().or(scope.resource.as_ref()).unwrap_or(self.focus);
        let Item::Node(node) = root else {
            return None;
        };
        if id.is_empty() {
            return Some(root.clone());
        }
        let contained = node.value.items("contained").iter();
        let mut with_id = contained.filter(|resource| resource.text("id") == Some(id));
        with_id.next().map(Item::resource)
    }

    /// Whether all modifier extensions of an element are among the URLs of the arguments.
    fn known_modifiers(
        &self,
        call: &'a Call,
        node: &Node<'a>,
        frame: Frame<'_, 'a>,
    ) -> Result<bool> {
        let mut known = Vec::new();
        for index in 0..call.arguments.len() {
            known.push(self.argument(call, index, frame)?);
        }
        let mut modifiers = node.value.items("modifierExtension").iter();
        Ok(modifiers.all(|extension| {
            let url = extension.text("url");
            known.iter().flat_map(Items::iter).any(|item| item.as_str() == url)
        }))
    }
}
