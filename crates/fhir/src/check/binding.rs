//! Values and the value sets they are bound to.

use super::item::Item;
use super::structure::Checker;
use crate::definitions::Binding;
use crate::issue::{Issue, IssueCode, Severity};
use crate::value::Value;

impl<'a> Checker<'a, '_> {
    /// Asks whether a value is of its value set. What is not known passes.
    pub(super) fn binding(&mut self, binding: &Binding, item: Item<'a>) {
        if self.is_in(binding, item) != Some(false) {
            return;
        }
        let name = binding.value_set.rsplit('/').next().unwrap_or_default();
        let (severity, message) = match binding.required {
            true => (Severity::Error, format!("no code of `{name}`: use one of its codes")),
            false => {
                let message = format!("no code of `{name}`: use one of its codes if one fits");
                (Severity::Warning, message)
            }
        };
        let location = self.location();
        let code = IssueCode::CodeInvalid;
        self.push(Issue { severity, ..Issue::error(code, location, message) });
    }

    /// Whether a value is of a value set; nothing where that is not known.
    pub(super) fn is_in(&self, binding: &Binding, item: Item) -> Option<bool> {
        let set = &*binding.value_set;
        let contains = |system: Option<&str>, code: &str| {
            self.validator.terminology.contains(set, system, code)
        };
        let coding = |coding: &Value| contains(coding.text("system"), coding.text("code")?);
        match item.kind {
            "CodeableConcept" => {
                let answers: Vec<Option<bool>> =
                    item.value.items("coding").iter().map(coding).collect();
                if answers.contains(&Some(true)) {
                    return Some(true);
                }
                if answers.is_empty() || answers.contains(&None) {
                    return None;
                }
                Some(false)
            }
            "Coding" | "Quantity" | "Age" | "Duration" | "Count" | "Distance" => coding(item.value),
            _ => contains(None, item.value.as_str()?),
        }
    }
}
