//! What is told of findings and accesses, as JSON.

use access::vigilance::finding::Finding;
use fhir::instant::format_instant;
use serde_json::{Value, json};

use super::list::Listed;
use super::review::Reviewed;
use crate::register::fold::Act;

/// A work list.
pub fn list(listed: &[Listed]) -> Value {
    let one = |it: &Listed| {
        let mut told = finding(&it.finding);
        if let Some(told) = told.as_object_mut() {
            told.insert("unitName".to_owned(), json!(it.unit));
            told.insert("outcome".to_owned(), json!(it.outcome().key()));
            told.insert("concluded".to_owned(), json!(it.settled.as_ref().map(|it| act(&it.act))));
        }
        told
    };
    json!({ "findings": listed.iter().map(one).collect::<Vec<_>>() })
}

/// A finding.
pub fn finding(finding: &Finding) -> Value {
    let signs = finding.signs.iter().map(|sign| {
        let rule = sign.of.rule();
        json!({
            "rule": rule.code(),
            "title": rule.title(),
            "points": sign.points,
            "explanation": sign.of.sentence(),
        })
    });
    json!({
        "id": finding.id(),
        "day": finding.day.to_string(),
        "score": finding.score(),
        "heading": finding.heading(),
        "who": finding.who,
        "name": finding.name,
        "role": finding.role,
        "unit": finding.unit,
        "person": finding.person.map(|person| person.to_string()),
        "signs": signs.collect::<Vec<_>>(),
        "looks": finding.looks,
        "lookCount": finding.count,
    })
}

/// Accesses to review.
pub fn accesses(reviewed: &[Reviewed]) -> Value {
    let one = |it: &Reviewed| {
        json!({
            "id": it.access.id.to_string(),
            "who": it.access.who,
            "name": it.access.name,
            "profession": it.access.profession,
            "unit": it.access.unit,
            "unitName": it.unit,
            "role": it.access.role,
            "roleName": it.role,
            "client": it.access.client,
            "firstUsed": it.access.first.to_string(),
            "lastUsed": it.access.last.to_string(),
            "looks": it.access.looks,
            "standing": it.standing.key(),
            "needed": it.certified.as_ref().map(|(needed, _)| needed),
            "certified": it.certified.as_ref().map(|(_, by)| act(by)),
        })
    };
    json!({ "accesses": reviewed.iter().map(one).collect::<Vec<_>>() })
}

fn act(act: &Act) -> Value {
    json!({
        "version": act.position,
        "at": format_instant(act.at),
        "by": { "name": act.who.name, "client": act.who.client },
        "why": act.why,
    })
}
