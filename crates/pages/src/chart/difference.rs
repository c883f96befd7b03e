//! Received scores that are not what the table gives, in words. What was received is never
//! corrected; the reader is told.

use record::news2::assemble::Set;
use record::news2::received::{self, Basis, Difference, Subject};

use crate::news2::words;
use crate::text;
use crate::time::{self, Moment};

/// The differences of one set.
pub(crate) struct Differing {
    pub at: Moment,
    pub lines: Vec<String>,
}

/// Whether a score in the set differs from the table.
pub(crate) fn differs(set: &Set) -> bool {
    differences(set).next().is_some()
}

/// The sets that differ, the latest first.
pub(crate) fn differing(sets: &[&Set], now_ms: i64) -> Vec<Differing> {
    sets.iter()
        .rev()
        .filter(|set| differs(set))
        .map(|set| Differing {
            at: time::moment(set.to_ms, now_ms),
            lines: differences(set).map(line).collect(),
        })
        .collect()
}

fn differences(set: &Set) -> impl Iterator<Item = Difference> {
    set.received
        .iter()
        .flat_map(|received| received::compare(received, &set.measurements).differences)
}

fn line(difference: Difference) -> String {
    let subject = match difference.subject {
        Subject::Parameter(parameter) => words::parameter(parameter),
        Subject::Total => text::get("news2-total"),
    };
    let key = match difference.basis {
        Basis::Measured => "difference-measured",
        Basis::NamedBand => "difference-named-band",
        Basis::ReceivedPoints => "difference-received-points",
    };
    let arguments = [
        ("subject", subject.into()),
        ("received", difference.received.into()),
        ("expected", difference.expected.into()),
    ];
    text::with(key, &arguments)
}
