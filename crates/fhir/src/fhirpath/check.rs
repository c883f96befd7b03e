//! What an expression can be known to get wrong from the definitions alone.
//!
//! Each term gets the types that its items may have. Only what can never be right is refused: where
//! one of several possible types would do, evaluation decides.

mod function;

use super::CheckError;
use super::model::{Kind, well_known};
use super::syntax::{Name, Operator, Term, TypeName};

type Result<T> = std::result::Result<T, CheckError>;

/// What is known of a collection.
#[derive(Clone, Debug)]
struct Known {
    /// The types of its items; nothing if they may have any.
    kinds: Option<Vec<Kind>>,
    /// Whether there may be several.
    many: bool,
    /// Whether their order means something.
    ordered: bool,
}

/// What the terms of an expression stand in.
struct Checker {
    context: Known,
}

/// The types of the items that a term may find in one of type `kind`; nothing if they may have any.
pub(super) fn check(term: &Term, kind: Kind) -> Result<Option<Vec<Kind>>> {
    let context = Known::one(kind);
    Checker { context: context.clone() }.term(term, &context).map(|found| found.kinds)
}

fn error(message: String) -> CheckError {
    CheckError { message }
}

impl Known {
    fn one(kind: Kind) -> Known {
        Known { kinds: Some(vec![kind]), many: false, ordered: true }
    }

    fn any() -> Known {
        Known { kinds: None, many: true, ordered: true }
    }

    fn none() -> Known {
        Known { kinds: Some(Vec::new()), many: false, ordered: true }
    }

    /// One item of it.
    fn item(&self) -> Known {
        Known { many: false, ordered: true, ..self.clone() }
    }

    fn with(self, other: Known) -> Known {
        let kinds = self.kinds.zip(other.kinds).map(|(mut kinds, more)| {
            let new: Vec<Kind> = more.into_iter().filter(|kind| !kinds.contains(kind)).collect();
            kinds.extend(new);
            kinds
        });
        Known { kinds, many: true, ordered: self.ordered && other.ordered }
    }

    /// FHIRPath's own types that the items turn into; nothing if they may be of any.
    fn system(&self) -> Option<Vec<Kind>> {
        let kinds = self.kinds.as_ref().filter(|kinds| !kinds.is_empty())?;
        if kinds.iter().any(|kind| is_open(*kind)) {
            return None;
        }
        Some(kinds.iter().filter_map(|kind| kind.as_system()).collect())
    }

    /// Whether the items may turn into one of these types.
    fn may_be(&self, wanted: &[Kind]) -> bool {
        self.system().is_none_or(|kinds| kinds.iter().any(|kind| wanted.contains(kind)))
    }

    fn names(&self) -> String {
        let names = self.kinds.iter().flatten().take(3).map(|kind| kind.name());
        names.collect::<Vec<_>>().join(" or ")
    }
}

/// Whether items of this type may be of another that nobody knows before.
fn is_open(kind: Kind) -> bool {
    let known = well_known();
    matches!(kind, Kind::UNKNOWN | Kind::ANY)
        || kind == known.resource
        || kind == known.domain_resource
}

impl Checker {
    fn term(&self, term: &Term, this: &Known) -> Result<Known> {
        Ok(match term {
            Term::This => this.clone(),
            Term::Index => Known::one(Kind::INTEGER),
            Term::Total => Known::any(),
            Term::Empty => Known::none(),
            Term::Literal(literal) => Known::one(literal.kind()),
            Term::Variable(name) => self.variable(name),
            Term::Root(name) => return root(name, this),
            Term::Member(of, name) => return member(&self.term(of, this)?, name),
            Term::At(operands) => {
                let of = self.term(&operands.0, this)?;
                self.needs(&operands.1, this, &[Kind::INTEGER], "[]")?;
                ordered(&of, "[]")?;
                of.item()
            }
            Term::Call(call) => return self.call(call, this),
            Term::Negative(of) | Term::Positive(of) => {
                let numbers = [Kind::INTEGER, Kind::DECIMAL, Kind::QUANTITY];
                self.needs(of, this, &numbers, "-")?
            }
            Term::Binary(operator, operands) => {
                let one = self.term(&operands.0, this)?;
                return operated(*operator, one, self.term(&operands.1, this)?);
            }
            Term::Is(of, wanted) => {
                self.term(of, this)?;
                known_type(wanted)?;
                Known::one(Kind::BOOLEAN)
            }
            Term::As(of, wanted) => return narrowed(&self.term(of, this)?, wanted),
        })
    }

    fn variable(&self, name: &str) -> Known {
        match name {
            "context" => self.context.clone(),
            "sct" | "loinc" | "ucum" => Known::one(Kind::STRING),
            _ if name.starts_with("vs-") || name.starts_with("ext-") => Known::one(Kind::STRING),
            _ => Known::any(),
        }
    }

    /// Checks a term that must give one of these types.
    fn needs(&self, term: &Term, this: &Known, wanted: &[Kind], by: &str) -> Result<Known> {
        let known = self.term(term, this)?;
        if known.may_be(wanted) {
            return Ok(known);
        }
        Err(error(format!("`{by}` does not take {}", known.names())))
    }
}

