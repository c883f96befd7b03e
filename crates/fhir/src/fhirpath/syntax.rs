//! The shape of a compiled expression.

use super::decimal::Decimal;
use super::item::{Item, Quantity};
use super::model::{Kind, Symbol};
use super::moment::{Moment, Unit};
use regex::Regex;
use std::borrow::Cow;

/// A part of an expression that gives a collection.
#[derive(Clone, Debug)]
pub(super) enum Term {
    /// `$this`, or the focus where nothing is written.
    This,
    /// `$index`.
    Index,
    /// `$total`.
    Total,
    /// `{}`.
    Empty,
    Literal(Literal),
    /// `%name`.
    Variable(Box<str>),
    /// A name that nothing stands before: the focus itself, if it is of this type, else its element.
    Root(Name),
    /// The element of this name.
    Member(Box<Term>, Name),
    /// `a[b]`.
    At(Box<(Term, Term)>),
    Call(Box<Call>),
    Negative(Box<Term>),
    Positive(Box<Term>),
    Binary(Operator, Box<(Term, Term)>),
    Is(Box<Term>, TypeName),
    As(Box<Term>, TypeName),
}

/// The name of an element, looked up when compiled.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub(super) text: Box<str>,
    pub(super) symbol: Option<Symbol>,
    /// The type of this name.
    pub(super) kind: Option<Kind>,
}

/// The name of a type. One without namespace may mean a type of FHIR, of FHIRPath, or either.
#[derive(Clone, Debug)]
pub(super) struct TypeName {
    pub(super) fhir: Option<Kind>,
    pub(super) system: Option<Kind>,
    /// Whether it names its namespace: `System.Patient` is a type that nothing has, and no mistake.
    qualified: bool,
}

/// The call of a function.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) input: Term,
    pub(super) function: Function,
    pub(super) arguments: Vec<Term>,
    pub(super) of_type: Option<TypeName>,
    /// The first argument as a regular expression, where it is a literal.
    pub(super) pattern: Option<Regex>,
}

/// A written value.
#[derive(Clone, Debug)]
pub(super) enum Literal {
    Boolean(bool),
    Integer(i64),
    Decimal(Decimal),
    String(Box<str>),
    Moment(Moment),
    Quantity(Decimal, Box<str>, bool),
}

/// An operator between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Implies,
    Or,
    Xor,
    And,
    In,
    Contains,
    Equal,
    Unequal,
    Alike,
    Unlike,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Union,
    Plus,
    Minus,
    Concatenate,
    Times,
    Over,
    Div,
    Mod,
}

impl Literal {
    pub(super) fn item(&self) -> Item<'_> {
        match self {
            Literal::Boolean(truth) => Item::Boolean(*truth),
            Literal::Integer(number) => Item::Integer(*number),
            Literal::Decimal(number) => Item::Decimal(*number),
            Literal::String(text) => Item::String(Cow::Borrowed(text)),
            Literal::Moment(moment) => Item::Moment(*moment),
            Literal::Quantity(value, unit, calendar) => {
                let (value, calendar) = (*value, *calendar);
                Item::Quantity(Box::new(Quantity { value, unit: Cow::Borrowed(unit), calendar }))
            }
        }
    }

    pub(super) fn kind(&self) -> Kind {
        self.item().kind()
    }
}

impl Quantity<'_> {
    /// The unit of the calendar, if it is one.
    pub(super) fn calendar_unit(&self) -> Option<Unit> {
        Unit::of_word(&self.unit).filter(|_| self.calendar)
    }
}

impl Name {
    pub(super) fn new(text: &str) -> Name {
        // `code` and its like are types too, but at the start of a path they are elements.
        let is_type = text.starts_with(|letter: char| letter.is_ascii_uppercase());
        let kind = Kind::fhir(text).filter(|_| is_type);
        Name { text: text.into(), symbol: Symbol::of(text), kind }
    }
}

impl TypeName {
    pub(super) fn new(namespace: Option<&str>, name: &str) -> TypeName {
        TypeName {
            fhir: Kind::fhir(name).filter(|_| namespace.is_none_or(|space| space == "FHIR")),
            system: Kind::system(name).filter(|_| namespace.is_none_or(|space| space == "System")),
            qualified: namespace.is_some(),
        }
    }

    pub(super) fn is_known(&self) -> bool {
        self.fhir.is_some() || self.system.is_some() || self.qualified
    }

    /// Whether a type is this one or specialises it.
    pub(super) fn covers(&self, kind: Kind) -> bool {
        self.fhir.is_some_and(|wanted| kind.is_a(wanted))
            || self.system.is_some_and(|wanted| wanted == Kind::ANY || kind == wanted)
    }

    /// Whether `as` and `ofType` keep an item of this type: a primitive only of the very type, so that
    /// `(x as uri)` and `(x as canonical)` part the two, as R4's own search parameters mean it.
    pub(super) fn keeps(&self, kind: Kind) -> bool {
        match kind.primitive() {
            Some(_) => self.fhir == Some(kind),
            None => self.covers(kind),
        }
    }
}

