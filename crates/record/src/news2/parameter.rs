//! The seven NEWS2 parameters and the values they take.
//!
//! The order is that of the NEWS2 observation chart everywhere: A+B respiration, saturation and
//! oxygen; C blood pressure and pulse; D consciousness; E temperature.

/// One of the seven parameters of NEWS2, in the order of the chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Parameter {
    /// Breaths per minute.
    Respiration,
    /// Peripheral oxygen saturation in per cent.
    OxygenSaturation,
    /// Whether the patient breathes air or is given oxygen.
    Oxygen,
    /// Systolic blood pressure in mmHg.
    SystolicBloodPressure,
    /// Heart beats per minute.
    Pulse,
    /// Level of consciousness on the ACVPU scale.
    Consciousness,
    /// Body temperature in degrees Celsius.
    Temperature,
}

impl Parameter {
    /// All seven, in the order of the chart.
    pub const ALL: [Self; 7] = [
        Self::Respiration,
        Self::OxygenSaturation,
        Self::Oxygen,
        Self::SystolicBloodPressure,
        Self::Pulse,
        Self::Consciousness,
        Self::Temperature,
    ];

    /// A name that never changes: for addresses, translation files and stored settings.
    pub fn key(self) -> &'static str {
        match self {
            Self::Respiration => "respiration",
            Self::OxygenSaturation => "oxygen-saturation",
            Self::Oxygen => "oxygen",
            Self::SystolicBloodPressure => "systolic-blood-pressure",
            Self::Pulse => "pulse",
            Self::Consciousness => "consciousness",
            Self::Temperature => "temperature",
        }
    }

    /// The parameter with this [`Parameter::key`].
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|parameter| parameter.key() == key)
    }

    /// The UCUM unit that values are kept in; `None` for the two that are not numbers.
    pub fn unit(self) -> Option<&'static str> {
        match self {
            Self::Respiration | Self::Pulse => Some("/min"),
            Self::OxygenSaturation => Some("%"),
            Self::SystolicBloodPressure => Some("mm[Hg]"),
            Self::Temperature => Some("Cel"),
            Self::Oxygen | Self::Consciousness => None,
        }
    }

    /// Decimals printed in the scoring table: one for temperature, otherwise none.
    pub fn decimals(self) -> usize {
        usize::from(self == Self::Temperature)
    }
}

/// Level of consciousness: alert, new confusion, responds to voice, responds to pain, unresponsive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Consciousness {
    /// A: fully awake.
    Alert,
    /// C: confusion that is new or worse. Long-standing confusion is not C.
    Confusion,
    /// V: responds to voice.
    Voice,
    /// P: responds to pain.
    Pain,
    /// U: does not respond.
    Unresponsive,
}

impl Consciousness {
    /// All five, from best to worst.
    pub const ALL: [Self; 5] =
        [Self::Alert, Self::Confusion, Self::Voice, Self::Pain, Self::Unresponsive];

    /// The letter on the chart.
    pub fn letter(self) -> char {
        match self {
            Self::Alert => 'A',
            Self::Confusion => 'C',
            Self::Voice => 'V',
            Self::Pain => 'P',
            Self::Unresponsive => 'U',
        }
    }

    /// Reads the display text of an answer, for systems that send a local code.
    ///
    /// Only whole phrases are known, whatever their case: a search for words would read
    /// "ikke våken" as awake. An unknown text is `None`, never a guess.
    pub fn from_text(text: &str) -> Option<Self> {
        match text.trim().trim_end_matches('.').to_lowercase().as_str() {
            "a" | "våken" | "våken og orientert" | "helt våken" | "klar og orientert" | "alert" => {
                Some(Self::Alert)
            }
            "c"
            | "forvirret"
            | "nyoppstått forvirring"
            | "nyoppstått forvirret"
            | "akutt forvirring"
            | "akutt forvirret"
            | "confusion"
            | "new confusion"
            | "acute confusion" => Some(Self::Confusion),
            "v"
            | "tiltale"
            | "reagerer på tiltale"
            | "reagerer på stemme"
            | "voice"
            | "responds to voice" => Some(Self::Voice),
            "p"
            | "smerte"
            | "reagerer på smerte"
            | "reagerer på smertestimulering"
            | "pain"
            | "responds to pain" => Some(Self::Pain),
            "u" | "reagerer ikke" | "ikke kontaktbar" | "bevisstløs" | "unresponsive" => {
                Some(Self::Unresponsive)
            }
            _ => None,
        }
    }
}

/// What the patient breathes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Supply {
    /// Room air.
    Air,
    /// Any supplemental oxygen.
    Oxygen,
}

/// Which of the two saturation scales applies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SpO2Scale {
    /// The scale for everybody else.
    #[default]
    One,
    /// For hypercapnic respiratory failure, target 88–92 %: only on a clinician's decision.
    Two,
}

