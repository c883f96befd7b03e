//! FHIRPath 2.0.0 with R4's additions, over value trees.
//!
//! An [`Expression`] is compiled once and evaluated many times, on [`item::Item`]s that borrow from the
//! tree. Nothing is read but the tree and the [`scope::Scope`], which brings the time, variables and
//! what only others know. Invariants: text of any kind is compiled or refused with its column, never
//! with a panic; evaluation ends within the scope's budget of steps.
//!
//! - [`item`], [`model`], [`decimal`], [`moment`]: values and their types.
//! - [`scope`]: what an evaluation is given.
//! - [`selector`]: an expression made ready for known types, as search parameters use it.

pub mod decimal;
pub mod item;
pub mod model;
pub mod moment;
pub mod scope;
pub mod selector;

mod check;
mod evaluate;
mod lex;
mod parse;
mod plan;
mod quantity;
mod syntax;

use item::Item;
use scope::Scope;
use std::fmt;

/// A compiled expression.
#[derive(Clone, Debug)]
pub struct Expression {
    text: Box<str>,
    term: syntax::Term,
}

/// Why a text is not an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The character where it goes wrong, counted from 1.
    pub column: usize,
    /// What is wrong, and what to do.
    pub message: String,
}

/// Why an expression gives nothing for this input. Holds no value of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EvaluationError {
    /// An operator or function got several items and takes one.
    Several(&'static str),
    /// An operator or function got a type that it does not take.
    WrongType(&'static str),
    /// The expression names a type that neither FHIR R4 nor FHIRPath has.
    UnknownType,
    /// The expression names a variable that the scope does not have.
    UnknownVariable(Box<str>),
    /// A text given as regular expression is none.
    BadPattern,
    /// The expression asks for the time and the scope has none.
    NoTime,
    /// The expression asks for what nobody here knows, such as an unknown profile.
    NotKnown(&'static str),
    /// The steps allowed are spent.
    TooCostly,
}

/// Why an expression can never be right for a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckError {
    /// What is wrong.
    pub message: String,
}

impl Expression {
    /// Compiles an expression.
    ///
    /// # Errors
    /// Where the text stops being FHIRPath, nests too deep or is too long.
    pub fn parse(text: &str) -> Result<Expression, ParseError> {
        Ok(Expression { text: text.into(), term: parse::parse(text)? })
    }

    /// The text as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The items that the expression finds, in order.
    ///
    /// # Errors
    /// Where FHIRPath says that the expression is an error for this input, and when the scope's steps
    /// are spent.
    pub fn evaluate<'a>(
        &'a self,
        focus: Item<'a>,
        scope: &Scope<'a>,
    ) -> Result<Vec<Item<'a>>, EvaluationError> {
        evaluate::evaluate(&self.term, focus, scope).map(item::Items::into_vec)
    }

    /// What the expression says as a criterion: the truth value it gives, and `true` where it gives
    /// something else. Nothing where it gives nothing, which three-valued logic calls unknown.
    ///
    /// # Errors
    /// Those of [`Expression::evaluate`].
    pub fn truth<'a>(
        &'a self,
        focus: Item<'a>,
        scope: &Scope<'a>,
    ) -> Result<Option<bool>, EvaluationError> {
        let items = evaluate::evaluate(&self.term, focus, scope)?;
        Ok(match items.as_slice() {
            [] => None,
            [item] => item.truth(),
            _ => Some(true),
        })
    }

    /// Whether an invariant holds. One that gives nothing does not, as in HL7's own validator: a
    /// constraint "must evaluate to true" (R4 ElementDefinition.constraint.expression).
    ///
    /// # Errors
    /// Those of [`Expression::evaluate`].
    pub fn holds<'a>(
        &'a self,
        focus: Item<'a>,
        scope: &Scope<'a>,
    ) -> Result<bool, EvaluationError> {
        self.truth(focus, scope).map(|truth| truth == Some(true))
    }

    /// Checks the expression against the definitions of a type such as `Patient` or `HumanName`, without
    /// any input: unknown elements, arguments of wrong types, order asked of what has none.
    ///
    /// # Errors
    /// The first thing that can never be right.
    pub fn check(&self, kind: &str) -> Result<(), CheckError> {
        let kind = model::Kind::fhir(kind)
            .ok_or_else(|| CheckError { message: format!("there is no type `{kind}` in R4") })?;
        check::check(&self.term, kind).map(drop)
    }
}

impl ParseError {
    fn at(text: &str, byte: usize, message: &str) -> ParseError {
        let before = text.get(..byte).unwrap_or(text);
        ParseError { column: before.chars().count() + 1, message: message.to_owned() }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "column {}: {}", self.column, self.message)
    }
}

impl fmt::Display for CheckError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.message)
    }
}

impl fmt::Display for EvaluationError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EvaluationError::Several(by) => write!(to, "`{by}` takes one item and got several"),
            EvaluationError::WrongType(by) => write!(to, "`{by}` does not take items of this type"),
            EvaluationError::UnknownType => to.write_str("the expression names an unknown type"),
            EvaluationError::UnknownVariable(name) => write!(to, "there is no variable `%{name}`"),
            EvaluationError::BadPattern => to.write_str("a pattern is not a regular expression"),
            EvaluationError::NoTime => to.write_str("the expression asks for the time: give one"),
            EvaluationError::NotKnown(by) => write!(to, "`{by}` asks for what is not known here"),
            EvaluationError::TooCostly => to.write_str("the expression takes too many steps"),
        }
    }
}

impl std::error::Error for ParseError {}
impl std::error::Error for CheckError {}
impl std::error::Error for EvaluationError {}
