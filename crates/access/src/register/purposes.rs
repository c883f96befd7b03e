//! The municipality's register of purposes: why information is used, on what legal basis, and since
//! when. A use whose purpose is not in force is refused.

use record::purpose::Purpose;
use serde::{Deserialize, Serialize};

/// One purpose. In a file, a bare code such as `"TREAT"` is short for a purpose of that code with
/// nothing else said: in use for everything, since ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Use {
    /// Key, such as `P1`.
    pub key: String,
    /// Codes of purpose of use that it lets a caller state.
    pub codes: Vec<String>,
    /// What the resident is told it is.
    pub text: String,
    /// Legal basis.
    pub basis: String,
    /// Between whom.
    pub between: Between,
    /// Keys of the categories it covers; empty means all.
    pub categories: Vec<String>,
    /// In use from here, milliseconds since 1970; absent means that it is not in use.
    pub active_from: Option<i64>,
    /// In use until here; absent means until further notice.
    pub active_to: Option<i64>,
}

/// Between whom information goes for a purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Between {
    /// Anybody.
    #[default]
    Anybody,
    /// People of one enterprise.
    OneEnterprise,
    /// Different enterprises.
    Enterprises,
}

/// As files have it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Code(String),
    Whole(Whole),
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    key: String,
    codes: Vec<String>,
    text: String,
    basis: String,
    #[serde(default)]
    between: Between,
    #[serde(default)]
    categories: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    active_from: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    active_to: Option<i64>,
}

impl From<&str> for Use {
    fn from(code: &str) -> Self {
        Self {
            key: code.to_owned(),
            codes: vec![code.to_owned()],
            text: String::new(),
            basis: String::new(),
            between: Between::Anybody,
            categories: Vec::new(),
            active_from: Some(i64::MIN),
            active_to: None,
        }
    }
}

impl From<Purpose> for Use {
    fn from(purpose: Purpose) -> Self {
        Self::from(purpose.code())
    }
}

impl From<Written> for Use {
    fn from(written: Written) -> Self {
        match written {
            Written::Code(code) => Self::from(code.as_str()),
            Written::Whole(it) => Self {
                key: it.key,
                codes: it.codes,
                text: it.text,
                basis: it.basis,
                between: it.between,
                categories: it.categories,
                active_from: it.active_from,
                active_to: it.active_to,
            },
        }
    }
}

impl From<Use> for Written {
    fn from(it: Use) -> Self {
        if it == Use::from(it.key.as_str()) {
            return Written::Code(it.key);
        }
        Written::Whole(Whole {
            key: it.key,
            codes: it.codes,
            text: it.text,
            basis: it.basis,
            between: it.between,
            categories: it.categories,
            active_from: it.active_from,
            active_to: it.active_to,
        })
    }
}

/// A row of [`STANDARD`]: key, codes, between whom, what the resident is told, law.
type Row = (&'static str, &'static [&'static str], Between, &'static str, &'static str);

/// The purposes that the steering document lists, P1 to P9 (its DPIA, chapter 2).
const STANDARD: [Row; 9] = [
    (
        "P1",
        &["TREAT", "ETREAT", "BTG", "PATRQT", "HOPERAT"],
        Between::OneEnterprise,
        "Gi, administrere og kvalitetssikre helsehjelp, og dokumentere den.",
        "helsepersonelloven §§ 4, 39 og 40; pasientjournalloven §§ 1–3",
    ),
    (
        "P2",
        &["TREAT", "COC"],
        Between::OneEnterprise,
        "Samarbeid om deg mellom ansatte i samme virksomhet.",
        "pasientjournalloven §§ 19 og 25",
    ),
    (
        "P3",
        &["TREAT", "ETREAT", "BTG", "COC"],
        Between::Enterprises,
        "Samarbeid om deg mellom ulike virksomheter.",
        "pasientjournalloven § 19",
    ),
    (
        "P4",
        &["COC"],
        Between::Anybody,
        "Behandle og svare på søknader om helsetjenester.",
        "pasientjournalloven §§ 11 og 20",
    ),
    (
        "P5",
        &["TREAT"],
        Between::Anybody,
        "Gjøre opplysninger tilgjengelige for personell med tjenstlig behov.",
        "helsepersonelloven § 45; pasientjournalloven §§ 19 og 20",
    ),
    ("P6", &[], Between::Anybody, "Organisere timer og oppdrag.", ""),
    ("P7", &[], Between::Anybody, "Beregne riktig egenandel.", ""),
    (
        "P8",
        &[],
        Between::Anybody,
        "Rapportere til kommunalt pasient- og brukerregister.",
        "pasientjournalloven § 20; helseregisterloven § 11",
    ),
    (
        "P9",
        &[],
        Between::Anybody,
        "Forskning uten samtykke.",
        "helsepersonelloven § 37; pasientjournalloven § 20",
    ),
];

/// What each rests on beside a law.
const REGULATION: &str = "personvernforordningen artikkel 6 (1) c og 9 (2) h";

/// The purposes of the steering document. Only the first three are in use from the start; the others
/// have no beginning until the municipality decides one.
pub fn standard(active_from: i64) -> Vec<Use> {
    let used = |(i, (key, codes, between, text, law)): (usize, Row)| Use {
        key: key.to_owned(),
        codes: codes.iter().map(|code| (*code).to_owned()).collect(),
        text: text.to_owned(),
        basis: if law.is_empty() { REGULATION.to_owned() } else { format!("{law}; {REGULATION}") },
        between,
        categories: Vec::new(),
        active_from: (i < 3).then_some(active_from),
        active_to: None,
    };
    STANDARD.into_iter().enumerate().map(used).collect()
}

impl Use {
    /// Whether it is in use now.
    pub fn is_active(&self, now: i64) -> bool {
        self.active_from.is_some_and(|from| from <= now)
            && self.active_to.is_none_or(|end| now < end)
    }

    /// Whether a caller of the same (or another) enterprise may state this purpose by it.
    pub fn lets_state(&self, purpose: Purpose, same_enterprise: bool) -> bool {
        let between = match self.between {
            Between::Anybody => true,
            Between::OneEnterprise => same_enterprise,
            Between::Enterprises => !same_enterprise,
        };
        between && self.codes.iter().any(|code| code == purpose.code())
    }

    /// Whether it covers a category.
    pub fn covers(&self, category: &str) -> bool {
        self.categories.is_empty() || self.categories.iter().any(|covered| covered == category)
    }
}
