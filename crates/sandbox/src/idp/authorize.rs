//! The authorization endpoint: what a client asks, pushed beforehand (RFC 9126) or in the address, and where
//! the person is sent back to.

use serde_json::{Value, json};

use super::client::Client;
use super::desk::{Desk, Form, Moment, Posted, Reply};
use super::details::Details;
use super::jwt;
use super::mint::{Grant, Who};
use super::provider::{CODE, Provider};
use super::refused::Refused;
use super::scope::{LAUNCH, LAUNCH_PATIENT, check_resources, settle};
use crate::claims::{Role, RoleKind, roles};

/// Before the name of a pushed request (RFC 9126 §2.2).
const PUSHED: &str = "urn:ietf:params:oauth:request_uri:";
/// How long a pushed request waits for its person, in seconds.
const PUSHED_LIFETIME: i64 = 60;
/// How long somebody may take to choose, in seconds.
const CHOOSING: i64 = 600;
/// How long a code is good, in seconds.
const CODE_LIFETIME: i64 = 60;

/// A launch that the record system has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launched {
    /// Municipality number.
    pub municipality: &'static str,
    /// Logical id of the Patient.
    pub patient: String,
    /// Logical id of the Encounter, if there is one.
    pub encounter: Option<String>,
    /// Whether the app must show who the patient is.
    pub banner: bool,
}

/// What a client asks, checked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The stand-in asked.
    pub provider: Provider,
    /// The client's id.
    pub client: String,
    /// What people call it.
    pub client_name: String,
    /// The municipality it is for.
    pub municipality: &'static str,
    /// Where the person is sent back to.
    pub redirect: String,
    /// The scopes it gets.
    pub scopes: Vec<String>,
    /// The patient that was open already.
    pub launched: Option<Launched>,
    pub(super) rejected: Vec<String>,
    pub(super) state: Option<String>,
    pub(super) nonce: Option<String>,
    pub(super) challenge: String,
    pub(super) thumbprint: Option<String>,
    pub(super) details: Details,
}

/// Who somebody chose to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The role.
    pub role: Role,
    /// Identity number, of a resident.
    pub pid: Option<String>,
    /// Logical id of the Patient chosen, where one was asked for.
    pub patient: Option<String>,
}

/// Why a request goes no further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The client or its address is not known: told to the person, who is sent nowhere.
    Page(Refused),
    /// Told to the client, at this address.
    Redirect(String),
}

impl Asked {
    /// Whether a patient must be chosen.
    pub fn needs_patient(&self) -> bool {
        self.launched.is_none() && self.scopes.iter().any(|scope| scope == LAUNCH_PATIENT)
    }

    /// Whether residents log in, and not people at work.
    pub fn is_of_residents(&self) -> bool {
        self.provider == Provider::Idporten
    }

    /// Where the person is sent back to, with the client's state and the issuer (RFC 9207).
    fn back(&self, root: &str, name: &str, value: &str, more: Option<(&str, &str)>) -> String {
        let issuer = self.provider.issuer(root);
        back(&self.redirect, &issuer, self.state.as_deref(), (name, value), more)
    }
}

fn back(
    redirect: &str,
    issuer: &str,
    state: Option<&str>,
    answer: (&str, &str),
    more: Option<(&str, &str)>,
) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair(answer.0, answer.1);
    query.extend_pairs(more);
    query.extend_pairs(state.map(|state| ("state", state)));
    query.append_pair("iss", issuer);
    let separator = if redirect.contains('?') { '&' } else { '?' };
    format!("{redirect}{separator}{}", query.finish())
}

impl Desk {
    /// `POST par`: a request pushed beforehand.
    pub fn push(
        &mut self,
        provider: Provider,
        posted: &Posted<'_>,
        moment: &mut Moment<'_>,
    ) -> Reply {
        let answered = self.pushed(provider, posted, moment);
        self.reply(posted, moment.now_s, 201, answered)
    }

