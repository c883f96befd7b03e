//! Whether a resource is what R4, and the profiles it follows, say.
//!
//! The base: known elements, JSON types, cardinalities, one type per choice, the form of primitive values,
//! required codes, the types that references may name, and R4's rules between elements, all driven by
//! [`crate::definitions`]. Beyond it, by [`Validator`]: extensions in their places, and profiles.
//!
//! Every issue names the place by JSON member names, such as `Observation.component[2].valueQuantity`, and
//! says what to do; none carries a value. One fault gives one issue: what stands below a wrong element is
//! not looked at, rules are asked only of what is built right, and profiles only of a resource without
//! faults. Rules that hold for every element (`ele-1`) are the structure itself; those that HL7 marks as
//! best practice are left out.

use crate::definitions;
use crate::issue::Issue;
use crate::profile::Profiles;
use crate::resource::Resource;

mod binding;
mod conform;
mod contained;
mod extension;
mod item;
mod place;
mod reference;
mod rules;
mod slicing;
mod structure;

/// More issues that refuse than this, or more that do not, help nobody; the rest is left out.
const MOST_ISSUES: usize = 100;

/// Checks a resource, and those within it, against the base definitions of R4, its rules included.
pub fn check(resource: &Resource) -> Vec<Issue> {
    let validator = Validator { profiles: Profiles::base(), terminology: &BaseCodes };
    let mut checker = structure::Checker::new(&validator, resource);
    checker.base_only();
    checker.resource_itself(resource);
    checker.into_issues()
}

/// Who knows which codes a value set holds.
pub trait Membership {
    /// Whether a value set, by canonical URL without version, holds a code of a system; of any system,
    /// where the element says none. Nothing where that is not known.
    fn contains(&self, value_set: &str, system: Option<&str>, code: &str) -> Option<bool>;
}

/// The value sets that R4 binds elements to as required, as far as it lists their codes.
#[derive(Clone, Copy, Debug)]
pub struct BaseCodes;

impl Membership for BaseCodes {
    fn contains(&self, value_set: &str, system: Option<&str>, code: &str) -> Option<bool> {
        let list = definitions::code_list(value_set)?;
        let of_system = match (list.system, system) {
            (Some(known), Some(system)) => known == system,
            // A list of several systems does not say which code is of which.
            _ => true,
        };
        Some(of_system && list.codes.binary_search(&code).is_ok())
    }
}

/// Checks resources against R4, a set of profiles and a terminology.
#[derive(Clone, Copy)]
pub struct Validator<'v> {
    /// The profiles and extensions that are known.
    pub profiles: &'v Profiles,
    /// The value sets that are known.
    pub terminology: &'v dyn Membership,
}

impl Validator<'_> {
    /// Checks a resource and those within it: the base, extensions, the profiles that each declares in
    /// `meta.profile`, and those demanded of the outer one, by canonical URL. A declared profile that is
    /// not known gives a warning, one that is demanded an error, an unknown extension an information.
    pub fn validate(&self, resource: &Resource, demanded: &[&str]) -> Vec<Issue> {
        let mut checker = structure::Checker::new(self, resource);
        checker.resource_itself(resource);
        if checker.refusals == 0 {
            checker.profiles(resource, demanded);
        }
        checker.into_issues()
    }
}
