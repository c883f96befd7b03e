//! Expressions made at random from a fixed seed: paths that a type has, functions and operators on them.

use crate::expressions::Asked;
use fhir::definitions::{Content, Shape, shape};

/// Draws numbers that are the same in each run (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap_or_default()
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// Types with many examples and elements of all sorts.
const KINDS: [&str; 12] = [
    "Bundle",
    "CarePlan",
    "Claim",
    "Condition",
    "DiagnosticReport",
    "Encounter",
    "MedicationRequest",
    "Observation",
    "Patient",
    "Questionnaire",
    "StructureDefinition",
    "ValueSet",
];

/// So many of each type, and so many of values alone.
const OF_A_KIND: usize = 120;
const OF_VALUES: usize = 2_000;

/// Those over a type's elements.
pub fn over_elements() -> Vec<Asked> {
    let mut dice = Dice(4_001);
    let mut asked = Vec::new();
    for kind in KINDS {
        for _ in 0..OF_A_KIND {
            let text = elements(&mut dice, shape(kind), 3);
            asked.push(Asked::evaluated(format!("{kind} {text}"), text, Some(kind)));
        }
    }
    asked
}

/// Those over values that they write themselves, to be asked of one resource.
pub fn over_values() -> Vec<Asked> {
    let mut dice = Dice(2_000);
    let texts = (0..OF_VALUES).map(|number| value(&mut dice, 1 + number % 3));
    texts.map(|text| Asked::evaluated(format!("value {text}"), text, None)).collect()
}

/// A path of elements and what it leads to.
fn path(dice: &mut Dice, from: Option<&'static Shape>) -> (String, Option<&'static Shape>) {
    let (mut names, mut at) = (Vec::new(), from);
    for _ in 0..=dice.below(3) {
        let Some(shape) = at else { break };
        let elements: Vec<_> = shape
            .elements
            .iter()
            .filter(|it| !matches!(it.name, "extension" | "modifierExtension" | "contained" | "id"))
            .collect();
        let element = elements[dice.below(elements.len())];
        names.push(format!("`{}`", element.name));
        let kind = &element.types[dice.below(element.types.len())];
        at = match kind.content {
            Content::Shape(id) => Some(id.shape()),
            _ => None,
        };
    }
    if names.is_empty() {
        names.push("$this".to_owned());
    }
    (names.join("."), at)
}

/// A collection of elements, or what a function makes of it.
fn elements(dice: &mut Dice, from: Option<&'static Shape>, depth: usize) -> String {
    let (path, at) = path(dice, from);
    let mut text = path;
    for _ in 0..=dice.below(3) {
        if depth == 0 {
            break;
        }
        let number = dice.below(4);
        let step = match dice.below(30) {
            0 => "first()".to_owned(),
            1 => "last()".to_owned(),
            2 => "tail()".to_owned(),
            3 => format!("skip({number})"),
            4 => format!("take({number})"),
            5 => "distinct()".to_owned(),
            6 | 7 => format!("where({})", truth(dice, at, depth - 1)),
            8 => format!("select({})", elements(dice, at, depth - 1)),
            9 => format!("all({})", truth(dice, at, depth - 1)),
            10 => format!("exists({})", truth(dice, at, depth - 1)),
            11 => format!("union({})", elements(dice, from, depth - 1)),
            12 => format!("combine({}).count()", elements(dice, from, depth - 1)),
            13 => format!("intersect({})", elements(dice, from, depth - 1)),
            14 => format!("exclude({})", elements(dice, from, depth - 1)),
            15 => format!("subsetOf({})", elements(dice, from, depth - 1)),
            16 => format!("supersetOf({})", elements(dice, from, depth - 1)),
            17 => "isDistinct()".to_owned(),
            18 => "count()".to_owned(),
            19 => "empty()".to_owned(),
            20 => "hasValue()".to_owned(),
            21 => format!("ofType({})", dice.one(&TYPES)),
            22 => format!("select($this is {})", dice.one(&TYPES)),
            23 => "type().name".to_owned(),
            24 => "where($this is string).toString()".to_owned(),
            25 => format!("where($this is string).select({})", of_text(dice, "$this")),
            26 => "children().count()".to_owned(),
            27 => format!("first().iif({}, 1, 'no')", truth(dice, at, depth - 1)),
            28 => "aggregate($total + 1, 0)".to_owned(),
            _ => "single()".to_owned(),
        };
        text = format!("{text}.{step}");
    }
    text
}

