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
