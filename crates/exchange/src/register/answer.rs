//! What is told of the register and its decisions, as JSON.

use access::explain::{self, Explanation, PolicyReason, What};
use access::policy::Origin;
use access::refusal::Rule;
use fhir::instant::format_instant;
use record::catalogue::CategoryKey;
use record::decision::{Change, Part, Who};
use record::entry::Position;
use serde_json::{Map, Value, json};

use super::admin::Told;
use super::change::Done;
use super::fold::{Act, Folded, Opened, Proposal};
use super::what_if::{Affected, Outlook};

/// What holds now, part by part, each member with who, when and why.
pub fn register(folded: &Folded) -> Value {
    let mut parts = Map::new();
    for part in Part::ALL {
        parts.insert(part.name().to_owned(), Value::Array(Vec::new()));
    }
    for ((part, key), member) in &folded.members {
        let told = json!({ "key": key, "value": member.value, "decided": act(&member.act) });
        if let Some(Value::Array(members)) = parts.get_mut(part.name()) {
            members.push(told);
        }
    }
    json!({ "version": folded.version, "parts": parts })
}

/// Decisions, the newest first.
pub fn history(told: &[Told]) -> Value {
    let one = |it: &Told| json!({ "decided": act(&it.act), "change": it.change });
    json!({ "decisions": told.iter().map(one).collect::<Vec<_>>() })
}

/// What became of a change.
pub fn done(done: Done) -> Value {
    match done {
        Done::Already(version) => json!({ "outcome": "unchanged", "version": version }),
        Done::Decided(version) => json!({ "outcome": "decided", "version": version }),
        Done::Proposed(proposal) => json!({ "outcome": "proposed", "proposal": proposal }),
    }
}

/// Questions to a second person.
pub fn proposals(proposals: &[(Position, Proposal)], now: i64) -> Value {
    let one = |(position, it): &(Position, Proposal)| {
        json!({
            "id": position,
            "change": it.change,
            "person": it.person.map(|person| person.to_string()),
            "proposed": act(&it.act),
            "expires": format_instant(it.expires),
            "state": state(it, now),
            "answered": it.answered.as_ref().map(|(_, by)| act(by)),
        })
    };
    json!({ "proposals": proposals.iter().map(one).collect::<Vec<_>>() })
}

/// How far a question to a second person is.
pub fn state(proposal: &Proposal, now: i64) -> &'static str {
    match proposal.answered {
        Some((true, _)) => "approved",
        Some((false, _)) => "rejected",
        None if proposal.waits(now) => "waits",
        None => "lapsed",
    }
}

/// Emergency accesses. A person is known by the pseudonymous id.
pub fn emergencies(opened: &[Opened]) -> Value {
    let one = |it: &Opened| {
        json!({
            "id": it.opening.id,
            "person": it.person.to_string(),
            "opened": act(&it.act),
            "from": format_instant(it.opening.from),
            "to": format_instant(it.opening.to),
            "outcome": it.reviewed.as_ref().map(|(outcome, _)| outcome),
            "reviewed": it.reviewed.as_ref().map(|(_, by)| act(by)),
        })
    };
    json!({ "emergencies": opened.iter().map(one).collect::<Vec<_>>() })
}

/// What a change would do.
pub fn outlook(outlook: &Outlook) -> Value {
    let one = |it: &Affected| {
        json!({
            "who": {
                "name": it.who.name,
                "client": it.who.client,
                "hpr": it.who.hpr,
                "authorization": it.who.authorization,
                "organisation": it.who.organisation,
                "unit": it.who.unit,
                "purpose": it.who.purpose,
            },
            "persons": it.persons,
            "gains": it.gains,
            "loses": it.loses,
        })
    };
    json!({
        "differences": outlook.differences.iter().map(one).collect::<Vec<_>>(),
        "questions": outlook.questions,
        "whole": outlook.whole,
        "secondPerson": outlook.second,
    })
}

/// Why somebody may or may not.
pub fn explanation(told: &Explanation) -> Value {
    let category = |(key, rule): &(CategoryKey, Option<Rule>)| {
        let (code, says) = (rule.map(Rule::code), rule.map(Rule::explanation));
        json!({ "category": key, "open": rule.is_none(), "rule": code, "says": says })
    };
    let policy = |it: &PolicyReason| {
        json!({
            "origin": match it.origin {
                Origin::Law => "law",
                Origin::Role => "role",
                Origin::Municipality => "municipality",
            },
            "key": it.key,
            "title": it.title,
            "forbids": it.forbids,
            "held": it.held,
        })
    };
    let change = |it: &explain::Change| json!({ "what": what(&it.what), "opens": it.opens, "withholdsLess": it.withholds_less });
    let refusal = told.decision.as_ref().err();
    json!({
        "open": told.decision.as_ref().ok(),
        "rule": refusal.map(|it| it.rule.code()),
        "says": refusal.map(|it| it.rule.explanation()),
        "wayOn": refusal.map(|it| it.rule.way_on()),
        "categories": told.categories.iter().map(category).collect::<Vec<_>>(),
        "policies": told.policies.iter().map(policy).collect::<Vec<_>>(),
        "restrictions": told
            .restrictions
            .iter()
            .map(|it| json!({ "id": it.id, "held": it.held }))
            .collect::<Vec<_>>(),
        "changes": told.changes.iter().map(change).collect::<Vec<_>>(),
    })
}

fn what(what: &What) -> Value {
    match what {
        What::Purpose(code) => json!({ "purpose": code }),
        What::FreshAttest => json!("fresh-attest"),
        What::Unit(number) => json!({ "unit": number }),
        What::Profession(code) => json!({ "profession": code }),
        What::Emergency(code) => json!({ "emergency": code }),
        What::Without(id) => json!({ "withoutRestriction": id }),
        What::SwitchedOn(off) => json!({ "resumed": off }),
        What::Assessed(of) => json!({ "assessed": of }),
        What::WithoutPolicy(key) => json!({ "withoutPolicy": key }),
        What::Sharing { unit_kind } => json!({ "sharing": unit_kind }),
    }
}

/// Who decided something, when and why.
pub(crate) fn act(act: &Act) -> Value {
    json!({
        "version": act.position,
        "at": format_instant(act.at),
        "by": by(&act.who),
        "why": act.why,
    })
}

fn by(who: &Who) -> Value {
    json!({ "name": who.name, "client": who.client })
}

/// The parts and keys that a change is about, for a line of a page.
pub fn places(change: &Change) -> Vec<(Part, &str)> {
    match change {
        Change::Put { part, key, .. } | Change::End { part, key } => vec![(*part, key)],
        Change::Several { changes, .. } => changes.iter().flat_map(places).collect(),
        Change::Propose { change, .. } => places(change),
        _ => Vec::new(),
    }
}