    fn pushed(
        &mut self,
        provider: Provider,
        posted: &Posted<'_>,
        moment: &mut Moment<'_>,
    ) -> Result<Value, Refused> {
        let now = moment.now_s;
        if !provider.has_people() {
            return Err(Refused::request("nobody logs in here"));
        }
        let form = Form::read(posted.form)?;
        let proof = self.proof(provider, "par", posted, now)?;
        let (client, _) = self.authenticate(provider, &form, now)?;
        if form.one("request_uri").is_some() {
            return Err(Refused::request("a pushed request must not hold request_uri"));
        }
        let mut asked = self.ask(provider, &client, redirect(&client, &form)?, &form, now)?;
        if let Some(proof) = proof {
            if asked.thumbprint.as_ref().is_some_and(|it| *it != proof.thumbprint) {
                return Err(Refused::proof("the DPoP proof is of another key than dpop_jkt"));
            }
            asked.thumbprint = Some(proof.thumbprint);
        }
        let name = format!("{PUSHED}{}", (moment.random)());
        self.pushed.keep(name.clone(), now + PUSHED_LIFETIME, asked, now)?;
        Ok(json!({ "request_uri": name, "expires_in": PUSHED_LIFETIME }))
    }

    /// `GET authorize`: gives the name under which the request waits for a person to choose.
    ///
    /// # Errors
    /// Where it goes no further, and who is told.
    pub fn authorize(
        &mut self,
        provider: Provider,
        query: &[(String, String)],
        moment: &mut Moment<'_>,
    ) -> Result<String, Stop> {
        let now = moment.now_s;
        let form = Form::read(query).map_err(Stop::Page)?;
        let client = form.one("client_id").and_then(|id| self.client(provider, id)).cloned();
        let client = client.ok_or(Stop::Page(Refused::client("the client is not known here")))?;
        let asked = match form.one("request_uri") {
            Some(name) => {
                let asked = self.pushed.take(name, now).filter(|asked| asked.client == client.id);
                let gone = "the pushed request is not known, used or more than a minute old";
                asked.ok_or(Stop::Page(Refused::request(gone)))?
            }
            None => {
                let redirect = redirect(&client, &form).map_err(Stop::Page)?;
                self.direct(provider, &client, redirect, &form, now).map_err(|refused| {
                    let issuer = provider.issuer(&self.root);
                    let more = Some(("error_description", refused.description));
                    let error = ("error", refused.code);
                    Stop::Redirect(back(redirect, &issuer, form.one("state"), error, more))
                })?
            }
        };
        let name = (moment.random)();
        self.asked.keep(name.clone(), now + CHOOSING, asked, now).map_err(Stop::Page)?;
        Ok(name)
    }

    fn direct(
        &mut self,
        provider: Provider,
        client: &Client,
        redirect: &str,
        form: &Form<'_>,
        now: i64,
    ) -> Result<Asked, Refused> {
        if provider == Provider::Helseid {
            return Err(Refused::request("push the request first, to the endpoint for that (PAR)"));
        }
        self.ask(provider, client, redirect, form, now)
    }

    /// Checks what a client asks.
    fn ask(
        &mut self,
        provider: Provider,
        client: &Client,
        redirect: &str,
        form: &Form<'_>,
        now: i64,
    ) -> Result<Asked, Refused> {
        if !client.may(CODE) {
            return Err(Refused::new("unauthorized_client", "the client has no people to log in"));
        }
        if form.one("request").is_some() {
            return Err(Refused::new("request_not_supported", "push the request instead (PAR)"));
        }
        if form.one("response_type") != Some("code") {
            return Err(Refused::new("unsupported_response_type", "response_type must be code"));
        }
        let challenge = form.one("code_challenge").filter(|it| jwt::is_hash(it));
        if form.one("code_challenge_method") != Some("S256") || challenge.is_none() {
            return Err(Refused::request("send code_challenge with the method S256 (PKCE)"));
        }
        check_resources(client, form.all("resource"))?;
        let settled = settle(provider, client, form.one("scope").unwrap_or_default(), true)?;
        let thumbprint = form.one("dpop_jkt");
        if thumbprint.is_some_and(|it| !jwt::is_hash(it)) {
            return Err(Refused::request("dpop_jkt is no thumbprint"));
        }
        let details = match form.one("authorization_details") {
            Some(text) if provider == Provider::Helseid => {
                let list = serde_json::from_str(text).map_err(|_| {
                    Refused::new(
                        "invalid_authorization_details",
                        "authorization_details is no JSON",
                    )
                })?;
                Details::read(&list, client)?
            }
            Some(_) => return Err(Refused::request("authorization_details are for HelseID")),
            None => Details::default(),
        };
        let launched = match provider {
            Provider::Smart => self.smart(client, form, &settled.given, now)?,
            _ => None,
        };
        Ok(Asked {
            provider,
            client: client.id.clone(),
            client_name: client.name.clone(),
            municipality: client.municipality.number,
            redirect: redirect.to_owned(),
            scopes: settled.given,
            launched,
            rejected: settled.rejected,
            state: form.one("state").map(str::to_owned),
            nonce: form.one("nonce").map(str::to_owned),
            challenge: challenge.unwrap_or_default().to_owned(),
            thumbprint: thumbprint.map(str::to_owned),
            details,
        })
    }