const TYPES: [&str; 14] = [
    "string",
    "code",
    "uri",
    "boolean",
    "decimal",
    "integer",
    "dateTime",
    "date",
    "Quantity",
    "CodeableConcept",
    "Coding",
    "Reference",
    "Period",
    "BackboneElement",
];

/// Something true or false of an element.
fn truth(dice: &mut Dice, from: Option<&'static Shape>, depth: usize) -> String {
    if depth == 0 {
        return format!("{}.exists()", path(dice, from).0);
    }
    let side = |dice: &mut Dice| match dice.below(3) {
        0 => value(dice, 0),
        _ => format!("{}.first()", elements(dice, from, depth - 1)),
    };
    let (one, two) = (side(dice), side(dice));
    match dice.below(5) {
        0 => format!("({one} {} {two}).exists()", dice.one(&["=", "!=", "~", "!~", "in", "|"])),
        1 => format!("{one} {} {two}", dice.one(&["=", "~", "!="])),
        2 => format!("{}.empty()", elements(dice, from, depth - 1)),
        3 => format!(
            "{} {} {}",
            truth(dice, from, depth - 1),
            connective(dice),
            truth(dice, from, depth - 1)
        ),
        _ => format!("({}).not()", truth(dice, from, depth - 1)),
    }
}

fn connective(dice: &mut Dice) -> &'static str {
    dice.one(&["and", "or", "xor", "implies"])
}

/// What a value may be. Now and then a value is of another type than is asked for.
#[derive(Clone, Copy)]
enum Sort {
    Truth,
    Number,
    Text,
    Moment,
    Quantity,
}

const SORTS: [Sort; 5] = [Sort::Truth, Sort::Number, Sort::Text, Sort::Moment, Sort::Quantity];
const NUMBERS: [&str; 10] =
    ["0", "1", "7", "(-3)", "2147483647", "0.0", "1.50", "(-2.75)", "0.1", "100000.00001"];
const TEXTS: [&str; 10] = [
    "''",
    "'a'",
    "'abc'",
    "'Zoë Ærlig'",
    "'1'",
    "'1.5'",
    "'true'",
    "'2020-02-29'",
    "' x '",
    "'T10:30'",
];
const MOMENTS: [&str; 12] = [
    "@2020",
    "@2020-02",
    "@2020-02-29",
    "@2019-12-31",
    "@2020-02-29T12:00:00Z",
    "@2020-02-29T13:00:00.500+01:00",
    "@2020-02-29T12:00",
    "@2020T",
    "@2021-03-31T23:59:59.999Z",
    "@T10:30",
    "@T10:30:15.250",
    "@T23",
];
const QUANTITIES: [&str; 12] = [
    "1 year",
    "3 months",
    "2 weeks",
    "36 hours",
    "90 minutes",
    "1 'mg'",
    "1000 'ug'",
    "0.001 'g'",
    "4 'm'",
    "400 'cm'",
    "1 '1'",
    "5.0 'mg'",
];

/// A value of any type.
fn value(dice: &mut Dice, depth: usize) -> String {
    let sort = dice.one(&SORTS);
    of_sort(dice, sort, depth)
}

fn of_sort(dice: &mut Dice, sort: Sort, depth: usize) -> String {
    match dice.below(40) {
        0 => return "{}".to_owned(),
        1 => return value(dice, 0),
        _ => {}
    }
    match (sort, depth) {
        (Sort::Truth, 0) => dice.one(&["true", "false"]).to_owned(),
        (Sort::Number, 0) => dice.one(&NUMBERS).to_owned(),
        (Sort::Text, 0) => dice.one(&TEXTS).to_owned(),
        (Sort::Moment, 0) => dice.one(&MOMENTS).to_owned(),
        (Sort::Quantity, 0) => dice.one(&QUANTITIES).to_owned(),
        (Sort::Truth, _) => truth_of_values(dice, depth - 1),
        (Sort::Number, _) => number(dice, depth - 1),
        (Sort::Text, _) => text(dice, depth - 1),
        (Sort::Moment, _) => moment(dice, depth - 1),
        (Sort::Quantity, _) => quantity(dice, depth - 1),
    }
}

fn truth_of_values(dice: &mut Dice, depth: usize) -> String {
    let sort = dice.one(&SORTS);
    let (one, two) = (of_sort(dice, sort, depth), of_sort(dice, sort, depth));
    match dice.below(8) {
        0 | 1 => format!("({one} {} {two})", dice.one(&["=", "!=", "~", "!~"])),
        2 | 3 => {
            let sort = dice.one(&[Sort::Number, Sort::Text, Sort::Moment, Sort::Quantity]);
            let (one, two) = (of_sort(dice, sort, depth), of_sort(dice, sort, depth));
            format!("({one} {} {two})", dice.one(&["<", "<=", ">", ">="]))
        }
        4 => {
            let (one, two) = (of_sort(dice, Sort::Truth, depth), of_sort(dice, Sort::Truth, depth));
            format!("({one} {} {two})", connective(dice))
        }
        5 => format!("({one} in ({two} | {}))", of_sort(dice, sort, 0)),
        6 => format!("{one}.{}()", dice.one(&CHECKS)),
        _ => format!("{}.not()", of_sort(dice, Sort::Truth, depth)),
    }
}

