//! The fast way through an expression that is a path of elements, or a union of such.
//!
//! Its steps name JSON members, found in the definitions when compiled: `name.family`,
//! `value.ofType(Quantity)`, `telecom.where(system = 'phone')`, `entry[0].resource`, `$this`. All else has
//! no plan and is evaluated. Invariant: a plan finds the values that evaluation finds, in the same order
//! within each path; ids and extensions of primitives are not looked for.

use super::model::{JsonName, Kind, Symbol, well_known};
use super::selector::Selected;
use super::syntax::{Call, Function, Literal, Name, Operator, Term, TypeName};
use crate::definitions::ElementType;
use crate::value::Value;

/// The paths of a union.
#[derive(Clone, Debug)]
pub(super) struct Plan(Vec<Path>);

#[derive(Clone, Debug)]
struct Path {
    from: Kind,
    steps: Vec<Step>,
}

/// The JSON members to look in, several only for a choice, and what to keep of those found.
#[derive(Clone, Debug)]
struct Step {
    names: Vec<&'static JsonName>,
    /// `[0]`: only the first item of an array.
    first: bool,
    /// `where(member = 'text')`.
    condition: Option<(&'static str, Box<str>)>,
}

impl Plan {
    /// The plan of a term from a type; nothing if it is more than paths of elements.
    pub(super) fn of(term: &Term, from: Kind) -> Option<Plan> {
        let mut paths = Vec::new();
        collect(term, from, &mut paths)?;
        Some(Plan(paths))
    }

    /// The definitions of the elements it leads to; nothing if it leads to the focus itself.
    pub(super) fn elements(&self) -> Option<Vec<&'static ElementType>> {
        let mut found = Vec::new();
        for path in &self.0 {
            found.extend(path.steps.last()?.names.iter().map(|name| name.of_type));
        }
        Some(found)
    }

    pub(super) fn each(&self, focus: Selected<'_>, found: &mut dyn FnMut(Selected<'_>)) {
        for path in &self.0 {
            match path.steps.split_first() {
                Some((first, rest)) => first.walk(focus.value, rest, found),
                None => found(focus),
            }
        }
    }
}

fn collect(term: &Term, from: Kind, paths: &mut Vec<Path>) -> Option<()> {
    if let Term::Binary(Operator::Union, operands) = term {
        collect(&operands.0, from, paths)?;
        return collect(&operands.1, from, paths);
    }
    paths.push(path(term, from)?);
    Some(())
}

fn path(term: &Term, from: Kind) -> Option<Path> {
    match term {
        Term::This => Some(Path { from, steps: Vec::new() }),
        Term::Root(name) if name.kind.is_some_and(|kind| from.is_a(kind)) => {
            Some(Path { from, steps: Vec::new() })
        }
        Term::Root(name) => Path { from, steps: Vec::new() }.step(name),
        Term::Member(of, name) => path(of, from)?.step(name),
        Term::At(operands) if matches!(operands.1, Term::Literal(Literal::Integer(0))) => {
            path(&operands.0, from)?.first()
        }
        Term::As(of, wanted) => path(of, from)?.narrowed(wanted),
        Term::Call(call) => match call.function {
            Function::OfType => path(&call.input, from)?.narrowed(call.of_type.as_ref()?),
            Function::Where => path(&call.input, from)?.condition(call),
            _ => None,
        },
        _ => None,
    }
}

impl Path {
    /// The types that it leads to.
    fn kinds(&self) -> Vec<Kind> {
        match self.steps.last() {
            Some(step) => step.names.iter().map(|name| name.kind).collect(),
            None => vec![self.from],
        }
    }

    /// The types that it leads to, if each is known to be just that: a resource within another may be
    /// of any type.
    fn exact(&self) -> Option<Vec<Kind>> {
        let is_open = |kind: &Kind| *kind == well_known().resource || *kind == Kind::UNKNOWN;
        let kinds = self.kinds();
        let open = kinds.iter().any(is_open);
        (!open).then_some(kinds)
    }

    fn step(mut self, name: &Name) -> Option<Path> {
        let symbol = name.symbol?;
        let mut names = Vec::new();
        for kind in self.exact()? {
            let member = kind.member(symbol);
            // The children of a primitive stand beside it.
            if kind.primitive().is_some() && member.is_some() {
                return None;
            }
            names.extend(member.iter().flat_map(|member| &member.names));
        }
        let found = !names.is_empty();
        self.steps.push(Step { names, first: false, condition: None });
        found.then_some(self)
    }

    /// The first value of all is the first of an array only where there is one array.
    fn first(mut self) -> Option<Path> {
        let [step] = self.steps.as_mut_slice() else {
            return None;
        };
        step.first = step.names.len() == 1 && step.condition.is_none();
        step.first.then_some(self)
    }

    fn narrowed(mut self, wanted: &TypeName) -> Option<Path> {
        self.exact()?;
        let step = self.steps.last_mut()?;
        step.names.retain(|name| wanted.keeps(name.kind));
        (!step.names.is_empty()).then_some(self)
    }

    /// `where(member = 'text')` of a member that is one text.
    fn condition(mut self, call: &Call) -> Option<Path> {
        let [Term::Binary(Operator::Equal, operands)] = call.arguments.as_slice() else {
            return None;
        };
        let (Term::Root(name), Term::Literal(Literal::String(text))) = &**operands else {
            return None;
        };
        let member = text_member(&self.exact()?, name.symbol?)?;
        let step = self.steps.last_mut()?;
        if step.first || step.condition.is_some() {
            return None;
        }
        step.condition = Some((member, text.clone()));
        Some(self)
    }
}

/// The JSON name of the one text that an element of the only type is.
fn text_member(kinds: &[Kind], symbol: Symbol) -> Option<&'static str> {
    let [kind] = kinds else {
        return None;
    };
    let member = kind.member(symbol).filter(|member| !member.repeats)?;
    let [name] = member.names.as_slice() else {
        return None;
    };
    let is_text = kind.primitive().is_none() && name.kind.as_system() == Some(Kind::STRING);
    is_text.then_some(name.name)
}

impl Step {
    fn walk(&self, parent: &Value, rest: &[Step], found: &mut dyn FnMut(Selected<'_>)) {
        for name in &self.names {
            match parent.get(name.name) {
                Some(Value::Array(items)) => {
                    let most = if self.first { 1 } else { items.len() };
                    for item in items.iter().take(most) {
                        self.keep(item, name, rest, found);
                    }
                }
                Some(value) => self.keep(value, name, rest, found),
                None => {}
            }
        }
    }

    fn keep(
        &self,
        value: &Value,
        name: &JsonName,
        rest: &[Step],
        found: &mut dyn FnMut(Selected<'_>),
    ) {
        if let Some((member, text)) = &self.condition
            && value.text(member) != Some(text)
        {
            return;
        }
        match rest.split_first() {
            Some((next, rest)) => next.walk(value, rest, found),
            None if *value == Value::Null => {}
            None if name.kind == well_known().resource => found(Selected::resource(value)),
            None => found(Selected { value, kind: name.kind }),
        }
    }
}
