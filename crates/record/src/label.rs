//! Security labels of kodeverk 9603 in `meta.security` (conventions §9): who is kept from one
//! resource, by the one who documented it.

use crate::system;

/// Kodeverk 9603, as [`system::canonical`] writes it.
pub const SYSTEM: &str = "urn:oid:2.16.578.1.12.4.1.1.9603";

/// Begins every code by which the patient is denied access.
const DENIED: &str = "NORN_";

/// Who a label keeps away. The numbers are bits, so that the labels of a resource are one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Label {
    /// `NORS`: blocked for personnel.
    Blocked = 1,
    /// `NORN_…`: the patient is denied access, and with the patient whoever represents them.
    Denied = 2,
    /// `NORU`: the patient's access is delayed, until the label is taken off.
    Delayed = 4,
    /// `NORN_FORANS` and `NORN_UNGDOM`: denied to parents, not to the patient.
    FromParents = 8,
}

impl Label {
    /// What a code says. A reason for denial that is not known yet denies all the same.
    pub fn of(system: &str, code: &str) -> Option<Self> {
        if system::canonical(system) != SYSTEM {
            return None;
        }
        match code {
            "NORS" => Some(Label::Blocked),
            "NORU" => Some(Label::Delayed),
            "NORN_FORANS" | "NORN_UNGDOM" => Some(Label::FromParents),
            other => other.starts_with(DENIED).then_some(Label::Denied),
        }
    }

    /// Several labels as one number.
    pub fn bits(labels: impl IntoIterator<Item = Label>) -> u8 {
        labels.into_iter().fold(0, |bits, label| bits | label as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_says_whom_it_keeps_away_under_each_name_of_its_system() {
        for system in [SYSTEM, "http://helsedir.no/fhir/CodeSystem/no-kodeverk-9603"] {
            assert_eq!(Label::of(system, "N"), None);
            assert_eq!(Label::of(system, "NORS"), Some(Label::Blocked));
            assert_eq!(Label::of(system, "NORN_FFL"), Some(Label::Denied));
            assert_eq!(Label::of(system, "NORN_LATER"), Some(Label::Denied));
            assert_eq!(Label::of(system, "NORN_UNGDOM"), Some(Label::FromParents));
            assert_eq!(Label::of(system, "NORU"), Some(Label::Delayed));
        }
        assert_eq!(Label::of("urn:other", "NORS"), None);
        assert_eq!(Label::bits([Label::Blocked, Label::Delayed, Label::Blocked]), 5);
    }
}
