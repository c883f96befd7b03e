//! `Consent.provision` of type `deny`, read to the last element.

use access::restriction::{Restriction, What};
use fhir::instant;
use fhir::issue::Issue;
use fhir::reference::Literal;
use fhir::value::Value;
use record::catalogue::{self, Catalogue};
use record::purpose::Purpose;
use record::system;

use super::{MOST, PURPOSE, actor, unenforced};

/// The elements that are understood; any other refuses the Consent.
const UNDERSTOOD: [&str; 9] =
    ["id", "type", "period", "actor", "action", "purpose", "class", "dataPeriod", "data"];

/// What may be denied: seeing it.
const ACTIONS: [&str; 2] = ["access", "disclose"];

/// The purposes of an emergency.
const EMERGENCY: [Purpose; 2] = [Purpose::EmergencyTreatment, Purpose::BreakTheGlass];

/// From a time up to another, either of which may be open.
type Times = (Option<i64>, Option<i64>);

/// Types and ids of single resources, and whose resources.
type Data = (Vec<(String, String)>, Option<String>);

/// Reads a provision of the Consent with this id.
pub fn read(id: &str, provision: &Value) -> Result<Restriction, Box<Issue>> {
    let mut elements = provision.as_object().into_iter().flat_map(|object| object.iter());
    if let Some((other, _)) = elements.find(|(name, _)| !UNDERSTOOD.contains(name)) {
        let instead = "leave it out, and send a Consent of its own for each thing denied";
        return Err(unenforced(&format!("provision.{other}"), instead));
    }
    if provision.text("type") != Some("deny") {
        return Err(unenforced("provision.type", "send `deny`"));
    }
    for name in ["actor", "class", "data", "purpose", "action"] {
        if provision.items(name).len() > MOST {
            return Err(unenforced(&format!("provision.{name}"), "send fewer in each Consent"));
        }
    }
    check_actions(provision)?;
    let (valid_from, valid_to) = times(provision, "period")?;
    let (from, to) = times(provision, "dataPeriod")?;
    let (items, owner) = data(provision)?;
    Ok(Restriction {
        id: id.to_owned(),
        against: actor::read(provision.items("actor"))?,
        what: What { categories: classes(provision)?, items, owner, from, to },
        valid_from,
        valid_to,
        in_emergency: in_emergency(provision)?,
    })
}

/// Denying something else than seeing, such as recording, is nothing that a patient decides alone.
fn check_actions(provision: &Value) -> Result<(), Box<Issue>> {
    let is_seeing = |action: &Value| {
        let codes = action.items("coding").iter().filter_map(|coding| coding.text("code"));
        codes.into_iter().any(|code| ACTIONS.contains(&code))
    };
    if provision.items("action").iter().all(is_seeing) {
        return Ok(());
    }
    Err(unenforced("provision.action", "send `access` or `disclose`, or leave it out"))
}

/// A period, its end excluded.
fn times(provision: &Value, name: &str) -> Result<Times, Box<Issue>> {
    let Some(period) = provision.get(name) else { return Ok((None, None)) };
    let wrong = || unenforced(&format!("provision.{name}"), "send a start before an end");
    let at = |end: &str| match period.text(end) {
        Some(text) => instant::range(text).map(Some).ok_or_else(wrong),
        None => Ok(None),
    };
    let (from, to) = (at("start")?.map(|it| it.0), at("end")?.map(|it| it.1));
    let is_empty = matches!((from, to), (Some(from), Some(to)) if from >= to);
    if is_empty || (from, to) == (None, None) { Err(wrong()) } else { Ok((from, to)) }
}

/// Keys of categories.
fn classes(provision: &Value) -> Result<Vec<String>, Box<Issue>> {
    let key = |coding: &Value| {
        let key = coding.text("code").filter(|_| coding.text("system") == Some(catalogue::SYSTEM));
        let known = key.and_then(|key| Catalogue::get().category(key));
        known.filter(|it| it.about_person && !it.shapes.is_empty()).map(|it| it.key.clone())
    };
    let classes: Option<Vec<String>> = provision.items("class").iter().map(key).collect();
    classes.ok_or_else(|| {
        let text =
            format!("send keys of categories about persons, of system `{}`", catalogue::SYSTEM);
        unenforced("provision.class", &text)
    })
}

/// Single resources, or the owner whose they are.
fn data(provision: &Value) -> Result<Data, Box<Issue>> {
    let (mut items, mut owner) = (Vec::new(), None);
    for data in provision.items("data") {
        let reference = data.get("reference");
        match data.text("meaning") {
            Some("instance") => {
                let text = reference.and_then(|it| it.text("reference")).unwrap_or_default();
                match Literal::parse(text) {
                    Literal::Resource { kind, id, base: "" } if !text.contains("/_history/") => {
                        items.push((kind.to_owned(), id.to_owned()));
                    }
                    _ => {
                        let instead = "refer to a resource here, as `Observation/1`";
                        return Err(unenforced("provision.data.reference", instead));
                    }
                }
            }
            Some("authoredby") => {
                let number = reference.and_then(|it| actor::identified(it, system::ENH));
                if owner.is_some() || number.is_none() {
                    let instead = "name one organisation, by its number in Enhetsregisteret";
                    return Err(unenforced("provision.data.reference", instead));
                }
                owner = number;
            }
            _ => {
                let instead = "send `instance` or `authoredby`";
                return Err(unenforced("provision.data.meaning", instead));
            }
        }
    }
    if owner.is_some() && !items.is_empty() {
        let instead = "send a Consent of its own for what an organisation has documented";
        return Err(unenforced("provision.data", instead));
    }
    Ok((items, owner))
}

/// Whether it holds in emergencies too. A rule for some purposes only is none that is kept.
fn in_emergency(provision: &Value) -> Result<bool, Box<Issue>> {
    let purposes = provision.items("purpose");
    let names = |purpose: Purpose| {
        let is = |it: &Value| {
            it.text("system") == Some(PURPOSE) && it.text("code") == Some(purpose.code())
        };
        purposes.iter().any(is)
    };
    match (purposes.is_empty(), EMERGENCY.into_iter().all(names)) {
        (true, _) => Ok(false),
        (false, true) => Ok(true),
        (false, false) => {
            let instead = "leave it out, or send both `ETREAT` and `BTG` for emergencies too";
            Err(unenforced("provision.purpose", instead))
        }
    }
}
