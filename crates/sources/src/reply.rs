//! Reading what a source replied: a searchset, or one of the ways in which it says no.

use fhir::check::check;
use fhir::json;
use fhir::resource::Resource;
use fhir::value::Value;
use record::system;

use crate::answer::{Found, Why};
use crate::carrier::Reply;
use crate::shape::Ask;

/// Most resources taken out of one reply; what is beyond is told as more.
const MOST: usize = 1_000;

/// Codes by which Pasientens prøvesvar says that the person withholds (`nilar/CodeSystem/pvk-outcome-cs`).
const WITHHELD: [&str; 3] = ["Specific", "General", "Reservation"];

/// What a source told about the person with this number.
pub fn read(reply: &Reply, ask: &Ask, number: &str, at: i64) -> Result<Found, Why> {
    let body = json::parse(&reply.body);
    let outcome = body.as_ref().ok().filter(|it| kind(it) == Some("OperationOutcome"));
    if outcome.is_some_and(is_withheld) {
        return Err(Why::Withheld);
    }
    match reply.status {
        200..=299 => {}
        // An empty result may come as an OperationOutcome (NILAR: code `not-found`).
        404 if outcome.is_some_and(is_not_found) => return Ok(Found { at, ..Found::default() }),
        401 | 403 => return Err(Why::Refused(reply.status)),
        status => return Err(Why::Failed(status)),
    }
    let bundle = body.map_err(|_| Why::Garbled)?;
    if outcome_in(&bundle) {
        return Ok(Found { at, ..Found::default() });
    }
    if kind(&bundle) != Some("Bundle") || bundle.text("type") != Some("searchset") {
        return Err(Why::Garbled);
    }
    let mut found = Found { at, has_more: has_next(&bundle), ..Found::default() };
    for entry in bundle.items("entry") {
        let Some(value) = entry.get("resource") else { continue };
        if kind(value) == Some("OperationOutcome") {
            if is_withheld(value) {
                return Err(Why::Withheld);
            }
            continue;
        }
        if is_of_another(value, number) {
            return Err(Why::WrongPerson);
        }
        if found.items.len() == MOST {
            found.has_more = true;
            break;
        }
        match usable(value, ask) {
            Some(value) => found.items.push(value),
            None => found.unusable += 1,
        }
    }
    Ok(found)
}

fn kind(value: &Value) -> Option<&str> {
    value.text("resourceType")
}

/// The resource as it was sent, where it is of a type asked for and allowed by R4.
fn usable(value: &Value, ask: &Ask) -> Option<Value> {
    if !ask.types.iter().any(|it| kind(value) == Some(it)) {
        return None;
    }
    let resource = Resource::from_value(value.clone()).ok()?;
    let refused = check(&resource).iter().any(fhir::issue::Issue::refuses);
    (!refused).then(|| resource.into_value())
}

/// An answer that says in words that there is nothing.
fn outcome_in(value: &Value) -> bool {
    kind(value) == Some("OperationOutcome") && is_not_found(value)
}

fn is_not_found(outcome: &Value) -> bool {
    outcome.items("issue").iter().any(|issue| issue.text("code") == Some("not-found"))
}

fn is_withheld(outcome: &Value) -> bool {
    let codings = outcome.all_at("issue.details.coding");
    codings.iter().any(|coding| coding.text("code").is_some_and(|code| WITHHELD.contains(&code)))
}

fn has_next(bundle: &Value) -> bool {
    bundle.items("link").iter().any(|link| link.text("relation") == Some("next"))
}

/// Whether a resource says that it is about somebody with another national number.
fn is_of_another(value: &Value, number: &str) -> bool {
    let of = |name: &str| value.get(name).and_then(|reference| reference.get("identifier"));
    let own = (kind(value) == Some("Patient")).then(|| value.items("identifier"));
    let named = ["subject", "patient"].into_iter().filter_map(of);
    let mut national = named
        .chain(own.into_iter().flatten())
        .filter(|it| it.text("system").is_some_and(system::is_national_number))
        .filter_map(|it| it.text("value"))
        .peekable();
    // A person may have had several numbers; one that is the number asked for is enough.
    national.peek().is_some() && !national.any(|it| it == number)
}