/// The operators in the order of [`Operator`], with how they are written and how tight they bind
/// (FHIRPath 2.0.0 §6.7.1).
const OPERATORS: [(&str, Operator, u8); 22] = [
    ("implies", Operator::Implies, 1),
    ("or", Operator::Or, 2),
    ("xor", Operator::Xor, 2),
    ("and", Operator::And, 3),
    ("in", Operator::In, 4),
    ("contains", Operator::Contains, 4),
    ("=", Operator::Equal, 5),
    ("!=", Operator::Unequal, 5),
    ("~", Operator::Alike, 5),
    ("!~", Operator::Unlike, 5),
    ("<", Operator::Less, 6),
    ("<=", Operator::LessOrEqual, 6),
    (">", Operator::Greater, 6),
    (">=", Operator::GreaterOrEqual, 6),
    ("|", Operator::Union, 7),
    ("+", Operator::Plus, 9),
    ("-", Operator::Minus, 9),
    ("&", Operator::Concatenate, 9),
    ("*", Operator::Times, 10),
    ("/", Operator::Over, 10),
    ("div", Operator::Div, 10),
    ("mod", Operator::Mod, 10),
];

/// How tight `is` and `as` bind.
pub(super) const TYPE_LEVEL: u8 = 8;

impl Operator {
    /// The operator of this token with its level.
    pub(super) fn of(token: &str) -> Option<(Operator, u8)> {
        let found = OPERATORS.iter().find(|(written, ..)| *written == token)?;
        Some((found.1, found.2))
    }

    /// How it is written.
    pub(super) fn name(self) -> &'static str {
        OPERATORS.get(usize::from(self as u8)).map_or("", |(written, ..)| written)
    }
}

macro_rules! functions {
    ($($variant:ident $name:literal $least:literal $most:literal)*) => {
        /// A function of the language.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Function { $($variant,)* }

        impl Function {
            /// The function of this name, with the least and the most arguments it takes.
            pub(super) fn of(name: &str) -> Option<(Function, usize, usize)> {
                Some(match name {
                    $($name => (Function::$variant, $least, $most),)*
                    _ => return None,
                })
            }

            /// The name.
            pub(super) fn name(self) -> &'static str {
                match self { $(Function::$variant => $name,)* }
            }
        }
    };
}

functions! {
    Empty "empty" 0 0
    Exists "exists" 0 1
    All "all" 1 1
    AllTrue "allTrue" 0 0
    AnyTrue "anyTrue" 0 0
    AllFalse "allFalse" 0 0
    AnyFalse "anyFalse" 0 0
    SubsetOf "subsetOf" 1 1
    SupersetOf "supersetOf" 1 1
    Count "count" 0 0
    Distinct "distinct" 0 0
    IsDistinct "isDistinct" 0 0
    Where "where" 1 1
    Select "select" 1 1
    Repeat "repeat" 1 1
    Sort "sort" 0 8
    Aggregate "aggregate" 1 2
    Is "is" 1 1
    As "as" 1 1
    OfType "ofType" 1 1
    Type "type" 0 0
    Single "single" 0 0
    First "first" 0 0
    Last "last" 0 0
    Tail "tail" 0 0
    Skip "skip" 1 1
    Take "take" 1 1
    Intersect "intersect" 1 1
    Exclude "exclude" 1 1
    Union "union" 1 1
    Combine "combine" 1 1
    Iif "iif" 2 3
    Not "not" 0 0
    ToBoolean "toBoolean" 0 0
    ToInteger "toInteger" 0 0
    ToDecimal "toDecimal" 0 0
    ToString "toString" 0 0
    ToDate "toDate" 0 0
    ToDateTime "toDateTime" 0 0
    ToTime "toTime" 0 0
    ToQuantity "toQuantity" 0 1
    ConvertsToBoolean "convertsToBoolean" 0 0
    ConvertsToInteger "convertsToInteger" 0 0
    ConvertsToDecimal "convertsToDecimal" 0 0
    ConvertsToString "convertsToString" 0 0
    ConvertsToDate "convertsToDate" 0 0
    ConvertsToDateTime "convertsToDateTime" 0 0
    ConvertsToTime "convertsToTime" 0 0
    ConvertsToQuantity "convertsToQuantity" 0 1
    IndexOf "indexOf" 1 1
    LastIndexOf "lastIndexOf" 1 1
    Substring "substring" 1 2
    StartsWith "startsWith" 1 1
    EndsWith "endsWith" 1 1
    Contains "contains" 1 1
    Upper "upper" 0 0
    Lower "lower" 0 0
    Replace "replace" 2 2
    Matches "matches" 1 1
    MatchesFull "matchesFull" 1 1
    ReplaceMatches "replaceMatches" 2 2
    Length "length" 0 0
    ToChars "toChars" 0 0
    Encode "encode" 1 1
    Decode "decode" 1 1
    Escape "escape" 1 1
    Unescape "unescape" 1 1
    Trim "trim" 0 0
    Split "split" 1 1
    Join "join" 0 1
    Abs "abs" 0 0
    Ceiling "ceiling" 0 0
    Exp "exp" 0 0
    Floor "floor" 0 0
    Ln "ln" 0 0
    Log "log" 1 1
    Power "power" 1 1
    Round "round" 0 1
    Sqrt "sqrt" 0 0
    Truncate "truncate" 0 0
    LowBoundary "lowBoundary" 0 1
    HighBoundary "highBoundary" 0 1
    Precision "precision" 0 0
    Comparable "comparable" 1 1
    Children "children" 0 0
    Descendants "descendants" 0 0
    Trace "trace" 1 2
    Now "now" 0 0
    Today "today" 0 0
    TimeOfDay "timeOfDay" 0 0
    Extension "extension" 1 1
    HasValue "hasValue" 0 0
    GetValue "getValue" 0 0
    Resolve "resolve" 0 0
    MemberOf "memberOf" 1 1
    Subsumes "subsumes" 1 1
    SubsumedBy "subsumedBy" 1 1
    HtmlChecks "htmlChecks" 0 0
    CheckModifiers "checkModifiers" 0 8
    ConformsTo "conformsTo" 1 1
}
