//! Evaluates a term on a focus.
//!
//! A collection of at most one item takes no allocation, and nodes are borrowed. Every item looked at
//! costs a step of the budget.

mod boundary;
mod collection;
mod convert;
mod equality;
mod fhir;
mod html;
mod math;
mod operator;
mod text;
mod tree;

use super::EvaluationError;
use super::item::{Item, Items};
use super::scope::Scope;
use super::syntax::{Call, Function, Name, Operator, Term};
use std::cell::Cell;

type Result<T> = std::result::Result<T, EvaluationError>;

/// What `$this`, `$index` and `$total` are.
#[derive(Clone, Copy)]
struct Frame<'f, 'a> {
    this: Option<&'f Item<'a>>,
    index: usize,
    total: Option<&'f Items<'a>>,
}

struct Evaluator<'s, 'a> {
    scope: &'s Scope<'a>,
    focus: &'s Item<'a>,
    steps: Cell<u64>,
}

pub(super) fn evaluate<'a>(
    term: &'a Term,
    focus: Item<'a>,
    scope: &Scope<'a>,
) -> Result<Items<'a>> {
    let evaluator = Evaluator { scope, focus: &focus, steps: Cell::new(scope.steps()) };
    let frame = Frame { this: Some(&focus), index: 0, total: None };
    evaluator.term(term, frame)
}

impl<'a> Evaluator<'_, 'a> {
    /// Takes steps from the budget.
    fn spend(&self, steps: usize) -> Result<()> {
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        let left = self.steps.get().checked_sub(steps).ok_or(EvaluationError::TooCostly)?;
        self.steps.set(left);
        Ok(())
    }

    fn term(&self, term: &'a Term, frame: Frame<'_, 'a>) -> Result<Items<'a>> {
        self.spend(1)?;
        Ok(match term {
            Term::This => frame.this.cloned().into(),
            Term::Index => Item::Integer(i64::try_from(frame.index).unwrap_or(i64::MAX)).into(),
            Term::Total => frame.total.cloned().unwrap_or_default(),
            Term::Empty => Items::None,
            Term::Literal(literal) => literal.item().into(),
            Term::Root(name) => return self.root(name, frame),
            Term::Member(of, name) => return self.member(of, name, frame),
            Term::Call(call) => return self.call(call, frame),
            Term::Binary(operator, operands) => {
                return self.binary(*operator, &operands.0, &operands.1, frame);
            }
            Term::Variable(name) => return self.variable(name),
            Term::At(operands) => return self.at(&operands.0, &operands.1, frame),
            Term::Negative(of) => return self.signed(of, true, frame),
            Term::Positive(of) => return self.signed(of, false, frame),
            Term::Is(of, wanted) => return Self::is(&self.term(of, frame)?, wanted, "is"),
            Term::As(of, wanted) => return Self::of_type(self.term(of, frame)?, wanted),
        })
    }

    /// A name with nothing before it.
    fn root(&self, name: &'a Name, frame: Frame<'_, 'a>) -> Result<Items<'a>> {
        let Some(this) = frame.this else {
            return Ok(Items::None);
        };
        if name.kind.is_some_and(|kind| this.kind().is_a(kind)) {
            return Ok(this.clone().into());
        }
        let mut found = Items::None;
        self.children_named(this, name, &mut found)?;
        Ok(found)
    }

    fn member(&self, of: &'a Term, name: &'a Name, frame: Frame<'_, 'a>) -> Result<Items<'a>> {
        let items = self.term(of, frame)?;
        let mut found = Items::None;
        for item in items.iter() {
            self.children_named(item, name, &mut found)?;
        }
        Ok(found)
    }

    fn at(&self, of: &'a Term, index: &'a Term, frame: Frame<'_, 'a>) -> Result<Items<'a>> {
        let items = self.term(of, frame)?;
        let index = self.term(index, frame)?;
        let Some(index) = whole(&index, "[]")? else {
            return Ok(Items::None);
        };
        let index = usize::try_from(index).ok();
        Ok(index.and_then(|index| items.as_slice().get(index)).cloned().into())
    }

    fn variable(&self, name: &str) -> Result<Items<'a>> {
        let text = |text: String| Ok(Item::String(text.into()).into());
        if let Some((_, items)) = self.scope.variables.iter().find(|(known, _)| *known == name) {
            self.spend(items.len())?;
            return Ok(items.iter().cloned().collect());
        }
        let resource = || self.scope.resource.as_ref().unwrap_or(self.focus).clone();
        match name {
            "context" => Ok(self.focus.clone().into()),
            "resource" => Ok(resource().into()),
            "rootResource" => Ok(self.scope.root.clone().unwrap_or_else(resource).into()),
            "sct" => text("http://snomed.info/sct".to_owned()),
            "loinc" => text("http://loinc.org".to_owned()),
            "ucum" => text("http://unitsofmeasure.org".to_owned()),
            _ => match name.split_once('-') {
                Some(("vs", name)) => text(format!("http://hl7.org/fhir/ValueSet/{name}")),
                Some(("ext", name)) => {
                    text(format!("http://hl7.org/fhir/StructureDefinition/{name}"))
                }
                _ => Err(EvaluationError::UnknownVariable(name.into())),
            },
        }
    }

    fn binary(
        &self,
        operator: Operator,
        left: &'a Term,
        right: &'a Term,
        frame: Frame<'_, 'a>,
    ) -> Result<Items<'a>> {
        let first = self.term(left, frame)?;
        match operator {
            Operator::And | Operator::Or | Operator::Implies | Operator::Xor => {
                let first = truth(&first, operator.name())?;
                // What the first operand settles, the second cannot change.
                match (operator, first) {
                    (Operator::And, Some(false)) => return Ok(false.into()),
                    (Operator::Or, Some(true)) => return Ok(true.into()),
                    (Operator::Implies, Some(false)) => return Ok(true.into()),
                    _ => {}
                }
                let second = truth(&self.term(right, frame)?, operator.name())?;
                Ok(operator::logic(operator, first, second).into())
            }
            Operator::Union => {
                let second = self.term(right, frame)?;
                self.distinct(first.into_vec().into_iter().chain(second.into_vec()))
            }
            _ => self.operate(operator, first, self.term(right, frame)?),
        }
    }

    fn call(&self, call: &'a Call, frame: Frame<'_, 'a>) -> Result<Items<'a>> {
        let input = self.term(&call.input, frame)?;
        self.spend(input.len())?;
        use Function as F;
        match call.function {
            F::Empty | F::Exists | F::Count | F::Not | F::Where | F::Select | F::All | F::Iif => {
                self.filtering(call, input, frame)
            }
            F::AllTrue
            | F::AnyTrue
            | F::AllFalse
            | F::AnyFalse
            | F::SubsetOf
            | F::SupersetOf
            | F::Distinct
            | F::IsDistinct
            | F::Intersect
            | F::Exclude
            | F::Union
            | F::Combine => self.sets(call, input, frame),
            F::Single | F::First | F::Last | F::Tail | F::Skip | F::Take => {
                self.picking(call, input, frame)
            }
            F::Repeat | F::Sort | F::Aggregate | F::Trace => self.looping(call, input, frame),
            F::Children | F::Descendants | F::Extension | F::Type | F::Is | F::As | F::OfType => {
                self.typing(call, input, frame)
            }
            F::HasValue
            | F::GetValue
            | F::Resolve
            | F::MemberOf
            | F::Subsumes
            | F::SubsumedBy
            | F::HtmlChecks
            | F::CheckModifiers
            | F::ConformsTo
            | F::Now
            | F::Today
            | F::TimeOfDay => self.of_fhir(call, input, frame),
            function => match convert::target(function) {
                Some(conversion) => self.converting(call, conversion, &input, frame),
                None => self.scalar(call, &input, frame),
            },
        }
    }

    /// Functions of one value.
    fn scalar(&self, call: &'a Call, input: &Items<'a>, frame: Frame<'_, 'a>) -> Result<Items<'a>> {
        use Function as F;
        match call.function {
            F::Abs
            | F::Ceiling
            | F::Exp
            | F::Floor
            | F::Ln
            | F::Log
            | F::Power
            | F::Round
            | F::Sqrt
            | F::Truncate => self.math(call, input, frame),
            F::LowBoundary | F::HighBoundary | F::Precision | F::Comparable => {
                self.boundaries(call, input, frame)
            }
            _ => self.text(call, input, frame),
        }
    }

    /// The value of an argument, which is read with the focus that the call stands in.
    fn argument(&self, call: &'a Call, index: usize, frame: Frame<'_, 'a>) -> Result<Items<'a>> {
        call.arguments.get(index).map_or(Ok(Items::None), |term| self.term(term, frame))
    }
}

