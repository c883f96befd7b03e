//! Which codes mean what: vital signs, NEWS2 points and total, and coded answers.
//!
//! The NEWS2 codes are concepts of the British SNOMED extension, and the Norwegian profile
//! announces a national code to replace that of the total. So the codes are a table which a
//! deployment extends with [`Codes::with_question`] and [`Codes::with_answer`]: what is added
//! last is what is written, and everything older is still read.
//!
//! Sources: hl7.fhir.no.vkp.observation 0.5.2, no-domain VitalSigns 0.9.0, HL7 vital signs, UK Core
//! value set for ACVPU, RCP NEWS2 SNOMED subset (Norwegian conventions §3.1).

use std::borrow::Cow;

use super::parameter::{Consciousness, Parameter, SpO2Scale, Supply};

/// The system of LOINC codes.
pub const LOINC: &str = "http://loinc.org";
/// The system of SNOMED CT codes.
pub const SNOMED: &str = "http://snomed.info/sct";

/// What an observation or a component says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    /// A measured value.
    Reading(Parameter),
    /// The points of a parameter; for saturation with the scale they were given on.
    Points(Parameter, Option<SpO2Scale>),
    /// The NEWS2 total.
    Total,
}

/// A coded answer to a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// Level of consciousness.
    Level(Consciousness),
    /// Air or oxygen.
    Supply(Supply),
}

/// A code in a code system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// The system's address.
    pub system: Cow<'static, str>,
    /// The code in it.
    pub code: Cow<'static, str>,
}

/// Code tables; the first entry of a meaning is the one to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Codes {
    questions: Vec<(Code, Question)>,
    answers: Vec<(Code, Answer)>,
}

const QUESTIONS: &[(&str, &str, Question)] = &[
    (LOINC, "9279-1", Question::Reading(Parameter::Respiration)),
    (SNOMED, "86290005", Question::Reading(Parameter::Respiration)),
    (SNOMED, "271625008", Question::Reading(Parameter::Respiration)),
    (LOINC, "2708-6", Question::Reading(Parameter::OxygenSaturation)),
    (LOINC, "59408-5", Question::Reading(Parameter::OxygenSaturation)),
    (SNOMED, "431314004", Question::Reading(Parameter::OxygenSaturation)),
    (SNOMED, "371825009", Question::Reading(Parameter::Oxygen)),
    (LOINC, "8480-6", Question::Reading(Parameter::SystolicBloodPressure)),
    (SNOMED, "271649006", Question::Reading(Parameter::SystolicBloodPressure)),
    (LOINC, "8867-4", Question::Reading(Parameter::Pulse)),
    (SNOMED, "364075005", Question::Reading(Parameter::Pulse)),
    (SNOMED, "1104441000000107", Question::Reading(Parameter::Consciousness)),
    (LOINC, "8310-5", Question::Reading(Parameter::Temperature)),
    (SNOMED, "276885007", Question::Reading(Parameter::Temperature)),
    (SNOMED, "1104301000000104", Question::Points(Parameter::Respiration, None)),
    (
        SNOMED,
        "1104311000000102",
        Question::Points(Parameter::OxygenSaturation, Some(SpO2Scale::One)),
    ),
    (
        SNOMED,
        "1104321000000108",
        Question::Points(Parameter::OxygenSaturation, Some(SpO2Scale::Two)),
    ),
    (SNOMED, "1104331000000105", Question::Points(Parameter::Oxygen, None)),
    (SNOMED, "1104341000000101", Question::Points(Parameter::SystolicBloodPressure, None)),
    (SNOMED, "1104351000000103", Question::Points(Parameter::Pulse, None)),
    (SNOMED, "1104361000000100", Question::Points(Parameter::Consciousness, None)),
    (SNOMED, "1104371000000107", Question::Points(Parameter::Temperature, None)),
    (SNOMED, "1104051000000101", Question::Total),
];

const ANSWERS: &[(&str, &str, Answer)] = &[
    (SNOMED, "248234008", Answer::Level(Consciousness::Alert)),
    (SNOMED, "130987000", Answer::Level(Consciousness::Confusion)),
    (SNOMED, "300202002", Answer::Level(Consciousness::Voice)),
    (SNOMED, "450847001", Answer::Level(Consciousness::Pain)),
    (SNOMED, "422768004", Answer::Level(Consciousness::Unresponsive)),
    (SNOMED, "722742002", Answer::Supply(Supply::Air)),
    (SNOMED, "371825009", Answer::Supply(Supply::Oxygen)),
];

impl Code {
    /// A code in a system.
    pub fn new(system: impl Into<Cow<'static, str>>, code: impl Into<Cow<'static, str>>) -> Self {
        Self { system: system.into(), code: code.into() }
    }
}

impl Codes {
    /// The published codes.
    pub fn published() -> Self {
        Self {
            questions: QUESTIONS.iter().map(|&(s, c, q)| (Code::new(s, c), q)).collect(),
            answers: ANSWERS.iter().map(|&(s, c, a)| (Code::new(s, c), a)).collect(),
        }
    }

    /// Adds a code, which becomes the one to write; an older meaning of the same code is replaced.
    #[must_use]
    pub fn with_question(mut self, code: Code, question: Question) -> Self {
        self.questions.retain(|(known, _)| *known != code);
        self.questions.insert(0, (code, question));
        self
    }

    /// Adds a coded answer in the same way, for example a supplier's code for "Våken".
    #[must_use]
    pub fn with_answer(mut self, code: Code, answer: Answer) -> Self {
        self.answers.retain(|(known, _)| *known != code);
        self.answers.insert(0, (code, answer));
        self
    }

    /// What an observation's or component's code asks.
    pub fn question(&self, system: &str, code: &str) -> Option<Question> {
        meaning(&self.questions, system, code)
    }

    /// What a coded value answers.
    pub fn answer(&self, system: &str, code: &str) -> Option<Answer> {
        meaning(&self.answers, system, code)
    }

    /// All codes of a question, the one to write first.
    pub fn codes_of(&self, question: Question) -> impl Iterator<Item = &Code> {
        self.questions.iter().filter(move |(_, q)| *q == question).map(|(code, _)| code)
    }

    /// All codes of an answer, the one to write first.
    pub fn codes_of_answer(&self, answer: Answer) -> impl Iterator<Item = &Code> {
        self.answers.iter().filter(move |(_, a)| *a == answer).map(|(code, _)| code)
    }
}

fn meaning<T: Copy>(table: &[(Code, T)], system: &str, code: &str) -> Option<T> {
    table.iter().find(|(known, _)| known.system == system && known.code == code).map(|(_, m)| *m)
}
