//! `Consent.provision.actor`: from whom something is withheld.

use access::restriction::Against;
use fhir::issue::Issue;
use fhir::value::Value;
use record::service::{service_type, unpadded};
use record::system;

use super::{SUBJECT, unenforced};

/// System of the roles that say no more than that information would go to somebody.
pub const ROLES: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";

/// Whoever the information would go to, in the first place or at all.
const RECIPIENTS: [&str; 2] = ["PRCP", "IRCP"];

/// Reads the one actor that there may be.
pub fn read(actors: &[Value]) -> Result<Against, Box<Issue>> {
    let actor = match actors {
        [] => return Ok(Against::Everyone),
        [actor] => actor,
        _ => return Err(unenforced("provision.actor", "send a Consent of its own for each")),
    };
    let reference = actor.get("reference");
    let codings = actor.get("role").map(|role| role.items("coding")).unwrap_or_default();
    let mut group = None;
    for coding in codings {
        let code = coding.text("code").unwrap_or_default();
        match coding.text("system").map(system::canonical).as_deref() {
            Some(system::PROFESSION) if group.is_none() && !code.is_empty() => {
                group = Some(Against::Profession(code.to_owned()));
            }
            Some(system::SERVICE_TYPE) if group.is_none() && service_type(code).is_some() => {
                group = Some(Against::Service(unpadded(code).to_owned()));
            }
            Some(ROLES) if RECIPIENTS.contains(&code) => {}
            _ => {
                let instead = "send one profession (kodeverk 9060), one service (9151), or `PRCP`";
                return Err(unenforced("provision.actor.role", instead));
            }
        }
    }
    let of = |system: &str| reference.and_then(|it| identified(it, system));
    let single = of(system::HPR)
        .or_else(|| of(SUBJECT))
        .map(Against::Practitioner)
        .or_else(|| of(system::ENH).map(Against::Organisation));
    let names = |element: &str| reference.is_some_and(|it| it.get(element).is_some());
    match (single, group) {
        // A literal reference beside the number adds nothing.
        (Some(single), None) => Ok(single),
        (None, Some(group)) if !names("reference") && !names("identifier") => Ok(group),
        _ => {
            let instead = "name a person by HPR number or an organisation by its number, in \
                           `identifier`; or a profession or service in `role`, and nobody in \
                           `reference`";
            Err(unenforced("provision.actor.reference", instead))
        }
    }
}

/// The value of a reference's identifier, where it is of this system.
pub fn identified(reference: &Value, of: &str) -> Option<String> {
    let identifier = reference.get("identifier")?;
    let is = identifier.text("system").map(system::canonical).as_deref() == Some(of);
    identifier.text("value").filter(|value| is && !value.is_empty()).map(str::to_owned)
}
