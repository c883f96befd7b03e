//! Scores as another system sent them, beside what the table gives.
//!
//! Invariant: what was received is shown as received. A difference is told, never a ground for
//! refusal or correction; the published example of the Norwegian profile itself gives 3 points for
//! "93–94 med oksygentilførsel", where the table gives 1.

use super::parameter::{ByParameter, Consciousness, Parameter, SpO2Scale, Supply};
use super::score::{self, Measurements};
use super::table::{self, Band, Limits};

/// A NEWS2 score made elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Received {
    /// When, in milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// Where it can be found again, such as a resource reference.
    pub source: String,
    /// The scale its saturation was scored on, where its code tells.
    pub scale: Option<SpO2Scale>,
    /// The total.
    pub total: Option<u8>,
    /// The points of each parameter.
    pub parameters: ByParameter<Option<Part>>,
}

/// The points of one parameter, as received.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// Points.
    pub score: Option<u8>,
    /// The band in words, such as "≥25" or "93–94 med oksygentilførsel".
    pub band: Option<String>,
}

/// What a difference is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The points of a parameter.
    Parameter(Parameter),
    /// The total.
    Total,
}

/// What the expected figure rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The measured value.
    Measured,
    /// The band the sender named; no measured value came with it.
    NamedBand,
    /// The received points, added up.
    ReceivedPoints,
}

/// A received figure that is not what the table gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What differs.
    pub subject: Subject,
    /// As received.
    pub received: u8,
    /// By the table.
    pub expected: u8,
    /// What `expected` rests on.
    pub basis: Basis,
}

/// The differences, parameters in the order of the chart and the total last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Empty when nothing differs, or nothing could be compared.
    pub differences: Vec<Difference>,
}

impl Comparison {
    /// Whether anything differs.
    pub fn differs(&self) -> bool {
        !self.differences.is_empty()
    }
}

/// Compares a received score with the measurements of its set (which may be empty).
///
/// A parameter is expected by its measured value, else by the band the sender named. The total is
/// expected as the sum of these; where one of them is unknown its received points stand in, and
/// where one has none of the three the total is not compared.
pub fn compare(received: &Received, measurements: &Measurements) -> Comparison {
    let measured = Measurements {
        scale: received.scale.unwrap_or(measurements.scale),
        ..measurements.clone()
    };
    let computed = score::score(&measured).parameters;
    let expected = ByParameter::from_fn(|parameter| {
        let part = received.parameters.get(parameter).as_ref();
        let by_value = computed.get(parameter).map(|points| (points, Basis::Measured));
        by_value
            .or_else(|| {
                let text = part?.band.as_deref()?;
                Some((named_band(parameter, measured.scale, text)?.score, Basis::NamedBand))
            })
            .or_else(|| Some((part?.score?, Basis::ReceivedPoints)))
    });
    let mut differences: Vec<Difference> = Parameter::ALL
        .into_iter()
        .filter_map(|parameter| {
            let points = received.parameters.get(parameter).as_ref()?.score?;
            let (expected, basis) = (*expected.get(parameter))?;
            difference(Subject::Parameter(parameter), points, expected, basis)
        })
        .collect();
    differences.extend(total_difference(received.total, &expected));
    Comparison { differences }
}

fn total_difference(
    received: Option<u8>,
    expected: &ByParameter<Option<(u8, Basis)>>,
) -> Option<Difference> {
    let sum =
        score::from_points(ByParameter::from_fn(|p| expected.get(p).map(|(points, _)| points)));
    let rests_on = |basis| expected.iter().any(|(_, e)| e.is_some_and(|(_, b)| b == basis));
    let basis = [Basis::ReceivedPoints, Basis::NamedBand]
        .into_iter()
        .find(|&weakest| rests_on(weakest))
        .unwrap_or(Basis::Measured);
    difference(Subject::Total, received?, sum.total?, basis)
}

fn difference(subject: Subject, received: u8, expected: u8, basis: Basis) -> Option<Difference> {
    (received != expected).then_some(Difference { subject, received, expected, basis })
}

/// The band of the table that a sender's words name, in Norwegian or English.
///
/// The numbers must be the printed limits of one band; anything else is `None`.
pub fn named_band(parameter: Parameter, scale: SpO2Scale, text: &str) -> Option<&'static Band> {
    let row = table::row_of(parameter, scale)?;
    let text = text.trim().to_lowercase();
    let supply = named_supply(&text);
    let numbers = named_limits(&text);
    row.bands.iter().find(|band| match &band.limits {
        Limits::Supply(s) => supply == Some(*s),
        Limits::Levels(levels) => named_levels(&text).is_some_and(|named| named == **levels),
        Limits::Number { low, high, supply: needed } => {
            numbers == Some((*low, *high)) && needed.is_none_or(|_| *needed == supply)
        }
    })
}

fn named_supply(text: &str) -> Option<Supply> {
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    match (has(&["luft", "air", "uten oksygen"]), has(&["oksygen", "oxygen", "o2"])) {
        (true, false) => Some(Supply::Air),
        (true, true) if text.contains("uten oksygen") => Some(Supply::Air),
        (false, true) => Some(Supply::Oxygen),
        _ => None,
    }
}

/// Reads "≤8", "9–11", "≥25" and the like; words after the numbers are ignored.
fn named_limits(text: &str) -> Option<(Option<f64>, Option<f64>)> {
    let numeric = |c: char| c.is_ascii_digit() || "≤≥<>=–-−".contains(c);
    let first = text.split_whitespace().take_while(|part| part.starts_with(numeric));
    let numbers = first.collect::<String>().replace(',', ".");
    let number = |digits: &str| digits.parse::<f64>().ok();
    let after = |signs: &[&str]| signs.iter().find_map(|sign| numbers.strip_prefix(sign));
    if let Some(high) = after(&["≤", "<="]) {
        return Some((None, Some(number(high)?)));
    }
    if let Some(low) = after(&["≥", ">="]) {
        return Some((Some(number(low)?), None));
    }
    let (low, high) = numbers.split_once(['–', '-', '−'])?;
    Some((Some(number(low)?), Some(number(high)?)))
}

/// Reads "Våken" or "C, V, P eller U".
fn named_levels(text: &str) -> Option<Vec<Consciousness>> {
    // One named level of the worse four stands for their common band.
    let worse = Consciousness::ALL.into_iter().filter(|&level| level != Consciousness::Alert);
    match Consciousness::from_text(text) {
        Some(Consciousness::Alert) => return Some(vec![Consciousness::Alert]),
        Some(_) => return Some(worse.collect()),
        None if text == "cvpu" => return Some(worse.collect()),
        None => {}
    }
    text.split([',', '/', ' '])
        .filter(|word| !matches!(*word, "" | "eller" | "or"))
        .map(Consciousness::from_text)
        .collect()
}