fn number(dice: &mut Dice, depth: usize) -> String {
    let inner = of_sort(dice, Sort::Number, depth);
    let digits = dice.below(4);
    match dice.below(12) {
        0..=4 => {
            let operator = dice.one(&["+", "-", "*", "/", "div", "mod"]);
            format!("({inner} {operator} {})", of_sort(dice, Sort::Number, depth))
        }
        5 => format!("{inner}.round({digits})"),
        6 => format!("{inner}.power({digits})"),
        7 => format!("{inner}.{}()", dice.one(&["abs", "ceiling", "floor", "truncate", "sqrt"])),
        8 => format!("{}.length()", of_sort(dice, Sort::Text, depth)),
        9 => format!("{}.toInteger()", value(dice, depth)),
        10 => format!("{}.toDecimal()", value(dice, depth)),
        _ => format!("(-{inner})"),
    }
}

fn text(dice: &mut Dice, depth: usize) -> String {
    let inner = of_sort(dice, Sort::Text, depth);
    match dice.below(6) {
        0 => format!("({inner} & {})", of_sort(dice, Sort::Text, depth)),
        1 => format!("({inner} + {})", of_sort(dice, Sort::Text, depth)),
        2 => format!("{}.toString()", value(dice, depth)),
        3 => format!("{}.type().name", value(dice, depth)),
        _ => of_text(dice, &inner),
    }
}

fn moment(dice: &mut Dice, depth: usize) -> String {
    let inner = of_sort(dice, Sort::Moment, depth);
    match dice.below(4) {
        0 => format!("{inner}.{}()", dice.one(&["toDate", "toDateTime", "toTime"])),
        1 => format!("{}.toDate()", of_sort(dice, Sort::Text, depth)),
        _ => {
            let time =
                dice.one(&["1 year", "13 months", "2 weeks", "400 days", "36 hours", "90 minutes"]);
            format!("({inner} {} {time})", dice.one(&["+", "-"]))
        }
    }
}

fn quantity(dice: &mut Dice, depth: usize) -> String {
    let inner = of_sort(dice, Sort::Quantity, depth);
    match dice.below(5) {
        0 => {
            format!("({inner} {} {})", dice.one(&["+", "-"]), of_sort(dice, Sort::Quantity, depth))
        }
        1 => format!("({inner} {} {})", dice.one(&["*", "/"]), of_sort(dice, Sort::Number, depth)),
        2 => format!("({} * {inner})", of_sort(dice, Sort::Number, depth)),
        3 => format!("{}.toQuantity()", of_sort(dice, Sort::Number, depth)),
        _ => format!("{inner}.abs()"),
    }
}

const CHECKS: [&str; 9] = [
    "convertsToBoolean",
    "convertsToInteger",
    "convertsToDecimal",
    "convertsToString",
    "convertsToDate",
    "convertsToDateTime",
    "convertsToTime",
    "convertsToQuantity",
    "exists",
];

/// What functions make of a text.
fn of_text(dice: &mut Dice, text: &str) -> String {
    let (start, length) = (dice.below(6), dice.below(5));
    let part = dice.one(&["'a'", "''", "'b'", "'e'", "'-'", "' '", "'20'"]);
    let function = match dice.below(15) {
        0 => "length()".to_owned(),
        1 => "upper()".to_owned(),
        2 => "lower()".to_owned(),
        3 => format!("substring({start})"),
        4 => format!("substring({start}, {length})"),
        5 => format!("startsWith({part})"),
        6 => format!("endsWith({part})"),
        7 => format!("contains({part})"),
        8 => format!("indexOf({part})"),
        9 => format!("replace({part}, 'q')"),
        10 => format!("matches({})", dice.one(&["'^[a-z]+$'", "'[0-9]'", "'a.*'", "''"])),
        11 => "replaceMatches('[aeiou]', '*')".to_owned(),
        12 => "toChars().count()".to_owned(),
        13 => "trim()".to_owned(),
        _ => format!("split({part}).join('+')"),
    };
    format!("{text}.{function}")
}
