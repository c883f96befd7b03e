//! Reads tokens into a [`Term`], by the precedence of the operators (FHIRPath 2.0.0 §6.7).
//!
//! Invariant: no term is nested deeper than [`DEEPEST`], so that evaluation cannot exhaust the stack.

use super::ParseError;
use super::decimal::Decimal;
use super::lex::{self, Placed, Token};
use super::moment::Unit;
use super::syntax::{Call, Function, Literal, Name, Operator, TYPE_LEVEL, Term, TypeName};
use regex::{Regex, RegexBuilder};

/// The longest text of an expression, in bytes; R4's longest is under 1,500.
const LONGEST: usize = 32 * 1024;

/// How deep terms may nest, steps of a path and links of a chain included.
const DEEPEST: usize = 128;

/// The most memory that a compiled regular expression may take, in bytes.
const LARGEST_PATTERN: usize = 1 << 20;

/// A term with how deep it nests.
type Measured = (Term, usize);

pub(super) fn parse(text: &str) -> Result<Term, ParseError> {
    if text.len() > LONGEST {
        return Err(ParseError::at(text, 0, "the expression is longer than 32 KiB"));
    }
    let mut parser = Parser { text, tokens: lex::tokens(text)?, next: 0, open: 0 };
    let (term, _) = parser.expression(0)?;
    match parser.peek() {
        None => Ok(term),
        Some(_) => Err(parser.error("the expression should end here")),
    }
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Placed>,
    next: usize,
    /// How many terms are being read.
    open: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(token, _)| token)
    }

    fn error(&self, message: &str) -> ParseError {
        let at = self.tokens.get(self.next).map_or(self.text.len(), |(_, at)| *at);
        ParseError::at(self.text, at, message)
    }

    fn take(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.next += usize::from(token.is_some());
        token
    }

    /// Takes this sign, if it is next.
    fn sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(next)) if *next == sign);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Result<(), ParseError> {
        let found = self.sign(sign);
        if found { Ok(()) } else { Err(self.error(&format!("`{sign}` is missing here"))) }
    }

    /// The word or sign that is next and may be an operator.
    fn operator(&self) -> Option<&str> {
        match self.peek()? {
            Token::Word(word) => Some(word),
            Token::Sign(sign) => Some(sign),
            _ => None,
        }
    }

    fn deeper(&self, depth: usize) -> Result<usize, ParseError> {
        if depth >= DEEPEST {
            return Err(self.error("the expression nests too deep: split it"));
        }
        Ok(depth + 1)
    }

    /// Operands joined by operators that bind tighter than `level`.
    fn expression(&mut self, level: u8) -> Result<Measured, ParseError> {
        self.open = self.deeper(self.open)?;
        let (mut left, mut depth) = self.unary()?;
        while let Some(word) = self.operator() {
            if let "is" | "as" = word {
                if TYPE_LEVEL <= level {
                    break;
                }
                let is = word == "is";
                self.next += 1;
                let of_type = self.type_name()?;
                let operand = Box::new(left);
                left = if is { Term::Is(operand, of_type) } else { Term::As(operand, of_type) };
                depth = self.deeper(depth)?;
                continue;
            }
            let Some((operator, found)) = Operator::of(word).filter(|(_, found)| *found > level)
            else {
                break;
            };
            self.next += 1;
            let (right, of_right) = self.expression(found)?;
            left = Term::Binary(operator, Box::new((left, right)));
            depth = self.deeper(depth.max(of_right))?;
        }
        self.open -= 1;
        Ok((left, depth))
    }

    fn unary(&mut self) -> Result<Measured, ParseError> {
        let negative = self.sign("-");
        if !negative && !self.sign("+") {
            return self.path();
        }
        self.open = self.deeper(self.open)?;
        let (operand, depth) = self.unary()?;
        self.open -= 1;
        let operand = Box::new(operand);
        let term = if negative { Term::Negative(operand) } else { Term::Positive(operand) };
        Ok((term, self.deeper(depth)?))
    }

    /// A term with the steps after it.
    fn path(&mut self) -> Result<Measured, ParseError> {
        let (mut term, mut depth) = self.start()?;
        loop {
            if self.sign(".") {
                let name = self.name()?;
                if self.sign("(") {
                    let (call, deepest) = self.call(&name, term)?;
                    (term, depth) = (call, depth.max(deepest));
                } else {
                    term = Term::Member(Box::new(term), Name::new(&name));
                }
            } else if self.sign("[") {
                let (index, deepest) = self.expression(0)?;
                self.expect("]")?;
                term = Term::At(Box::new((term, index)));
                depth = depth.max(deepest);
            } else {
                return Ok((term, depth));
            }
            depth = self.deeper(depth)?;
        }
    }

    fn name(&mut self) -> Result<Box<str>, ParseError> {
        match self.take() {
            Some(Token::Word(name) | Token::Quoted(name)) => Ok(name),
            _ => {
                self.next = self.next.saturating_sub(1);
                Err(self.error("a name is missing here"))
            }
        }
    }

    fn start(&mut self) -> Result<Measured, ParseError> {
        let Some(token) = self.take() else {
            return Err(self.error("the expression ends too early"));
        };
        let term = match token {
            Token::Sign("(") => {
                let inner = self.expression(0)?;
                self.expect(")")?;
                return Ok(inner);
            }
            Token::Sign("{") => {
                self.expect("}")?;
                Term::Empty
            }
            Token::Word(name) | Token::Quoted(name) if self.sign("(") => {
                return self.call(&name, Term::This);
            }
            Token::Word(word) => match &*word {
                "true" => Term::Literal(Literal::Boolean(true)),
                "false" => Term::Literal(Literal::Boolean(false)),
                name => Term::Root(Name::new(name)),
            },
            Token::Quoted(name) => Term::Root(Name::new(&name)),
            Token::String(text) => Term::Literal(Literal::String(text)),
            Token::Number(text) => self.number(&text)?,
            Token::Moment(text) => {
                let moment = lex::read_moment(&text);
                let moment = moment.ok_or_else(|| self.error("not a date or time"))?;
                Term::Literal(Literal::Moment(moment))
            }
            Token::Special(name) => match &*name {
                "index" => Term::Index,
                "total" => Term::Total,
                _ => Term::This,
            },
            Token::Variable(name) => Term::Variable(name),
            Token::Sign(_) => {
                self.next -= 1;
                return Err(self.error("a value or name is missing here"));
            }
        };
        Ok((term, 1))
    }

    /// A number, and its unit if one follows.
    fn number(&mut self, text: &str) -> Result<Term, ParseError> {
        let decimal = Decimal::parse(text).ok_or_else(|| self.error("the number is too large"))?;
        let unit = match self.peek() {
            Some(Token::String(unit)) => Some((unit.clone(), false)),
            Some(Token::Word(word)) if Unit::of_word(word).is_some() => Some((word.clone(), true)),
            _ => None,
        };
        if let Some((unit, calendar)) = unit {
            self.next += 1;
            return Ok(Term::Literal(Literal::Quantity(decimal, unit, calendar)));
        }
        if text.contains('.') {
            return Ok(Term::Literal(Literal::Decimal(decimal)));
        }
        let number = text.parse().ok();
        let number = number.ok_or_else(|| self.error("the whole number is too large"))?;
        Ok(Term::Literal(Literal::Integer(number)))
    }

    /// `name` or `Namespace.name`.
    fn type_name(&mut self) -> Result<TypeName, ParseError> {
        let first = self.name()?;
        if matches!(&*first, "System" | "FHIR") && self.sign(".") {
            let name = self.name()?;
            return Ok(TypeName::new(Some(&first), &name));
        }
        Ok(TypeName::new(None, &first))
    }

    /// The call of a function, its bracket open.
    fn call(&mut self, name: &str, input: Term) -> Result<Measured, ParseError> {
        let Some((function, least, most)) = Function::of(name) else {
            self.next = self.next.saturating_sub(2);
            return Err(self.error("there is no function of this name"));
        };
        let mut call =
            Call { input, function, arguments: Vec::new(), of_type: None, pattern: None };
        let mut depth = 1;
        if let Function::Is | Function::As | Function::OfType = function {
            call.of_type = Some(self.type_name()?);
            self.expect(")")?;
            return Ok((Term::Call(Box::new(call)), depth));
        }
        if !self.sign(")") {
            loop {
                let (argument, of_argument) = self.expression(0)?;
                depth = depth.max(of_argument);
                call.arguments.push(argument);
                if !self.sign(",") {
                    break;
                }
            }
            self.expect(")")?;
        }
        if !(least..=most).contains(&call.arguments.len()) {
            let message = format!("`{name}` takes {least} to {most} arguments");
            return Err(self.error(&message));
        }
        if let Function::Matches | Function::MatchesFull | Function::ReplaceMatches = function
            && let Some(Term::Literal(Literal::String(text))) = call.arguments.first()
        {
            let pattern = pattern(text, function == Function::MatchesFull);
            call.pattern = Some(pattern.ok_or_else(|| self.error("not a regular expression"))?);
        }
        Ok((Term::Call(Box::new(call)), self.deeper(depth)?))
    }
}

/// The regular expression of a text: a dot matches line ends too (FHIRPath 2.0.0 §5.6.9). Nothing if
/// it is none, or becomes too large.
pub(super) fn pattern(text: &str, full: bool) -> Option<Regex> {
    let whole = if full { format!("^(?:{text})$") } else { text.to_owned() };
    let mut builder = RegexBuilder::new(&whole);
    let builder = builder.dot_matches_new_line(true).size_limit(LARGEST_PATTERN);
    builder.nest_limit(64).build().ok()
}
