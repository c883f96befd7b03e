//! Which scopes a client gets of those it asks for.

use access::scopes::{Context, Scope, is_about_resources};

use super::client::Client;
use super::provider::Provider;
use super::refused::Refused;
use crate::claims::audience;
use crate::world::{Municipality, municipalities};

/// Most scopes of one request.
const MOST: usize = 100;

const OPENID: [&str; 3] = ["openid", "profile", "offline_access"];
const HELSEID: [&str; 4] = [
    "helseid://scopes/identity/pid",
    "helseid://scopes/identity/security_level",
    "helseid://scopes/identity/assurance_level",
    "helseid://scopes/hpr/hpr_number",
];
/// SMART App Launch 2.2 §3.
const SMART: [&str; 4] = ["fhirUser", LAUNCH, LAUNCH_PATIENT, "online_access"];

/// The scope of an app that was launched from the record system.
pub const LAUNCH: &str = "launch";
/// The scope of an app that needs a patient chosen.
pub const LAUNCH_PATIENT: &str = "launch/patient";

/// The scopes that a stand-in tells of.
pub fn supported(provider: Provider) -> Vec<String> {
    let mut all: Vec<String> =
        municipalities().iter().map(|it| format!("{}/api", audience(it))).collect();
    all.extend(fixed(provider).map(str::to_owned));
    if provider == Provider::Smart {
        all = fixed(provider).map(str::to_owned).collect();
        all.extend(["patient/*.rs", "user/*.rs", "system/*.cruds"].map(str::to_owned));
    }
    all
}

/// The scopes that a client may have.
pub fn of_client(provider: Provider, municipality: &Municipality) -> Vec<String> {
    let api = (provider != Provider::Smart).then(|| format!("{}/api", audience(municipality)));
    api.into_iter().chain(fixed(provider).map(str::to_owned)).collect()
}

fn fixed(provider: Provider) -> impl Iterator<Item = &'static str> {
    let people = if provider.has_people() { &OPENID[..] } else { &[] };
    let own: &[&str] = match provider {
        Provider::Helseid => &HELSEID,
        Provider::Smart => &SMART,
        Provider::Idporten | Provider::Maskinporten => &[],
    };
    people.iter().chain(own).copied()
}

/// What is given of what was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Given.
    pub given: Vec<String>,
    /// Not given.
    pub rejected: Vec<String>,
}

/// Settles what a client gets. `person` is whether somebody logs in.
///
/// # Errors
/// Where it gets nothing at all.
pub fn settle(
    provider: Provider,
    client: &Client,
    asked: &str,
    person: bool,
) -> Result<Settled, Refused> {
    let mut settled = Settled::default();
    for scope in asked.split(' ').filter(|scope| !scope.is_empty()).take(MOST) {
        let of_person =
            OPENID.contains(&scope) || HELSEID.contains(&scope) || SMART.contains(&scope);
        let known = client.scopes.iter().any(|own| own == scope) && (person || !of_person);
        let of_resources = provider == Provider::Smart
            && is_about_resources(scope)
            && Scope::parse(scope)
                .is_some_and(|scope| (scope.context == Context::System) != person);
        let list = if known || of_resources { &mut settled.given } else { &mut settled.rejected };
        if !list.iter().any(|had| had == scope) {
            list.push(scope.to_owned());
        }
    }
    if settled.given.is_empty() {
        let nothing = "ask for a scope that the client may have";
        return Err(Refused::new("invalid_scope", nothing));
    }
    Ok(settled)
}

/// Settles a narrower list than was given before (RFC 6749 §6).
///
/// # Errors
/// Where it holds a scope that was not given.
pub fn narrower(given: &[String], asked: Option<&str>) -> Result<Vec<String>, Refused> {
    let Some(asked) = asked else { return Ok(given.to_vec()) };
    let asked: Vec<String> =
        asked.split(' ').filter(|it| !it.is_empty()).map(str::to_owned).collect();
    if asked.is_empty() || !asked.iter().all(|scope| given.contains(scope)) {
        return Err(Refused::new("invalid_scope", "ask for scopes that were given before"));
    }
    Ok(asked)
}

/// Checks that each `resource` (RFC 8707) is what the client is for.
///
/// # Errors
/// `invalid_target` otherwise.
pub fn check_resources<'a>(
    client: &Client,
    mut resources: impl Iterator<Item = &'a str>,
) -> Result<(), Refused> {
    let own = audience(client.municipality);
    if resources.all(|resource| resource == own) {
        return Ok(());
    }
    let other = "`resource` must be the API that the client is registered for, such as `fkj:9901`";
    Err(Refused::new("invalid_target", other))
}