/// The only item, if there is one.
fn single<'i, 'a>(items: &'i Items<'a>, by: &'static str) -> Result<Option<&'i Item<'a>>> {
    match items.as_slice() {
        [] => Ok(None),
        [item] => Ok(Some(item)),
        _ => Err(EvaluationError::Several(by)),
    }
}

/// The truth of a collection: a single item that is not a truth value is there, thus true
/// (FHIRPath 2.0.0 §4.5).
fn truth(items: &Items<'_>, by: &'static str) -> Result<Option<bool>> {
    Ok(single(items, by)?.and_then(Item::truth))
}

/// The value of the only item; nothing if it is a primitive without one, or a quantity without number
/// or unit.
fn value<'a>(items: &Items<'a>, by: &'static str) -> Result<Option<Item<'a>>> {
    let item = single(items, by)?.map(Item::to_system);
    Ok(item.filter(|item| match item {
        Item::Node(node) => node.kind.as_system().is_none(),
        _ => true,
    }))
}

/// The whole number that is the only item.
fn whole(items: &Items<'_>, by: &'static str) -> Result<Option<i64>> {
    match value(items, by)? {
        None => Ok(None),
        Some(Item::Integer(number)) => Ok(Some(number)),
        Some(_) => Err(EvaluationError::WrongType(by)),
    }
}

/// The text that is the only item.
fn string<'i>(items: &'i Items<'_>, by: &'static str) -> Result<Option<&'i str>> {
    match single(items, by)? {
        None => Ok(None),
        Some(Item::Node(node)) if node.kind.primitive().is_some() && node.text().is_none() => {
            match node.has_value() {
                true => Err(EvaluationError::WrongType(by)),
                false => Ok(None),
            }
        }
        Some(item) => item.as_str().map(Some).ok_or(EvaluationError::WrongType(by)),
    }
}
