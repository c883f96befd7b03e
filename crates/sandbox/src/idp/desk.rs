//! Where requests to the stand-ins are answered, and what must be remembered between them.

use std::sync::Arc;

use aws_lc_rs::hmac;
use serde_json::{Value, json};

use super::authorize::{Asked, Launched};
use super::client::{Client, Clients};
use super::jwt::{self, Expected, Proof};
use super::memory::Memory;
use super::mint::Grant;
use super::provider::Provider;
use super::refused::Refused;
use crate::issuer::Issuer;

/// `client_assertion_type` (RFC 7523 §2.2).
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Longest value of a parameter, in bytes.
const LONGEST: usize = 16 * 1024;

/// Most parameters of a request.
const MOST: usize = 50;

/// When a request is answered.
pub struct Moment<'a> {
    /// Seconds since 1970 UTC.
    pub now_s: i64,
    /// Gives a text that nobody can guess, another at each call.
    pub random: &'a mut dyn FnMut() -> String,
}

/// What is posted to an endpoint.
#[derive(Clone, Copy)]
pub struct Posted<'a> {
    /// The form.
    pub form: &'a [(String, String)],
    /// The headers `DPoP`.
    pub proofs: &'a [&'a str],
}

/// An answer in JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Value,
    /// `DPoP-Nonce`, where a proof was sent.
    pub nonce: Option<String>,
}

/// The stand-ins of one server.
pub struct Desk {
    /// Start of the server's addresses, without a slash at the end.
    pub(super) root: String,
    pub(super) issuer: Arc<Issuer>,
    pub(super) clients: Clients,
    pub(super) nonces: hmac::Key,
    /// Requests of people who have not chosen yet.
    pub(super) asked: Memory<Asked>,
    pub(super) pushed: Memory<Asked>,
    pub(super) codes: Memory<(Asked, Grant)>,
    /// Sessions of codes that were used.
    pub(super) spent: Memory<String>,
    pub(super) refresh: Memory<Refresh>,
    pub(super) launches: Memory<Launched>,
    /// Assertions and proofs that were used.
    seen: Memory<()>,
}

/// A refresh token.
pub(super) struct Refresh {
    pub grant: Grant,
    /// The key it is bound to, of a public client.
    pub thumbprint: Option<String>,
    /// Whether another has taken its place.
    pub is_spent: bool,
}

impl Desk {
    /// With nothing remembered. `root` is the start of the server's addresses, and `secret` what nonces are
    /// made with.
    pub fn new(root: &str, issuer: Arc<Issuer>, secret: &[u8; 32]) -> Self {
        Self {
            root: root.to_owned(),
            issuer,
            clients: Clients::default(),
            nonces: hmac::Key::new(hmac::HMAC_SHA256, secret),
            asked: Memory::default(),
            pushed: Memory::default(),
            codes: Memory::default(),
            spent: Memory::default(),
            refresh: Memory::default(),
            launches: Memory::default(),
            seen: Memory::default(),
        }
    }

    /// A client of a stand-in.
    pub fn client(&self, provider: Provider, id: &str) -> Option<&Client> {
        self.clients.get(provider, id)
    }

    /// Answers a POST of a form, with a nonce where a proof came with it.
    pub(super) fn reply(
        &mut self,
        posted: &Posted<'_>,
        now: i64,
        status: u16,
        answered: Result<Value, Refused>,
    ) -> Reply {
        let nonce = (!posted.proofs.is_empty()).then(|| jwt::nonce(&self.nonces, now));
        match answered {
            Ok(body) => Reply { status, body, nonce },
            Err(refused) => Reply { status: refused.status(), body: refused.body(), nonce },
        }
    }

    /// The client that a request is of, and what its assertion says.
    pub(super) fn authenticate(
        &mut self,
        provider: Provider,
        form: &Form<'_>,
        now: i64,
    ) -> Result<(Client, Value), Refused> {
        let Some(assertion) = form.one("client_assertion") else {
            let client = form.one("client_id").and_then(|id| self.client(provider, id));
            let public = client.filter(|client| client.public);
            let public = public
                .ok_or(Refused::client("send client_assertion, signed with a registered key"))?;
            return Ok((public.clone(), Value::Null));
        };
        if form.one("client_assertion_type") != Some(ASSERTION) {
            return Err(Refused::client("client_assertion_type must be that of jwt-bearer"));
        }
        let jwt =
            jwt::read(assertion).ok_or(Refused::client("the assertion is not a signed JWT"))?;
        let id = jwt.text("iss").filter(|id| jwt.text("sub") == Some(id));
        let id =
            id.ok_or(Refused::client("`iss` and `sub` of the assertion must be the client id"))?;
        if form.one("client_id").is_some_and(|sent| sent != id) {
            return Err(Refused::client("client_id is another than the assertion's"));
        }
        let client =
            self.client(provider, id).ok_or(Refused::client("the client is not known here"))?;
        let client = client.clone();
        let address = provider.address(&self.root);
        let mut audiences = vec![provider.issuer(&self.root)];
        let (kind, longest) = match provider {
            Provider::Helseid => (Some("client-authentication+jwt"), 60),
            _ => {
                audiences.extend(["token", "par", "launch"].map(|it| format!("{address}/{it}")));
                (None, 300)
            }
        };
        let expected = Expected { keys: &client.keys, kind, audiences: &audiences, longest };
        let (jti, until) = jwt::assertion(&jwt, &expected, now).map_err(Refused::client)?;
        let name = format!("{} {id} {jti}", provider.key());
        self.first(
            name,
            until,
            now,
            Refused::client("the assertion has been used before; make a new one"),
        )?;
        Ok((client, jwt.claims))
    }

