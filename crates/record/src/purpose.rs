//! Why somebody looks: purpose of use, as the Tillitsrammeverk and AuditEvent carry it.

use std::fmt;

/// System of the purpose codes in an attest.
pub const SYSTEM: &str = "urn:oid:2.16.840.1.113883.1.11.20448";

/// Purpose of use (v3-PurposeOfUse).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Purpose {
    /// Treatment and care.
    Treatment,
    /// Emergency treatment.
    EmergencyTreatment,
    /// Allocation and case work of municipal services (coordination of care).
    Coordination,
    /// Break the glass.
    BreakTheGlass,
    /// A patient's own access (`PATRQT`, v3-ActReason).
    PatientRequest,
    /// A source system delivering what it documented (`HOPERAT`, v3-ActReason).
    Delivery,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Purpose; 6] = [
        Purpose::Treatment,
        Purpose::EmergencyTreatment,
        Purpose::Coordination,
        Purpose::BreakTheGlass,
        Purpose::PatientRequest,
        Purpose::Delivery,
    ];

    /// The HL7 code.
    pub fn code(self) -> &'static str {
        match self {
            Purpose::Treatment => "TREAT",
            Purpose::EmergencyTreatment => "ETREAT",
            Purpose::Coordination => "COC",
            Purpose::BreakTheGlass => "BTG",
            Purpose::PatientRequest => "PATRQT",
            Purpose::Delivery => "HOPERAT",
        }
    }

    /// The purpose with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.code() == code)
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
