//! An expression made ready to find values in what is of known types, as search parameters do.
//!
//! For each type it starts from, the expression is checked against the definitions once, terms of a
//! union that begin at other types are left out, and what is no more than a path of elements becomes
//! a `Plan`: the same values as evaluation finds, without its collections.

use super::check;
use super::evaluate;
use super::item::{Item, Node};
use super::model::Kind;
use super::plan::Plan;
use super::scope::Scope;
use super::syntax::{Function, Operator, Term};
use super::{CheckError, Expression};
use crate::definitions::ElementType;
use crate::value::{Number, Object, Value};

/// The steps that finding the values of one element may take.
const BUDGET: u64 = 100_000;

/// An expression with what is known of it for the types it starts from.
#[derive(Clone, Debug)]
pub struct Selector {
    expression: Expression,
    ways: Vec<Way>,
}

/// The expression from one type.
#[derive(Clone, Debug)]
struct Way {
    from: Kind,
    term: Term,
    plan: Option<Plan>,
    /// The types it may find; nothing if any.
    kinds: Option<Vec<Kind>>,
}

/// A value with its type.
#[derive(Clone, Copy, Debug)]
pub struct Selected<'v> {
    /// The value, never `null`.
    pub value: &'v Value,
    /// Its type, which of a computed value is one of FHIRPath's own.
    pub kind: Kind,
}

impl<'v> Selected<'v> {
    /// A whole resource.
    pub fn resource(value: &'v Value) -> Selected<'v> {
        Selected { value, kind: Node::resource(value).kind }
    }

    fn item(self) -> Item<'v> {
        Item::Node(Node { value: self.value, sibling: None, kind: self.kind })
    }
}

impl Selector {
    /// Makes an expression ready for focuses of these types.
    ///
    /// # Errors
    /// What can never be right for one of them, or that it says nothing of one of them.
    pub fn new(expression: Expression, from: &[Kind]) -> Result<Selector, CheckError> {
        let ways = from.iter().map(|kind| Way::new(&expression.term, *kind));
        let ways = ways.collect::<Result<_, _>>()?;
        Ok(Selector { expression, ways })
    }

    /// The expression as written.
    pub fn as_str(&self) -> &str {
        self.expression.as_str()
    }

    /// The types of the values that it may find; nothing if they may have any.
    pub fn kinds(&self) -> Option<Vec<Kind>> {
        let mut kinds = Vec::new();
        for way in &self.ways {
            kinds.extend(way.kinds.as_deref()?);
        }
        kinds.sort_unstable();
        kinds.dedup();
        Some(kinds)
    }

    /// The definitions of the elements that it leads to; nothing where it is more than a path.
    pub fn elements(&self) -> Option<Vec<&'static ElementType>> {
        let mut elements = Vec::new();
        for way in &self.ways {
            elements.extend(way.plan.as_ref()?.elements()?);
        }
        Some(elements)
    }

    /// Hands over the values that it finds; one that several terms of a union find may come several
    /// times. `resource` is what the focus stands in. Where evaluation fails there are no values.
    pub fn each(
        &self,
        focus: Selected<'_>,
        resource: Selected<'_>,
        found: &mut dyn FnMut(Selected<'_>),
    ) {
        let exact = self.ways.iter().find(|way| way.from == focus.kind);
        let way = exact.or_else(|| self.ways.iter().find(|way| focus.kind.is_a(way.from)));
        let Some(way) = way else { return };
        match &way.plan {
            Some(plan) => plan.each(focus, found),
            None => way.evaluate(focus, resource, found),
        }
    }
}

impl Way {
    fn new(term: &Term, from: Kind) -> Result<Way, CheckError> {
        let message = || format!("the expression says nothing of {}", from.name());
        let mut term = own(term, from).ok_or_else(|| CheckError { message: message() })?;
        filter_by_type(&mut term);
        let kinds = check::check(&term, from)?;
        let plan = Plan::of(&term, from);
        Ok(Way { from, term, plan, kinds })
    }

    fn evaluate(
        &self,
        focus: Selected<'_>,
        resource: Selected<'_>,
        found: &mut dyn FnMut(Selected<'_>),
    ) {
        let scope = Scope::new().resource(resource.item()).budget(BUDGET);
        let Ok(items) = evaluate::evaluate(&self.term, focus.item(), &scope) else {
            return;
        };
        for item in items.iter() {
            match item {
                Item::Node(Node { value: Value::Null, .. }) => {}
                Item::Node(node) => found(Selected { value: node.value, kind: node.kind }),
                computed => {
                    if let Some(value) = written(computed) {
                        found(Selected { value: &value, kind: computed.kind() });
                    }
                }
            }
        }
    }
}

/// The expression without the terms of a union that begin at other types; nothing if all do.
fn own(term: &Term, from: Kind) -> Option<Term> {
    let Term::Binary(Operator::Union, operands) = term else {
        return begins_at(term).is_none_or(|kind| from.is_a(kind)).then(|| term.clone());
    };
    match (own(&operands.0, from), own(&operands.1, from)) {
        (Some(one), Some(two)) => Some(Term::Binary(Operator::Union, Box::new((one, two)))),
        (one, two) => one.or(two),
    }
}

/// The type that a term names first, if it does.
fn begins_at(term: &Term) -> Option<Kind> {
    match term {
        Term::Root(name) => name.kind,
        Term::Member(of, _) | Term::Is(of, _) | Term::As(of, _) => begins_at(of),
        Term::At(operands) => begins_at(&operands.0),
        Term::Call(call) => begins_at(&call.input),
        Term::Binary(operator, operands) if *operator != Operator::Union => begins_at(&operands.0),
        _ => None,
    }
}

/// Makes `as()` keep those of a type among several, as R4's own search parameters mean it, where
/// FHIRPath has `ofType()`.
fn filter_by_type(term: &mut Term) {
    match term {
        Term::Member(of, _)
        | Term::Is(of, _)
        | Term::As(of, _)
        | Term::Negative(of)
        | Term::Positive(of) => filter_by_type(of),
        Term::At(operands) | Term::Binary(_, operands) => {
            filter_by_type(&mut operands.0);
            filter_by_type(&mut operands.1);
        }
        Term::Call(call) => {
            if call.function == Function::As {
                call.function = Function::OfType;
            }
            filter_by_type(&mut call.input);
            call.arguments.iter_mut().for_each(filter_by_type);
        }
        Term::This
        | Term::Index
        | Term::Total
        | Term::Empty
        | Term::Literal(_)
        | Term::Variable(_)
        | Term::Root(_) => {}
    }
}

/// A computed value as JSON has it.
fn written(item: &Item<'_>) -> Option<Value> {
    Some(match item {
        Item::Boolean(truth) => Value::Bool(*truth),
        Item::Integer(_) | Item::Decimal(_) => Value::Number(Number::parse(&item.to_string())?),
        Item::String(text) => Value::from(&**text),
        Item::Moment(_) => Value::from(item.to_string().as_str()),
        Item::Quantity(quantity) => {
            let mut object = Object::new();
            object.set("value", Value::Number(Number::parse(&quantity.value.to_string())?));
            object.set("unit", Value::from(&*quantity.unit));
            if !quantity.calendar {
                object.set("system", Value::from(crate::ucum::SYSTEM));
                object.set("code", Value::from(&*quantity.unit));
            }
            Value::Object(object)
        }
        Item::Node(_) | Item::Type(_) => return None,
    })
}
