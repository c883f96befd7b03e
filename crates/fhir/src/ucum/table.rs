//! The units and prefixes that UCUM knows.
//!
//! A unit is defined by another expression, so units are worked out from the data one after the other:
//! what a line needs may stand anywhere in the file.

use super::dimension::{Base, Dimension};
use super::{Unit, parse};
use crate::definitions::data_lines;
use std::collections::HashMap;
use std::sync::LazyLock;

const UNITS: &str = include_str!("../../data/ucum.txt");

/// Prefixes, longest first, with the powers of ten or two they stand for.
const PREFIXES: [(&str, f64); 24] = [
    ("da", 1e1),
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Y", 1e24),
    ("Z", 1e21),
    ("E", 1e18),
    ("P", 1e15),
    ("T", 1e12),
    ("G", 1e9),
    ("M", 1e6),
    ("k", 1e3),
    ("h", 1e2),
    ("d", 1e-1),
    ("c", 1e-2),
    ("m", 1e-3),
    ("u", 1e-6),
    ("n", 1e-9),
    ("p", 1e-12),
    ("f", 1e-15),
    ("a", 1e-18),
    ("z", 1e-21),
    ("y", 1e-24),
];

static TABLE: LazyLock<Table> = LazyLock::new(load);

/// Units by their codes.
pub(super) type Table = HashMap<&'static str, Atom>;

/// A unit by its code.
#[derive(Clone, Debug)]
pub(super) struct Atom {
    unit: Unit,
    metric: bool,
}

/// The finished table.
pub(super) fn all() -> &'static Table {
    &TABLE
}

/// A unit by its code, with or without a prefix.
pub(super) fn find(table: &Table, code: &str) -> Option<Unit> {
    if let Some(atom) = table.get(code) {
        return Some(atom.unit.clone());
    }
    PREFIXES.iter().find_map(|(prefix, factor)| {
        let atom = table.get(code.strip_prefix(prefix)?).filter(|atom| atom.metric)?;
        // Thousandths of a degree are counted from the same zero.
        let (unit, offset) = (&atom.unit, atom.unit.offset / factor);
        Some(Unit { factor: unit.factor * factor, offset, ..unit.clone() })
    })
}

/// A line of the data file that waits for the units it is made of.
struct Line {
    code: &'static str,
    metric: bool,
    number: f64,
    unit: &'static str,
    offset: f64,
}

fn load() -> Table {
    let mut table = Table::new();
    let mut waiting = Vec::new();
    for (place, line) in data_lines(UNITS).enumerate() {
        let words: Vec<&'static str> = line.split(' ').collect();
        match *words.as_slice() {
            [code, metric] => {
                let dimension = Dimension::of(Base { place, code });
                let unit = Unit { factor: 1.0, offset: 0.0, dimension };
                table.insert(code, Atom { unit, metric: metric == "m" });
            }
            [code, metric, number, unit, ref offset @ ..] => {
                let parse = |text: &str| text.parse().unwrap_or_default();
                let offset = offset.last().copied().map_or(0.0, parse);
                let (metric, number) = (metric == "m", parse(number));
                waiting.push(Line { code, metric, number, unit, offset });
            }
            _ => {}
        }
    }
    // Each round settles at least one line, or the rest can never be settled.
    loop {
        let before = waiting.len();
        waiting.retain(|line| match parse::plain(&table, line.unit) {
            Some((factor, dimension)) => {
                let unit = Unit { factor: factor * line.number, offset: line.offset, dimension };
                table.insert(line.code, Atom { unit, metric: line.metric });
                false
            }
            None => true,
        });
        if waiting.is_empty() || waiting.len() == before {
            return table;
        }
    }
}