    /// What SMART demands besides (SMART App Launch 2.2 §4.5), and the launch.
    fn smart(
        &mut self,
        client: &Client,
        form: &Form<'_>,
        scopes: &[String],
        now: i64,
    ) -> Result<Option<Launched>, Refused> {
        let number = client.municipality.number;
        let base = format!("{}/{number}/fhir", self.root);
        if form.one("aud").map(|it| it.trim_end_matches('/')) != Some(base.as_str()) {
            return Err(Refused::request("`aud` must be the base of the municipality's FHIR API"));
        }
        if form.one("state").is_none() {
            return Err(Refused::request("send `state`, which nobody can guess"));
        }
        let launch = form.one("launch");
        if !scopes.iter().any(|scope| scope == LAUNCH) {
            return match launch {
                Some(_) => Err(Refused::request("`launch` goes with the scope launch")),
                None => Ok(None),
            };
        }
        let launched = launch.and_then(|name| self.launches.take(name, now));
        let launched = launched.filter(|launched| launched.municipality == number);
        let gone =
            "`launch` is not known, used or more than five minutes old; launch the app again";
        launched.map(Some).ok_or(Refused::request(gone))
    }

    /// What waits under a name for a person to choose.
    pub fn asked(&self, name: &str, now_s: i64) -> Option<&Asked> {
        self.asked.get(name, now_s)
    }

    /// The person does not want to: where to send them.
    pub fn decline(&mut self, name: &str, now_s: i64) -> Option<String> {
        let asked = self.asked.take(name, now_s)?;
        Some(asked.back(&self.root, "error", "access_denied", None))
    }

    /// The person has chosen: where to send them, with a code that is good once, for a minute.
    ///
    /// # Errors
    /// Where the request is not known any more, or not for such a person.
    pub fn choose(
        &mut self,
        name: &str,
        chosen: &Chosen,
        moment: &mut Moment<'_>,
    ) -> Result<String, Refused> {
        let now = moment.now_s;
        let gone = Refused::request("the request is not known, or too old; begin again in the app");
        let asked = self.asked.get(name, now).ok_or(gone)?;
        let who = match (kind(chosen.role), &chosen.pid) {
            (Some(RoleKind::Practitioner), _) if !asked.is_of_residents() => {
                Who::Staff(chosen.role)
            }
            (Some(RoleKind::Resident), Some(pid)) if asked.is_of_residents() => {
                Who::Resident(pid.clone())
            }
            _ => return Err(Refused::request("such a person does not log in here")),
        };
        if asked.needs_patient() && chosen.patient.is_none() {
            return Err(Refused::request("choose a patient"));
        }
        let asked = self.asked.take(name, now).ok_or(gone)?;
        let picked = chosen.patient.clone().filter(|_| asked.needs_patient());
        let launched = asked.launched.clone().or(picked.map(|patient| Launched {
            municipality: asked.municipality,
            patient,
            encounter: None,
            banner: true,
        }));
        let grant = Grant {
            provider: asked.provider,
            client: asked.client.clone(),
            scopes: asked.scopes.clone(),
            who,
            details: asked.details.clone(),
            launched,
            auth_time: now,
            session: (moment.random)(),
            nonce: asked.nonce.clone(),
        };
        let code = (moment.random)();
        let back = asked.back(&self.root, "code", &code, None);
        self.codes.keep(code, now + CODE_LIFETIME, (asked, grant), now)?;
        Ok(back)
    }
}

fn kind(role: Role) -> Option<RoleKind> {
    roles().iter().find(|info| info.role == role).map(|info| info.kind)
}

/// The registered address that a request names, letter by letter (RFC 9700 §2.1).
fn redirect<'a>(client: &Client, form: &Form<'a>) -> Result<&'a str, Refused> {
    let named = form.one("redirect_uri");
    named.filter(|named| client.redirects.iter().any(|own| own == named)).ok_or(Refused::request(
        "redirect_uri must be one of the client's registered addresses, letter by letter",
    ))
}
