//! What is told of keeping and erasing, as JSON. A person is known by the pseudonymous id.

use fhir::instant::format_instant;
use record::entry::Position;
use record::identity::PersonId;
use record::retention::{Due, Retention, Verdict};
use serde_json::{Value, json};

use super::fold::{Erased, ErasedRecord, Hold};
use crate::register::answer::act;

/// Persons whose time has run, each with the class, the clock and the date, and what the law says.
pub fn due(due: &[(PersonId, Verdict)], whole: bool) -> Value {
    let one = |(person, verdict): &(PersonId, Verdict)| {
        let (next, Due { class, clock, since }) = match verdict {
            Verdict::Depot(due) => ("hand-over", due),
            Verdict::Over(due) => ("propose-erasure", due),
            Verdict::Held | Verdict::Kept { .. } => return None,
        };
        let rule = Retention::get().and_then(|rules| rules.named(class));
        Some(json!({
            "person": person.to_string(),
            "next": next,
            "class": class,
            "title": rule.map(|rule| &rule.title),
            "law": rule.map(|rule| &rule.law),
            "clock": clock,
            "since": since.to_string(),
        }))
    };
    json!({ "due": due.iter().filter_map(one).collect::<Vec<_>>(), "whole": whole })
}

/// Erasures: that there was somebody, or some record, when it was, who decided and on what ground.
pub fn erasures(erased: &[Erased], records: &[ErasedRecord]) -> Value {
    let one = |it: &Erased| {
        json!({
            "person": it.person.to_string(),
            "at": format_instant(it.act.at),
            "version": it.act.position,
            "basis": it.basis,
            "proposedBy": it.proposed_by.name,
            "approvedBy": it.act.who.name,
        })
    };
    let record = |it: &ErasedRecord| {
        json!({
            "record": it.record,
            "person": it.person.to_string(),
            "at": format_instant(it.act.at),
            "version": it.act.position,
            "basis": it.basis,
            "request": it.request,
            "proposedBy": it.proposed_by.name,
            "approvedBy": it.act.who.name,
        })
    };
    json!({
        "erasures": erased.iter().map(one).collect::<Vec<_>>(),
        "records": records.iter().map(record).collect::<Vec<_>>(),
    })
}

/// Holds.
pub fn holds(holds: &[(Position, Hold)]) -> Value {
    let one = |(id, it): &(Position, Hold)| {
        json!({
            "id": id,
            "person": it.person.to_string(),
            "held": act(&it.act),
            "lifted": it.lifted.as_ref().map(|by| act(by)),
        })
    };
    json!({ "holds": holds.iter().map(one).collect::<Vec<_>>() })
}
