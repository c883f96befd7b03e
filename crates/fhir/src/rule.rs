//! A rule between elements ("invariant", "constraint"): FHIRPath that shall be true.

use crate::fhirpath::Expression;
use std::sync::OnceLock;

/// One rule. Its expression is compiled on first use.
#[derive(Debug)]
pub struct Rule {
    key: Box<str>,
    refuses: bool,
    text: Box<str>,
    compiled: OnceLock<Option<Expression>>,
}

impl Rule {
    /// A rule by its key, such as `obs-6`, whether a breach refuses or only warns, and its FHIRPath.
    pub(crate) fn new(key: &str, refuses: bool, text: &str) -> Rule {
        Rule { key: key.into(), refuses, text: text.into(), compiled: OnceLock::new() }
    }

    /// The key, such as `obs-6`.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether a breach refuses; it warns otherwise.
    pub fn refuses(&self) -> bool {
        self.refuses
    }

    /// The expression as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The expression; nothing if it is no FHIRPath.
    pub fn expression(&self) -> Option<&Expression> {
        self.compiled.get_or_init(|| Expression::parse(&self.text).ok()).as_ref()
    }
}
