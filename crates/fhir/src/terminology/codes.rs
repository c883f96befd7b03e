//! The codes of a value set, worked out once: a list, an index to ask it by, and what is not known.
//!
//! Invariant: a code is listed once for each system. A code that is listed is in the set for certain;
//! one that is not listed is outside for certain unless a gap covers its system.

use super::Text;
use std::collections::HashMap;

/// The codes of a value set.
#[derive(Debug, Default)]
pub struct Codes {
    members: Vec<Member>,
    by_code: HashMap<Text, Vec<usize>>,
    /// Where case does not matter: the codes in small letters.
    folded: HashMap<String, Vec<usize>>,
    pub(super) gaps: Vec<Gap>,
}

/// A code in a value set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The code system.
    pub system: Text,
    /// The code.
    pub code: Text,
    /// What to show for it; empty where that is not known.
    pub display: Text,
    /// Whether the code is out of use.
    pub inactive: bool,
    /// Whether its system holds `A` and `a` for two codes.
    pub case_sensitive: bool,
}

/// A system of which a value set may hold codes that are not listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    /// Empty for any system.
    pub system: Text,
    /// Where in the set's definition, such as `ValueSet.compose.include[1]`.
    pub place: String,
    pub reason: Reason,
}

/// Why there is a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// Only a part of the code system is published. What is there can be shown.
    Fragment,
    /// The code system, or the version asked for, is not here.
    System,
    /// The value set that is drawn on is not here, or is being worked out itself.
    Set,
    /// The filter cannot be evaluated.
    Filter,
    /// Too much to work out.
    Size,
}

/// So many gaps are kept apart.
const MOST_GAPS: usize = 32;

impl Gap {
    pub(super) fn covers(&self, system: &str) -> bool {
        self.system.is_empty() || self.system == system
    }
}

impl Codes {
    /// Whether the code is in the set; nothing where that cannot be known here. Without a system, as
    /// in an element of type `code`, the code of any system counts.
    pub fn contains(&self, system: Option<&str>, code: &str) -> Option<bool> {
        if self.member(system, code).is_some() {
            return Some(true);
        }
        let open = self.gaps.iter().any(|gap| system.is_none_or(|system| gap.covers(system)));
        if open { None } else { Some(false) }
    }

    /// The code as it is listed; the first of any system if none is named.
    pub fn member(&self, system: Option<&str>, code: &str) -> Option<&Member> {
        let exact = self.by_code.get(code).into_iter().flatten();
        let mut exact = exact.filter_map(|index| self.members.get(*index));
        let is_asked = |member: &&Member| system.is_none_or(|system| member.system == system);
        if let Some(found) = exact.find(is_asked) {
            return Some(found);
        }
        if self.folded.is_empty() {
            return None;
        }
        let folded = self.folded.get(&code.to_lowercase()).into_iter().flatten();
        folded.filter_map(|index| self.members.get(*index)).find(is_asked)
    }

    /// The codes in order.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Whether there are no other codes than those listed, as far as they are published.
    pub fn is_whole(&self) -> bool {
        self.gap().is_none()
    }

    /// The first thing that hides codes.
    pub(super) fn gap(&self) -> Option<&Gap> {
        self.gaps.iter().find(|gap| gap.reason != Reason::Fragment)
    }

    /// Adds a code unless it is there.
    pub(super) fn add(&mut self, member: Member) {
        let places = self.by_code.entry(member.code.clone()).or_default();
        let known = |index: &usize| {
            self.members.get(*index).is_some_and(|known| known.system == member.system)
        };
        if !places.iter().any(known) {
            places.push(self.members.len());
            if !member.case_sensitive {
                let folded = self.folded.entry(member.code.to_lowercase()).or_default();
                folded.push(self.members.len());
            }
            self.members.push(member);
        }
    }

    /// Adds a gap. Where there are too many to keep apart, it becomes one of any system.
    pub(super) fn gap_in(&mut self, system: &str, place: &str, reason: Reason) {
        self.add_gap(Gap {
            system: Text::Owned(system.to_owned()),
            place: place.to_owned(),
            reason,
        });
    }

    fn add_gap(&mut self, gap: Gap) {
        let full = self.gaps.len() >= MOST_GAPS;
        let system = if full { Text::Borrowed("") } else { gap.system };
        let same = |known: &Gap| known.system == system && known.reason == gap.reason;
        if !self.gaps.iter().any(same) {
            self.gaps.push(Gap { system, ..gap });
        }
    }

    /// Adds all of another set.
    pub(super) fn unite(&mut self, other: Codes) {
        for member in other.members {
            self.add(member);
        }
        for gap in other.gaps {
            self.add_gap(gap);
        }
    }

    /// Keeps what is certainly in the other set too. A code that may be in it becomes a gap.
    pub(super) fn intersect(&mut self, other: &Codes, place: &str) {
        self.keep(place, |member| other.contains(Some(&member.system), &member.code));
        // Codes that this set may hold are only in both if the other may hold any of their system.
        let possible = |gap: &Gap| {
            let listed = other.members.iter().any(|member| gap.covers(&member.system));
            listed || other.gaps.iter().any(|it| it.covers(&gap.system) || gap.system.is_empty())
        };
        self.gaps.retain(possible);
    }

    /// Takes out what is certainly in the other set. A code that may be in it becomes a gap.
    pub(super) fn subtract(&mut self, other: &Codes, place: &str) {
        self.keep(place, |member| Some(!other.contains(Some(&member.system), &member.code)?));
    }

    /// Takes out the codes that are out of use.
    pub(super) fn keep_active(&mut self) {
        self.keep("", |member| Some(!member.inactive));
    }

    /// Keeps the members for which `stays` says so; those for which it does not know become gaps.
    fn keep(&mut self, place: &str, stays: impl Fn(&Member) -> Option<bool>) {
        let before = std::mem::take(self);
        self.gaps = before.gaps;
        for member in before.members {
            match stays(&member) {
                Some(true) => self.add(member),
                Some(false) => {}
                None => self.gap_in(&member.system, place, Reason::Set),
            }
        }
    }
}
