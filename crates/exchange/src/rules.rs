//! Step 4 of the write flow, and `$validate`: the one room that knows the profiles and the codes.
//!
//! R4's own and the Norwegian ones, the same for every municipality, read on first use. A profile
//! that a door asks for is demanded as [`record::profile`] says: as an error, or as a warning that
//! is kept beside what was taken.

use std::cmp::Reverse;
use std::sync::LazyLock;

use fhir::check::{BaseCodes, Membership, Validator};
use fhir::issue::{Issue, Severity};
use fhir::json;
use fhir::profile::Profiles;
use fhir::resource::Resource;
use fhir::terminology::Terminology;
use fhir::value::Value;
use record::profile::{Strictness, demanded, structure_definitions};
use record::system;

use crate::submission::Channel;

/// Profiles and codes.
pub struct Rules {
    profiles: Profiles,
    /// R4's codes with the Norwegian ones.
    terminology: Option<Terminology>,
}

static RULES: LazyLock<Rules> = LazyLock::new(|| {
    // The files are part of the program and a test reads them all.
    let definitions = read(structure_definitions().iter().copied());
    let profiles = Profiles::base().extended(&definitions);
    let resources = read(record::terminology::resources().iter().map(String::as_str));
    Rules {
        profiles: profiles.unwrap_or_else(|_| Profiles::base().clone()),
        terminology: Terminology::base().extended(&resources).ok(),
    }
});

fn read<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<Value> {
    texts.filter_map(|text| json::parse(text.as_bytes()).ok()).collect()
}

/// The rules of the platform.
pub fn rules() -> &'static Rules {
    &RULES
}

impl Rules {
    /// The profiles and extensions that are known.
    pub fn profiles(&self) -> &Profiles {
        &self.profiles
    }

    /// The codes that are known.
    pub fn terminology(&self) -> &Terminology {
        self.terminology.as_ref().unwrap_or_else(|| Terminology::base())
    }

    /// Everything there is to say of a resource that comes through a door, the gravest first: R4's
    /// base, the profiles it declares, those that the door asks for, and those named here.
    pub fn judge(&self, resource: &Resource, channel: Channel, named: &[&str]) -> Vec<Issue> {
        let mut issues = self.issues(resource, channel, named);
        issues.sort_by_key(|issue| Reverse(issue.severity));
        issues
    }

    fn issues(&self, resource: &Resource, channel: Channel, named: &[&str]) -> Vec<Issue> {
        let codings: Vec<(&str, &str)> = resource
            .value()
            .all_at("code.coding")
            .into_iter()
            .filter_map(|coding| Some((coding.text("system")?, coding.text("code")?)))
            .collect();
        let asked = demanded(door(channel), resource.kind(), &codings);
        let of = |strictness: Strictness| {
            let asked = asked.iter().filter(move |it| it.strictness == strictness);
            asked.map(|it| it.profile.as_str())
        };
        let strict: Vec<&str> = named.iter().copied().chain(of(Strictness::Error)).collect();
        let all: Vec<&str> = strict.iter().copied().chain(of(Strictness::Warning)).collect();
        let validator = Validator { profiles: &self.profiles, terminology: self };
        let issues = validator.validate(resource, &all);
        if all.len() == strict.len() || !issues.iter().any(Issue::refuses) {
            return issues;
        }
        // Something refuses: what only the lenient demands say is a warning.
        let firm = validator.validate(resource, &strict);
        let soften = |issue: Issue| match issue.refuses() && !firm.contains(&issue) {
            true => Issue { severity: Severity::Warning, ..issue },
            false => issue,
        };
        let mut softened: Vec<Issue> = issues.into_iter().map(soften).collect();
        let unsaid: Vec<Issue> =
            firm.iter().filter(|issue| !softened.contains(issue)).cloned().collect();
        softened.extend(unsaid);
        softened
    }
}

impl Membership for Rules {
    /// As written, or else in the spelling that the platform compares by.
    fn contains(&self, value_set: &str, system: Option<&str>, code: &str) -> Option<bool> {
        let ask = |system: Option<&str>, code: &str| {
            let known = self.terminology().contains(value_set, system, code);
            known.or_else(|| BaseCodes.contains(value_set, system, code))
        };
        let written = ask(system, code);
        match (written, system.and_then(|system| respelled(system, code))) {
            (Some(true), _) | (_, None) => written,
            (_, Some((system, code))) => ask(Some(&system), &code).or(written),
        }
    }
}

/// Another spelling of the same code, where the one written is not the one to compare by.
pub(crate) fn respelled(system: &str, code: &str) -> Option<(String, String)> {
    let canonical = system::canonical(system);
    let other = system::canonical_code(&canonical, code);
    (canonical != system || other != code).then(|| (canonical.to_string(), other.to_owned()))
}

/// The key of a door in [`record::profile`]. What is imported is judged like what comes one by one.
fn door(channel: Channel) -> &'static str {
    match channel {
        Channel::Fhir | Channel::Import | Channel::Rights => "fhir",
        Channel::Okt => "okt",
        Channel::Pmd => "pmd",
        Channel::Events => "events",
    }
}