    /// The proof that came with a POST to an endpoint, if one did.
    pub(super) fn proof(
        &mut self,
        provider: Provider,
        endpoint: &str,
        posted: &Posted<'_>,
        now: i64,
    ) -> Result<Option<Proof>, Refused> {
        let proof = match posted.proofs {
            [] => return Ok(None),
            [one] => one,
            _ => return Err(Refused::proof("send exactly one header DPoP with a proof")),
        };
        let address = format!("{}/{endpoint}", provider.address(&self.root));
        let proof = jwt::proof(proof, &address, &self.nonces, now)?;
        let used = Refused::proof("the DPoP proof has been used before; make one for each request");
        self.first(proof.id.clone(), proof.until, now, used)?;
        Ok(Some(proof))
    }

    /// Remembers that something was used, which must be for the first time.
    pub(super) fn first(
        &mut self,
        name: String,
        until: i64,
        now: i64,
        used: Refused,
    ) -> Result<(), Refused> {
        if self.seen.get(&name, now).is_some() {
            return Err(used);
        }
        self.seen.keep(name, until, (), now)
    }

    /// `POST launch`: the record system has a patient open and is about to launch an app (SMART App Launch
    /// §4.2). What it gets is good once, for five minutes.
    pub fn launch(&mut self, posted: &Posted<'_>, moment: &mut Moment<'_>) -> Reply {
        let answered = self.launch_for(posted, moment);
        self.reply(posted, moment.now_s, 201, answered)
    }

    fn launch_for(
        &mut self,
        posted: &Posted<'_>,
        moment: &mut Moment<'_>,
    ) -> Result<Value, Refused> {
        let now = moment.now_s;
        let form = Form::read(posted.form)?;
        let (client, _) = self.authenticate(Provider::Smart, &form, now)?;
        if client.public {
            return Err(Refused::client("only a system with keys launches apps"));
        }
        let id = |name: &str| match form.one(name) {
            Some(id) if !is_id(id) => {
                Err(Refused::request("`patient` and `encounter` are logical ids"))
            }
            id => Ok(id.map(str::to_owned)),
        };
        let launched = Launched {
            municipality: client.municipality.number,
            patient: id("patient")?.ok_or(Refused::request("send `patient`, its logical id"))?,
            encounter: id("encounter")?,
            banner: form.one("need_patient_banner") != Some("false"),
        };
        let name = (moment.random)();
        self.launches.keep(name.clone(), now + LAUNCH_LIFETIME, launched, now)?;
        Ok(json!({ "launch": name, "expires_in": LAUNCH_LIFETIME }))
    }
}

/// How long a launch waits for its app, in seconds.
const LAUNCH_LIFETIME: i64 = 300;

/// Whether a text is a logical id (R4 datatypes, `id`).
pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
}

/// A form, or a query, each parameter at most once (RFC 6749 §3.1).
pub(super) struct Form<'a> {
    pairs: &'a [(String, String)],
}

impl<'a> Form<'a> {
    /// Reads a form; empty values count as none.
    ///
    /// # Errors
    /// Where it is too large, or a parameter stands twice.
    pub fn read(pairs: &'a [(String, String)]) -> Result<Self, Refused> {
        if pairs.len() > MOST || pairs.iter().any(|(_, value)| value.len() > LONGEST) {
            return Err(Refused::request("the request has too many parameters, or too long ones"));
        }
        let mut names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
        names.retain(|name| *name != "resource");
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        if names.len() < count {
            return Err(Refused::request("a parameter stands twice"));
        }
        Ok(Self { pairs })
    }

    /// The value of a parameter.
    pub fn one(&self, name: &str) -> Option<&'a str> {
        self.all(name).next()
    }

    /// The values of a parameter that may stand several times.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &'a str> {
        let own =
            self.pairs.iter().filter(move |(known, value)| known == name && !value.is_empty());
        own.map(|(_, value)| value.as_str())
    }
}
