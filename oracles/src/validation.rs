//! Resources as they are and with one fault each, shown to our check and to another.

use crate::differences::Differences;
use crate::examples::Example;
use crate::mutation::{self, kinds::KINDS};
use crate::octofhir::Octofhir;
use fhir::check::{BaseCodes, Validator};
use fhir::issue::Issue;
use fhir::json;
use fhir::profile::Profiles;
use fhir::resource::Resource;
use fhir::value::Value;

/// So many faults of each kind, and one example in so many as it is.
const OF_A_KIND: usize = 20;
const ONE_IN: usize = 2;

/// Asks both.
pub fn compare(
    octofhir: &Octofhir,
    examples: &[Example],
    into: &mut Differences,
) -> Result<(), String> {
    let (mut count, before) = (0, into.count());
    let mut sound = Vec::new();
    for example in examples.iter().step_by(ONE_IN) {
        count += 1;
        let ours = refuses(&example.value);
        let what = format!("example {}", example.kind);
        judge(&what, &example.name, ours.as_deref(), octofhir.refuses(&example.text)?, into);
        if ours.is_none() {
            sound.push(&example.value);
        }
    }
    println!("octofhir: {count} examples checked, {} differ", into.count() - before);
    let (mut made, mut here, mut there) = (0, 0, 0);
    for (number, (kind, fault)) in KINDS.iter().enumerate() {
        let mut of_kind = 0;
        for index in 0..sound.len() {
            let resource = sound[(index * 7 + number * 37) % sound.len()];
            let sites = mutation::sites(resource);
            let mut faulty = sites
                .iter()
                .filter_map(|site| fault(resource, site, mutation::at(resource, &site.way)));
            let Some((faulty, place)) = faulty.nth(number % 3) else { continue };
            let (ours, theirs) = (refuses(&faulty), octofhir.refuses(&json::print(&faulty))?);
            (made, of_kind) = (made + 1, of_kind + 1);
            here += usize::from(ours.is_some());
            there += usize::from(theirs.is_some());
            judge(&format!("fault {kind}"), &place, ours.as_deref(), theirs, into);
            if of_kind == OF_A_KIND {
                break;
            }
        }
    }
    println!(
        "octofhir: {made} faults in {} kinds, {here} refused here, {there} there",
        KINDS.len()
    );
    Ok(())
}

fn judge(
    what: &str,
    place: &str,
    ours: Option<&str>,
    theirs: Option<String>,
    into: &mut Differences,
) {
    match (ours, theirs) {
        (Some(why), None) => {
            into.add("octofhir", what, "refused here", || format!("{place}: {why}"))
        }
        (None, Some(why)) => {
            into.add("octofhir", what, "refused there", || format!("{place}: {why}"))
        }
        _ => {}
    }
}

/// Why our check refuses a resource; nothing if it does not.
fn refuses(value: &Value) -> Option<String> {
    let validator = Validator { profiles: Profiles::base(), terminology: &BaseCodes };
    let resource = match Resource::from_value(value.clone()) {
        Ok(resource) => resource,
        Err(error) => return Some(format!("{error:?}")),
    };
    let issues = validator.validate(&resource, &[]);
    let refusal = issues.iter().find(|issue| Issue::refuses(issue));
    refusal.map(|issue| format!("{} {}", issue.location, issue.message))
}