fn root(name: &Name, this: &Known) -> Result<Known> {
    let (Some(wanted), Some(kinds)) = (name.kind, &this.kinds) else {
        return match name.kind {
            Some(wanted) => Ok(Known { kinds: Some(vec![wanted]), ..this.clone() }),
            None => member(this, name),
        };
    };
    if kinds.iter().any(|kind| kind.is_a(wanted)) {
        return Ok(this.clone());
    }
    if kinds.iter().any(|kind| is_open(*kind) && wanted.is_a(*kind)) {
        return Ok(Known { kinds: Some(vec![wanted]), ..this.clone() });
    }
    member(this, name)
}

fn member(of: &Known, name: &Name) -> Result<Known> {
    let Some(kinds) = &of.kinds else {
        return Ok(Known::any());
    };
    let mut found = Known { kinds: Some(Vec::new()), many: of.many, ordered: of.ordered };
    let mut exists = kinds.is_empty();
    for kind in kinds {
        if *kind == Kind::TYPE_INFO && matches!(&*name.text, "name" | "namespace") {
            return Ok(Known::one(Kind::STRING));
        }
        match name.symbol.and_then(|symbol| kind.member(symbol)) {
            Some(member) => {
                exists = true;
                found.many |= member.repeats;
                let known = found.kinds.get_or_insert_default();
                for json_name in &member.names {
                    if !known.contains(&json_name.kind) {
                        known.push(json_name.kind);
                    }
                }
            }
            None if is_open(*kind) => return Ok(Known::any()),
            None => {}
        }
    }
    if exists {
        return Ok(found);
    }
    Err(error(format!("there is no element `{}` in {}", name.text, of.names())))
}

fn known_type(wanted: &TypeName) -> Result<()> {
    if wanted.is_known() {
        return Ok(());
    }
    Err(error("neither FHIR R4 nor FHIRPath has a type of this name".to_owned()))
}

fn narrowed(of: &Known, wanted: &TypeName) -> Result<Known> {
    known_type(wanted)?;
    let named: Vec<Kind> = wanted.fhir.into_iter().chain(wanted.system).collect();
    let kinds = match &of.kinds {
        None => named,
        Some(kinds) => {
            let kept: Vec<Kind> =
                kinds.iter().copied().filter(|kind| wanted.keeps(*kind)).collect();
            let below = |kind: &Kind| is_open(*kind) || named.iter().any(|named| named.is_a(*kind));
            if kept.is_empty() && kinds.iter().any(below) { named } else { kept }
        }
    };
    Ok(Known { kinds: Some(kinds), ..of.clone() })
}

fn ordered(known: &Known, by: &str) -> Result<()> {
    if known.ordered {
        return Ok(());
    }
    Err(error(format!("`{by}` asks for an order that children and descendants do not have")))
}

fn operated(operator: Operator, one: Known, two: Known) -> Result<Known> {
    match operator {
        Operator::Union => return Ok(one.with(two)),
        Operator::Implies
        | Operator::Or
        | Operator::Xor
        | Operator::And
        | Operator::In
        | Operator::Contains
        | Operator::Equal
        | Operator::Unequal
        | Operator::Alike
        | Operator::Unlike => return Ok(Known::one(Kind::BOOLEAN)),
        _ => {}
    }
    let compares = matches!(
        operator,
        Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual
    );
    let (Some(first), Some(second)) = (one.system(), two.system()) else {
        return Ok(if compares { Known::one(Kind::BOOLEAN) } else { Known::any() });
    };
    let mut kinds = Vec::new();
    for first in first {
        for second in &second {
            let result = match compares {
                true => comparable(first, *second).then_some(Kind::BOOLEAN),
                false => calculated(operator, first, *second),
            };
            kinds.extend(result.filter(|result| !kinds.contains(result)));
        }
    }
    if kinds.is_empty() {
        let (name, one, two) = (operator.name(), one.names(), two.names());
        return Err(error(format!("`{name}` does not take {one} and {two}")));
    }
    Ok(Known { kinds: Some(kinds), many: false, ordered: true })
}

fn is_number(kind: Kind) -> bool {
    matches!(kind, Kind::INTEGER | Kind::DECIMAL)
}

fn comparable(one: Kind, two: Kind) -> bool {
    let dated = |kind| matches!(kind, Kind::DATE | Kind::DATE_TIME);
    let measured = |kind| is_number(kind) || kind == Kind::QUANTITY;
    let alike = one == two && matches!(one, Kind::STRING | Kind::TIME);
    alike || (dated(one) && dated(two)) || (measured(one) && measured(two))
}

/// The type of the result of arithmetic.
fn calculated(operator: Operator, one: Kind, two: Kind) -> Option<Kind> {
    let adds = matches!(operator, Operator::Plus | Operator::Minus);
    let scales = matches!(operator, Operator::Times | Operator::Over);
    match (one, two) {
        (Kind::STRING, Kind::STRING) => {
            matches!(operator, Operator::Plus | Operator::Concatenate).then_some(Kind::STRING)
        }
        _ if operator == Operator::Concatenate => None,
        (Kind::DATE | Kind::DATE_TIME | Kind::TIME, Kind::QUANTITY) => adds.then_some(one),
        (Kind::QUANTITY, Kind::QUANTITY) => (adds || scales).then_some(Kind::QUANTITY),
        (Kind::QUANTITY, other) | (other, Kind::QUANTITY) => {
            ((adds || scales) && is_number(other)).then_some(Kind::QUANTITY)
        }
        (Kind::INTEGER, Kind::INTEGER) if operator != Operator::Over => Some(Kind::INTEGER),
        _ if !is_number(one) || !is_number(two) => None,
        _ if operator == Operator::Div => Some(Kind::INTEGER),
        _ => Some(Kind::DECIMAL),
    }
}