/// One measured value together with what it measures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// Breaths per minute.
    Respiration(f64),
    /// Per cent.
    OxygenSaturation(f64),
    /// Air or oxygen.
    Oxygen(Supply),
    /// mmHg.
    SystolicBloodPressure(f64),
    /// Beats per minute.
    Pulse(f64),
    /// ACVPU.
    Consciousness(Consciousness),
    /// Degrees Celsius.
    Temperature(f64),
}

impl Value {
    /// A numeric value in the unit of [`Parameter::unit`]; `None` for the two that are no numbers.
    pub fn from_number(parameter: Parameter, number: f64) -> Option<Self> {
        match parameter {
            Parameter::Respiration => Some(Self::Respiration(number)),
            Parameter::OxygenSaturation => Some(Self::OxygenSaturation(number)),
            Parameter::SystolicBloodPressure => Some(Self::SystolicBloodPressure(number)),
            Parameter::Pulse => Some(Self::Pulse(number)),
            Parameter::Temperature => Some(Self::Temperature(number)),
            Parameter::Oxygen | Parameter::Consciousness => None,
        }
    }

    /// What the value measures.
    pub fn parameter(self) -> Parameter {
        match self {
            Self::Respiration(_) => Parameter::Respiration,
            Self::OxygenSaturation(_) => Parameter::OxygenSaturation,
            Self::Oxygen(_) => Parameter::Oxygen,
            Self::SystolicBloodPressure(_) => Parameter::SystolicBloodPressure,
            Self::Pulse(_) => Parameter::Pulse,
            Self::Consciousness(_) => Parameter::Consciousness,
            Self::Temperature(_) => Parameter::Temperature,
        }
    }

    /// The number, for the five parameters that are numbers.
    pub fn number(self) -> Option<f64> {
        match self {
            Self::Respiration(number)
            | Self::OxygenSaturation(number)
            | Self::SystolicBloodPressure(number)
            | Self::Pulse(number)
            | Self::Temperature(number) => Some(number),
            Self::Oxygen(_) | Self::Consciousness(_) => None,
        }
    }
}

/// One `T` for each parameter.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByParameter<T> {
    /// For [`Parameter::Respiration`].
    pub respiration: T,
    /// For [`Parameter::OxygenSaturation`].
    pub oxygen_saturation: T,
    /// For [`Parameter::Oxygen`].
    pub oxygen: T,
    /// For [`Parameter::SystolicBloodPressure`].
    pub systolic_blood_pressure: T,
    /// For [`Parameter::Pulse`].
    pub pulse: T,
    /// For [`Parameter::Consciousness`].
    pub consciousness: T,
    /// For [`Parameter::Temperature`].
    pub temperature: T,
}

impl<T> ByParameter<T> {
    /// Makes one for each parameter, in the order of the chart.
    pub fn from_fn(mut make: impl FnMut(Parameter) -> T) -> Self {
        Self {
            respiration: make(Parameter::Respiration),
            oxygen_saturation: make(Parameter::OxygenSaturation),
            oxygen: make(Parameter::Oxygen),
            systolic_blood_pressure: make(Parameter::SystolicBloodPressure),
            pulse: make(Parameter::Pulse),
            consciousness: make(Parameter::Consciousness),
            temperature: make(Parameter::Temperature),
        }
    }

    /// The one of this parameter.
    pub fn get(&self, parameter: Parameter) -> &T {
        match parameter {
            Parameter::Respiration => &self.respiration,
            Parameter::OxygenSaturation => &self.oxygen_saturation,
            Parameter::Oxygen => &self.oxygen,
            Parameter::SystolicBloodPressure => &self.systolic_blood_pressure,
            Parameter::Pulse => &self.pulse,
            Parameter::Consciousness => &self.consciousness,
            Parameter::Temperature => &self.temperature,
        }
    }

    /// The one of this parameter, to be changed.
    pub fn get_mut(&mut self, parameter: Parameter) -> &mut T {
        match parameter {
            Parameter::Respiration => &mut self.respiration,
            Parameter::OxygenSaturation => &mut self.oxygen_saturation,
            Parameter::Oxygen => &mut self.oxygen,
            Parameter::SystolicBloodPressure => &mut self.systolic_blood_pressure,
            Parameter::Pulse => &mut self.pulse,
            Parameter::Consciousness => &mut self.consciousness,
            Parameter::Temperature => &mut self.temperature,
        }
    }

    /// Each parameter with its own, in the order of the chart.
    pub fn iter(&self) -> impl Iterator<Item = (Parameter, &T)> {
        Parameter::ALL.into_iter().map(|parameter| (parameter, self.get(parameter)))
    }
}
